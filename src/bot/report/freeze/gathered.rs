//! What was gathered of rooms: their messages, and who was met in them under which name.

use std::collections::BTreeMap;

use crate::{
    bot::{Bot, people::stand_in, war_room::record::Said},
    feishu::{ChatId, OpenId},
    incident::PersonId,
    postmortem::transcript::{Message, Person},
};

/// What was gathered of rooms.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) messages: Vec<Message>,
    /// Who was met: what they are called as far as that was told, and whether it is a bot.
    met: BTreeMap<String, (Option<String>, bool)>,
    roles: BTreeMap<String, String>,
}

impl Gathered {
    /// Somebody is in the room, or was spoken of.
    pub(super) fn meet(&mut self, id: &str, name: Option<&str>, is_bot: bool) {
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        let met = self.met.entry(id.to_owned()).or_insert((None, is_bot));
        met.0 = name.or(met.0.take());
    }

    /// Somebody does this in the incident.
    pub(super) fn has_role(&mut self, id: &str, role: String) {
        self.meet(id, None, false);
        self.roles.insert(id.to_owned(), role);
    }

    /// Takes a message, and everybody who has to do with it.
    pub(super) fn take(&mut self, said: &Said, message: Message) {
        let author = &said.author;
        self.meet(&author.id, author.name.as_deref(), author.is_bot);
        for mention in &said.mentions {
            let is_bot = !mention.id.starts_with("ou_");
            self.meet(&mention.id, Some(&mention.name), is_bot);
        }
        for who in said.reactions.iter().flat_map(|one| &one.by) {
            self.meet(who, None, !who.starts_with("ou_"));
        }
        self.messages.push(message);
    }

    /// All of them, by name as far as names are known, and by role.
    pub(super) async fn people(&self, bot: &Bot, chat: &ChatId) -> Vec<Person> {
        let ids: Vec<OpenId> = self
            .met
            .iter()
            .filter(|(id, (_, is_bot))| id.starts_with("ou_") && !is_bot)
            .map(|(id, _)| OpenId::new(id.as_str()))
            .collect();
        let names = bot.0.people.names(&ids, chat).await;
        let people = self.met.iter().map(|(id, (told, is_bot))| {
            let known = names.get(&OpenId::new(id.as_str())).cloned();
            let is_us = bot.me().is(id);
            let ours = is_us.then(|| bot.me().name.clone());
            let name = ours.or(known).or_else(|| told.clone());
            Person {
                id: PersonId(id.clone()),
                name: name.unwrap_or_else(|| stand_in(id)),
                role: self.roles.get(id).cloned(),
                is_bot: *is_bot || is_us,
                is_us,
            }
        });
        people.collect()
    }
}
