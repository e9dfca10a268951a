//! A bot that runs already, asked by its own HTTP, so that nothing is taken away from it.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;

use crate::feishu::install_crypto;

/// It answers from memory, on this machine.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a running bot says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Running {
    /// Whether its long connection is up.
    pub(super) is_connected: bool,
    /// Whether its store takes anything.
    pub(super) can_keep: bool,
    /// How many events arrived since it was started.
    pub(super) events: u64,
    /// How many of them were presses of a button.
    pub(super) presses: u64,
}

#[derive(Deserialize)]
struct Ready {
    connected: bool,
    store_writable: bool,
}

/// Asks whoever listens at the configured address; `None` where that is no bot of ours.
pub(super) async fn ask(listen: SocketAddr) -> Option<Running> {
    if listen.port() == 0 {
        return None;
    }
    install_crypto();
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .ok()?;
    let listen = reachable(listen);
    let get = async |path: &str| {
        let answer = client.get(format!("http://{listen}{path}")).send().await;
        answer.ok()?.text().await.ok()
    };
    let ready: Ready = serde_json::from_str(&get("/readyz").await?).ok()?;
    let metrics = get("/metrics").await?;
    if !metrics.contains("nightjar_connected") {
        return None;
    }
    let (events, presses) = events(&metrics);
    Some(Running {
        is_connected: ready.connected,
        can_keep: ready.store_writable,
        events,
        presses,
    })
}

/// One listens at all addresses, and calls one of them.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.is_ipv4() {
            true => std::net::Ipv4Addr::LOCALHOST.into(),
            false => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

/// How many events there were, and how many of them presses, in the text that `/metrics` serves.
fn events(metrics: &str) -> (u64, u64) {
    let mut counts = (0, 0);
    for line in metrics.lines() {
        let Some(rest) = line.strip_prefix("nightjar_events_total{") else {
            continue;
        };
        let count = rest.rsplit(' ').next().and_then(|count| count.parse().ok());
        let count: u64 = count.unwrap_or(0);
        counts.0 += count;
        if rest.contains("type=\"card.action.trigger") {
            counts.1 += count;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_over_all_labels() {
        let metrics = "# HELP nightjar_events Events received.\n\
            nightjar_events_total{type=\"im.message.receive_v1\",outcome=\"kept\"} 3\n\
            nightjar_events_total{type=\"card.action.trigger\",outcome=\"kept\"} 2\n\
            nightjar_connected 1\n";
        assert_eq!(events(metrics), (5, 2));
        assert_eq!(events(""), (0, 0));
    }

    #[tokio::test]
    async fn nobody_is_no_bot() {
        assert_eq!(ask(([127, 0, 0, 1], 0).into()).await, None);
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        assert_eq!(ask(address).await, None);
    }
}
