//! A disk that is full or read-only, a clock that jumps back: each ends with a clear sentence, and the run after the fault is mended leaves
//! what an undisturbed run leaves.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::run_project::RunProject;
use crate::support::NOW;
use crate::support::lake::tables_of;

/// A disk of its own over a folder; none where this user may not mount one.
struct Mount(PathBuf);

impl Mount {
    fn tmpfs(folder: &Path, n_kib: u64) -> Option<Self> {
        mount(&["-t", "tmpfs", "-o", &format!("size={n_kib}k,mode=700"), "tmpfs"], folder)
            .then(|| Self(folder.to_owned()))
    }

    /// The folder over itself, read-only.
    fn read_only(folder: &Path) -> Option<Self> {
        let mounted = mount(&["--bind", folder.to_str().unwrap()], folder).then(|| Self(folder.to_owned()))?;
        mount(&["-o", "remount,bind,ro"], folder).then_some(mounted)
    }

    fn resize(&self, n_kib: u64) {
        assert!(mount(&["-o", &format!("remount,size={n_kib}k")], &self.0));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(folder).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A folder that nobody can write: mounted read-only, or without the right to write for a user that heeds rights.
enum Sealed {
    Mount { _mounted: Mount },
    Mode(PathBuf),
}

impl Sealed {
    fn over(folder: &Path) -> Option<Self> {
        if let Some(mounted) = Mount::read_only(folder) {
            return Some(Self::Mount { _mounted: mounted });
        }
        set_mode(folder, 0o555);
        let sealed = Self::Mode(folder.to_owned());
        // Root writes anyway.
        fs_err::write(folder.join("probe"), "").is_err().then_some(sealed)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if let Self::Mode(folder) = self {
            set_mode(folder, 0o755);
        }
    }
}

fn set_mode(folder: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs_err::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What a failed run says: one error, where it is, what to do; never a panic.
fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("error: ") && !stderr.contains("panicked"), "{stderr}");
    stderr
}

/// What two runs over the registers leave, the second of which brings a correction, new files and a row that is rejected.
fn undisturbed() -> RunProject {
    let project = RunProject::new();
    project.write_registers();
    project.program.succeed(["run"]);
    write_news(&project);
    project.program.succeed(["run"]);
    project
}

fn write_news(project: &RunProject) {
    let granted = ("first-1-3", "2026-05-04", Some("2026-05-20"));
    project.write_rows("first-3", &[granted, ("new-1", "2026-07-01", None), ("broken-1", "2026-13-01", None)]);
    project.write_rows("second-3", &[("new-2", "2026-07-02", Some("2026-07-09"))]);
}

/// All that the registers of the project leave.
const TABLES: [&str; 4] = ["events_cases", "cases", "quarantine", "runs"];

fn assert_same(disturbed: &RunProject, expected: &RunProject, when: &str) {
    assert_eq!(tables_of(&disturbed.program, &TABLES), tables_of(&expected.program, &TABLES), "{when}");
    assert_eq!(disturbed.figures(), expected.figures(), "{when}");
    disturbed.program.succeed(["verify"]);
}

fn n_kib_below(folder: &Path) -> u64 {
    super::run_project::files_below(folder).values().map(|bytes| bytes.len() as u64 / 1024 + 4).sum()
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let expected = undisturbed();
    let n_kib = n_kib_below(expected.data());
    let mut n_failed = 0;
    for eighth in [1, 2, 4, 6] {
        let project = RunProject::new();
        let Some(disk) = Mount::tmpfs(project.data(), 100 + n_kib * eighth / 8) else {
            eprintln!("skipped: this user may not mount a small disk; the limit of file sizes stands in for it");
            return;
        };
        project.write_registers();
        for round in 1..=2 {
            if round == 2 {
                write_news(&project);
            }
            let output = project.program.command(["run"]).output().unwrap();
            if output.status.success() {
                continue;
            }
            n_failed += 1;
            let told = complaint(&output);
            assert!(told.contains("No space left on device"), "{told}");
            assert!(told.contains("free some room on the disk and run again"), "{told}");
            assert!(told.contains(project.data().to_str().unwrap()) || told.contains("rows of the table"), "{told}");
            disk.resize(4 * n_kib + 10_000);
            project.program.succeed(["run"]);
        }
        assert_same(&project, &expected, &format!("{eighth}/8 of {n_kib} KiB"));
    }
    assert!(n_failed >= 3, "{n_failed} runs met a full disk");
}

#[test]
fn files_that_may_not_grow_are_told_and_nothing_is_lost() {
    let expected = undisturbed();
    let mut n_failed = 0;
    for n_blocks in [0, 8, 32, 256] {
        let project = RunProject::new();
        project.write_registers();
        let run = project.program.command(["run"]);
        // Without the signal the system answers a write that is too long with an error, as a full disk does.
        let limited = format!("trap '' XFSZ; ulimit -f {n_blocks}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &limited, "sh"]).arg(run.get_program()).args(run.get_args()).env("SVOD_NOW", NOW);
        let output = command.stdin(Stdio::null()).output().unwrap();
        if !output.status.success() {
            n_failed += 1;
            let told = complaint(&output);
            assert!(told.contains("free some room on the disk and run again"), "{n_blocks}: {told}");
        }
        project.program.succeed(["run"]);
        write_news(&project);
        project.program.succeed(["run"]);
        assert_same(&project, &expected, &format!("{n_blocks} blocks"));
    }
    assert!(n_failed >= 2, "{n_failed} runs met the limit");
}

#[test]
fn a_read_only_folder_is_told_and_nothing_is_lost() {
    let expected = undisturbed();
    for folder in ["", "lake", "lake/events/cases/_delta_log", "lake/quarantine", "state", "runs", "snapshots"] {
        let project = RunProject::new();
        project.write_registers();
        project.program.succeed(["run"]);
        write_news(&project);
        let before = project.figures();
        let sealed = project.data().join(folder);
        let Some(seal) = Sealed::over(&sealed) else {
            eprintln!("skipped: this user may write everywhere and may not mount a read-only folder");
            return;
        };
        let told = project.program.command(["run"]).output().unwrap();
        let told = complaint(&told);
        assert!(told.contains("writable and run again") || told.contains("right to write and run again"), "{told}");
        assert!(told.contains(sealed.to_str().unwrap()) || told.contains("table `"), "`{folder}`: {told}");
        // Queries spill beside the lake, so they need the folder itself to be writable.
        if folder == "snapshots" {
            assert_eq!(project.figures(), before, "`{folder}`");
        }
        drop(seal);
        project.program.succeed(["run"]);
        assert_same(&project, &expected, &format!("`{folder}`"));
    }
}

#[test]
fn a_clock_that_jumps_back_rejects_nothing_and_is_told() {
    let expected = undisturbed();
    let project = RunProject::new();
    project.write_registers();
    project.program.succeed(["run"]);
    write_news(&project);
    let output = project.program.command(["run"]).env("SVOD_NOW", "2020-01-01T00:00:00Z").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let told = "the clock says 01.01.2020 00:00 UTC, although the last run was at 21.11.2026 09:00 UTC; \
                rows are judged by the later time; set the clock right";
    assert!(stderr.contains(told), "{stderr}");
    assert_same(&project, &expected, "after the jump");
    // A clock that is right again is not told of, and finds nothing left to do.
    let again = project.program.run(["run"]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""), "{}", again.stdout);
    assert_same(&project, &expected, "with the right clock");
}

#[test]
fn a_first_run_with_nowhere_to_write_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("file"), "").unwrap();
    let project = RunProject::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_svod"));
    command.args(["run", "--project"]).arg(&project.program.project).arg("--data-dir").arg(folder.path().join("file"));
    let told = complaint(&command.output().unwrap());
    assert!(told.contains("failed to create directory `") && told.contains("Not a directory"), "{told}");
}
