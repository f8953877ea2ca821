//! Registers of Leningrad Oblast: social contracts, journals of social services, virtual cards and electronic certificates.

pub(super) mod card_uses;
pub(super) mod cards;
pub(super) mod certificate_operations;
pub(super) mod complaints;
pub(super) mod contracts;
mod csv_line;
pub(super) mod electronic_cases;
pub(super) mod journal;
mod lists;
pub(super) mod partners;
pub(super) mod programme_services;
pub(super) mod programmes;
pub(super) mod ratings;
pub(super) mod requests;
