//! What the developer console has set for the app, as far as the platform tells.
//!
//! It tells only with the scope `application:application:self_manage` or `admin:app.info:readonly`, and
//! newer platforms only; whatever it leaves out is unknown and not wrong. The list of scopes needs none.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Client, Error,
    api::{Api, Call},
    wire::{PageData, Text},
};
use crate::config::Intake;

static APPLICATION: Api = Api::get(
    "application.get",
    "/open-apis/application/v6/applications/me",
);

static SCOPES: Api = Api::get("app.scopes", "/open-apis/application/v6/scopes");
static VERSIONS: Api = Api::get(
    "app.versions",
    "/open-apis/application/v6/applications/:app_id/app_versions",
);
static CONNECTIONS: Api = Api::get("app.connections", "/open-apis/event/v1/connection");

/// A scope of the app's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Its name, such as `im:message`.
    pub name: String,
    /// Whether the organisation has granted it.
    pub is_granted: bool,
}

/// A version of the app. What is changed in the console counts only once a version with it is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppVersion {
    /// Such as `1.0.2`.
    pub version: String,
    /// How far it got.
    pub status: VersionStatus,
    /// The events in it.
    pub events: Vec<String>,
    /// When it was published, if it was.
    pub published_at: Option<Timestamp>,
}

/// How far a version got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionStatus {
    /// In force, or once was.
    Approved,
    /// Refused by an administrator.
    Rejected,
    /// Waiting for one.
    InReview,
    /// Not handed in.
    Unsubmitted,
}

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

    /// The scopes of the app, granted or not, as a bot uses them: scopes of signed-in users are left out.
    pub async fn scopes(&self) -> Result<Vec<Granted>, Error> {
        let list: WireScopes = self.call(&Call::of(&SCOPES)).await?;
        let for_bots = |scope: &WireScope| scope.scope_type.0.as_deref() != Some("user");
        let scopes = list.scopes.into_iter().filter(for_bots);
        Ok(scopes
            .filter_map(|scope| {
                Some(Granted {
                    is_granted: scope.grant_status == 1,
                    name: scope.scope_name.0?,
                })
            })
            .collect())
    }

    /// The newest versions of the app, newest first, up to 50. Needs scope
    /// `application:application:self_manage`.
    pub async fn app_versions(&self) -> Result<Vec<AppVersion>, Error> {
        let call = Call::of(&VERSIONS)
            .arg(self.app_id())
            .query("lang", "en_us")
            .query("page_size", "50")
            .query("order", "0");
        let page: PageData<WireVersion> = self.call(&call).await?;
        Ok(page.items.into_iter().map(WireVersion::read).collect())
    }

    /// How many long connections the app has at this moment. Not every edition of the platform tells.
    pub async fn online_connections(&self) -> Result<u64, Error> {
        let answer: WireConnections = self.call(&Call::of(&CONNECTIONS)).await?;
        answer
            .online_instance_cnt
            .0
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| Error::unreadable(&CONNECTIONS))
    }
}

#[derive(Deserialize)]
struct WireScopes {
    #[serde(default)]
    scopes: Vec<WireScope>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireScope {
    scope_name: Text,
    scope_type: Text,
    grant_status: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireVersion {
    version: Text,
    status: i64,
    events: Option<Vec<Text>>,
    event_infos: Option<Vec<WireEvent>>,
    publish_time: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireEvent {
    event_type: Text,
}

impl WireVersion {
    fn read(self) -> AppVersion {
        // The plain list holds names for people; the other one, where it is there, holds types.
        let events = match self.event_infos {
            Some(infos) => texts(infos.into_iter().map(|info| info.event_type).collect()),
            None => texts(self.events.unwrap_or_default()),
        };
        AppVersion {
            version: self.version.or_empty(),
            status: match self.status {
                1 => VersionStatus::Approved,
                2 => VersionStatus::Rejected,
                3 => VersionStatus::InReview,
                _ => VersionStatus::Unsubmitted,
            },
            events,
            published_at: self.publish_time.time(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireConnections {
    online_instance_cnt: Text,
}

fn texts(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().filter_map(|text| text.0).collect()
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

    #[tokio::test]
    async fn scopes_of_users_are_left_out() {
        let platform = Platform::start().await;
        let scopes = json!({"scopes": [
            {"scope_name": "im:message", "grant_status": 1},
            {"scope_name": "im:chat", "grant_status": 2, "scope_type": "tenant"},
            {"scope_name": "im:chat", "grant_status": 1, "scope_type": "user"},
        ]});
        platform.will(
            "GET /open-apis/application/v6/scopes",
            [Reply::data(scopes)],
        );
        let scopes = platform.client().scopes().await.unwrap();
        let scopes: Vec<_> = scopes
            .iter()
            .map(|scope| (scope.name.as_str(), scope.is_granted))
            .collect();
        assert_eq!(scopes, [("im:message", true), ("im:chat", false)]);
    }

    #[tokio::test]
    async fn versions_name_their_events_by_type_and_connections_are_counted() {
        let platform = Platform::start().await;
        platform.will(
            "GET /open-apis/application/v6/applications/cli_test/app_versions",
            [Reply::data(json!({"items": [
                {"version": "1.0.1", "status": 3, "events": ["接收消息"], "event_infos": [{"event_type": "im.message.receive_v1"}]},
                {"version": "1.0.0", "status": 1, "publish_time": "1608725989"},
            ]}))],
        );
        platform.will(
            "GET /open-apis/event/v1/connection",
            [
                Reply::data(json!({"online_instance_cnt": 2})),
                Reply::data(json!({})),
            ],
        );
        let client = platform.client();
        let versions = client.app_versions().await.unwrap();
        assert_eq!(versions[0].status, VersionStatus::InReview);
        assert_eq!(versions[0].events, ["im.message.receive_v1"]);
        assert_eq!(
            versions[1].published_at.unwrap().to_string(),
            "2020-12-23T12:19:49Z"
        );
        assert_eq!(client.online_connections().await.unwrap(), 2);
        assert!(client.online_connections().await.is_err());
    }
}
