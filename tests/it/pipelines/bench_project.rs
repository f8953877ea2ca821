//! A small project of one register, in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, Utc};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use svod::clock::Clock;
use svod::declarations::Problems;
use svod::pipelines::{
    Pipeline, PipelineReport, Progress, PseudonymKey, RunContext, RunError, RunOptions, run_pipeline,
};
use svod::settings::Settings;
use svod::warehouse::contracts::Contracts;
use svod::warehouse::lake::Lake;
use svod::warehouse::reference::Reference;

const SETTINGS: &str = "title: {ru: Проба, en: Trial}\ntime_zone: Europe/Moscow\n";

const CONTRACT: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: trial-cases
name: Cases
version: 1.0.0
status: active
description: {purpose: "Life of a case."}
schema:
  - name: cases
    logicalType: object
    physicalType: table
    description: "One row per event."
    properties:
      - {name: case_id, logicalType: string, description: "Number.", required: true, primaryKey: true, primaryKeyPosition: 1, logicalTypeOptions: {maxLength: 20}}
      - name: event
        logicalType: string
        description: "What happened."
        required: true
        primaryKey: true
        primaryKeyPosition: 2
        quality: [{type: library, metric: invalidValues, arguments: {validValues: [registered, granted, refused]}, mustBe: 0}]
      - {name: occurred_at, logicalType: timestamp, description: "When.", required: true}
      - {name: recorded_at, logicalType: timestamp, description: "When recorded."}
      - {name: municipality, logicalType: string, description: "Where.", required: true, relationships: [{to: municipalities.code}]}
      - {name: channel, logicalType: string, description: "How.", relationships: [{to: channels.code}]}
      - {name: person_id, logicalType: string, description: "Who.", classification: personal, logicalTypeOptions: {pattern: "^[0-9 -]+$"}}
      - {name: person_name, logicalType: string, description: "Name.", classification: restricted}
      - {name: amount, logicalType: number, description: "How much.", logicalTypeOptions: {minimum: 0, maximum: 1000000}}
"#;

const LISTS: [(&str, &str); 2] = [
    ("municipalities", "code,name_ru,name_en\n41000001,Выборг,Vyborg\n41000002,Гатчина,Gatchina\n"),
    ("channels", "code,name_ru,name_en,journal_code\nmfc,МФЦ,Centre,1\nportal,Портал,Portal,2\n"),
];

/// The pipeline of the register's journal.
pub(super) const JOURNAL: &str = r#"pipeline: journal
title: {ru: Журнал, en: Journal}
description: Applications and decisions.
contract: cases
source: {files: "in/journal-*.csv"}
format:
  csv: {separator: ";", encoding: windows-1251, decimal_comma: true}
columns:
  - {name: number, from: "N", type: string, required: true}
  - {name: applied, from: "Дата обращения", type: date, format: "%d.%m.%Y", required: true}
  - {name: way, from: "Способ", type: integer}
  - {name: oktmo, from: "ОКТМО", type: string}
  - {name: insurance, from: "СНИЛС", type: string}
  - {name: decided, from: "Дата решения", type: date, format: "%d.%m.%Y"}
  - {name: decision, from: "Решение", type: string, empty: ["-"]}
  - {name: sum, from: "Сумма", type: number}
values:
  case_id: {expr: "'47-' || number"}
  municipality: {from: oktmo}
  channel: {lookup: {from: way, list: channels, by: journal_code}}
  person_id: {from: insurance}
reject:
  - {rule: decided_before_applied, when: "decided < applied", sentence: "решение раньше обращения; исправьте даты в реестре"}
emit:
  - {event: registered, at: applied}
  - {event: granted, at: decided, when: "decision = 'признан'", values: {amount: {from: sum}}}
  - {event: refused, at: decided, when: "decision = 'отказ'"}
"#;

/// The first row of every journal.
pub(super) const HEADER: &str = "N;Дата обращения;Способ;ОКТМО;ФИО;СНИЛС;Дата решения;Решение;Сумма";

/// A project and its data directory.
pub(super) struct BenchProject {
    folder: tempfile::TempDir,
}

