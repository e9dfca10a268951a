//! Builds every part and joins them; the one file that knows them all.

use std::{future::Future, time::Duration};

use anyhow::{Context, anyhow, bail};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::{
    agent::{Model, Toolbox},
    bot::{
        Bot, Me, Parts,
        incidents::{Incidents, Keeper},
        quota,
    },
    config::{Config, FeishuConfig, Intake},
    feishu::{self, Client, Delivery, webhook::Webhook, ws},
    store::Store,
    telemetry::Metrics,
    tools,
    web::{Alerts, Health, Posts, Server},
};

/// How many events may wait to be kept. What does not fit is not acknowledged, and the platform sends
/// it again.
const DELIVERIES_MAX: usize = 1024;

/// How long the parts beside the bot get to close their connections.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// The bot with everything it needs, ready to run.
pub struct App {
    config: Config,
    feishu: Client,
    store: Store,
    model: Model,
    toolbox: Toolbox,
    incidents: Incidents,
    keeper: Keeper,
    metrics: Metrics,
    server: Server,
    link: watch::Sender<ws::Link>,
    deliver: mpsc::Sender<Delivery>,
    deliveries: mpsc::Receiver<Delivery>,
}

impl App {
    /// Opens and checks all that needs no answer from the network.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        check_reactions(&config)?;
        let metrics = Metrics::default();
        let store = Store::open(&config.store)
            .await
            .context("cannot open the store")?;
        if let Some(folder) = store.opened_after_damage() {
            error!(
                moved_to = %folder.display(),
                "the database was damaged and has been moved aside; conversations begin anew"
            );
        }
        let feishu = Client::new(&config.feishu, metrics.clone())?;
        let model = Model::new(&config.model, metrics.clone())?;
        let toolbox = tools::built_in();
        let (incidents, keeper) = Incidents::open(&store, &config, metrics.clone())
            .await
            .context("cannot read the incidents")?;
        let (link, watching) = watch::channel(ws::Link::Connecting);
        let (deliver, deliveries) = mpsc::channel(DELIVERIES_MAX);
        let intake = config.feishu.events;
        let webhook = intake.is_posted_to().then(|| Webhook::new(&config.feishu));
        let posts = Posts::new(webhook, deliver.downgrade(), metrics.clone());
        let health = Health {
            intake,
            link: watching,
            store: store.clone(),
            metrics: metrics.clone(),
        };
        let alerts = Alerts::new(&config.alerts, incidents.clone(), metrics.clone());
        let server = Server::bind(config.web.listen, health, posts, alerts)
            .await
            .with_context(|| {
                format!(
                    "cannot listen at {}: set another address under [web] listen",
                    config.web.listen
                )
            })?;
        Ok(Self {
            config,
            feishu,
            store,
            model,
            toolbox,
            incidents,
            keeper,
            metrics,
            server,
            link,
            deliver,
            deliveries,
        })
    }

    /// Has the agent use these tools instead of the built-in ones.
    pub fn with_tools(mut self, toolbox: Toolbox) -> Self {
        self.toolbox = toolbox;
        self
    }

    /// Where health and metrics are served.
    pub fn web_address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// The incidents.
    pub fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// The bot's numbers.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Runs until `stop` completes, then lets what has begun come to an end.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let (connected, serving) = (CancellationToken::new(), CancellationToken::new());
        let deliveries = self.deliveries;
        let mut parts: JoinSet<(&'static str, anyhow::Result<()>)> = JoinSet::new();

        let (server, until) = (self.server, serving.clone());
        parts.spawn(async move {
            let served = server.serve(async move { until.cancelled().await }).await;
            ("the HTTP server", served.map_err(Into::into))
        });
        // Alerts are taken for as long as they can be posted.
        let (keeper, kept) = (self.keeper, CancellationToken::new());
        let until = kept.clone();
        let mut keeping = tokio::spawn(keeper.run(until));
        let (config, link, until) = (self.config.feishu.clone(), self.link, connected.clone());
        let (deliver, metrics) = (self.deliver, self.metrics.clone());
        parts.spawn(async move {
            let ended = take_events(&config, deliver, link, metrics, until).await;
            ("the intake of events", ended)
        });
        let (store, until) = (self.store.clone(), connected.clone());
        let bot_ended = CancellationToken::new();
        let ends = bot_ended.clone().drop_guard();
        parts.spawn(async move {
            // Dropped with the task, also where it panics.
            let _ends = ends;
            let (kept_in, meter) = (self.store.clone(), self.feishu.meter().clone());
            let worked_out = CancellationToken::new();
            let worked = async {
                let Some(me) = who_am_i(&self.feishu, &until).await? else {
                    return Ok(());
                };
                info!(bot.name = me.name, "at work");
                let (asking, intake) = (self.feishu.clone(), self.config.feishu.events);
                // Beside the work, because nothing waits for what it says.
                let compared = until.run_until_cancelled(compare_with_console(&asking, intake));
                let (feishu, model, toolbox) = (self.feishu, self.model, self.toolbox);
                let incidents = self.incidents;
                let bot = Bot::new(
                    Parts {
                        feishu,
                        me,
                        store: self.store,
                        model,
                        toolbox,
                        incidents,
                        metrics: self.metrics,
                    },
                    &self.config,
                );
                let (ended, _) = tokio::join!(bot.run(deliveries), compared);
                ended.context("the store failed")
            };
            // The calls are counted as long as the bot makes any.
            let counted = quota::keep(&kept_in, &meter, &worked_out);
            let worked = async {
                let worked = worked.await;
                worked_out.cancel();
                worked
            };
            ("the bot", tokio::join!(worked, counted).0)
        });

        let outcome = tokio::select! {
            () = stop => Ok(()),
            // A part runs for ever, so one that ends is a fault: close the rest and say which.
            Some(part) = parts.join_next() => Err(fault(part)),
            _ = &mut keeping => Err(anyhow!("the keeper of incidents ended by itself")),
        };
        // Events stop at once; then the bot sees their end, lets its turns end, and leaves.
        connected.cancel();
        // It bounds its own time; health is served until it has left.
        bot_ended.cancelled().await;
        serving.cancel();
        if timeout(CLOSE_WITHIN, join_all(&mut parts)).await.is_err() {
            warn!("gave up waiting for connections to close");
        }
        kept.cancel();
        if !keeping.is_finished() {
            // What it does is bounded by the store, which fails rather than waits.
            let _ = keeping.await;
        }
        // Last, because everything else writes on its way out.
        store.close().await.context("cannot close the store")?;
        info!("ended");
        outcome
    }
}

