//! A project with one event table and one model, and a lake to fill.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use svod::clock::Clock;
use svod::warehouse::refresh::RefreshProgress;
use svod::warehouse::{
    BatchRecord, Contract, Contracts, Lake, Model, Reference, RefreshContext, RefreshError, RefreshOutcome, Snapshot,
    TableKind, WarehouseLock, refresh,
};
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

pub(crate) const CONTRACT: &str = r"apiVersion: v3.1.0
kind: DataContract
id: cases
version: 1.0.0
status: active
description: {purpose: Cases.}
schema:
  - name: cases
    description: One row per event of a case.
    properties:
      - {name: case_id, logicalType: string, description: Number., required: true, primaryKey: true}
      - name: event
        logicalType: string
        description: What happened.
        required: true
        primaryKey: true
        quality: [{type: library, metric: invalidValues, arguments: {validValues: [registered, provided, refused]}, mustBe: 0}]
      - {name: repetition, logicalType: integer, description: Which time., primaryKey: true}
      - {name: occurred_at, logicalType: timestamp, description: When., required: true}
      - {name: recorded_at, logicalType: timestamp, description: When written.}
      - {name: municipality, logicalType: string, description: Where.}
      - {name: amount, logicalType: number, description: Roubles.}
";

const MODEL: &str = r"model: cases
grain: one row per case
description: Cases.
from: [cases]
key: [case_id]
month: registered_on
dimensions:
  - {name: municipality, title: {ru: Муниципалитет, en: Municipality}}
";

const SQL: &str = "-- One row per case.
SELECT
    case_id,
    arg_max(municipality, epoch_us(occurred_at)) AS municipality,
    arg_max(event, epoch_us(occurred_at) * 4 + CASE event WHEN 'registered' THEN 0 WHEN 'refused' THEN 1 ELSE 2 END) AS status,
    min(occurred_on) FILTER (event = 'registered') AS registered_on,
    sum(amount) AS amount,
    count(*) AS n_events,
    max(occurred_at) AS last_at
FROM cases
GROUP BY case_id
";

/// One event, as a pipeline would write it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) case_id: String,
    pub(crate) event: &'static str,
    pub(crate) repetition: Option<i64>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: Option<DateTime<Utc>>,
    pub(crate) municipality: Option<String>,
    pub(crate) amount: Option<f64>,
}

impl Event {
    pub(crate) fn new(case_id: &str, event: &'static str, occurred_at: &str) -> Self {
        Self {
            case_id: case_id.to_owned(),
            event,
            repetition: None,
            occurred_at: moment(occurred_at),
            recorded_at: None,
            municipality: Some("36701000".to_owned()),
            amount: None,
        }
    }

    pub(crate) fn recorded(mut self, at: &str) -> Self {
        self.recorded_at = Some(moment(at));
        self
    }

    pub(crate) fn municipality(mut self, code: &str) -> Self {
        self.municipality = Some(code.to_owned());
        self
    }

    pub(crate) fn key_hash(&self) -> i64 {
        hash(&format!("{}\u{1f}{}\u{1f}{:?}", self.case_id, self.event, self.repetition))
    }

    pub(crate) fn content_hash(&self) -> i64 {
        hash(&format!("{self:?}"))
    }
}

fn hash(text: &str) -> i64 {
    xxh3_64(text.as_bytes()).cast_signed()
}

pub(crate) fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn time_zone() -> Tz {
    chrono_tz::Europe::Samara
}

/// A project, a data directory and a lake, in a folder that is deleted at the end.
pub(crate) struct SmallProject {
    folder: TempDir,
    pub(crate) lake: Lake,
    pub(crate) contracts: Contracts,
    pub(crate) models: Vec<Model>,
}

