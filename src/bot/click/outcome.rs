//! What a press comes to: a line for the one who pressed, perhaps the card as it is now, and what is
//! to be done once they have been answered.

use serde_json::{Value, json};
use tracing::error;

use crate::{
    bot::{Bot, access::Denied, alone::Guard, phrase::Phrase},
    config::Language,
};

use super::Deed;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was done.
    Success,
    /// There was nothing to do.
    Info,
    /// It was not done, and they can do something about it.
    Warning,
    /// It was not done for a fault of ours.
    Error,
}

/// What is done after the answer; the card must not change before it (feishu-wire 4.8).
type After = Box<dyn FnOnce(&Bot) + Send + Sync>;

/// What a press comes to.
#[must_use]
pub(super) struct Outcome {
    kind: Kind,
    english: String,
    chinese: String,
    card: Option<Value>,
    after: Option<After>,
    deed: Option<Deed>,
    denied: Option<&'static str>,
    /// Held until they were answered, so that the cards of two answers come in the order of the deeds.
    held: Vec<Guard>,
}

impl Outcome {
    /// A line and nothing else.
    pub(super) fn told(kind: Kind, phrase: &Phrase<'_>) -> Self {
        Self::said(kind, |language| phrase.text(language))
    }

    /// The same, for a line that is no phrase.
    pub(super) fn said(kind: Kind, line: impl Fn(Language) -> String) -> Self {
        Self {
            kind,
            english: line(Language::En),
            chinese: line(Language::Zh),
            card: None,
            after: None,
            deed: None,
            denied: None,
            held: Vec::new(),
        }
    }

    /// For someone who has not the right: why, and what to do.
    pub(super) fn denied(denied: &Denied) -> Self {
        let outcome = Self::told(Kind::Warning, &Phrase::Denied(denied));
        Self {
            denied: Some(denied.name()),
            ..outcome
        }
    }

    /// For a deed that panicked.
    pub(super) fn broken() -> Self {
        error!("a press broke on its way; the panic itself is logged above");
        Self::told(Kind::Error, &Phrase::PressBroken)
    }

    /// The same, with the card as it is from now on.
    pub(super) fn showing(self, card: Option<Value>) -> Self {
        Self { card, ..self }
    }

    /// The same, with something to be done once they were answered.
    pub(super) fn then(self, after: impl FnOnce(&Bot) + Send + Sync + 'static) -> Self {
        Self {
            after: Some(Box::new(after)),
            ..self
        }
    }

    /// The same, of this deed.
    pub(super) fn of(self, deed: Deed) -> Self {
        Self {
            deed: Some(deed),
            ..self
        }
    }

    /// The same, done while nobody else did anything to the same turn.
    pub(super) fn holding(mut self, alone: Guard) -> Self {
        self.held.push(alone);
        self
    }

    /// The platform's answer to a press: a line in the language of each client, and perhaps the card.
    pub(super) fn reply(&self) -> Value {
        let kind = match self.kind {
            Kind::Success => "success",
            Kind::Info => "info",
            Kind::Warning => "warning",
            Kind::Error => "error",
        };
        let mut reply = json!({"toast": {
            "type": kind,
            "content": self.english,
            "i18n": {"en_us": self.english, "zh_cn": self.chinese},
        }});
        if let Some(card) = &self.card {
            reply["card"] = json!({"type": "raw", "data": card});
        }
        reply
    }

    /// The card as it is from now on, where that has changed.
    pub(super) fn card(&self) -> Option<&Value> {
        self.card.as_ref()
    }

    /// What was asked for, if that is known.
    pub(super) fn deed(&self) -> Option<Deed> {
        self.deed
    }

    /// How the audit calls what came of it.
    pub(super) fn label(&self) -> &'static str {
        self.denied.unwrap_or(match self.kind {
            Kind::Success => "done",
            Kind::Info => "nothing",
            Kind::Warning => "refused",
            Kind::Error => "failed",
        })
    }

    /// Whether it came to nothing.
    pub(super) fn is_failure(&self) -> bool {
        matches!(self.kind, Kind::Warning | Kind::Error)
    }

    /// The line in English.
    pub(super) fn english(&self) -> &str {
        &self.english
    }

    /// The line in Chinese.
    pub(super) fn chinese(&self) -> &str {
        &self.chinese
    }

    /// Does what is to be done after the answer.
    pub(super) fn follow(self, bot: &Bot) {
        if let Some(after) = self.after {
            after(bot);
        }
        drop(self.held);
    }
}
