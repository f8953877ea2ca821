//! Packed files: what is taken out of them, and how it is read.
//!
//! Files packed by gzip and zstd and archives of the kind zip are known by their first bytes, whatever their name. Packed bytes are unpacked
//! while they are read. Every member of an archive is a unit of its own, so its rows have their own places, a broken member costs itself alone,
//! and what was taken before is known again.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::CrcReader;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use fs_err::File;
use schemars::JsonSchema;
use serde::Deserialize;
use zip::{CompressionMethod, ZipArchive};

use super::formats::unpacking::{Limited, UnpackLimits};
use super::sources::Unit;
use super::sources::files::{FilesError, SourceFile};
use crate::declarations::{Problems, Source, Spanned};

/// Most members of an archive.
const MAX_MEMBERS: usize = 10_000;
/// The part that makes an archive a workbook.
const WORKBOOK_PART: &str = "[Content_Types].xml";
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// Starts of an archive with members and without any.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// What is taken out of packed files, and how much.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawUnpack {
    /// Pattern of the members of a zip archive that are read, e.g. `*.csv`; all of them if absent.
    pub member: Option<Spanned<String>>,
    /// Most bytes that one file or member may have when it is unpacked; 16 GiB if absent.
    pub max_bytes: Option<Spanned<u64>>,
    /// Most unpacked bytes for one packed byte, beyond the first 64 MiB; 200 if absent. More is usually an attack.
    pub max_ratio: Option<Spanned<u64>>,
}

/// What is taken out of packed files, and how much; checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpack {
    /// Pattern of the members of an archive that are read.
    pub member: glob::Pattern,
    /// How large unpacked bytes may become.
    pub limits: UnpackLimits,
}

impl RawUnpack {
    pub(super) fn check(&self, source: &Source, problems: &mut Problems) -> Unpack {
        let pattern = self.member.as_ref().map_or("*", |member| member.as_str());
        let member = glob::Pattern::new(pattern).unwrap_or_else(|error| {
            let at = self.member.clone().unwrap_or_else(|| Spanned::nowhere(String::new()));
            problems.push(source.problem(&at, format!("`member`: {}", error.msg)));
            glob::Pattern::default()
        });
        let mut number = |key: &str, written: Option<&Spanned<u64>>, default: u64| {
            if let Some(written) = written.filter(|written| written.value == 0) {
                problems.push(source.problem(written, format!("`{key}`: nothing can be unpacked to 0 bytes")));
            }
            written.map_or(default, |written| written.value)
        };
        let default = UnpackLimits::default();
        let max_bytes = number("max_bytes", self.max_bytes.as_ref(), default.max_bytes);
        let max_ratio = number("max_ratio", self.max_ratio.as_ref(), default.max_ratio);
        Unpack { member, limits: UnpackLimits { max_bytes, max_ratio } }
    }
}

/// Why nothing can be taken out of an archive.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be opened or read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is no archive, or a damaged one.
    #[error("the archive `{file}` cannot be read; is it whole?")]
    Archive {
        /// The archive.
        file: String,
        /// What went wrong.
        #[source]
        cause: zip::result::ZipError,
    },
    /// It has more members than any register sends.
    #[error("the archive `{file}` has {n_members} members, more than {MAX_MEMBERS}")]
    TooMany {
        /// The archive.
        file: String,
        /// Its members.
        n_members: usize,
    },
    /// Its members share their bytes.
    #[error("the archive `{file}` has members that lie over each other; ask for it again")]
    Overlapping {
        /// The archive.
        file: String,
    },
    /// It has no member of that name.
    #[error("the archive `{file}` has no member `{pattern}`; `member` of `unpack` says which are read")]
    NoMember {
        /// The archive.
        file: String,
        /// The pattern.
        pattern: String,
    },
    /// A member is locked or packed in a rare way.
    #[error("`{file}` cannot be unpacked: {problem}")]
    Member {
        /// The member.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// A member of an archive: where its bytes lie, and how they are packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    start: u64,
    n_packed: u64,
    is_stored: bool,
    checksum: u32,
}

/// What is read as one batch: a whole unit, or one member of it. The name of its file is that of the member.
#[derive(Debug, Clone)]
pub struct Part {
    /// The unit.
    pub unit: Unit,
    /// The member, if the unit is an archive.
    pub member: Option<Member>,
}

/// The parts of a unit: its members if it is an archive, else the unit itself. A workbook is an archive too, but not of files.
///
/// The source goes on after the unit when its last part is done, and until then each part is remembered by its name and hash.
///
/// # Errors
/// [`UnpackError`].
pub fn parts(unit: Unit, unpack: &Unpack) -> Result<Vec<Part>, UnpackError> {
    let mut file = unit.file.open()?;
    let unreadable = |cause| FilesError::Read { file: unit.file.name.clone(), cause };
    if !ZIP.contains(&start_of(&mut file).map_err(unreadable)?.as_slice()) {
        return Ok(vec![Part { unit, member: None }]);
    }
    let name = || unit.file.name.clone();
    let broken = |cause| UnpackError::Archive { file: name(), cause };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    if archive.index_for_name(WORKBOOK_PART).is_some() {
        return Ok(vec![Part { unit, member: None }]);
    }
    if archive.len() > MAX_MEMBERS {
        return Err(UnpackError::TooMany { file: name(), n_members: archive.len() });
    }
    // Members that share their bytes are how a small archive unpacks to more than any disk holds.
    if archive.has_overlapping_entries().map_err(broken)? {
        return Err(UnpackError::Overlapping { file: name() });
    }
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(broken)?;
        let inside = member_name(member.name_raw());
        if !member.is_file() || !unpack.member.matches(&inside) {
            continue;
        }
        let file = format!("{}/{inside}", unit.file.name);
        let wrong = |problem: String| UnpackError::Member { file: file.clone(), problem };
        let is_stored = member.compression() == CompressionMethod::Stored;
        if member.encrypted() {
            return Err(wrong("it is protected by a password; ask for an archive without one".to_owned()));
        }
        if !is_stored && member.compression() != CompressionMethod::Deflated {
            let method = member.compression();
            return Err(wrong(format!("it is packed by {method}; the usual way, Deflate, is read")));
        }
        let start = member.data_start().ok_or_else(|| wrong("its place in the archive is not known".to_owned()))?;
        let (n_packed, checksum) = (member.compressed_size(), member.crc32());
        members.push((file, Member { start, n_packed, is_stored, checksum }));
    }
    if members.is_empty() {
        return Err(UnpackError::NoMember { file: name(), pattern: unpack.member.as_str().to_owned() });
    }
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    let last = members.len() - 1;
    let part = |(number, (name, member))| {
        let file = SourceFile { name, path: unit.file.path.clone() };
        let position = if number == last { unit.position.clone() } else { None };
        Part { unit: Unit { file, hash: unit.hash.clone(), position }, member: Some(member) }
    };
    Ok(members.into_iter().enumerate().map(part).collect())
}

