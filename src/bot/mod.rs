//! Where it all meets the chat: from an event that was kept to the last word about it.
//!
//! [`Bot::run`] takes deliveries from the platform until there are no more. [`intake`] writes them to the
//! [`inbox`] and acknowledges them, [`Bot::dispatch`] hands them on: commands that cannot wait are done
//! at once, everything else lines up in its [`session`], where [`turn`] answers one question after the
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

use futures::FutureExt;
use jiff::{Timestamp, tz::TimeZone};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

use crate::{
    agent::{Budgets, Model, Toolbox},
    config::{AgentConfig, Config, ConversationConfig, FilesConfig, Language, ReplyConfig},
    feishu::{ChatKind, Client, Delivery, Event, EventBody, Message, MessageId, OpenId},
    store::{self, Store},
    telemetry::Metrics,
};

use access::{Access, Denied, Pace, Standing};
use acquaintances::Acquaintances;
use administrators::Administrators;
use admission::Admission;
use alone::Alone;
use audit::Audit;
use chats::Chats;
use click::Clicks;
use command::Invocation;
use complaints::Complaints;
use feedback::Feedback;
use happening::{Asks, Happening, Happenings};
use heard::Heard;
use inbox::{Inbox, Kept, Said};
use incidents::Incidents;
use members::Members;
use memory::{ChatKey, Memory, SessionKey};
use model_seen::ModelSeen;
use past::PastTurns;
use people::People;
use phrase::Phrase;
use remarks::Remarks;
use reply::{CardKit, Stuck};
use report::Reports;
use session::{Running, Sessions};
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

/// A message that asks something of us, on its way to an answer.
struct Entry {
    key: String,
    kept: Kept,
    session: SessionKey,
    /// The session's chat, with all its sessions.
    chat: ChatKey,
    message: Message,
    chat_kind: ChatKind,
    arrived: Instant,
    /// The message as it was meant: without our mention.
    text: String,
    language: Language,
    /// Who pressed an entry of the menu to say this. Then `message` is made up, and nothing can reply to it.
    pressed_by: Option<OpenId>,
    /// Whether it is answered in a thread.
    in_thread: bool,
    /// Whether an earlier process took it in.
    is_left_over: bool,
    /// On its way since the entry was dispatched, until the entry is served.
    admission: Option<Admission>,
    /// What the asker may do, from then on.
    standing: Standing,
    /// What a group wants, from then on.
    settings: ChatSettings,
    /// On its way since the entry was dispatched; only questions have one.
    sign: Option<Sign>,
}

impl Entry {
    /// What `event` asks, if it is a message or stands for one. Does not ask whether it is for us.
    async fn of(
        bot: &Bot,
        key: String,
        kept: Kept,
        event: &Event,
        arrived: Instant,
    ) -> Option<Self> {
        match &event.body {
            EventBody::Message(message, chat_kind) => {
                let message = message.clone();
                Some(Self::new(
                    bot, key, kept, event, message, *chat_kind, arrived,
                ))
            }
            EventBody::MenuPressed {
                person,
                key: menu_key,
            } => {
                let direct = bot.0.acquaintances.direct_chat(person).await;
                let direct = direct.unwrap_or_else(|error| {
                    warn!(%error, "the direct chat of whoever pressed the menu is not known");
                    None
                });
                let message = menu::message(event, person, menu_key, direct)?;
                let mut entry = Self::new(bot, key, kept, event, message, ChatKind::P2p, arrived);
                entry.pressed_by = Some(person.clone());
                // A key is whatever the console has, and says little about who pressed it.
                if entry.language == Language::En {
                    entry.language = bot.0.conversation.language;
                }
                Some(entry)
            }
            _ => None,
        }
    }

    fn new(
        bot: &Bot,
        key: String,
        kept: Kept,
        event: &Event,
        message: Message,
        chat_kind: ChatKind,
        arrived: Instant,
    ) -> Self {
        bot.access().note_own(&event.tenant_key);
        let (app_id, tenant) = (&bot.0.me.app_id, &event.tenant_key);
        let thread = message.thread_id.as_ref();
        let session = SessionKey::new(app_id, tenant, &message.chat_id, thread);
        let chat = ChatKey::new(app_id, tenant, &message.chat_id);
        let text = message.command_text(&bot.0.me.ids());
        let names = message.mentions.iter().map(|mention| mention.name.as_str());
        // A note of ours is not in the asker's language.
        let words = if message.is_words() {
            text.as_str()
        } else {
            ""
        };
        let language = language::of_words(words, names).unwrap_or(bot.0.conversation.language);
        Self {
            key,
            kept,
            session,
            in_thread: message.thread_id.is_some(),
            chat,
            message,
            chat_kind,
            arrived,
            text,
            language,
            pressed_by: None,
            is_left_over: false,
            admission: None,
            standing: Standing::default(),
            settings: ChatSettings::default(),
            sign: None,
        }
    }

    /// An entry of an earlier process.
    async fn left_over(bot: &Bot, key: String, kept: Kept) -> Option<Self> {
        let event = Event::decode(kept.payload.as_bytes()).ok()?;
        let mut entry = Self::of(bot, key, kept, &event, Instant::now()).await?;
        entry.is_left_over = true;
        Some(entry)
    }
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

