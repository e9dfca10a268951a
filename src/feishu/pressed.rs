//! Changing a card that somebody pressed, by the token that came with the press.

use reqwest::Method;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{
    Client, Error,
    api::{Api, Call},
};

/// A token is good for two uses. A repetition after a lost answer may take the second, and no more.
static UPDATE: Api = Api::new(
    "card.update_pressed",
    Method::POST,
    "/open-apis/interactive/v1/card/update",
);

impl Client {
    /// Replaces the card that was pressed, whatever kind of card it is. Only once the press was answered,
    /// within thirty minutes of it, and twice at most; up to 30 KB.
    ///
    /// Needs one of the scopes `im:message`, `im:message:send_as_bot`, `im:message:update`.
    ///
    /// # Errors
    /// [`Error::Refused`] for a token that is used up or too old (300040, 300030), [`Error::Gone`] for a
    /// message that was recalled.
    pub async fn update_pressed_card(&self, token: &str, card: &Value) -> Result<(), Error> {
        let body = json!({"token": token, "card": card});
        let done: Result<IgnoredAny, Error> = self.call(&Call::of(&UPDATE).body(&body)).await;
        done.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn a_pressed_card_is_changed_by_its_token() {
        let what = "POST /open-apis/interactive/v1/card/update";
        let platform = Platform::start().await;
        platform.will(
            what,
            [
                Reply::ok(json!({"code": 0, "msg": "ok"})),
                Reply::refusal(400, 300_040),
                Reply::refusal(400, 200_000),
            ],
        );
        let client = platform.client();
        let card = json!({"schema": "2.0"});
        client.update_pressed_card("c-1", &card).await.unwrap();
        let seen = platform.seen(what);
        assert_eq!(seen[0].body, json!({"token": "c-1", "card": card}));
        let used_up = client.update_pressed_card("c-1", &card).await;
        assert!(matches!(used_up, Err(Error::Refused(_))), "{used_up:?}");
        let recalled = client.update_pressed_card("c-1", &card).await;
        assert!(matches!(recalled, Err(Error::Gone(_))), "{recalled:?}");
    }
}
