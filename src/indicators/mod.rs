//! Indicators: a semantic layer over the entities of a snapshot.
//!
//! ```text
//! sql/indicators/*.yaml ──▶ RawIndicator ──check──▶ Indicator ┐
//!                                      Query ──check──▶ Question ──▶ plans ──▶ DataFusion ──▶ Figures
//! ```
//!
//! A figure follows from an indicator, a [`Query`], a [`Scope`] and a snapshot, and from nothing else: no text of a
//! user becomes SQL, and no expression may look at the clock. Knows no widget, no page, no format of output.

mod catalog;
mod check;
mod compare;
mod coverage;
mod declaration;
mod definitions;
mod engine;
mod entity;
mod error;
mod expression;
mod figures;
mod fill;
mod indicator;
mod lake_tables;
mod parts;
mod plan;
mod query;
mod refusal;
mod rejected;
mod scope;
mod sql;
mod tables;
mod windows;
mod working_days;

pub use catalog::{Catalog, INDICATORS_FOLDER};
pub use declaration::{
    Direction, RawCount, RawCoverage, RawIndicator, RawMeasure, RawPassport, RawPercentile, RawStates, RawStock,
    RawValue, Thresholds,
};
pub use definitions::Definitions;
pub use engine::Engine;
pub use entity::{Dimension, Entity};
pub use error::QueryError;
pub use figures::{Compared, Coverage, FigureRow, Figures, WindowFigure};
pub use indicator::{Additivity, CoverageRule, Indicator, LEVELS, Measure, Passport, REGISTERS, VALUE_TYPES};
pub use query::Query;
pub use refusal::Refusal;
pub use rejected::RejectedQuery;
pub use scope::Scope;
pub use tables::{SnapshotHead, TableContent, TableSource};
pub use windows::{Against, Cumulate, Note};
