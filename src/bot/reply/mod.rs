//! Draws one turn of a conversation into its cards, and sees to it that the last word arrives.
//!
//! Text comes out of the model far faster than the platform takes updates, so a card is redrawn on a
//! clock and always from the whole turn so far. A redraw that fails is not repeated: the next one carries
//! everything it did. The last drawing is the one people keep, so that one is tried until it is accepted,
//! and where the card takes no more it goes into a new card, and at last into plain text.

mod card;
mod view;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::{
    config::Language,
    feishu::{CardId, Class, Client, Error, Message, MessageId, Outgoing},
    store,
    telemetry::Metrics,
};

use super::{
    card::answer::{
        ANSWER_ELEMENT, AnswerCard, AnswerState, Footer, STATUS_ELEMENT, Step, TEXT_BYTES_MAX,
    },
    inbox::{Inbox, Kept, LiveCard},
    markdown::{self, TABLES_MAX},
    notice::Place,
    phrase::Phrase,
};

use card::Card;
pub(super) use view::TurnView;

/// How often the last word is tried before it is said another way, and how long the first wait is; each
/// further one is twice as long. Together half a minute, on top of what the transport does by itself.
const LAST_WORD_TRIES: u32 = 6;
const LAST_WORD_WAIT: Duration = Duration::from_millis(500);

/// How many cards one answer may take. A model that talks for more than 200 KB is not answering.
const CARDS_MAX: usize = 8;

/// An entry's place in the inbox, written as its cards come into being.
pub(super) struct Journal {
    /// Where it is written.
    pub inbox: Inbox,
    /// Under which key.
    pub key: String,
    /// What is written.
    pub kept: Kept,
}

impl Journal {
    /// Writes it; when this returns it survives a crash.
    pub(super) async fn write(&self) -> Result<(), store::Error> {
        self.inbox.update(&self.key, &self.kept).await
    }
}

/// What every drawing of one turn has in common.
#[derive(Clone)]
pub(super) struct Canvas {
    /// The platform.
    pub feishu: Client,
    /// Where the answer goes.
    pub place: Place,
    /// The language of our own sentences.
    pub language: Language,
    /// How often a streaming card is redrawn.
    pub redraw_every: Duration,
    /// The model's name, for the small print.
    pub model: String,
    /// When the question arrived.
    pub arrived: Instant,
    /// The bot's numbers.
    pub metrics: Metrics,
}

/// The last word of a turn.
pub(super) struct LastWord<'a> {
    /// How the turn ended.
    pub state: AnswerState,
    /// The answer, in the model's Markdown.
    pub text: &'a str,
    /// The tool calls.
    pub steps: &'a [Step],
    /// Sentences of ours that belong under the answer.
    pub note: Option<&'a str>,
}

/// The cards of one turn.
pub(super) struct Reply {
    canvas: Canvas,
    journal: Journal,
    cards: Vec<Card>,
    /// Cards that an earlier process opened for this question and that are not in use yet.
    left_over: VecDeque<LiveCard>,
    drawn: Drawn,
    /// Set when drawing makes no sense any more until the last word.
    given_up: bool,
    has_shown_text: bool,
}

/// What the last card shows, so that nothing is sent twice.
#[derive(Default)]
struct Drawn {
    elements: usize,
    answer: String,
    status: String,
}

/// What is to be drawn.
struct Drawing {
    /// The answer so far, one part per card.
    parts: Vec<String>,
    steps: Vec<Step>,
}

impl Reply {
    /// Opens the first card. Where that fails there is none, and the last word goes another way.
    pub(super) async fn open(canvas: Canvas, mut journal: Journal) -> Self {
        let left_over = std::mem::take(&mut journal.kept.cards).into();
        journal.kept.attempts += 1;
        let mut reply = Self {
            canvas,
            journal,
            cards: Vec::new(),
            left_over,
            drawn: Drawn::default(),
            given_up: false,
            has_shown_text: false,
        };
        if let Err(error) = reply.open_card().await {
            warn!(%error, "the answer has no card yet");
            reply.given_up = true;
        }
        reply
    }

