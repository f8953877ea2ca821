//! YAML declarations: reading them with the place of every value, and reporting what is wrong with them.
//!
//! Knows nothing of what is declared: pipelines, contracts, indicators and dashboards define their own
//! raw structs, read them through [`Source::parse`] and report [`Problem`]s at the place of a value.

mod problem;
mod source;
mod spanned;

pub use problem::{Problem, Problems};
pub use source::{Source, list_files};
pub use spanned::Spanned;
