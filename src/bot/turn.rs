//! Answers one question: reads what stands around it, lets the agent think, and draws what comes.
//!
//! The first sign is on its way already. The card is opened and the history read at the same time, and
//! the model is asked as soon as the history is there: nothing waits for something it does not need.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tracing::{error, info, warn};

use crate::{
    agent::{
        self, Attached, ChatKind as Kind, Content, Context, CutReason, Excerpt, Facts, FailReason,
        ModelError, Outcome, TurnEvent, With,
    },
    config::Language,
    feishu::{Chat, ChatKind, Message, MessageId, OpenId},
    prompt::{Prompt, Unasked},
    telemetry::OutcomeLabels,
};

use super::{
    Bot, Entry, admission, audit,
    card::answer::AnswerState,
    files::{Files, ReadFiles},
    handling,
    happening::recalled,
    history::{History, Reader},
    inbox::{ATTEMPTS_MAX, KeptWord, Said},
    memory::{Exchange, Remembered},
    notice::{self, Place},
    past::{PastTurn, turn_id},
    phrase::Phrase,
    reply::{Canvas, Journal, LastWord, Reply, Spoken, TurnView},
    session::{EndedBy, Running},
};

/// Answers the question of `entry`, and removes it from the inbox when nothing is left to do.
pub(super) async fn answer(bot: &Bot, mut entry: Entry, running: Running) {
    let sign = entry.sign.take();
    // An earlier process said the last word and was ended before it could tidy up.
    if let Some(said) = entry.kept.said {
        return tidy_up(bot, &entry, sign, said);
    }
    if entry.text.is_empty() {
        let text = Phrase::Empty.text(entry.language);
        notice::send(bot, &Place::of(&entry), "no-turn", &text).await;
        return bot.forget(&entry.key).await;
    }
    let turn = Turn {
        bot,
        entry: &entry,
        running: &running,
    };
    let known = match entry.kept.last.clone() {
        // An earlier process was ended while it said this.
        Some(word) => Some(word),
        None if entry.kept.attempts >= ATTEMPTS_MAX => Some(turn.sentence(&Phrase::GaveUp)),
        None => None,
    };
    let said = match known {
        Some(word) => {
            let reply = Reply::take_up(turn.canvas(), turn.journal(), running.clone());
            turn.say(reply, word, &TurnView::default(), "resumed").await
        }
        None => {
            let (reply, view, around) = turn.think_and_draw().await;
            if running.is_chat_gone() {
                return turn.leave(reply, &view).await;
            }
            // Asked once, since it may come true at any moment.
            let interrupted = running.is_abandoned();
            let end = turn.end(&view, &around, interrupted).await;
            turn.note_model(&view);
            if interrupted {
                let last = LastWord {
                    word: &end.word,
                    steps: &view.steps,
                };
                reply.interrupt(&last).await;
                turn.count(&view, end.label);
                info!("the turn is interrupted and will be taken up at the next start");
                return;
            }
            turn.say(reply, end.word, &view, end.label).await
        }
    };
    if let Some(said) = said {
        tidy_up(bot, &entry, sign, said);
    }
}

/// Says that an entry's work broke in the middle, wherever it was.
pub(super) async fn break_off(bot: &Bot, entry: Entry, running: Running) {
    let trace = entry.message.id.to_string();
    let phrase = Phrase::Broken { trace: &trace };
    if let Some(said) = entry.kept.said {
        return tidy_up(bot, &entry, None, said);
    }
    if super::command::parse(&entry.text).is_some() {
        let text = phrase.text(entry.language);
        notice::send(bot, &Place::of(&entry), "panic", &text).await;
        return bot.forget(&entry.key).await;
    }
    let turn = Turn {
        bot,
        entry: &entry,
        running: &running,
    };
    let reply = Reply::take_up(turn.canvas(), turn.journal(), running.clone());
    let word = turn.sentence(&phrase);
    if let Some(said) = turn.say(reply, word, &TurnView::default(), "died").await {
        tidy_up(bot, &entry, None, said);
    }
}

