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
//!
//! From `static` on there is no way back. Such a message may stand in the chat although its answer was lost,
//! or the process with it, and a card that takes the same words later would say them twice. So it is written
//! down before the first try that a part goes this way ([`Anew`]), and from then on the same is sent under
//! the same `uuid`, by this process and by the next. The platform knows a `uuid` for an hour; only where its
//! answer was lost and nothing could be sent for longer than that may people see the part twice.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;
use tokio::time::sleep;
use tracing::{Span, debug, error, warn};

use crate::{
    bot::{
        card::answer::{AnswerState, ControlRow, Footer, Step},
        inbox::{Anew, KeptWord},
        markdown,
        phrase::Phrase,
    },
    feishu::{Error, MessageId, Outgoing},
    telemetry::WayLabels,
};

use super::{
    Journal, Patience, Reply, Shown, is_question_gone, parts,
    shown::{Finished, MessageCard},
};

/// The first wait before everything is tried once more, and the longest.
const LATER: Duration = Duration::from_secs(5);
const LATER_MAX: Duration = Duration::from_secs(300);

/// How many times all patience with a card may run out before the answer leaves it.
const CARD_WAITS_MAX: u32 = 2;

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
    /// The platform objects to what it says; people can read that, in these messages.
    Masked(Vec<MessageId>),
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
    /// It stands for what the platform objected to.
    is_masked: bool,
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
            // It was cut smaller than this when it was tried, so it is cut the same way again.
            let layout = self.anew(at).map_or(0, |anew| anew.layout);
            if layout > self.plan.name() && self.plan.shrink() {
                rest = self.cut(&text, &rest);
                continue;
            }
            let is_last = rest.is_empty();
            let part = Part {
                at,
                text: &text,
                is_last,
                as_text,
                is_masked,
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
                    rest = self.cut(&text, &rest);
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
        let spoken = match is_masked {
            true => Spoken::Masked(messages),
            false => Spoken::Said { messages, card },
        };
        (spoken, self.journal)
    }

    /// Shows in the card that the turn ends here for now. The next process answers in the same card, so there
    /// is no other way to say it, and where it cannot be said nothing is lost.
    pub(in crate::bot) async fn interrupt(mut self, last: &LastWord<'_>) {
        let dialect = markdown::to_dialect(&last.word.text);
        let parts = self.plan.parts(parts::sendable(&dialect).0);
        let Some(at) = self.cards.len().checked_sub(1) else {
            return;
        };
        let part = Part {
            at,
            text: parts.get(at).map_or("", String::as_str),
            is_last: true,
            as_text: false,
            is_masked: false,
        };
        let (_, finished) = self.finished(&part, last);
        if let Some(card) = self.cards.get_mut(at)
            && let Err(error) = card.close(&finished).await
        {
            debug!(%error, "a card does not show that its turn was interrupted");
        }
    }

    /// What is left to say, in the layout as it is by now.
    fn cut(&self, text: &str, rest: &VecDeque<String>) -> VecDeque<String> {
        let smaller = self.plan.parts(text).into_iter();
        let others = rest.iter().flat_map(|part| self.plan.parts(part));
        smaller.chain(others).collect()
    }

    /// Whether and how a part was tried in a message of its own, in this process or an earlier one.
    fn anew(&self, at: usize) -> Option<Anew> {
        let word = self.journal.kept.last.as_ref()?;
        word.anew.iter().find(|anew| anew.part == at).copied()
    }

    /// Writes down that a part is about to be tried in a message of its own.
    async fn begin_anew(&mut self, anew: Anew) {
        if self.anew(anew.part) == Some(anew) {
            return;
        }
        let Some(word) = self.journal.kept.last.as_mut() else {
            return;
        };
        word.anew.retain(|one| one.part != anew.part);
        word.anew.push(anew);
        // An answer that may be doubled by a crash is better than none.
        if let Err(error) = self.journal.write().await {
            error!(%error, "a message could not be noted before it is sent; a crash now could double it");
        }
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
        let takes_a_card = !part.as_text && self.anew(part.at).is_none();
        // Where the first one could not be opened, it may be possible by now.
        let is_worth_a_try = !self.given_up || self.cards.is_empty();
        if takes_a_card && part.at == self.cards.len() && is_worth_a_try {
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
                Err(Error::QuotaUsedUp(_)) => return Err(Trouble::NotNow),
                // One may stand in the chat although nothing told us so.
                Err(error) if !self.left_over.is_empty() && self.is_worth_waiting_for(&error) => {
                    return Err(Trouble::NotNow);
                }
                Err(error) => {
                    warn!(%error, "there is no card for the last word");
                    self.given_up = true;
                }
            }
        }
        if takes_a_card && let Some(card) = self.cards.get_mut(part.at) {
            let message = card.message().clone();
            match card.close(&finished).await {
                Ok(way) => {
                    let card = Some(bare);
                    return Ok(Said { message, way, card });
                }
                Err(error) if is_question_gone(&error) => return Err(Trouble::Gone),
                Err(Error::TooLarge(_)) => return Err(Trouble::TooLarge),
                Err(Error::Censored(_)) => return Err(Trouble::Censored),
                // Its time comes again, and there is no other way by then either.
                Err(Error::QuotaUsedUp(_)) => return Err(Trouble::NotNow),
                Err(error) if self.is_worth_waiting_for(&error) => return Err(Trouble::NotNow),
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

    /// Whether what keeps a card from the last word may pass. A card that only points to its answer is worth
    /// avoiding, but not for ever: card entities may be in trouble of their own, while messages are not.
    fn is_worth_waiting_for(&mut self, error: &Error) -> bool {
        let is_worth_it = may_pass(error) && self.card_waits < CARD_WAITS_MAX;
        self.card_waits += u32::from(is_worth_it);
        is_worth_it
    }

    /// Says one part in a message of its own.
    async fn say_anew(
        &mut self,
        part: &Part<'_>,
        finished: &Finished,
    ) -> Result<(MessageId, &'static str), Trouble> {
        let name = format!("{}/{}", part.at, self.plan.name());
        let mut anew = Anew {
            part: part.at,
            layout: self.plan.name(),
            as_text: part.as_text || self.anew(part.at).is_some_and(|anew| anew.as_text),
        };
        self.begin_anew(anew).await;
        if !anew.as_text {
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
            anew.as_text = true;
            self.begin_anew(anew).await;
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
            true if part.is_masked => AnswerState::Failed,
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
        if part.is_last && !part.is_masked && last.word.can_regenerate {
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
                    self.canvas.metrics.cards_left_open.inc();
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
/// first, or to buy more calls, which they will, since nothing works until then.
fn may_pass(error: &Error) -> bool {
    error.is_transient() || matches!(error, Error::Unauthorized(_) | Error::QuotaUsedUp(_))
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
