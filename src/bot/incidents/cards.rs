//! Keeps the cards of incidents as the incidents are.
//!
//! A card is behind as long as the version that it shows is older than the case's; whatever happened in
//! between is drawn at once. A place has one card: one that cannot be changed any more, because it is too old
//! or somebody recalled it, gets a successor. The first card in a direct chat is sent by a page.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tracing::{Instrument, debug, info_span, warn};

use crate::{
    config::Language,
    feishu::{self, Class, Message, MessageId, Outgoing, Recipient},
};

use super::{
    Case, Place,
    follow::Follower,
    records::{DrawnCard, digits},
    sweep,
};
use crate::bot::{Bot, administrators, handling, markdown, notice, phrase::Phrase};

/// How long a card stays as it is at least. People see every change within two of these.
const REDRAW_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before the platform is tried again, at first and at last.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(15);
/// A card that is refused within this time gets no successor: the successor would be refused too.
const SUCCEEDED_AFTER: Duration = Duration::from_secs(600);
/// The platform's code for a card that was sent more than 14 days ago.
const TOO_OLD: i64 = 230_031;

/// Draws for ever.
pub(in crate::bot) async fn run(bot: Bot) {
    let follower = bot.incidents().follow();
    if let Err(error) = look_at_those_that_are_over(&bot, &follower).await {
        warn!(%error, "cards of incidents that are over may show an older state");
    }
    let mut drawing: JoinSet<(u32, Place)> = JoinSet::new();
    let mut busy: BTreeSet<(u32, Place)> = BTreeSet::new();
    // Changed while their card was being drawn.
    let mut again: BTreeSet<(u32, Place)> = BTreeSet::new();
    loop {
        tokio::select! {
            changed = follower.next() => for number in changed {
                for place in places(&bot, number).await {
                    match busy.insert((number, place.clone())) {
                        true => drop(drawing.spawn(keep_up(bot.clone(), number, place))),
                        false => drop(again.insert((number, place))),
                    }
                }
            },
            Some(ended) = drawing.join_next() => match ended {
                Ok(one) => match again.remove(&one) {
                    true => drop(drawing.spawn(keep_up(bot.clone(), one.0, one.1))),
                    false => drop(busy.remove(&one)),
                },
                // A panic, logged by its hook. The place is drawn no more in this process.
                Err(error) => warn!(%error, "a card is not drawn any more"),
            },
        }
    }
}

/// A process that ended may have left cards behind that show something else than the end.
async fn look_at_those_that_are_over(
    bot: &Bot,
    follower: &Follower,
) -> Result<(), crate::store::Error> {
    let mut shown = Vec::new();
    sweep::each::<DrawnCard>(bot.store(), "", |key, card| {
        if !card.given_up
            && let Some(number) = key.split('/').next().and_then(|number| number.parse().ok())
        {
            shown.push((number, card.shown));
        }
    })
    .await?;
    for (number, shown) in shown {
        let case = bot.incidents().numbered(number).await?;
        if case.is_some_and(|case| case.version > shown) {
            follower.again(number);
        }
    }
    Ok(())
}

async fn places(bot: &Bot, number: u32) -> Vec<Place> {
    match bot.incidents().numbered(number).await {
        Ok(None) => Vec::new(),
        Ok(Some(case)) => {
            say_that_nobody_is_told(bot, &case).await;
            case.places.clone()
        }
        Err(error) => {
            warn!(%error, incident.number = number, "an incident cannot be read; its cards stay as they are");
            Vec::new()
        }
    }
}

/// An incident that no group and no person hears of is told to whoever runs the bot.
async fn say_that_nobody_is_told(bot: &Bot, case: &Case) {
    let is_told = !case.places.is_empty() || !case.pagers.is_empty();
    if is_told || !case.incident.is_open() {
        return;
    }
    let phrase = Phrase::NobodyIsTold {
        number: case.number(),
        title: &markdown::escape(&case.incident.title),
    };
    administrators::tell(bot, &format!("nobody-told/{}", case.id()), phrase).await;
}