/// Makes the question's reaction say how it ended, and removes the entry. The next question of the session
/// does not wait for that.
fn tidy_up(bot: &Bot, entry: &Entry, sign: Option<super::Sign>, said: Said) {
    let sign = sign.unwrap_or_else(|| super::Sign::none(&bot.0.feishu, &entry.message.id));
    let (desk, key) = (bot.clone(), entry.key.clone());
    bot.sessions().beside(async move {
        if sign.settle(said, &desk.0.reply.reactions).await {
            desk.forget(&key).await;
        }
    });
}

struct Turn<'a> {
    bot: &'a Bot,
    entry: &'a Entry,
    running: &'a Running,
}

/// What a turn knew when it began.
#[derive(Default)]
struct Around {
    history_problem: Option<String>,
    /// What was not read of the files, in a sentence for people.
    not_read: Option<String>,
}

impl Turn<'_> {
    async fn think_and_draw(&self) -> (Reply, Arc<TurnView>, Around) {
        let (shown, view) = watch::channel(TurnView::default());
        let watching = view.clone();
        let drawing = async {
            let running = self.running.clone();
            let mut reply = Reply::open(self.canvas(), self.journal(), running).await;
            reply.draw(watching).await;
            reply
        };
        let thinking = async {
            let (context, around) = self.context(&shown).await;
            let desk = &self.bot.0;
            let events = agent::run_turn(
                context,
                desk.toolbox.clone(),
                desk.model.clone(),
                desk.agent.clone(),
                self.running.cancel.clone(),
                desk.metrics.clone(),
            );
            fold(events, &shown).await;
            around
        };
        let (reply, around) = tokio::join!(drawing, thinking);
        drop(view);
        (
            reply,
            Arc::new(shown.send_replace(TurnView::default())),
            around,
        )
    }

    /// Says the last word, and keeps that it was said. `None` where that is left to the next process.
    async fn say(
        &self,
        mut reply: Reply,
        mut word: KeptWord,
        view: &TurnView,
        label: &'static str,
    ) -> Option<Said> {
        // From here on the same is said, whatever happens to this process.
        reply.journal().kept.last = Some(word.clone());
        if let Err(error) = reply.journal().write().await {
            warn!(%error, "the last word could not be kept before it is said");
        }
        let last = LastWord {
            word: &word,
            steps: &view.steps,
        };
        let (spoken, mut journal) = reply.finish(&last).await;
        self.count(view, label);
        let (messages, card, said) = match spoken {
            Spoken::Said { messages, card } => (messages, card, word.said),
            // What nobody could read is not remembered as said.
            Spoken::Masked(messages) => {
                word.is_answer = false;
                (messages, None, Said::Failed)
            }
            Spoken::Refused => (Vec::new(), None, Said::Failed),
            Spoken::NotYet => {
                info!("the last word is left to the next start");
                return None;
            }
        };
        audit::note(self.bot, admission::deed(self.entry, label)).await;
        journal.kept.said = Some(said);
        self.remember(&word, messages, card, &journal).await;
        Some(said)
    }

    /// Ends a turn whose chat is gone. There is nobody to tell; but where only we are gone, people still see
    /// the card, and it should not look as if it were being written.
    async fn leave(&self, mut reply: Reply, view: &TurnView) {
        self.running.over();
        if !reply.journal().kept.cards.is_empty() {
            let word = KeptWord {
                state: AnswerState::Stopped,
                said: Said::Stopped,
                text: view.text.clone(),
                note: None,
                is_answer: false,
                can_regenerate: false,
                anew: Vec::new(),
            };
            let last = LastWord {
                word: &word,
                steps: &view.steps,
            };
            reply.finish(&last).await;
        }
        self.count(view, "chat_gone");
        self.bot.forget(&self.entry.key).await;
    }

    /// A last word of ours, where there is no answer.
    fn sentence(&self, phrase: &Phrase<'_>) -> KeptWord {
        KeptWord {
            state: AnswerState::Failed,
            said: Said::Failed,
            text: phrase.text(self.entry.language),
            note: None,
            is_answer: false,
            can_regenerate: true,
            anew: Vec::new(),
        }
    }

    async fn end(&self, view: &TurnView, around: &Around, interrupted: bool) -> End {
        let ended_by = self.running.over();
        let mut stopped_by = None;
        if let Some(EndedBy::Person(id)) = &ended_by {
            let people = &self.bot.0.people;
            stopped_by = Some(people.name(id, &self.entry.message.chat_id).await);
        }
        let why = Why {
            interrupted,
            is_withdrawn: ended_by == Some(EndedBy::Recall),
            stopped_by,
        };
        End::of(view, &why, self.entry, around)
    }

    /// Takes note of how the model did, as far as this turn shows it.
    fn note_model(&self, view: &TurnView) {
        let seen = &self.bot.0.model_seen;
        match view.ending.as_ref().map(|ending| &ending.outcome) {
            Some(Outcome::Answered | Outcome::CutShort(_)) => seen.note(None),
            Some(Outcome::Failed(FailReason::Model(error))) => {
                seen.note(Some(model_failure(error)));
            }
            _ => {}
        }
    }

    fn canvas(&self) -> Canvas {
        let desk = &self.bot.0;
        let turn = turn_id(&self.entry.message.id, &self.entry.key);
        Canvas {
            controls: desk.clicks.controls(&turn, &self.entry.message.chat_id),
            feishu: desk.feishu.clone(),
            cardkit: desk.cardkit.clone(),
            stuck: desk.stuck.clone(),
            renew_after: desk.reply.renew_streaming_after,
            silence_shown_after: desk.reply.silence_shown_after,
            place: Place::of(self.entry),
            language: self.entry.language,
            redraw_every: desk.reply.redraw_every,
            model: desk.model.name().to_owned(),
            arrived: self.entry.arrived,
            metrics: desk.metrics.clone(),
        }
    }

    fn journal(&self) -> Journal {
        Journal {
            inbox: self.bot.0.inbox.clone(),
            key: self.entry.key.clone(),
            kept: self.entry.kept.clone(),
        }
    }

    /// What the model is told.
    async fn context(&self, view: &watch::Sender<TurnView>) -> (Context, Around) {
        let (desk, entry) = (&self.bot.0, self.entry);
        let message = &entry.message;
        let mut remembered = desk
            .memory
            .recall(&entry.session)
            .await
            .unwrap_or_else(|error| {
                warn!(%error, "answering without what was said before");
                Remembered::default()
            });
        if entry.kept.again.is_some() {
            // It is asked as it was the first time: without its own answer, and what came after it.
            let before = |one: &Exchange| {
                one.question_id != message.id && one.asked_at <= message.created_at
            };
            remembered.exchanges.retain(before);
        }
        let reader = Reader {
            feishu: &desk.feishu,
            people: &desk.people,
            memory: &desk.memory,
            config: &desk.conversation_with(&entry.settings),
            files: &desk.files,
            zone: &desk.zone,
            me: &desk.me,
        };
        let files = Files {
            feishu: &desk.feishu,
            config: &desk.files,
            sees: desk.model.sees_images(),
            language: entry.language,
            until: Instant::now() + desk.files.read_within,
            view,
        };
        let asker = OpenId::new(message.sender.id.as_str());
        let own = async {
            let mut read = files.read(message, With::Question).await;
            if message.kind == "merge_forward" {
                read.attached.push(bundle(reader.opened(message).await));
            }
            read
        };
        let quoted = async {
            let quoted = reader.quoted(message).await;
            let read = match &quoted.message {
                Some(message) => files.read(message, With::Quoted).await,
                None => ReadFiles::default(),
            };
            (quoted, read)
        };
        let (history, (quoted, of_quoted), mut read, chat) =
            tokio::join!(reader.read(message, &remembered), quoted, own, self.chat(),);
        // The history has asked for it already, together with the names of the others.
        let asker = desk.people.name(&asker, &message.chat_id).await;
        let History {
            said,
            meant,
            problem,
        } = history;
        read.and(of_quoted);
        let before = meant.iter().map(|one| files.read(one, With::Before));
        for of_earlier in join_all(before).await {
            read.and(of_earlier);
        }
        read.bound();
        read.attached.extend(self.incident().await);
        let problems = [problem, quoted.problem].into_iter().flatten();
        let problem = problems.reduce(|one, other| format!("{one}; {other}"));
        let not_read = read.note(entry.language);
        let context = Context {
            language: entry.language,
            now: Timestamp::now().to_zoned(desk.zone.clone()),
            facts: self.facts(&asker, chat),
            remembered: remembered.exchanges.iter().map(told).collect(),
            remembered_left_out: remembered.forgotten,
            history: said,
            history_left_out: 0,
            history_problem: problem.clone(),
            quoted: quoted.said,
            attached: read.attached,
            question: agent::Said {
                author: asker,
                is_bot: false,
                at: message.created_at,
                text: question(message, &entry.text),
                reply_to: None,
            },
            budgets: desk.budgets,
        };
        (
            context,
            Around {
                history_problem: problem,
                not_read,
            },
        )
    }

    /// What is known of the incident that the question is about.
    async fn incident(&self) -> Option<Attached> {
        let id = self.entry.kept.about.as_ref()?;
        let case = self.bot.incidents().get(id).await.ok().flatten()?;
        let facts = handling::facts(self.bot, &case, &self.entry.message.chat_id).await;
        Some(Attached {
            with: With::Question,
            kind: "record of an incident",
            name: Some(format!("#{}", case.number())),
            bytes: None,
            content: Content::Text(Excerpt::whole(facts)),
        })
    }

    async fn chat(&self) -> Option<Chat> {
        match self.entry.chat_kind {
            ChatKind::P2p => None,
            ChatKind::Group => self.bot.0.chats.get(&self.entry.message.chat_id).await,
        }
    }

    fn facts(&self, asker: &str, chat: Option<Chat>) -> Facts {
        Facts {
            bot_name: self.bot.0.me.name.clone(),
            chat_kind: match (self.entry.chat_kind, &chat) {
                (ChatKind::P2p, _) => Kind::Direct,
                (ChatKind::Group, Some(chat)) if chat.is_topic => Kind::Topic,
                (ChatKind::Group, _) => Kind::Group,
            },
            in_thread: self.entry.message.thread_id.is_some(),
            asker: asker.to_owned(),
            members: chat.as_ref().and_then(|chat| chat.members),
            chat_name: chat.map(|chat| chat.name).filter(|name| !name.is_empty()),
        }
    }

    /// Keeps what was said, and that the last word was said, in one write.
    async fn remember(
        &self,
        word: &KeptWord,
        messages: Vec<MessageId>,
        card: Option<Value>,
        journal: &Journal,
    ) {
        let (desk, message) = (&self.bot.0, &self.entry.message);
        let mut batch = desk.store.batch();
        batch.put(&journal.key, &journal.kept);
        if word.can_regenerate && !messages.is_empty() {
            let past = self.past(word, &messages, card);
            let id = turn_id(&message.id, &self.entry.key);
            desk.past.put(&id, &past, &mut batch);
        }
        if word.is_answer && !messages.is_empty() {
            let asker = OpenId::new(message.sender.id.as_str());
            let exchange = Exchange {
                question_id: message.id.clone(),
                answer_ids: messages,
                replaced_ids: match &self.entry.kept.again {
                    Some(again) => again.replaces.clone(),
                    None => Vec::new(),
                },
                asked_by: desk.people.name(&asker, &message.chat_id).await,
                asked_at: message.created_at,
                question: self.entry.text.clone(),
                answer: word.text.clone(),
            };
            if let Err(error) = desk
                .memory
                .remember(&self.entry.session, &exchange, &mut batch)
                .await
            {
                error!(%error, "the session will not know this answer");
            }
        }
        if let Err(error) = desk.store.commit(batch).await {
            error!(%error, "an answer was given and could not be kept; a crash now would give it again");
        }
        if let Err(error) = self.forget_what_is_gone().await {
            error!(%error, "the session may remember what was withdrawn");
        }
    }

    /// The question may have been recalled, or its chat dissolved, while the last word was said. Looked for
    /// after the answer was kept, as whoever withdraws notes that first and forgets after it: so one of the
    /// two sees the other, whichever is first.
    async fn forget_what_is_gone(&self) -> Result<(), crate::store::Error> {
        let (desk, entry) = (&self.bot.0, self.entry);
        if desk.inbox.is_recalled(&entry.message.id).await? {
            recalled::forget_message(self.bot, &entry.chat, &entry.message.id).await?;
        }
        if self.running.is_chat_gone() {
            desk.memory.forget_chat(&entry.chat).await?;
            desk.past.forget_chat(&entry.message.chat_id).await?;
        }
        Ok(())
    }

    /// What its buttons need from now on.
    fn past(&self, word: &KeptWord, messages: &[MessageId], card: Option<Value>) -> PastTurn {
        let again = self.entry.kept.again.as_ref();
        PastTurn {
            payload: self.entry.kept.payload.clone(),
            chat: self.entry.message.chat_id.clone(),
            messages: messages.to_vec(),
            card,
            is_zh: self.entry.language == Language::Zh,
            is_answer: word.is_answer,
            stopped_by: self.running.stopped_by(),
            regenerations: again.map_or(0, |again| again.regenerations),
            regenerated: None,
            has_form: false,
            ended_at: Timestamp::now(),
        }
    }

    fn count(&self, view: &TurnView, outcome: &'static str) {
        let took = self.entry.arrived.elapsed();
        let metrics = &self.bot.0.metrics;
        metrics
            .turns
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
        metrics.turn_seconds.observe(took.as_secs_f64());
        let (steps, tools) = (
            view.ending.as_ref().map_or(0, |end| end.steps),
            view.steps.len(),
        );
        info!(
            outcome,
            steps,
            tools,
            took_ms = took.as_millis(),
            "a turn has ended"
        );
    }
}

