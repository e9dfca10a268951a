//! Freezes a room: what was said in it as a transcript, and what is on record about its incident.
//!
//! Our own cards are left out but for answers to questions: what they show stands in the records already, and
//! a draft must not be read as a source of the next one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    bot::{
        Bot, command,
        incidents::Case,
        war_room::{Progress, Trouble, record, role_name},
    },
    config::Language,
    feishu::{ChatId, OpenId},
    incident::PersonId,
    postmortem::{
        Confirmed, Records, Transcript,
        transcript::{
            Attachment, Card, Edit, Mark, MarkKind, Message, MessageId, Person, Reaction, Room,
        },
    },
};

/// How much is read at once.
const PAGE: usize = 500;
/// How many people who came and went are named.
const COMINGS_MAX: usize = 2000;

/// The transcript of these rooms of an incident.
pub(super) async fn transcript(
    bot: &Bot,
    case: &Case,
    rooms: &[Progress],
    language: Language,
) -> Result<Transcript, Trouble> {
    let mut gathered = Gathered::default();
    let mut chat = ChatId::new("");
    for progress in rooms {
        let Some(room) = &progress.chat else { continue };
        chat = room.clone();
        let mut said = Vec::new();
        let record = bot.rooms().record();
        record.each(room, None, |one| said.push(one)).await?;
        for one in said {
            if is_ours(bot, &one) && !is_answer(bot, &one).await? || is_command(bot, &one) {
                continue;
            }
            gathered.take(&one);
        }
        for coming in record.comings(room, COMINGS_MAX).await? {
            gathered.meet(coming.person.as_str(), Some(&coming.name), false);
        }
        for (role, person) in &progress.roles {
            gathered.meet(person.as_str(), None, false);
            let role = role_name(role, language).to_owned();
            gathered.roles.insert(person.as_str().to_owned(), role);
        }
    }
    let people = gathered.people(bot, &chat).await;
    let name = case.room.as_ref().map(|room| room.name.clone());
    let room = Room {
        id: chat.to_string(),
        name: name.unwrap_or_default(),
    };
    let zone = bot.0.zone.clone();
    let at = Timestamp::now();
    Ok(Transcript::freeze(
        room,
        zone,
        at,
        people,
        gathered.messages,
    ))
}

/// What is on record about an incident.
pub(super) async fn records(
    bot: &Bot,
    case: &Case,
    confirmed: Vec<Confirmed>,
) -> Result<Records, Trouble> {
    let mut timeline = Vec::new();
    loop {
        let after = timeline
            .last()
            .map_or(0, |entry: &crate::incident::Entry| entry.number);
        let incidents = bot.incidents();
        let page = incidents.timeline(case.number(), after, PAGE).await?;
        let is_last = page.len() < PAGE;
        timeline.extend(page);
        if is_last {
            break;
        }
    }
    Ok(Records {
        incident: case.incident.clone(),
        timeline,
        confirmed,
        actions: Vec::new(),
    })
}

fn is_ours(bot: &Bot, said: &record::Said) -> bool {
    bot.me().is(&said.author.id)
}

async fn is_answer(bot: &Bot, said: &record::Said) -> Result<bool, Trouble> {
    Ok(bot.0.memory.answer(&said.id).await?.is_some())
}

/// What people tell us to do is no part of what happened, or is on record.
fn is_command(bot: &Bot, said: &record::Said) -> bool {
    let text = said.text.trim_start();
    let mention = format!("@{}", bot.me().name);
    let text = text.strip_prefix(&mention).unwrap_or(text);
    command::parse(text).is_some_and(|invocation| invocation.is_known())
}

/// What was gathered of rooms.
#[derive(Default)]
struct Gathered {
    messages: Vec<Message>,
    /// Who was met: what they are called as far as that was told, and whether it is a bot.
    met: BTreeMap<String, (Option<String>, bool)>,
    roles: BTreeMap<String, String>,
}