    /// Keeps the cards showing `view`, until the turn is over. Cancels `turn` when the question is gone.
    pub(super) async fn draw(
        &mut self,
        mut view: watch::Receiver<TurnView>,
        turn: &CancellationToken,
    ) {
        let mut clock = interval(self.canvas.redraw_every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let renew_at = self.cards.last().map(Card::renew_at);
            tokio::select! {
                changed = view.changed() => if changed.is_err() { return },
                // The platform would end streaming soon, whether there is text or not.
                () = sleep_until(renew_at.unwrap_or_else(Instant::now)), if renew_at.is_some() => {
                    self.renew().await;
                    continue;
                }
                // A text has arrived, or will not.
                written = written(self.cards.last_mut()), if !self.given_up => {
                    let outcome = self.wrote(written).await;
                    self.judge(outcome, turn);
                    continue;
                }
            }
            tokio::select! {
                _ = clock.tick() => {}
                over = view.wait_for(TurnView::is_over) => { let _ = over; }
            }
            let drawing = {
                let view = view.borrow_and_update();
                if view.is_over() {
                    return;
                }
                Drawing::of(&view)
            };
            if self.given_up {
                continue;
            }
            let outcome = self.redraw(&drawing).await;
            self.judge(outcome, turn);
        }
    }

    /// Decides whether drawing goes on.
    fn judge(&mut self, outcome: Result<(), Error>, turn: &CancellationToken) {
        match outcome {
            Ok(()) => {}
            Err(Error::Gone(_)) => {
                debug!("the card is gone, and with it whoever asked");
                turn.cancel();
                self.given_up = true;
            }
            Err(error) if error.is_transient() => debug!(%error, "skipped a redraw"),
            Err(error) => {
                warn!(%error, "drawing no more until the last word");
                self.given_up = true;
            }
        }
    }

