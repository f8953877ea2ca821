//! The warehouse: contracts and code lists, the lake of events, the entities folded from them, and snapshots.
//!
//! ```text
//! pipelines ──▶ lake (Delta, append-only) ──▶ models (DuckDB) ──▶ entity tables (Delta) ──▶ snapshot manifest
//! ```
//!
//! Knows no pipeline, no indicator, no HTTP and no schedule.

pub mod compact;
pub mod contracts;
mod database;
mod definitions;
pub mod entities;
mod event_views;
mod inventory;
pub mod lake;
pub mod lock;
pub mod models;
pub mod reference;
pub mod refresh;
pub mod regulations;
pub mod samples;
pub mod snapshot;
mod stopwatch;
pub mod verify;
mod working_days;

pub use compact::{CompactionError, CompactionReport, CompactionStep, Retention, compact};
pub use contracts::{Contract, Contracts, RawContract};
pub use lake::{BatchRecord, Lake, LakeError, TableKind};
pub use lock::WarehouseLock;
pub use models::{Model, RawModel};
pub use reference::{CodeList, RawCodeList, Reference};
pub use refresh::{RefreshContext, RefreshError, RefreshOutcome, RefreshStep, refresh};
pub use regulations::RawRegulation;
pub use snapshot::{PipelineState, Snapshot, Snapshots, TableVersion};
pub use verify::{Finding, Severity, VerifyReport, verify};
