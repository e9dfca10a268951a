//! Where it all meets the chat: from an event that was kept to the last word about it.
//!
//! [`Bot::run`] takes deliveries from the platform until there are no more. [`intake`] writes them to the
//! [`inbox`] and acknowledges them, [`dispatch`] hands them on: commands that cannot wait are done at
//! once, everything else lines up in its [`session`], where [`turn`] answers one question after the
//! other. What happens around the chats, such as a group that is dissolved, is a [`happening`].

mod access;
mod acquaintances;
mod administrators;
mod admission;
mod alone;
mod audit;
pub mod card;
mod chats;
mod click;
mod command;
mod complaints;
mod dispatch;
mod entry;
mod feedback;
mod files;
mod forwarded;
mod handling;
mod happening;
mod heard;
mod history;
mod inbox;
pub mod incidents;
mod intake;
mod language;
pub mod late;
pub mod markdown;
mod members;
mod memory;
mod menu;
mod model_seen;
mod notice;
mod past;
mod people;
mod phrase;
pub mod quota;
mod remarks;
mod reply;
mod report;
mod session;
mod settings;
mod sign;
mod sweep;
mod times;
mod turn;
mod war_room;

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    agent::{Budgets, Model, Toolbox},
    config::{AgentConfig, Config, ConversationConfig, FilesConfig, ReplyConfig},
    feishu::{Client, Delivery, Event, OpenId},
    store::{self, Store},
    telemetry::Metrics,
};

use access::{Access, Pace};
use acquaintances::Acquaintances;
use administrators::Administrators;
use alone::Alone;
use audit::Audit;
use chats::Chats;
use click::Clicks;
use complaints::Complaints;
use entry::Entry;
use feedback::Feedback;
use happening::{Asks, Happening, Happenings};
use heard::Heard;
use inbox::Inbox;
use incidents::Incidents;
use members::Members;
use memory::Memory;
use model_seen::ModelSeen;
use past::PastTurns;
use people::People;
use remarks::Remarks;
use reply::{CardKit, Stuck};
use report::Reports;
use session::Sessions;
use settings::{ChatSettings, Settings};
use sign::Sign;
use war_room::Rooms;

/// How often what has been kept long enough is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// How often a chat is told that someone there may not ask.
const REFUSED_EVERY: Duration = Duration::from_secs(600);

/// Who we are on the platform.
#[derive(Debug, Clone)]
pub struct Me {
    /// The id by which people mention us.
    pub open_id: OpenId,
    /// The id under which our own messages are listed.
    pub app_id: String,
    /// What people call us.
    pub name: String,
}

impl Me {
    /// Whether `id` is one of ours; the platform uses the one or the other.
    pub fn is(&self, id: &str) -> bool {
        id == self.open_id.as_str() || id == self.app_id
    }

    fn ids(&self) -> [&str; 2] {
        [self.open_id.as_str(), &self.app_id]
    }
}

/// What a bot is made of.
pub struct Parts {
    /// The platform.
    pub feishu: Client,
    /// Who we are there.
    pub me: Me,
    /// Where state is kept.
    pub store: Store,
    /// The model that is asked.
    pub model: Model,
    /// What it may call.
    pub toolbox: Toolbox,
    /// The incidents, which take alerts before there is a bot.
    pub incidents: Incidents,
    /// The bot's numbers.
    pub metrics: Metrics,
}

/// The bot. Clones are the same bot.
#[derive(Clone)]
pub struct Bot(Arc<Desk>);

/// What everything in here works with.
struct Desk {
    feishu: Client,
    me: Me,
    store: Store,
    model: Model,
    toolbox: Toolbox,
    incidents: Incidents,
    /// Who draws which card of an incident.
    drawing: Alone,
    rooms: Rooms,
    reports: Reports,
    metrics: Metrics,
    config: Config,
    conversation: ConversationConfig,
    files: FilesConfig,
    agent: AgentConfig,
    reply: ReplyConfig,
    budgets: Budgets,
    zone: TimeZone,
    drain: Duration,
    inbox: Inbox,
    memory: Memory,
    past: PastTurns,
    feedback: Feedback,
    clicks: Clicks,
    people: People,
    acquaintances: Acquaintances,
    chats: Arc<Chats>,
    access: Access,
    pace: Pace,
    administrators: Administrators,
    audit: Audit,
    members: Members,
    settings: Settings,
    remarks: Remarks,
    heard: Heard,
    model_seen: ModelSeen,
    started_at: Timestamp,
    sessions: Sessions,
    happenings: Happenings,
    complaints: Complaints,
    refusals: Complaints,
    cardkit: Arc<CardKit>,
    stuck: Stuck,
    closing: CancellationToken,
}

impl Desk {
    /// What is read before an answer, as a chat wants it.
    fn conversation_with(&self, settings: &ChatSettings) -> ConversationConfig {
        let mut config = self.conversation.clone();
        config.history_messages = settings.history.unwrap_or(config.history_messages);
        config
    }
}

