//! Pipelines from a file of a register to the lake.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

mod balance;
mod bench_project;
mod contract_rules;
mod declarations;
mod formats;
mod formats_bytes;
mod formats_csv;
mod formats_declared;
mod formats_json;
mod formats_xlsx;
mod formats_xml;
mod http_access;
mod http_failures;
mod http_paging;
mod http_register;
mod lake;
mod packed;
mod postgres;
mod postgres_server;
mod push;
mod retry;
mod s3;
mod schema_change;
mod schema_change_nested;
mod shipped;
mod source_declarations;
mod stops;
