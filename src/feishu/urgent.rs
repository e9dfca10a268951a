//! In-app urgent notifications ("buzz"): a message of ours that rings at the top of somebody's client.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    Client, Error, MessageId, OpenId,
    api::{Api, Call},
};

static URGENT: Api = Api::new(
    "message.urgent_app",
    Method::PATCH,
    "/open-apis/im/v1/messages/:message_id/urgent_app",
);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rung {
    invalid_user_id_list: Vec<String>,
}

impl Client {
    /// Has a message that we sent ring in somebody's client. Says whether it did: somebody outside of the
    /// app's range, or who left, is passed over by the platform without an error.
    ///
    /// Needs scope `im:message.urgent` or `im:message.urgent:app_send`.
    ///
    /// # Errors
    /// [`Error::Refused`] for a person with more than 200 unread urgent messages (230023) or a quota that is
    /// used up (230024), [`Error::Forbidden`] without the scope.
    pub async fn urge(&self, message: &MessageId, person: &OpenId) -> Result<bool, Error> {
        let call = Call::of(&URGENT)
            .arg(message.as_str())
            .query("user_id_type", "open_id")
            .body(&json!({"user_id_list": [person.as_str()]}));
        let rung: Rung = self.call(&call).await?;
        Ok(rung.invalid_user_id_list.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn somebody_who_cannot_be_rung_is_told_apart() {
        let platform = Platform::start().await;
        let what = "PATCH /open-apis/im/v1/messages/om_1/urgent_app";
        platform.will(
            what,
            [
                Reply::ok(json!({"code": 0, "data": {"invalid_user_id_list": []}})),
                Reply::ok(json!({"code": 0, "data": {"invalid_user_id_list": ["ou_2"]}})),
            ],
        );
        let client = platform.client();
        let message = MessageId::new("om_1");
        assert!(client.urge(&message, &OpenId::new("ou_1")).await.unwrap());
        assert!(!client.urge(&message, &OpenId::new("ou_2")).await.unwrap());
        let seen = platform.seen(what);
        assert_eq!(seen[0].body, json!({"user_id_list": ["ou_1"]}));
    }
}