impl Bot {
    /// Puts a bot together.
    pub fn new(parts: Parts, config: &Config) -> Self {
        let Parts {
            feishu,
            me,
            store,
            model,
            toolbox,
            incidents,
            metrics,
        } = parts;
        let closing = CancellationToken::new();
        let chats = Arc::new(Chats::new(feishu.clone()));
        let rooms = Rooms::new(&store);
        let reports = Reports::new(&store);
        let audit = Audit::new(&store, config.access.audit_kept);
        Self(Arc::new(Desk {
            inbox: Inbox::new(&store, metrics.clone()),
            memory: Memory::new(&store, &config.conversation),
            past: PastTurns::new(&store),
            feedback: Feedback::new(&store),
            clicks: Clicks::new(&store),
            people: People::new(feishu.clone()),
            acquaintances: Acquaintances::new(&store),
            happenings: Happenings::new(),
            access: Access::new(&config.access, feishu.clone(), chats.clone()),
            pace: Pace::new(&config.access),
            administrators: Administrators::new(&store),
            members: Members::new(&config.members, &store, audit.clone()),
            audit,
            settings: Settings::new(&store),
            remarks: Remarks::new(&store),
            heard: Heard::default(),
            model_seen: ModelSeen::default(),
            started_at: Timestamp::now(),
            chats,
            complaints: Complaints::default(),
            refusals: Complaints::every(REFUSED_EVERY),
            cardkit: Arc::default(),
            stuck: Stuck::new(&store, feishu.clone()),
            sessions: Sessions::new(config.conversation.waiting_max, closing.clone()),
            budgets: Budgets::new(&config.model, &config.conversation, &config.files),
            zone: TimeZone::get(&config.conversation.time_zone).unwrap_or(TimeZone::UTC),
            config: config.clone(),
            conversation: config.conversation.clone(),
            files: config.files.clone(),
            agent: config.agent.clone(),
            reply: config.reply.clone(),
            drain: config.shutdown.drain,
            feishu,
            me,
            store,
            model,
            toolbox,
            incidents,
            drawing: Alone::default(),
            rooms,
            reports,
            metrics,
            closing,
        }))
    }

    /// Takes up what an earlier process left, then works until `deliveries` end, then lets what has begun
    /// come to its end. What has not ended by then stays in the inbox.
    pub async fn run(&self, deliveries: mpsc::Receiver<Delivery>) -> Result<(), store::Error> {
        self.0.clicks.open().await?;
        self.0.rooms.open().await?;
        self.members().open().await?;
        self.take_up_left_over().await?;
        let sweeping = tokio::spawn(self.clone().sweep_for_ever());
        let closing_cards = tokio::spawn(self.0.stuck.clone().close_for_ever());
        let members = self.members().clone();
        let looking = tokio::spawn(members.look_for_ever(self.0.feishu.clone()));
        let watching = tokio::spawn(administrators::watch(self.clone()));
        let drawing = tokio::spawn(incidents::draw_cards(self.clone()));
        let paging = tokio::spawn(incidents::send_pages(self.clone()));
        let tending = tokio::spawn(war_room::run(self.clone()));
        let reporting = tokio::spawn(report::run(self.clone()));
        intake::run(self, deliveries).await;
        sweeping.abort();
        watching.abort();
        self.0.closing.cancel();
        let sessions = &self.0.sessions;
        if tokio::time::timeout(self.0.drain, sessions.drain())
            .await
            .is_err()
        {
            warn!(
                turns = sessions.len(),
                "turns did not end in time; they are taken up at the next start"
            );
            sessions.abandon();
            // They only have their cards to close now, and every call has its own timeout.
            let _ = tokio::time::timeout(self.0.drain, sessions.drain()).await;
        }
        closing_cards.abort();
        looking.abort();
        // What they have not done yet is in the store, and done at the next start.
        drawing.abort();
        paging.abort();
        tending.abort();
        reporting.abort();
        Ok(())
    }

    async fn take_up_left_over(&self) -> Result<(), store::Error> {
        let left_over = self.0.inbox.left_over().await?;
        if !left_over.is_empty() {
            info!(
                entries = left_over.len(),
                "taking up what an earlier process left"
            );
        }
        for (key, kept) in left_over {
            let Ok(event) = Event::decode(kept.payload.as_bytes()) else {
                error!(
                    inbox.key = key,
                    "an entry cannot be read any more and is let go"
                );
                self.0.inbox.remove(&key).await?;
                continue;
            };
            if matches!(
                happening::asks(&event, &self.0.me),
                Asks::Work | Asks::MayBeWork
            ) {
                let happening = Happening { key, kept, event };
                self.0.happenings.line_up(self, happening);
                continue;
            }
            match Entry::of(self, key.clone(), kept, &event, Instant::now()).await {
                Some(entry) => self.dispatch(entry),
                None => {
                    error!(
                        inbox.key = key,
                        event.kind = event.kind,
                        "an entry asks nothing any more and is let go"
                    );
                    self.0.inbox.remove(&key).await?;
                }
            }
        }
        Ok(())
    }

    async fn sweep_for_ever(self) {
        let mut clock = tokio::time::interval(SWEEP_EVERY);
        loop {
            clock.tick().await;
            let now = Timestamp::now();
            for swept in [
                self.0.inbox.sweep(now).await,
                self.0.memory.sweep(now).await,
                self.0.past.sweep(now).await,
                self.0.feedback.sweep(now).await,
                self.0.administrators.sweep(now).await,
                self.0.audit.sweep(now).await,
                self.0.remarks.sweep(now).await,
                self.0.rooms.sweep(&self.0.incidents).await,
                report::sweep(&self).await,
            ] {
                if let Err(error) = swept {
                    warn!(%error, "what is old could not be swept away");
                }
            }
        }
    }

    fn me(&self) -> &Me {
        &self.0.me
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn access(&self) -> &Access {
        &self.0.access
    }

    fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }

    fn members(&self) -> &Members {
        &self.0.members
    }

    fn incidents(&self) -> &Incidents {
        &self.0.incidents
    }

    fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}
