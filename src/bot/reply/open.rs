//! Where the cards of a turn come from: an earlier process left them, or they are made and sent.
//!
//! A card is written down before it is sent, and again when its message is known. Whenever this process
//! ends, the next one finds every card that may stand in the chat, and uses it or closes it.

use serde_json::Value;
use tokio::time::Instant;
use tracing::{error, warn};

use crate::{
    bot::inbox::LiveCard,
    feishu::{CardId, Class, Error, Message, MessageId, Outgoing},
};

use super::{
    Drawn, Reply,
    card::{Card, first_sequence},
    is_question_gone,
    shown::{MessageCard, Shown},
};

impl Reply {
    /// Takes over a card of an earlier process, or makes a new one.
    pub(super) async fn open_card(&mut self) -> Result<(), Error> {
        let stop = self.canvas.controls.stop.clone();
        let view = self.streaming("", &[], &stop);
        let drawn = Drawn {
            elements: view.elements().len(),
            status: view.status(),
            has_text: self.drawn.has_text,
            at: Some(Instant::now()),
            ..Drawn::default()
        };
        let (json, still) = (view.render(), view.render_still());
        let card = match self.take_over(&json, &still).await? {
            Some(card) => card,
            None => self.make_card(&json, &still).await?,
        };
        self.cards.push(card);
        self.drawn = drawn;
        // Were its message not known after a crash, the card could be found for an hour only, by its uuid.
        self.note_cards().await;
        Ok(())
    }

    /// The next card of an earlier process that can still be used.
    async fn take_over(&mut self, json: &Value, still: &Value) -> Result<Option<Shown>, Error> {
        while let Some(live) = self.left_over.front().cloned() {
            let taken = self.take_over_one(&live, json, still).await;
            match taken {
                // It stays the next one.
                Err(error) if error.is_transient() || is_question_gone(&error) => {
                    return Err(error);
                }
                Ok(card) => {
                    self.left_over.pop_front();
                    return Ok(Some(card));
                }
                Err(error) => {
                    warn!(%error, "a card of an earlier process cannot be taken over");
                    self.left_over.pop_front();
                    self.close_later(live).await;
                }
            }
        }
        Ok(None)
    }

    async fn take_over_one(
        &self,
        live: &LiveCard,
        json: &Value,
        still: &Value,
    ) -> Result<Shown, Error> {
        let message = match (&live.message, &live.id) {
            (Some(message), _) => message.clone(),
            // The platform tells a second attempt by its uuid, and answers with the message of the first.
            (None, Some(id)) => self.send_entity(id).await?,
            (None, None) => self.send_still(still).await?,
        };
        let mut shown = match &live.id {
            Some(id) => Shown::Entity(self.entity(id.clone(), message)),
            None => Shown::Message(MessageCard::new(self.canvas.feishu.clone(), message)),
        };
        // It may show half an answer.
        match &mut shown {
            Shown::Entity(card) => card.replace(json).await?,
            Shown::Message(card) => card.patch(still).await?,
        }
        Ok(shown)
    }

    /// Makes a card, writes down that it exists, and sends it.
    pub(super) async fn make_card(&mut self, json: &Value, still: &Value) -> Result<Shown, Error> {
        if self.canvas.cardkit.is_worth_a_try() {
            match self.canvas.feishu.create_card(json).await {
                Err(error @ Error::Forbidden(_)) => self.canvas.cardkit.note(Some(&error)),
                Err(error) => return Err(error),
                Ok(id) => {
                    self.canvas.cardkit.note(None);
                    self.begin_card(Some(id.clone())).await;
                    let message = self.send_entity(&id).await?;
                    self.left_over.pop_front();
                    return Ok(Shown::Entity(self.entity(id, message)));
                }
            }
        }
        self.begin_card(None).await;
        let message = self.send_still(still).await?;
        self.left_over.pop_front();
        let feishu = self.canvas.feishu.clone();
        Ok(Shown::Message(MessageCard::new(feishu, message)))
    }

    /// A card that is about to be sent. Until its message is known it counts as one that was left over: it
    /// may stand in the chat although no answer came, and must then be used or closed.
    async fn begin_card(&mut self, id: Option<CardId>) {
        let live = LiveCard { id, message: None };
        self.left_over.push_front(live);
        self.note_cards().await;
    }

    pub(super) fn entity(&self, id: CardId, message: MessageId) -> Card {
        let (feishu, attempt) = (&self.canvas.feishu, self.journal.kept.attempts);
        Card::new(feishu, id, message, attempt, self.canvas.renew_after)
    }

    /// Each entity is one message, so its id is purpose enough.
    async fn send_entity(&self, id: &CardId) -> Result<MessageId, Error> {
        let what = Outgoing::Card(id.clone());
        Ok(self.send(&what, &format!("card/{id}")).await?.id)
    }

    async fn send_still(&self, json: &Value) -> Result<MessageId, Error> {
        let what = Outgoing::CardJson(json.clone());
        let purpose = format!("still/{}", self.cards.len());
        Ok(self.send(&what, &purpose).await?.id)
    }

    /// Writes down which cards there are. A card that is not written down could not be found after a crash,
    /// but a card is better than none.
    pub(super) async fn note_cards(&mut self) {
        let used = self.cards.iter().map(Shown::live);
        self.journal.kept.cards = used.chain(self.left_over.iter().cloned()).collect();
        if let Err(error) = self.journal.write().await {
            error!(%error, "a card could not be noted; a crash now would leave it open");
        }
    }

    /// Leaves a card that does not let itself be closed to be closed later.
    pub(super) async fn close_later(&self, live: LiveCard) {
        self.canvas.metrics.cards_left_open.inc();
        let used = self.cards.iter().map(Shown::sequence).max();
        let sequence = used.unwrap_or_else(|| first_sequence(self.journal.kept.attempts));
        let (stuck, language) = (&self.canvas.stuck, self.canvas.language);
        stuck.close_later(live, sequence, language, true).await;
    }

    pub(super) async fn send(&self, what: &Outgoing, purpose: &str) -> Result<Message, Error> {
        let place = &self.canvas.place;
        let uuid = place.uuid(purpose);
        let feishu = self.canvas.feishu.at(Class::Sign);
        feishu
            .reply(&place.question, &place.chat, what, place.in_thread, &uuid)
            .await
    }
}
