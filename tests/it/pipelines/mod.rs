//! Pipelines from a file of a register to the lake.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod balance;
mod bench_project;
mod contract_rules;
mod declarations;
mod formats;
mod lake;
mod schema_change;
mod shipped;