/// Draws one card until it shows how things are.
async fn keep_up(bot: Bot, number: u32, place: Place) -> (u32, Place) {
    let span = info_span!("card", incident.number = number, place = place.as_str());
    async {
        let mut wait = WAIT_FIRST;
        loop {
            let began = Instant::now();
            match draw(&bot, number, &place).await {
                Ok(Drawn::UpToDate) => break,
                Ok(Drawn::Now) => {
                    wait = WAIT_FIRST;
                    sleep_until(began + REDRAW_EVERY).await;
                }
                Err(error) => {
                    debug!(%error, "a card could not be drawn; trying again");
                    sleep(wait).await;
                    wait = (wait * 2).min(WAIT_MAX);
                }
            }
        }
    }
    .instrument(span)
    .await;
    (number, place)
}

enum Drawn {
    /// There was nothing to draw.
    UpToDate,
    /// It shows what was newest.
    Now,
}

/// Why a card could not be drawn now. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Later {
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    #[error(transparent)]
    Platform(feishu::Error),
    /// Who somebody is cannot be found out now.
    #[error("the platform does not say who a member is")]
    NobodyAnswers,
}

async fn draw(bot: &Bot, number: u32, place: &Place) -> Result<Drawn, Later> {
    let _alone = bot.0.drawing.with(&key(number, place)).await;
    let Some(case) = bot.incidents().numbered(number).await? else {
        return Ok(Drawn::UpToDate);
    };
    let drawn = drawn(bot, number, place).await?;
    let is_for_page = matches!(place, Place::Person(_)) && drawn.message.is_none();
    if drawn.given_up || is_for_page || !case.places.contains(place) {
        return Ok(Drawn::UpToDate);
    }
    match &drawn.message {
        Some(_) if drawn.shown >= case.version => Ok(Drawn::UpToDate),
        Some(message) => change(bot, &case, place, &drawn, message).await,
        None => {
            let purpose = format!(
                "incident/{}/card/{}/{}",
                case.id(),
                place.as_str(),
                drawn.generation
            );
            send(bot, &case, place, &drawn, &purpose)
                .await
                .map(|_| Drawn::Now)
        }
    }
}

/// The record of a place's card; that of one that is not sent yet, if there is none.
pub(super) async fn drawn(
    bot: &Bot,
    number: u32,
    place: &Place,
) -> Result<DrawnCard, crate::store::Error> {
    let cards = bot.store().collection::<DrawnCard>();
    let drawn = cards.get(&key(number, place)).await?;
    Ok(drawn.unwrap_or(DrawnCard {
        generation: 1,
        message: None,
        chat: None,
        shown: 0,
        sent_at: None,
        given_up: false,
    }))
}

/// The key of a card, and what nobody else works on while it is drawn.
pub(super) fn key(number: u32, place: &Place) -> String {
    format!("{}/{}", digits(number), place.as_str())
}

async fn keep(
    bot: &Bot,
    number: u32,
    place: &Place,
    drawn: &DrawnCard,
) -> Result<(), crate::store::Error> {
    let mut batch = bot.store().batch();
    batch.put(&key(number, place), drawn);
    bot.store().commit(batch).await
}

