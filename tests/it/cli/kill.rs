//! A run that is killed anywhere and started again ends with the same lake and the same figures.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::Program;

/// Moments of one run at which it is killed, spread evenly over its time; `make torture` asks for more by `SVOD_TORTURE_KILLS`.
fn n_kills() -> u32 {
    std::env::var("SVOD_TORTURE_KILLS").map_or(12, |text| text.parse().unwrap())
}

/// Everything that the lake and the entities hold, but for ids and moments that differ between any two runs.
pub(super) fn whole_lake(program: &Program) -> BTreeMap<String, Vec<String>> {
    let listing = program.succeed(["sql"]);
    let tables: Vec<&str> = listing.lines().collect();
    assert!(tables.contains(&"cases"), "{tables:?}");
    let mut lake = BTreeMap::new();
    for table in tables {
        let text = program.succeed(["sql", "--format", "csv", &format!("SELECT * FROM {table}")]);
        let mut records = csv::Reader::from_reader(text.as_bytes());
        let header = records.headers().unwrap().clone();
        let changing = ["run", "started_at", "finished_at", "quarantine"];
        let mut rows: Vec<String> = records
            .records()
            .map(|record| {
                let record = record.unwrap();
                let kept = header.iter().zip(&record).filter(|(name, _)| !changing.contains(name));
                kept.map(|(name, value)| format!("{name}={value};")).collect()
            })
            .collect();
        rows.sort_unstable();
        lake.insert(table.to_owned(), rows);
    }
    lake
}

pub(super) fn headline_figures(program: &Program) -> String {
    ["appeals", "support_rate", "passports", "cards_issued", "kpi_value", "rows_rejected"]
        .map(|indicator| {
            let by = match indicator {
                "kpi_value" => "kpi",
                "rows_rejected" => "pipeline",
                "passports" | "cards_issued" => "municipality",
                _ => "status",
            };
            program.succeed(["query", indicator, "--by", by, "--grain", "month", "--format", "csv"])
        })
        .concat()
}

#[test]
fn a_run_killed_anywhere_and_started_again_ends_the_same() {
    let undisturbed = Program::shipped();
    let start = Instant::now();
    undisturbed.succeed(["run"]);
    let run_time = start.elapsed();
    let (lake, figures) = (whole_lake(&undisturbed), headline_figures(&undisturbed));
    assert!(lake.values().map(Vec::len).sum::<usize>() > 1000, "the samples are too few to prove anything");

    let with_same_key = || {
        let program = Program::shipped();
        let key = "pseudonym.key";
        fs_err::copy(undisturbed.data.path().join(key), program.data.path().join(key)).unwrap();
        program
    };
    let n_kills = n_kills();
    let killed = with_same_key();
    for kill in 0..n_kills {
        let mut child = killed.command(["run"]).spawn().unwrap();
        sleep(run_time * kill / n_kills + Duration::from_millis(3));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    killed.succeed(["run"]);
    assert_eq!(headline_figures(&killed), figures);
    assert_eq!(whole_lake(&killed), lake);

    // Each kill alone, on a warehouse of its own, so that no point is skipped because earlier runs had done its work.
    for kill in (n_kills / 4..n_kills).step_by(2) {
        let program = with_same_key();
        let mut child = program.command(["run"]).spawn().unwrap();
        sleep(run_time * kill / n_kills);
        child.kill().unwrap();
        child.wait().unwrap();
        program.succeed(["run"]);
        assert_eq!(headline_figures(&program), figures, "killed at {kill}/{n_kills}");
        assert_eq!(whole_lake(&program), lake, "killed at {kill}/{n_kills}");
    }
}

#[test]
fn a_second_run_adds_nothing() {
    let program = Program::shipped();
    program.succeed(["run"]);
    let (lake, figures) = (whole_lake(&program), headline_figures(&program));
    let report = program.succeed(["run"]);
    assert!(report.contains("snapshot 1"), "{report}");
    assert_eq!(headline_figures(&program), figures);
    assert_eq!(whole_lake(&program), lake);
}
