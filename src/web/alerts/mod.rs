//! `/alerts/{key}/{format}` and PagerDuty's `/v2/enqueue`: what monitors post, kept before it is answered.
//!
//! A sender is known by the key in the address, or in PagerDuty's body. The key is in no log and no metric:
//! from the first moment on its sender is called by name. What is refused is refused with a sentence, because
//! whoever reads it is setting up the sender.

mod answer;
mod bucket;
mod integration;
mod reading;
mod refusal;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::ALLOW},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};
use tracing::{Instrument, debug, info, info_span, warn};
use uuid::Uuid;

use self::{
    integration::{Integration, Integrations},
    reading::Kind,
    refusal::Refusal,
};
use super::{
    body::{self, Unread},
    throttle::Throttle,
};
use crate::{
    bot::incidents::Incidents,
    config::AlertsConfig,
    incident::alert::{Batch, Format},
    telemetry::{AlertLabels, Metrics},
};

/// How long a body may take to come.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// How long keeping it may take. Senders wait ten seconds, some of them five.
const KEPT_WITHIN: Duration = Duration::from_secs(8);
/// How many notes go back to the sender.
const NOTES_MAX: usize = 20;

/// Takes alerts. Clones are the same.
#[derive(Clone)]
pub struct Alerts(Arc<Desk>);

struct Desk {
    integrations: Integrations,
    incidents: Incidents,
    metrics: Metrics,
    /// What the log was told about those whom nobody knows.
    said: Throttle,
}

impl Alerts {
    /// Hands what the configured senders post to `incidents`.
    pub fn new(config: &AlertsConfig, incidents: Incidents, metrics: Metrics) -> Self {
        Self(Arc::new(Desk {
            integrations: Integrations::new(config),
            incidents,
            metrics,
            said: Throttle::default(),
        }))
    }
}

/// All addresses of senders.
pub(super) fn router(alerts: Alerts) -> Router {
    Router::new()
        .route(
            "/alerts/{key}/{format}",
            get(tell_of_alerts).post(take_alerts).options(agree),
        )
        .route(
            "/alerts/{key}/{format}/change",
            get(tell_of_changes).post(take_changes),
        )
        .route("/alerts/{key}", any(no_such_format))
        .route("/v2/enqueue", post(take_event).get(tell_of_events))
        .route("/v2/change/enqueue", post(take_change_event))
        .with_state(alerts)
}

async fn take_alerts(
    State(alerts): State<Alerts>,
    Path((key, format)): Path<(String, String)>,
    request: Request,
) -> Response {
    match kind(&format, false) {
        Some(kind) => alerts.0.answer(kind, Some(key), request).await,
        None => no_such_format().await,
    }
}

async fn take_changes(
    State(alerts): State<Alerts>,
    Path((key, format)): Path<(String, String)>,
    request: Request,
) -> Response {
    match kind(&format, true) {
        Some(kind) => alerts.0.answer(kind, Some(key), request).await,
        None => no_such_format().await,
    }
}

async fn take_event(State(alerts): State<Alerts>, request: Request) -> Response {
    alerts.0.answer(PAGERDUTY, None, request).await
}

async fn take_change_event(State(alerts): State<Alerts>, request: Request) -> Response {
    let kind = Kind {
        is_change: true,
        ..PAGERDUTY
    };
    alerts.0.answer(kind, None, request).await
}

async fn tell_of_alerts(Path((_, format)): Path<(String, String)>) -> Response {
    tell(kind(&format, false)).await
}

async fn tell_of_changes(Path((_, format)): Path<(String, String)>) -> Response {
    tell(kind(&format, true)).await
}

async fn tell_of_events() -> String {
    answer::alive(PAGERDUTY)
}

async fn tell(kind: Option<Kind>) -> Response {
    match kind {
        Some(kind) => answer::alive(kind).into_response(),
        None => no_such_format().await,
    }
}

async fn no_such_format() -> Response {
    (StatusCode::NOT_FOUND, answer::no_such_format()).into_response()
}

/// What senders of CloudEvents ask before they send, so that nobody is flooded with what they never wanted
/// (<https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md>). Who knows a key is wanted,
/// and whether this one is a key is not said here.
async fn agree() -> Response {
    let mut answer = StatusCode::OK.into_response();
    let headers = answer.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert("webhook-allowed-origin", HeaderValue::from_static("*"));
    headers.insert("webhook-allowed-rate", HeaderValue::from_static("*"));
    answer
}

const PAGERDUTY: Kind = Kind {
    format: Format::Pagerduty,
    is_change: false,
};

/// What an address takes, by its last part.
fn kind(format: &str, is_change: bool) -> Option<Kind> {
    let has_changes = |format| matches!(format, Format::Pagerduty | Format::Flashduty);
    let mut formats = Format::ALL.into_iter();
    let format = formats.find(|one| one.as_str() == format)?;
    (!is_change || has_changes(format)).then_some(Kind { format, is_change })
}

