//! Files that no commit, record or manifest names: left behind by a killed process, seen by no reader.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::super::inventory::{temporary_files, unnamed_quarantine};
use super::super::lake::{DiskFile, Lake, LakeError, TableHistory};
use super::super::snapshot::Snapshot;
use super::{Finding, VerifyReport};

/// Notes every file that nothing names.
pub(super) async fn check(
    data_dir: &Path,
    lake: &Lake,
    snapshots: &[Snapshot],
    histories: &[TableHistory],
    now: DateTime<Utc>,
    report: &mut VerifyReport,
) -> Result<(), LakeError> {
    let mut found = temporary_files(data_dir)?;
    for history in histories {
        let known = history.paths();
        let files = lake.files_of_table(history.kind, &history.table).await?.into_iter();
        found.extend(files.filter(|(path, _)| !known.contains(path.as_str())).map(|(_, file)| file));
    }
    found.extend(unnamed_quarantine(lake, histories, snapshots).await?);
    for file in found {
        let mend = if file.is_old(now) {
            "`svod compact` deletes it"
        } else {
            "`svod compact` deletes it once it is a day old"
        };
        let sentence = format!("nothing names the file, a killed run left its {} bytes behind", file.n_bytes);
        report.add(Finding::note(place_of_file(data_dir, lake, &file), sentence, mend));
    }
    Ok(())
}

fn place_of_file(data_dir: &Path, lake: &Lake, file: &DiskFile) -> String {
    let address = lake.address_of(&file.path);
    if lake.is_remote() && address.starts_with("s3://") {
        return address;
    }
    let root = fs_err::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let path = file.path.strip_prefix(&root).or_else(|_| file.path.strip_prefix(data_dir)).unwrap_or(&file.path);
    path.display().to_string()
}
