//! What each stage costs over one million case events: `make bench`.
//!
//! The goals on two cores: 250 000 events a second from the file to the published snapshot in under 2 GiB, and
//! 100 ms for a rate by municipality.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench stops at the first fault and prints")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use svod::clock::Clock;
use svod::domain::period::{Grain, Period};
use svod::generate::{GenerateOptions, Region, Register, generate};
use svod::indicators::{Engine, Query, Scope};
use svod::intake::{RunRequest, pull_and_refresh};
use svod::project::Project;
use svod::warehouse::contracts::ColumnType;
use svod::warehouse::{Contracts, Model, Reference, WarehouseLock};
use tokio::runtime::Runtime;

/// Events of the generated file.
const N_EVENTS: u64 = 1_000_000;

fn main() {
    divan::main();
    println!("peak memory of this process: {} MiB", peak_memory_mib());
}

/// A project of its own: the shipped declarations with the pipeline of the bench, over a generated file.
struct Ground {
    project: Arc<Project>,
    n_bytes: u64,
    warehouse: tempfile::TempDir,
    runtime: Runtime,
}

fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-project");
        let file = folder.join("case-events.ndjson");
        fs_err::create_dir_all(folder.join("pipelines")).unwrap();
        for name in ["warehouse", "sql", "svod.yaml"] {
            let _ = fs_err::remove_file(folder.join(name));
            fs_err::os::unix::fs::symlink(root.join(name), folder.join(name)).unwrap();
        }
        let pipeline = Path::new("pipelines/case_events.yaml");
        fs_err::copy(root.join("benches/project").join(pipeline), folder.join(pipeline)).unwrap();
        if !file.exists() {
            let options = GenerateOptions {
                only: Some(Register::CaseEvents),
                broken: 0.0,
                ..GenerateOptions::new(Region::Samara, N_EVENTS, 1, &folder)
            };
            generate(&options).unwrap();
        }
        let ground = Ground {
            project: Arc::new(Project::load(&folder).unwrap()),
            n_bytes: fs_err::metadata(&file).unwrap().len(),
            warehouse: tempfile::tempdir().unwrap(),
            runtime: Runtime::new().unwrap(),
        };
        ground.ingest(ground.warehouse.path());
        ground
    })
}

impl Ground {
    /// Pulls the file into an empty data directory and publishes the first snapshot.
    fn ingest(&self, data_dir: &Path) {
        let lock = WarehouseLock::acquire(data_dir).unwrap();
        let request = RunRequest::of(self.project.pipelines.iter().collect());
        let on_step = Arc::new(|_: svod::intake::Step<'_>| {});
        let pulling = pull_and_refresh(&self.project, data_dir, Clock::System, &request, &lock, on_step);
        let intake = self.runtime.block_on(pulling).unwrap();
        assert_eq!(intake.reports[0].accepted, N_EVENTS, "{:?}", intake.reports[0].reasons);
        assert!(intake.outcome.is_some_and(|outcome| outcome.published));
    }

    /// An engine that has its tables open, and no answer kept.
    fn engine(&self) -> Engine {
        let project = &self.project;
        let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
        let data_dir = self.warehouse.path();
        let opening = Engine::new(catalog, reference, project.settings.time_zone, data_dir, Clock::System);
        self.runtime.block_on(opening).unwrap()
    }

    fn bench_query(&self, bencher: Bencher<'_, '_>, query: &Query) {
        let (engine, scope) = (self.engine(), Scope::all());
        bencher.counter(ItemsCount::new(N_EVENTS)).bench_local(|| {
            let figures = self.runtime.block_on(engine.query(&scope, query)).unwrap();
            assert!(!figures.rows.is_empty());
            figures
        });
    }
}

/// File → events in the lake → entities → published snapshot.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn ingest_and_refresh(bencher: Bencher<'_, '_>) {
    let ground = ground();
    bencher
        .counter(ItemsCount::new(N_EVENTS))
        .counter(BytesCount::new(ground.n_bytes))
        .with_inputs(|| tempfile::tempdir().unwrap())
        .bench_local_refs(|data_dir| ground.ingest(data_dir.path()));
}

