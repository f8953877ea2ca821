//! The warehouse: contracts, lake, entities and snapshots.

mod contracts;
mod entities;
mod kill;
mod lake;
mod models;
pub(crate) mod small_project;
mod versions;
