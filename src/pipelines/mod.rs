//! Pipelines: rows of a register → checked events of the lake.
//!
//! ```text
//! sources ▶ formats ──▶ typing ──▶ mapping ──▶ rules, quality ──▶ assemble ──▶ lake
//!           blocks of   typed      events of    contract          pseudonyms,
//!           text        columns    the contract                   identities, what is new
//!              └────────────┴───────────┴──────────┴──▶ quarantine: rows that broke a rule, with their sentence
//! ```
//!
//! At its end a file is judged as a whole ([`quality`]): it is committed, committed with warnings, or held back.
//!
//! A pipeline is declared in `pipelines/*.yaml` ([`declaration`]), checked with its SQL and its references before any row is read ([`check`]), and run
//! unit by unit ([`run`]). It knows contracts and code lists, but neither entities nor indicators; when it is due is
//! declared here ([`Schedule`]), who runs it is not known.

pub mod assemble;
pub mod bridge;
pub mod check;
mod check_http;
mod check_push;
mod check_s3;
mod check_source;
mod columns;
pub mod declaration;
mod errors;
pub mod expression;
mod format;
pub mod formats;
pub mod identity;
pub mod inbox;
pub mod mapping;
pub mod moment;
mod options;
pub mod packed;
mod pipeline;
pub mod pseudonym;
pub mod push;
pub mod quality;
pub mod quarantine;
pub mod rejects;
mod report;
mod retry;
mod row_check;
pub mod rules;
pub mod run;
mod schedule;
mod schema_change;
pub mod source_declaration;
pub mod sources;
pub mod state;
mod told;
pub mod typing;
mod values;
mod work;
mod zone;

pub use assemble::AssembleError;
pub use columns::ColumnDifference;
pub use declaration::pipeline_schema;
pub use errors::{FileError, RunError};
pub use format::Format;
pub use inbox::Receipt;
pub use mapping::MappingError;
pub use options::{RunOptions, Stop, StopReason};
pub use pipeline::{Constant, Emit, Mapping, Pipeline, RejectRule, Value};
pub use pseudonym::PseudonymKey;
pub use push::{PushDesk, PushError};
pub use quarantine::QuarantineError;
pub use report::{FileFailure, PipelineReport, Progress, StageSeconds};
pub use retry::retry_units;
pub use row_check::BadRow;
pub use run::{RunContext, pull, run_pipeline};
pub use schedule::{RawSchedule, Schedule};
pub use schema_change::SchemaChange;
pub use sources::files::{FileStamps, files_now};
pub use state::{PipelineState, StateError};
pub use told::{tell_file, tell_reason, tell_stop, tell_work};