    /// Hands an entry to whoever does what it asks. Never waits.
    fn dispatch(&self, mut entry: Entry) {
        let command = command::parse(&entry.text);
        let is_stop = command.as_ref().is_some_and(Invocation::is_stop);
        if !entry.is_left_over && !is_stop && !self.0.pace.may(&entry.asker()) {
            return self.refuse(entry, Denied::TooOften);
        }
        // What has been answered already is only tidied up.
        if entry.kept.said.is_none() && entry.kept.last.is_none() {
            let admission = admission::begin(self, &entry);
            if let Some(Err(denied)) = admission.clone().now_or_never() {
                return self.refuse(entry, denied);
            }
            entry.admission = Some(admission);
        }
        let is_question = command.is_none();
        if let Some(invocation) = command.filter(Invocation::is_urgent) {
            let bot = self.clone();
            self.0.sessions.beside(async move {
                if let Some(entry) = admission::admitted(&bot, entry).await {
                    command::answer(&bot, invocation, &entry).await;
                }
            });
            return;
        }
        if is_question && entry.kept.said.is_none() && !entry.text.is_empty() {
            let (feishu, reactions) = (&self.0.feishu, &self.0.reply.reactions);
            let sign = match entry.kept.again {
                Some(_) => Sign::seen_again,
                None => Sign::seen,
            };
            let admission = entry.admission.clone();
            entry.sign = Some(sign(feishu, &entry.message.id, reactions, admission));
        }
        if let Some(entry) = self.0.sessions.line_up(self, entry) {
            let bot = self.clone();
            self.0
                .sessions
                .beside(async move { bot.turn_away(entry).await });
        }
    }

    /// Sends someone away who may not ask. Never waits.
    fn refuse(&self, entry: Entry, denied: Denied) {
        let bot = self.clone();
        self.0
            .sessions
            .beside(async move { admission::turn_away(&bot, entry, &denied).await });
    }

    /// Does what an entry asks, when its turn has come.
    async fn serve(&self, entry: Entry, running: Running) {
        let span = info_span!(
            "turn",
            chat.id = %entry.message.chat_id,
            message.id = %entry.message.id,
            attempt = entry.kept.attempts + 1,
            last_words = tracing::field::Empty,
        );
        let key = entry.key.clone();
        let turn = running.clone();
        let work = async {
            let Some(entry) = admission::admitted(self, entry).await else {
                return;
            };
            match command::parse(&entry.text) {
                Some(invocation) => command::answer(self, invocation, &entry).await,
                None => turn::answer(self, entry, running).await,
            }
        };
        // Caught here, so that a panic ends this turn and not the session's line.
        let work = std::panic::AssertUnwindSafe(work).catch_unwind();
        if work.instrument(span.clone()).await.is_err() {
            turn.cancel.cancel();
            error!(
                message.id = %turn.question,
                "a turn panicked; the panic itself is logged above"
            );
            self.break_off(key, turn).instrument(span).await;
        }
    }

    /// Brings an entry to its end whose work broke in the middle.
    async fn break_off(&self, key: String, running: Running) {
        match self.0.inbox.get(&key).await {
            Ok(Some(kept)) => {
                if let Some(entry) = Entry::left_over(self, key, kept).await {
                    turn::break_off(self, entry, running).await;
                }
            }
            Ok(None) => {}
            Err(error) => error!(%error, "an entry that broke cannot be read"),
        }
    }

    /// Says that a line is full.
    async fn turn_away(&self, mut entry: Entry) {
        let phrase = Phrase::LineFull {
            waiting: self.0.conversation.waiting_max,
        };
        let text = phrase.text(entry.language);
        notice::send(self, &notice::Place::of(&entry), "full", &text).await;
        entry.kept.said = Some(Said::Failed);
        if let Err(error) = self.0.inbox.update(&entry.key, &entry.kept).await {
            error!(%error, "someone was turned away and a crash now would let them in");
        }
        let is_settled = match entry.sign.take() {
            Some(sign) => sign.settle(Said::Failed, &self.0.reply.reactions).await,
            None => true,
        };
        if is_settled {
            self.forget(&entry.key).await;
        }
    }

    /// Says that a message could not be kept, once a minute in each chat. It was not acknowledged either, so
    /// the platform sends it again.
    fn say_not_kept(&self, entry: Entry) {
        if !self.0.complaints.may(&entry.message.chat_id) {
            return;
        }
        let bot = self.clone();
        self.0.sessions.beside(async move {
            let text = Phrase::NotKept.text(entry.language);
            notice::send(&bot, &notice::Place::of(&entry), "not-kept", &text).await;
            administrators::tell_store_is_full(&bot).await;
        });
    }

    /// A question was recalled: nobody wants its answer any more.
    async fn withdraw(&self, question: &MessageId) {
        if let Some(waiting) = self.0.sessions.withdraw(question) {
            self.forget(&waiting.key).await;
        }
    }

    /// Removes an entry whose work has ended.
    async fn forget(&self, key: &str) {
        if let Err(error) = self.0.inbox.remove(key).await {
            error!(%error, "a finished entry stays in the inbox and will be looked at again");
        }
    }

    /// As [`Bot::forget`], for work that is not to be done once more after a crash.
    async fn forget_for_good(&self, key: &str) {
        if let Err(error) = self.0.inbox.finish(key).await {
            error!(%error, "a finished entry stays in the inbox and will be done again at the next start");
        }
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