/// Folds what happens into what is shown. A stream that ends without an ending means that the turn's
/// task died, and the view then stays without one.
async fn fold(mut events: mpsc::Receiver<TurnEvent>, view: &watch::Sender<TurnView>) {
    while let Some(event) = events.recv().await {
        view.send_modify(|view| view.apply(event));
    }
    // Wakes whoever draws, also when no ending came.
    view.send_modify(|view| view.closed = true);
}

/// What is asked. Whoever sends a file or forwards messages without a word asks what to make of it.
fn question(message: &Message, text: &str) -> String {
    let has_something = !message.attachments().is_empty() || message.kind == "merge_forward";
    let words = text.replace("[image]", "").replace("[video]", "");
    match has_something && (!message.is_words() || words.trim().is_empty()) {
        true => Unasked {}.render(),
        false => text.to_owned(),
    }
}

/// Messages that were forwarded to us: others wrote them, so they are material and no question.
fn bundle(text: Option<String>) -> Attached {
    let content = match text {
        Some(text) => Content::Text(Excerpt::whole(text)),
        None => Content::Unknown("the forwarded messages could not be opened".into()),
    };
    Attached {
        with: With::Question,
        kind: "forwarded messages",
        name: Some("forwarded messages".into()),
        bytes: None,
        content,
    }
}

