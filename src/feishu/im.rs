//! Messages.
//!
//! Every send carries a `uuid` of the caller's: for an hour the platform posts at most one message for
//! it, which is why the transport may repeat a send whose answer was lost.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tracing::warn;

use super::{
    CardId, ChatId, Client, Error, Message, MessageId, OpenId, Page, ResourceKey, ThreadId,
    api::{Api, Call, Target},
    message::WireMessage,
    wire::PageData,
};

/// The platform counts the making of messages as one, however they are made (code 11232).
const CREATE: &str = "message.create";

static SEND: Api =
    Api::new("message.send", Method::POST, "/open-apis/im/v1/messages").budget(CREATE);
static REPLY: Api = Api::new(
    "message.reply",
    Method::POST,
    "/open-apis/im/v1/messages/:message_id/reply",
)
.budget(CREATE);
static GET: Api = Api::get("message.get", "/open-apis/im/v1/messages/:message_id");
static LIST: Api = Api::get("message.list", "/open-apis/im/v1/messages");
static PATCH: Api = Api::new(
    "message.patch",
    Method::PATCH,
    "/open-apis/im/v1/messages/:message_id",
);
/// Cards come as they were sent: what they are reduced to otherwise has lost half of an alert. Cards that
/// are entities, ours among them, come as a request to upgrade either way.
const CARDS: (&str, &str) = ("card_msg_content_type", "user_card_content");

/// Whom a message is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A chat.
    Chat(ChatId),
    /// A person, in the direct chat with them.
    Person(OpenId),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Outgoing {
    /// Plain text, with the platform's few tags (`<at user_id="…">`, `<b>`). Up to 150 KB.
    Text(String),
    /// A card entity. It can be sent once, by the app that made it.
    Card(CardId),
    /// A card as JSON. Up to 30 KB.
    CardJson(Value),
    /// An image of [`Client::upload_image`].
    Image(ResourceKey),
    /// A file of [`Client::upload_file`], of any type.
    File(ResourceKey),
}

impl Outgoing {
    /// The platform's `msg_type` and `content`, which is JSON as text.
    fn wire(&self) -> (&'static str, String) {
        match self {
            Outgoing::Text(text) => ("text", json!({"text": text}).to_string()),
            Outgoing::Card(id) => (
                "interactive",
                json!({"type": "card", "data": {"card_id": id}}).to_string(),
            ),
            Outgoing::CardJson(card) => ("interactive", card.to_string()),
            Outgoing::Image(key) => ("image", json!({"image_key": key}).to_string()),
            Outgoing::File(key) => ("file", json!({"file_key": key}).to_string()),
        }
    }
}

/// Whose messages are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Container {
    /// A chat. Of a thread in an ordinary group it shows the first message only.
    Chat(ChatId),
    /// A thread.
    Thread(ThreadId),
}

/// What part of a history is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMessages {
    /// Where.
    pub container: Container,
    /// Not before this second. The platform has no such bound for threads, and there it is left out.
    pub since: Option<Timestamp>,
    /// Not after this second. Left out for threads too.
    pub until: Option<Timestamp>,
    /// Newest first, or oldest first.
    pub newest_first: bool,
    /// How many on a page; the platform takes 1 to 50, and other numbers are brought into that range.
    pub page_size: u32,
    /// [`Page::next`] of the page before, with everything else as it was then.
    pub page_token: Option<String>,
}

impl Client {
    /// Sends a message. `uuid` has at most 50 characters and is the same for every try at the same message.
    ///
    /// Needs scope `im:message` or `im:message:send_as_bot`.
    pub async fn send(
        &self,
        to: &Recipient,
        what: &Outgoing,
        uuid: &str,
    ) -> Result<Message, Error> {
        let (kind, id, target) = match to {
            Recipient::Chat(id) => ("chat_id", id.as_str(), Target::Chat(id.clone())),
            Recipient::Person(id) => ("open_id", id.as_str(), Target::Person(id.clone())),
        };
        let (msg_type, content) = what.wire();
        let call = Call::of(&SEND)
            .query("receive_id_type", kind)
            .body(
                &json!({"receive_id": id, "msg_type": msg_type, "content": content, "uuid": uuid}),
            )
            .about(target);
        self.one_message(&call).await
    }

