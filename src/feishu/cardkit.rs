//! Card entities: cards that can be changed after they were sent, and that show text as it is typed.
//!
//! Every change carries a `sequence` above that of every change before it, of whatever kind; one writer
//! for each card keeps it. Each change says the whole state, so after [`Error::OutOfSequence`] it can be
//! made again with a higher number.

use std::time::Instant;

use reqwest::Method;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    CardId, Class, Client, Error,
    api::{Api, Call, Target},
    scheduler::{Ask, Permit},
    wire::Text,
};

/// Repeating it at worst makes an entity that nobody sends, which the platform drops after 14 days.
static CREATE: Api = Api::new("card.create", Method::POST, "/open-apis/cardkit/v1/cards");
static STREAM: Api = Api::new(
    "card.stream",
    Method::PUT,
    "/open-apis/cardkit/v1/cards/:card_id/elements/:element_id/content",
);
static SETTINGS: Api = Api::new(
    "card.settings",
    Method::PATCH,
    "/open-apis/cardkit/v1/cards/:card_id/settings",
);
static REPLACE: Api = Api::new(
    "card.replace",
    Method::PUT,
    "/open-apis/cardkit/v1/cards/:card_id",
);

impl Client {
    /// Makes a card entity of JSON 2.0, up to 30 KB and 200 elements. It can be sent once and lives 14 days.
    ///
    /// This and every change needs scope `cardkit:card:write`.
    pub async fn create_card(&self, card: &Value) -> Result<CardId, Error> {
        let body = json!({"type": "card_json", "data": card.to_string()});
        let created: Created = self.call(&Call::of(&CREATE).body(&body)).await?;
        let card_id = created.card_id.id(CardId::new);
        card_id.ok_or_else(|| Error::unreadable(&CREATE))
    }

    /// Shows `text`, the whole of it so far and never empty, in a text element of a card that streams. If
    /// it begins with what was there, only the rest is typed.
    ///
    /// # Errors
    /// [`Error::StreamClosed`] ten minutes after streaming was switched on, however busy it was.
    pub(super) async fn write_text(
        &self,
        permit: Permit,
        card: &CardId,
        element: &str,
        text: &str,
        sequence: i32,
    ) -> Result<(), Error> {
        let call = Call::of(&STREAM).arg(card.as_str()).arg(element);
        let call = changing(call, card, sequence, json!({"content": text}));
        let shown: Result<IgnoredAny, Error> = self.transport.call_once_with(permit, &call).await;
        shown.map(drop)
    }

    /// Waits for the right to call [`Client::write_text`], for text that has waited since then.
    pub(super) async fn stream_permit(
        &self,
        card: &CardId,
        since: Instant,
        is_first: bool,
    ) -> Result<Permit, Error> {
        let ask = Ask {
            api: STREAM.budget,
            target: Some(Target::Card(card.clone())),
            class: Class::Progress,
            since,
            is_first,
        };
        self.transport.scheduler().admit_stream(ask).await
    }

    /// The same, once it is its turn.
    #[cfg(test)]
    pub(super) async fn stream_text(
        &self,
        card: &CardId,
        element: &str,
        text: &str,
        sequence: i32,
    ) -> Result<(), Error> {
        let permit = self.stream_permit(card, Instant::now(), true).await?;
        self.write_text(permit, card, element, text, sequence).await
    }

    /// Changes a card's `config`, such as `{"streaming_mode":false,"summary":{"content":"…"}}`.
    pub async fn set_card_settings(
        &self,
        card: &CardId,
        config: &Value,
        sequence: i32,
    ) -> Result<(), Error> {
        let call = Call::of(&SETTINGS).arg(card.as_str());
        let settings = json!({"config": config}).to_string();
        self.change(call, card, sequence, json!({"settings": settings}))
            .await
    }

