//! Sends a sentence of ours: as a reply, what a command answers or why there is no answer; or unasked,
//! to a chat or a person.

use tracing::{debug, error};
use uuid::Uuid;

use crate::feishu::{
    ChatId, Class, Client, Error, Message, MessageId, OpenId, Outgoing, Recipient,
};

use super::{
    Bot, Entry,
    card::{
        choice::{self, Choice},
        notice::Notice,
    },
    markdown,
    reply::Patience,
};

/// Where we answer.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The message that is replied to.
    pub question: MessageId,
    /// The chat it stands in.
    pub chat: ChatId,
    /// Whether the reply belongs into the question's thread.
    pub in_thread: bool,
    /// The inbox key of an entry that answers the question anew: what it sends is not what was sent before.
    pub again: Option<String>,
    /// Who pressed an entry of the bot's menu. Then there is no message to reply to, `question` stands for
    /// the press, and they are answered directly.
    pub person: Option<OpenId>,
}

impl Place {
    /// Beside the message that asked, or directly to whoever asked without one.
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            question: entry.message.id.clone(),
            chat: entry.message.chat_id.clone(),
            in_thread: entry.in_thread,
            again: entry.kept.again.as_ref().map(|_| entry.key.clone()),
            person: entry.pressed_by.clone(),
        }
    }

    /// What the platform tells repeated sends apart by. The same for the same purpose, in every attempt
    /// and in every process.
    pub(super) fn uuid(&self, purpose: &str) -> String {
        match &self.again {
            Some(entry) => uuid(&format!("{}/{entry}", self.question), purpose),
            None => uuid(self.question.as_str(), purpose),
        }
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
    send_choice(bot, place, purpose, notice, &[]).await;
}

/// As [`send_card`], with buttons. Where cards are refused there are none, so the text says what to send instead.
pub(super) async fn send_choice(
    bot: &Bot,
    place: &Place,
    purpose: &str,
    notice: &Notice<'_>,
    choices: &[Choice],
) {
    match deliver(bot, &Way::Reply(place), purpose, notice, choices).await {
        Ok(_) => {}
        Err(Error::Gone(_)) => debug!("there is nobody to tell any more"),
        Err(error) => error!(%error, message.id = %place.question, "a notice could not be sent"),
    }
}

/// Says something that nobody asked, to a chat or to a person. Once for each `purpose`, which is to be
/// unique, also over restarts: whoever tells of an event puts its id in.
pub(super) async fn tell(
    bot: &Bot,
    class: Class,
    to: &Recipient,
    purpose: &str,
    notice: &Notice<'_>,
) -> Result<Message, Error> {
    deliver(bot, &Way::Unasked(class, to), purpose, notice, &[]).await
}

/// Replies with something that is no notice, and says which message it became.
pub(super) async fn reply_with(
    bot: &Bot,
    place: &Place,
    purpose: &str,
    what: &Outgoing,
) -> Result<Message, Error> {
    patiently(bot, &Way::Reply(place), what, purpose).await
}

/// How a notice gets to where it is read.
enum Way<'a> {
    Reply(&'a Place),
    Unasked(Class, &'a Recipient),
}

/// Sends a notice as a card, or as text where cards are refused.
async fn deliver(
    bot: &Bot,
    way: &Way<'_>,
    purpose: &str,
    notice: &Notice<'_>,
    choices: &[Choice],
) -> Result<Message, Error> {
    let mut card = notice.render();
    choice::put_under(&mut card, choices);
    match patiently(bot, way, &Outgoing::CardJson(card), purpose).await {
        Err(error @ (Error::Refused(_) | Error::TooLarge(_) | Error::Forbidden(_))) => {
            debug!(%error, "the card is refused; sending text");
            let text = Outgoing::Text(markdown::text_message(&markdown::to_dialect(notice.text)));
            patiently(bot, way, &text, &format!("{purpose}/text")).await
        }
        sent => sent,
    }
}

async fn patiently(
    bot: &Bot,
    way: &Way<'_>,
    what: &Outgoing,
    purpose: &str,
) -> Result<Message, Error> {
    let feishu = &bot.0.feishu;
    let mut patience = Patience::new();
    loop {
        let sent = match way {
            Way::Reply(place) => reply(feishu, place, what, purpose).await,
            Way::Unasked(class, to) => feishu.at(*class).send(to, what, &uuid("", purpose)).await,
        };
        match sent {
            Err(error) if patience.allows(&error).await => {}
            sent => return sent,
        }
    }
}

async fn reply(
    feishu: &Client,
    place: &Place,
    what: &Outgoing,
    purpose: &str,
) -> Result<Message, Error> {
    let uuid = place.uuid(purpose);
    match &place.person {
        Some(person) => {
            let to = Recipient::Person(person.clone());
            feishu.at(Class::Click).send(&to, what, &uuid).await
        }
        None => {
            let in_thread = place.in_thread;
            feishu
                .reply(&place.question, &place.chat, what, in_thread, &uuid)
                .await
        }
    }
}

/// What the platform tells repeated sends for a purpose apart by.
pub(super) fn purpose_id(purpose: &str) -> String {
    uuid("", purpose)
}

fn uuid(about: &str, purpose: &str) -> String {
    /// Made once for this, at random.
    const NAMESPACE: Uuid = uuid::uuid!("5a0d6c52-6f0e-4b7e-9d2c-8c1f64f0b1aa");
    Uuid::new_v5(&NAMESPACE, format!("{about}/{purpose}").as_bytes()).to_string()
}
