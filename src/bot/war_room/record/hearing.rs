//! What changes the record. Doing it twice is doing it once, since events come again and history is read again.

use jiff::Timestamp;

use super::{Coming, Place, Said, Transcripts, digits, key};
use crate::{
    bot::Me,
    feishu::{ChatId, Message, MessageId, OpenId},
    store::{self, Batch},
};

impl Transcripts {
    /// Puts a message into `batch` if it was never heard.
    pub(in crate::bot) async fn put_new(
        &self,
        message: &Message,
        me: &Me,
        batch: &mut Batch,
    ) -> Result<(), store::Error> {
        if !self.knows(&message.id).await? {
            put(&place(message), &Said::new(message, me, None), batch);
        }
        Ok(())
    }

    /// Takes messages as they are now, in one write.
    pub(in crate::bot) async fn hear(
        &self,
        messages: &[(Message, Option<String>)],
        me: &Me,
    ) -> Result<(), store::Error> {
        let _pen = self.pen.lock().await;
        let mut batch = self.store.batch();
        for (message, text) in messages {
            let text = text.as_deref();
            match self.places.get(message.id.as_str()).await? {
                None => put(&place(message), &Said::new(message, me, text), &mut batch),
                Some(place) => {
                    let known = self.said.get(&key(&place, &message.id)).await?;
                    let mut said = known
                        .clone()
                        .unwrap_or_else(|| Said::new(message, me, text));
                    said.hear(message, text);
                    if known.as_ref() != Some(&said) {
                        put(&place, &said, &mut batch);
                    }
                }
            }
        }
        self.store.commit(batch).await
    }

    /// A message was taken back.
    pub(in crate::bot) async fn recall(
        &self,
        message: &MessageId,
        at: Timestamp,
    ) -> Result<(), store::Error> {
        self.change(message, |said| {
            said.recalled_at.get_or_insert(at);
        })
        .await
        .map(drop)
    }

    /// Somebody reacted to a message, or took that back. Gives the message as it is then, if it is known.
    pub(in crate::bot) async fn react(
        &self,
        message: &MessageId,
        emoji: &str,
        who: &str,
        is_there: bool,
    ) -> Result<Option<(ChatId, Said)>, store::Error> {
        self.change(message, |said| {
            said.react(emoji, who, is_there);
        })
        .await
    }

    /// The reactions on a message are these and no others.
    pub(in crate::bot) async fn set_reactions(
        &self,
        message: &MessageId,
        reactions: &[(String, String)],
    ) -> Result<Option<(ChatId, Said)>, store::Error> {
        self.change(message, |said| {
            let known = said.reactions.clone();
            for one in &known {
                for who in &one.by {
                    if !reactions
                        .iter()
                        .any(|(emoji, by)| *emoji == one.emoji && by == who)
                    {
                        said.react(&one.emoji, who, false);
                    }
                }
            }
            for (emoji, who) in reactions {
                said.react(emoji, who, true);
            }
        })
        .await
    }

    /// Of a room, these messages are pinned and no others.
    pub(in crate::bot) async fn set_pins(
        &self,
        room: &ChatId,
        pinned: &[MessageId],
    ) -> Result<(), store::Error> {
        let mut other = Vec::new();
        self.each(room, None, |said| {
            if said.is_pinned && !pinned.contains(&said.id) {
                other.push(said.id);
            }
        })
        .await?;
        for message in other {
            self.change(&message, |said| said.is_pinned = false).await?;
        }
        for message in pinned {
            self.change(message, |said| said.is_pinned = true).await?;
        }
        Ok(())
    }

    /// Changes a message that is known, and gives it as it is then.
    pub(in crate::bot) async fn change(
        &self,
        message: &MessageId,
        change: impl FnOnce(&mut Said),
    ) -> Result<Option<(ChatId, Said)>, store::Error> {
        let _pen = self.pen.lock().await;
        let Some(place) = self.places.get(message.as_str()).await? else {
            return Ok(None);
        };
        let Some(known) = self.said.get(&key(&place, message)).await? else {
            return Ok(None);
        };
        let mut said = known.clone();
        change(&mut said);
        if said != known {
            let mut batch = self.store.batch();
            put(&place, &said, &mut batch);
            self.store.commit(batch).await?;
        }
        Ok(Some((place.room, said)))
    }

    /// Somebody came or went.
    pub(in crate::bot) async fn note_coming(
        &self,
        room: &ChatId,
        coming: &[Coming],
    ) -> Result<(), store::Error> {
        let mut batch = self.store.batch();
        for one in coming {
            let key = format!("{room}/{}/{}", digits(one.at), one.person);
            batch.put(&key, one);
        }
        self.store.commit(batch).await
    }

    /// Whether somebody came into a room at that moment, as far as was noted.
    pub(in crate::bot) async fn has_come(
        &self,
        room: &ChatId,
        person: &OpenId,
        at: Timestamp,
    ) -> Result<bool, store::Error> {
        let key = format!("{room}/{}/{person}", digits(at));
        Ok(self.comings.get(&key).await?.is_some())
    }
}

fn place(message: &Message) -> Place {
    Place {
        room: message.chat_id.clone(),
        at: message.created_at,
    }
}

fn put(place: &Place, said: &Said, batch: &mut Batch) {
    batch.put(said.id.as_str(), place);
    batch.put(&key(place, &said.id), said);
}
