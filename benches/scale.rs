//! What ingestion costs beside bare DuckDB, and what a small refresh costs on top of a long history: `make bench-scale`.
//!
//! A small refresh is measured twice: with events scattered over the whole history, which no register brings, and with a step
//! further of the newest cases, as every day brings them. `SVOD_BENCH_MILLIONS=1,10,30` picks the sizes, in millions of case events; `1,10` if not said.
//! `SVOD_BENCH_FORMATS=ndjson` leaves CSV out, `SVOD_LOG=svod=debug` tells what each step of a refresh takes. Prints a table of medians.
//! Bare DuckDB reads the same file and writes it as Parquet: it neither checks, nor makes pseudonyms, nor looks for
//! duplicates, nor commits.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench stops at the first fault, prints, and counts far below 2^53"
)]

use std::io::{BufRead, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use svod::clock::Clock;
use svod::generate::{GenerateOptions, Region, Register, generate};
use svod::intake::{RunRequest, pull_and_refresh};
use svod::project::Project;
use svod::warehouse::WarehouseLock;
use tokio::runtime::Runtime;

/// Events that arrive on top of a history.
const N_FRESH: u64 = 10_000;
/// Times that each thing is measured.
const N_SAMPLES: usize = 3;

fn main() {
    let levels = tracing_subscriber::EnvFilter::try_from_env("SVOD_LOG").unwrap_or_default();
    tracing_subscriber::fmt().with_env_filter(levels).with_writer(std::io::stderr).compact().init();
    let sizes = std::env::var("SVOD_BENCH_MILLIONS").unwrap_or_else(|_| "1,10".to_owned());
    println!(
        "million events | format | svod rows/s | of it pull, rows/s | of it refresh, s | DuckDB rows/s | ratio | of the pull | +{N_FRESH} scattered, s | +{N_FRESH} recent, s"
    );
    let formats = std::env::var("SVOD_BENCH_FORMATS").unwrap_or_else(|_| "ndjson,csv".to_owned());
    for millions in sizes.split(',').map(|text| text.trim().parse::<u64>().unwrap()) {
        for format in formats.split(',') {
            measure(millions, format);
        }
    }
    println!("peak memory of this process: {} MiB", peak_memory_mib());
}

/// One row of the table.
fn measure(millions: u64, format: &str) {
    let n_events = millions * 1_000_000;
    let project = project(n_events, format);
    let file = project.root.join(format!("case-events.{format}"));
    let runtime = Runtime::new().unwrap();
    let (mut ours, mut pulls) = (Vec::new(), Vec::new());
    let mut refreshes = Vec::new();
    let (mut scattered, mut recent) = (Vec::new(), Vec::new());
    for _ in 0..N_SAMPLES {
        let data_dir = tempfile::tempdir_in(&project.root).unwrap();
        let _ = fs_err::remove_file(project.root.join(format!("fresh.{format}")));
        let (seconds, pulling) = ingest(&runtime, &project, data_dir.path());
        ours.push(seconds);
        pulls.push(pulling);
        refreshes.push(seconds - pulling);
        for (name, seconds) in [("more", &mut scattered), ("recent", &mut recent)] {
            fs_err::copy(project.root.join(format!("{name}.{format}")), project.root.join(format!("fresh.{format}")))
                .unwrap();
            seconds.push(ingest(&runtime, &project, data_dir.path()).0);
        }
    }
    let theirs = (0..N_SAMPLES).map(|_| bare_duckdb(&file, format)).collect();
    let rate = |seconds: f64| n_events as f64 / seconds;
    let (ours, pulls, theirs) = (rate(median(ours)), rate(median(pulls)), rate(median(theirs)));
    println!(
        "{millions:>14} | {format:>6} | {ours:>11.0} | {pulls:>18.0} | {:>16.2} | {theirs:>13.0} | {:>5.2} | {:>11.2} | {:>20.2} | {:.2}",
        median(refreshes),
        ours / theirs,
        pulls / theirs,
        median(scattered),
        median(recent),
    );
}

/// A project of the shipped declarations with the pipeline of the bench, over generated files.
fn project(n_events: u64, format: &str) -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("scale-{n_events}-{format}"));
    fs_err::create_dir_all(folder.join("pipelines")).unwrap();
    for name in ["warehouse", "sql", "svod.yaml"] {
        let _ = fs_err::remove_file(folder.join(name));
        fs_err::os::unix::fs::symlink(root.join(name), folder.join(name)).unwrap();
    }
    let declared = fs_err::read_to_string(root.join("benches/project/pipelines/case_events.yaml")).unwrap();
    let declared = declared
        .replace("files: case-events.ndjson", &format!("files: \"[cf]*.{format}\""))
        .replace("ndjson: {}", &format!("{format}: {{}}"));
    fs_err::write(folder.join("pipelines/case_events.yaml"), declared).unwrap();
    for (name, n_lines, seed) in [("case-events", n_events, 1), ("more", N_FRESH, 2)] {
        let file = folder.join(format!("{name}.{format}"));
        if !file.exists() {
            write_events(&folder, &file, n_lines, seed, format);
        }
    }
    write_recent(&folder.join(format!("case-events.{format}")), &folder.join(format!("recent.{format}")));
    Project::load(&folder).unwrap()
}

