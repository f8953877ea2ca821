//! A refresh that stops at any step is finished by the next one.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use svod::warehouse::RefreshStep;
use svod::warehouse::refresh::RefreshProgress;

use super::small_project::{Event, SmallProject};

async fn project_with_news() -> SmallProject {
    let project = SmallProject::new().await;
    let events: Vec<Event> = (0..20)
        .map(|index| Event::new(&format!("A-{index}"), "registered", &format!("2024-0{}-01T08:00:00Z", 1 + index % 5)))
        .collect();
    project.append(1, &events).await;
    project.refresh().await;
    project.append(2, &[Event::new("A-3", "provided", "2024-06-01T08:00:00Z")]).await;
    project.append(3, &[Event::new("B-1", "registered", "2024-06-02T08:00:00Z")]).await;
    project
}

/// A progress that dies at one of the steps, and the number of steps it saw.
fn dies_at(step: usize) -> (RefreshProgress, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let progress = move |_: &RefreshStep| assert_ne!(counter.fetch_add(1, Ordering::SeqCst), step, "killed here");
    (Arc::new(progress), seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_killed_at_any_step_is_finished_by_the_next() {
    let undisturbed = project_with_news().await;
    let (progress, n_steps) = dies_at(usize::MAX);
    let expected = undisturbed.refresh_with(&progress).await.snapshot;
    let (cases, runs) = (undisturbed.entities(&expected, "cases").await, undisturbed.entities(&expected, "runs").await);
    let n_steps = n_steps.load(Ordering::SeqCst);
    assert!(n_steps >= 9, "{n_steps} steps");
    for step in 0..n_steps {
        let project = project_with_news().await;
        let (progress, _) = dies_at(step);
        let killed = AssertUnwindSafe(project.refresh_with(&progress)).catch_unwind().await;
        assert!(killed.is_err(), "step {step}");
        let outcome = project.refresh().await;
        assert!(outcome.published, "step {step}");
        assert_eq!(outcome.snapshot.number, 2, "step {step}");
        assert_eq!(project.entities(&outcome.snapshot, "cases").await, cases, "step {step}");
        assert_eq!(project.entities(&outcome.snapshot, "runs").await, runs, "step {step}");
        assert_eq!(outcome.snapshot.pipelines, expected.pipelines, "step {step}");
        assert!(!project.refresh().await.published, "step {step}");
    }
}
