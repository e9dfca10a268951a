//! Why alerts are not taken, in words for whoever set up their sender.
//!
//! A sentence says what to change and never quotes what came: it may be a secret sent to the wrong place.

use std::time::Duration;

use crate::{bot::incidents, incident::alert::AlertError, web::body::Unread};

/// When to come again where it is not known any better.
const SOON: Duration = Duration::from_secs(5);

/// Why a request is not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nobody has this key.
    Stranger,
    /// This sender may not send this format.
    NotAllowed,
    /// It comes too often.
    TooFast(Duration),
    /// The body has more bytes than this sender may send.
    TooLarge(usize),
    /// The body did not come.
    TooSlow,
    /// The body is compressed in a way that we do not know.
    Encoded,
    /// The body is not what its `Content-Encoding` says.
    NotGzip,
    /// The signature is missing or wrong.
    Unsigned,
    /// The body is nothing that could be an alert.
    Unreadable(AlertError),
    /// Too much waits already.
    Busy,
    /// It could not be kept.
    NotKept,
    /// It could not be kept in time. It may be kept all the same; a repetition does no harm.
    Late,
    /// Reading it went wrong, which is our fault.
    Broken,
}

impl Refusal {
    /// The HTTP status.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Stranger | Self::Unsigned => 401,
            Self::NotAllowed => 403,
            Self::TooFast(_) => 429,
            Self::TooLarge(_) => 413,
            Self::TooSlow => 408,
            Self::Encoded => 415,
            Self::NotGzip => 400,
            Self::Unreadable(error) => error.status(),
            Self::Busy | Self::NotKept | Self::Late => 503,
            Self::Broken => 500,
        }
    }

    /// For metrics and the log.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Stranger => "unknown_key",
            Self::NotAllowed => "format_not_allowed",
            Self::TooFast(_) => "too_fast",
            Self::TooLarge(_) => "too_large",
            Self::TooSlow => "too_slow",
            Self::Encoded | Self::Unreadable(AlertError::Unsupported(_)) => "unsupported",
            Self::Unsigned | Self::Unreadable(AlertError::Unsigned(_)) => "bad_signature",
            Self::NotGzip | Self::Unreadable(AlertError::Unreadable(_)) => "unreadable",
            Self::Busy => "busy",
            Self::NotKept => "not_kept",
            Self::Late => "late",
            Self::Broken => "broken",
        }
    }

    /// What its sender is told.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Stranger => {
                "no integration has this key: compare it with `key` in [[alerts.integrations]]"
                    .to_owned()
            }
            Self::NotAllowed => {
                "this integration may not send this format: add it to its `formats`, or use another address"
                    .to_owned()
            }
            Self::TooFast(_) => {
                "this integration sends more often than its `requests_per_minute`".to_owned()
            }
            Self::TooLarge(bytes_max) => format!(
                "the body has more than the {} KiB of `body_kib_max`: send fewer alerts at once, or raise it",
                bytes_max / 1024
            ),
            Self::TooSlow => "the body did not come in time".to_owned(),
            Self::Encoded => {
                "of the values for Content-Encoding only gzip is taken, and only once".to_owned()
            }
            Self::NotGzip => "the body is not gzip, as its Content-Encoding says".to_owned(),
            Self::Unsigned => {
                "this integration has a `signature_secret`: send X-Nightjar-Signature: sha256=<hex of the HMAC-SHA256 of the body with it>"
                    .to_owned()
            }
            Self::Unreadable(error) => error.to_string(),
            Self::Busy => "too much waits already: send it again".to_owned(),
            Self::NotKept | Self::Late => "it could not be kept: send it again".to_owned(),
            Self::Broken => "it could not be read, which is our fault: send it again".to_owned(),
        }
    }

    /// When to come again, where that helps.
    pub(super) fn come_again_after(&self) -> Option<Duration> {
        match self {
            Self::TooFast(wait) => Some(*wait),
            Self::Busy | Self::NotKept | Self::Late => Some(SOON),
            _ => None,
        }
    }

    /// In the words of the formats, whose own answers are made from these.
    pub(super) fn to_alert_error(&self) -> AlertError {
        match self {
            Self::Stranger | Self::Unsigned => AlertError::Unsigned(self.sentence()),
            Self::Unreadable(error) => error.clone(),
            _ => AlertError::Unreadable(self.sentence()),
        }
    }

    /// As [`Unread`] means it for somebody who may send so many bytes.
    pub(super) fn of_unread(unread: Unread, bytes_max: usize) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge(bytes_max),
            Unread::HungUp => Self::TooSlow,
        }
    }
}

impl From<AlertError> for Refusal {
    fn from(error: AlertError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<incidents::Error> for Refusal {
    fn from(error: incidents::Error) -> Self {
        match error {
            incidents::Error::Busy => Self::Busy,
            // The rules refuse people, never alerts; so what is left is the store.
            _ => Self::NotKept,
        }
    }
}
