//! Presses on the card of an incident, in whatever chat it stands.
//!
//! The keeper of incidents decides what the state allows. The card that was pressed comes back with the
//! answer as it is then, and is not redrawn by anybody else before the answer is out: the platform would undo
//! that (feishu-wire 4.8). Where a press alone does not say enough it is answered with a small form.

mod ask;
mod form;

use std::time::Duration;

use tokio::time::timeout;
use tracing::warn;

use crate::{
    bot::{
        Bot,
        card::{
            incident::{Controls, OTHER_TIME},
            notice::{Notice, Template},
        },
        handling::{self, Hand, Handled, Right, Told, Tone},
        incidents::{self, Case, Place},
        notice,
        phrase::Phrase,
        war_room,
    },
    duration,
    feishu::{Click, Outgoing},
    incident::{Channel, Deed as Change, IncidentId, PersonId},
};

use super::{DRAWING_WITHIN, Kind, Order, Outcome, not_kept};

/// What can be asked for by a press on an incident's card, or on a form that one was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Press {
    /// I have it.
    Acknowledge,
    /// I do not have it any more.
    Unacknowledge,
    /// I have it, whoever had it before.
    Assign,
    /// Somebody should help.
    Add,
    /// The next level should be told now.
    Escalate,
    /// Not now: for a time that is chosen, or asked for by a form.
    Snooze,
    /// Say nothing of alerts like these.
    Silence,
    /// It is over.
    Close,
    /// It is not over: asks why by a form.
    Reopen,
    /// This should be known: asks what by a form.
    Comment,
    /// There should be a war room.
    Room,
    /// What the model makes of it.
    Ask,
    /// All of it.
    Details,
}

impl Press {
    pub(super) const ALL: [Self; 13] = [
        Self::Acknowledge,
        Self::Unacknowledge,
        Self::Assign,
        Self::Add,
        Self::Escalate,
        Self::Snooze,
        Self::Silence,
        Self::Close,
        Self::Reopen,
        Self::Comment,
        Self::Room,
        Self::Ask,
        Self::Details,
    ];

    /// How values call it. Never changed once released.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "incident_acknowledge",
            Self::Unacknowledge => "incident_unacknowledge",
            Self::Assign => "incident_assign",
            Self::Add => "incident_add",
            Self::Escalate => "incident_escalate",
            Self::Snooze => "incident_snooze",
            Self::Silence => "incident_silence",
            Self::Close => "incident_close",
            Self::Reopen => "incident_reopen",
            Self::Comment => "incident_comment",
            Self::Room => "incident_room",
            Self::Ask => "incident_ask",
            Self::Details => "incident_details",
        }
    }

    /// What right it takes.
    pub(super) fn takes(self) -> Right {
        match self {
            Self::Ask | Self::Details => Right::Look,
            Self::Comment => Right::Speak,
            _ => Right::Act,
        }
    }
}

/// What the buttons of a card carry, by what they are to do.
pub(super) fn controls(value: impl Fn(Press) -> serde_json::Value) -> Controls {
    Controls {
        acknowledge: value(Press::Acknowledge),
        unacknowledge: value(Press::Unacknowledge),
        assign: value(Press::Assign),
        add: value(Press::Add),
        escalate: value(Press::Escalate),
        snooze: value(Press::Snooze),
        silence: value(Press::Silence),
        close: value(Press::Close),
        reopen: value(Press::Reopen),
        comment: value(Press::Comment),
        room: Some(value(Press::Room)),
        ask: value(Press::Ask),
        details: value(Press::Details),
    }
}

impl From<&Told> for Outcome {
    fn from(told: &Told) -> Self {
        let kind = match told.tone {
            Tone::Done => Kind::Success,
            Tone::Nothing => Kind::Info,
            Tone::Refused => Kind::Warning,
            Tone::Failed => Kind::Error,
        };
        Outcome::said(kind, |language| told.text(language).to_owned())
    }
}

/// Does what a press asks, once it is known that they may.
pub(super) async fn run(bot: &Bot, click: &Click, order: &Order, press: Press) -> Outcome {
    let case = match find(bot, order).await {
        Ok(case) => case,
        Err(outcome) => return outcome,
    };
    let scene = Scene {
        bot,
        click,
        order,
        place: place(click, order),
        case: &case,
    };
    match press {
        Press::Comment | Press::Reopen => form::run(&scene, press).await,
        Press::Snooze if form::is_meant(click) => form::run(&scene, press).await,
        Press::Ask => ask::run(&scene).await,
        Press::Details => scene.details().await,
        _ => scene.change(press).await,
    }
}

async fn find(bot: &Bot, order: &Order) -> Result<std::sync::Arc<Case>, Outcome> {
    let id = IncidentId(order.about.clone());
    match bot.incidents().get(&id).await {
        Ok(Some(case)) => Ok(case),
        Ok(None) => Err(Outcome::from(&Told::unknown())),
        Err(error) => Err(not_kept(&error)),
    }
}

