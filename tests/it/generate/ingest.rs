//! The shipped samples, brought into a lake by their pipelines, against the generator's own count.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use svod::clock::Clock;
use svod::generate::{GenerateReport, Region};
use svod::pipelines::{Pipeline, PseudonymKey, RunContext, RunOptions, run_pipeline};
use svod::settings::Settings;
use svod::warehouse::contracts::Contracts;
use svod::warehouse::lake::Lake;
use svod::warehouse::reference::Reference;

use super::make_sample;
use crate::support::project_root;

/// A text column, whatever way it is kept in the file.
fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("there is no column `{name}`"));
    let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap();
    column.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

/// Distinct events in the lake, by pipeline and event.
async fn events_in_lake(lake: &Lake, tables: &[&str]) -> BTreeMap<(String, String), u64> {
    let mut identities: BTreeMap<(String, String), HashSet<i64>> = BTreeMap::new();
    for table in tables {
        let version = lake.version(table).await.unwrap().unwrap_or_else(|| panic!("`{table}` is empty"));
        for file in lake.files(table, version).await.unwrap() {
            let file = std::fs::File::open(&file.path).unwrap();
            for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
                let batch = batch.unwrap();
                let hashes = batch.column_by_name("_key_hash").unwrap().as_primitive::<Int64Type>().clone();
                for (place, key) in texts(&batch, "_pipeline").into_iter().zip(texts(&batch, "event")).enumerate() {
                    assert!(hashes.is_valid(place));
                    identities.entry(key).or_default().insert(hashes.value(place));
                }
            }
        }
    }
    identities.into_iter().map(|(key, hashes)| (key, hashes.len() as u64)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_find_what_the_generator_counted() {
    let root = project_root();
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::load(&root).unwrap();
    let reference = Reference::load(&root).unwrap();
    let contracts = Contracts::load(&root, &reference).unwrap();
    let pipelines = Pipeline::load_all(&root, &settings, &contracts, &reference).unwrap_or_else(|p| panic!("{p}"));
    let lake = Lake::open(folder.path()).await.unwrap();
    let key = PseudonymKey::from_bytes(&[7; 32]);
    let context = RunContext {
        project: &root,
        data_dir: folder.path(),
        lake: &lake,
        contracts: &contracts,
        reference: &reference,
        key: &key,
        clock: Clock::Fixed("2026-11-01T00:00:00Z".parse().unwrap()),
        run: "run-1",
        options: RunOptions::default(),
        progress: Arc::new(|_| {}),
    };
    let samples = tempfile::tempdir().unwrap();
    let reports: Vec<GenerateReport> =
        [Region::Samara, Region::Leningrad].map(|region| make_sample(region, samples.path())).into();
    let expected: Vec<_> = reports.iter().flat_map(|report| report.registers.values()).collect();
    for register in &expected {
        let pipeline = pipelines.iter().find(|pipeline| pipeline.name() == register.pipeline);
        let pipeline = pipeline.unwrap_or_else(|| panic!("there is no pipeline `{}`", register.pipeline));
        let report = run_pipeline(&context, pipeline).await.unwrap();
        assert!(report.failures.is_empty(), "{}: {:?}", register.pipeline, report.failures);
        assert_eq!(
            (report.read, report.accepted, report.duplicate, report.rejected),
            (register.rows, register.accepted, register.duplicate, register.rejected),
            "{}: rows read, accepted, duplicate, rejected; rejected by rule {:?}, should be {:?}",
            register.pipeline,
            report.reasons,
            register.broken
        );
    }
    let tables = ["cases", "passports", "requests", "programmes", "complaints", "certificates"];
    let others = ["electronic_cases", "returns", "leaves", "debts", "families", "needs", "ratings", "partners"];
    let found = events_in_lake(&lake, &[tables.as_slice(), &others].concat()).await;
    for register in expected {
        for (event, n_events) in &register.events {
            let place = (register.pipeline.clone(), event.clone());
            assert_eq!(found.get(&place), Some(n_events), "{place:?}");
        }
    }
}
