//! What is to be done after the incident: what the room proposed, and what people made of it.
//!
//! An item that a person decided about is kept whole, under a key made of its source messages and its words.
//! A new draft may word the same item otherwise, so it is also known by a message that both rest on and by
//! words that are alike; then it stays as the person left it. One that no draft finds any more stays as well.

mod wording;

use std::{collections::HashSet, fmt};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    events::{Event, Kind},
    merge::Merged,
    records::Records,
    transcript::{MessageId, Transcript},
};
use crate::incident::PersonId;

/// How much of their pairs of letters two wordings of one item share at least, of 100.
const ALIKE_PERCENT: usize = 40;

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionItem {
    /// What it is known by.
    pub key: String,
    /// What is to be done.
    pub text: String,
    /// Who does it.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// Until when.
    #[serde(default)]
    pub due: Option<Due>,
    /// What became of it.
    #[serde(default)]
    pub state: ActionState,
    /// The messages that it rests on; none where a person added it.
    #[serde(default)]
    pub message_ids: Vec<MessageId>,
    /// Who last decided about it; nobody: it stands as the draft proposed it.
    #[serde(default)]
    pub set_by: Option<PersonId>,
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The person.
    pub id: PersonId,
    /// What they are called: they may never have been in the room.
    pub name: String,
}

/// Until when something is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// A day that a person chose.
    Day(Date),
    /// What somebody said: "by Friday".
    Told(String),
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Told(words) => f.write_str(words),
        }
    }
}

/// What became of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// A draft found it in the room.
    #[default]
    Proposed,
    /// A person said that it is to be done.
    Accepted,
    /// It was decided not to do it.
    Declined {
        /// Why.
        reason: String,
    },
    /// It is done.
    Done,
}

impl ActionItem {
    /// One that a person thought of.
    pub fn added(text: &str, by: PersonId) -> Self {
        Self {
            key: key(&[], text),
            text: text.to_owned(),
            owner: None,
            due: None,
            state: ActionState::Accepted,
            message_ids: Vec::new(),
            set_by: Some(by),
        }
    }

    fn proposed(event: &Event, transcript: &Transcript) -> Self {
        let owner = event.owner.clone().map(|id| Owner {
            name: transcript.name(&id).to_owned(),
            id,
        });
        let name = owner.as_ref().map(|owner: &Owner| owner.name.as_str());
        let due = event.due.clone().or_else(|| wording::due(&event.text));
        let due = due.filter(|due| !due.trim().is_empty());
        Self {
            key: key(&event.message_ids, &event.text),
            text: wording::verb_first(&event.text, name),
            due: due.map(Due::Told),
            owner,
            state: ActionState::Proposed,
            message_ids: event.message_ids.clone(),
            set_by: None,
        }
    }

    /// Whether somebody has still to do it.
    pub fn is_open(&self) -> bool {
        matches!(self.state, ActionState::Proposed | ActionState::Accepted)
    }

    /// Who said it first; nobody where a person added it.
    pub fn said_by<'a>(&self, transcript: &'a Transcript) -> Option<&'a PersonId> {
        let message = transcript.message(self.message_ids.first()?)?;
        Some(&message.author)
    }

    /// Its citations as a text writes them: `[m3]`.
    pub fn citations(&self, transcript: &Transcript) -> String {
        let ids = self.message_ids.iter();
        let aliases = ids.filter_map(|id| transcript.alias(id));
        aliases.map(|alias| format!("[{alias}]")).collect()
    }

    /// What a person decided of it, for the line of the report that tells of it.
    pub fn decided(&self) -> Option<ActionState> {
        self.set_by.is_some().then(|| self.state.clone())
    }

    /// Whether both are one item in other words.
    fn is_like(&self, other: &Self) -> bool {
        let shares = |id: &MessageId| other.message_ids.contains(id);
        self.message_ids.iter().any(shares) && alike(&self.text, &other.text) >= ALIKE_PERCENT
    }
}

