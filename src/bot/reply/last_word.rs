//! How the last word of a turn is said and made sure of.
//!
//! The answer is said part by part. For each part, in this order, until the platform has accepted one:
//!
//! | way | is |
//! |---|---|
//! | `card`, `patch` | its card: streaming off, and the whole card as it shall stay |
//! | `update` | the whole card alone, which also says that it does not stream |
//! | `static` | a new card; the old one is closed later (see `stuck`) |
//! | `text` | plain text |
//!
//! What passes is waited out at each step. A part that is too large is cut smaller. Where the platform
//! takes nothing at all for now, we begin again later; the question stays in the inbox until then.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;
use tokio::time::sleep;
use tracing::{Span, debug, error, warn};

use crate::{
    bot::{
        card::answer::{AnswerState, ControlRow, Footer, Step},
        inbox::KeptWord,
        markdown,
        phrase::Phrase,
    },
    feishu::{Error, MessageId, Outgoing},
    telemetry::WayLabels,
};

use super::{
    Journal, MessageCard, Patience, Reply, Shown, is_question_gone, parts, shown::Finished,
};

/// The first wait before everything is tried once more, and the longest.
const LATER: Duration = Duration::from_secs(5);
const LATER_MAX: Duration = Duration::from_secs(300);

/// The last word of a turn.
pub(in crate::bot) struct LastWord<'a> {
    /// What is said.
    pub word: &'a KeptWord,
    /// The tool calls.
    pub steps: &'a [Step],
}

/// What became of the last word.
pub(in crate::bot) enum Spoken {
    /// People can read it.
    Said {
        /// In these messages. None where there is nobody to read it any more.
        messages: Vec<MessageId>,
        /// The last card as it is without its buttons; none where the end went out as text.
        card: Option<Value>,
    },
    /// The platform takes it in no form.
    Refused,
    /// The process ends before it could be said.
    NotYet,
}

/// Why a part was not said.
enum Trouble {
    /// Nobody is there any more.
    Gone,
    TooLarge,
    Censored,
    /// Later it may work.
    NotNow,
    Never,
}

/// One part that people can read.
struct Said {
    message: MessageId,
    way: &'static str,
    /// Without its buttons; none where it went out as text.
    card: Option<Value>,
}

/// One part of the answer on its way.
struct Part<'a> {
    at: usize,
    text: &'a str,
    is_last: bool,
    /// Cards are too small for it.
    as_text: bool,
}

impl Reply {
    /// Says the last word and makes sure of it.
    pub(in crate::bot) async fn finish(mut self, last: &LastWord<'_>) -> (Spoken, Journal) {
        let dialect = markdown::to_dialect(&last.word.text);
        let (dialect, is_cut) = parts::sendable(&dialect);
        let mut rest: VecDeque<String> = self.plan.parts(dialect).into();
        if is_cut && let Some(end) = rest.back_mut() {
            let sentence = Phrase::TooLongToSend.text(self.canvas.language);
            end.push_str(&format!("\n\n{sentence}"));
        }
        let (mut messages, mut ways, mut card) = (Vec::new(), Vec::new(), None);
        let (mut as_text, mut is_masked, mut later) = (false, false, LATER);
        let mut at = 0;
        while let Some(text) = rest.pop_front() {
            let is_last = rest.is_empty();
            let part = Part {
                at,
                text: &text,
                is_last,
                as_text,
            };
            let trouble = match self.say(&part, last).await {
                Ok(said) => {
                    ways.push(said.way);
                    messages.push(said.message);
                    card = said.card;
                    at += 1;
                    continue;
                }
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Gone => {
                    ways.push("gone");
                    break;
                }
                // What was said stays said; only what is left is cut smaller.
                Trouble::TooLarge => {
                    as_text = !self.plan.shrink();
                    let smaller = self.plan.parts(&text).into_iter();
                    let others = rest.iter().flat_map(|part| self.plan.parts(part));
                    rest = smaller.chain(others).collect();
                }
                Trouble::Censored if !is_masked => {
                    is_masked = true;
                    rest = VecDeque::from([Phrase::Censored.text(self.canvas.language)]);
                }
                Trouble::NotNow if !self.running.is_abandoned() => {
                    if ways.last() != Some(&"not_yet") {
                        ways.push("not_yet");
                    }
                    warn!(wait = ?later, "the last word cannot be said for now; it is tried again");
                    rest.push_front(text);
                    tokio::select! {
                        () = sleep(later) => later = (later * 2).min(LATER_MAX),
                        // The entry stays, and the next process says it.
                        () = self.running.abandoned() => {}
                    }
                }
                Trouble::NotNow => {
                    self.record(&ways);
                    return (Spoken::NotYet, self.journal);
                }
                Trouble::Censored | Trouble::Never => {
                    error!("the platform takes the last word in no form, so nobody can read it");
                    ways.push("refused");
                    self.record(&ways);
                    self.put_away_from(at).await;
                    return (Spoken::Refused, self.journal);
                }
            }
        }
        self.put_away_from(at).await;
        self.record(&ways);
        (Spoken::Said { messages, card }, self.journal)
    }

