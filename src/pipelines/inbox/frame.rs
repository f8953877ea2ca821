//! How taken bodies lie in a segment: one frame each, whole or not at all.
//!
//! ```text
//! length of the entry (u32 LE), length of the body (u32 LE), checksum over both (u64 LE), entry (JSON), body
//! ```
//!
//! A frame that a kill or a power cut tore is told by its length or its checksum. Knows no folder and no lock.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use blake3::Hash;
use chrono::{DateTime, Utc};
use fs_err::File;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes before the entry of a frame.
const PREFIX_BYTES: usize = 16;

/// An entry is far shorter; a longer one is damage.
const MAX_ENTRY_BYTES: u32 = 4096;

/// What a pusher is told of a taken body, now and whenever the same comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When the body was taken.
    pub received_at: DateTime<Utc>,
    /// Its rows that keep every rule.
    pub rows: u64,
    /// Its rows that break one.
    pub set_aside: u64,
    /// The segment in which it lies.
    pub segment: u64,
    /// Its first line in the segment's rows, from 1.
    pub first_line: u64,
    /// Its last line there.
    pub last_line: u64,
    /// Rows that waited for the next run then, these included.
    pub pending_rows: u64,
    /// Bytes that waited for the next run then, these included.
    pub pending_bytes: u64,
}

/// What is remembered of a taken body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Hash of the idempotency key.
    #[serde(with = "hexadecimal")]
    pub(super) key: Hash,
    /// Hash of the body as it was sent.
    #[serde(with = "hexadecimal")]
    pub(super) body: Hash,
    /// What the pusher was told.
    pub(super) receipt: Receipt,
}

/// Appends a frame to a buffer.
pub(super) fn append_frame(buffer: &mut Vec<u8>, entry: &Entry, body: &[u8]) -> io::Result<()> {
    let entry = serde_json::to_vec(entry)?;
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a body of 4 GiB does not fit a frame");
    let lengths = [u32::try_from(entry.len()).map_err(too_long)?, u32::try_from(body.len()).map_err(too_long)?];
    let checksum = checksum(lengths, &entry, body);
    for length in lengths {
        buffer.extend(length.to_le_bytes());
    }
    buffer.extend(checksum.to_le_bytes());
    buffer.extend(entry);
    buffer.extend(body);
    Ok(())
}

/// Covers the lengths as well, so that a zeroed prefix is no frame.
fn checksum([entry_length, body_length]: [u32; 2], entry: &[u8], body: &[u8]) -> u64 {
    let seed = xxh3_64_with_seed(entry, u64::from(entry_length) << 32 | u64::from(body_length));
    xxh3_64_with_seed(body, seed)
}

/// Reads the frames of a segment one after the other.
pub(super) struct Frames<'a> {
    input: BufReader<&'a mut File>,
    at: u64,
    end: u64,
}

impl<'a> Frames<'a> {
    /// The frames from the byte `from` on, where one begins.
    pub(super) fn open(file: &'a mut File, from: u64) -> io::Result<Self> {
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(from))?;
        Ok(Self { input: BufReader::with_capacity(1 << 16, file), at: from, end })
    }

    /// The next whole frame; none at the end, and none where the file is torn or damaged.
    pub(super) fn next(&mut self) -> io::Result<Option<(Entry, Vec<u8>)>> {
        let mut prefix = [0; PREFIX_BYTES];
        if self.at + PREFIX_BYTES as u64 > self.end {
            return Ok(None);
        }
        self.input.read_exact(&mut prefix)?;
        let [entry_length, body_length, low, high] = le_words(prefix);
        let length = PREFIX_BYTES as u64 + u64::from(entry_length) + u64::from(body_length);
        if entry_length > MAX_ENTRY_BYTES || self.at + length > self.end {
            return Ok(None);
        }
        let (mut entry, mut body) = (vec![0; entry_length as usize], vec![0; body_length as usize]);
        self.input.read_exact(&mut entry)?;
        self.input.read_exact(&mut body)?;
        if checksum([entry_length, body_length], &entry, &body) != u64::from(high) << 32 | u64::from(low) {
            return Ok(None);
        }
        let Ok(entry) = serde_json::from_slice(&entry) else { return Ok(None) };
        self.at += length;
        Ok(Some((entry, body)))
    }

    /// The byte behind the last whole frame that was read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Whether bytes lie behind the last whole frame that was read.
    pub(super) fn has_rest(&self) -> bool {
        self.at < self.end
    }
}

/// The four little-endian words of a prefix.
fn le_words(prefix: [u8; PREFIX_BYTES]) -> [u32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(prefix.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

/// Hashes as text.
mod hexadecimal {
    use blake3::Hash;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hash.to_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        Hash::from_hex(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry for a key.
    pub(in super::super) fn entry(key: &str, received_at: DateTime<Utc>) -> Entry {
        let receipt = Receipt {
            received_at,
            rows: 1,
            set_aside: 0,
            segment: 1,
            first_line: 1,
            last_line: 1,
            pending_rows: 1,
            pending_bytes: 2,
        };
        Entry { key: blake3::hash(key.as_bytes()), body: blake3::hash(b"{}"), receipt }
    }

    fn read_all(bytes: &[u8]) -> (Vec<Vec<u8>>, u64, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segment");
        fs_err::write(&path, bytes).unwrap();
        let mut file = File::open(path).unwrap();
        let mut frames = Frames::open(&mut file, 0).unwrap();
        let mut bodies = Vec::new();
        while let Some((_, body)) = frames.next().unwrap() {
            bodies.push(body);
        }
        (bodies, frames.at(), frames.has_rest())
    }

    proptest! {
        #[test]
        fn a_torn_file_gives_its_whole_frames_and_no_other(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for body in &bodies {
                append_frame(&mut bytes, &entry("k", DateTime::UNIX_EPOCH), body).unwrap();
                ends.push(bytes.len());
            }
            let kept = cut.index(bytes.len() + 1);
            let whole = ends.iter().rposition(|end| *end <= kept).unwrap();
            let (read, at, has_rest) = read_all(&bytes[..kept]);
            prop_assert_eq!(&read[..], &bodies[..whole]);
            prop_assert_eq!(at, ends[whole] as u64);
            prop_assert_eq!(has_rest, ends[whole] < kept);
        }

        #[test]
        fn a_changed_byte_ends_the_frames(place in any::<prop::sample::Index>(), change in 1..=255_u8) {
            let mut bytes = Vec::new();
            append_frame(&mut bytes, &entry("k", DateTime::UNIX_EPOCH), b"{\"a\":1}\n").unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            prop_assert_eq!(read_all(&bytes), (Vec::new(), 0, true));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_all(&bytes);
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(read_all(&[0; 64]), (Vec::new(), 0, true));
    }
}
