//! Every shipped indicator over generated registers of both regions: against plain SQL in DuckDB, and against the generator's own
//! count. `SVOD_PROOF_EVENTS` picks how many events of cases are made; some thousands if not said, a million by `make proof`.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use svod::generate::{GenerateOptions, Region, generate};
use svod::indicators::Engine;
use svod::intake::{RunRequest, pull_and_refresh};
use svod::project::Project;
use svod::warehouse::WarehouseLock;

use super::counts::Counts;
use super::memory::shipped_catalog;
use super::proof::{compare_what_happened, compare_what_is_open, open_entities};
use crate::support::project_root;
use crate::support::warehouse::test_clock;

const N_EVENTS: u64 = 6_000;

/// The shipped declarations over generated files in place of the samples; the priority project has no generator and keeps its own.
fn generated_project(folder: &Path, n_events: u64) -> Project {
    let samples = folder.join("data-samples");
    fs_err::create_dir_all(&samples).unwrap();
    for name in ["pipelines", "warehouse", "sql", "svod.yaml", "data-samples/project"] {
        fs_err::os::unix::fs::symlink(project_root().join(name), folder.join(name)).unwrap();
    }
    for region in [Region::Samara, Region::Leningrad] {
        let out = samples.join(region.to_string());
        generate(&GenerateOptions::new(region, n_events / 2, 31, &out)).unwrap();
    }
    Project::load(folder).unwrap()
}

async fn ingest(project: &Project, data: &Path) -> Engine {
    fs_err::create_dir_all(data).unwrap();
    let lock = WarehouseLock::acquire(data).unwrap();
    let request = RunRequest::of(project.pipelines.iter().collect());
    let intake = pull_and_refresh(project, data, test_clock(), &request, &lock, Arc::new(|_| {})).await.unwrap();
    assert!(intake.reports.iter().all(|report| report.failures.is_empty() && report.stopped.is_none()));
    let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
    Engine::new(catalog, reference, project.settings.time_zone, data, test_clock()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_indicator_by_every_dimension_on_generated_registers() {
    let n_events = std::env::var("SVOD_PROOF_EVENTS").map_or(N_EVENTS, |text| text.trim().parse().unwrap());
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let start = Instant::now();
    let tell = |what: &str| eprintln!("{n_events} events: {what} after {:.1} s", start.elapsed().as_secs_f64());
    let root = folder.path().to_owned();
    let project = std::thread::spawn(move || generated_project(&root, n_events)).join().unwrap();
    tell("generated");
    let data = folder.path().join("data");
    let engine = ingest(&project, &data).await;
    tell("published");
    let n_counted = Counts::read(&folder.path().join("data-samples")).compare(&engine).await;
    tell(&format!("{n_counted} values are as the generator counted"));
    let (duckdb, catalog) = (open_entities(&data), shipped_catalog());
    let n_happened = compare_what_happened(&engine, &duckdb, &catalog).await;
    tell(&format!("{n_happened} values of what happened are those of DuckDB"));
    let n_open = compare_what_is_open(&engine, &duckdb, &catalog).await;
    tell(&format!("{n_open} values of what is open are those of DuckDB"));
    assert!(n_counted > 1_000 && n_happened > 10_000 && n_open > 1_000);
}
