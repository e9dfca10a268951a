//! Sends a sentence of ours as a reply: what a command answers, or why there is no answer.

use tracing::{debug, error};
use uuid::Uuid;

use crate::feishu::{ChatId, Error, Message, MessageId, Outgoing};

use super::{Bot, Entry, card::notice::Notice, markdown, reply::Patience};

/// Where we answer.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The message that is replied to.
    pub question: MessageId,
    /// The chat it stands in.
    pub chat: ChatId,
    /// Whether the reply belongs into the question's thread.
    pub in_thread: bool,
}

impl Place {
    /// Beside the message that asked.
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            question: entry.message.id.clone(),
            chat: entry.message.chat_id.clone(),
            in_thread: entry.message.thread_id.is_some(),
        }
    }

    /// What the platform tells repeated sends apart by. The same for the same purpose, in every attempt
    /// and in every process.
    pub(super) fn uuid(&self, purpose: &str) -> String {
        /// Made once for this, at random.
        const NAMESPACE: Uuid = uuid::uuid!("5a0d6c52-6f0e-4b7e-9d2c-8c1f64f0b1aa");
        Uuid::new_v5(
            &NAMESPACE,
            format!("{}/{purpose}", self.question).as_bytes(),
        )
        .to_string()
    }
}

/// Replies with `text`, in the platform's dialect, as a card, or as plain text where cards are refused.
pub(super) async fn send(bot: &Bot, place: &Place, purpose: &str, text: &str) {
    let notice = Notice {
        title: None,
        text,
        template: Default::default(),
    };
    send_card(bot, place, purpose, &notice).await;
}

/// As [`send`], with a header.
pub(super) async fn send_card(bot: &Bot, place: &Place, purpose: &str, notice: &Notice<'_>) {
    let card = Outgoing::CardJson(notice.render());
    let sent = match reply(bot, place, &card, purpose).await {
        Err(error @ (Error::Refused(_) | Error::TooLarge(_) | Error::Forbidden(_))) => {
            debug!(%error, "the card is refused; sending text");
            let text = Outgoing::Text(markdown::text_message(&markdown::to_dialect(notice.text)));
            reply(bot, place, &text, &format!("{purpose}/text")).await
        }
        sent => sent,
    };
    match sent {
        Ok(_) => {}
        Err(Error::Gone(_)) => debug!("there is nobody to tell any more"),
        Err(error) => error!(%error, message.id = %place.question, "a notice could not be sent"),
    }
}

async fn reply(bot: &Bot, place: &Place, what: &Outgoing, purpose: &str) -> Result<Message, Error> {
    let uuid = place.uuid(purpose);
    let mut patience = Patience::new();
    loop {
        let sent = bot
            .0
            .feishu
            .reply(&place.question, &place.chat, what, place.in_thread, &uuid)
            .await;
        match sent {
            Err(error) if patience.allows(&error).await => {}
            sent => return sent,
        }
    }
}
