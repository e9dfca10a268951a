//! What can go wrong between us and the platform, told apart by what to do next.
//!
//! The platform has thousands of codes and reuses some of them. What we do about one is decided in one
//! table, `reaction`, and a code that is not in it is taken for a plain no.

use std::{fmt, sync::Arc, time::Duration};

use super::api::Api;

/// The wait after a "too fast" that does not say how long. The per-second limits are over by then.
const WAIT_UNTOLD: Duration = Duration::from_secs(1);
/// What a wait is held to be, whatever the platform says: the limits count seconds and minutes.
const WAIT_MIN: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(3600);

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
    /// No call can be made at all: the address is none, or the system has no CA certificates.
    #[error("cannot call feishu: {0}")]
    Setup(String),
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
    /// The page of the developer console that mends it, where the platform names one.
    pub help: Option<String>,
}

impl Error {
    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Busy(_) | Error::TooFast { .. } | Error::Internal(_) => true,
            Error::Unreachable { .. } => true,
            Error::Unreadable { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// What the platform said, where it spoke.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal)
            | Error::Gone(refusal)
            | Error::Forbidden(refusal)
            | Error::TooLarge(refusal)
            | Error::Censored(refusal)
            | Error::StreamClosed(refusal)
            | Error::OutOfSequence(refusal)
            | Error::Busy(refusal)
            | Error::QuotaUsedUp(refusal)
            | Error::Unauthorized(refusal)
            | Error::Internal(refusal) => Some(refusal),
            Error::TooFast { refusal, .. } => refusal.as_deref(),
            Error::Unreadable { .. } | Error::Unreachable { .. } | Error::Setup(_) => None,
        }
    }

    /// Whether the call was never carried out, so that repeating it cannot do a thing twice.
    pub(super) fn was_not_carried_out(&self) -> bool {
        match self {
            Error::Unreachable { source, .. } => source.is_connect(),
            // Trouble inside the platform may have come after the deed.
            Error::Internal(_) | Error::Unreadable { .. } => false,
            _ => true,
        }
    }

    /// Whether a fresh token may mend it.
    pub(super) fn is_stale_token(&self) -> bool {
        matches!(self, Error::Unauthorized(refusal) if is_stale_token(refusal.code))
    }

    /// A success without what it should have brought.
    pub(super) fn unreadable(api: &Api) -> Self {
        Error::Unreadable {
            api: api.name,
            status: 200,
            log_id: None,
        }
    }

    pub(super) fn unreachable(api: &'static str, source: reqwest::Error) -> Self {
        // An address may carry what people searched for, and it says nothing that `api` does not.
        let source = Arc::new(source.without_url());
        Error::Unreachable { api, source }
    }
}

/// What a code asks of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaction {
    Refused,
    Gone,
    Forbidden,
    TooLarge,
    Censored,
    StreamClosed,
    OutOfSequence,
    Busy,
    /// The limit is the API's.
    ApiTooFast,
    /// The limit is that of the chat, message or card the call is about.
    TargetTooFast,
    QuotaUsedUp,
    Unauthorized,
    Internal,
}

