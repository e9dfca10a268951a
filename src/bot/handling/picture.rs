//! What there is to see of an incident: its card, its whole story, its timeline, and the facts for the model.

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::timeout;
use tracing::warn;

use crate::{
    bot::{
        Bot,
        card::incident::{self, Names, Story, TAIL, View},
        incidents::{Case, Place},
    },
    config::Language,
    feishu::{ChatId, OpenId},
    incident::{Entry, PersonId},
};

use super::{NAME_WITHIN, names_of};

/// How much of a story is read; what a card has no room for is counted.
const ENTRIES_READ: u32 = 60;
const ALERTS_READ: usize = 200;

/// The language of a place.
pub(in crate::bot) async fn language(bot: &Bot, place: &Place) -> Language {
    let set = match place {
        Place::Chat(chat) => bot.0.settings.of_chat(chat).await.language,
        Place::Person(person) => bot.0.settings.of_person(person).await.language,
    };
    set.unwrap_or(bot.0.conversation.language)
}

/// The card as it is now, for a place. What cannot be read is left out, but for the incident itself.
pub(in crate::bot) async fn picture(bot: &Bot, case: &Case, place: &Place) -> Value {
    let language = language(bot, place).await;
    // More than is shown, since some of them only echo others.
    let known = Known::read(bot, case, 2 * TAIL as u32, chat_with_names(case, place)).await;
    let controls = bot.0.clicks.controls_of_incident(case.id(), place);
    let view = View {
        place: Some(place),
        ..known.view(bot, case)
    };
    incident::render(&view, &controls, language)
}

/// All there is to know of an incident, as Markdown.
pub(in crate::bot) async fn story(
    bot: &Bot,
    case: &Case,
    chat: &ChatId,
    language: Language,
) -> String {
    let known = Known::read(bot, case, ENTRIES_READ, chat.clone()).await;
    let alerts = bot.incidents().alerts(case.number(), ALERTS_READ).await;
    let alerts = alerts.unwrap_or_else(|error| {
        warn!(%error, "the alerts of an incident cannot be read");
        Vec::new()
    });
    let story = Story {
        view: known.view(bot, case),
        alerts: &alerts,
        language,
    };
    story.text()
}

/// Its timeline as Markdown.
pub(in crate::bot) async fn timeline(
    bot: &Bot,
    case: &Case,
    chat: &ChatId,
    language: Language,
) -> String {
    let known = Known::read(bot, case, ENTRIES_READ, chat.clone()).await;
    let story = Story {
        view: known.view(bot, case),
        alerts: &[],
        language,
    };
    story.timeline()
}

/// What is known of an incident, for the model: data, and nothing that it should obey.
pub(in crate::bot) async fn facts(bot: &Bot, case: &Case, chat: &ChatId) -> String {
    format!(
        "Incident #{} {}\n{}",
        case.number(),
        case.incident.title,
        story(bot, case, chat, Language::En).await
    )
}

/// What people are called, as far as that is known soon.
pub(in crate::bot) async fn names(bot: &Bot, ids: &[OpenId], chat: &ChatId) -> Names {
    let known = timeout(NAME_WITHIN, bot.0.people.names(ids, chat)).await;
    let mut names = Names::default();
    for (id, name) in known.unwrap_or_default() {
        names.insert(PersonId(id.as_str().to_owned()), name);
    }
    names
}

/// What was read to show an incident.
struct Known {
    latest: Option<crate::incident::Tracked>,
    entries: Vec<Entry>,
    names: Names,
    merged_into: Option<u32>,
    silenced_until: Option<Timestamp>,
    room_link: Option<String>,
    now: Timestamp,
}

impl Known {
    async fn read(bot: &Bot, case: &Case, entries_max: u32, chat: ChatId) -> Self {
        let incidents = bot.incidents();
        let number = case.number();
        let latest = incidents.latest_alert(case).await;
        let latest = latest.unwrap_or_else(|error| {
            warn!(%error, "the latest alert of an incident cannot be read");
            None
        });
        let after = case.incident.entries.saturating_sub(entries_max);
        let entries = incidents
            .timeline(number, after, entries_max as usize)
            .await;
        let entries = entries.unwrap_or_else(|error| {
            warn!(%error, "the timeline of an incident cannot be read");
            Vec::new()
        });
        let merged_into = match &case.incident.merged_into {
            Some(other) => incidents.get(other).await.ok().flatten(),
            None => None,
        };
        let now = Timestamp::now();
        let name = format!("#{number}");
        let mut silences = incidents.silences().into_iter();
        let silence = silences.find(|silence| silence.name == name && silence.until > now);
        Self {
            names: names_of(bot, case, &entries, &chat).await,
            latest,
            entries,
            merged_into: merged_into.map(|other| other.number()),
            silenced_until: silence.map(|silence| silence.until),
            room_link: room_link(bot, case),
            now,
        }
    }

    fn view<'a>(&'a self, bot: &'a Bot, case: &'a Case) -> View<'a> {
        View {
            case,
            latest: self.latest.as_ref(),
            tail: &self.entries,
            names: &self.names,
            merged_into: self.merged_into,
            silenced_until: self.silenced_until,
            place: None,
            room_link: self.room_link.as_deref(),
            zone: &bot.0.zone,
            now: self.now,
        }
    }
}

/// The address that opens its war room.
pub(in crate::bot) fn room_link(bot: &Bot, case: &Case) -> Option<String> {
    let chat = case.open_room()?.chat.as_ref()?;
    let applink = bot.0.config.feishu.applink_url();
    Some(format!("{applink}/client/chat/open?openChatId={chat}"))
}

/// The chat whose members are asked for names where the directory does not give them: in a direct chat there
/// are none to ask, so it is a group that is told of the same incident.
fn chat_with_names(case: &Case, place: &Place) -> ChatId {
    let groups = [place].into_iter().chain(&case.places);
    let group = groups.into_iter().find_map(|place| match place {
        Place::Chat(chat) => Some(chat.clone()),
        Place::Person(_) => None,
    });
    group.unwrap_or_else(|| ChatId::new(place.as_str()))
}