    /// Replies to a message of `in_chat`, and with `in_thread` opens or continues a thread on it. A reply
    /// to a message that is in a thread stays there either way. `uuid` is as for [`Client::send`].
    pub async fn reply(
        &self,
        to: &MessageId,
        in_chat: &ChatId,
        what: &Outgoing,
        in_thread: bool,
        uuid: &str,
    ) -> Result<Message, Error> {
        let (msg_type, content) = what.wire();
        let body = json!({
            "msg_type": msg_type,
            "content": content,
            "reply_in_thread": in_thread,
            "uuid": uuid,
        });
        let call = Call::of(&REPLY)
            .arg(to.as_str())
            .body(&body)
            .about(Target::Chat(in_chat.clone()));
        self.one_message(&call).await
    }

    /// Reads a message; a forwarded bundle is followed by the messages in it, which name it in
    /// `upper_message_id`. In groups this needs scope `im:message.group_msg` besides `im:message`.
    pub async fn message(&self, id: &MessageId) -> Result<Vec<Message>, Error> {
        let call = Call::of(&GET)
            .arg(id.as_str())
            .query("user_id_type", "open_id")
            .query(CARDS.0, CARDS.1);
        let page: PageData<WireMessage> = self.call(&call).await?;
        Ok(messages(page.items))
    }

    /// Reads one page of a history. In groups this needs scope `im:message.group_msg` besides
    /// `im:message`, and without it is [`Error::Forbidden`] (code 230027).
    pub async fn messages(&self, list: &ListMessages) -> Result<Page<Message>, Error> {
        let (kind, id, is_chat) = match &list.container {
            Container::Chat(id) => ("chat", id.as_str(), true),
            Container::Thread(id) => ("thread", id.as_str(), false),
        };
        let order = match list.newest_first {
            true => "ByCreateTimeDesc",
            false => "ByCreateTimeAsc",
        };
        let seconds = |time: Option<Timestamp>| {
            time.filter(|_| is_chat)
                .map(|time| time.as_second().to_string())
        };
        let call = Call::of(&LIST)
            .query("container_id_type", kind)
            .query("container_id", id)
            .query("sort_type", order)
            .query("page_size", list.page_size.clamp(1, 50).to_string())
            .query(CARDS.0, CARDS.1)
            .query_if("start_time", seconds(list.since))
            .query_if("end_time", seconds(list.until))
            .query_if("page_token", list.page_token.as_deref());
        let page: PageData<WireMessage> = self.call(&call).await?;
        Ok(page.into_page(messages))
    }

    /// Replaces the card of a message that was sent as [`Outgoing::CardJson`], for 14 days after sending.
    /// Cards sent as entities are changed through [`Client::replace_card`].
    pub async fn patch_card(&self, id: &MessageId, card: &Value) -> Result<(), Error> {
        let call = Call::of(&PATCH)
            .arg(id.as_str())
            .body(&json!({"content": card.to_string()}))
            .about(Target::Message(id.clone()));
        self.done(&call).await
    }

    async fn one_message(&self, call: &Call<'_>) -> Result<Message, Error> {
        let message: WireMessage = self.call(call).await?;
        message
            .into_message(None, None)
            .map_err(|_| Error::unreadable(call.api))
    }
}

