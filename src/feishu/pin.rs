//! What is pinned in a group.

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    ChatId, Client, Error, MessageId, Page,
    api::{Api, Call, Target},
    wire::{PageData, Text},
};

/// Pinning what is pinned changes nothing, and neither does taking off what is not.
static PIN: Api = Api::new("pin.add", Method::POST, "/open-apis/im/v1/pins");
static UNPIN: Api = Api::new(
    "pin.remove",
    Method::DELETE,
    "/open-apis/im/v1/pins/:message_id",
);
static LIST: Api = Api::get("pin.list", "/open-apis/im/v1/pins");

/// Something that is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The message.
    pub message_id: MessageId,
    /// Who pinned it: an open id, or an app id.
    pub by: String,
    /// Since when.
    pub at: Option<Timestamp>,
}

impl Client {
    /// Pins a message.
    ///
    /// Needs scope `im:message`, `im:message:send_as_bot` or `im:message.pins:write_only`.
    pub async fn pin(&self, message: &MessageId) -> Result<(), Error> {
        let call = Call::of(&PIN)
            .body(&json!({ "message_id": message }))
            .about(Target::Message(message.clone()));
        self.done(&call).await
    }

    /// Takes a message off again.
    pub async fn unpin(&self, message: &MessageId) -> Result<(), Error> {
        let call = Call::of(&UNPIN)
            .arg(message.as_str())
            .about(Target::Message(message.clone()));
        self.done(&call).await
    }

    /// Reads one page, of up to 50, of what is pinned in a chat.
    pub async fn pins(&self, chat: &ChatId, page_token: Option<&str>) -> Result<Page<Pin>, Error> {
        let call = Call::of(&LIST)
            .query("chat_id", chat.as_str())
            .query("page_size", "50")
            .query_if("page_token", page_token);
        let page: PageData<WirePin> = self.call(&call).await?;
        Ok(page.into_page(|items| items.into_iter().filter_map(WirePin::into_pin).collect()))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePin {
    message_id: Text,
    operator_id: Text,
    create_time: Text,
}

impl WirePin {
    fn into_pin(self) -> Option<Pin> {
        Some(Pin {
            at: self.create_time.time(),
            message_id: self.message_id.id(MessageId::new)?,
            by: self.operator_id.or_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn a_message_is_pinned_listed_and_taken_off() {
        let platform = Platform::start().await;
        let pin = json!({"message_id": "om_a", "chat_id": "oc_a", "operator_id": "ou_a",
            "operator_id_type": "open_id", "create_time": "1615380573211"});
        let (add, list) = ("POST /open-apis/im/v1/pins", "GET /open-apis/im/v1/pins");
        platform.will(add, [Reply::data(json!({ "pin": pin }))]);
        platform.will(
            list,
            [Reply::data(
                json!({"items": [pin, {}], "has_more": true, "page_token": "p"}),
            )],
        );
        platform.will(
            "DELETE /open-apis/im/v1/pins/om_a",
            [Reply::data(json!({}))],
        );
        let (client, message) = (platform.client(), MessageId::new("om_a"));
        client.pin(&message).await.unwrap();
        assert_eq!(platform.seen(add)[0].body, json!({"message_id": "om_a"}));
        let page = client.pins(&ChatId::new("oc_a"), None).await.unwrap();
        let expected = Pin {
            message_id: message.clone(),
            by: "ou_a".into(),
            at: Some("2021-03-10T12:49:33.211Z".parse().unwrap()),
        };
        assert_eq!(
            (page.items, page.next.as_deref()),
            (vec![expected], Some("p"))
        );
        assert_eq!(platform.seen(list)[0].query, "chat_id=oc_a&page_size=50");
        client.unpin(&message).await.unwrap();
    }
}
