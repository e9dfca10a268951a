//! What was asked of the platform, newest last, for `GET /sandbox/calls`.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// Older calls are forgotten: about 20 MB at most.
const CALLS_MAX: usize = 100_000;

/// One platform call.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Call {
    /// When it came in, by the sandbox's clock.
    pub(super) at_ms: i64,
    pub(super) method: String,
    /// As it was asked, without the query.
    pub(super) path: String,
    /// The HTTP status; 0 when the connection was broken instead of an answer.
    pub(super) http: u16,
    /// The `code` of the envelope.
    pub(super) code: i64,
    /// In real milliseconds.
    pub(super) duration_ms: f64,
    /// `app`, `api`, `chat`, `message`, `card`, `quota`, `scope` or `fault`.
    pub(super) refused_by: Option<&'static str>,
}

/// The bounded log.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<VecDeque<Call>>);

impl Calls {
    pub(super) fn record(&self, call: Call) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() >= CALLS_MAX {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// Those of `since_ms` and later, in the order in which they were answered.
    pub(super) fn since(&self, since_ms: i64) -> Vec<Call> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls
            .iter()
            .filter(|call| call.at_ms >= since_ms)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_forgets_the_oldest_calls() {
        let calls = Calls::default();
        for at_ms in 0..=100_000 {
            calls.record(Call {
                at_ms,
                method: "GET".to_owned(),
                path: "/".to_owned(),
                http: 200,
                code: 0,
                duration_ms: 0.1,
                refused_by: None,
            });
        }
        let kept = calls.since(0);
        assert_eq!(kept.len(), 100_000);
        assert_eq!(kept[0].at_ms, 1);
        assert_eq!(calls.since(100_000).len(), 1);
    }
}
