//! Registers of Leningrad Oblast: journals of social services, virtual cards and electronic certificates.

pub(super) mod card_uses;
pub(super) mod cards;
pub(super) mod complaints;
mod csv_line;
pub(super) mod journal;
mod lists;
mod parquet_file;
pub(super) mod programmes;
pub(super) mod requests;