impl SmallProject {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("warehouse/contracts/cases.odcs.yaml", CONTRACT),
            ("sql/models/cases.yaml", MODEL),
            ("sql/models/cases.sql", SQL),
        ] {
            write(folder.path(), path, text);
        }
        let lake = Lake::open(&folder.path().join("data")).await.unwrap();
        let mut project = Self { folder, lake, contracts: Contracts::default(), models: Vec::new() };
        project.reload();
        project
    }

    /// Reads the declarations again.
    pub(crate) fn reload(&mut self) {
        let reference = Reference::load(self.root()).unwrap();
        self.contracts = Contracts::load(self.root(), &reference).unwrap();
        self.models = Model::load_all(self.root(), &self.contracts, &reference).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.root().join("data")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(self.root(), path, text);
    }

    pub(crate) fn contract(&self) -> &Contract {
        self.contracts.get("cases").unwrap()
    }

    /// Appends events as one batch of the pipeline `journal`.
    pub(crate) async fn append(&self, number: i64, events: &[Event]) -> i64 {
        let record = record("journal", number, events);
        self.lake.append(self.contract(), &record, vec![rows(self.contract(), number, events)]).await.unwrap()
    }

    pub(crate) async fn refresh(&self) -> RefreshOutcome {
        let progress: RefreshProgress = Arc::new(|_| ());
        self.refresh_with(&progress).await
    }

    pub(crate) async fn refresh_with(&self, progress: &RefreshProgress) -> RefreshOutcome {
        self.try_refresh(progress).await.unwrap()
    }

    pub(crate) async fn try_refresh(&self, progress: &RefreshProgress) -> Result<RefreshOutcome, RefreshError> {
        let lock = WarehouseLock::acquire(&self.data_dir()).unwrap();
        let context = RefreshContext {
            data_dir: &self.data_dir(),
            project: None,
            lake: &self.lake,
            contracts: &self.contracts,
            reference: &Reference::default(),
            models: &self.models,
            time_zone: time_zone(),
            clock: Clock::Fixed(moment("2024-07-01T09:00:00Z")),
            progress,
        };
        refresh(context, &lock).await
    }

    /// Entities of a snapshot as lines `column=value`, sorted, with the month that their file belongs to.
    pub(crate) async fn entities(&self, snapshot: &Snapshot, model: &str) -> Vec<String> {
        let version = snapshot.entity(model).unwrap();
        let files = self.lake.files_of(TableKind::Entity, model, version.version).await.unwrap();
        let mut lines = Vec::new();
        for file in files {
            let reader = ParquetRecordBatchReaderBuilder::try_new(fs_err::File::open(&file.path).unwrap().into_file());
            for batch in reader.unwrap().build().unwrap() {
                lines.extend(lines_of(&batch.unwrap()).into_iter().map(|line| format!("{line} month={}", file.month)));
            }
        }
        assert_eq!(lines.len() as u64, version.rows);
        lines.sort();
        lines
    }
}

fn lines_of(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .zip(batch.schema().fields().iter().cloned())
        .map(|(column, field)| (field.name().clone(), ArrayFormatter::try_new(column.as_ref(), &options).unwrap()))
        .map(|(name, formatter)| {
            (0..batch.num_rows()).map(|row| format!("{name}={}", formatter.value(row))).collect::<Vec<_>>()
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column[row].clone()).collect::<Vec<_>>().join(" "))
        .collect()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

pub(crate) fn record(pipeline: &str, number: i64, events: &[Event]) -> BatchRecord {
    BatchRecord {
        pipeline: pipeline.to_owned(),
        number,
        run: "run".to_owned(),
        file: format!("journal-{number}.csv"),
        file_hash: "0".to_owned(),
        position: None,
        started_at: moment("2024-06-01T00:00:00Z"),
        finished_at: moment("2024-06-01T00:01:00Z"),
        read: events.len() as u64,
        accepted: events.len() as u64,
        duplicate: 0,
        rejected: 0,
        outside: 0,
        events: events.len() as u64,
        last_event_at: events.iter().map(|event| event.occurred_at).max(),
        quarantine: None,
        warnings: Vec::new(),
    }
}

/// The events with the schema of the lake.
pub(crate) fn rows(contract: &Contract, number: i64, events: &[Event]) -> RecordBatch {
    fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
        Arc::new(values.collect::<StringArray>())
    }
    fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
        Arc::new(values.collect::<Int64Array>())
    }
    fn moments(values: impl Iterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
        let micros = values.map(|value| value.map(|moment| moment.timestamp_micros()));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    }
    let day = |event: &Event| event.occurred_at.with_timezone(&time_zone()).date_naive();
    let days_since_1970 = |event: &Event| {
        i32::try_from(day(event).signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days()).unwrap()
    };
    let schema = contract.arrow_schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let each = events.iter();
        match field.name().as_str() {
            "case_id" => texts(each.map(|event| Some(event.case_id.clone()))),
            "event" => texts(each.map(|event| Some(event.event.to_owned()))),
            "repetition" => Arc::new(each.map(|event| event.repetition).collect::<Int64Array>()),
            "occurred_at" => moments(each.map(|event| Some(event.occurred_at))),
            "recorded_at" => moments(each.map(|event| event.recorded_at)),
            "municipality" => texts(each.map(|event| event.municipality.clone())),
            "amount" => Arc::new(each.map(|event| event.amount).collect::<Float64Array>()),
            "occurred_on" => Arc::new(Date32Array::from_iter_values(each.map(days_since_1970))),
            "month" => texts(each.map(|event| Some(day(event).format("%Y-%m").to_string()))),
            "_key_hash" => numbers(each.map(Event::key_hash)),
            "_content_hash" => numbers(each.map(Event::content_hash)),
            "_pipeline" => texts(each.map(|_| Some("journal".to_owned()))),
            "_batch" => numbers(each.map(|_| number)),
            "_file" => texts(each.map(|_| Some("journal.csv".to_owned()))),
            "_row" => numbers(1..=i64::try_from(events.len()).unwrap()),
            _ => arrow::array::new_null_array(field.data_type(), events.len()),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}
