//! What lines may rest on, looked up by their citations.

use std::{collections::HashMap, sync::OnceLock};

use crate::{
    config::Language,
    incident::{Actor, Entry},
    postmortem::{
        actions::ActionState,
        events::{Event, Kind, is_hedged, states_a_cause},
        ground::Ground,
        merge::merge,
        phrases,
        support::Carrier,
        transcript::{Message, MessageId},
        write::{Line, Material, entry_words, kind_word, neutral},
    },
};

/// The sources of a draft. What is needed of all of them is read once, and only when it is needed.
pub struct Sources<'a> {
    material: &'a Material<'a>,
    all: OnceLock<Ground>,
    are_of_phrases: bool,
    events: HashMap<&'a MessageId, Vec<&'a Event>>,
    refuted: OnceLock<Vec<String>>,
}

impl<'a> Sources<'a> {
    /// The sources of this material.
    pub fn new(material: &'a Material<'a>) -> Self {
        let mut events: HashMap<&MessageId, Vec<&Event>> = HashMap::new();
        for event in &material.merged.events {
            for id in &event.message_ids {
                events.entry(id).or_default().push(event);
            }
        }
        Self {
            material,
            all: OnceLock::new(),
            are_of_phrases: false,
            events,
            refuted: OnceLock::new(),
        }
    }

    /// The sources of a draft without a model: what the phrases tell is all among its events.
    pub fn of_phrases(material: &'a Material<'a>) -> Self {
        Self {
            are_of_phrases: true,
            ..Self::new(material)
        }
    }

