//! How the model did when it was last asked. Nobody is asked for this: a status must cost nothing.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::phrase::Phrase;

/// When it last answered, and when and how it last failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The last time that it answered.
    pub answered_at: Option<Timestamp>,
    /// The last failure since then.
    pub failed: Option<(Timestamp, Phrase<'static>)>,
}

/// What was last seen of the model.
#[derive(Default)]
pub(super) struct ModelSeen(Mutex<Seen>);

impl ModelSeen {
    /// Takes note of an answer, or of why there was none.
    pub(super) fn note(&self, failure: Option<Phrase<'static>>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            None => {
                *seen = Seen {
                    answered_at: Some(Timestamp::now()),
                    failed: None,
                }
            }
            Some(phrase) => seen.failed = Some((Timestamp::now(), phrase)),
        }
    }

    /// As it is.
    pub(super) fn get(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
