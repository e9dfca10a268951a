//! The bot's own HTTP server: whether it lives, whether it can work, its numbers, and what the platform and
//! monitors post to it.

mod alerts;
mod body;
mod connections;
mod events;
mod health;
mod throttle;

use std::{future::Future, io, net::SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tracing::info;

pub use alerts::Alerts;
pub use events::Posts;
pub use health::Health;

/// The server, bound and not yet serving.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

impl Server {
    /// Takes the address. Fails where it is not ours to take.
    pub async fn bind(
        listen: SocketAddr,
        health: Health,
        posts: Posts,
        alerts: Alerts,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            router: health::router(health)
                .merge(events::router(posts))
                .merge(alerts::router(alerts)),
        })
    }

    /// Where it listens, with the port that was given for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` completes and what was asked before is answered.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        info!(address = %self.address, "serving HTTP");
        connections::serve(
            self.listener,
            self.router,
            stop,
            connections::Limits::default(),
        )
        .await;
        Ok(())
    }
}
