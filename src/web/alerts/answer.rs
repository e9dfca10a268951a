//! What senders are answered: those whose clients look at the body are answered as they expect it.

use axum::{
    Json,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{reading::Kind, refusal::Refusal};
use crate::{
    bot::incidents::Taken,
    incident::alert::{Batch, Format, feishu_bot, flashduty, pagerduty},
};

/// What the vendor of a format says, if its clients look at it. Made before the batch is handed over.
pub(super) fn own_words(kind: Kind, batch: &Batch, request_id: &str) -> Option<Value> {
    match kind.format {
        Format::Pagerduty => Some(pagerduty::accepted(batch)),
        Format::Flashduty => Some(flashduty::accepted(batch, request_id)),
        Format::FeishuBot => Some(feishu_bot::accepted()),
        _ => None,
    }
}

/// What everyone else is answered: enough to see with `curl` what came of it.
pub(super) fn our_words(taken: Taken, changes: usize, left_out: u64, notes: &[String]) -> Value {
    json!({
        "status": "accepted",
        "alerts": taken.alerts,
        "opened": taken.opened,
        "hushed": taken.hushed,
        "changes": changes,
        "left_out": left_out,
        "notes": notes,
    })
}

/// It is kept.
pub(super) fn accepted(kind: Kind, words: Value) -> Response {
    let status = match kind.format {
        // These look for 200 and nothing else.
        Format::FeishuBot | Format::Flashduty => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    (status, Json(words)).into_response()
}

/// It is not.
pub(super) fn refused(kind: Kind, refusal: &Refusal, request_id: &str) -> Response {
    let error = refusal.to_alert_error();
    let (mut status, mut words) = (
        refusal.status(),
        match kind.format {
            Format::Pagerduty => pagerduty::refused(&error),
            Format::Flashduty => flashduty::refused(&error, request_id),
            Format::FeishuBot => feishu_bot::refused(&error),
            _ => json!({"status": "refused", "error": refusal.sentence()}),
        },
    );
    if kind.format == Format::FeishuBot {
        match refusal {
            Refusal::Stranger => words["code"] = json!(19001),
            Refusal::TooFast(_) => words["code"] = json!(11232),
            _ => {}
        }
        // Robots answer 200 whatever is wrong with a message, and some senders take anything else for a broken
        // network. Only where sending again helps do we say so.
        if refusal.come_again_after().is_none() {
            status = 200;
        }
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut answer = (status, Json(words)).into_response();
    if let Some(wait) = refusal.come_again_after() {
        // Whole seconds, and never before there is room.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// Said to whoever looks at an address with a browser. The same for every key, or keys could be tried.
pub(super) fn alive(kind: Kind) -> String {
    let what = match (kind.format, kind.is_change) {
        (Format::Alertmanager, _) => "what Prometheus Alertmanager sends to a webhook",
        (Format::Grafana, _) => "what Grafana sends to a webhook contact point",
        (Format::Nightingale, _) => "what Nightingale sends to a webhook or callback",
        (Format::Pagerduty, false) => "events of PagerDuty's Events API v2",
        (Format::Pagerduty, true) => "change events of PagerDuty's Events API v2",
        (Format::Flashduty, false) => "standard alert events of Flashduty",
        (Format::Flashduty, true) => "standard change events of Flashduty",
        (Format::Cloudevents, _) => "CloudEvents 1.0, structured, batched or in headers",
        (Format::FeishuBot, _) => "messages as for a custom robot of Feishu or Lark",
        (Format::Generic, _) => "JSON, as the mapping of the integration expects it",
    };
    format!(
        "Nightjar is here. POST {what} to this address. Whether its key is right is said to a POST only.\n"
    )
}

/// Said where the address has no format, or one that there is not.
pub(super) fn no_such_format() -> String {
    let names: Vec<&str> = Format::ALL.into_iter().map(Format::as_str).collect();
    format!(
        "There is no such address. It ends in the format that is sent: /alerts/<key>/ and one of {}; for changes \
         pagerduty/change or flashduty/change.\n",
        names.join(", ")
    )
}
