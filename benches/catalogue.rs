//! What every indicator costs at its default cut over generated registers of both regions: `make bench-catalogue`.
//!
//! `SVOD_BENCH_MILLIONS=1,10` picks how many millions of case events are generated; `1` if not said. The other registers come
//! in proportion. The default cut of an indicator is by what it requires and by municipality where it can be cut so.
//! Prints a row per indicator: milliseconds of the first answer and of the next one (median of five, no answer is kept), then
//! the goal: all of them after a refresh within 5 seconds over ten million events.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench stops at the first fault and prints")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use svod::clock::Clock;
use svod::generate::{GenerateOptions, Region, generate};
use svod::indicators::{Engine, Indicator, Query, Scope};
use svod::intake::{RunRequest, pull_and_refresh};
use svod::project::Project;
use svod::warehouse::WarehouseLock;
use tokio::runtime::Runtime;

/// Times that an indicator is asked after its first answer.
const N_WARM: usize = 5;

fn main() {
    let sizes = std::env::var("SVOD_BENCH_MILLIONS").unwrap_or_else(|_| "1".to_owned());
    for millions in sizes.split(',').map(|text| text.trim().parse::<u64>().unwrap()) {
        measure(millions);
    }
    println!("peak memory of this process: {} MiB", peak_memory_mib());
}

/// One table.
fn measure(millions: u64) {
    let runtime = Runtime::new().unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("catalogue-{millions}"));
    let project = project(&folder, millions * 1_000_000);
    let data_dir = folder.join("data");
    ingest(&runtime, &project, &data_dir);
    let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
    let opening = Engine::new(catalog, reference, project.settings.time_zone, &data_dir, Clock::System);
    let engine = runtime.block_on(opening).unwrap();
    let ask = |indicator: &Indicator| {
        let start = Instant::now();
        let figures = runtime.block_on(engine.query(&Scope::all(), &default_cut(indicator))).unwrap();
        (start.elapsed().as_secs_f64() * 1000.0, figures.rows.len())
    };
    println!("{millions} million case events\n{:<32} | rows | first, ms | next, ms", "indicator");
    let mut all = 0.0;
    for indicator in project.indicators.iter() {
        let (first, n_rows) = ask(indicator);
        let mut next: Vec<f64> = (0..N_WARM).map(|_| ask(indicator).0).collect();
        next.sort_by(f64::total_cmp);
        all += first;
        println!("{:<32} | {n_rows:>4} | {first:>9.1} | {:>8.1}", indicator.id(), next[N_WARM / 2]);
    }
    println!("all first answers: {:.2} s", all / 1000.0);
}

fn default_cut(indicator: &Indicator) -> Query {
    let municipality = indicator.entity().dimension("municipality").map(|dimension| dimension.name().to_owned());
    let mut query = Query::of(indicator.id());
    for name in indicator.requires().iter().cloned().chain(municipality) {
        if !query.by.contains(&name) {
            query = query.by(name);
        }
    }
    query
}

/// The shipped declarations over generated files in place of the samples; the project's own files are few and stay.
fn project(folder: &Path, n_events: u64) -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let samples = folder.join("data-samples");
    fs_err::create_dir_all(&samples).unwrap();
    for name in ["pipelines", "warehouse", "sql", "svod.yaml", "data-samples/project"] {
        let _ = fs_err::remove_file(folder.join(name));
        fs_err::os::unix::fs::symlink(root.join(name), folder.join(name)).unwrap();
    }
    for (name, region) in [("samara", Region::Samara), ("leningrad", Region::Leningrad)] {
        let out = samples.join(name);
        if !out.exists() {
            generate(&GenerateOptions { broken: 0.0, ..GenerateOptions::new(region, n_events / 2, 1, &out) }).unwrap();
        }
    }
    Project::load(folder).unwrap()
}

/// Pulls what is new into the data directory, which is kept for the next time.
fn ingest(runtime: &Runtime, project: &Project, data_dir: &Path) {
    fs_err::create_dir_all(data_dir).unwrap();
    let lock = WarehouseLock::acquire(data_dir).unwrap();
    let request = RunRequest::of(project.pipelines.iter().collect());
    let start = Instant::now();
    let pulling =
        pull_and_refresh(project, data_dir, Clock::System, &request, &lock, Arc::new(|_: svod::intake::Step<'_>| {}));
    let intake = runtime.block_on(pulling).unwrap();
    let accepted: u64 = intake.reports.iter().map(|report| report.accepted).sum();
    println!("{accepted} rows came in and were published in {:.1} s", start.elapsed().as_secs_f64());
}

/// The most memory that this process ever held, as Linux tells; 0 elsewhere.
fn peak_memory_mib() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