impl Desk {
    /// Answers a request. Without a key in the address, it is in the body.
    async fn answer(&self, kind: Kind, key: Option<String>, request: Request) -> Response {
        let began = Instant::now();
        let request_id = Uuid::new_v4().simple().to_string();
        let (head, body) = request.into_parts();
        let (integration, raw) = self.receive(key, &head.headers, body).await;
        let name = integration.as_ref().map_or("", |one| &one.name);
        let span = info_span!("alerts", integration = name, format = kind.format.as_str(), request.id = %request_id);
        let taken = async {
            let integration = integration.as_ref().ok_or(Refusal::Stranger)?;
            self.take(kind, integration, head.headers, raw, &request_id)
                .await
        };
        let taken = taken.instrument(span.clone()).await;
        let outcome = taken.as_ref().map_or_else(Refusal::reason, |_| "accepted");
        let labels = labels(name, kind, outcome);
        self.metrics.alert_requests.get_or_create(&labels).inc();
        let took = began.elapsed().as_secs_f64();
        self.metrics.alert_request_seconds.observe(took);
        match taken {
            Ok(words) => answer::accepted(kind, words),
            Err(refusal) => {
                let said = integration.as_ref().map_or(&self.said, |one| &one.said);
                span.in_scope(|| tell_log(said, &refusal));
                answer::refused(kind, &refusal, &request_id)
            }
        }
    }

    /// The sender and the bytes. The body is read to its end in any case, so that the answer is heard.
    async fn receive(
        &self,
        key: Option<String>,
        headers: &HeaderMap,
        body: Body,
    ) -> (Option<Arc<Integration>>, Result<Bytes, Unread>) {
        let known = key.map(|key| self.integrations.find(&key).cloned());
        let bytes_max = match &known {
            None => self.integrations.bytes_max,
            Some(Some(integration)) => integration.bytes_max,
            Some(None) => 0,
        };
        let body = body::read(headers, body, bytes_max);
        let raw = timeout(READ_WITHIN, body)
            .await
            .unwrap_or(Err(Unread::HungUp));
        let integration = match (known, &raw) {
            (Some(known), _) => known,
            (None, Ok(raw)) => {
                let (headers, raw) = (headers.clone(), raw.clone());
                let key = spawn_blocking(move || reading::routing_key(&headers, &raw, bytes_max));
                let key = key.await.ok().flatten();
                key.and_then(|key| self.integrations.find(&key).cloned())
            }
            (None, Err(_)) => None,
        };
        (integration, raw)
    }

    /// Reads what a known sender posted, and has it kept. Gives the words of the answer.
    async fn take(
        &self,
        kind: Kind,
        integration: &Arc<Integration>,
        headers: HeaderMap,
        raw: Result<Bytes, Unread>,
        request_id: &str,
    ) -> Result<serde_json::Value, Refusal> {
        integration.admit(kind.format)?;
        let too_long = |unread| Refusal::of_unread(unread, integration.bytes_max);
        let raw = raw.map_err(too_long)?;
        // Where the key is in the body, it was read before it was known how long it may be.
        if raw.len() > integration.bytes_max {
            return Err(too_long(Unread::TooLarge));
        }
        integration.check_signature(&headers, &raw)?;
        let reader = integration.clone();
        // Five thousand alerts take a while to read.
        let batch =
            spawn_blocking(move || reading::read(kind, &reader, &headers, &raw, Timestamp::now()));
        let batch = batch.await.map_err(|_| Refusal::Broken)??;
        self.keep(kind, integration, batch, request_id).await
    }

    async fn keep(
        &self,
        kind: Kind,
        integration: &Integration,
        batch: Batch,
        request_id: &str,
    ) -> Result<serde_json::Value, Refusal> {
        let own_words = answer::own_words(kind, &batch, request_id);
        let (changes, left_out, notes) = (batch.changes.len(), batch.left_out, notes(&batch));
        let taken = self.incidents.take(&integration.name, batch);
        let taken = match timeout(KEPT_WITHIN, taken).await {
            Ok(taken) => taken?,
            Err(_) => return Err(Refusal::Late),
        };
        for (outcome, count) in [
            ("told", taken.alerts.saturating_sub(taken.hushed) as u64),
            ("hushed", taken.hushed as u64),
            ("change", changes as u64),
            ("left_out", left_out),
        ] {
            let labels = labels(&integration.name, kind, outcome);
            self.metrics.alerts.get_or_create(&labels).inc_by(count);
        }
        debug!(
            alerts = taken.alerts,
            opened = taken.opened,
            hushed = taken.hushed,
            "took alerts"
        );
        if !notes.is_empty()
            && let Some(kept_back) = integration.said.may_say("notes", Instant::now())
        {
            info!(
                kept_back,
                ?notes,
                "took alerts, but not quite as they were sent"
            );
        }
        Ok(own_words.unwrap_or_else(|| answer::our_words(taken, changes, left_out, &notes)))
    }
}

/// What was cut, mended or guessed, each thing once.
fn notes(batch: &Batch) -> Vec<String> {
    let mut notes = batch.notes.clone();
    for note in batch.alerts.iter().flat_map(|alert| &alert.notes) {
        if notes.len() >= NOTES_MAX {
            break;
        }
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

fn labels(integration: &str, kind: Kind, outcome: &'static str) -> AlertLabels {
    AlertLabels {
        integration: integration.to_owned(),
        format: kind.format.as_str(),
        outcome,
    }
}

/// A line for the log, once a minute about each sender and reason.
fn tell_log(said: &Throttle, refusal: &Refusal) {
    let reason = refusal.reason();
    if let Some(kept_back) = said.may_say(reason, Instant::now()) {
        warn!(
            reason,
            kept_back,
            "alerts were refused: {}",
            refusal.sentence()
        );
    }
}
