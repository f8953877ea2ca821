//! The generator: the shipped samples, and its own count against plain readers of the files.

mod ingest;
mod readers;
mod samples;

use std::path::Path;

use svod::generate::{GenerateOptions, GenerateReport, Region, generate};

/// The options by which the shipped samples of a region were made; the READMEs beside them name the same.
fn sample_options(region: Region, out: &Path) -> GenerateOptions {
    match region {
        Region::Samara => GenerateOptions::new(region, 17_500, 63, out),
        Region::Leningrad => GenerateOptions { broken: 0.02, ..GenerateOptions::new(region, 4_000, 47, out) },
    }
}

/// Makes the samples of a region in a folder.
fn make_sample(region: Region, out: &Path) -> GenerateReport {
    generate(&sample_options(region, out)).unwrap()
}
