//! Every shipped indicator over the shipped samples: against plain SQL in DuckDB, and against the generator's own count.

use std::sync::Arc;

use svod::indicators::Engine;

use super::counts::Counts;
use super::memory::shipped_catalog;
use super::proof::{compare_what_happened, compare_what_is_open, open_entities};
use crate::support::project_root;
use crate::support::warehouse::{sample_warehouse, shipped_project, test_clock};

pub(super) async fn sample_engine() -> Engine {
    let project = shipped_project();
    let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
    Engine::new(catalog, reference, project.settings.time_zone, sample_warehouse(), test_clock()).await.unwrap()
}

#[tokio::test]
async fn every_indicator_by_every_dimension_on_the_samples() {
    let (engine, duckdb) = (sample_engine().await, open_entities(sample_warehouse()));
    assert!(compare_what_happened(&engine, &duckdb, &shipped_catalog()).await > 10_000);
}

#[tokio::test]
async fn what_is_open_on_the_samples() {
    let (engine, duckdb) = (sample_engine().await, open_entities(sample_warehouse()));
    assert!(compare_what_is_open(&engine, &duckdb, &shipped_catalog()).await > 1_000);
}

#[tokio::test]
async fn figures_are_as_the_generator_counted() {
    let counts = Counts::read(&project_root().join("data-samples"));
    assert!(counts.compare(&sample_engine().await).await > 1_000);
}
