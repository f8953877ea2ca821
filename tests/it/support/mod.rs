//! What several tests need: where the project lies, and a place to write.

pub mod lake;
pub mod push;
pub mod s3;
pub mod warehouse;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The root of the repository, which is also the shipped project.
pub(crate) fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The `svod` program over a project of its own: the shipped declarations, and a data directory that is thrown away.
pub(crate) struct Program {
    /// Folder of the project.
    pub(crate) project: PathBuf,
    /// Folder of run-time state.
    pub(crate) data: tempfile::TempDir,
}

/// A moment after everything in the samples.
pub(crate) const NOW: &str = "2026-11-21T09:00:00Z";

impl Program {
    /// The shipped project with its samples and an empty data directory.
    pub(crate) fn shipped() -> Self {
        Self { project: project_root(), data: tempfile::tempdir().unwrap() }
    }

    /// The shipped project after one run over its samples, made once for all tests that only read.
    pub(crate) fn with_samples() -> &'static Self {
        static SAMPLES: OnceLock<Program> = OnceLock::new();
        SAMPLES.get_or_init(|| {
            let program = Self::shipped();
            program.succeed(["run"]);
            program
        })
    }

    /// A command of the program, ready to run at the moment [`NOW`].
    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_svod"));
        command.args(arguments).arg("--project").arg(&self.project).arg("--data-dir").arg(self.data.path());
        command.env("SVOD_NOW", NOW).env_remove("SVOD_PROJECT").env_remove("SVOD_DATA_DIR").env("SVOD_LOG", "warn");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Outcome {
        let output = self.command(arguments).output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that has to succeed and returns its standard output.
    pub(crate) fn succeed<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }
}

/// What a finished command left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}