/// The name of a member. Old archivers of Windows wrote it in the encoding of the console.
fn member_name(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::IBM866.decode_without_bom_handling(raw).0.into_owned(),
    }
}

/// The bytes of a part, unpacked as they are read.
pub struct PartBytes {
    /// The stream.
    pub bytes: Box<dyn Read + Send>,
    /// Packed bytes read so far; none where nothing is unpacked.
    pub n_packed_read: Option<Arc<AtomicU64>>,
}

impl Part {
    /// A file as it is, which belongs to no batch yet.
    #[must_use]
    pub fn whole(file: SourceFile) -> Self {
        Self { unit: Unit { file, hash: String::new(), position: None }, member: None }
    }

    /// Opens the part for reading from front to back.
    ///
    /// # Errors
    /// [`FilesError::Read`].
    pub fn open(&self, limits: UnpackLimits) -> Result<PartBytes, FilesError> {
        let file = self.unit.file.open()?;
        self.unpack(file, limits).map_err(|cause| self.unreadable(cause))
    }

    /// Opens the part for reading from any place: what is packed is unpacked to a temporary file.
    ///
    /// # Errors
    /// [`FilesError::Read`], also if it is larger than `limits` allow.
    pub fn open_unpacked(&self, limits: UnpackLimits) -> Result<std::fs::File, FilesError> {
        let mut part = self.open(limits)?;
        if part.n_packed_read.is_none() {
            return Ok(self.unit.file.open()?.into_file());
        }
        let mut unpack = || {
            let mut whole = tempfile::tempfile()?;
            io::copy(&mut part.bytes, &mut whole)?;
            whole.rewind()?;
            Ok(whole)
        };
        unpack().map_err(|cause| self.unreadable(cause))
    }

    fn unpack(&self, mut file: File, limits: UnpackLimits) -> io::Result<PartBytes> {
        let n_packed_read = Arc::new(AtomicU64::new(0));
        let n_packed = match &self.member {
            Some(member) => member.n_packed,
            None => file.metadata()?.len(),
        };
        let limit = limits.allowed(n_packed);
        let counted = |file, n_read: &Arc<AtomicU64>| Counted { input: file, n_read: Arc::clone(n_read) };
        let inner: Box<dyn Read + Send> = match &self.member {
            Some(member) => {
                file.seek(SeekFrom::Start(member.start))?;
                let packed = counted(file, &n_packed_read).take(member.n_packed);
                let bytes: Box<dyn Read + Send> =
                    if member.is_stored { Box::new(packed) } else { Box::new(DeflateDecoder::new(packed)) };
                let bytes = Checked { input: CrcReader::new(bytes), checksum: member.checksum };
                Box::new(Limited::new(bytes, limit))
            }
            None => match start_of(&mut file)?.as_slice() {
                start if start.starts_with(GZIP) || start == ZSTD => Box::new(counted(file, &n_packed_read)),
                _ => return Ok(PartBytes { bytes: Box::new(file), n_packed_read: None }),
            },
        };
        // A member may be packed once more, e.g. `journal.csv.gz` in a zip archive.
        let mut inner = BufReader::with_capacity(256 << 10, inner);
        let start = io::BufRead::fill_buf(&mut inner)?;
        let bytes: Box<dyn Read + Send> = if start.starts_with(GZIP) {
            Box::new(Limited::new(MultiGzDecoder::new(inner), limit))
        } else if start.starts_with(ZSTD) {
            Box::new(Limited::new(zstd::Decoder::with_buffer(inner)?, limit))
        } else {
            Box::new(inner)
        };
        Ok(PartBytes { bytes, n_packed_read: Some(n_packed_read) })
    }

    fn unreadable(&self, cause: io::Error) -> FilesError {
        FilesError::Read { file: self.unit.file.name.clone(), cause }
    }
}

/// The first four bytes of a file, which is then at its start again.
fn start_of(file: &mut File) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start)
}

/// A stream that tells how much of it was read.
struct Counted<R> {
    input: R,
    n_read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n_read = self.input.read(out)?;
        self.n_read.fetch_add(n_read as u64, Ordering::Relaxed);
        Ok(n_read)
    }
}

/// A member whose checksum is compared at its end.
struct Checked<R> {
    input: CrcReader<R>,
    checksum: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n_read = self.input.read(out)?;
        if n_read == 0 && !out.is_empty() && self.input.crc().sum() != self.checksum {
            let problem = "the archive is damaged: the checksum of its member is another";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(n_read)
    }
}
