//! `verify` finds every damage and names what mends it; `rebuild` and `compact` change no figure.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Instant;

use crate::support::warehouse::sample_warehouse;
use crate::support::{Outcome, Program};
use crate::warehouse::upkeep::{files_below, written_at};

/// The shipped samples in a data directory of a test's own.
pub(super) fn copy_of_samples() -> Program {
    let program = Program::shipped();
    copy(sample_warehouse(), program.data.path());
    program
}

fn copy(from: &Path, to: &Path) {
    for entry in fs_err::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs_err::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            fs_err::copy(&path, &target).unwrap();
        }
    }
}

/// Files below a folder of the data directory with some text in their path.
fn files(program: &Program, folder: &str, part: &str) -> Vec<PathBuf> {
    let found = files_below(&program.data.path().join(folder)).into_keys();
    found.filter(|path| path.to_string_lossy().contains(part)).collect()
}

fn flip_a_bit(path: &Path) {
    let mut bytes = fs_err::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(path, bytes).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs_err::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no {from}", path.display());
    fs_err::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The commit of a table that holds a text.
fn commit_with(program: &Program, table: &str, text: &str) -> PathBuf {
    let log = files(program, &format!("lake/events/{table}/_delta_log"), ".json");
    log.into_iter().find(|path| fs_err::read_to_string(path).unwrap().contains(text)).unwrap()
}

fn verify(program: &Program) -> Outcome {
    program.run(["verify"])
}

/// Something that can happen to a data directory, what is said of it, and what is said to mend it.
type Damage = (&'static str, fn(&Program), &'static str, &'static str);

const FAULTS: &[Damage] = &[
    (
        "an event file is missing",
        |program| fs_err::remove_file(&files(program, "lake/events/cases", ".parquet")[0]).unwrap(),
        "the file is missing",
        "restore the file from a backup; it came with batch",
    ),
    (
        "a byte of an event file has changed",
        |program| flip_a_bit(&files(program, "lake/events/cases", ".parquet")[0]),
        "bytes of the file have changed since it was written",
        "restore the file from a backup; it came with batch",
    ),
    (
        "an entity file is cut off",
        |program| {
            let path = &files(program, "lake/entities/cases", ".parquet")[0];
            let bytes = fs_err::read(path).unwrap();
            fs_err::write(path, &bytes[..100]).unwrap();
        },
        "the file has 100 bytes, the log says",
        "`svod rebuild`",
    ),
    (
        "a file from before hashes were kept is no Parquet",
        |program| {
            let path = &files(program, "lake/entities/cards", ".parquet")[0];
            let n_bytes = fs_err::metadata(path).unwrap().len();
            fs_err::write(path, vec![7; usize::try_from(n_bytes).unwrap()]).unwrap();
            for commit in files(program, "lake/entities/cards/_delta_log", ".json") {
                let text = fs_err::read_to_string(&commit).unwrap();
                fs_err::write(&commit, text.replace("svod.blake3", "other")).unwrap();
            }
        },
        "the file is no readable Parquet",
        "`svod rebuild`",
    ),
    (
        "the rows of a commit are wrong",
        |program| {
            let commit = commit_with(program, "passports", "numRecords");
            let text = fs_err::read_to_string(&commit).unwrap();
            let number = text.split(r#"{\"numRecords\":"#).nth(1).unwrap().split('}').next().unwrap().to_owned();
            let from = format!(r#"{{\"numRecords\":{number}}}"#);
            replace(&commit, &from, r#"{\"numRecords\":987654}"#);
        },
        "rows, the log says 987654",
        "restore the file from a backup",
    ),
    (
        "the log of an event table is missing",
        |program| fs_err::remove_dir_all(program.data.path().join("lake/events/cases/_delta_log")).unwrap(),
        "fault: lake/events/cases: snapshots name the table, but its log is missing",
        "restore the folder from a backup",
    ),
    (
        "a commit of an entity table is not readable",
        |program| fs_err::write(&files(program, "lake/entities/cases/_delta_log", ".json")[0], "{").unwrap(),
        "fault: lake/entities/cases: the log of the table cannot be read",
        "delete the folder and run `svod rebuild`",
    ),
    (
        "the last commit of an event table is missing",
        |program| {
            fs_err::remove_file(files(program, "lake/events/cases/_delta_log", ".json").last().unwrap()).unwrap();
        },
        "of `events/cases`, which ends with version",
        "restore both from the same backup",
    ),
    (
        "a manifest is not readable",
        |program| fs_err::write(program.data.path().join("snapshots/000001.json"), "{").unwrap(),
        "fault: snapshots/000001.json: cannot read the snapshot manifest",
        "delete the file and run `svod run`",
    ),
    (
        "a manifest is missing",
        |program| {
            let folder = program.data.path().join("snapshots");
            for number in [3, 5] {
                fs_err::copy(folder.join("000001.json"), folder.join(format!("00000{number}.json"))).unwrap();
                replace(&folder.join(format!("00000{number}.json")), "\"number\": 1", &format!("\"number\": {number}"));
            }
        },
        "fault: snapshots: the manifest of snapshot 4 is missing",
        "`svod compact --keep-snapshots 1`",
    ),
    (
        "a manifest says other rows",
        |program| replace(&program.data.path().join("snapshots/000001.json"), "\"rows\": ", "\"rows\": 9"),
        "fault: snapshots/000001.json: it says 9",
        "restore the lake and the snapshots from the same backup",
    ),
    (
        "a batch says other events",
        |program| replace(&commit_with(program, "cases", "\"events\":"), "\"events\":", "\"events\":9"),
        "brought 9",
        "restore the folder from a backup",
    ),
    (
        "a batch is missing",
        |program| replace(&commit_with(program, "cases", "\"number\":2,"), "\"number\":2,", "\"number\":99,"),
        ": batches 2",
        "restore lake and state from the same backup",
    ),
    (
        "a file of rejected rows is missing",
        |program| fs_err::remove_file(&files(program, "lake/quarantine", ".parquet")[0]).unwrap(),
        "fault: lake/quarantine/",
        "`svod quarantine retry ",
    ),
    (
        "a file of rejected rows is another",
        |program| {
            let found = files(program, "lake/quarantine", ".parquet");
            let other = &files(program, "lake/events/cases", ".parquet")[0];
            fs_err::copy(other, &found[0]).unwrap();
        },
        " rejected ",
        "`svod quarantine retry ",
    ),
    (
        "the DuckDB file is garbage",
        |program| fs_err::write(program.data.path().join("warehouse.duckdb"), "garbage").unwrap(),
        "fault: warehouse.duckdb: the file cannot be read",
        "`svod rebuild`",
    ),
    (
        "a state is ahead of the lake",
        |program| {
            let path = program.data.path().join("state/samara_appeals.json");
            replace(&path, "\"next_batch\": ", "\"next_batch\": 9");
        },
        "fault: state/samara_appeals.json: the pipeline remembers batch 9",
        "every file is read again",
    ),
    (
        "a state is damaged",
        |program| fs_err::write(program.data.path().join("state/samara_appeals.json"), "{").unwrap(),
        "fault: state/samara_appeals.json: the state in",
        "every file is read again",
    ),
];

const NOTES: &[Damage] = &[
    (
        "a file that no commit names",
        |program| {
            let path = program.data.path().join("lake/events/cases/month=2025-01/part-dead.parquet");
            fs_err::write(&path, "dead").unwrap();
            written_at(&path, "2026-11-01T00:00:00Z");
        },
        "note: lake/events/cases/month=2025-01/part-dead.parquet: nothing names the file",
        "`svod compact` deletes it\n",
    ),
    (
        "rejected rows that no batch names",
        |program| {
            fs_err::write(program.data.path().join("lake/quarantine/samara_appeals/000099-dead.parquet"), "").unwrap();
        },
        "note: lake/quarantine/samara_appeals/000099-dead.parquet: nothing names the file",
        "once it is a day old",
    ),
    (
        "a manifest that was not renamed",
        |program| fs_err::write(program.data.path().join("snapshots/000002.tmp"), "{").unwrap(),
        "note: snapshots/000002.tmp: nothing names the file",
        "`svod compact` deletes it",
    ),
    (
        "the DuckDB file is missing",
        |program| fs_err::remove_file(program.data.path().join("warehouse.duckdb")).unwrap(),
        "note: warehouse.duckdb: the file is missing",
        "`svod rebuild`",
    ),
    (
        "a table to which nothing was committed",
        |program| fs_err::create_dir_all(program.data.path().join("lake/events/other/month=2025-01")).unwrap(),
        "note: lake/events/other: nothing was ever committed to the table",
        "`svod run` makes the table",
    ),
    (
        "a state from before the last batch",
        |program| {
            fs_err::write(program.data.path().join("state/samara_appeals.json"), r#"{"next_batch": 1, "files": {}}"#)
                .unwrap();
        },
        "note: state/samara_appeals.json: the state is from before batch",
        "the next `svod run` mends it",
    ),
    (
        "files from before hashes were kept",
        |program| {
            for commit in files(program, "lake/events/passports/_delta_log", ".json") {
                let text = fs_err::read_to_string(&commit).unwrap();
                fs_err::write(&commit, text.replace("svod.blake3", "other")).unwrap();
            }
        },
        "files were written before hashes were recorded",
        "nothing to do",
    ),
];

#[test]
fn a_sound_warehouse_has_no_finding_and_is_not_changed() {
    let program = copy_of_samples();
    let before = files_below(program.data.path());
    let outcome = verify(&program);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    assert!(outcome.stdout.starts_with("sound: 1 snapshots, "), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("0 faults, 0 notes; 0 files without a hash\n"), "{}", outcome.stdout);
    assert_eq!(files_below(program.data.path()), before);
}

#[test]
fn every_damage_is_found_and_says_what_mends_it() {
    for (damages, code) in [(FAULTS, 1), (NOTES, 0)] {
        for (name, damage, sentence, mend) in damages {
            let program = copy_of_samples();
            damage(&program);
            let before = files_below(program.data.path());
            let outcome = verify(&program);
            assert_eq!(outcome.code, Some(code), "{name}: {outcome:?}");
            let found = outcome
                .stdout
                .lines()
                .any(|line| format!("{line}\n").contains(sentence) && format!("{line}\n").contains(mend));
            assert!(found, "{name}: {}", outcome.stdout);
            assert_eq!(files_below(program.data.path()), before, "{name}");
        }
    }
}

#[test]
fn a_folder_without_a_warehouse_says_what_to_do() {
    let outcome = verify(&Program::shipped());
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("there is no warehouse in") && outcome.stderr.contains("svod run"), "{outcome:?}");
}

/// Figures of some indicators, of the latest snapshot or an older one.
fn without_title(table: &str) -> String {
    table.lines().skip(1).collect::<Vec<_>>().join("\n")
}

fn figures(program: &Program, as_of: Option<&str>) -> String {
    let queries: [&[&str]; 4] = [
        &["appeals", "--by", "municipality", "--grain", "month"],
        &["support_rate", "--by", "status"],
        &["cards_issued", "--by", "municipality"],
        &["kpi_value", "--by", "kpi", "--grain", "month"],
    ];
    let answers = queries.iter().map(|query| {
        // Receipts of the other forms name the snapshot, as the title does.
        let words = ["query"].iter().chain(*query).chain(&["--format", "table"]).copied();
        let table = program.succeed(words.chain(as_of.into_iter().flat_map(|number| ["--as-of", number])));
        without_title(&table)
    });
    answers.collect()
}

#[test]
fn a_rebuild_and_a_compaction_change_no_figure() {
    let program = Program::shipped();
    program.succeed(["run", "samara_appeals", "project_kpis", "project_kpi_plan"]);
    program.succeed(["run"]);
    let (first, second) = (figures(&program, Some("1")), figures(&program, Some("2")));
    let latest = figures(&program, None);
    assert_ne!(first, second);

    let told = program.succeed(["rebuild"]);
    assert!(told.ends_with(": nothing differs from snapshot 2, which stays the latest\n"), "{told}");
    let told = program.succeed(["compact", "--dry-run"]);
    assert!(told.contains("would be merged into"), "{told}");
    let told = program.succeed(["compact"]);
    assert!(told.contains(" files merged into ") && told.ends_with("snapshot 3 published\n"), "{told}");
    assert_eq!(figures(&program, Some("1")), first);
    assert_eq!(figures(&program, Some("2")), second);
    assert_eq!(figures(&program, Some("3")), second);
    assert_eq!(figures(&program, None), latest);
    let told = program.succeed(["run"]);
    assert!(told.contains("snapshot 3 unchanged"), "{told}");

    let told = program.succeed(["compact", "--keep-snapshots", "1"]);
    assert!(told.contains("snapshots 1 to 2 forgotten"), "{told}");
    assert_eq!(figures(&program, None), latest);
    let outcome = program.run(["query", "appeals", "--as-of", "2"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let told = program.succeed(["rebuild"]);
    assert!(told.contains("nothing differs from snapshot 3"), "{told}");
    assert!(program.succeed(["verify"]).contains("sound: 1 snapshots"));
    let outcome = program.run(["compact", "--keep-snapshots", "1", "--retain", "3"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

#[test]
fn a_compaction_killed_at_any_moment_leaves_a_sound_warehouse() {
    let program = copy_of_samples();
    let latest = figures(&program, None);
    let timed = copy_of_samples();
    let start = Instant::now();
    timed.succeed(["compact", "--keep-snapshots", "1"]);
    let time = start.elapsed();
    let n_kills = 6;
    for kill in 0..n_kills {
        let mut child = program.command(["compact", "--keep-snapshots", "1"]).spawn().unwrap();
        sleep(time * (2 * kill + 1) / (2 * n_kills));
        child.kill().unwrap();
        child.wait().unwrap();
        let outcome = verify(&program);
        assert_eq!(outcome.code, Some(0), "killed at {kill}/{n_kills}: {outcome:?}");
        assert_eq!(figures(&program, None), latest, "killed at {kill}/{n_kills}");
    }
    program.succeed(["compact", "--keep-snapshots", "1"]);
    assert_eq!(figures(&program, None), latest);
    assert_eq!(verify(&program).code, Some(0));
}