/// Reading the platform's codes, in one place.
///
/// Two of them are misread by the vendor's own libraries: 99991400 and 230020 are limits, and neither a
/// missing permission nor a recalled message.
fn reaction(code: i64, sub_code: Option<i64>, status: u16) -> Reaction {
    match code {
        99991400 | 11232 | 1000004 | 232019 => Reaction::ApiTooFast,
        230020 | 11233 | 230047 | 230048 => Reaction::TargetTooFast,
        99991403 => Reaction::QuotaUsedUp,
        // Somebody clicks; a send with this uuid is under way; this reaction is; this chat is being made.
        200810 | 230049 | 231015 | 232068 => Reaction::Busy,
        // Recalled, destroyed, deleted, expired after 14 days, dissolved, or we were removed from the chat.
        230002
        | 230011
        | 230019
        | 230029
        | 230031
        | 230110
        | 230111
        | 231003..=231005
        | 231011
        | 232009
        | 232011
        | 200740
        | 200750
        | 99992354
        | 99992356
        // A resource that is not in this message, or was deleted.
        | 234003
        | 234005 => Reaction::Gone,
        // The app's secret or state, or its list of addresses that may call.
        10003 | 10012..=10014 | 99991401 | 99991543 | 99991661..=99991665 | 99991671 | 99991673 => {
            Reaction::Unauthorized
        }
        // Scopes, the bot ability, the range of people it may reach, the settings of a group.
        99991672
        | 99991676
        | 99991679
        | 41050
        | 230006
        | 230013
        | 230018
        | 230027
        | 230035
        | 230038
        | 230050
        | 230053
        | 230073
        | 231002
        | 231018..=231022
        | 231203
        | 232014
        | 232016
        | 232017
        | 232024
        | 232025
        | 232033
        | 232034
        | 300311
        // Resources: no permission, not in the chat, not our own, restricted, no bot ability.
        | 234002
        | 234004
        | 234007
        | 234008
        | 234009
        | 234019
        | 234038 => Reaction::Forbidden,
        230025 | 200860 | 300305 | 234006 | 234037 => Reaction::TooLarge,
        // 11310 counts elements and tables; it comes inside 230099, and inside CardKit's own codes.
        _ if sub_code == Some(11310) => Reaction::TooLarge,
        230022 | 230028 | 232023 => Reaction::Censored,
        // Closed by its ten minutes, closed in between, switched off.
        200850 | 200510 | 300309 => Reaction::StreamClosed,
        // The uuid of a change is made from its sequence, so a conflict (200770) is a used number too.
        300317 | 200770 => Reaction::OutOfSequence,
        1500 | 2200 | 5000 | 300120 => Reaction::Internal,
        _ if status == 429 => Reaction::ApiTooFast,
        _ if status >= 500 => Reaction::Internal,
        _ => Reaction::Refused,
    }
}

fn is_stale_token(code: i64) -> bool {
    matches!(code, 99991663 | 99991664 | 99991671)
}

impl Refusal {
    /// The error this refusal amounts to. `wait` is the wait the answer named, and `target` the limit of
    /// what the call was about.
    pub(super) fn into_error(self, status: u16, wait: Option<Duration>, target: Limit) -> Error {
        let reaction = reaction(self.code, self.sub_code, status);
        let refusal = Box::new(self);
        let too_fast = |limit, refusal| Error::TooFast {
            wait: wait.unwrap_or(WAIT_UNTOLD).clamp(WAIT_MIN, WAIT_MAX),
            limit,
            refusal: Some(refusal),
        };
        match reaction {
            Reaction::Refused => Error::Refused(refusal),
            Reaction::Gone => Error::Gone(refusal),
            Reaction::Forbidden => Error::Forbidden(refusal),
            Reaction::TooLarge => Error::TooLarge(refusal),
            Reaction::Censored => Error::Censored(refusal),
            Reaction::StreamClosed => Error::StreamClosed(refusal),
            Reaction::OutOfSequence => Error::OutOfSequence(refusal),
            Reaction::Busy => Error::Busy(refusal),
            Reaction::ApiTooFast => too_fast(Limit::Api, refusal),
            Reaction::TargetTooFast => too_fast(target, refusal),
            Reaction::QuotaUsedUp => Error::QuotaUsedUp(refusal),
            Reaction::Unauthorized => Error::Unauthorized(refusal),
            Reaction::Internal => Error::Internal(refusal),
        }
    }
}

