//! Puts events together that the platform sent in several frames.
//!
//! Parts come in any order, some twice, and may be cut in the middle of a character, so they are joined
//! as bytes. What stays incomplete is forgotten; it was not acknowledged, so the platform sends it again.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

/// How long the next part of an event may take.
const PART_WAIT_MAX: Duration = Duration::from_secs(10);
/// The most bytes that incomplete events may hold together.
const BYTES_MAX: usize = 16 << 20;
/// The most parts one event may have, and the most events that may be incomplete at once.
const PARTS_MAX: u32 = 4096;
const EVENTS_MAX: usize = 256;

/// Why a part was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    /// The number of parts is none, or more than anything sensible.
    #[error("an event cannot have {0} parts")]
    Sum(i64),
    /// The part's number is not below the number of parts.
    #[error("there is no part {seq} of {sum}")]
    Seq {
        /// The part's number, counted from zero.
        seq: i64,
        /// The number of parts.
        sum: i64,
    },
    /// The parts that came before said something else; they were forgotten.
    #[error("an event had {before} parts and now has {now}")]
    SumChanged {
        /// What earlier parts said.
        before: u32,
        /// What this one says.
        now: u32,
    },
    /// One event alone would hold too much.
    #[error("an event is larger than {BYTES_MAX} bytes")]
    TooLarge,
}

/// The events that are not complete yet.
#[derive(Debug, Default)]
pub struct Fragments {
    incomplete: HashMap<String, Incomplete>,
    bytes: usize,
}

#[derive(Debug)]
struct Incomplete {
    sum: u32,
    parts: BTreeMap<u32, Bytes>,
    bytes: usize,
    last_part_at: Instant,
}

impl Fragments {
    /// Takes part `seq` (from zero) of the `sum` parts of an event, and gives the event when it is whole.
    pub fn add(
        &mut self,
        message_id: &str,
        sum: i64,
        seq: i64,
        part: Bytes,
        now: Instant,
    ) -> Result<Option<Bytes>, FragmentError> {
        let count = u32::try_from(sum)
            .ok()
            .filter(|sum| (1..=PARTS_MAX).contains(sum));
        let count = count.ok_or(FragmentError::Sum(sum))?;
        let index = u32::try_from(seq).ok().filter(|seq| *seq < count);
        let index = index.ok_or(FragmentError::Seq { seq, sum })?;
        if count == 1 {
            return Ok(Some(part));
        }
        self.forget_late(now);
        self.insert(message_id, count, index, part, now)?;
        Ok(self.take_if_whole(message_id))
    }

    fn insert(
        &mut self,
        message_id: &str,
        sum: u32,
        seq: u32,
        part: Bytes,
        now: Instant,
    ) -> Result<(), FragmentError> {
        let known = self.incomplete.get(message_id);
        if let Some(before) = known.map(|known| known.sum).filter(|before| *before != sum) {
            self.forget(message_id);
            return Err(FragmentError::SumChanged { before, now: sum });
        }
        if known.map_or(0, |known| known.bytes) + part.len() > BYTES_MAX {
            self.forget(message_id);
            return Err(FragmentError::TooLarge);
        }
        if known.is_none() && self.incomplete.len() >= EVENTS_MAX {
            self.forget_oldest(message_id);
        }
        while self.bytes + part.len() > BYTES_MAX && self.forget_oldest(message_id) {}

        let event = self.incomplete.entry(message_id.to_owned());
        let event = event.or_insert_with(|| Incomplete {
            sum,
            parts: BTreeMap::new(),
            bytes: 0,
            last_part_at: now,
        });
        event.last_part_at = now;
        // Of a part that comes twice the first is kept.
        event.parts.entry(seq).or_insert_with(|| {
            event.bytes += part.len();
            self.bytes += part.len();
            part
        });
        Ok(())
    }

    fn take_if_whole(&mut self, message_id: &str) -> Option<Bytes> {
        let event = self.incomplete.get(message_id)?;
        if event.parts.len() < event.sum as usize {
            return None;
        }
        let event = self.forget(message_id)?;
        let mut whole = BytesMut::with_capacity(event.bytes);
        for part in event.parts.values() {
            whole.extend_from_slice(part);
        }
        Some(whole.freeze())
    }

    fn forget_late(&mut self, now: Instant) {
        let bytes = &mut self.bytes;
        self.incomplete.retain(|_, event| {
            let kept = now.saturating_duration_since(event.last_part_at) <= PART_WAIT_MAX;
            if !kept {
                *bytes -= event.bytes;
            }
            kept
        });
    }

    /// Forgets the event that waited longest, other than `except`. Whether there was one.
    fn forget_oldest(&mut self, except: &str) -> bool {
        let others = self.incomplete.iter().filter(|(id, _)| *id != except);
        let oldest = others.min_by_key(|(_, event)| event.last_part_at);
        let oldest = oldest.map(|(id, _)| id.clone());
        oldest.and_then(|id| self.forget(&id)).is_some()
    }