/// All items of a report: those of the draft in its order, each as people left it, then those that only people
/// know of.
pub fn items(merged: &Merged, records: &Records, transcript: &Transcript) -> Vec<ActionItem> {
    let events = merged.events.iter();
    let events = events.filter(|event| event.kind == Kind::ActionItem && event.holds());
    let mut seen = HashSet::new();
    let mut items: Vec<ActionItem> = events
        .map(|event| ActionItem::proposed(event, transcript))
        .filter(|item| seen.insert(item.key.clone()))
        .collect();
    // Those that are known by their keys take their places first, so that nothing alike takes them.
    let (known, others): (Vec<&ActionItem>, Vec<&ActionItem>) = records
        .actions
        .iter()
        .partition(|set| seen.contains(&set.key));
    let mut taken = vec![false; items.len()];
    for set in known.into_iter().chain(others) {
        match place_of(set, &items, &taken) {
            Some(place) => {
                items[place] = set.clone();
                taken[place] = true;
            }
            None => items.push(set.clone()),
        }
    }
    items
}

/// The proposal that an item was, if the draft still has it.
fn place_of(set: &ActionItem, items: &[ActionItem], taken: &[bool]) -> Option<usize> {
    let free = || (0..taken.len()).filter(|place| !taken[*place]);
    let same = free().find(|place| items[*place].key == set.key);
    same.or_else(|| {
        let alike_ones = free().filter(|place| items[*place].is_like(set));
        alike_ones.max_by_key(|place| alike(&items[*place].text, &set.text))
    })
}

/// A short sign of an item: its messages in whatever order, and the letters of its words.
fn key(messages: &[MessageId], text: &str) -> String {
    let mut ids: Vec<&str> = messages.iter().map(|id| id.0.as_str()).collect();
    ids.sort_unstable();
    let about = format!("{}\n{}", ids.join(" "), letters(text).collect::<String>());
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, about.as_bytes());
    id.simple().to_string()[..16].to_owned()
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase)
}

/// How much of their pairs of letters two texts share, of 100. Pairs serve both languages.
fn alike(one: &str, other: &str) -> usize {
    let pairs = |text: &str| -> HashSet<(char, char)> {
        let letters: Vec<char> = letters(text).collect();
        letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
    };
    let (one, other) = (pairs(one), pairs(other));
    let both = one.intersection(&other).count();
    (200 * both)
        .checked_div(one.len() + other.len())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::testing::{Story, person, room};

    fn told(transcript: &Transcript, said: &[(usize, &str)]) -> Merged {
        let events = said.iter().map(|(place, text)| {
            Event::said(Kind::ActionItem, &transcript.messages[place - 1], text)
        });
        Merged {
            events: events.collect(),
            ..Merged::default()
        }
    }

    fn talk() -> Transcript {
        room(&[
            ("14:00:00", "li", "TODO: add a canary stage, and an alert"),
            ("14:01:00", "han", "TODO: write a runbook"),
        ])
    }

    /// What is listed after a redraft that said this, when a person had declined the first of the draft before.
    fn check(redraft: &[(usize, &str)], expected: &[(&str, bool)]) {
        let transcript = talk();
        let mut records = Story::opened().records();
        let before = told(&transcript, &[(1, "add a canary stage")]);
        let mut item = items(&before, &records, &transcript).remove(0);
        item.set_by = Some(person("li"));
        item.state = ActionState::Declined {
            reason: "too slow".into(),
        };
        records.actions.push(item);
        let now = items(&told(&transcript, redraft), &records, &transcript);
        let found: Vec<(&str, bool)> = now
            .iter()
            .map(|item| (item.text.as_str(), item.set_by.is_some()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_person_decided_outlives_a_redraft_in_other_words() {
        let canary = ("Add a canary stage", true);
        check(&[(1, "add a canary stage")], &[canary]);
        check(&[(1, "Add a canary stage.")], &[canary]);
        check(&[(1, "introduce a canary stage for releases")], &[canary]);
        check(
            &[(1, "raise an alert"), (1, "a canary stage is to be added")],
            &[("Raise an alert", false), canary],
        );
        // Another message, or other words: another item.
        check(
            &[(2, "add a canary stage")],
            &[("Add a canary stage", false), canary],
        );
        check(&[], &[canary]);
    }

    #[test]
    fn a_proposal_that_is_there_twice_is_listed_once() {
        let transcript = talk();
        let twice = told(
            &transcript,
            &[(2, "write a runbook"), (2, "Write a runbook!")],
        );
        let records = Story::opened().records();
        assert_eq!(items(&twice, &records, &transcript).len(), 1);
    }
}
