//! The `svod` program: parses the arguments, runs the command, prints what went wrong, picks the exit code.

use std::process::ExitCode;

use clap::Parser;
use svod::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::start_log(&arguments);
    match cli::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::print_error(&error);
            error.exit_code()
        }
    }
}
