//! What can go wrong between us and the platform, told apart by what to do next.
//!
//! The platform has thousands of codes and reuses some of them. What we do about one is decided in one
//! table, [`reaction`], and a code that is not in it is taken for a plain no.

use std::{fmt, sync::Arc, time::Duration};

/// What can go wrong between us and the platform, told apart by what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It understood and said no. Asking again, unchanged, will not help.
    #[error("feishu refused {0}")]
    Refused(Box<Refusal>),
    /// The message, card or chat is not there any more, or not for us. Stop working on it.
    #[error("gone: feishu refused {0}")]
    Gone(Box<Refusal>),
    /// The app lacks a right that somebody can give it; [`Refusal::scopes`] names missing scopes.
    #[error("not allowed: feishu refused {0}")]
    Forbidden(Box<Refusal>),
    /// Too many bytes, elements or tables. Send less, or in parts.
    #[error("too large: feishu refused {0}")]
    TooLarge(Box<Refusal>),
    /// An audit or a word list objected to what we wrote. Mask it, or say that it could not be said.
    #[error("objected to the content: feishu refused {0}")]
    Censored(Box<Refusal>),
    /// The card does not stream any more. Switch streaming on again or end the card; do not repeat the call.
    #[error("the card no longer streams: feishu refused {0}")]
    StreamClosed(Box<Refusal>),
    /// The card has accepted a higher sequence number already. Go on from a higher one.
    #[error("out of sequence: feishu refused {0}")]
    OutOfSequence(Box<Refusal>),
    /// Somebody is using the card, or the same request is still under way. Ask again in about a second.
    #[error("busy: feishu refused {0}")]
    Busy(Box<Refusal>),
    /// We ask too often. Ask again after the wait.
    #[error("asked too often, wait {wait:?}")]
    TooFast {
        /// How long to wait before asking again.
        wait: Duration,
        /// Which limit it was.
        limit: Limit,
        /// What the platform said; absent when we held the call back ourselves.
        refusal: Option<Box<Refusal>>,
    },
    /// The organisation's calls of this month are used up. Only what cannot wait should still be tried.
    #[error("the monthly quota is used up: feishu refused {0}")]
    QuotaUsedUp(Box<Refusal>),
    /// The app itself is not accepted: a wrong id or secret, disabled, not installed. An administrator must act.
    #[error("the app is not accepted: feishu refused {0}")]
    Unauthorized(Box<Refusal>),
    /// The platform had trouble of its own. Later the same may work.
    #[error("trouble at feishu: it refused {0}")]
    Internal(Box<Refusal>),
    /// An answer came that cannot be read.
    #[error("unreadable answer to {api} (HTTP {status}, log id {})", .log_id.as_deref().unwrap_or("none"))]
    Unreadable {
        /// Our name of the API.
        api: &'static str,
        /// The HTTP status it came with.
        status: u16,
        /// The platform's log id, if it gave one.
        log_id: Option<String>,
    },
    /// No answer came.
    #[error("no answer to {api}")]
    Unreachable {
        /// Our name of the API.
        api: &'static str,
        /// What the HTTP client says, without the address.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The HTTP client could not be made, most often because the system has no CA certificates.
    #[error("cannot make an HTTP client")]
    Setup(#[source] Arc<reqwest::Error>),
}

/// A limit of the platform, by what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// All calls of the app.
    App,
    /// Calls of one API.
    Api,
    /// Writing to one chat or person.
    Chat,
    /// Changes of one message.
    Message,
    /// Operations on one card entity.
    Card,
}

/// A no from the platform, with what is needed to ask its support about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Our name of the API, such as `message.reply`.
    pub api: &'static str,
    /// The platform's code.
    pub code: i64,
    /// The code inside the message, which 230099 ("failed to create card content") hides there.
    pub sub_code: Option<i64>,
    /// The platform's words, shortened, without the value it may quote.
    pub message: String,
    /// The platform's log id.
    pub log_id: Option<String>,
    /// Scopes the app would need; any one of them is enough.
    pub scopes: Vec<String>,
}

impl Error {
    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        unimplemented!()
    }

    /// What the platform said, where it spoke.
    pub fn refusal(&self) -> Option<&Refusal> {
        unimplemented!()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (code {}", self.api, self.message, self.code)?;
        if let Some(sub_code) = self.sub_code {
            write!(f, "/{sub_code}")?;
        }
        if !self.scopes.is_empty() {
            write!(f, ", missing scope: {}", self.scopes.join(" or "))?;
        }
        write!(f, ", log id {})", self.log_id.as_deref().unwrap_or("none"))
    }
}
