//! Indicators: figures worked out by hand or by another way of computing, and the messages of wrong declarations and queries.

mod against_duckdb;
mod declarations;
mod figures;
mod lake;
pub(crate) mod memory;
mod on_samples;
mod queries;
mod read_only_sql;
mod stocks;
