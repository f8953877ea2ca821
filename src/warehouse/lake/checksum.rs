//! Content hashes of the lake's files: taken while a file is written, kept in the tags of its commit, compared by `svod verify`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use deltalake_core::kernel::Add;
use fs_err::File;

/// Tag of a file in its commit that holds the BLAKE3 hash of its bytes, in hexadecimal.
const HASH_TAG: &str = "svod.blake3";

/// A file that is hashed while it is written.
pub(super) struct HashingFile {
    file: File,
    hasher: blake3::Hasher,
}

impl HashingFile {
    /// A new or emptied file.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, hasher: blake3::Hasher::new() })
    }

    /// Puts the file on the disk; the hash of its bytes.
    pub(super) fn finish(self) -> io::Result<String> {
        self.file.sync_all()?;
        Ok(self.hasher.finalize().to_hex().to_string())
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..n_written).unwrap_or_default());
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Hash of the bytes of a file, in hexadecimal.
///
/// # Errors
/// If the file cannot be read.
pub fn hash_of_file(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The tags of a file with a hash.
pub(super) fn tags_of(hash: String) -> HashMap<String, Option<String>> {
    HashMap::from([(HASH_TAG.to_owned(), Some(hash))])
}

/// The hash that a commit tells of a file; files from before hashes were kept have none.
pub(super) fn hash_in(add: &Add) -> Option<String> {
    add.tags.as_ref()?.get(HASH_TAG).cloned().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_taken_while_writing_is_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = HashingFile::create(&path).unwrap();
        for part in ["свод", "", " и ещё"] {
            file.write_all(part.as_bytes()).unwrap();
        }
        let hash = file.finish().unwrap();
        assert_eq!(hash, blake3::hash("свод и ещё".as_bytes()).to_hex().to_string());
        assert_eq!(hash_of_file(&path).unwrap(), hash);
    }
}