impl Limit {
    /// How metrics call it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Limit::App => "app",
            Limit::Api => "api",
            Limit::Chat => "chat",
            Limit::Message => "message",
            Limit::Card => "card",
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i64, sub_code: Option<i64>) -> Refusal {
        Refusal {
            api: "message.reply",
            code,
            sub_code,
            message: "no".into(),
            log_id: None,
            scopes: Vec::new(),
            help: None,
        }
    }

    #[test]
    fn each_code_is_read_as_what_it_asks_of_us() {
        let table: &[(Reaction, &[i64])] = &[
            (Reaction::ApiTooFast, &[99991400, 11232, 1000004]),
            (Reaction::TargetTooFast, &[230020, 11233]),
            (Reaction::QuotaUsedUp, &[99991403]),
            (Reaction::Busy, &[200810, 231015, 230049]),
            (
                Reaction::Gone,
                &[
                    230011, 231003, 230110, 232009, 230002, 200750, 230031, 200740,
                ],
            ),
            (
                Reaction::Unauthorized,
                &[
                    10003, 10014, 99991662, 99991663, 99991664, 99991671, 99991673,
                ],
            ),
            (
                Reaction::Forbidden,
                &[
                    99991672, 230027, 230013, 41050, 231002, 300311, 234004, 234038,
                ],
            ),
            (Reaction::TooLarge, &[230025, 200860, 300305, 234037]),
            (Reaction::Censored, &[230022, 230028]),
            (Reaction::StreamClosed, &[200850, 300309]),
            (Reaction::OutOfSequence, &[300317, 200770]),
            (Reaction::Internal, &[2200, 1500, 5000, 300120]),
            (
                Reaction::Refused,
                &[230001, 231001, 9499, 300301, 300310, 99992402, 230099, 123],
            ),
        ];
        for (expected, codes) in table {
            for code in *codes {
                assert_eq!(reaction(*code, None, 400), *expected, "{code}");
            }
        }
    }

    #[test]
    fn a_hidden_code_and_the_status_count_where_the_code_says_nothing() {
        assert_eq!(reaction(230099, Some(11310), 400), Reaction::TooLarge);
        assert_eq!(reaction(230099, Some(200621), 400), Reaction::Refused);
        assert_eq!(reaction(123, None, 503), Reaction::Internal);
        assert_eq!(reaction(123, None, 429), Reaction::ApiTooFast);
    }

    #[test]
    fn only_what_time_can_mend_is_transient() {
        let error = |code| refusal(code, None).into_error(400, None, Limit::Chat);
        for code in [99991400, 230020, 200810, 300120] {
            assert!(error(code).is_transient(), "{code}");
        }
        for code in [
            230001, 230011, 99991672, 230025, 300309, 300317, 99991403, 10014,
        ] {
            assert!(!error(code).is_transient(), "{code}");
        }
    }

    #[test]
    fn a_chats_limit_is_told_from_the_apis() {
        let wait = Some(Duration::from_secs(7));
        let error = refusal(230020, None).into_error(400, wait, Limit::Chat);
        assert!(
            matches!(error, Error::TooFast { wait, limit: Limit::Chat, .. } if wait.as_secs() == 7)
        );
        let error = refusal(99991400, None).into_error(429, None, Limit::Chat);
        assert!(
            matches!(error, Error::TooFast { wait, limit: Limit::Api, .. } if wait == WAIT_UNTOLD)
        );
        for (told, kept) in [(0, WAIT_MIN), (u64::MAX, WAIT_MAX)] {
            let wait = Some(Duration::from_secs(told));
            let error = refusal(99991400, None).into_error(429, wait, Limit::Chat);
            assert!(matches!(error, Error::TooFast { wait, .. } if wait == kept));
        }
    }

    #[test]
    fn a_message_names_the_api_the_codes_the_scopes_and_the_log_id() {
        let mut refusal = refusal(230099, Some(11310));
        refusal.log_id = Some("2024".into());
        refusal.scopes = vec!["im:message".into(), "im:message:send".into()];
        assert_eq!(
            refusal.into_error(400, None, Limit::Api).to_string(),
            "too large: feishu refused message.reply: no (code 230099/11310, \
             missing scope: im:message or im:message:send, log id 2024)"
        );
    }
}
