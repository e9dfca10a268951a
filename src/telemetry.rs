//! What can be seen from outside: the log subscriber, and the metrics.
//!
//! Every metric the bot has is a field of [`Metrics`], so this file is their list. There is no global
//! registry: whoever builds an app owns its numbers, and tests that run side by side do not share any.

use std::{
    io::IsTerminal,
    sync::{Arc, atomic::AtomicU64},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};

/// Labels of `nightjar_events_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EventLabels {
    /// The platform's `event_type`, or `other` for one we do not know.
    pub r#type: &'static str,
    /// `kept`, `noted` (done at once, without being kept), `ignored`, `duplicate`, `unreadable`, `refused`.
    pub outcome: &'static str,
}

/// Labels of `nightjar_webhook_refusals_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    /// Such as `bad_signature`, `stale`, `too_large`; `feishu::webhook::Refusal` has them all. Besides these
    /// `no_room`, `not_kept` and `late`, which are ours and bring the event again.
    pub reason: &'static str,
}

/// Labels of `nightjar_alerts_total` and `nightjar_alert_requests_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AlertLabels {
    /// The integration's name; empty where a request's key is nobody's.
    pub integration: String,
    /// What it came as, such as `alertmanager`.
    pub format: &'static str,
    /// Of alerts: `told`, `hushed` (kept, but nobody is told), `left_out` (too many in one request), and `change`
    /// for what tells of a change. Of requests: `accepted`, or the reason of the refusal, such as `unknown_key`,
    /// `too_fast` or `busy`; `web::alerts::refusal` has them all.
    pub outcome: &'static str,
}

/// Labels of `nightjar_platform_calls_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabels {
    /// Our name for the platform's API, such as `message.reply`.
    pub api: &'static str,
    /// The platform's code, 0 for success, -1 where no answer could be read.
    pub code: i64,
}

/// Labels of `nightjar_platform_refusals_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LimitLabels {
    /// Which limit: `app`, `api`, `chat`, `message`, `card`, `quota`.
    pub limit: &'static str,
}

/// Labels of counters that only tell outcomes apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    /// How it ended, such as `answered`, `stopped`, `failed`.
    pub outcome: &'static str,
}

/// Labels of `nightjar_incidents`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    /// `triggered`, `acknowledged` or `snoozed`.
    pub state: &'static str,
}

/// Labels of `nightjar_last_words_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WayLabels {
    /// `card`, `update`, `patch`, `static`, `text`; `gone` where nobody is there any more, `refused` where
    /// nothing was taken, `not_yet` where it is tried again later.
    pub way: &'static str,
}

/// Labels of `nightjar_feedback_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct VerdictLabels {
    /// `good` or `bad`.
    pub verdict: &'static str,
}

/// Labels of `nightjar_model_tokens_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TokenLabels {
    /// `prompt` or `completion`.
    pub kind: &'static str,
}

/// Labels of `nightjar_tool_calls_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ToolLabels {
    /// The tool's name.
    pub tool: String,
    /// `ok`, `told_model`, `broken`, `timeout`.
    pub outcome: &'static str,
}

