//! Draws one turn of a conversation into its cards, and sees to it that the last word arrives.
//!
//! Text comes out of the model far faster than the platform takes updates, so a card is redrawn on a
//! clock and always from the whole turn so far. A redraw that fails is not repeated: the next one carries
//! everything it did. The last drawing is the one people keep; how that one is made sure of is told in
//! [`last_word`].

mod card;
mod last_word;
mod open;
mod parts;
mod patience;
mod shown;
mod stuck;
mod view;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tracing::{debug, warn};

use crate::{
    config::Language,
    feishu::{Client, Error},
    store,
    telemetry::Metrics,
};

use super::{
    card::answer::{
        ANSWER_ELEMENT, AnswerCard, AnswerState, Controls, Footer, STATUS_ELEMENT, Step,
    },
    inbox::{Inbox, Kept, LiveCard},
    markdown,
    notice::Place,
    session::Running,
};

use parts::Plan;
use shown::{PATCH_EVERY, Shown};

pub(super) use last_word::{LastWord, Spoken};
pub(super) use patience::Patience;
pub(super) use shown::CardKit;
pub(super) use stuck::Stuck;
pub(super) use view::TurnView;

/// The first wait before what the platform did not take while a turn runs is tried again, and the longest.
const AGAIN_MIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(30);

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
    /// Whether it lets us make card entities.
    pub cardkit: Arc<CardKit>,
    /// Where cards go that cannot be closed in time.
    pub stuck: Stuck,
    /// Where the answer goes.
    pub place: Place,
    /// What its buttons carry.
    pub controls: Controls,
    /// The language of our own sentences.
    pub language: Language,
    /// How often a streaming card is redrawn.
    pub redraw_every: Duration,
    /// How long after it was switched on streaming is switched on anew.
    pub renew_after: Duration,
    /// How long a card stays as it is before it shows the time.
    pub silence_shown_after: Duration,
    /// The model's name, for the small print.
    pub model: String,
    /// When the question arrived.
    pub arrived: Instant,
    /// The bot's numbers.
    pub metrics: Metrics,
}

/// The cards of one turn.
pub(super) struct Reply {
    canvas: Canvas,
    journal: Journal,
    running: Running,
    cards: Vec<Shown>,
    /// Cards that an earlier process opened for this question and that are not in use yet.
    left_over: VecDeque<LiveCard>,
    drawn: Drawn,
    plan: Plan,
    /// Set when drawing makes no sense any more until the last word.
    given_up: bool,
    /// When what the platform did not take is tried again, and how long the next wait is.
    again_at: Option<Instant>,
    again_wait: Duration,
    /// How many times a card did not take the last word although that was worth waiting for.
    card_waits: u32,
}

/// What the last card shows, so that nothing is sent twice.
#[derive(Default)]
struct Drawn {
    elements: usize,
    answer: String,
    status: String,
    steps: Vec<Step>,
    has_text: bool,
    /// When it was drawn last, and how often only the time was.
    at: Option<Instant>,
    beats: u32,
    silent: Option<Duration>,
}

/// What is to be drawn.
struct Drawing {
    /// The answer so far, one part per card.
    parts: Vec<String>,
    steps: Vec<Step>,
}

impl Reply {
    /// Opens the first card. Where that fails drawing tries it again, or the last word goes another way.
    pub(super) async fn open(canvas: Canvas, journal: Journal, running: Running) -> Self {
        let mut reply = Self::take_up(canvas, journal, running);
        let opened = reply.open_card().await;
        if let Err(error) = &opened {
            warn!(%error, "the answer has no card yet");
        }
        reply.judge(opened);
        reply
    }

    /// The cards that an earlier process left, to say a last word that is known already.
    pub(super) fn take_up(canvas: Canvas, mut journal: Journal, running: Running) -> Self {
        journal.kept.attempts += 1;
        Self {
            left_over: journal.kept.cards.clone().into(),
            canvas,
            journal,
            running,
            cards: Vec::new(),
            drawn: Drawn::default(),
            plan: Plan::default(),
            given_up: false,
            again_at: None,
            again_wait: AGAIN_MIN,
            card_waits: 0,
        }
    }