    /// Replaces a card's whole JSON.
    pub async fn replace_card(
        &self,
        card: &CardId,
        json: &Value,
        sequence: i32,
    ) -> Result<(), Error> {
        let call = Call::of(&REPLACE).arg(card.as_str());
        let new = json!({"card": {"type": "card_json", "data": json.to_string()}});
        self.change(call, card, sequence, new).await
    }

    async fn change(
        &self,
        call: Call<'_>,
        card: &CardId,
        sequence: i32,
        body: Value,
    ) -> Result<(), Error> {
        self.done(&changing(call, card, sequence, body)).await
    }
}

fn changing<'a>(call: Call<'a>, card: &CardId, sequence: i32, mut body: Value) -> Call<'a> {
    body["sequence"] = sequence.into();
    // A repeated try is recognised by this. Card ids have 20 characters, so it is within the 64.
    body["uuid"] = format!("{card}-{sequence}").into();
    call.body(&body).about(Target::Card(card.clone()))
}

#[derive(Deserialize)]
struct Created {
    #[serde(default)]
    card_id: Text,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    const CARD: &str = "/open-apis/cardkit/v1/cards/735";

    fn card() -> CardId {
        CardId::new("735")
    }

    #[tokio::test]
    async fn a_card_is_made_from_json_as_text() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/cardkit/v1/cards";
        platform.will(
            path,
            [
                Reply::data(json!({"card_id": "735"})),
                Reply::data(json!({})),
            ],
        );
        let client = platform.client();
        assert_eq!(
            client.create_card(&json!({"schema": "2.0"})).await.unwrap(),
            card()
        );
        assert_eq!(
            platform.seen(path)[0].body,
            json!({"type": "card_json", "data": "{\"schema\":\"2.0\"}"})
        );
        let error = client.create_card(&json!({})).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }

    #[tokio::test]
    async fn changes_carry_their_sequence_and_a_uuid_made_from_it() {
        let platform = Platform::start().await;
        let (stream, settings, replace) = (
            format!("PUT {CARD}/elements/answer/content"),
            format!("PATCH {CARD}/settings"),
            format!("PUT {CARD}"),
        );
        for path in [&stream, &settings, &replace] {
            platform.will(path, [Reply::data(json!({}))]);
        }
        let client = platform.client();
        client
            .stream_text(&card(), "answer", "so far", 1)
            .await
            .unwrap();
        client
            .set_card_settings(&card(), &json!({"streaming_mode": false}), 2)
            .await
            .unwrap();
        client
            .replace_card(&card(), &json!({"schema": "2.0"}), 3)
            .await
            .unwrap();
        let body = |path: &str| platform.seen(path)[0].body.clone();
        assert_eq!(
            body(&stream),
            json!({"content": "so far", "sequence": 1, "uuid": "735-1"})
        );
        let expected = "{\"config\":{\"streaming_mode\":false}}";
        assert_eq!(
            body(&settings),
            json!({"settings": expected, "sequence": 2, "uuid": "735-2"})
        );
        let expected = json!({"type": "card_json", "data": "{\"schema\":\"2.0\"}"});
        assert_eq!(
            body(&replace),
            json!({"card": expected, "sequence": 3, "uuid": "735-3"})
        );
    }

    #[tokio::test]
    async fn a_repeated_change_is_the_same_change() {
        let platform = Platform::start().await;
        let path = format!("PUT {CARD}");
        platform.will(&path, [Reply::cut(), Reply::data(json!({}))]);
        platform
            .client()
            .replace_card(&card(), &json!({}), 7)
            .await
            .unwrap();
        let seen = platform.seen(&path);
        assert_eq!(seen[0].body, seen[1].body);
    }

    #[tokio::test]
    async fn a_closed_stream_is_not_tried_again() {
        let platform = Platform::start().await;
        let path = format!("PUT {CARD}/elements/answer/content");
        platform.will(&path, [Reply::refusal(400, 300309)]);
        let error = platform
            .client()
            .stream_text(&card(), "answer", "x", 9)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::StreamClosed(_)), "{error}");
        assert_eq!(platform.seen(&path).len(), 1);
    }
}
