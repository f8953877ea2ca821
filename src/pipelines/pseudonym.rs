//! Pseudonyms of persons: keyed, so that nobody without the key can tell whose they are.

use std::io::{ErrorKind, Write};
use std::path::Path;

use arrow::array::{Array, StringViewArray, StringViewBuilder};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the key, and of the pseudonym before it is written in hexadecimal.
const KEY_BYTES: usize = 32;
const PSEUDONYM_BYTES: usize = 16;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file cannot be read or made.
    #[error("the key of pseudonyms cannot be read or made")]
    File(#[from] std::io::Error),
    /// The key file does not hold a key.
    #[error(
        "the key of pseudonyms in `{path}` is not 64 hexadecimal characters; restore it from a copy: with another key every person would look like a new one"
    )]
    Damaged {
        /// The key file.
        path: String,
    },
}

/// The key of pseudonyms.
///
/// The two states that HMAC makes of its key are computed once and cloned for each value.
#[derive(Clone)]
pub struct PseudonymKey(Hmac<Sha256>);

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PseudonymKey(…)")
    }
}

impl PseudonymKey {
    /// A key of any bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        // HMAC fills a key up to its block of 64 bytes with zeros.
        let mut block = [0; 64];
        block[..KEY_BYTES].copy_from_slice(bytes);
        Self(Hmac::new(&block.into()))
    }

    /// Reads the key file, or makes one with a random key that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`]. A damaged file is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        match fs_err::read_to_string(path) {
            Ok(text) => {
                Self::from_text(&text).ok_or_else(|| KeyError::Damaged { path: path.to_string_lossy().into_owned() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let bytes: [u8; KEY_BYTES] = rand::random();
                write_key(path, &bytes)?;
                // Another process may have been first; the file decides.
                Self::load_or_create(path)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim().as_bytes();
        let mut bytes = [0; KEY_BYTES];
        if text.len() != 2 * KEY_BYTES {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self::from_bytes(&bytes))
    }

    /// The pseudonym of a value: the first 16 bytes of HMAC-SHA256 over the value without spaces around it, as 32 hexadecimal characters.
    #[must_use]
    pub fn pseudonym(&self, value: &str) -> String {
        let mut text = [0; 2 * PSEUDONYM_BYTES];
        self.write_pseudonym(value, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn write_pseudonym(&self, value: &str, text: &mut [u8; 2 * PSEUDONYM_BYTES]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut mac = self.0.clone();
        mac.update(value.trim().as_bytes());
        let hash = mac.finalize().into_bytes();
        for (pair, byte) in text.chunks_exact_mut(2).zip(hash.iter()) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }

    /// The pseudonyms of a column.
    #[must_use]
    pub fn pseudonyms(&self, values: &StringViewArray) -> StringViewArray {
        let mut builder = StringViewBuilder::with_capacity(values.len()).with_fixed_block_size(1 << 20);
        let mut text = [0; 2 * PSEUDONYM_BYTES];
        for value in values {
            match value {
                Some(value) => {
                    self.write_pseudonym(value, &mut text);
                    builder.append_value(std::str::from_utf8(&text).unwrap_or_default());
                }
                None => builder.append_null(),
            }
        }
        builder.finish()
    }
}

/// Writes a key beside its place and puts it there only if nobody else did meanwhile.
fn write_key(path: &Path, bytes: &[u8]) -> Result<(), std::io::Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    // A temporary file has mode 0600 from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    for byte in bytes {
        write!(file, "{byte:02x}")?;
    }
    writeln!(file)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => fs_err::File::open(folder)?.sync_all(),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_hmac_sha256() {
        // From Python: hmac.new(key, value, "sha256").hexdigest()[:32].
        let key = PseudonymKey::from_bytes(b"0123456789abcdef0123456789abcdef");
        assert_eq!(key.pseudonym(" 112-233-445 95 "), "05ee2daec962cbf09a2ee7eb2c215df5");
        let column = key.pseudonyms(&StringViewArray::from(vec![Some("112-233-445 95"), None]));
        assert_eq!(column.value(0), key.pseudonym("112-233-445 95"));
        assert!(column.is_null(1));
    }

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/pseudonym.key");
        let first = PseudonymKey::load_or_create(&path).unwrap();
        let second = PseudonymKey::load_or_create(&path).unwrap();
        assert_eq!(first.pseudonym("а"), second.pseudonym("а"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs_err::write(&path, "abc").unwrap();
        assert!(matches!(PseudonymKey::load_or_create(&path), Err(KeyError::Damaged { .. })));
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "abc");
    }
}
