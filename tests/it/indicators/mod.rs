//! Indicators: figures worked out by hand or by another way of computing, and the messages of wrong declarations and queries.

mod against_duckdb;
mod behind;
mod changes;
mod counts;
mod cube;
mod declarations;
mod figures;
mod lake;
pub(crate) mod memory;
mod on_generated;
mod on_samples;
mod plans;
mod proof;
mod queries;
mod read_only_sql;
mod receipts;
mod revisions;
mod stocks;
mod time;
mod time_against_duckdb;