/// Where the card stands that was pressed.
fn place(click: &Click, order: &Order) -> Place {
    match order.is_direct {
        true => Place::Person(click.operator.clone()),
        false => Place::Chat(order.chat.clone()),
    }
}

/// A press, and what it is about.
struct Scene<'a> {
    bot: &'a Bot,
    click: &'a Click,
    order: &'a Order,
    place: Place,
    case: &'a Case,
}

impl Scene<'_> {
    fn hand(&self) -> Hand<'_> {
        let (person, chat) = (&self.click.operator, &self.order.chat);
        Hand::at_card(self.bot, person, chat, &self.place, self.case)
    }

    /// Changes the incident, and shows the card as it is then.
    async fn change(&self, press: Press) -> Outcome {
        let handled = self.handle(press).await;
        let outcome = Outcome::from(&handled.told);
        // Whoever draws the cards waits until this press was answered. What is done is done without.
        let drawing = incidents::drawing(self.bot, self.case.number(), &self.place);
        let Ok(drawing) = timeout(DRAWING_WITHIN, drawing).await else {
            return outcome;
        };
        let case = match &handled.case {
            Some(case) => Some(case.clone()),
            None => self
                .bot
                .incidents()
                .get(self.case.id())
                .await
                .ok()
                .flatten(),
        };
        let card = match &case {
            Some(case) => Some(handling::picture(self.bot, case, &self.place).await),
            None => None,
        };
        outcome.showing(card).holding(drawing)
    }

    async fn handle(&self, press: Press) -> Handled {
        let (hand, case) = (self.hand(), self.case);
        let me = || PersonId(self.click.operator.as_str().to_owned());
        match press {
            Press::Acknowledge => hand.act(case, Change::Acknowledge).await,
            Press::Unacknowledge => hand.act(case, Change::Unacknowledge).await,
            Press::Assign => hand.act(case, Change::Assign(me())).await,
            Press::Close => hand.act(case, Change::Resolve).await,
            Press::Escalate => hand.escalate(case).await,
            Press::Add => match &self.click.option {
                // A menu of people gives their ids; anything else was made up by a client.
                Some(person) if person.starts_with("ou_") => {
                    let person = PersonId(person.clone());
                    hand.act(case, Change::AddResponder(person)).await
                }
                _ => Handled::of(Told::nothing_chosen()),
            },
            Press::Snooze => match self.time() {
                Some(time) => hand.act(case, Change::Snooze(time)).await,
                None => Handled::of(Told::nothing_chosen()),
            },
            Press::Silence => match self.time() {
                Some(time) => hand.silence_like(case, time).await,
                None => Handled::of(Told::nothing_chosen()),
            },
            Press::Room => Handled::of(self.room().await),
            // These change nothing, or are read from their form.
            Press::Reopen | Press::Comment | Press::Ask | Press::Details => {
                Handled::of(Told::nothing_chosen())
            }
        }
    }

    /// Asks for a war room, or says that there is one.
    async fn room(&self) -> Told {
        let channel = match self.order.is_direct {
            true => Channel::DirectMessage,
            false => Channel::Card,
        };
        let asker = Some(self.click.operator.clone());
        match war_room::open(self.bot, self.case.id(), asker, channel).await {
            Ok(opened) => war_room::told(self.case, &opened),
            Err(error) => {
                warn!(%error, "a war room could not be asked for");
                Told::phrase(Tone::Failed, &Phrase::PressNotKept)
            }
        }
    }

    /// The time that was chosen.
    fn time(&self) -> Option<Duration> {
        let chosen = self.click.option.as_deref()?;
        (chosen != OTHER_TIME).then(|| duration::parse(chosen))?
    }

    /// Shows the whole story under the card.
    async fn details(&self) -> Outcome {
        let (bot, case, chat) = (self.bot, self.case, &self.order.chat);
        let language = handling::language(bot, &self.place).await;
        let text = handling::story(bot, case, chat, language).await;
        let card = Notice {
            title: Some(&format!("#{} {}", case.number(), case.incident.title)),
            text: &text,
            template: Template::Blue,
        };
        // Pressed twice while nothing happens, it is shown once.
        let purpose = format!("details/{}/{}", case.id(), case.version);
        match self
            .reply(&Outgoing::CardJson(card.render()), &purpose)
            .await
        {
            Ok(_) => Outcome::from(&Told::shown_below()),
            Err(outcome) => outcome,
        }
    }

    /// Replies to the card that was pressed.
    async fn reply(
        &self,
        what: &Outgoing,
        purpose: &str,
    ) -> Result<crate::feishu::Message, Outcome> {
        let place = notice::Place {
            question: self.click.message_id.clone(),
            chat: self.order.chat.clone(),
            in_thread: self.bot.0.settings.of_chat(&self.order.chat).await.threads,
            again: None,
            person: None,
        };
        let sent = notice::reply_with(self.bot, &place, purpose, what).await;
        sent.map_err(|error| {
            warn!(%error, "a press on an incident could not be answered in its chat");
            Outcome::from(&Told::not_sent())
        })
    }
}
