//! The bot's own HTTP server: whether it lives, whether it can work, and its numbers.

use std::{future::Future, io, net::SocketAddr};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use tracing::info;

use crate::{feishu::ws::Link, store::Store, telemetry::Metrics};

/// What the answers are made from.
#[derive(Clone)]
pub struct Health {
    /// Whether events can arrive.
    pub link: watch::Receiver<Link>,
    /// Whether they can be kept.
    pub store: Store,
    /// The numbers of `/metrics`.
    pub metrics: Metrics,
}

/// The server, bound and not yet serving.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl Server {
    /// Takes the address. Fails where it is not ours to take.
    pub async fn bind(listen: SocketAddr, health: Health) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            router: router(health),
        })
    }

    /// Where it listens, with the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` completes and what was asked before is answered.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        info!(address = %self.address, "health and metrics are served");
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(stop)
            .await
    }
}

fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// 200 when a question would be received and kept, 503 with the reason when not.
async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let connected = matches!(*health.link.borrow(), Link::Up);
    let writable = health.store.is_writable();
    let status = if connected && writable {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({ "connected": connected, "store_writable": writable })),
    )
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([("content-type", kind)], health.metrics.render())
}