/// The newest cases of a history, withdrawn: the last lines of the file that register a case, with another event.
fn write_recent(history: &Path, file: &Path) {
    const N_BYTES: u64 = 32 << 20;
    let mut history = std::io::BufReader::new(fs_err::File::open(history).unwrap());
    let mut first = String::new();
    history.read_line(&mut first).unwrap();
    let n_bytes = history.get_ref().metadata().unwrap().len();
    history.seek(SeekFrom::Start(n_bytes.saturating_sub(N_BYTES))).unwrap();
    let lines: Vec<String> = history.lines().skip(1).map(Result::unwrap).collect();
    let registered = lines.iter().rev().filter(|line| line.contains("registered"));
    let withdrawn =
        registered.take(usize::try_from(N_FRESH).unwrap()).map(|line| line.replace("registered", "withdrawn"));
    let header = (!first.starts_with('{')).then(|| first.trim_end().to_owned());
    fs_err::write(file, header.into_iter().chain(withdrawn).collect::<Vec<_>>().join("\n")).unwrap();
}

fn write_events(folder: &Path, file: &Path, n_events: u64, seed: u64, format: &str) {
    let out = tempfile::tempdir_in(folder).unwrap();
    let options = GenerateOptions {
        only: Some(Register::CaseEvents),
        broken: 0.0,
        ..GenerateOptions::new(Region::Samara, n_events, seed, out.path())
    };
    generate(&options).unwrap();
    let written = out.path().join("case-events.ndjson");
    if format == "ndjson" {
        fs_err::rename(written, file).unwrap();
        return;
    }
    let copy = format!(
        "COPY (SELECT * FROM read_json('{}', format = 'newline_delimited', maximum_sample_files = 1, convert_strings_to_integers = false, \
         dateformat = 'none', timestampformat = 'none')) TO '{}' (FORMAT csv)",
        written.display(),
        file.display()
    );
    duckdb::Connection::open_in_memory().unwrap().execute_batch(&copy).unwrap();
}

/// Seconds of a whole run, and those of its pull.
fn ingest(runtime: &Runtime, project: &Project, data_dir: &Path) -> (f64, f64) {
    let lock = WarehouseLock::acquire(data_dir).unwrap();
    let request = RunRequest::of(project.pipelines.iter().collect());
    let on_step = Arc::new(|_: svod::intake::Step<'_>| {});
    let start = Instant::now();
    let pulling = pull_and_refresh(project, data_dir, Clock::System, &request, &lock, on_step);
    let intake = runtime.block_on(pulling).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!(
        intake.outcome.is_some_and(|outcome| outcome.published) && intake.reports[0].rejected == 0,
        "{:?}",
        intake.reports[0].reasons
    );
    (seconds, intake.reports.iter().map(|report| report.seconds).sum())
}

/// Seconds in which DuckDB alone copies the file to Parquet.
fn bare_duckdb(file: &Path, format: &str) -> f64 {
    let out = tempfile::tempdir_in(file.parent().unwrap()).unwrap();
    let read = if format == "csv" { "read_csv" } else { "read_json" };
    let copy = format!(
        "COPY (SELECT * FROM {read}('{}')) TO '{}' (FORMAT parquet)",
        file.display(),
        out.path().join("events.parquet").display()
    );
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let start = Instant::now();
    connection.execute_batch(&copy).unwrap();
    start.elapsed().as_secs_f64()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// The most memory that this process ever held, as Linux tells; 0 elsewhere.
fn peak_memory_mib() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
