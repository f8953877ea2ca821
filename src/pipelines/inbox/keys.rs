//! The idempotency keys that an inbox remembers.

use std::collections::{HashMap, VecDeque};

use blake3::Hash;
use chrono::{DateTime, Duration, Utc};

use super::frame::{Entry, Receipt};

/// Keys kept at most, whatever their age: about 300 MB. Beyond, the oldest are forgotten; what was pushed under them is
/// still told from new events by the identity of the contract.
const MAX_KEYS: usize = 2_000_000;

/// What came under a key before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The same body; what its pusher was told.
    Same(Receipt),
    /// Another body.
    Other,
}

/// Keys of taken bodies, by their hash.
#[derive(Debug)]
pub(super) struct Keys {
    keep: Duration,
    known: HashMap<Hash, (Hash, Receipt)>,
    /// The keys in the order in which they came.
    order: VecDeque<(DateTime<Utc>, Hash)>,
}

impl Keys {
    /// No keys yet; each will be remembered for a time.
    pub(super) fn new(keep: Duration) -> Self {
        Self { keep, known: HashMap::new(), order: VecDeque::new() }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    /// Remembers an entry.
    pub(super) fn note(&mut self, entry: &Entry) {
        self.known.insert(entry.key, (entry.body, entry.receipt));
        self.order.push_back((entry.receipt.received_at, entry.key));
        if self.order.len() > MAX_KEYS {
            self.forget_first();
        }
    }

    /// What came under a key before, if it is still remembered.
    pub(super) fn find(&self, key: &Hash, body: &Hash, now: DateTime<Utc>) -> Option<Known> {
        let (known_body, receipt) =
            self.known.get(key).filter(|(_, receipt)| receipt.received_at + self.keep >= now)?;
        Some(if known_body == body { Known::Same(*receipt) } else { Known::Other })
    }

    /// Forgets the keys whose time is over.
    pub(super) fn forget_old(&mut self, now: DateTime<Utc>) {
        while self.order.front().is_some_and(|(received_at, _)| *received_at + self.keep < now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((received_at, key)) = self.order.pop_front() else { return };
        // A key that came again after its time is remembered anew.
        if self.known.get(&key).is_some_and(|(_, receipt)| receipt.received_at == received_at) {
            self.known.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::tests::entry;
    use super::*;

    #[test]
    fn a_key_is_remembered_for_its_time_and_may_then_be_used_anew() {
        let start = DateTime::UNIX_EPOCH;
        let mut keys = Keys::new(Duration::days(7));
        let first = entry("a", start);
        keys.note(&first);
        let in_time = start + Duration::days(7);
        assert_eq!(keys.find(&first.key, &first.body, in_time), Some(Known::Same(first.receipt)));
        assert_eq!(keys.find(&first.key, &blake3::hash(b"other"), in_time), Some(Known::Other));
        let late = in_time + Duration::seconds(1);
        assert_eq!(keys.find(&first.key, &first.body, late), None);
        let again = entry("a", late);
        keys.note(&again);
        keys.forget_old(late);
        assert_eq!(keys.find(&again.key, &again.body, late), Some(Known::Same(again.receipt)));
        assert_eq!((keys.known.len(), keys.order.len()), (1, 1));
    }
}
