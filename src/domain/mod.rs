//! The small pure core that every stage may use: languages, periods, the working calendar, figures and how they are written.
//!
//! No I/O, no engine and no clock in here.

pub mod calendar;
pub mod disk_fault;
pub mod error_chain;
pub mod figure;
pub mod language;
pub mod number;
pub mod period;
pub mod sentence;
pub mod short_hash;
pub mod table;
