//! One HTTP exchange with the platform: a bounded answer, and what its headers say.

use std::{net::IpAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, Response, Url, header::HeaderMap, redirect};

use super::{Error, install_crypto};
use crate::{
    config::FeishuConfig,
    telemetry::{CallLabels, LimitLabels, Metrics},
};

/// The most that is read of one answer: a page of 50 messages of 150 KB, and some.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// What the platform answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) log_id: Option<String>,
    /// How long it asks us to wait, if it does.
    pub(super) wait: Option<Duration>,
    /// How many calls the limit allows that was passed, if it says so.
    pub(super) allowed: Option<u32>,
    pub(super) body: Bytes,
}

/// The one HTTP client, with the configured timeouts.
pub(super) fn client(config: &FeishuConfig) -> Result<reqwest::Client, Error> {
    // Without a provider `build` panics (reqwest 0.13, November 2026).
    install_crypto();
    let builder = reqwest::Client::builder();
    let builder = match is_this_machine(&base_url(config)?) {
        // The sandbox. A proxy that the environment names would look for it on its own machine.
        true => builder.no_proxy(),
        false => builder,
    };
    builder
        .timeout(config.request_timeout)
        .connect_timeout(config.connect_timeout)
        // The secret and the token are for the configured host only.
        .redirect(redirect::Policy::none())
        .user_agent(concat!("nightjar/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::Setup(with_causes(&error)))
}

/// The address all calls start with.
pub(super) fn base_url(config: &FeishuConfig) -> Result<Url, Error> {
    let url = Url::parse(config.base_url()).ok();
    url.filter(|url| !url.cannot_be_a_base())
        .ok_or_else(|| Error::Setup("`feishu.base_url` is not an address".into()))
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error with everything that led to it; reqwest's own first line often says nothing.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Sends a request and reads the whole answer, whatever its status.
pub(super) async fn exchange(api: &'static str, request: RequestBuilder) -> Result<Answer, Error> {
    let unreachable = |error| Error::unreachable(api, error);
    read(api, request.send().await.map_err(unreachable)?).await
}

/// Reads the whole of an answer whose head is here.
pub(super) async fn read(api: &'static str, mut response: Response) -> Result<Answer, Error> {
    let unreachable = |error| Error::unreachable(api, error);
    let mut answer = head(&response);
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Error::Unreadable {
                api,
                status: answer.status,
                log_id: answer.log_id,
            });
        }
        body.extend_from_slice(&chunk);
    }
    answer.body = body.freeze();
    Ok(answer)
}

/// Counts one exchange in the metrics.
pub(super) fn count<T>(metrics: &Metrics, api: &'static str, outcome: &Result<T, Error>) {
    let code = match outcome {
        Ok(_) => 0,
        // What cannot be read has no code.
        Err(error) => error.refusal().map_or(-1, |refusal| refusal.code),
    };
    metrics
        .platform_calls
        .get_or_create(&CallLabels { api, code })
        .inc();
    let limit = match outcome {
        Err(Error::TooFast { limit, .. }) => limit.label(),
        Err(Error::QuotaUsedUp(_)) => "quota",
        _ => return,
    };
    metrics
        .platform_refusals
        .get_or_create(&LimitLabels { limit })
        .inc();
}

fn head(response: &Response) -> Answer {
    let headers = response.headers();
    Answer {
        status: response.status().as_u16(),
        log_id: header(headers, &["x-tt-logid", "x-request-id"]).map(str::to_owned),
        wait: header(headers, &["x-ogw-ratelimit-reset", "retry-after"])
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs),
        allowed: header(headers, &["x-ogw-ratelimit-limit"])
            .and_then(|calls| calls.trim().parse().ok()),
        body: Bytes::new(),
    }
}

/// The first of these headers that says anything.
pub(super) fn header<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_called_past_a_proxy() {
        for (url, expected) in [
            ("http://127.0.0.1:7700", true),
            ("http://[::1]:7700", true),
            ("http://localhost", true),
            ("https://open.feishu.cn", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                is_this_machine(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }
}
