//! The integration tests, in one binary so that three engines are linked once. Folders mirror `src/`.
#![expect(clippy::unwrap_used, unreachable_pub, reason = "a test stops at the first surprise, and this is one binary")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cloned_ref_to_slice_refs,
    clippy::cmp_owned,
    clippy::float_cmp,
    clippy::format_collect,
    clippy::string_slice,
    clippy::struct_field_names,
    reason = "figures of tests are exact and small, their texts are their own"
)]

mod support;

mod charts;
mod cli;
mod dashboards;
mod generate;
mod indicators;
mod intake;
mod pipelines;
mod reports;
mod rules;
mod server;
mod warehouse;