impl Gathered {
    fn meet(&mut self, id: &str, name: Option<&str>, is_bot: bool) {
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        let met = self.met.entry(id.to_owned()).or_insert((None, is_bot));
        met.0 = name.or(met.0.take());
    }

    fn take(&mut self, said: &record::Said) {
        let author = &said.author;
        self.meet(&author.id, author.name.as_deref(), author.is_bot);
        for mention in &said.mentions {
            let is_bot = !mention.id.starts_with("ou_");
            self.meet(&mention.id, Some(&mention.name), is_bot);
        }
        for who in said.reactions.iter().flat_map(|one| &one.by) {
            self.meet(who, None, !who.starts_with("ou_"));
        }
        self.messages.push(message(said));
    }

    async fn people(&self, bot: &Bot, chat: &ChatId) -> Vec<Person> {
        let ids: Vec<OpenId> = self
            .met
            .iter()
            .filter(|(id, (_, is_bot))| id.starts_with("ou_") && !is_bot)
            .map(|(id, _)| OpenId::new(id.as_str()))
            .collect();
        let names = bot.0.people.names(&ids, chat).await;
        let people = self.met.iter().map(|(id, (told, is_bot))| {
            let known = names.get(&OpenId::new(id.as_str())).cloned();
            let ours = bot.me().is(id).then(|| bot.me().name.clone());
            let name = ours.or(known).or_else(|| told.clone());
            Person {
                id: PersonId(id.clone()),
                name: name.unwrap_or_else(|| crate::bot::people::stand_in(id)),
                role: self.roles.get(id).cloned(),
                is_bot: *is_bot || bot.me().is(id),
            }
        });
        people.collect()
    }
}

/// A message as it was heard. Of one that was taken back only that it was there.
fn message(said: &record::Said) -> Message {
    let person = |id: &str| PersonId(id.to_owned());
    let id = |id: &crate::feishu::MessageId| MessageId::new(id.as_str());
    let author = person(&said.author.id);
    let mut message = Message::said(said.id.as_str(), said.at, &author, "");
    message.parent = said.parent.as_ref().map(id);
    message.thread = said.thread.as_ref().and(said.root.as_ref()).map(id);
    message.recalled_at = said.recalled_at;
    if said.recalled_at.is_some() {
        return message;
    }
    match said.kind.as_str() {
        "interactive" if said.author.is_bot => {
            let (title, text) = said.text.split_once('\n').unwrap_or((&said.text, ""));
            message.card = Some(Card {
                title: title.trim().to_owned(),
                text: text.trim().to_owned(),
            });
        }
        _ => message.text.clone_from(&said.text),
    }
    message.mentions = said.mentions.iter().map(|one| person(&one.id)).collect();
    message.edits = said
        .edits
        .iter()
        .map(|edit| Edit {
            at: edit.at,
            before: edit.before.clone(),
        })
        .collect();
    message.reactions = said
        .reactions
        .iter()
        .map(|one| Reaction {
            emoji: one.emoji.clone(),
            by: one.by.iter().map(|who| person(who)).collect(),
        })
        .collect();
    message.pinned = said.is_pinned;
    message.marks = said
        .marks
        .iter()
        .map(|mark| Mark {
            kind: mark_kind(&mark.mark),
            by: Some(person(mark.by.as_str())),
        })
        .collect();
    message.attachments = said
        .attachments
        .iter()
        .map(|one| Attachment {
            name: one.name.clone().unwrap_or_else(|| said.kind.clone()),
            is_image: one.is_image,
            description: None,
        })
        .collect();
    if said.text.trim().is_empty() && said.attachments.is_empty() {
        message.unreadable = Some(said.kind.clone());
    }
    message
}

/// What a mark means; `action` is how rooms call something that is to be done.
fn mark_kind(word: &str) -> MarkKind {
    match word {
        "action" => MarkKind::ActionItem,
        word => MarkKind::from_word(word),
    }
}