impl BenchProject {
    /// A project with one contract, two code lists and no pipeline.
    pub(super) fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        project.write("svod.yaml", SETTINGS);
        project.write("warehouse/contracts/cases.odcs.yaml", CONTRACT);
        for (name, values) in LISTS {
            project.write(&format!("warehouse/reference/{name}.csv"), values);
            let description =
                format!("list: {name}\ntitle: {{ru: {name}, en: {name}}}\nsource: a test\ndate: 2024-01-01\n");
            project.write(&format!("warehouse/reference/{name}.yaml"), &description);
        }
        project
    }

    /// A project with the journal's pipeline.
    pub(super) fn with_journal() -> Self {
        let project = Self::new();
        project.write("pipelines/journal.yaml", JOURNAL);
        project
    }

    /// A project whose pipeline reads the journal from other files in another format.
    pub(super) fn with_format(files: &str, format: &str) -> Self {
        let project = Self::new();
        let pipeline = JOURNAL.replace("in/journal-*.csv", files).replace(
            "  csv: {separator: \";\", encoding: windows-1251, decimal_comma: true}\n",
            &format!("{format}\n"),
        );
        assert!(pipeline.contains(files) && pipeline.contains(format), "{pipeline}");
        project.write("pipelines/journal.yaml", &pipeline);
        project
    }

    /// Replaces a part of the contract.
    pub(super) fn change_contract(&self, part: &str, replacement: &str) {
        let name = "warehouse/contracts/cases.odcs.yaml";
        let text = fs_err::read_to_string(self.root().join(name)).unwrap();
        assert!(text.contains(part), "{part}");
        self.write(name, &text.replacen(part, replacement, 1));
    }

    /// Adds quality rules of the table to the contract, each in flow style.
    pub(super) fn add_rules(&self, rules: &[&str]) {
        let rules: String = rules.iter().map(|rule| format!("      - {rule}\n")).collect();
        self.change_contract("    properties:\n", &format!("    quality:\n{rules}    properties:\n"));
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.root().join("data")
    }

    /// Writes a text file.
    pub(super) fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    /// Writes a file.
    pub(super) fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.root().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }

    /// Writes a journal in windows-1251: the header and the rows.
    pub(super) fn write_journal(&self, name: &str, rows: &[&str]) {
        let text = format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"));
        self.write_bytes(name, &encoding_rs::WINDOWS_1251.encode(&text).0);
    }

    /// Loads everything that pipelines need.
    pub(super) fn load(&self) -> Result<(Contracts, Reference, Vec<Pipeline>), Problems> {
        let settings = Settings::load(self.root())?;
        let reference = Reference::load(self.root())?;
        let contracts = Contracts::load(self.root(), &reference)?;
        let pipelines = Pipeline::load_all(self.root(), &settings, &contracts, &reference)?;
        Ok((contracts, reference, pipelines))
    }

    /// Runs the only pipeline.
    pub(super) async fn try_run(&self) -> Result<PipelineReport, RunError> {
        self.run_with(RunOptions::default()).await
    }

    /// Runs the only pipeline as asked.
    pub(super) async fn run_with(&self, options: RunOptions) -> Result<PipelineReport, RunError> {
        self.run_told(options, |_| {}).await
    }

    /// The same, telling how far it is.
    pub(super) async fn run_told(
        &self,
        options: RunOptions,
        progress: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Result<PipelineReport, RunError> {
        let (contracts, reference, pipelines) = self.load().unwrap_or_else(|problems| panic!("{problems}"));
        let data_dir = self.data_dir();
        let lake = Lake::open(&data_dir).await.unwrap();
        let key = PseudonymKey::from_bytes(&[7; 32]);
        let context = RunContext {
            project: self.root(),
            data_dir: &data_dir,
            lake: &lake,
            contracts: &contracts,
            reference: &reference,
            key: &key,
            clock: Clock::Fixed("2025-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()),
            run: "run-1",
            options,
            progress: Arc::new(progress),
        };
        let report = run_pipeline(&context, &pipelines[0]).await?;
        assert_eq!(report.read, report.accepted + report.duplicate + report.rejected);
        Ok(report)
    }

    /// Runs the only pipeline, which succeeds.
    pub(super) async fn run(&self) -> PipelineReport {
        self.try_run().await.unwrap()
    }

    /// Some columns of all events in the lake, as sorted lines; missing values are empty.
    pub(super) async fn events(&self, columns: &[&str]) -> Vec<String> {
        let lake = Lake::open(&self.data_dir()).await.unwrap();
        let Some(version) = lake.version("cases").await.unwrap() else { return Vec::new() };
        let files = lake.files("cases", version).await.unwrap();
        let mut lines = Vec::new();
        for file in files {
            for batch in read_parquet(&file.path) {
                lines.extend(lines_of(&batch, columns));
            }
        }
        lines.sort();
        lines
    }

    /// Some columns of all quarantined rows, as sorted lines.
    pub(super) async fn rejected(&self, columns: &[&str]) -> Vec<String> {
        let lake = Lake::open(&self.data_dir()).await.unwrap();
        let files = lake.quarantine_files(Some("journal")).await.unwrap();
        let mut lines: Vec<String> =
            files.iter().flat_map(|file| read_parquet(file)).flat_map(|batch| lines_of(&batch, columns)).collect();
        lines.sort();
        lines
    }
}

fn read_parquet(path: &Path) -> Vec<RecordBatch> {
    let file = fs_err::File::open(path).unwrap().into_file();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
}

fn lines_of(batch: &RecordBatch, columns: &[&str]) -> Vec<String> {
    let text = |column: &str, row: usize| {
        let values = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
        if values.is_null(row) { String::new() } else { array_value_to_string(values, row).unwrap() }
    };
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| text(column, row)).collect::<Vec<_>>().join(" | "))
        .collect()
}
