//! What was pushed, when, and what came of it: the memory behind `GET /sandbox/deliveries`.
//!
//! Bounded: the oldest attempt is forgotten for the newest.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{DeliveryRecord, failure::Failure};

/// Some megabytes at most.
const RECORDS_MAX: usize = 20_000;

/// A handle to the records; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Records(Arc<Mutex<VecDeque<DeliveryRecord>>>);

impl Records {
    /// Notes an attempt.
    pub(super) fn add(&self, record: DeliveryRecord) {
        let mut records = self.lock();
        if records.len() >= RECORDS_MAX {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// Notes that an attempt was acknowledged with code 200.
    pub(super) fn acked(&self, event_id: &str, attempt: u32, at_ms: i64) {
        self.change(event_id, attempt, |record| record.acked_ms = Some(at_ms));
    }

    /// Notes why an attempt came to nothing.
    pub(super) fn failed(&self, event_id: &str, attempt: u32, why: &Failure) {
        self.change(event_id, attempt, |record| {
            record.failure = Some(why.to_string());
        });
    }

    /// The attempts made at `since_ms` or later, oldest first.
    pub(super) fn since(&self, since_ms: i64) -> Vec<DeliveryRecord> {
        let records = self.lock();
        let new = records.iter().filter(|record| record.at_ms >= since_ms);
        new.cloned().collect()
    }

    fn change(&self, event_id: &str, attempt: u32, change: impl FnOnce(&mut DeliveryRecord)) {
        let mut records = self.lock();
        // From the end, because what changes is nearly always new.
        let found = records
            .iter_mut()
            .rev()
            .find(|record| record.attempt == attempt && record.event_id == event_id);
        if let Some(record) = found {
            change(record);
        }
    }

    /// A record is whole at every moment, so a poisoned lock still holds good records.
    fn lock(&self) -> MutexGuard<'_, VecDeque<DeliveryRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