/// `svod query support_rate --by municipality`.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn support_rate_by_municipality(bencher: Bencher<'_, '_>) {
    ground().bench_query(bencher, &Query::of("support_rate").by("municipality"));
}

/// `svod query appeals_open --grain month` over a year: a stock at the end of each month.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn open_appeals_by_month(bencher: Bencher<'_, '_>) {
    let year = Period::parse("2025-11", "2026-10").unwrap();
    ground().bench_query(bencher, &Query::of("appeals_open").within(year).grain(Grain::Month));
}

/// `svod query citizens --by status`: a distinct count.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn citizens_by_status(bencher: Bencher<'_, '_>) {
    ground().bench_query(bencher, &Query::of("citizens").by("status"));
}

/// A million social contracts of five to nine events, two in ten suspended, in the tables that the model of clocks reads.
const MILLION_CASES: &str = "
    INSERT INTO cases BY NAME
    SELECT 'C' || id AS case_id, event, TIMESTAMP '2025-01-09 06:00:00' + to_days(CAST(id % 600 + day AS INTEGER)) AS occurred_at, '41000000' AS region,
        '41612000' AS municipality, 'len_centre' AS agency, 'contract_farming' AS service, 'low_income_family' AS category,
        ['office', 'mfc', 'epgu'][1 + id % 3] AS channel, CASE event WHEN 'extended' THEN 'contract_survey' END AS ground
    FROM range(1000000) AS subject(id), (VALUES ('received', 0, 1), ('registered', 1, 1), ('suspended', 3, 5), ('suspension_notified', 3, 5),
        ('resumed', 6, 5), ('data_complete', 8, 1), ('extended', 9, 7), ('granted', 12, 1), ('notified', 14, 1), ('provided', 30, 2)) AS step(event, day, share)
    WHERE id % share = 0";

/// Events of a million cases → their clocks, as a refresh folds them all.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn clocks_of_a_million_cases(bencher: Bencher<'_, '_>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = Reference::load(root).unwrap();
    let contracts = Contracts::load(root, &reference).unwrap();
    let models = Model::load_all(root, &contracts, &reference).unwrap();
    let model = models.into_iter().find(|model| model.name == "clocks").unwrap();
    let duckdb = duckdb::Connection::open_in_memory().unwrap();
    for table in &model.from {
        let columns = contracts.get(table).unwrap().lake_columns().map(|column| {
            let kind = match column.column_type {
                ColumnType::String => "VARCHAR",
                ColumnType::Integer => "BIGINT",
                ColumnType::Number => "DOUBLE",
                ColumnType::Boolean => "BOOLEAN",
                ColumnType::Date => "DATE",
                ColumnType::Timestamp => "TIMESTAMP",
            };
            format!("{} {kind}", column.name)
        });
        let columns: Vec<String> = columns.collect();
        duckdb.execute_batch(&format!("CREATE TABLE {table} ({})", columns.join(", "))).unwrap();
    }
    let calendar = root.join("warehouse/reference/calendar.csv");
    let calendar = format!("CREATE TABLE calendar AS FROM read_csv('{}', all_varchar = TRUE)", calendar.display());
    duckdb.execute_batch(&format!("SET memory_limit = '1GB'; SET threads = 2; {calendar}; {MILLION_CASES}")).unwrap();
    bencher.counter(ItemsCount::new(N_EVENTS)).bench_local(|| {
        duckdb.execute_batch(&format!("CREATE OR REPLACE TABLE clocks AS SELECT * FROM ({})", model.sql)).unwrap();
    });
    let n_clocks: i64 = duckdb.query_row("SELECT count(*) FROM clocks", [], |row| row.get(0)).unwrap();
    println!("{n_clocks} clocks of a million cases");
}

/// The most memory that this process ever held, as Linux tells; 0 elsewhere.
fn peak_memory_mib() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
