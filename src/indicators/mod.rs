//! Indicators: a semantic layer over the entities of a snapshot.
//!
//! ```text
//! sql/indicators/*.yaml ──▶ RawIndicator ──check──▶ Indicator ┐
//!                                      Query ──check──▶ Question ──▶ plans ──▶ DataFusion ──▶ Figures
//! ```
//!
//! A figure follows from an indicator, a [`Query`], a [`Scope`] and a snapshot, and from nothing else: no text of a
//! user becomes SQL, and no expression may look at the clock. Knows no widget, no page, no format of output.

mod attainment;
mod behind;
mod catalog;
mod change;
mod check;
mod compare;
mod coverage;
mod cube;
mod declaration;
mod definitions;
mod edition;
mod engine;
mod entity;
mod error;
mod exact;
mod expression;
mod figures;
mod fill;
mod formula;
mod indicator;
mod lake_tables;
mod light;
mod parts;
mod pinned;
mod plan;
mod planned;
mod policy;
mod query;
mod receipt;
mod refusal;
mod rejected;
mod revision;
mod scope;
mod sql;
mod tables;
mod verify;
mod windows;
mod working_days;

pub use attainment::{Attainment, AttainmentState, attain};
pub use behind::Behind;
pub use catalog::{Catalog, INDICATORS_FOLDER};
pub use change::{AboveEffects, Change, ChangeQuery, Effects, Part, SplitKind};
pub use cube::{CubeModel, cube_model};
pub use declaration::{
    Direction, RawCount, RawCoverage, RawIndicator, RawMeasure, RawPassport, RawPercentile, RawStates, RawStock,
    RawValue, Thresholds,
};
pub use definitions::Definitions;
pub use engine::Engine;
pub use entity::{Dimension, Entity};
pub use error::QueryError;
pub use exact::Exact;
pub use figures::{Compared, Coverage, FigureRow, Figures, WindowFigure};
pub use indicator::{Additivity, CoverageRule, Indicator, LEVELS, Measure, Passport, REGISTERS, VALUE_TYPES};
pub use light::{ChangeUnit, Ground, Judged, Judgement, Light, judge_figure, level_of};
pub use planned::{PLANS_FOLDER, PlanAct, PlanVersion, Planned, Plans, RawPlan, parse_period};
pub use policy::{LightPolicy, LightRule, POLICIES_FOLDER, RawLightPolicy, Trend};
pub use query::Query;
pub use receipt::{Basis, Receipt, ReceiptError, Seen};
pub use refusal::Refusal;
pub use rejected::RejectedQuery;
pub use revision::{Cause, Revision, RevisionPart, RevisionQuery};
pub use scope::Scope;
pub use tables::{SnapshotHead, TableContent, TableSource};
pub use verify::{Outcome, Reason, Verification};
pub use windows::{Against, Cumulate, Note};
