//! What the developer console has set for the app, as far as the platform tells.
//!
//! It tells only with the scope `application:application:self_manage` or `admin:app.info:readonly`, and
//! newer platforms only; whatever it leaves out is unknown and not wrong.

use serde::Deserialize;

use super::{
    Client, Error,
    api::{Api, Call},
    wire::Text,
};
use crate::config::Intake;

static APPLICATION: Api = Api::get(
    "application.get",
    "/open-apis/application/v6/applications/me",
);

/// Where the console sends things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over the long connection.
    LongConnection,
    /// To an address.
    Webhook,
}

/// How one kind of thing is subscribed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Where it is sent; none where the platform does not say.
    pub way: Option<Way>,
    /// The address that was entered for webhooks.
    pub request_url: Option<String>,
    /// What is subscribed, such as `im.message.receive_v1`.
    pub kinds: Vec<String>,
}

/// What the console has set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationConfig {
    /// Events.
    pub events: Subscription,
    /// Callbacks: presses of buttons.
    pub callbacks: Subscription,
}

impl ApplicationConfig {
    /// A sentence for each thing that is sent in a way in which `intake` does not take it. Each names the
    /// setting on both sides.
    pub fn disagreements(&self, intake: Intake) -> Vec<String> {
        [("events", &self.events), ("callbacks", &self.callbacks)]
            .into_iter()
            .filter_map(|(name, subscription)| disagreement(name, subscription.way?, intake))
            .collect()
    }
}

fn disagreement(name: &str, way: Way, intake: Intake) -> Option<String> {
    let (console, mend) = match way {
        Way::LongConnection if !intake.connects() => (
            "over the long connection",
            "choose to have them sent to the developer's server there, or set `feishu.events` to \"long_connection\"",
        ),
        Way::Webhook if !intake.is_posted_to() => (
            "to an address",
            "choose the long connection there, or set `feishu.events` to \"webhook\"",
        ),
        Way::LongConnection | Way::Webhook => return None,
    };
    Some(format!(
        "the developer console sends {name} {console}, where this bot takes none: under Events & Callbacks {mend}"
    ))
}

#[derive(Deserialize)]
struct WireAnswer {
    app: WireApp,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireApp {
    event: WireSubscription,
    event_info: WireSubscription,
    callback: WireSubscription,
    callback_info: WireSubscription,
}

/// Both kinds, which differ in the names of their members.
#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSubscription {
    subscription_type: Text,
    callback_type: Text,
    request_url: Text,
    subscribed_events: Vec<Text>,
    subscribed_callbacks: Vec<Text>,
}

impl WireSubscription {
    /// The one of two spellings that is there (the SDK has one, programs that work use the other).
    fn or(self, other: Self) -> Subscription {
        let kinds = |one: Self| {
            one.subscribed_events
                .into_iter()
                .chain(one.subscribed_callbacks)
        };
        let first = |one: Text, other: Text| one.0.or(other.0);
        let way = [
            &self.subscription_type,
            &self.callback_type,
            &other.subscription_type,
            &other.callback_type,
        ]
        .into_iter()
        .find_map(|text| text.0.as_deref());
        let way = match way {
            Some("webhook") => Some(Way::Webhook),
            Some("websocket") => Some(Way::LongConnection),
            _ => None,
        };
        let (mut one, mut two) = (self, other);
        let url = first(
            std::mem::take(&mut one.request_url),
            std::mem::take(&mut two.request_url),
        );
        Subscription {
            way,
            request_url: url,
            kinds: kinds(one)
                .chain(kinds(two))
                .filter_map(|kind| kind.0)
                .collect(),
        }
    }
}

impl Client {
    /// What the developer console has set for this app.
    ///
    /// # Errors
    /// Mostly that the app may not ask: then nothing is known.
    pub async fn application_config(&self) -> Result<ApplicationConfig, Error> {
        let call = Call::of(&APPLICATION).query("lang", "en_us");
        let app = self.call::<WireAnswer>(&call).await?.app;
        Ok(ApplicationConfig {
            events: app.event.or(app.event_info),
            callbacks: app.callback.or(app.callback_info),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    async fn told(app: Value) -> ApplicationConfig {
        let platform = Platform::start().await;
        let what = "GET /open-apis/application/v6/applications/me";
        platform.will(what, [Reply::data(json!({"app": app}))]);
        platform.client().application_config().await.unwrap()
    }

    #[tokio::test]
    async fn both_spellings_are_read_and_what_is_absent_is_unknown() {
        let config = told(json!({
            "event": {"subscription_type": "websocket", "subscribed_events": ["im.message.receive_v1"]},
            "callback_info": {"callback_type": "webhook", "request_url": "https://a/feishu/cards",
                "subscribed_callbacks": ["card.action.trigger"]},
        }))
        .await;
        assert_eq!(config.events.way, Some(Way::LongConnection));
        assert_eq!(config.events.kinds, ["im.message.receive_v1"]);
        assert_eq!(config.callbacks.way, Some(Way::Webhook));
        assert_eq!(
            config.callbacks.request_url.as_deref(),
            Some("https://a/feishu/cards")
        );
        assert_eq!(
            told(json!({"event": {"subscription_type": "?"}})).await,
            ApplicationConfig::default()
        );
    }

    #[tokio::test]
    async fn what_is_sent_where_nobody_takes_it_is_said() {
        let config = told(json!({"event": {"subscription_type": "websocket"}, "callback": {"callback_type": "webhook"}})).await;
        let names = |intake| -> Vec<bool> {
            let sentences = config.disagreements(intake);
            sentences
                .iter()
                .map(|one| one.contains("sends events"))
                .collect()
        };
        assert_eq!(names(Intake::LongConnection), [false]);
        assert_eq!(names(Intake::Webhook), [true]);
        assert!(names(Intake::Both).is_empty());
        assert!(
            ApplicationConfig::default()
                .disagreements(Intake::Webhook)
                .is_empty()
        );
    }
}
