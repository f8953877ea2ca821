//! Data files: there, as large, with as many rows and the same bytes as their commits say.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err::File;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use super::super::inventory::Need;
use super::super::lake::{Lake, LoggedFile, TableHistory, TableKind, hash_of_file};
use super::{Finding, VerifyProgress, VerifyReport, chain, place_of};

/// Checks the files of a table; whether all files of its latest version are sound.
pub(super) fn check(
    lake: &Lake,
    history: &TableHistory,
    needed: &BTreeMap<String, Need>,
    progress: &VerifyProgress,
    report: &mut VerifyReport,
) -> bool {
    let place = place_of(history.kind, &history.table);
    let mut is_sound = true;
    let mut n_unhashed = 0;
    for (index, (path, need)) in needed.iter().enumerate() {
        progress(&place, index, needed.len());
        report.n_files += 1;
        report.n_bytes += need.file.n_bytes;
        n_unhashed += usize::from(need.file.hash.is_none());
        let copy = history.folder.join(path);
        let fetched =
            lake.fetch_anew_blocking(&copy).map_err(|error| format!("the file cannot be read: {}", chain(&error)));
        if let Err(sentence) = fetched.and_then(|()| check_file(&copy, &need.file)) {
            is_sound &= !need.is_latest;
            report.add(Finding::fault(format!("{place}/{path}"), sentence, mend_of(history, need)));
        }
    }
    progress(&place, needed.len(), needed.len());
    if n_unhashed > 0 {
        report.n_unhashed += n_unhashed;
        let sentence = format!(
            "{n_unhashed} files were written before hashes were recorded: their pages can be read, \
             but that no byte has changed cannot be proved"
        );
        report.add(Finding::note(place, sentence, "nothing to do; files that are written from now on have a hash"));
    }
    is_sound
}

/// Checks one file; what is wrong with it.
fn check_file(path: &Path, file: &LoggedFile) -> Result<(), String> {
    let metadata = match fs_err::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err("the file is missing".to_owned()),
        Err(error) => return Err(format!("the file cannot be read: {error}")),
    };
    if metadata.len() != file.n_bytes {
        return Err(format!("the file has {} bytes, the log says {}", metadata.len(), file.n_bytes));
    }
    let unreadable = |error: ParquetError| format!("the file is no readable Parquet: {}", chain(&error));
    let opened = File::open(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened.into_file()).map_err(unreadable)?;
    let n_rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let n_logged = file.rows + file.n_deleted;
    if n_rows != n_logged {
        return Err(format!("the file has {n_rows} rows, the log says {n_logged}"));
    }
    if let Some(hash) = &file.hash {
        return match hash_of_file(path) {
            Ok(found) if found == *hash => Ok(()),
            Ok(_) => Err("bytes of the file have changed since it was written: its hash is another".to_owned()),
            Err(error) => Err(format!("the file cannot be read: {error}")),
        };
    }
    for batch in builder.build().map_err(unreadable)? {
        batch.map_err(|error| unreadable(error.into()))?;
    }
    Ok(())
}

/// What brings a file back.
fn mend_of(history: &TableHistory, need: &Need) -> String {
    let snapshots = match need.snapshots.as_slice() {
        [] => String::new(),
        [only] => format!(" of snapshot {only}"),
        [first, .., last] => format!(" of snapshots {first} to {last}"),
    };
    if !need.is_latest {
        return format!(
            "restore the file{snapshots} from a backup, or give those snapshots up: `svod compact --keep-snapshots N`"
        );
    }
    if history.kind == TableKind::Entity {
        return "`svod rebuild` writes it again from the events".to_owned();
    }
    let commit = usize::try_from(need.file.added_in).ok().and_then(|version| history.commits.get(version));
    let origin = commit.and_then(|commit| commit.batch.as_ref()).map_or_else(String::new, |batch| {
        format!("; it came with batch {} of `{}` from {}", batch.number, batch.pipeline, batch.file)
    });
    format!("restore the file from a backup{origin}")
}
