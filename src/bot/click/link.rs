//! The buttons of `/link`: apply what was shown, confirm or decline what somebody said about themselves.
//!
//! A value's `about` is the language of the card, then the plan's fingerprint or the claim's code.

use crate::{
    bot::{
        Bot,
        command::link,
        members::{Decision, Trouble, decide},
        phrase::Phrase,
    },
    config::Language,
    feishu::Click,
};

use super::{Kind, Order, Outcome, not_kept};

/// What such a button is about.
pub(in crate::bot) fn about(language: Language, what: &str) -> String {
    let language = match language {
        Language::En => "en",
        Language::Zh => "zh",
    };
    format!("{language}/{what}")
}

fn read(about: &str) -> (Language, &str) {
    match about.split_once('/') {
        Some(("zh", what)) => (Language::Zh, what),
        Some((_, what)) => (Language::En, what),
        None => (Language::En, about),
    }
}

/// Makes exactly those links that the card showed.
pub(super) async fn all(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let (language, fingerprint) = read(&order.about);
    let plan = match bot.members().plan(true).await {
        Ok(plan) => plan,
        Err(trouble) => return troubled(trouble),
    };
    if plan.fingerprint() != fingerprint {
        return Outcome::told(Kind::Warning, &Phrase::PlanChanged).showing(Some(link::plan_card(
            bot,
            &plan,
            &order.chat,
            language,
        )));
    }
    match link::apply(bot, &plan, &click.operator, language).await {
        Ok(applied) => Outcome::told(
            Kind::Success,
            &Phrase::Linked {
                count: applied.made,
            },
        )
        .showing(Some(applied.card)),
        Err(error) => not_kept(&error),
    }
}

/// Confirms or declines a claim.
pub(super) async fn claim(bot: &Bot, click: &Click, order: &Order, decision: Decision) -> Outcome {
    let (language, code) = read(&order.about);
    match decide(bot, &click.operator, code, decision).await {
        Ok(decided) => {
            let card = link::decided_card(&decided, language);
            // A toast is plain text.
            let plain = |language| decided.text(language).replace("**", "");
            let (english, chinese) = (plain(Language::En), plain(Language::Zh));
            let phrase = Phrase::Said {
                english: &english,
                chinese: &chinese,
            };
            Outcome::told(Kind::Info, &phrase).showing(Some(card))
        }
        Err(error) => not_kept(&error),
    }
}

fn troubled(trouble: Trouble) -> Outcome {
    let phrase = Phrase::Said {
        english: trouble.text(Language::En),
        chinese: trouble.text(Language::Zh),
    };
    Outcome::told(Kind::Error, &phrase)
}
