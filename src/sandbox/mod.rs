//! A small, strict Feishu to talk to: its HTTP API, its long connection, people, a chat page.
//!
//! It imports nothing of ours and speaks only HTTP and WebSocket, so that a misreading of the
//! protocol in our client cannot agree with itself. Facts come from the vendor's documentation; its
//! judge is the vendor's own SDK. Where the documentation is silent, the choice is said beside the
//! code. Everything lives in memory and runs on a clock that can be moved.

mod app;
mod clock;
mod faults;
mod live;
mod model;
mod page;
mod push;
mod server;

use std::{io, net::SocketAddr, sync::Arc};

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use self::{app::App, clock::Clock, faults::Faults, live::Live, push::Push};

/// How a sandbox is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Decides ids, tokens and every random choice.
    pub seed: u64,
    /// Whether the platform's rate limits hold. Off only for measurements of something else.
    pub limits: bool,
    /// Whether the sandbox opens onto an incident already going on, or onto an empty tenant.
    pub scene: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            limits: true,
            scene: true,
        }
    }
}

/// What a bot needs to connect to the sandbox.
#[derive(Debug, Clone)]
pub struct Access {
    /// Without a slash at the end; `/open-apis/…` follows.
    pub base_url: String,
    /// For `OPENAI_BASE_URL`: ends in `/v1`.
    pub model_url: String,
    /// The chat page.
    pub page_url: String,
    /// `cli_…`
    pub app_id: String,
    /// Belongs to this sandbox only, so it is no secret to anyone who can reach it.
    pub app_secret: String,
    /// Stands in every event's header.
    pub verification_token: String,
    /// For webhooks.
    pub encrypt_key: String,
    /// The bot's `ou_…`.
    pub bot_open_id: String,
}

/// A running sandbox; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    access: Access,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Binds and serves. Needs a tokio runtime; takes milliseconds.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::seeded(options.seed));
        let clock = Clock::new();
        let faults = Faults::new(options.seed);
        let live = Live::new();
        let push = Push::new(
            Arc::clone(&app),
            clock.clone(),
            faults.clone(),
            options.seed,
        );
        let stop = CancellationToken::new();
        let router = Router::new()
            .merge(push.router())
            .merge(live.router())
            .merge(model::router(move || clock.now_ms()))
            .merge(page::router());
        let server = tokio::spawn(server::serve(listener, router, stop.clone()));
        Ok(Self {
            access: access(&app, address),
            stop,
            server: Some(server),
        })
    }

    /// What a bot needs to connect.
    pub fn state(&self) -> Access {
        self.access.clone()
    }

    /// Where people look at it.
    pub fn page_url(&self) -> &str {
        &self.access.page_url
    }

    /// Asks the sandbox to stop; [`Sandbox::stopped`] waits until it has.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the sandbox has stopped and let go of its address.
    pub async fn stopped(mut self) {
        if let Some(server) = self.server.take() {
            // It ends by `stop` only, and a panic in it has been printed already.
            let _ = server.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn access(app: &App, address: SocketAddr) -> Access {
    let base_url = format!("http://{address}");
    Access {
        model_url: format!("{base_url}/v1"),
        page_url: format!("{base_url}/"),
        base_url,
        app_id: app.app_id.clone(),
        app_secret: app.app_secret.clone(),
        verification_token: app.verification_token.clone(),
        encrypt_key: app.encrypt_key.clone(),
        bot_open_id: app.open_id.clone(),
    }
}