    fn forget(&mut self, message_id: &str) -> Option<Incomplete> {
        let event = self.incomplete.remove(message_id)?;
        self.bytes -= event.bytes;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(bytes: &'static [u8]) -> Bytes {
        Bytes::from_static(bytes)
    }

    #[test]
    fn an_event_in_one_part_is_whole_at_once() {
        let whole = Fragments::default().add("m", 1, 0, part(b"{}"), Instant::now());
        assert_eq!(whole, Ok(Some(part(b"{}"))));
    }

    #[test]
    fn parts_join_in_their_order_whatever_the_order_they_come_in() {
        let mut fragments = Fragments::default();
        let now = Instant::now();
        // The two bytes of "é" come apart, one part comes twice, another event comes between.
        assert_eq!(fragments.add("m", 3, 2, part(b"\xa9!"), now), Ok(None));
        assert_eq!(fragments.add("m", 3, 0, part(b"caf"), now), Ok(None));
        assert_eq!(fragments.add("m", 3, 0, part(b"???"), now), Ok(None));
        assert_eq!(fragments.add("other", 2, 0, part(b"x"), now), Ok(None));
        let whole = fragments
            .add("m", 3, 1, part(b"\xc3"), now)
            .unwrap()
            .unwrap();
        assert_eq!(whole, "café!".as_bytes());
        assert_eq!((fragments.incomplete.len(), fragments.bytes), (1, 1));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let mut fragments = Fragments::default();
        let mut add = |sum, seq| fragments.add("m", sum, seq, Bytes::new(), Instant::now());
        for sum in [0, -1, i64::from(PARTS_MAX) + 1, i64::MAX] {
            assert_eq!(add(sum, 0), Err(FragmentError::Sum(sum)));
        }
        for (sum, seq) in [(1, 1), (2, 2), (2, -1)] {
            assert_eq!(add(sum, seq), Err(FragmentError::Seq { seq, sum }));
        }
    }

    #[test]
    fn a_sum_that_changes_starts_the_event_over() {
        let mut fragments = Fragments::default();
        let now = Instant::now();
        fragments.add("m", 2, 0, part(b"a"), now).unwrap();
        let error = fragments.add("m", 3, 1, part(b"b"), now).unwrap_err();
        assert_eq!(error, FragmentError::SumChanged { before: 2, now: 3 });
        assert_eq!(fragments.bytes, 0);
        assert_eq!(fragments.add("m", 2, 1, part(b"b"), now), Ok(None));
        assert_eq!(
            fragments.add("m", 2, 0, part(b"a"), now),
            Ok(Some(part(b"ab")))
        );
    }

    #[test]
    fn an_event_that_stays_incomplete_is_forgotten() {
        let mut fragments = Fragments::default();
        let start = Instant::now();
        fragments.add("m", 2, 0, part(b"a"), start).unwrap();
        let late = start + PART_WAIT_MAX + Duration::from_millis(1);
        assert_eq!(fragments.add("m", 2, 1, part(b"b"), late), Ok(None));
        assert_eq!(fragments.bytes, 1);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_give_way() {
        let mut fragments = Fragments::default();
        let start = Instant::now();
        let large = Bytes::from(vec![0; BYTES_MAX / 4]);
        for n in 0..50_u64 {
            let now = start + Duration::from_millis(n);
            fragments
                .add(&n.to_string(), 2, 0, large.clone(), now)
                .unwrap();
            assert!(fragments.bytes <= BYTES_MAX);
        }
        let now = start + Duration::from_millis(60);
        assert!(
            fragments
                .add("49", 2, 1, part(b"x"), now)
                .unwrap()
                .is_some()
        );
        assert_eq!(fragments.add("0", 2, 1, part(b"x"), now), Ok(None));

        for n in 0..2 * EVENTS_MAX {
            fragments
                .add(&format!("small {n}"), 2, 0, part(b""), now)
                .unwrap();
        }
        assert!(fragments.incomplete.len() <= EVENTS_MAX);
        let huge = Bytes::from(vec![0; BYTES_MAX + 1]);
        assert_eq!(
            fragments.add("huge", 2, 0, huge, now),
            Err(FragmentError::TooLarge)
        );
    }

    proptest! {
        #[test]
        fn any_text_survives_any_cutting_and_any_order(
            text in "\\PC{2,60}",
            size in 1..9_usize,
            scores in proptest::collection::vec(any::<u32>(), 240),
        ) {
            let bytes = Bytes::from(text);
            let parts: Vec<_> = (0..bytes.len()).step_by(size)
                .map(|at| bytes.slice(at..bytes.len().min(at + size)))
                .collect();
            let mut numbers: Vec<_> = (0..parts.len()).collect();
            // Chance decides the order; there are at most 240 bytes, so there is a score for each part.
            numbers.sort_by_key(|number| scores[*number]);
            let mut fragments = Fragments::default();
            let mut whole = None;
            for number in numbers {
                prop_assert!(whole.is_none());
                let part = parts[number].clone();
                whole = fragments.add("m", parts.len() as i64, number as i64, part, Instant::now()).unwrap();
            }
            prop_assert_eq!(whole, Some(bytes));
            prop_assert_eq!(fragments.bytes, 0);
        }

        #[test]
        fn adding_never_panics(adds in proptest::collection::vec((0..3_u8, -2..5_i64, -2..5_i64), 0..40)) {
            let mut fragments = Fragments::default();
            for (id, sum, seq) in adds {
                let _ = fragments.add(&id.to_string(), sum, seq, Bytes::from_static(b"ab"), Instant::now());
            }
        }
    }
}
