//! A project with two small registers under the shipped contracts, models, indicators and dashboards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use svod::project::Project;
use uuid::Uuid;

use crate::support::{Program, project_root};

/// The registers.
pub(crate) const REGISTERS: [&str; 2] = ["first", "second"];

/// The project in a folder of its own, and the program over it with an empty data directory.
pub(crate) struct RunProject {
    pub(crate) program: Program,
    _folder: tempfile::TempDir,
}

impl RunProject {
    /// Without any file of the registers.
    pub(crate) fn new() -> Self {
        Self::with("", "")
    }

    /// With lines of YAML that every pipeline and `svod.yaml` get.
    pub(crate) fn with(pipeline_lines: &str, settings_lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["warehouse", "sql", "dashboards"] {
            fs_err::os::unix::fs::symlink(project_root().join(name), folder.path().join(name)).unwrap();
        }
        let program = Program { project: folder.path().to_owned(), data: tempfile::tempdir().unwrap() };
        let project = Self { program, _folder: folder };
        let settings = format!("title: {{ru: Проба, en: Trial}}\ntime_zone: Europe/Samara\n{settings_lines}");
        project.write("svod.yaml", &settings);
        for name in REGISTERS {
            let pipeline = format!(
                "pipeline: {name}\ntitle: {{ru: Журнал {name}, en: Journal {name}}}\ndescription: Appeals of a test.\n\
                 contract: cases\nsource: {{files: \"in/{name}-*.ndjson\"}}\n{pipeline_lines}format: {{ndjson: {{}}}}\n\
                 columns:\n  - {{name: number, type: string, required: true}}\n  \
                 - {{name: registered, type: date, required: true}}\n  - {{name: decided, type: date}}\n\
                 values:\n  case_id: {{from: number}}\n  region: {{const: \"36000000\"}}\n  \
                 municipality: {{const: \"36740000\"}}\n  service: {{const: medical_checkup}}\n\
                 emit:\n  - {{event: registered, at: registered}}\n  - {{event: granted, at: decided}}\n"
            );
            project.write(&format!("pipelines/{name}.yaml"), &pipeline);
        }
        project
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.program.project.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// Writes a file of a register: number, day of registration and, if any, of the decision.
    pub(crate) fn write_rows(&self, name: &str, rows: &[(&str, &str, Option<&str>)]) {
        let line = |(number, registered, decided): &(&str, &str, Option<&str>)| {
            serde_json::json!({"number": number, "registered": registered, "decided": decided}).to_string() + "\n"
        };
        self.write(&format!("in/{name}.ndjson"), &rows.iter().map(line).collect::<String>());
    }

    /// Two files of each register: 30 cases in all, of which each has a broken neighbour.
    pub(crate) fn write_registers(&self) {
        for name in REGISTERS {
            for file in 1..=2 {
                let lines: String = (0..15)
                    .flat_map(|row| {
                        let number = format!("{name}-{file}-{row}");
                        let day = format!("2026-{:02}-{:02}", file + 4, row + 1);
                        [
                            serde_json::json!({"number": number, "registered": day}).to_string() + "\n",
                            serde_json::json!({"number": number, "registered": "31.02.2026"}).to_string() + "\n",
                        ]
                    })
                    .collect();
                self.write(&format!("in/{name}-{file}.ndjson"), &lines);
            }
        }
    }

    pub(crate) fn data(&self) -> &Path {
        self.program.data.path()
    }

    /// The project, loaded apart from the test's own runtime.
    pub(crate) fn load(&self) -> Arc<Project> {
        let root = self.program.project.clone();
        Arc::new(std::thread::spawn(move || Project::load(&root).unwrap()).join().unwrap())
    }

    /// Records of all runs that ended, oldest first.
    pub(crate) fn records(&self) -> Vec<Value> {
        let mut files = files_below(&self.data().join("runs"));
        files.retain(|path, _| path.extension().is_some_and(|ending| ending == "json"));
        let mut records: Vec<Value> = files.values().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
        records.sort_by_key(|record| record["run"].as_str().unwrap().to_owned());
        records
    }

    /// Every event in the lake as `number event day`, sorted.
    pub(crate) fn events(&self) -> Vec<String> {
        let sql = "SELECT case_id || ' ' || event || ' ' || CAST(occurred_on AS VARCHAR) AS line FROM events_cases";
        let mut lines: Vec<String> =
            self.program.succeed(["sql", "--format", "csv", sql]).lines().skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// Figures that depend on everything that came in.
    pub(crate) fn figures(&self) -> String {
        ["appeals", "rows_accepted", "rows_rejected"]
            .map(|indicator| {
                let table = self.program.succeed(["query", indicator, "--grain", "month"]);
                // The title names the snapshot.
                table.lines().skip(1).collect::<Vec<_>>().join("\n")
            })
            .concat()
    }
}

/// All files below a folder with their content, by their path in it.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs_err::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                // A server that runs meanwhile renames what it has written.
                match fs_err::read(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    read => drop(files.insert(path.strip_prefix(folder).unwrap().to_owned(), read.unwrap())),
                }
            }
        }
    }
    files
}

/// Looks again and again until something is there.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_mins(2), "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The id of a record.
pub(crate) fn id_of(record: &Value) -> Uuid {
    record["run"].as_str().unwrap().parse().unwrap()
}
