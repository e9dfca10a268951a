//! The forms: what was wrong with a press alone is asked for under the card, and what is sent is done.
//!
//! The form's message becomes what was said, so that those who were not looking see it in the chat.

use crate::{
    bot::{
        card::incident::{Asks, FIELD, Form, OTHER_TIME, said},
        handling::{self, Told, Tone},
        incidents::Place,
        times,
    },
    feishu::{Click, Outgoing},
    incident::{Deed as Change, PersonId, SNOOZE_MAX},
};

use super::{Outcome, Press, Scene};

/// Whether a press on the snooze menu, or on its form, is about a time that is still to be said.
pub(super) fn is_meant(click: &Click) -> bool {
    is_sent(click) || click.option.as_deref() == Some(OTHER_TIME)
}

/// Whether a form was sent, and not a button of the incident's card pressed.
fn is_sent(click: &Click) -> bool {
    click.form.contains_key(FIELD) || click.name.as_deref() == Some("send")
}

pub(super) async fn run(scene: &Scene<'_>, press: Press) -> Outcome {
    match is_sent(scene.click) {
        true => take(scene, press).await,
        false => show(scene, press).await,
    }
}

/// Asks, unless it is known already that nothing can come of it.
async fn show(scene: &Scene<'_>, press: Press) -> Outcome {
    let case = scene.case;
    if press == Press::Reopen && case.incident.is_open() {
        return Outcome::from(&Told::not_resolved(case.number()));
    }
    let value = scene
        .bot
        .0
        .clicks
        .value_of_incident(press, case.id(), &scene.place);
    let form = Form {
        asks: asks(press),
        number: case.number(),
        title: &case.incident.title,
        value: &value,
        language: handling::language(scene.bot, &scene.place).await,
    };
    // One form for each press; a press that is delivered twice is one press.
    let token = scene.click.token.as_deref().unwrap_or_default();
    let purpose = format!("form/{}/{token}", press.name());
    match scene
        .reply(&Outgoing::CardJson(form.render()), &purpose)
        .await
    {
        Ok(_) => {
            let told = Outcome::from(&Told::form_below());
            // The menu would go on showing what was chosen.
            match press {
                Press::Snooze => {
                    told.showing(Some(handling::picture(scene.bot, case, &scene.place).await))
                }
                _ => told,
            }
        }
        Err(outcome) => outcome,
    }
}

fn asks(press: Press) -> Asks {
    match press {
        Press::Reopen => Asks::Reason,
        Press::Snooze => Asks::Time,
        _ => Asks::Comment,
    }
}

/// Does what a form says.
async fn take(scene: &Scene<'_>, press: Press) -> Outcome {
    let words = scene.click.form.get(FIELD).and_then(|words| words.as_str());
    let words = words.unwrap_or_default().trim();
    let change = match press {
        Press::Reopen => Change::Reopen(words.to_owned()),
        Press::Snooze => match times::parse_spoken(words) {
            Some(time) => Change::Snooze(time),
            None => return Outcome::from(&Told::time_not_understood(SNOOZE_MAX)),
        },
        _ => Change::Comment(words.to_owned()),
    };
    let handled = scene.hand().act(scene.case, change).await;
    let outcome = Outcome::from(&handled.told);
    // What was refused can be sent once more.
    if handled.told.tone != Tone::Done {
        return outcome;
    }
    let shown = (press != Press::Snooze).then_some(words);
    outcome.showing(Some(said(
        scene.case.number(),
        &line(scene, &handled.told).await,
        shown,
    )))
}

/// Who said it, and what came of it.
async fn line(scene: &Scene<'_>, told: &Told) -> String {
    let person = &scene.click.operator;
    let chat = match &scene.place {
        Place::Chat(chat) => chat,
        Place::Person(_) => &scene.order.chat,
    };
    let names = handling::names(scene.bot, std::slice::from_ref(person), chat).await;
    let language = handling::language(scene.bot, &scene.place).await;
    let name = names.of(&PersonId(person.as_str().to_owned()));
    format!("{name} · {}", told.text(language))
}
