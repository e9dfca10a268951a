//! What the people on an incident are called.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    bot::people::stand_in,
    config::Language,
    feishu::OpenId,
    incident::{Actor, By, Entry, Incident, PersonId, What},
};

/// What people are called, as far as that is known.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<PersonId, String>);

impl Names {
    /// Takes note of a name.
    pub fn insert(&mut self, person: PersonId, name: String) {
        self.0.insert(person, name);
    }

    /// What somebody is called. A member's id is a name in itself; an id of the platform is not.
    pub fn of(&self, person: &PersonId) -> String {
        match self.0.get(person) {
            Some(name) => name.clone(),
            None if open_id(person).is_some() => stand_in(&person.0),
            None => person.0.clone(),
        }
    }

    /// Who did something, as the subject of a sentence.
    pub fn of_actor(&self, by: &By, language: Language) -> String {
        match (&by.actor, language) {
            (Actor::Person(person), _) => self.of(person),
            (Actor::Monitor(name), _) => name.clone(),
            (Actor::Nightjar, Language::En) => "I".to_owned(),
            (Actor::Nightjar, Language::Zh) => "我".to_owned(),
        }
    }
}

/// The platform's id of somebody, where that is what is known of them.
pub fn open_id(person: &PersonId) -> Option<OpenId> {
    person
        .0
        .starts_with("ou_")
        .then(|| OpenId::new(person.0.as_str()))
}

/// Everybody of the platform whose name is needed to show an incident and these entries of it.
pub fn people_of(incident: &Incident, entries: &[Entry]) -> Vec<OpenId> {
    let mut people: BTreeSet<&PersonId> = incident.responders.iter().collect();
    let had = incident.acknowledged.iter().map(|had| &had.by);
    for by in had.chain(entries.iter().map(|entry| &entry.by)) {
        if let Actor::Person(person) = &by.actor {
            people.insert(person);
        }
    }
    for entry in entries {
        match &entry.what {
            What::Assigned { to: who }
            | What::ResponderAdded { who }
            | What::RoleTaken { who, .. }
            | What::Paged { who, .. }
            | What::PageFailed { who, .. } => {
                people.insert(who);
            }
            _ => {}
        }
    }
    people.into_iter().filter_map(open_id).collect()
}
