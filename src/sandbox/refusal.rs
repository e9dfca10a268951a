//! How the platform says no: a code, a sentence, and the HTTP status that goes with them.
//!
//! Codes and sentences are those of the vendor's error tables; the business errors of messages and
//! cards come with HTTP 400.

use serde_json::{Value, json};

/// One refusal, ready to be put into the platform's envelope.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) http: u16,
    pub(super) code: i64,
    pub(super) msg: String,
    /// Members of `error` beside the log id, such as `permission_violations`.
    pub(super) detail: Value,
    /// The limit that refused, where it was one.
    pub(super) limit: Option<Limit>,
}

/// A limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    /// What `GET /sandbox/calls` calls it.
    pub(super) name: &'static str,
    /// How many are allowed, for `x-ogw-ratelimit-limit`.
    pub(super) allowed: usize,
    /// Seconds until the next one is allowed, for `x-ogw-ratelimit-reset`.
    pub(super) wait_s: i64,
}

impl Refusal {
    /// With HTTP 400, as most are.
    pub(super) fn new(code: i64, msg: impl Into<String>) -> Self {
        Self {
            http: 400,
            code,
            msg: msg.into(),
            detail: json!({}),
            limit: None,
        }
    }

    /// The same with another HTTP status.
    pub(super) fn http(self, http: u16) -> Self {
        Self { http, ..self }
    }

    /// 230001 and what is wrong, in the place where the platform says it.
    pub(super) fn parameter(what: impl std::fmt::Display) -> Self {
        Self::new(
            230_001,
            format!("Your request contains an invalid request parameter, ext={what}"),
        )
    }

    /// 99992402: the gateway's own check of a request's members.
    pub(super) fn field(field: &str, description: impl Into<String>) -> Self {
        let violation = json!({"field": field, "value": "", "description": description.into()});
        Self {
            detail: json!({"field_violations": [violation]}),
            ..Self::new(99_992_402, "field validation failed")
        }
    }

    /// 99991672: the app has none of the scopes of which one is needed.
    pub(super) fn scope(app_id: &str, any_of: &[&str]) -> Self {
        let wanted = any_of.join(", ");
        let url = format!(
            "https://open.feishu.cn/app/{app_id}/auth?q={}&op_from=openapi&token_type=tenant",
            any_of.join(",")
        );
        let violations: Vec<Value> = any_of
            .iter()
            .map(|scope| json!({"type": "action_privilege_required", "subject": scope}))
            .collect();
        Self {
            detail: json!({
                "permission_violations": violations,
                "helps": [{"url": url, "description": "grant one of these scopes and publish a version"}],
            }),
            ..Self::new(
                99_991_672,
                format!(
                    "Access denied. One of the following scopes is required: [{wanted}]. \
                     Click the link to grant it: {url}"
                ),
            )
        }
    }

    /// A limit, with the code that goes with it.
    pub(super) fn limited(http: u16, code: i64, msg: &str, limit: Limit) -> Self {
        Self {
            limit: Some(limit),
            ..Self::new(code, msg).http(http)
        }
    }

    /// 230002
    pub(super) fn not_in_chat() -> Self {
        Self::new(230_002, "The bot can not be outside the group.")
    }

    /// 232009
    pub(super) fn dissolved() -> Self {
        Self::new(
            232_009,
            "Your request specifies a chat which has already been dissolved.",
        )
    }

    /// 99992354, what the gateway says about an id it cannot resolve.
    pub(super) fn no_such_message() -> Self {
        Self::new(
            99_992_354,
            "The request you send is not a valid {message_id} or not exists",
        )
    }

    /// 99992356
    pub(super) fn no_such_chat() -> Self {
        Self::new(
            99_992_356,
            "The request you send is not a valid {chat_id} or not exists",
        )
    }

    /// 99992351
    pub(super) fn no_such_open_id() -> Self {
        Self::new(
            99_992_351,
            "The request you send is not a valid {open_id} or not exists",
        )
    }
}