/// The messages of a list. One that cannot be read is left out, for the sake of the others.
fn messages(items: Vec<WireMessage>) -> Vec<Message> {
    let readable = |item: WireMessage| match item.into_message(None, None) {
        Ok(message) => Some(message),
        Err(missing) => {
            warn!("left a message without `{missing}` out of a list");
            None
        }
    };
    items.into_iter().filter_map(readable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::{
        SenderKind,
        testing::{Platform, Reply},
    };

    const SEND_PATH: &str = "POST /open-apis/im/v1/messages";
    const LIST_PATH: &str = "GET /open-apis/im/v1/messages";

    /// A message in the shape that REST has.
    fn message(id: &str) -> Value {
        json!({
            "message_id": id, "chat_id": "oc_a", "msg_type": "text",
            "create_time": "1615380573411", "update_time": "1615380573411",
            "deleted": false, "updated": false,
            "sender": {"id": "cli_a", "id_type": "app_id", "sender_type": "app", "tenant_key": "736588c9260f175e"},
            "body": {"content": "{\"text\":\"@_user_1 hi\"}"},
            "mentions": [{"key": "@_user_1", "id": "ou_1", "id_type": "open_id", "name": "Tom", "tenant_key": "7"}]
        })
    }

    fn content(body: &Value) -> Value {
        serde_json::from_str(body["content"].as_str().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_sent_message_comes_back_in_the_rest_shape() {
        let platform = Platform::start().await;
        platform.will(SEND_PATH, [Reply::data(message("om_a"))]);
        let to = Recipient::Person(OpenId::new("ou_1"));
        let sent = platform
            .client()
            .send(&to, &Outgoing::Text("hi".into()), "u-1")
            .await
            .unwrap();
        assert_eq!(
            (sent.id.as_str(), sent.text().as_str()),
            ("om_a", "@Tom hi")
        );
        assert_eq!(
            (sent.sender.id.as_str(), sent.sender.kind),
            ("cli_a", SenderKind::App)
        );
        assert!(sent.mentions_id(&["ou_1"]));

        let seen = &platform.seen(SEND_PATH)[0];
        assert_eq!(seen.query, "receive_id_type=open_id");
        assert_eq!(
            (&seen.body["receive_id"], &seen.body["uuid"]),
            (&json!("ou_1"), &json!("u-1"))
        );
        assert_eq!(content(&seen.body), json!({"text": "hi"}));
    }

    #[tokio::test]
    async fn a_card_entity_is_sent_in_the_one_form_the_platform_reads() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/im/v1/messages/om_q/reply";
        platform.will(path, [Reply::data(message("om_a"))]);
        let card = Outgoing::Card(CardId::new("7371713483664506900"));
        let (to, chat) = (MessageId::new("om_q"), ChatId::new("oc_a"));
        platform
            .client()
            .reply(&to, &chat, &card, true, "u-1")
            .await
            .unwrap();
        let body = &platform.seen(path)[0].body;
        assert_eq!(body["msg_type"], "interactive");
        assert_eq!(body["reply_in_thread"], true);
        assert_eq!(
            content(body),
            json!({"type": "card", "data": {"card_id": "7371713483664506900"}})
        );
    }

    #[tokio::test]
    async fn a_list_is_asked_for_in_seconds_and_read_page_by_page() {
        let platform = Platform::start().await;
        let mut nameless = message("om_b");
        nameless["message_id"] = json!("");
        platform.will(LIST_PATH, [
            Reply::data(json!({"items": [message("om_a"), nameless], "has_more": true, "page_token": "p2"})),
            Reply::data(json!({"has_more": false, "page_token": "p3"})),
        ]);
        let mut list = ListMessages {
            container: Container::Chat(ChatId::new("oc_a")),
            since: Some("2024-01-01T00:00:00.9Z".parse().unwrap()),
            until: None,
            newest_first: true,
            page_size: 500,
            page_token: None,
        };
        let client = platform.client();
        let page = client.messages(&list).await.unwrap();
        assert_eq!(page.items.len(), 1, "the one without an id is left out");
        list.page_token = page.next;
        let last = client.messages(&list).await.unwrap();
        assert_eq!((last.items.len(), last.next), (0, None));
        let seen = platform.seen(LIST_PATH);
        let first = "container_id_type=chat&container_id=oc_a&sort_type=ByCreateTimeDesc&page_size=50&card_msg_content_type=user_card_content&start_time=1704067200";
        assert_eq!(seen[0].query, first);
        assert_eq!(seen[1].query, format!("{first}&page_token=p2"));
    }

    #[tokio::test]
    async fn a_thread_is_listed_without_bounds_in_time() {
        let platform = Platform::start().await;
        platform.will(LIST_PATH, [Reply::data(json!({"items": []}))]);
        let list = ListMessages {
            container: Container::Thread(ThreadId::new("omt_a")),
            since: Some(Timestamp::UNIX_EPOCH),
            until: Some(Timestamp::UNIX_EPOCH),
            newest_first: false,
            page_size: 20,
            page_token: None,
        };
        platform.client().messages(&list).await.unwrap();
        assert!(!platform.seen(LIST_PATH)[0].query.contains("time="));
    }

    #[tokio::test]
    async fn a_recalled_message_is_deleted_and_has_no_body() {
        let platform = Platform::start().await;
        let mut recalled = message("om_a");
        recalled["deleted"] = json!(true);
        recalled.as_object_mut().unwrap().remove("body");
        let path = "GET /open-apis/im/v1/messages/om_a";
        platform.will(path, [Reply::data(json!({"items": [recalled]}))]);
        let read = platform
            .client()
            .message(&MessageId::new("om_a"))
            .await
            .unwrap();
        assert_eq!(read[0].text(), "[recalled]");
    }
}