    /// The entry's place in the inbox.
    pub(super) fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Keeps the cards showing `view`, until the turn is over. Ends the turn when the question is gone.
    pub(super) async fn draw(&mut self, mut view: watch::Receiver<TurnView>) {
        let pace = match self.cards.last() {
            Some(Shown::Message(_)) => self.canvas.redraw_every.max(PATCH_EVERY),
            _ => self.canvas.redraw_every,
        };
        let mut clock = interval(pace);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let renew_at = self.cards.last().and_then(Shown::renew_at);
            let beat_at = self.beat_at();
            let is_beat = tokio::select! {
                changed = view.changed() => match changed {
                    Ok(()) => false,
                    Err(_) => return,
                },
                // The platform would end streaming soon, whether there is text or not.
                () = sleep_until(renew_at.unwrap_or_else(Instant::now)), if renew_at.is_some() => {
                    self.renew().await;
                    continue;
                }
                // A text has arrived, or will not.
                written = written(self.cards.last_mut()), if !self.given_up => {
                    let outcome = self.wrote(written).await;
                    self.judge(outcome);
                    continue;
                }
                // What was not taken may be taken now, also where there is nothing new.
                () = sleep_until(self.again_at.unwrap_or(beat_at)), if self.is_to_be_tried_again() => false,
                // Nothing new for a while: people should see that the turn is alive.
                () = sleep_until(beat_at), if !self.given_up && !self.cards.is_empty() => true,
            };
            tokio::select! {
                _ = clock.tick() => {}
                over = view.wait_for(TurnView::is_over) => { let _ = over; }
            }
            let drawing = {
                let view = view.borrow_and_update();
                if view.is_over() {
                    return;
                }
                Drawing::of(&view, &self.plan)
            };
            if self.given_up {
                continue;
            }
            if is_beat {
                self.drawn.beats += 1;
                self.drawn.silent = Some(self.canvas.arrived.elapsed());
                // Also where it fails: the next one is a while away.
                self.drawn.at = Some(Instant::now());
            }
            let outcome = match self.cards.is_empty() {
                false => self.redraw(&drawing).await,
                // News are no reason to hurry: nothing was taken a moment ago.
                true if self.again_at.is_some_and(|at| at > Instant::now()) => continue,
                true => self.open_card().await,
            };
            if outcome.is_ok() {
                (self.again_at, self.again_wait) = (None, AGAIN_MIN);
            }
            self.judge(outcome);
        }
    }

    fn is_to_be_tried_again(&self) -> bool {
        self.again_at.is_some() && !self.given_up
    }

    /// Decides whether and how drawing goes on.
    fn judge(&mut self, outcome: Result<(), Error>) {
        match outcome {
            Ok(()) => {}
            Err(error) if is_question_gone(&error) => self.withdraw(),
            Err(error @ Error::TooLarge(_)) => {
                if self.plan.shrink() {
                    warn!(%error, "laying the answer out in smaller parts");
                } else {
                    self.give_up(&error);
                }
            }
            Err(error) if error.is_transient() => {
                let told = match &error {
                    Error::TooFast { wait, .. } => *wait,
                    _ => Duration::ZERO,
                };
                debug!(%error, "a redraw is tried again later");
                self.again_at = Some(Instant::now() + told.max(self.again_wait));
                self.again_wait = (self.again_wait * 2).min(AGAIN_MAX);
            }
            Err(error) => self.give_up(&error),
        }
    }

    /// Takes note of what came of a text.
    async fn wrote(&mut self, written: Result<Arc<str>, Error>) -> Result<(), Error> {
        match (written, self.cards.last_mut()) {
            (Ok(element), _) => {
                if &*element == ANSWER_ELEMENT {
                    self.note_first_text();
                }
                Ok(())
            }
            (Err(error), Some(Shown::Entity(card))) => card.mend(error).await,
            (Err(error), _) => Err(error),
        }
    }

    fn withdraw(&mut self) {
        debug!("the question or its card is gone, and with it whoever asked");
        self.running.withdraw();
        self.given_up = true;
    }

    fn give_up(&mut self, error: &Error) {
        warn!(%error, "drawing no more until the last word");
        self.given_up = true;
    }

    fn beat_at(&self) -> Instant {
        let wait = match self.drawn.beats {
            0 => self.canvas.silence_shown_after,
            _ => self.canvas.silence_shown_after * 2,
        };
        self.drawn.at.unwrap_or_else(Instant::now) + wait
    }

    async fn renew(&mut self) {
        if let Some(Shown::Entity(card)) = self.cards.last_mut()
            && let Err(error) = card.renew().await
        {
            warn!(%error, "streaming could not be renewed; the next update will open it again");
        }
    }

    async fn redraw(&mut self, drawing: &Drawing) -> Result<(), Error> {
        self.turn_the_page(drawing).await?;
        let part = self.cards.len().saturating_sub(1);
        let text = drawing.parts.get(part).map_or("", String::as_str);
        let stop = self.canvas.controls.stop.clone();
        let mut view = self.streaming(text, &drawing.steps, &stop);
        let (elements, answer) = (view.elements(), view.elements().pop().unwrap_or_default());
        let is_new = elements.len() != self.drawn.elements
            || answer != self.drawn.answer
            || drawing.steps != self.drawn.steps;
        // The time stays on the card until there is something else to see.
        if is_new {
            view.silent = None;
        }
        let status = view.status();
        let Some(shown) = self.cards.last_mut() else {
            return Ok(());
        };
        match shown {
            Shown::Entity(card) if elements.len() == self.drawn.elements => {
                if answer != self.drawn.answer && !answer.is_empty() {
                    card.show(ANSWER_ELEMENT, &answer);
                    self.drawn.answer = answer;
                }
                if status != self.drawn.status {
                    card.show(STATUS_ELEMENT, &status);
                }
            }
            Shown::Entity(card) => {
                card.redraw(&view.render()).await?;
                self.drawn.answer = answer;
                self.note_first_text();
            }
            Shown::Message(card) => {
                if is_new || status != self.drawn.status {
                    card.redraw(&view.render_still()).await?;
                }
                self.drawn.answer = answer;
                self.note_first_text();
            }
        }
        self.drawn.elements = elements.len();
        self.drawn.status = status;
        if is_new {
            self.drawn.steps = drawing.steps.clone();
            self.drawn.at = Some(Instant::now());
            (self.drawn.beats, self.drawn.silent) = (0, None);
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
            match &mut self.cards[at] {
                Shown::Entity(card) => {
                    card.configure(&config).await?;
                    card.replace(&json).await?;
                }
                Shown::Message(card) => card.patch(&json).await?,
            }
            self.open_card().await?;
        }
        Ok(())
    }

    fn streaming<'a>(&self, text: &'a str, steps: &'a [Step], stop: &'a Value) -> AnswerCard<'a> {
        AnswerCard {
            stop: Some(stop),
            silent: self.drawn.silent,
            ..self.card(AnswerState::Streaming, text, steps)
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
            stop: None,
            silent: None,
        }
    }

    fn note_first_text(&mut self) {
        if !self.drawn.has_text && !self.drawn.answer.is_empty() {
            self.drawn.has_text = true;
            let waited = self.canvas.arrived.elapsed().as_secs_f64();
            self.canvas.metrics.turn_first_text_seconds.observe(waited);
        }
    }
}

impl Drawing {
    fn of(view: &TurnView, plan: &Plan) -> Self {
        Self {
            parts: plan.parts(&markdown::to_dialect_streaming(&view.text)),
            steps: view.steps.clone(),
        }
    }
}

/// What came of the last card's newest text; never, where there is no card that is typed into.
async fn written(card: Option<&mut Shown>) -> Result<Arc<str>, Error> {
    match card {
        Some(Shown::Entity(card)) => card.written().await,
        _ => std::future::pending().await,
    }
}

/// Whether there is nobody to answer any more. A card entity that is gone is another matter: the question
/// still stands.
fn is_question_gone(error: &Error) -> bool {
    const NO_ENTITY: [i64; 2] = [200_740, 200_750];
    matches!(error, Error::Gone(refusal) if !NO_ENTITY.contains(&refusal.code))
}
