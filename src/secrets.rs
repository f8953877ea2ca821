//! Secrets, which lie in the environment or in files and never in a declaration.
//!
//! No error here repeats what a secret holds.

use std::io;
use std::path::Path;

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Secret {
    /// An environment variable.
    Env(String),
    /// A file, relative to the project.
    File(String),
}

/// A value, or the place where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The value, which anybody may know.
    Literal(String),
    /// A secret.
    Secret(Secret),
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no such variable.
    #[error("the environment variable `{name}` is not set; it has to hold a secret")]
    Unset {
        /// Its name.
        name: String,
    },
    /// The variable or file has nothing in it.
    #[error("the secret in `{place}` is empty")]
    Empty {
        /// The variable or file.
        place: String,
    },
    /// The file cannot be read as text.
    #[error("the file `{file}` cannot be read; it has to hold a secret")]
    File {
        /// The file, relative to the project.
        file: String,
        /// What went wrong.
        #[source]
        cause: io::Error,
    },
}

impl Secret {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn read(&self, project: &Path) -> Result<String, SecretError> {
        let (place, text) = match self {
            Self::Env(name) => (name, std::env::var(name).map_err(|_| SecretError::Unset { name: name.clone() })?),
            Self::File(file) => {
                let unreadable = |cause| SecretError::File { file: file.clone(), cause };
                (file, fs_err::read_to_string(project.join(file)).map_err(unreadable)?)
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() { Err(SecretError::Empty { place: place.clone() }) } else { Ok(text.to_owned()) }
    }
}

impl Parameter {
    /// The value, read where it lies.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn read(&self, project: &Path) -> Result<String, SecretError> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Secret(secret) => secret.read(project),
        }
    }

    /// Whether nobody may see it.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_break_and_a_missing_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("token"), "s3cret \r\n").unwrap();
        fs_err::write(folder.path().join("nothing"), "\n").unwrap();
        let read = |secret: Secret| secret.read(folder.path());
        assert_eq!(read(Secret::File("token".to_owned())).unwrap(), "s3cret ");
        assert_eq!(
            read(Secret::File("nothing".to_owned())).unwrap_err().to_string(),
            "the secret in `nothing` is empty"
        );
        assert!(matches!(read(Secret::File("absent".to_owned())), Err(SecretError::File { .. })));
        assert!(matches!(read(Secret::Env("SVOD_NO_SUCH_VARIABLE".to_owned())), Err(SecretError::Unset { .. })));
    }
}
