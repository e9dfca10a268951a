//! The long connection: we call the platform, and it sends events down the line.
//!
//! [`run`] keeps one connection and makes a new one whenever it is lost. Events arrive at least once: a
//! [`Delivery`] whose answer does not come in time, or whose connection is lost before, comes again with
//! the same event id. (An HTTP proxy is not used here, although the other calls use the one that the
//! environment names.)

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Answer, Delivery, http};
use crate::{config::FeishuConfig, telemetry::Metrics};

mod connection;
mod discovery;
mod fragments;
mod frame;
mod pulse;

pub use fragments::{FragmentError, Fragments};
pub use frame::{Frame, FrameError, Header};

use connection::{Connection, End};
use discovery::{Settings, Trouble, discover};

/// The wait after the first failed attempt; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// How the connection is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// On its way.
    Connecting,
    /// Open.
    Up,
    /// Lost; it will be tried again.
    Down,
    /// Given up, and why.
    Fatal(String),
}

/// Why trying again cannot mend the connection. Each is a sentence for whoever runs the bot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    /// The id or the secret is wrong.
    #[error(
        "feishu does not accept `feishu.app_id` with `feishu.app_secret` (code 514): \
         copy both anew from the developer console, under Credentials & Basic Info"
    )]
    WrongCredentials,
    /// The app belongs to the other edition.
    #[error(
        "the app is not known at {base_url} (code 1000040351): \
         set `feishu.brand` to the edition the app was made on, feishu or lark"
    )]
    WrongBrand {
        /// Where we asked.
        base_url: String,
    },
    /// There are as many connections as the platform allows.
    #[error(
        "the app has too many long connections (code 1000040350; 50 are allowed): \
         stop other copies of the bot, then start it again"
    )]
    TooManyConnections,
    /// The app may not connect.
    #[error(
        "feishu forbids the long connection to this app (code 403): \
         it has to be a self-built app with the bot ability, enabled, and with a published version"
    )]
    Forbidden,
    /// The platform refused for a reason we have no better words for.
    #[error("feishu refused the long connection: {message} (code {code})")]
    Refused {
        /// The platform's code.
        code: i64,
        /// The platform's words.
        message: String,
    },
    /// The platform limits the number of attempts, and they are used up.
    #[error(
        "gave up after {attempts} failed attempts to connect, the most that feishu allows; the last one: {last}"
    )]
    GaveUp {
        /// How many there were.
        attempts: u32,
        /// What went wrong at the last one.
        last: String,
    },
    /// No call can be made from here at all.
    #[error("{0}")]
    Setup(String),
}

impl Fatal {
    fn wrong_brand(config: &FeishuConfig) -> Self {
        Fatal::WrongBrand {
            base_url: config.base_url().to_owned(),
        }
    }
}

/// Why a knock at the door brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLetIn {
    /// Trying again cannot mend it.
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// It may go better later.
    #[error("{0}")]
    Passing(String),
}

/// Asks for a connection and does not open it, so that no event can come down it: a connection more would
/// take its share of them away from the bot that runs.
pub async fn knock(config: &FeishuConfig) -> Result<(), NotLetIn> {
    let http = http::client(config).map_err(|error| Fatal::Setup(error.to_string()))?;
    match discover(&http, config).await {
        Ok(_) => Ok(()),
        Err(Trouble::Fatal(fatal)) => Err(fatal.into()),
        Err(Trouble::Passing(reason)) => Err(NotLetIn::Passing(reason)),
    }
}

/// Keeps a connection until `stop`, and tells on `link` how it is doing.
///
/// It also ends, without an error, when nobody receives `deliveries` any more.
///
/// # Errors
/// Only what trying again cannot mend. It is told on `link` too.
pub async fn run(
    config: &FeishuConfig,
    deliveries: mpsc::Sender<Delivery>,
    link: watch::Sender<Link>,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), Fatal> {
    let outcome = keep(config, &deliveries, &link, &metrics, &stop).await;
    metrics.connected.set(0);
    link.send_replace(match &outcome {
        Ok(()) => Link::Down,
        Err(fatal) => Link::Fatal(fatal.to_string()),
    });
    outcome
}

async fn keep(
    config: &FeishuConfig,
    deliveries: &mpsc::Sender<Delivery>,
    link: &watch::Sender<Link>,
    metrics: &Metrics,
    stop: &CancellationToken,
) -> Result<(), Fatal> {
    let http = http::client(config).map_err(|error| Fatal::Setup(error.to_string()))?;
    let mut settings = Settings::default();
    let mut failures = 0;
    loop {
        link.send_replace(Link::Connecting);
        let attempt = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            attempt = connect(&http, config, &mut settings) => attempt,
        };
        let trouble = match attempt {
            Ok(mut connection) => {
                metrics.connected.set(1);
                link.send_replace(Link::Up);
                let end = connection.serve(deliveries, metrics, stop).await;
                metrics.connected.set(0);
                settings = connection.settings();
                // One that opens and breaks at once is no better than one that does not open.
                failures = match connection.was_heard() {
                    true => 0,
                    false => failures + 1,
                };
                match end {
                    End::Stopped | End::Unwanted => return Ok(()),
                    End::Lost(reason) => reason,
                }
            }
            Err(Trouble::Passing(reason)) => {
                failures += 1;
                reason
            }
            Err(Trouble::Fatal(fatal)) => return Err(fatal),
        };
        if settings.attempts_max.is_some_and(|most| failures > most) {
            return Err(Fatal::GaveUp {
                attempts: failures,
                last: trouble,
            });
        }
        link.send_replace(Link::Down);
        let wait = wait_before(failures, &settings, config.reconnect_wait_max);
        warn!(wait = ?wait, "no long connection: {trouble}; connecting again");
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn connect(
    http: &reqwest::Client,
    config: &FeishuConfig,
    settings: &mut Settings,
) -> Result<Connection, Trouble> {
    let endpoint = discover(http, config).await?;
    if let Some(served) = &endpoint.settings {
        *settings = settings.changed_by(served);
    }
    let connection = Connection::open(&endpoint, *settings, config).await?;
    info!(connection.id = %endpoint.device_id, "the long connection is up");
    Ok(connection)
}

/// The wait before the next attempt, `longest` at most.
///
/// A first attempt after a loss comes at a random time within what the platform asks for, since it may
/// have lost everybody at once. Further ones wait longer each time, up to the interval it asks for.
fn wait_before(failures: u32, settings: &Settings, longest: Duration) -> Duration {
    if failures == 0 {
        return settings.spread.min(longest).mul_f64(fastrand::f64());
    }
    let most = settings.retry_after.min(longest).max(FIRST_WAIT);
    let wait = FIRST_WAIT
        .saturating_mul(1 << (failures - 1).min(16))
        .min(most);
    wait.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests;
