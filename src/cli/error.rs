//! What can end a command, and how it is told.

use std::error::Error;
use std::process::ExitCode;

use super::output;
use crate::declarations::Problems;
use crate::domain::disk_fault::DiskFault;
pub(super) use crate::domain::error_chain::chain;
use crate::domain::language::Lang;
use crate::indicators::QueryError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Declarations are wrong; exit code 2.
    #[error(transparent)]
    Declarations(#[from] Problems),
    /// An argument names something that is not there; exit code 2.
    #[error(transparent)]
    Argument(Box<dyn Error + Send + Sync>),
    /// Something failed at work; exit code 1.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

impl CliError {
    /// A failure at work.
    pub(super) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    /// A wrong argument.
    pub(super) fn argument(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Argument(error.into())
    }

    /// The exit code that goes with this error.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Declarations(_) | Self::Argument(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }
}

/// Prints an error on standard error.
pub fn print_error(error: &CliError) {
    match error {
        CliError::Declarations(problems) => {
            let n_problems = problems.sorted().len();
            let noun = if n_problems == 1 { "problem" } else { "problems" };
            output::error_line(&format!("{problems}\n\n{n_problems} {noun} in the declarations"));
        }
        CliError::Argument(cause) | CliError::Failed(cause) => {
            output::error_line(&format!("error: {}", chain(cause.as_ref())));
            if let Some(QueryError::Senseless(refusal)) = cause.downcast_ref() {
                output::error_line(&format!("  по-русски: {}", refusal.sentence(Lang::Ru)));
            }
            let of_disk = DiskFault::of(cause.as_ref()).map(|fault| fault.advice(Lang::En).to_owned());
            if let Some(help) = cause.downcast_ref::<QueryError>().and_then(QueryError::help).or(of_disk) {
                output::error_line(&format!("  help: {help}"));
            }
        }
    }
}