    /// Takes note of what came of a text.
    async fn wrote(&mut self, written: Result<Arc<str>, Error>) -> Result<(), Error> {
        match written {
            Ok(element) if &*element == ANSWER_ELEMENT => {
                self.note_first_text();
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => match self.cards.last_mut() {
                Some(card) => card.mend(error).await,
                None => Err(error),
            },
        }
    }

    async fn renew(&mut self) {
        if let Some(card) = self.cards.last_mut()
            && let Err(error) = card.renew().await
        {
            warn!(%error, "streaming could not be renewed; the next update will open it again");
        }
    }

    async fn redraw(&mut self, drawing: &Drawing) -> Result<(), Error> {
        self.turn_the_page(drawing).await?;
        let part = self.cards.len().saturating_sub(1);
        let text = drawing.parts.get(part).map_or("", String::as_str);
        let view = self.card(AnswerState::Streaming, text, &drawing.steps);
        let (elements, status) = (view.elements(), view.status());
        let answer = elements.last().cloned().unwrap_or_default();
        let Some(card) = self.cards.last_mut() else {
            return Ok(());
        };
        if elements.len() != self.drawn.elements {
            card.replace(&view.render()).await?;
            self.drawn = Drawn {
                elements: elements.len(),
                answer,
                status,
            };
            self.note_first_text();
            return Ok(());
        }
        if answer != self.drawn.answer && !answer.is_empty() {
            card.show(ANSWER_ELEMENT, &answer);
            self.drawn.answer = answer;
        }
        if status != self.drawn.status {
            card.show(STATUS_ELEMENT, &status);
            self.drawn.status = status;
        }
        Ok(())
    }

    /// Finishes the cards whose part is complete, and opens the next one.
    async fn turn_the_page(&mut self, drawing: &Drawing) -> Result<(), Error> {
        while self.cards.len() < drawing.parts.len() && !self.cards.is_empty() {
            let at = self.cards.len() - 1;
            // What was done is told once, on the first card.
            let steps = if at == 0 {
                drawing.steps.as_slice()
            } else {
                &[]
            };
            let mut full = self.card(AnswerState::Done, &drawing.parts[at], steps);
            full.continues = true;
            let (config, json) = (full.closing_config(), full.render());
            let card = &mut self.cards[at];
            card.configure(&config).await?;
            card.replace(&json).await?;
            self.open_card().await?;
        }
        Ok(())
    }

    /// Says the last word and makes sure of it. Gives the messages that carry the answer, or nothing
    /// where it could not be said by any means.
    pub(super) async fn finish(mut self, last: &LastWord<'_>) -> (Option<Vec<MessageId>>, Journal) {
        let parts = Drawing::finished(last.text).parts;
        let mut messages = Vec::new();
        for (at, text) in parts.iter().enumerate() {
            let is_last = at + 1 == parts.len();
            let mut view = self.card(
                if is_last {
                    last.state
                } else {
                    AnswerState::Done
                },
                text,
                &[],
            );
            view.continues = !is_last;
            if at == 0 {
                view.steps = last.steps;
            }
            let took = self.canvas.arrived.elapsed();
            let canvas = self.canvas.clone();
            if is_last {
                view.footer = Footer {
                    model: Some(&canvas.model),
                    took: Some(took),
                    note: last.note,
                };
            }
            let view = Finished {
                config: view.closing_config(),
                json: view.render(),
                text,
            };
            match self.say(at, &view).await {
                Some(message) => messages.push(message),
                None => return (None, self.journal),
            }
        }
        self.put_away_what_is_left().await;
        (Some(messages), self.journal)
    }

    /// Says one part of the last word: in its card, else in a new card, else as text.
    async fn say(&mut self, at: usize, view: &Finished<'_>) -> Option<MessageId> {
        if at >= self.cards.len() && !self.given_up && self.open_card().await.is_err() {
            self.given_up = true;
        }
        if let Some(card) = self.cards.get_mut(at) {
            match close(card, view).await {
                Ok(()) => return Some(card.message.clone()),
                // The question or its card was taken away: there is nobody to tell.
                Err(Error::Gone(_)) => return Some(card.message.clone()),
                Err(error) => {
                    warn!(%error, "the card does not take the last word; sending a new one")
                }
            }
        }
        let card = Outgoing::CardJson(view.json.clone());
        let text = Outgoing::Text(view.text.to_owned());
        for (what, purpose) in [(card, format!("static/{at}")), (text, format!("text/{at}"))] {
            match self.send_patiently(&what, &purpose).await {
                Ok(message) => return Some(message.id),
                Err(Error::Gone(_)) => return Some(self.canvas.place.question.clone()),
                Err(error) => warn!(%error, purpose, "the last word was not taken"),
            }
        }
        error!("the last word could not be said; the question stays in the inbox");
        None
    }

    /// Makes a card, writes down that it exists, and sends it; or takes over one of an earlier process.
    async fn open_card(&mut self) -> Result<(), Error> {
        let view = self.card(AnswerState::Streaming, "", &[]);
        let drawn = Drawn {
            elements: view.elements().len(),
            answer: String::new(),
            status: view.status(),
        };
        let json = view.render();
        let attempt = self.journal.kept.attempts;
        let mut taken_over = None;
        if let Some(live) = self.left_over.pop_front() {
            // Its number may be anything below this attempt's, and it may show half an answer.
            self.note_card(live.clone()).await;
            let message = self.send_once(&live).await?;
            let mut card = Card::new(&self.canvas.feishu, live.id, message, attempt);
            match card.replace(&json).await {
                Ok(()) => taken_over = Some(card),
                Err(error) => {
                    warn!(%error, "a card of an earlier process cannot be taken over");
                    self.journal.kept.cards.pop();
                }
            }
        }
        let card = match taken_over {
            Some(card) => card,
            None => {
                let live = LiveCard {
                    id: self.canvas.feishu.create_card(&json).await?,
                    message: None,
                };
                self.note_card(live.clone()).await;
                let message = self.send_once(&live).await?;
                Card::new(&self.canvas.feishu, live.id, message, attempt)
            }
        };
        if let Some(live) = self.journal.kept.cards.last_mut() {
            live.message = Some(card.message.clone());
        }
        self.cards.push(card);
        self.drawn = drawn;
        Ok(())
    }

    /// A card that is not written down could not be found after a crash, but a card is better than none.
    async fn note_card(&mut self, live: LiveCard) {
        self.journal.kept.cards.push(live);
        if let Err(error) = self.journal.write().await {
            error!(%error, "a card could not be noted; a crash now would leave it open");
        }
    }

    /// Sends a card entity, once: the platform tells a second attempt by its uuid.
    async fn send_once(&self, live: &LiveCard) -> Result<MessageId, Error> {
        match &live.message {
            Some(message) => Ok(message.clone()),
            None => {
                let what = Outgoing::Card(live.id.clone());
                Ok(self.send(&what, &card_purpose(&live.id)).await?.id)
            }
        }
    }

    async fn send_patiently(&self, what: &Outgoing, purpose: &str) -> Result<Message, Error> {
        let mut patience = Patience::new();
        loop {
            match self.send(what, purpose).await {
                Err(error) if patience.allows(&error).await => {}
                sent => return sent,
            }
        }
    }

    async fn send(&self, what: &Outgoing, purpose: &str) -> Result<Message, Error> {
        let place = &self.canvas.place;
        let uuid = place.uuid(purpose);
        let feishu = self.canvas.feishu.at(Class::Sign);
        feishu
            .reply(&place.question, &place.chat, what, place.in_thread, &uuid)
            .await
    }

    /// An answer that was interrupted may have been longer than the one that took its place.
    async fn put_away_what_is_left(&mut self) {
        let text = Phrase::Superseded.text(self.canvas.language);
        let attempt = self.journal.kept.attempts;
        for live in std::mem::take(&mut self.left_over) {
            let Some(message) = live.message else {
                continue;
            };
            let view = self.card(AnswerState::Done, &text, &[]);
            let view = Finished {
                config: view.closing_config(),
                json: view.render(),
                text: &text,
            };
            let mut card = Card::new(&self.canvas.feishu, live.id, message, attempt);
            if let Err(error) = close(&mut card, &view).await {
                warn!(%error, "a card of an earlier process stays as it is");
            }
        }
    }

    fn card<'a>(&self, state: AnswerState, text: &'a str, steps: &'a [Step]) -> AnswerCard<'a> {
        AnswerCard {
            language: self.canvas.language,
            state,
            steps,
            text,
            footer: Footer::default(),
            continues: false,
        }
    }

    fn note_first_text(&mut self) {
        if !std::mem::replace(&mut self.has_shown_text, true) {
            let waited = self.canvas.arrived.elapsed().as_secs_f64();
            self.canvas.metrics.turn_first_text_seconds.observe(waited);
        }
    }
}

/// What came of the last card's newest text; never, where there is no card.
async fn written(card: Option<&mut Card>) -> Result<Arc<str>, Error> {
    match card {
        Some(card) => card.written().await,
        None => std::future::pending().await,
    }
}

/// One part of the last word, ready to be sent.
struct Finished<'a> {
    config: serde_json::Value,
    json: serde_json::Value,
    text: &'a str,
}

