//! The shipped samples in a warehouse, brought in once for all tests of a build, whichever process comes first.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::UNIX_EPOCH;

use svod::clock::Clock;
use svod::indicators::Engine;
use svod::intake::{RunRequest, pull_and_refresh};
use svod::project::Project;
use svod::server::App;
use svod::warehouse::{Snapshots, WarehouseLock};

use super::project_root;

/// The shipped project, loaded once; apart from the test's own runtime, whose thread must not be blocked.
pub fn shipped_project() -> Arc<Project> {
    static PROJECT: LazyLock<Arc<Project>> = LazyLock::new(|| {
        let loading = std::thread::spawn(|| Project::load(&project_root()));
        Arc::new(loading.join().unwrap().unwrap())
    });
    Arc::clone(&PROJECT)
}

/// The moment at which tests look at the samples.
pub fn test_clock() -> Clock {
    Clock::Fixed("2026-11-21T08:00:00Z".parse().unwrap())
}

/// A data directory with the shipped samples. Nobody writes into it.
///
/// The directory is named by the test binary's own time of building: a new build brings the samples in anew.
pub fn sample_warehouse() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| std::thread::spawn(prepare).join().unwrap());
    &FOLDER
}

fn prepare() -> PathBuf {
    let built = fs_err::metadata(std::env::current_exe().unwrap()).unwrap().modified().unwrap();
    let name = format!("samples-{}", built.duration_since(UNIX_EPOCH).unwrap().as_millis());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let data = folder.join(&name);
    let lock = fs_err::File::create(folder.join(format!("{name}.lock"))).unwrap();
    lock.file().lock().unwrap();
    if !data.join("done").exists() {
        remove_older(folder, &name);
        tokio::runtime::Runtime::new().unwrap().block_on(fill(&data));
        fs_err::write(data.join("done"), "").unwrap();
    }
    data
}

/// The application over the shipped project and a data directory.
pub async fn app(data: &Path) -> App {
    app_over(shipped_project(), data).await
}

/// The application over a project and a data directory.
pub async fn app_over(project: Arc<Project>, data: &Path) -> App {
    let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
    let engine = Engine::new(catalog, reference, project.settings.time_zone, data, test_clock()).await.unwrap();
    App::new(project, engine, Snapshots::new(data), data.to_owned(), test_clock())
}

async fn fill(data: &Path) {
    let _ = fs_err::remove_dir_all(data);
    fs_err::create_dir_all(data).unwrap();
    let project = shipped_project();
    let lock = WarehouseLock::acquire(data).unwrap();
    let request = RunRequest::of(project.pipelines.iter().collect());
    let intake = pull_and_refresh(&project, data, test_clock(), &request, &lock, Arc::new(|_| {})).await.unwrap();
    assert!(intake.reports.iter().all(|report| report.failures.is_empty() && report.stopped.is_none()));
}

/// Removes what earlier builds left behind.
fn remove_older(folder: &Path, name: &str) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let is_older = entry
            .file_name()
            .to_string_lossy()
            .strip_prefix("samples-")
            .is_some_and(|_| !entry.file_name().to_string_lossy().starts_with(name));
        if is_older {
            let _ = fs_err::remove_dir_all(entry.path());
            let _ = fs_err::remove_file(entry.path());
        }
    }
}
