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
mod declaration;
mod engine;
mod entity;
mod error;
mod expression;
mod figures;
mod fill;
mod indicator;
mod lake_tables;
mod plan;
mod query;
mod rejected;
mod scope;
mod sql;
mod tables;
mod working_days;

pub use catalog::{Catalog, INDICATORS_FOLDER};
pub use declaration::{
    Direction, RawCount, RawIndicator, RawMeasure, RawPassport, RawStates, RawStock, RawValue, Thresholds,
};
pub use engine::Engine;
pub use entity::{Dimension, Entity};
pub use error::QueryError;
pub use figures::{FigureRow, Figures};
pub use indicator::{Additivity, Indicator, LEVELS, Measure, Passport, REGISTERS, VALUE_TYPES};
pub use query::Query;
pub use rejected::RejectedQuery;
pub use scope::Scope;
pub use tables::{SnapshotHead, TableContent, TableSource};
