//! Pipelines: files of a register → checked events of the lake.
//!
//! ```text
//! files ──▶ formats ──▶ typing ──▶ mapping ──▶ rules ──▶ assemble ──▶ lake
//!           blocks of   typed      events of    contract   pseudonyms,
//!           text        columns    the contract            identities, what is new
//!              └────────────┴───────────┴──────────┴──▶ quarantine: rows that broke a rule, with their sentence
//! ```
//!
//! A pipeline is declared in `pipelines/*.yaml` ([`declaration`]), checked with its SQL and its references before any row is read ([`check`]), and run
//! file by file ([`run`]). It knows contracts and code lists, but neither entities nor indicators; when it is due is
//! declared here ([`Schedule`]), who runs it is not known.

pub mod assemble;
pub mod bridge;
pub mod check;
mod columns;
pub mod declaration;
mod errors;
pub mod expression;
pub mod formats;
pub mod identity;
pub mod mapping;
pub mod moment;
mod options;
mod pipeline;
pub mod pseudonym;
pub mod quarantine;
pub mod rejects;
mod report;
pub mod rules;
pub mod run;
mod schedule;
pub mod sources;
pub mod state;
pub mod typing;
mod values;
mod work;

pub use assemble::AssembleError;
pub use columns::ColumnDifference;
pub use declaration::pipeline_schema;
pub use errors::{FileError, RunError};
pub use mapping::MappingError;
pub use options::{RunOptions, Stop, StopReason};
pub use pipeline::{Constant, Emit, Format, Mapping, Pipeline, RejectRule, Value};
pub use pseudonym::PseudonymKey;
pub use quarantine::QuarantineError;
pub use report::{FileFailure, PipelineReport, Progress, StageSeconds};
pub use run::{RunContext, pull, run_pipeline};
pub use schedule::{RawSchedule, Schedule};
pub use state::{PipelineState, StateError};
