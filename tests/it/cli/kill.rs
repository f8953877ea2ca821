//! A run that is killed anywhere and started again ends with the same lake and the same figures.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::Program;
use crate::support::lake::{headline_figures, whole_lake};

/// Moments of one run at which it is killed, spread evenly over its time; `make torture` asks for more by `SVOD_TORTURE_KILLS`.
fn n_kills() -> u32 {
    std::env::var("SVOD_TORTURE_KILLS").map_or(12, |text| text.parse().unwrap())
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
