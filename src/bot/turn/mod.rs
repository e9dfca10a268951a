//! Answers one question: reads what stands around it, lets the agent think, and draws what comes.
//!
//! The first sign is on its way already. The card is opened and the history read at the same time, and
//! the model is asked as soon as the history is there: nothing waits for something it does not need.

mod context;
mod end;
mod keep;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::{
    agent::{self, FailReason, Outcome, TurnEvent},
    telemetry::OutcomeLabels,
};

use super::{
    Bot, Entry, admission, audit,
    card::answer::AnswerState,
    inbox::{ATTEMPTS_MAX, KeptWord, Said},
    notice::{self, Place},
    past::turn_id,
    phrase::Phrase,
    reply::{Canvas, Journal, LastWord, Reply, Spoken, TurnView},
    session::{EndedBy, Running},
};

use context::Around;
use end::{End, Why, model_failure};

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
