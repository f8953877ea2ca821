//! What leaves the house: the tables of a dashboard as CSV files and workbooks.
//!
//! One output format per file over one table type, [`Table`](crate::domain::table::Table). Knows nothing of HTTP,
//! nor how a figure was computed.

mod beside;
mod csv;
mod values;
mod workbook;
mod xlsx;

pub use csv::{CsvFlavour, write_csv};
pub use values::{ComparedValue, IndicatorValue, IndicatorValues, PlanValue, WindowValue};
pub use workbook::dashboard_workbook;
pub use xlsx::{ReportError, Sheet, Workbook, write_workbook};