/// Every number the bot keeps about itself. Clones share the same numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Events received, by type and by what became of them.
    pub events: Family<EventLabels, Counter>,
    /// Posted requests that were not taken, by the reason.
    pub webhook_refusals: Family<ReasonLabels, Counter>,
    /// Alerts that senders told of, by what became of them.
    pub alerts: Family<AlertLabels, Counter>,
    /// Requests of alert senders, by what they were answered.
    pub alert_requests: Family<AlertLabels, Counter>,
    /// From an alert request's arrival to its answer, with the flush.
    pub alert_request_seconds: Histogram,
    /// From an event's arrival to its acknowledgement.
    pub event_ack_seconds: Histogram,
    /// Questions and commands that are kept and not yet done.
    pub inbox_depth: Gauge,
    /// Turns ended, by outcome.
    pub turns: Family<OutcomeLabels, Counter>,
    /// From a question's arrival to the first text of its answer.
    pub turn_first_text_seconds: Histogram,
    /// From a question's arrival to its last word.
    pub turn_seconds: Histogram,
    /// Parts of answers by the way in which their last word arrived.
    pub last_words: Family<WayLabels, Counter>,
    /// What people thought of answers: a verdict that somebody changes counts once more.
    pub feedback: Family<VerdictLabels, Counter>,
    /// Presses on cards, by what became of them: `answered` in time, `late`, `turned_away`.
    pub clicks: Family<OutcomeLabels, Counter>,
    /// Cards that were still open when their turn was over, and had to be closed later. Where the answer stands
    /// in a message of its own, they say so.
    pub cards_left_open: Counter,
    /// Calls to the platform, by API and code.
    pub platform_calls: Family<CallLabels, Counter>,
    /// Times the platform said "too fast", by the limit it meant.
    pub platform_refusals: Family<LimitLabels, Counter>,
    /// How much of the fullest limit of each kind is used, 1 for all of it.
    pub platform_budget_used_ratio: Family<LimitLabels, Gauge<f64, AtomicU64>>,
    /// How long people's view of a streaming card was behind the answer, at each update.
    pub stream_staleness_seconds: Histogram,
    /// How much of the month's calls is used, 0 where they are not counted.
    pub quota_used_ratio: Gauge<f64, AtomicU64>,
    /// Tokens, as the model's server counted them.
    pub model_tokens: Family<TokenLabels, Counter>,
    /// Tool calls, by tool and outcome.
    pub tool_calls: Family<ToolLabels, Counter>,
    /// Incidents that are not over, by state.
    pub incidents: Family<StateLabels, Gauge>,
    /// Remarks that people made with `/feedback`.
    pub remarks: Counter,
    /// 1 while events can arrive: while the long connection is up, or without one while posts are taken.
    pub connected: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("nightjar");
        macro_rules! register {
            ($name:literal, $help:literal, $metric:expr) => {{
                let metric = $metric;
                registry.register($name, $help, metric.clone());
                metric
            }};
        }
        // Half a millisecond to about half a minute, and to about half an hour.
        let short = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let long = || Histogram::new(exponential_buckets(0.05, 2.0, 15));
        Self {
            // The encoder adds `_total` to counters.
            events: register!("events", "Events received", Family::default()),
            webhook_refusals: register!(
                "webhook_refusals",
                "Posted requests that were not taken",
                Family::default()
            ),
            alerts: register!("alerts", "Alerts received", Family::default()),
            alert_requests: register!(
                "alert_requests",
                "Requests of alert senders",
                Family::default()
            ),
            alert_request_seconds: register!(
                "alert_request_seconds",
                "Arrival of alerts to the answer",
                short()
            ),
            event_ack_seconds: register!(
                "event_ack_seconds",
                "Arrival to acknowledgement",
                short()
            ),
            inbox_depth: register!("inbox_depth", "Kept and not yet done", Gauge::default()),
            turns: register!("turns", "Turns ended", Family::default()),
            turn_first_text_seconds: register!(
                "turn_first_text_seconds",
                "Arrival to first text",
                long()
            ),
            turn_seconds: register!("turn_seconds", "Arrival to last word", long()),
            last_words: register!(
                "last_words",
                "Parts of answers, by how they arrived",
                Family::default()
            ),
            feedback: register!("feedback", "Verdicts on answers", Family::default()),
            clicks: register!("clicks", "Presses on cards", Family::default()),
            cards_left_open: register!(
                "cards_left_open",
                "Cards that were closed after their turn",
                Counter::default()
            ),
            platform_calls: register!("platform_calls", "Calls to the platform", Family::default()),
            platform_refusals: register!(
                "platform_refusals",
                "Refusals for a limit",
                Family::default()
            ),
            platform_budget_used_ratio: register!(
                "platform_budget_used_ratio",
                "Use of the fullest limit of each kind",
                Family::default()
            ),
            stream_staleness_seconds: register!(
                "stream_staleness_seconds",
                "How long text waited to be shown",
                long()
            ),
            quota_used_ratio: register!(
                "quota_used_ratio",
                "Use of the month's calls",
                Gauge::default()
            ),
            model_tokens: register!("model_tokens", "Tokens", Family::default()),
            tool_calls: register!("tool_calls", "Tool calls", Family::default()),
            incidents: register!(
                "incidents",
                "Incidents that are not over, by state",
                Family::default()
            ),
            remarks: register!("remarks", "Remarks made with /feedback", Counter::default()),
            connected: register!("connected", "1 while events can arrive", Gauge::default()),
            registry: Arc::new(registry),
        }
    }
}

impl Metrics {
    /// All numbers in the Prometheus (OpenMetrics) text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

/// Installs the process's log subscriber. A second call in one process changes nothing.
///
/// Logs go to standard error, so that what a command prints can be piped.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    // async-openai logs a chunk it cannot read whole, and a chunk may hold anything.
    let filter = EnvFilter::try_new(format!("{},async_openai=off", config.filter))
        .map_err(|error| anyhow::anyhow!("log.filter is not a filter: {error}"))?;
    let subscriber = tracing_subscriber::registry().with(filter);
    // Colours are for eyes; a file or a collector would keep their codes.
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    let _ = match config.format {
        LogFormat::Text => subscriber.with(lines).try_init(),
        LogFormat::Json => subscriber.with(lines.json()).try_init(),
    };
    Ok(())
}
