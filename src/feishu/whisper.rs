//! Cards in a group that one member sees and nobody else. They cannot be changed, and no history has them.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ChatId, Client, Error, MessageId, OpenId,
    api::{Api, Call},
    wire::Text,
};

/// It has no uuid: a repetition would be a second card.
static SEND: Api = Api::new(
    "ephemeral.send",
    Method::POST,
    "/open-apis/ephemeral/v1/send",
)
.once();

impl Client {
    /// Shows a card to one member of a group. Refused where the group or the client cannot do that.
    pub async fn whisper(
        &self,
        chat: &ChatId,
        person: &OpenId,
        card: &Value,
    ) -> Result<MessageId, Error> {
        let call = Call::of(&SEND).body(&json!({
            "chat_id": chat, "open_id": person, "msg_type": "interactive", "card": card,
        }));
        let sent: WireSent = self.call(&call).await?;
        sent.message_id
            .id(MessageId::new)
            .ok_or_else(|| Error::unreadable(&SEND))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSent {
    message_id: Text,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn a_card_is_shown_to_one_person_and_not_sent_twice() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/ephemeral/v1/send";
        platform.will(
            path,
            [
                Reply::data(json!({"message_id": "om_a"})),
                Reply::refusal(500, 5000),
            ],
        );
        let (client, card) = (platform.client(), json!({"schema": "2.0"}));
        let (chat, person) = (ChatId::new("oc_a"), OpenId::new("ou_a"));
        let sent = client.whisper(&chat, &person, &card).await.unwrap();
        assert_eq!(sent.as_str(), "om_a");
        let expected =
            json!({"chat_id": "oc_a", "open_id": "ou_a", "msg_type": "interactive", "card": card});
        assert_eq!(platform.seen(path)[0].body, expected);
        client.whisper(&chat, &person, &card).await.unwrap_err();
        assert_eq!(platform.seen(path).len(), 2);
    }
}
