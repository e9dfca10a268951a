//! What the developer console says about the app, as far as the platform lets an app read it.
//!
//! The list of scopes needs none. The rest needs `application:application:self_manage`, which few apps
//! have, and some of it came late and under two names, so everything in it may be absent.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Client, Error,
    api::{Api, Call},
    wire::{PageData, Text},
};

static SCOPES: Api = Api::get("app.scopes", "/open-apis/application/v6/scopes");
static APPLICATION: Api = Api::get("app.get", "/open-apis/application/v6/applications/:app_id");
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

/// The app, as its page in the console shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Application {
    /// How events are subscribed to; absent where the platform does not say.
    pub events: Option<Subscription>,
    /// How callbacks are.
    pub callbacks: Option<Subscription>,
    /// Whether a version waits that is not in force.
    pub has_draft: bool,
}

/// Where events or callbacks go, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// How they are delivered, where it is said.
    pub mode: Option<Mode>,
    /// Which are subscribed to, where it is said.
    pub names: Option<Vec<String>>,
}

/// How events or callbacks are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Down a connection that the bot opens.
    LongConnection,
    /// To an address of the bot's.
    Webhook,
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

impl Client {
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

    /// The app itself. Needs scope `application:application:self_manage`.
    pub async fn application(&self) -> Result<Application, Error> {
        let call = Call::of(&APPLICATION)
            .arg(self.app_id())
            .query("lang", "en_us");
        let answer: WireAnswer = self.call(&call).await?;
        let app = answer.app;
        Ok(Application {
            events: app.event.map(WireSubscription::read),
            callbacks: app
                .callback
                .or(app.callback_info)
                .map(WireSubscription::read),
            has_draft: app.unaudit_version_id.0.is_some(),
        })
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

#[derive(Deserialize)]
struct WireAnswer {
    app: WireApp,
}

/// Callbacks stand under one of two names.
#[derive(Deserialize, Default)]
#[serde(default)]
struct WireApp {
    event: Option<WireSubscription>,
    callback: Option<WireSubscription>,
    callback_info: Option<WireSubscription>,
    unaudit_version_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSubscription {
    #[serde(alias = "callback_type")]
    subscription_type: Text,
    #[serde(alias = "subscribed_callbacks")]
    subscribed_events: Option<Vec<Text>>,
}

impl WireSubscription {
    fn read(self) -> Subscription {
        let mode = match self.subscription_type.0.as_deref() {
            Some("websocket") => Some(Mode::LongConnection),
            Some("webhook") => Some(Mode::Webhook),
            _ => None,
        };
        Subscription {
            mode,
            names: self.subscribed_events.map(texts),
        }
    }
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
    use serde_json::json;

    use super::*;
    use crate::feishu::testing::{Platform, Reply};

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
    async fn an_app_is_read_under_either_name_and_with_nothing() {
        let platform = Platform::start().await;
        let new = json!({"event": {"subscription_type": "websocket", "subscribed_events": ["im.message.receive_v1"]},
            "callback": {"callback_type": "webhook", "subscribed_callbacks": []}, "unaudit_version_id": "oav_1"});
        let old = json!({"callback_info": {"callback_type": "websocket", "subscribed_callbacks": ["card.action.trigger"]}});
        platform.will(
            "GET /open-apis/application/v6/applications/cli_test",
            [new, old, json!({})].map(|app| Reply::data(json!({ "app": app }))),
        );
        let client = platform.client();
        let app = client.application().await.unwrap();
        let events = app.events.unwrap();
        assert_eq!(events.mode, Some(Mode::LongConnection));
        assert_eq!(events.names.unwrap(), ["im.message.receive_v1"]);
        assert_eq!(app.callbacks.unwrap().mode, Some(Mode::Webhook));
        assert!(app.has_draft);
        let callbacks = client.application().await.unwrap().callbacks.unwrap();
        assert_eq!(callbacks.names.unwrap(), ["card.action.trigger"]);
        assert_eq!(client.application().await.unwrap(), Application::default());
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