    /// The messages that a line cites.
    pub(super) fn messages(&self, line: &Line) -> Vec<&'a Message> {
        line.citations()
            .into_iter()
            .filter_map(|alias| self.material.transcript.by_alias(alias))
            .collect()
    }

    /// The entries of the records that a line cites.
    pub(super) fn entries(&self, line: &Line) -> Vec<&'a Entry> {
        let numbers = line
            .citations()
            .into_iter()
            .filter_map(|alias| alias.strip_prefix('r')?.parse().ok());
        numbers
            .filter_map(|number| self.material.records.entry(number))
            .collect()
    }

    /// Whether a line cites anything that there is. What there is not has a check of its own.
    pub(super) fn are_there(&self, line: &Line) -> bool {
        !self.messages(line).is_empty() || !self.entries(line).is_empty()
    }

    /// The events that rest on what a line cites.
    pub(super) fn events(&self, line: &Line) -> Vec<&'a Event> {
        let messages = self.messages(line).into_iter();
        let events = messages.filter_map(|message| self.events.get(&message.id));
        events.flatten().copied().collect()
    }

    /// Whether a line cites a message that rules something out.
    pub(super) fn rules_out(&self, line: &Line) -> bool {
        let is_so = |event: &Event| event.kind == Kind::RuledOut;
        let by_phrase = |message: &Message| {
            phrases::extract(message, self.material.transcript)
                .iter()
                .any(is_so)
        };
        self.events(line).into_iter().any(is_so) || self.messages(line).into_iter().any(by_phrase)
    }

    /// What was ruled out. A model may have forgotten to say so, and then the room's own phrases still do.
    pub(super) fn refuted(&self) -> &[String] {
        self.refuted.get_or_init(|| {
            let transcript = self.material.transcript;
            let unread = if self.are_of_phrases {
                0
            } else {
                transcript.messages.len()
            };
            let messages = transcript.messages.iter().take(unread);
            let events = messages.flat_map(|message| phrases::extract(message, transcript));
            let wanted = |event: &Event| matches!(event.kind, Kind::Hypothesis | Kind::RuledOut);
            let said = merge(events.filter(wanted).collect(), transcript).events;
            let all = self.material.merged.events.iter().chain(&said);
            let refuted = all.filter(|event| event.refuted_by.is_some());
            let mut texts: Vec<String> = refuted.map(|event| event.text.clone()).collect();
            texts.sort();
            texts.dedup();
            texts
        })
    }

    /// What a line's names and numbers may come from.
    pub(super) fn ground(&self, line: &Line) -> Ground {
        let material = self.material;
        let mut ground = self.computed();
        if line.decided.is_some() {
            self.add_decided(&mut ground, line);
        }
        for message in self.messages(line) {
            ground.add(&message.evidence());
            for person in std::iter::once(&message.author).chain(&message.mentions) {
                ground.add(material.transcript.name(person));
                ground.add(
                    material
                        .transcript
                        .person(person)
                        .and_then(|person| person.role.as_deref())
                        .unwrap_or_default(),
                );
            }
        }
        for entry in self.entries(line) {
            ground.add(&serde_json::to_string(&entry.what).unwrap_or_default());
            match &entry.by.actor {
                Actor::Person(person) => {
                    ground.add(material.transcript.name(person));
                    ground.add(
                        material
                            .transcript
                            .person(person)
                            .and_then(|person| person.role.as_deref())
                            .unwrap_or_default(),
                    );
                }
                Actor::Monitor(name) => ground.add(name),
                Actor::Nightjar => {}
            }
            // People of the records stand there by id, and in the report by name.
            let people = material.transcript.people.iter();
            let what = serde_json::to_string(&entry.what).unwrap_or_default();
            people
                .filter(|person| what.contains(&person.id.0))
                .for_each(|person| ground.add(&person.name));
        }
        ground
    }

    /// What people said of an action item when they decided about it.
    fn add_decided(&self, ground: &mut Ground, line: &Line) {
        let items = self.material.records.actions.iter();
        for item in items.filter(|item| line.text.contains(&neutral(&item.text))) {
            ground.add(&item.text);
            let owner = item.owner.iter().map(|owner| owner.name.as_str());
            owner.for_each(|name| ground.add(name));
            item.due.iter().for_each(|due| ground.add(&due.to_string()));
            if let ActionState::Declined { reason } = &item.state {
                ground.add(reason);
            }
        }
    }

    /// What a line's words may come from: what it cites, what was read out of that, and what it answers.
    pub(super) fn carrier(&self, line: &Line) -> Carrier {
        let material = self.material;
        let mut carrier = Carrier::default();
        for message in self.messages(line) {
            carrier.add(&message.evidence());
            let parent = message.parent.as_ref();
            let parent = parent.and_then(|parent| material.transcript.message(parent));
            parent
                .iter()
                .for_each(|parent| carrier.add(&parent.evidence()));
            for mark in &message.marks {
                carrier.add(
                    &serde_json::to_string(&mark.kind)
                        .unwrap_or_default()
                        .replace('_', " "),
                );
            }
        }
        for event in self.events(line) {
            carrier.add(&event.text);
            carrier.add_word(kind_word(event.kind, Language::En));
            carrier.add_word(kind_word(event.kind, Language::Zh));
        }
        for entry in self.entries(line) {
            for language in [Language::En, Language::Zh] {
                let words = entry_words(entry, material.transcript, language);
                carrier.add(&words.unwrap_or_default());
            }
        }
        // Names and what code computed: nobody denies anything there.
        carrier.add_word(self.ground(line).text());
        carrier
    }

    /// The texts among a line's sources in which a person states a cause.
    pub(super) fn cause_statements(&self, line: &Line) -> Vec<String> {
        let transcript = self.material.transcript;
        let events = self.events(line).into_iter();
        let events = events.filter(|event| event.is_cause_by_a_person(transcript));
        let messages = self.messages(line).into_iter();
        // A guess names a cause as well, and states none.
        let messages = messages.filter(|message| {
            states_a_cause(message, transcript) && !is_hedged(&message.evidence())
        });
        events
            .map(|event| event.text.clone())
            .chain(messages.map(Message::evidence))
            .collect()
    }

    /// What code knows without any citation.
    fn computed(&self) -> Ground {
        let incident = &self.material.records.incident;
        let mut ground = Ground::of([incident.title.as_str()]);
        ground.add(&incident.number.to_string());
        for alert in &self.material.facts.alerts {
            ground.add(&format!(
                "{} {} {}",
                alert.title, alert.firing, alert.recovered
            ));
        }
        ground
    }

    /// Everything that was ever said or recorded.
    pub(super) fn all(&self) -> &Ground {
        self.all.get_or_init(|| {
            let mut ground = self.computed();
            self.material
                .transcript
                .messages
                .iter()
                .for_each(|message| ground.add(&message.evidence()));
            self.material
                .transcript
                .people
                .iter()
                .for_each(|person| ground.add(&person.name));
            let entries = self.material.records.timeline.iter();
            entries.for_each(|entry| {
                ground.add(&serde_json::to_string(&entry.what).unwrap_or_default())
            });
            ground
        })
    }
}
