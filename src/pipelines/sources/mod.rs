//! Where rows come from: one file per transport.

pub mod files;