fn told(exchange: &Exchange) -> agent::Exchange {
    agent::Exchange {
        question: exchange.question.clone(),
        answer: exchange.answer.clone(),
        asked_by: exchange.asked_by.clone(),
        at: exchange.asked_at,
    }
}

/// Who or what ended a turn from outside.
struct Why {
    /// The process ends.
    interrupted: bool,
    /// The question was recalled.
    is_withdrawn: bool,
    /// The name of someone who stopped it.
    stopped_by: Option<String>,
}

/// How a turn ended, in all the forms in which that is told.
struct End {
    word: KeptWord,
    label: &'static str,
}

impl End {
    fn of(view: &TurnView, why: &Why, entry: &Entry, around: &Around) -> Self {
        let language = entry.language;
        let mut notes = Vec::new();
        if around.history_problem.is_some() {
            notes.push(Phrase::NoHistory.text(language));
        }
        if let Some(again) = &entry.kept.again {
            let name = &again.name;
            notes.push(Phrase::RegeneratedFor { name }.text(language));
        }
        if view.images_refused {
            notes.push(Phrase::ImagesRefused.text(language));
        }
        notes.extend(around.not_read.clone());
        let mut instead = None;
        let outcome = view.ending.as_ref().map(|ending| &ending.outcome);
        let (said, state, label) = match outcome {
            _ if why.interrupted => (Said::Stopped, AnswerState::Interrupted, "interrupted"),
            _ if why.is_withdrawn => {
                notes = vec![Phrase::Withdrawn.text(language)];
                (Said::Stopped, AnswerState::Stopped, "withdrawn")
            }
            Some(Outcome::Answered) => (Said::Answered, AnswerState::Done, "answered"),
            Some(Outcome::CutShort(reason)) => {
                notes.push(cut(*reason).text(language));
                (Said::Answered, AnswerState::CutShort, "cut_short")
            }
            Some(Outcome::Stopped) => {
                if let Some(name) = &why.stopped_by {
                    notes.insert(0, Phrase::StoppedBy { name }.text(language));
                }
                (Said::Stopped, AnswerState::Stopped, "stopped")
            }
            Some(Outcome::Failed(reason)) => {
                log(reason);
                let sentence = failure(reason).text(language);
                match view.text.trim().is_empty() {
                    true => instead = Some(sentence),
                    false => notes.push(sentence),
                }
                (Said::Failed, AnswerState::Failed, "failed")
            }
            None => {
                error!("a turn ended without an ending");
                let trace = entry.message.id.as_str();
                instead = Some(Phrase::Broken { trace }.text(language));
                (Said::Failed, AnswerState::Failed, "died")
            }
        };
        // What was recalled is not remembered, nor what quotes it.
        let is_answer = instead.is_none() && !why.is_withdrawn && !view.text.trim().is_empty();
        let notes = notes.join(" ");
        let word = KeptWord {
            state,
            said,
            text: instead.unwrap_or_else(|| view.text.clone()),
            note: Some(notes).filter(|notes| !notes.is_empty()),
            is_answer,
            can_regenerate: !why.interrupted && !why.is_withdrawn,
            anew: Vec::new(),
        };
        Self { word, label }
    }
}

