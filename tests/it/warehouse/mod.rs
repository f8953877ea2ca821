//! The warehouse: contracts, lake, entities and snapshots.

mod compact;
mod contracts;
mod entities;
mod kill;
mod lake;
mod models;
mod rebuild;
mod s3_lake;
pub(crate) mod small_project;
pub(crate) mod upkeep;
mod versions;
