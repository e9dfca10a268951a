//! Thumbs up, thumbs down, and the form that asks what was wrong.
//!
//! Thumbs down is kept at once; the form that it opens only adds to it. The form goes when everybody who
//! was asked has answered, or has pressed thumbs down once more.

use serde_json::{Map, Value};

use crate::{
    bot::{
        Bot,
        card::answer::{REASONS_FIELD, TEXT_CHARS_MAX, TEXT_FIELD},
        feedback::{Rating, Ratings, Reason, Verdict},
        past::PastTurn,
        phrase::Phrase,
    },
    feishu::Click,
    store,
    telemetry::VerdictLabels,
};

use super::{Kind, Order, Outcome, not_kept, not_there};

/// An answer helped.
pub(super) async fn praise(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let case = match Case::open(bot, click, order).await {
        Ok(case) => case,
        Err(outcome) => return outcome,
    };
    let rating = Rating::new(Verdict::Good);
    case.keep(rating, &Phrase::ThanksForPraise).await
}

/// An answer did not help.
pub(super) async fn complain(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let case = match Case::open(bot, click, order).await {
        Ok(case) => case,
        Err(outcome) => return outcome,
    };
    let before = case.ratings.of(&click.operator).cloned();
    let before = before.filter(|before| before.verdict == Verdict::Bad);
    let was_asked = before.as_ref().is_some_and(|before| before.is_asked);
    let rating = Rating {
        is_asked: case.past.card.is_some() && !was_asked,
        // What they explained stays until they explain it anew.
        ..before.unwrap_or_else(|| Rating::new(Verdict::Bad))
    };
    let phrase = match rating.is_asked {
        true => Phrase::WhatWasWrong,
        false => Phrase::ThanksForComplaint,
    };
    case.keep(rating, &phrase).await
}

/// Why it did not.
pub(super) async fn explain(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let case = match Case::open(bot, click, order).await {
        Ok(case) => case,
        Err(outcome) => return outcome,
    };
    let (reasons, text) = (reasons(&click.form), text(&click.form));
    if reasons.is_empty() && text.is_none() {
        return Outcome::told(Kind::Info, &Phrase::NothingExplained);
    }
    let rating = Rating {
        reasons,
        text,
        ..Rating::new(Verdict::Bad)
    };
    case.keep(rating, &Phrase::ThanksForComplaint).await
}

/// One person's verdict on one turn, about to be given.
struct Case<'a> {
    bot: &'a Bot,
    click: &'a Click,
    order: &'a Order,
    past: PastTurn,
    ratings: Ratings,
}

impl<'a> Case<'a> {
    async fn open(bot: &'a Bot, click: &'a Click, order: &'a Order) -> Result<Self, Outcome> {
        let turn = &order.about;
        let past = match bot.0.past.get(turn).await {
            Ok(Some(past)) => past,
            Ok(None) => return Err(not_there(bot, turn).await),
            Err(error) => return Err(not_kept(&error)),
        };
        let ratings = bot.0.feedback.all(turn).await;
        let ratings = ratings.map_err(|error| not_kept(&error))?;
        Ok(Self {
            bot,
            click,
            order,
            past,
            ratings,
        })
    }

    /// Keeps the verdict, and the card's form with it.
    async fn keep(mut self, rating: Rating, phrase: &Phrase<'_>) -> Outcome {
        let before = self.ratings.of(&self.click.operator);
        let is_new = before.is_none_or(|before| before.verdict != rating.verdict);
        let had_form = self.past.has_form;
        self.past.has_form = rating.is_asked || self.ratings.asks_others(&self.click.operator);
        if let Err(error) = self.write(&rating, had_form).await {
            return not_kept(&error);
        }
        if is_new {
            let verdict = rating.verdict.label();
            let feedback = &self.bot.metrics().feedback;
            feedback.get_or_create(&VerdictLabels { verdict }).inc();
        }
        let outcome = Outcome::told(Kind::Success, phrase);
        if had_form == self.past.has_form {
            return outcome;
        }
        let Order { about, chat, .. } = self.order;
        let controls = self.bot.0.clicks.controls(about, chat);
        outcome.showing(self.past.card_now(&controls))
    }

    async fn write(&self, rating: &Rating, had_form: bool) -> Result<(), store::Error> {
        let desk = &self.bot.0;
        let mut batch = desk.store.batch();
        let person = &self.click.operator;
        desk.feedback
            .put(&self.order.about, person, rating, &mut batch);
        if had_form != self.past.has_form {
            desk.past.put(&self.order.about, &self.past, &mut batch);
        }
        desk.store.commit(batch).await
    }
}

/// The reasons that were chosen, each once. One that we do not offer is none.
fn reasons(form: &Map<String, Value>) -> Vec<Reason> {
    let chosen: Vec<&str> = match form.get(REASONS_FIELD) {
        Some(Value::Array(chosen)) => chosen.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let is_chosen = |reason: &Reason| chosen.contains(&reason.name());
    Reason::ALL.into_iter().filter(is_chosen).collect()
}

/// What was written. A client keeps to the field's limit; what does not is cut.
fn text(form: &Map<String, Value>) -> Option<String> {
    let text = form.get(TEXT_FIELD)?.as_str()?.trim();
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_form_is_read_for_what_it_offers_and_no_more() {
        let all = form(
            json!({"reasons": ["off_topic", "wrong_diagnosis", "off_topic", "rude", 7],
            "text": format!("  {}  ", "长".repeat(800)), "else": true}),
        );
        assert_eq!(reasons(&all), [Reason::WrongDiagnosis, Reason::OffTopic]);
        let words = text(&all).unwrap_or_default();
        assert_eq!(words.chars().count(), TEXT_CHARS_MAX);
        let one = form(json!({"reasons": "no_root_cause", "text": "  "}));
        assert_eq!(reasons(&one), [Reason::NoRootCause]);
        assert_eq!(text(&one), None);
        for nothing in [json!({}), json!({"reasons": null, "text": ["a"]})] {
            let nothing = form(nothing);
            assert!(reasons(&nothing).is_empty() && text(&nothing).is_none());
        }
    }
}