fn cut(reason: CutReason) -> Phrase<'static> {
    match reason {
        CutReason::Length => Phrase::CutByLength,
        CutReason::ContentFilter => Phrase::CutByFilter,
        CutReason::Steps => Phrase::CutBySteps,
        CutReason::Time => Phrase::CutByTime,
        CutReason::Server => Phrase::CutByServer,
    }
}

fn failure(reason: &FailReason) -> Phrase<'_> {
    match reason {
        FailReason::Model(error) => model_failure(error),
        FailReason::SaidNothing => Phrase::ModelSilent,
        FailReason::Tool { name, .. } => Phrase::ToolBroke { name },
    }
}

fn model_failure(error: &ModelError) -> Phrase<'static> {
    match error {
        ModelError::Unauthorized(_) => Phrase::ModelUnauthorized,
        ModelError::Refused(_) | ModelError::Garbled(_) => Phrase::ModelRefused,
        ModelError::TooFast { .. } => Phrase::ModelTooFast,
        ModelError::ContextTooLong => Phrase::ModelTooLong,
        ModelError::Unreachable(_) | ModelError::NoFirstToken(_) => Phrase::ModelUnreachable,
        ModelError::Stalled(_) | ModelError::BrokenOff => Phrase::ModelBroke,
    }
}

fn log(reason: &FailReason) {
    match reason {
        FailReason::Model(error @ ModelError::Unauthorized(_)) => error!(%error, "a turn failed"),
        FailReason::Model(error) => warn!(%error, "a turn failed"),
        FailReason::SaidNothing => warn!("the model said nothing"),
        FailReason::Tool { name, error } => {
            error!(tool = name, error = format!("{error:#}"), "a tool broke")
        }
    }
}
