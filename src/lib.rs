//! `svod` compiles figures from the registers of a region's social protection.
//!
//! A fact moves one way:
//!
//! ```text
//! registers ──▶ pipelines ──▶ lake ──▶ models ──▶ indicators ──▶ dashboards, reports
//!  files         Polars       Delta    DuckDB     DataFusion      axum, plotters, XLSX
//! ```
//!
//! The modules below stand in reading order, and a module uses only modules above it.

pub mod domain;

pub mod clock;

pub mod declarations;

pub mod secrets;

pub mod s3;

pub mod settings;

pub mod warehouse;

pub mod pipelines;

pub mod indicators;

pub mod charts;

pub mod dashboards;

pub mod project;

pub mod intake;

pub mod reports;

pub mod generate;

pub mod server;

pub mod cli;