impl Drawing {
    fn of(view: &TurnView) -> Self {
        let text = markdown::to_dialect_streaming(&view.text);
        Self {
            parts: parts_of(&text),
            steps: view.steps.clone(),
        }
    }

    fn finished(text: &str) -> Self {
        Self {
            parts: parts_of(&markdown::to_dialect(text)),
            steps: Vec::new(),
        }
    }
}

/// At least one part, and at most as many as there may be cards.
fn parts_of(dialect: &str) -> Vec<String> {
    let mut parts = markdown::split(dialect, TEXT_BYTES_MAX, TABLES_MAX);
    if parts.len() > CARDS_MAX {
        parts.truncate(CARDS_MAX);
        if let Some(last) = parts.last_mut() {
            last.push_str("\n\n…");
        }
    }
    if parts.is_empty() {
        parts.push(String::new());
    }
    parts
}

/// Each entity is one message, so its id is purpose enough.
fn card_purpose(id: &CardId) -> String {
    format!("card/{id}")
}

/// Streaming off, then the whole card as it shall stay. Only both together are the last word.
async fn close(card: &mut Card, view: &Finished<'_>) -> Result<(), Error> {
    let mut patience = Patience::new();
    loop {
        let closed = match card.configure(&view.config).await {
            Ok(()) => card.replace(&view.json).await,
            Err(error) => Err(error),
        };
        match closed {
            Err(error) if patience.allows(&error).await => {}
            closed => return closed,
        }
    }
}

/// How long we go on trying to say the last word one way before we try another.
struct Patience {
    tries: u32,
    wait: Duration,
}

impl Patience {
    fn new() -> Self {
        Self {
            tries: LAST_WORD_TRIES,
            wait: LAST_WORD_WAIT,
        }
    }

    /// Waits and says that it is worth another try, or that it is not.
    async fn allows(&mut self, error: &Error) -> bool {
        self.tries -= 1;
        if self.tries == 0 || !error.is_transient() {
            return false;
        }
        debug!(%error, "trying the last word again");
        sleep(self.wait).await;
        self.wait *= 2;
        true
    }
}
