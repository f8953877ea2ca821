//! Registers of Samara Oblast: the platform «Social passport of the family».

mod appeal;
pub(super) mod appeals;
pub(super) mod case_events;
mod lists;
pub(super) mod passports;
