//! A small, strict Feishu to talk to: its HTTP API, its long connection, people, a chat page.
//!
//! It imports nothing of ours and speaks only HTTP and WebSocket, so that a misreading of the
//! protocol in our client cannot agree with itself. Facts come from the vendor's documentation; its
//! judge is the vendor's own SDK. Where the documentation is silent, the choice is said beside the
//! code. Everything lives in memory and runs on a clock that can be moved.

mod alerts;
mod api;
mod app;
mod calls;
mod card;
mod clock;
mod console;
mod control;
mod entities;
mod faults;
mod hub;
mod limits;
mod live;
mod model;
mod page;
mod post;
mod press;
mod push;
mod refusal;
mod render;
mod scopes;
mod seed;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod world;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, middleware};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use self::{
    alerts::Alerts,
    app::App,
    calls::Calls,
    clock::Clock,
    faults::Faults,
    hub::{Hub, Parts},
    limits::Limits,
    live::{Live, News},
    push::Push,
    world::World,
};

pub use self::alerts::AlertTarget;

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
    /// Where alerts that are fired go; [`Sandbox::send_alerts_to`] sets it later.
    pub alerts: Option<AlertTarget>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            limits: true,
            scene: true,
            alerts: None,
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
    /// The `ou_…` of the person as whom the page opens; none in an empty world.
    pub first_person: Option<String>,
    /// The `oc_…` of the group that the page opens with; none in an empty world.
    pub first_group: Option<String>,
    /// The people of the scene, in order, of whom an e-mail is known; none in an empty world.
    pub people: Vec<Somebody>,
}

/// One of the people of the scene.
#[derive(Debug, Clone)]
pub struct Somebody {
    /// What they are called.
    pub name: String,
    /// What they log in with.
    pub email: String,
}

/// A running sandbox; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    access: Access,
    alerts: Alerts,
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
        let mut access = access(&App::seeded(options.seed), address);
        let hub = hub(&options, access.base_url.clone());
        (access.first_person, access.first_group, access.people) = hub.act(|world, _| {
            let person = world.users.iter().next();
            let group = world
                .chats
                .iter()
                .find(|chat| chat.kind != world::ChatKind::P2p);
            (
                person.map(|user| user.open_id.clone()),
                group.map(|chat| chat.chat_id.clone()),
                people(world),
            )
        });
        let alerts = hub.alerts.clone();
        alerts.set_target(options.alerts);
        let stop = CancellationToken::new();
        let server = tokio::spawn(run(hub, listener, stop.clone()));
        Ok(Self {
            access,
            alerts,
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

    /// Says where alerts that are fired go: the bot's own web address, which is known once it listens.
    pub fn send_alerts_to(&self, target: AlertTarget) {
        self.alerts.set_target(Some(target));
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

fn hub(options: &Options, base_url: String) -> Hub {
    let app = Arc::new(App::seeded(options.seed));
    let clock = Clock::new();
    let faults = Faults::new(options.seed);
    let push = Push::new(
        Arc::clone(&app),
        clock.clone(),
        faults.clone(),
        options.seed,
    );
    let mut world = World::new(Arc::clone(&app), options.seed, Limits::new(options.limits));
    if options.scene {
        seed::fill(&mut world, clock.now_ms());
    }
    Hub::new(Parts {
        app,
        clock,
        faults,
        push,
        live: Live::new(),
        calls: Calls::default(),
        alerts: Alerts::new(),
        base_url,
        world: Mutex::new(world),
    })
}

/// Serves until `stop`, then lets go of everything.
async fn run(hub: Hub, listener: TcpListener, stop: CancellationToken) {
    let push = hub.push.clone();
    let connections = push.connections();
    let live = hub.live.clone();
    tokio::join!(
        server::serve(listener, router(hub), stop.clone()),
        tell_connections(connections, live, stop),
    );
    push.stop().await;
}

fn router(hub: Hub) -> Router {
    let clock = hub.clock.clone();
    let discovery = hub
        .push
        .router()
        .layer(middleware::from_fn_with_state(hub.clone(), api::log_only));
    Router::new()
        .merge(discovery)
        .merge(api::router(&hub))
        .merge(hub.live.router())
        .merge(control::router(hub))
        .merge(model::router(move || clock.now_ms()))
        .merge(page::router())
}

/// Tells the page when the bot comes and goes.
async fn tell_connections(
    mut connections: watch::Receiver<usize>,
    live: Live,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            // An error means that the long connection has ended, and there is no more to tell.
            changed = connections.changed() => if changed.is_err() {
                return;
            },
        }
        live.tell(News {
            kind: "connection",
            ..News::default()
        });
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
        first_person: None,
        first_group: None,
        people: Vec::new(),
    }
}

fn people(world: &world::World) -> Vec<Somebody> {
    let somebody = |user: &world::User| {
        let (name, email) = (user.name.clone(), user.email.clone()?);
        Some(Somebody { name, email })
    };
    world.users.iter().filter_map(somebody).collect()
}