/// Waits until every part has ended.
async fn join_all(parts: &mut JoinSet<(&'static str, anyhow::Result<()>)>) {
    while let Some(part) = parts.join_next().await {
        match part {
            Ok((_, Ok(()))) => {}
            Ok((ended, Err(error))) => {
                let error = format!("{error:#}");
                error!(error, "{ended} failed on its way out");
            }
            Err(error) => error!(%error, "a part died"),
        }
    }
}

fn fault(
    part: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>,
) -> anyhow::Error {
    match part {
        Ok((name, Ok(()))) => anyhow!("{name} ended by itself"),
        Ok((name, Err(error))) => error.context(format!("{name} failed")),
        Err(error) => anyhow!(error).context("a part died"),
    }
}

/// Lets events in, in the ways that are configured, until `stop`. What is posted is taken as long as this
/// holds `deliver`.
async fn take_events(
    config: &FeishuConfig,
    deliver: mpsc::Sender<Delivery>,
    link: watch::Sender<ws::Link>,
    metrics: Metrics,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if config.events.connects() {
        let ended = ws::run(config, deliver.clone(), link, metrics.clone(), stop.clone()).await;
        match (config.events, ended) {
            (Intake::Both, Err(error)) => {
                error!(%error, "no long connection; events that are posted are still taken");
            }
            (_, ended) => return ended.context("the long connection failed"),
        }
    }
    metrics.connected.set(1);
    stop.cancelled().await;
    metrics.connected.set(0);
    Ok(())
}

/// Says where the developer console sends things to where we take none. It looks exactly like silence.
async fn compare_with_console(feishu: &Client, intake: Intake) {
    match feishu.application_config().await {
        Ok(console) => {
            for sentence in console.disagreements(intake) {
                warn!("{sentence}");
            }
        }
        // Most apps lack the scope for it, and need it for nothing else.
        Err(error) => debug!(%error, "what the developer console has set is not known"),
    }
}

/// Asks the platform who we are until it says so. `None` when told to stop before that. Fails where
/// asking again does not help.
async fn who_am_i(feishu: &Client, stop: &CancellationToken) -> anyhow::Result<Option<Me>> {
    let mut wait = Duration::from_millis(500);
    loop {
        let Some(answer) = stop.run_until_cancelled(feishu.bot_info()).await else {
            return Ok(None);
        };
        match answer {
            Ok(bot) => {
                if bot.activate_status != 2 {
                    warn!(
                        status = bot.activate_status,
                        "the app is not enabled in its organisation: publish a version in the developer console"
                    );
                }
                let app_id = feishu.app_id().to_owned();
                return Ok(Some(Me {
                    open_id: bot.open_id,
                    app_id,
                    name: bot.name,
                }));
            }
            Err(error @ feishu::Error::Unauthorized(_)) => bail!(
                "{error}: check feishu.app_id and feishu.app_secret, and that feishu.brand is the app's edition"
            ),
            Err(error) => {
                warn!(
                    error = format!("{:#}", anyhow!(error)),
                    ?wait,
                    "the platform does not say who we are"
                );
                tokio::select! {
                    () = stop.cancelled() => return Ok(None),
                    () = sleep(wait) => wait = (wait * 2).min(Duration::from_secs(30)),
                }
            }
        }
    }
}

/// Refuses a configuration whose reactions the platform does not have: it would refuse them one by one.
pub fn check_reactions(config: &Config) -> anyhow::Result<()> {
    for (key, name) in config.reply.reactions.all() {
        if !feishu::is_emoji_type(name) {
            bail!(
                "`reply.reactions.{key}`: the platform has no reaction {name:?}; names are case-sensitive, such as OnIt, DONE, CrossMark"
            );
        }
    }
    for name in config.incidents.rooms.marks.keys() {
        if !feishu::is_emoji_type(name) {
            bail!(
                "`incidents.rooms.marks`: the platform has no reaction {name:?}; names are case-sensitive, such as Pin, CheckMark, Alarm"
            );
        }
    }
    Ok(())
}
