//! Pages for people: rendered here, with plotted SVG and tables, in Russian or English. They work without JavaScript.

mod about;
mod card;
pub(crate) mod catalogue;
pub(crate) mod dashboard;
pub(crate) mod data;
mod filters;
pub(crate) mod home;
mod icons;
mod layout;
mod plain_card;
pub(crate) mod problem;
pub(crate) mod run;
mod run_grid;
mod run_state;
mod sentence;
mod table;
mod tile;
mod welcome;
