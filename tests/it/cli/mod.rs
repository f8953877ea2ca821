//! The program as a user runs it: its commands, exit codes and messages, and what a kill leaves behind.

mod commands;
mod figures;
mod indicators;
mod kill;
mod push;
mod readme;
mod s3_lake;
mod samples;
mod upkeep;
