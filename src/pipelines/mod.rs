//! Pipelines: files of a register → checked events of the lake.
//!
//! ```text
//! files ──▶ formats ──▶ typing ──▶ mapping ──▶ rules, quality ──▶ assemble ──▶ lake
//!           blocks of   typed      events of    contract          pseudonyms,
//!           text        columns    the contract                   identities, what is new
//!              └────────────┴───────────┴──────────┴──▶ quarantine: rows that broke a rule, with their sentence
//! ```
//!
//! At its end a file is judged as a whole ([`quality`]): it is committed, committed with warnings, or held back.
//!
//! A pipeline is declared in `pipelines/*.yaml` ([`declaration`]), checked with its SQL and its references before any row is read ([`check`]), and run
//! file by file ([`run`]). It knows contracts and code lists, but neither entities nor indicators, and nothing of schedules.

pub mod assemble;
pub mod bridge;
pub mod check;
pub mod declaration;
mod errors;
pub mod expression;
pub mod formats;
pub mod identity;
pub mod mapping;
pub mod moment;
mod pipeline;
pub mod pseudonym;
pub mod quality;
pub mod quarantine;
pub mod rejects;
mod report;
pub mod rules;
pub mod run;
mod schema_change;
pub mod sources;
pub mod state;
pub mod typing;
mod values;
mod work;

pub use assemble::AssembleError;
pub use declaration::pipeline_schema;
pub use errors::{FileError, RunError};
pub use mapping::MappingError;
pub use pipeline::{Constant, Emit, Format, Mapping, Pipeline, RejectRule, Value};
pub use pseudonym::PseudonymKey;
pub use quarantine::QuarantineError;
pub use report::{FileFailure, PipelineReport, Progress};
pub use run::{RunContext, run_pipeline};
pub use schema_change::SchemaChange;
pub use state::{PipelineState, StateError};
