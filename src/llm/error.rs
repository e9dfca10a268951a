//! What can go wrong between us and the model, told apart by what to do next.
//!
//! No message here repeats what the server wrote: servers quote keys and prompts in their errors.

use std::{fmt, time::Duration};

/// What can go wrong between us and the model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is missing, wrong, or not allowed to do this. An administrator must act.
    #[error("the model's server does not accept our key ({0}): check model.api_key")]
    Unauthorized(Refusal),
    /// The server understood and said no. Asking again will not help.
    #[error("the model's server refused the request ({0})")]
    Refused(Refusal),
    /// We ask too often. Wait, then ask again.
    #[error("the model's server asks us to slow down")]
    TooFast {
        /// How long, where the server says so.
        wait: Option<Duration>,
    },
    /// The conversation is too long for this model. Trim it, then ask again.
    #[error("the conversation is too long for the model")]
    ContextTooLong,
    /// The server cannot be reached, or has trouble of its own. Ask again later.
    #[error("the model's server cannot be reached: {0}")]
    Unreachable(String),
    /// The server took the request and then said nothing for this long.
    #[error("the model said nothing for {0:?}")]
    NoFirstToken(Duration),
    /// The answer began, and then paused for this long.
    #[error("the model's answer stood still for {0:?}")]
    Stalled(Duration),
    /// The answer ended before its end.
    #[error("the model's answer broke off")]
    BrokenOff,
    /// What came is not an answer. Most often `model.base_url` is not the address of such a server.
    #[error("the model's server sent something that is not an answer: {0}")]
    Garbled(String),
}

/// What a server said when it refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status; 200 where the refusal came inside a stream.
    pub status: u16,
    /// The server's own code, such as `model_not_found`.
    pub code: Option<String>,
    /// The server's own words, at most 4 KiB. They may hold anything, so neither `Display` nor `Debug`
    /// shows them; never log them.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        match &self.code {
            Some(code) => write!(f, ", {code}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}
