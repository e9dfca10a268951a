//! The signatures of what was accepted of late, so that a request that was overheard is of no use.
//!
//! Bounded by time and by number. What is forgotten, for whichever reason, is too old from then on: the
//! memory keeps the time of the latest thing it forgot, and refuses what is not younger. So a full memory
//! may have the platform send an event again under a new time, and never lets an old one in.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::Refusal;

/// How many signatures are remembered: more than a hundred a second for ten minutes, in some megabytes.
const SIGNATURES_MAX: usize = 65_536;

/// What tells one signed request from another. The shorter one of the old callback is filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Signature([u8; 32]);

impl Signature {
    /// Takes the digest of a request, of 32 bytes at most.
    pub(super) fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// Whether a signature was seen.
pub(super) enum Known {
    /// No. It is taken by this claim from now on.
    Fresh(Claim),
    /// The same request came before, and it is not known yet what becomes of it.
    UnderWay,
    /// The same request was accepted.
    Accepted,
}

/// A request's place in the memory, to be settled.
#[derive(Debug)]
pub struct Claim(Option<(Memory, Signature)>);

impl Claim {
    /// For a request without a signature: there is nothing to remember.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Remembers the request as accepted.
    pub fn accept(mut self) {
        if let Some((memory, signature)) = self.0.take() {
            memory.lock().settle(signature, true);
        }
    }
}

/// Forgets a request that was not accepted: the very same one may come again.
impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((memory, signature)) = self.0.take() {
            memory.lock().settle(signature, false);
        }
    }
}

/// The signatures of late. Clones are the same memory.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Mutex<Remembered>>);

#[derive(Debug)]
struct Remembered {
    /// How far a time may be from ours, in seconds.
    skew_max: i64,
    signatures_max: usize,
    /// When each was signed, in seconds, and whether it was accepted.
    known: HashMap<Signature, (i64, bool)>,
    by_age: BTreeSet<(i64, Signature)>,
    /// The time of the latest signature that was accepted and forgotten.
    forgotten_until: i64,
}

impl Memory {
    pub(super) fn new(clock_skew_max: Duration) -> Self {
        Self::with_room(clock_skew_max, SIGNATURES_MAX)
    }

    fn with_room(clock_skew_max: Duration, signatures_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Remembered {
            skew_max: i64::try_from(clock_skew_max.as_secs()).unwrap_or(i64::MAX),
            signatures_max,
            known: HashMap::new(),
            by_age: BTreeSet::new(),
            forgotten_until: i64::MIN,
        })))
    }

    /// How many signatures are remembered.
    pub fn len(&self) -> usize {
        self.lock().known.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a place for a signature that holds, if its time is near ours.
    pub(super) fn claim(
        &self,
        signature: Signature,
        timestamp: &str,
        now: Timestamp,
    ) -> Result<Known, Refusal> {
        let signed_at = seconds(timestamp).ok_or(Refusal::Stale)?;
        let found = self.lock().claim(signature, signed_at, now.as_second())?;
        Ok(match found {
            Some((_, true)) => Known::Accepted,
            Some((_, false)) => Known::UnderWay,
            None => Known::Fresh(Claim(Some((self.clone(), signature)))),
        })
    }

    /// What is under the lock is whole at every moment, so a poisoned one still holds good memories.
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn claim(
        &mut self,
        signature: Signature,
        signed_at: i64,
        now: i64,
    ) -> Result<Option<(i64, bool)>, Refusal> {
        self.forget_before(now.saturating_sub(self.skew_max));
        if signed_at.abs_diff(now) > self.skew_max.unsigned_abs() {
            return Err(Refusal::Stale);
        }
        if let Some(found) = self.known.get(&signature) {
            return Ok(Some(*found));
        }
        if signed_at <= self.forgotten_until {
            return Err(Refusal::Stale);
        }
        while self.known.len() >= self.signatures_max {
            self.forget_oldest();
        }
        self.known.insert(signature, (signed_at, false));
        self.by_age.insert((signed_at, signature));
        Ok(None)
    }

    fn settle(&mut self, signature: Signature, accepted: bool) {
        // It is gone already where the memory was full.
        let Some(found) = self.known.get_mut(&signature) else {
            return;
        };
        found.1 = accepted;
        if !accepted {
            let (signed_at, _) = *found;
            self.known.remove(&signature);
            self.by_age.remove(&(signed_at, signature));
        }
    }

    fn forget_before(&mut self, time: i64) {
        while self.by_age.first().is_some_and(|(at, _)| *at < time) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((signed_at, signature)) = self.by_age.pop_first() {
            self.known.remove(&signature);
            self.forgotten_until = self.forgotten_until.max(signed_at);
        }
    }
}

