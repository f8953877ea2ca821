//! A project whose cases are pushed, and rows to push.

use std::path::Path;

use svod::generate::{GenerateOptions, Region, Register, generate};
use tempfile::TempDir;

use super::project_root;

/// The shipped declarations with one pipeline, `case_events`, whose rows are pushed.
pub fn pushed_project(source: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["warehouse", "sql", "dashboards", "svod.yaml"] {
        fs_err::os::unix::fs::symlink(project_root().join(name), folder.path().join(name)).unwrap();
    }
    let pipeline = Path::new("pipelines/case_events.yaml");
    let text = fs_err::read_to_string(project_root().join("benches/project").join(pipeline)).unwrap();
    let files = "  files: case-events.ndjson";
    assert!(text.contains(files), "{text}");
    fs_err::create_dir(folder.path().join("pipelines")).unwrap();
    fs_err::write(folder.path().join(pipeline), text.replace(files, &format!("  {source}"))).unwrap();
    folder
}

/// Events of cases as lines of JSON, each different from all others.
pub fn case_events(n_events: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let options = GenerateOptions {
        only: Some(Register::CaseEvents),
        broken: 0.0,
        ..GenerateOptions::new(Region::Samara, n_events as u64, 1, folder.path())
    };
    generate(&options).unwrap();
    let text = fs_err::read_to_string(folder.path().join("case-events.ndjson")).unwrap();
    text.lines().map(str::to_owned).collect()
}
