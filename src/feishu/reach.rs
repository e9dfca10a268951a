//! Whether the platform can be reached at all, and what time it has. Needs no token and no right.

use std::{error::Error as StdError, io};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::DATE;

use super::http;
use crate::config::FeishuConfig;

/// The platform answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How long the answer took.
    pub took: SignedDuration,
    /// How far its clock is ahead of ours, to about a second, where the answer has a date.
    pub skew: Option<SignedDuration>,
}

/// The platform did not answer, and how. The text is the system's and holds no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// Its name is not known.
    NoSuchName(String),
    /// Nobody takes connections there.
    Refused(String),
    /// The connection cannot be made safe.
    Tls(String),
    /// It took too long.
    Slow,
    /// Anything else.
    Other(String),
}

/// Asks the platform for nothing, and looks at how it answers.
pub async fn reach(config: &FeishuConfig) -> Result<Reached, Unreached> {
    let client = http::client(config).map_err(|error| Unreached::Other(error.to_string()))?;
    let asked = Timestamp::now();
    // Without a token it is refused, which is an answer, and costs nothing of the month's calls.
    let request = client.get(format!(
        "{}/open-apis/application/v6/scopes",
        config.base_url()
    ));
    let answer = request.send().await.map_err(|error| unreached(&error))?;
    let answered = Timestamp::now();
    let took = answered.duration_since(asked);
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| rfc2822::parse(date).ok());
    Ok(Reached {
        took,
        // A date says the second that has begun, so the middle of that second is the better guess.
        skew: date.map(|date| {
            date.timestamp().duration_since(asked) - took / 2 + SignedDuration::from_millis(500)
        }),
    })
}

fn unreached(error: &reqwest::Error) -> Unreached {
    let said = innermost(error);
    let mut causes = std::iter::successors(error.source(), next);
    if error.is_timeout() {
        return Unreached::Slow;
    }
    if causes.clone().any(is_tls) {
        return Unreached::Tls(said);
    }
    if causes
        .clone()
        .any(|cause| cause.to_string().contains("dns error"))
    {
        return Unreached::NoSuchName(said);
    }
    let refused = |cause: &(dyn StdError + 'static)| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    match causes.any(refused) {
        true => Unreached::Refused(said),
        false => Unreached::Other(said),
    }
}

fn next<'a>(cause: &&'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    (**cause).source()
}

/// Errors of TLS come inside those of input and output, and these inside their like.
fn is_tls(cause: &(dyn StdError + 'static)) -> bool {
    let inside = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || inside.is_some_and(|inside| is_tls(inside))
}

fn innermost(error: &reqwest::Error) -> String {
    let last = std::iter::successors(error.source(), next).last();
    last.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::Platform;

    async fn at(base_url: String) -> Result<Reached, Unreached> {
        let config = FeishuConfig {
            base_url: Some(base_url),
            connect_timeout: std::time::Duration::from_millis(300),
            request_timeout: std::time::Duration::from_millis(300),
            ..FeishuConfig::default()
        };
        reach(&config).await
    }

    #[tokio::test]
    async fn each_way_to_fail_is_told_from_the_others() {
        let platform = Platform::start().await;
        let base_url = platform.config().base_url().to_owned();
        let reached = at(base_url.clone()).await.unwrap();
        assert!(reached.skew.unwrap().abs() < SignedDuration::from_secs(5));

        let tls = at(base_url.replace("http", "https")).await.unwrap_err();
        assert!(matches!(tls, Unreached::Tls(_)), "{tls:?}");
        let name = at("http://nightjar.invalid".into()).await.unwrap_err();
        assert!(
            matches!(name, Unreached::NoSuchName(_) | Unreached::Slow),
            "{name:?}"
        );
        // A port that was free a moment ago: the listener goes at the end of the line.
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let free = free.unwrap();
        let refused = at(format!("http://{free}")).await.unwrap_err();
        assert!(matches!(refused, Unreached::Refused(_)), "{refused:?}");
    }
}