/// Sends a first card, or a successor. `None`: the place takes none.
pub(super) async fn send(
    bot: &Bot,
    case: &Case,
    place: &Place,
    drawn: &DrawnCard,
    purpose: &str,
) -> Result<Option<Message>, Later> {
    let to = match place {
        Place::Chat(chat) => Recipient::Chat(chat.clone()),
        Place::Person(person) => Recipient::Person(person.clone()),
    };
    let card = Outgoing::CardJson(handling::picture(bot, case, place).await);
    let feishu = bot.0.feishu.at(Class::Page);
    let mut sent = feishu.send(&to, &card, &notice::purpose_id(purpose)).await;
    if let Err(error @ (feishu::Error::Refused(_) | feishu::Error::TooLarge(_))) = &sent {
        warn!(%error, "a card is refused; sending text");
        let text = Outgoing::Text(sentence(bot, case, place).await);
        let purpose = notice::purpose_id(&format!("{purpose}/text"));
        sent = feishu.send(&to, &text, &purpose).await;
    }
    let number = case.number();
    match sent {
        Ok(message) => {
            let drawn = DrawnCard {
                message: Some(message.id.clone()),
                chat: Some(message.chat_id.clone()),
                shown: case.version,
                sent_at: Some(message.created_at),
                given_up: false,
                generation: drawn.generation,
            };
            keep(bot, number, place, &drawn).await?;
            Ok(Some(message))
        }
        Err(error) if will_never_be(&error) => {
            warn!(%error, incident.number = number, place = place.as_str(), "a place takes no card");
            if let Place::Chat(chat) = place {
                let drawn = DrawnCard {
                    given_up: true,
                    ..drawn.clone()
                };
                keep(bot, number, place, &drawn).await?;
                // A war room that people dissolved is nothing that was configured.
                if !case.is_room(place) {
                    let phrase = Phrase::IncidentNotShown {
                        number,
                        chat: chat.as_str(),
                    };
                    let day = Timestamp::now().strftime("%Y-%m-%d");
                    administrators::tell(bot, &format!("not-shown/{chat}/{day}"), phrase).await;
                }
            }
            Ok(None)
        }
        Err(error) => Err(Later::Platform(error)),
    }
}

/// Whether trying again is of no use.
fn will_never_be(error: &feishu::Error) -> bool {
    matches!(
        error,
        feishu::Error::Refused(_)
            | feishu::Error::Gone(_)
            | feishu::Error::Forbidden(_)
            | feishu::Error::TooLarge(_)
            | feishu::Error::Censored(_)
    )
}

async fn change(
    bot: &Bot,
    case: &Case,
    place: &Place,
    drawn: &DrawnCard,
    message: &MessageId,
) -> Result<Drawn, Later> {
    let number = case.number();
    let card = handling::picture(bot, case, place).await;
    let patched = bot
        .0
        .feishu
        .at(Class::Page)
        .patch_card(message, &card)
        .await;
    let mut drawn = DrawnCard {
        shown: case.version,
        ..drawn.clone()
    };
    match patched {
        Ok(()) => {}
        Err(error) if will_never_be(&error) => {
            let age = drawn
                .sent_at
                .map(|at| Timestamp::now().duration_since(at).unsigned_abs());
            let is_over = matches!(error, feishu::Error::Gone(_))
                || error
                    .refusal()
                    .is_some_and(|refusal| refusal.code == TOO_OLD);
            let succeeds =
                case.incident.is_open() && (is_over || age.is_none_or(|age| age > SUCCEEDED_AFTER));
            warn!(%error, succeeds, "a card cannot be changed any more");
            if succeeds {
                drawn.generation += 1;
                drawn.message = None;
                drawn.shown = 0;
                // In a direct chat it would wait for the next page, so it is sent here.
                keep(bot, number, place, &drawn).await?;
                let purpose = format!(
                    "incident/{}/card/{}/{}",
                    case.id(),
                    place.as_str(),
                    drawn.generation
                );
                send(bot, case, place, &drawn, &purpose).await?;
                return Ok(Drawn::Now);
            }
        }
        Err(error) => return Err(Later::Platform(error)),
    }
    keep(bot, number, place, &drawn).await?;
    Ok(Drawn::Now)
}

/// What is said where a card is refused.
async fn sentence(bot: &Bot, case: &Case, place: &Place) -> String {
    let incident = &case.incident;
    let (number, title, severity) = (incident.number, &incident.title, incident.severity);
    let title = markdown::text_message(title);
    match handling::language(bot, place).await {
        Language::En => {
            format!("Incident #{number} ({severity}): {title}. Reply /incident #{number} for more.")
        }
        Language::Zh => {
            format!("故障 #{number}（{severity}）：{title}。发送 /故障 #{number} 查看详情。")
        }
    }
}
