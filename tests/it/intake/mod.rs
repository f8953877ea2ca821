//! Runs: what is asked of them, what is kept of them, who starts them, and who is told.

mod at_once;
mod faults;
mod history;
mod lineage;
mod options;
pub(crate) mod run_project;
mod schedule;
mod watch;
