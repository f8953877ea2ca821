//! Pipelines from a file of a register to the lake.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod bench_project;
mod declarations;
mod formats;
mod formats_bytes;
mod formats_csv;
mod formats_declared;
mod formats_json;
mod formats_xlsx;
mod formats_xml;
mod lake;
mod packed;
mod shipped;
