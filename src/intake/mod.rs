//! From registers to a published snapshot: runs, their history, their schedule, and trials that leave nothing behind.
//!
//! ```text
//! command line ─┐                       ┌▶ pipelines ─▶ lake ─▶ refresh ─▶ snapshot
//! API ──────────┼▶ one run at a time ───┤
//! schedule ─────┘   (warehouse lock)    └▶ a record in <data>/runs, OpenLineage events
//! ```
//!
//! What came in is told by the batch records in the lake's log; the record of a run tells who asked for it, where its time went
//! and what went wrong, also where nothing came in. Knows no HTTP.

mod due;
mod history;
mod lineage;
mod record;
mod run;
mod runner;
mod trial;
mod watch;

pub use due::{LastRun, NextRun, next_run};
pub use history::{History, HistoryError};
pub use record::{PipelineRun, RunRecord, RunState, Starter};
pub use run::{Intake, IntakeError, OnStep, RunRequest, Step, Task, pull_and_refresh, refresh_context};
pub use runner::{Runner, StartError};
pub use trial::{Trial, TrialError};