/// The second of a time that is given in seconds or in milliseconds; which of the two the platform means
/// is not documented, and only one of them is near the present. No other time is.
fn seconds(timestamp: &str) -> Option<i64> {
    let is_number = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = is_number.then(|| timestamp.parse().ok()).flatten()?;
    match timestamp.len() {
        10 => Some(number),
        13 => Some(number / 1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn memory(room: usize) -> Memory {
        Memory::with_room(Duration::from_secs(300), room)
    }

    fn now(later: i64) -> Timestamp {
        Timestamp::from_second(NOW + later).unwrap()
    }

    fn signature(number: u8) -> Signature {
        Signature::new(&[number])
    }

    /// Claims and accepts; whether that was possible.
    fn accept(memory: &Memory, number: u8, signed: i64, at: i64) -> bool {
        let known = memory.claim(signature(number), &(NOW + signed).to_string(), now(at));
        match known {
            Ok(Known::Fresh(claim)) => {
                claim.accept();
                true
            }
            _ => false,
        }
    }

    #[test]
    fn a_time_counts_in_seconds_or_milliseconds_and_only_near_ours() {
        let check = |timestamp: &str, expected: bool| {
            let known = memory(9).claim(signature(1), timestamp, now(0));
            assert_eq!(known.is_ok(), expected, "{timestamp}");
        };
        check("1700000000", true);
        check("1700000300", true);
        check("1699999700", true);
        check("1700000301", false);
        check("1699999699", false);
        check("1700000000123", true);
        check("1700000301000", false);
        check("1700000000123456", false);
        check("17000000001", false);
        check("170000000", false);
        check("+170000000", false);
        check("", false);
        check("now", false);
        check("99999999999999999999", false);
    }

    #[test]
    fn what_was_accepted_is_known_and_what_was_not_is_as_good_as_new() {
        let memory = memory(9);
        let claim = |number| memory.claim(signature(number), "1700000000", now(0));
        let Ok(Known::Fresh(first)) = claim(1) else {
            panic!()
        };
        assert!(matches!(claim(1), Ok(Known::UnderWay)));
        drop(first);
        let Ok(Known::Fresh(second)) = claim(1) else {
            panic!()
        };
        second.accept();
        assert!(matches!(claim(1), Ok(Known::Accepted)));
        assert!(matches!(claim(2), Ok(Known::Fresh(_))));
        assert_eq!(memory.len(), 1);
    }

    #[test]
    fn a_full_memory_lets_nothing_in_again() {
        let memory = memory(3);
        for number in 1..=5 {
            assert!(accept(&memory, number, number.into(), 9));
        }
        assert_eq!(memory.len(), 3);
        for number in 1..=5 {
            assert!(!accept(&memory, number, number.into(), 9), "{number}");
        }
        assert!(!accept(&memory, 6, 2, 9), "as old as what was forgotten");
        assert!(accept(&memory, 7, 6, 9));
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nothing_in_again() {
        let memory = memory(9);
        assert!(accept(&memory, 1, 0, 0));
        assert!(accept(&memory, 2, 400, 400));
        assert_eq!(memory.len(), 1, "the first is too old to be remembered");
        assert!(!accept(&memory, 1, 0, 0));
    }

    proptest! {
        #[test]
        fn nothing_is_accepted_twice_and_the_memory_stays_small(
            deeds in proptest::collection::vec((0..40_u8, 0..600_i64), 0..300)
        ) {
            let memory = memory(8);
            let mut accepted = BTreeSet::new();
            for (number, at) in deeds {
                // A signature belongs to one time.
                let signed = i64::from(number) * 15;
                if accept(&memory, number, signed, at) {
                    prop_assert!(accepted.insert(number), "{} twice", number);
                }
                prop_assert!(memory.len() <= 8);
            }
        }
    }
}
