//! What a model proposes, read field by field: a wrong field costs one event and not the answer.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Certainty, Event, Kind, TimeSource};
use crate::{
    incident::PersonId,
    postmortem::{
        clock,
        transcript::{Message, MessageId, Transcript},
    },
};

/// The most events that one answer may hold.
const EVENTS_MAX: usize = 500;

/// An event as the model writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Proposed {
    /// What kind of thing.
    pub kind: Kind,
    /// Who, by name.
    #[serde(default)]
    pub actor: Option<String>,
    /// What it was.
    pub text: String,
    /// What it rests on, by short names.
    pub messages: Vec<String>,
    /// When, as a message tells it.
    #[serde(default)]
    pub time: Option<String>,
    /// How that is known.
    #[serde(default = "by_message")]
    pub time_source: TimeSource,
    /// How sure it is.
    pub certainty: Certainty,
    /// Who should do it, by name.
    #[serde(default)]
    pub owner: Option<String>,
    /// Until when.
    #[serde(default)]
    pub due: Option<String>,
}

fn by_message() -> TimeSource {
    TimeSource::Message
}

/// The items of an answer: the array in `{"events": […]}`, whatever words or fences stand around it. `None`
/// where there is no such thing.
pub(super) fn items(answer: &str) -> Option<Vec<Value>> {
    let start = answer.find(['{', '['])?;
    let end = answer.rfind(['}', ']'])?;
    let value: Value = serde_json::from_str(answer.get(start..=end)?).ok()?;
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut fields) => match fields.remove("events")? {
            Value::Array(items) => items,
            _ => return None,
        },
        _ => return None,
    };
    Some(items.into_iter().take(EVENTS_MAX).collect())
}

/// The items of an answer that are whole, where its end is missing or something in it is no JSON.
pub(super) fn whole_items(answer: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut rest = answer.find('[').map_or("", |at| &answer[at + 1..]);
    while items.len() < EVENTS_MAX {
        rest = rest.trim_start_matches([' ', '\n', '\r', '\t', ',']);
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(item)) if item.is_object() => items.push(item),
            _ => break,
        }
        rest = &rest[values.byte_offset()..];
    }
    items
}

/// Reads one item; an error says which field is wrong.
pub(super) fn propose(item: &Value) -> Result<Proposed, String> {
    serde_path_to_error::deserialize(item).map_err(|error| error.to_string())
}

/// The places of the messages that an item cites, as far as there are such messages.
pub(super) fn cited(item: &Value, transcript: &Transcript) -> Vec<usize> {
    let aliases = item["messages"].as_array().into_iter().flatten();
    aliases
        .filter_map(|alias| transcript.by_alias(alias.as_str()?.trim_matches(['[', ']'])))
        .filter_map(|message| transcript.place(&message.id))
        .collect()
}

impl Proposed {
    /// The event that is meant. A name that nobody has stays one that nobody has, so that the check finds it.
    pub fn resolve(&self, transcript: &Transcript) -> Event {
        let cited: Vec<&Message> = self
            .messages
            .iter()
            .filter_map(|alias| transcript.by_alias(alias.trim_matches(['[', ']'])))
            .collect();
        let ids = self.messages.iter().map(|alias| {
            let alias = alias.trim_matches(['[', ']']);
            let message = transcript.by_alias(alias);
            message.map_or_else(|| MessageId::new(alias), |message| message.id.clone())
        });
        let mut message_ids: Vec<MessageId> = Vec::new();
        ids.for_each(|id| {
            if !message_ids.contains(&id) {
                message_ids.push(id);
            }
        });
        // Only records may say that a record says so.
        let time_source = match self.time_source {
            TimeSource::Record => TimeSource::Message,
            other => other,
        };
        Event {
            kind: self.kind,
            actor: self
                .actor
                .as_deref()
                .and_then(|name| whom(name, transcript, &cited)),
            text: self.text.split_whitespace().collect::<Vec<_>>().join(" "),
            message_ids,
            records: Vec::new(),
            at: self.at(time_source, &cited, transcript),
            time_source,
            certainty: self.certainty,
            owner: self
                .owner
                .as_deref()
                .and_then(|name| whom(name, transcript, &cited)),
            due: self.due.clone().filter(|due| !due.trim().is_empty()),
            superseded_by: None,
            refuted_by: None,
        }
    }

    /// Its time, or one that no message has where it cannot be read.
    fn at(&self, source: TimeSource, cited: &[&Message], transcript: &Transcript) -> Timestamp {
        let first = cited.first().map_or(Timestamp::MIN, |message| message.at);
        if source != TimeSource::Text {
            // A model that names a time all the same has to be right.
            let named = self
                .time
                .as_deref()
                .and_then(|time| time.parse::<Timestamp>().ok());
            return named.unwrap_or(first);
        }
        let time = self.time.as_deref().unwrap_or_default();
        let told = cited.iter().find_map(|message| {
            let wanted = clock::times(time, message.at, &transcript.time_zone);
            let spoken = clock::times(&message.evidence(), message.at, &transcript.time_zone);
            let mut readings = wanted.iter().flat_map(|time| time.readings.iter().copied());
            readings.find(|reading| spoken.iter().any(|time| time.means(*reading)))
        });
        let any = || {
            let wanted = clock::times(time, first, &transcript.time_zone);
            wanted
                .first()
                .and_then(|time| time.readings.first().copied())
        };
        told.or_else(any).unwrap_or(Timestamp::MIN)
    }
}

/// The person of that name: of several, the one who wrote what is cited.
fn whom(name: &str, transcript: &Transcript, cited: &[&Message]) -> Option<PersonId> {
    let name = name.trim().trim_start_matches('@');
    if name.is_empty()
        || matches!(
            name.to_lowercase().as_str(),
            "null" | "none" | "unassigned" | "unknown"
        )
    {
        return None;
    }
    let called = |id: &PersonId| transcript.name(id).to_lowercase() == name.to_lowercase();
    let author = cited
        .iter()
        .map(|message| &message.author)
        .find(|id| called(id));
    let anybody = || {
        transcript
            .people
            .iter()
            .map(|person| &person.id)
            .find(|id| called(id))
    };
    Some(
        author
            .or_else(anybody)
            .cloned()
            .unwrap_or_else(|| PersonId(name.to_owned())),
    )
}
