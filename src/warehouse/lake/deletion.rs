//! Rows of a file that count no more: Delta's deletion vectors, kept in the commit itself.
//!
//! A file is never changed. To replace some of its rows its commit names them by their positions, and the new rows
//! stand in another file.

use std::io::{self, Error};

use deltalake_core::kernel::{DeletionVectorDescriptor, StorageType};
use roaring::RoaringTreemap;

use super::LakeError;

/// Marks the portable format of a bitmap.
const MAGIC: [u8; 4] = 1_681_511_377_u32.to_le_bytes();

/// Positions of rows, from 0, as a commit holds them.
pub(super) fn descriptor_of(rows: &RoaringTreemap) -> Result<DeletionVectorDescriptor, LakeError> {
    let mut bytes = MAGIC.to_vec();
    rows.serialize_into(&mut bytes)?;
    let size_in_bytes = i32::try_from(bytes.len()).map_err(Error::other)?;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    Ok(DeletionVectorDescriptor {
        storage_type: StorageType::Inline,
        path_or_inline_dv: z85::encode(&bytes),
        offset: None,
        size_in_bytes,
        cardinality: i64::try_from(rows.len()).map_err(Error::other)?,
    })
}

/// The positions that a commit holds.
///
/// # Errors
/// [`LakeError::File`] if they lie elsewhere or are damaged.
pub(super) fn rows_in(descriptor: &DeletionVectorDescriptor) -> Result<RoaringTreemap, LakeError> {
    let damaged =
        || io::Error::new(io::ErrorKind::InvalidData, "the deleted rows of a file cannot be read in its commit");
    let bytes = z85::decode(&descriptor.path_or_inline_dv).map_err(|_| damaged())?;
    let is_inline = descriptor.storage_type == StorageType::Inline;
    let bitmap = bytes.strip_prefix(&MAGIC).filter(|_| is_inline).ok_or_else(damaged)?;
    let rows = RoaringTreemap::deserialize_from(bitmap)?;
    if i64::try_from(rows.len()).ok() == Some(descriptor.cardinality) { Ok(rows) } else { Err(damaged().into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_as_they_were() {
        for rows in [vec![], vec![0], vec![0, 7, 65_536, 1 << 33], (0..100_000).collect()] {
            let rows: RoaringTreemap = rows.into_iter().collect();
            let descriptor = descriptor_of(&rows).unwrap();
            assert_eq!(descriptor.path_or_inline_dv.len() % 5, 0);
            assert_eq!(rows_in(&descriptor).unwrap(), rows);
        }
    }

    #[test]
    fn damaged_positions_are_told() {
        let descriptor = descriptor_of(&RoaringTreemap::from([1, 2])).unwrap();
        assert!(rows_in(&DeletionVectorDescriptor { cardinality: 3, ..descriptor.clone() }).is_err());
        assert!(rows_in(&DeletionVectorDescriptor { path_or_inline_dv: "00000".to_owned(), ..descriptor }).is_err());
    }
}
