//! Which events are the same: hashes of key and content, and what was seen before.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::warehouse::lake::KnownHashes;

/// Hashes of one event: of its key, and of all its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Hash of the key columns.
    pub key: i64,
    /// Hash of all columns.
    pub content: i64,
}

/// A column that goes into the hashes.
#[derive(Debug, Clone, Copy)]
pub struct HashedColumn<'a> {
    /// Its name, which is part of the hash.
    pub name: &'a str,
    /// Whether it is part of the key.
    pub in_key: bool,
    /// Its values.
    pub values: &'a ArrayRef,
}

/// The hashes of `n_events` events.
///
/// A missing value adds nothing, so a column that a later contract adds does not make a resent event look corrected.
#[must_use]
pub fn identify(columns: &[HashedColumn<'_>], n_events: usize) -> Vec<Identity> {
    let mut hashes = vec![(0_u64, 0_u64); n_events];
    for column in columns {
        let seed = xxh3_64(column.name.as_bytes());
        let mut add = |event: usize, bytes: &[u8]| {
            if let Some((key, content)) = hashes.get_mut(event) {
                let hash = xxh3_64_with_seed(bytes, seed);
                *content = mix(*content, hash);
                if column.in_key {
                    *key = mix(*key, hash);
                }
            }
        };
        let values = column.values;
        let present = (0..values.len()).filter(|event| values.is_valid(*event));
        match values.data_type() {
            DataType::Utf8View => {
                let texts = values.as_string_view();
                present.for_each(|event| add(event, texts.value(event).as_bytes()));
            }
            DataType::Int64 => {
                let numbers = values.as_primitive::<Int64Type>();
                present.for_each(|event| add(event, &numbers.value(event).to_le_bytes()));
            }
            DataType::Float64 => {
                let numbers = values.as_primitive::<Float64Type>();
                present.for_each(|event| add(event, &numbers.value(event).to_bits().to_le_bytes()));
            }
            DataType::Boolean => {
                let truths = values.as_boolean();
                present.for_each(|event| add(event, &[u8::from(truths.value(event))]));
            }
            DataType::Date32 => {
                let days = values.as_primitive::<Date32Type>();
                present.for_each(|event| add(event, &days.value(event).to_le_bytes()));
            }
            DataType::Timestamp(..) => {
                let moments = values.as_primitive::<TimestampMicrosecondType>();
                present.for_each(|event| add(event, &moments.value(event).to_le_bytes()));
            }
            _ => {}
        }
    }
    hashes
        .into_iter()
        .map(|(key, content)| Identity { key: key.cast_signed(), content: content.cast_signed() })
        .collect()
}

/// Adds the hash of a value to the hash of an event; the order of columns matters.
fn mix(event: u64, value: u64) -> u64 {
    (event.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A map whose keys are hashes already.
type HashedMap = HashMap<i64, i64, BuildHasherDefault<KeyHasher>>;

/// Takes the key's bits as its hash, folded so that both ends of it are well mixed.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_i64(&mut self, key: i64) {
        let key = key.cast_unsigned();
        self.0 = key ^ (key >> 32);
    }
}

/// The last known content of each event of one month.
#[derive(Debug, Default)]
pub struct KnownMonth {
    last: HashedMap,
    /// Versions that are known although a later one has replaced them; none where such a version is news.
    former: Option<HashSet<(i64, i64)>>,
}

impl KnownMonth {
    /// What the lake holds of a month.
    #[must_use]
    pub fn from_lake(known: HashMap<i64, i64>) -> Self {
        Self { last: known.into_iter().collect(), former: None }
    }

    /// The same for a source that was read before as it is: its replaced versions are no news.
    #[must_use]
    pub fn read_before(known: KnownHashes) -> Self {
        Self { former: Some(known.former), ..Self::from_lake(known.last) }
    }

    /// Adds what the lake holds of further events; what was noted since stays.
    pub fn learn(&mut self, known: Self) {
        for (key, content) in known.last {
            self.last.entry(key).or_insert(content);
        }
        if let Some(former) = known.former {
            self.former.get_or_insert_default().extend(former);
        }
    }

    /// Notes an event; false if the last known version of it was the same.
    pub fn note(&mut self, event: Identity) -> bool {
        if self.former.as_ref().is_some_and(|former| former.contains(&(event.key, event.content))) {
            return false;
        }
        let before = self.last.insert(event.key, event.content);
        if before == Some(event.content) {
            return false;
        }
        if let (Some(former), Some(before)) = (&mut self.former, before) {
            former.insert((event.key, before));
        }
        true
    }
}

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyHasher")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringViewArray};

    use super::*;

    fn identities(texts: &[Option<&str>], numbers: &[Option<i64>]) -> Vec<Identity> {
        let texts: ArrayRef = Arc::new(StringViewArray::from(texts.to_vec()));
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
        let columns = [
            HashedColumn { name: "case_id", in_key: true, values: &texts },
            HashedColumn { name: "amount", in_key: false, values: &numbers },
        ];
        identify(&columns, texts.len())
    }

    #[test]
    fn key_and_content_are_told_apart() {
        let found = identities(&[Some("a"), Some("a"), Some("b"), Some("a")], &[Some(1), Some(2), Some(1), Some(1)]);
        assert_eq!(found[0], found[3]);
        assert_eq!(found[0].key, found[1].key);
        assert_ne!(found[0].content, found[1].content);
        assert_ne!(found[0].key, found[2].key);
    }

    #[test]
    fn a_missing_value_is_as_an_absent_column() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["a"]));
        let alone = identify(&[HashedColumn { name: "case_id", in_key: true, values: &texts }], 1);
        assert_eq!(identities(&[Some("a")], &[None]), alone);
    }

    #[test]
    fn what_was_read_before_is_no_news_in_any_version() {
        let known = KnownHashes { last: HashMap::from([(1, 11)]), former: HashSet::from([(1, 10)]) };
        let mut month = KnownMonth::read_before(known);
        for (content, is_new) in [(10, false), (11, false), (12, true), (11, false), (12, false)] {
            assert_eq!(month.note(Identity { key: 1, content }), is_new, "{content}");
        }
    }

    #[test]
    fn what_is_learned_later_replaces_nothing_that_was_noted() {
        let mut month = KnownMonth::from_lake(HashMap::from([(1, 10)]));
        assert!(month.note(Identity { key: 1, content: 11 }));
        month.learn(KnownMonth::from_lake(HashMap::from([(1, 10), (2, 20)])));
        assert!(!month.note(Identity { key: 1, content: 11 }));
        assert!(!month.note(Identity { key: 2, content: 20 }));
    }

    #[test]
    fn only_the_last_version_makes_a_duplicate() {
        let mut month = KnownMonth::from_lake(HashMap::from([(1, 10)]));
        assert!(!month.note(Identity { key: 1, content: 10 }));
        assert!(month.note(Identity { key: 1, content: 11 }));
        assert!(month.note(Identity { key: 1, content: 10 }));
        assert!(month.note(Identity { key: 2, content: 10 }));
        assert!(!month.note(Identity { key: 2, content: 10 }));
    }
}
