//! The warehouse: contracts, lake, entities and snapshots.

mod any_order;
mod clocks;
mod compact;
mod contracts;
mod entities;
mod kill;
mod lake;
mod models;
mod patches;
mod rebuild;
mod s3_lake;
pub(crate) mod small_project;
pub(crate) mod upkeep;
mod versions;
