//! Secrets of sources: from the environment or a file, never from a declaration.

use std::io;
use std::path::{Path, PathBuf};

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// In a variable of the environment.
    Environment(String),
    /// In a file, relative to the project.
    File(PathBuf),
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("the environment variable `{variable}` is not set")]
    Unset {
        /// The variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error("the secret cannot be read")]
    File(#[source] io::Error),
    /// The file is empty.
    #[error("the secret's file `{}` is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Secret {
    /// Reads the secret; the end of a line after it is no part of it.
    ///
    /// # Errors
    /// [`SecretError`], which never shows a secret.
    pub fn read(&self, project: &Path) -> Result<String, SecretError> {
        match self {
            Self::Environment(variable) => {
                let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
                value.ok_or_else(|| SecretError::Unset { variable: variable.clone() })
            }
            Self::File(path) => {
                let text = fs_err::read_to_string(project.join(path)).map_err(SecretError::File)?;
                let text = text.trim_end_matches(['\r', '\n']);
                if text.is_empty() { Err(SecretError::Empty { path: path.clone() }) } else { Ok(text.to_owned()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_without_the_end_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("key"), "s3cret\r\n").unwrap();
        assert_eq!(Secret::File("key".into()).read(folder.path()).unwrap(), "s3cret");
        fs_err::write(folder.path().join("key"), "\n").unwrap();
        assert!(matches!(Secret::File("key".into()).read(folder.path()), Err(SecretError::Empty { .. })));
        assert!(matches!(Secret::File("no".into()).read(folder.path()), Err(SecretError::File(_))));
        let unset = Secret::Environment("SVOD_NO_SUCH_SECRET".to_owned()).read(folder.path()).unwrap_err();
        assert_eq!(unset.to_string(), "the environment variable `SVOD_NO_SUCH_SECRET` is not set");
    }
}
