//! Presses on the list of action items, and on the forms that some of them are answered with.
//!
//! A value's `about` is the incident, then the key of the item.

use crate::{
    bot::{
        card::{
            incident::said,
            report::{
                actions::{Asks, Form, chosen_day, chosen_owner, written},
                form::is_sent,
            },
        },
        handling::{Told, Tone},
        phrase::Phrase,
        report::{self, Decision, Plan},
        war_room::Trouble,
    },
    config::Language,
    incident::Channel,
};

use super::{
    super::{Kind, Outcome, name_of},
    ReportPress, Scene,
};

/// Does what a press asks.
pub(super) async fn run(scene: &Scene<'_>, press: ReportPress) -> Result<Outcome, Trouble> {
    let is_sent = is_sent(&scene.click.form, scene.click.name.as_deref());
    match press {
        ReportPress::Actions => list(scene).await,
        ReportPress::FinishAction => {
            let told = decide(scene, Decision::Finish).await?;
            Ok(Outcome::from(&told))
        }
        _ if is_sent => take(scene, press).await,
        _ => ask(scene, press).await,
    }
}

/// Shows the list.
async fn list(scene: &Scene<'_>) -> Result<Outcome, Trouble> {
    let report = scene.bot.reports().get(scene.case.number()).await?;
    // One list for each press; a press that is delivered twice is one press.
    let token = scene.click.token.as_deref().unwrap_or_default();
    let purpose = format!("actions/{token}");
    let told = match &report {
        Some(known) if report::list_actions(scene.bot, known, &purpose).await? => {
            Told::shown_below()
        }
        _ => return Ok(Outcome::told(Kind::Warning, &Phrase::Stale)),
    };
    Ok(Outcome::from(&told))
}

fn key<'a>(scene: &Scene<'a>) -> &'a str {
    scene.parts.first().copied().unwrap_or_default()
}

async fn decide(scene: &Scene<'_>, decision: Decision) -> Result<Told, Trouble> {
    let (bot, case, by) = (scene.bot, scene.case, &scene.click.operator);
    report::decide_action(bot, case, by, Channel::WarRoom, key(scene), decision).await
}

/// Asks by a form under the list.
async fn ask(scene: &Scene<'_>, press: ReportPress) -> Result<Outcome, Trouble> {
    let (bot, number) = (scene.bot, scene.case.number());
    let found = report::action_for_form(bot, number, key(scene)).await?;
    let Some((report, item)) = found else {
        return Ok(Outcome::told(Kind::Warning, &Phrase::Stale));
    };
    let asks = match (press, &item) {
        (ReportPress::AddAction, _) => Asks::New,
        (ReportPress::DeclineAction, Some(item)) => Asks::Reason(item),
        (_, Some(item)) => Asks::Plan(item),
        (_, None) => return Ok(Outcome::told(Kind::Warning, &Phrase::Stale)),
    };
    let (about, chat) = (&scene.order.about, &scene.order.chat);
    let value = bot.0.clicks.report_value(press, about, chat);
    let form = Form {
        asks,
        number,
        language: report.language,
        value: &value,
    };
    let token = scene.click.token.as_deref().unwrap_or_default();
    let purpose = format!("form/{}/{token}", press.name());
    scene.reply(form.render(), &purpose).await?;
    Ok(Outcome::from(&Told::form_below()))
}

/// Does what a form says. The form becomes what was said, so that others see it in the chat.
async fn take(scene: &Scene<'_>, press: ReportPress) -> Result<Outcome, Trouble> {
    let (bot, form) = (scene.bot, &scene.click.form);
    let plan = Plan {
        owner: chosen_owner(form),
        due: chosen_day(form),
    };
    let words = written(form);
    let decision = match press {
        ReportPress::AddAction => Decision::Add(words.to_owned(), plan),
        ReportPress::DeclineAction => Decision::Decline(words.to_owned()),
        _ => Decision::Accept(plan),
    };
    let told = decide(scene, decision).await?;
    let outcome = Outcome::from(&told);
    // What was refused can be sent once more.
    if told.tone != Tone::Done {
        return Ok(outcome);
    }
    let number = scene.case.number();
    let found = report::action_for_form(bot, number, key(scene)).await?;
    let (report, item) = found.unzip();
    let language = report.map_or(Language::En, |report| report.language);
    let name = name_of(bot, &scene.click.operator, scene.order).await;
    let line = format!("{name} · {}", told.text(language));
    let what = item.flatten().map(|item| item.text).unwrap_or_default();
    let shown = format!("{what}\n{words}");
    Ok(outcome.showing(Some(said(number, &line, Some(&shown)))))
}