    /// Tells by which ways the parts went.
    fn record(&self, ways: &[&'static str]) {
        Span::current().record("last_words", ways.join(" "));
        for way in ways {
            let labels = WayLabels { way };
            self.canvas.metrics.last_words.get_or_create(&labels).inc();
        }
    }

    /// Says one part, by the first way that is accepted.
    async fn say(&mut self, part: &Part<'_>, last: &LastWord<'_>) -> Result<Said, Trouble> {
        let (bare, finished) = self.finished(part, last);
        // Where the first one could not be opened, it may be possible by now.
        let is_worth_a_try = !self.given_up || self.cards.is_empty();
        if !part.as_text && part.at >= self.cards.len() && is_worth_a_try {
            let mut patience = Patience::new();
            let opened = loop {
                match self.open_card().await {
                    // A new card beside one that is there, but cannot be reached, would be a second answer.
                    Err(error) if patience.allows(&error).await => {}
                    opened => break opened,
                }
            };
            match opened {
                Ok(()) => {}
                Err(error) if is_question_gone(&error) => return Err(Trouble::Gone),
                Err(error) => {
                    warn!(%error, "there is no card for the last word");
                    self.given_up = true;
                }
            }
        }
        if !part.as_text
            && let Some(card) = self.cards.get_mut(part.at)
        {
            let message = card.message().clone();
            match card.close(&finished).await {
                Ok(way) => {
                    let card = Some(bare);
                    return Ok(Said { message, way, card });
                }
                Err(error) if is_question_gone(&error) => return Err(Trouble::Gone),
                Err(Error::TooLarge(_)) => return Err(Trouble::TooLarge),
                Err(Error::Censored(_)) => return Err(Trouble::Censored),
                Err(error) => {
                    warn!(%error, "the card does not take the last word; sending a new one")
                }
            }
        }
        let (message, way) = self.say_anew(part, &finished).await?;
        // Whatever it shows, it is not the answer.
        if let Some(live) = self.cards.get(part.at).map(|card| card.live()) {
            self.close_later(live).await;
        }
        let card = (way != "text").then_some(bare);
        Ok(Said { message, way, card })
    }

    /// Says one part in a message of its own.
    async fn say_anew(
        &self,
        part: &Part<'_>,
        finished: &Finished,
    ) -> Result<(MessageId, &'static str), Trouble> {
        let name = format!("{}/{}", part.at, self.plan.name());
        if !part.as_text {
            let card = Outgoing::CardJson(finished.json.clone());
            match self.send_patiently(&card, &format!("static/{name}")).await {
                Ok(message) => return Ok((message, "static")),
                Err(Error::Gone(_)) => return Err(Trouble::Gone),
                Err(Error::TooLarge(_)) => return Err(Trouble::TooLarge),
                Err(Error::Censored(_)) => return Err(Trouble::Censored),
                // What holds back a card holds back a text as well.
                Err(error) if may_pass(&error) => return Err(Trouble::NotNow),
                Err(error) => warn!(%error, "a new card is not taken either; sending text"),
            }
        }
        let text = Outgoing::Text(as_text(&finished.json));
        match self.send_patiently(&text, &format!("text/{name}")).await {
            Ok(message) => Ok((message, "text")),
            Err(Error::Gone(_)) => Err(Trouble::Gone),
            Err(Error::Censored(_)) => Err(Trouble::Censored),
            Err(error) => {
                warn!(%error, "the last word was not taken as text");
                Err(match may_pass(&error) {
                    true => Trouble::NotNow,
                    false => Trouble::Never,
                })
            }
        }
    }

    async fn send_patiently(&self, what: &Outgoing, purpose: &str) -> Result<MessageId, Error> {
        let mut patience = Patience::new();
        loop {
            match self.send(what, purpose).await {
                Ok(message) => return Ok(message.id),
                Err(error) if patience.allows(&error).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A part's card without its buttons, and as it shall stay.
    fn finished(&self, part: &Part<'_>, last: &LastWord<'_>) -> (Value, Finished) {
        let state = match part.is_last {
            true => last.word.state,
            false => AnswerState::Done,
        };
        // What was done is told once, on the first card.
        let steps = if part.at == 0 { last.steps } else { &[] };
        let mut view = self.card(state, part.text, steps);
        view.continues = !part.is_last;
        if part.is_last {
            view.footer = Footer {
                model: Some(&self.canvas.model),
                took: Some(self.canvas.arrived.elapsed()),
                note: last.word.note.as_deref(),
            };
        }
        let (config, bare) = (view.closing_config(), view.render());
        let mut json = bare.clone();
        // They go with the card that is written anyway, so they cost no call of their own.
        if part.is_last && last.word.can_regenerate {
            let row = ControlRow {
                controls: &self.canvas.controls,
                language: self.canvas.language,
                is_answer: last.word.is_answer,
                can_regenerate: true,
                note: None,
                has_form: false,
            };
            row.put_under(&mut json);
        }
        (bare, Finished { config, json })
    }

    /// Closes the cards from `used` on, which the answer did not need: an interrupted one may have been
    /// longer than the one that took its place.
    async fn put_away_from(&mut self, used: usize) {
        let text = Phrase::Superseded.text(self.canvas.language);
        let view = self.card(AnswerState::Done, &text, &[]);
        let finished = Finished {
            config: view.closing_config(),
            json: view.render(),
        };
        let unused = used.min(self.cards.len());
        for mut card in self.cards.split_off(unused) {
            match card.close(&finished).await {
                Ok(_) | Err(Error::Gone(_)) => {}
                Err(error) => {
                    debug!(%error, "a card that is not needed does not close");
                    let sequence = card.sequence();
                    let (stuck, language) = (&self.canvas.stuck, self.canvas.language);
                    stuck
                        .close_later(card.live(), sequence, language, true)
                        .await;
                }
            }
        }
        for live in std::mem::take(&mut self.left_over) {
            let mut card = match (live.id.clone(), live.message.clone()) {
                // An entity is changed by its own id; which message shows it may never have been known.
                (Some(id), message) => {
                    let message = message.unwrap_or_else(|| MessageId::new(""));
                    Shown::Entity(self.entity(id, message))
                }
                (None, Some(message)) => {
                    let feishu = self.canvas.feishu.clone();
                    Shown::Message(MessageCard::new(feishu, message))
                }
                (None, None) => continue,
            };
            match card.close(&finished).await {
                Ok(_) | Err(Error::Gone(_)) => {}
                Err(error) => {
                    debug!(%error, "a card of an earlier process does not close");
                    self.close_later(live).await;
                }
            }
        }
    }
}

/// Whether the same may be taken at another time: also where an administrator has to put the app in order
/// first, which they will, since nothing works until then.
fn may_pass(error: &Error) -> bool {
    error.is_transient() || matches!(error, Error::Unauthorized(_))
}

/// The texts of a card, for where no card is taken.
fn as_text(card: &Value) -> String {
    let elements = card["body"]["elements"].as_array();
    let texts: Vec<&str> = elements
        .into_iter()
        .flatten()
        .filter_map(|element| element["content"].as_str())
        .collect();
    markdown::text_message(&texts.join("\n\n"))
}
