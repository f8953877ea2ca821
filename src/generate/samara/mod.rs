//! Registers of Samara Oblast: the platform «Social passport of the family».

mod appeal;
pub(super) mod appeals;
pub(super) mod case_events;
pub(super) mod debts;
pub(super) mod family_members;
pub(super) mod leaves;
mod lists;
pub(super) mod needs;
pub(super) mod passports;
pub(super) mod returns;
