//! The platform (Feishu, or Lark abroad) and nothing else.
//!
//! | part | does |
//! |---|---|
//! | [`Client`] with `im`, `reaction`, `resource`, `cardkit`, `chat`, `group`, `pin`, `whisper`, `contact`, `console` | the calls we make, one function each |
//! | `transport`, [`scheduler`], `auth`, `http`, `envelope` | what every call goes through, in this order |
//! | [`CardStream`] | a card whose text grows, and the order of what is done to it |
//! | [`Error`] | what went wrong, told apart by what to do next |
//! | [`Event`], [`Message`], `content`, `wire` | what the platform tells us, as types and as text |
//! | [`ws`] | the long connection that events come over |
//! | [`webhook`] | the same for events that are posted to us: decryption, signatures, replays |
//!
//! A caller names the kind of call and its urgency, and never a limit: those are known to [`scheduler`] alone.

use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};

use crate::{config::FeishuConfig, telemetry::Metrics};

mod api;
mod auth;
mod cardkit;
mod chat;
mod console;
mod contact;
mod content;
mod delivery;
mod emoji;
mod envelope;
mod error;
mod event;
mod group;
mod http;
mod ids;
mod im;
mod message;
mod pin;
mod pressed;
mod reach;
mod reaction;
#[cfg(test)]
mod recorded;
mod resource;
pub mod scheduler;
mod stream;
#[cfg(test)]
mod testing;
mod transport;
mod urgent;
pub mod webhook;
mod whisper;
mod wire;
pub mod ws;

pub use chat::{Chat, ChatMode, Group, Member};
pub use console::{AppVersion, ApplicationConfig, Granted, Subscription, VersionStatus, Way};
pub use contact::{Address, Among, LookedUp, User};
pub use content::{Attachment, AttachmentKind, Forwarded, Node};
pub use delivery::{Answer, Delivery};
pub use emoji::{EMOJI_TYPES, is_emoji_type};
pub use error::{Error, Limit, Refusal};
pub use event::{ChatChange, ChatKind, Click, Event, EventBody, EventError, Membership, Reacted};
pub use group::{
    GROUP_DESCRIPTION_CHARS_MAX, GROUP_NAME_CHARS_MAX, NewGroup, NotAdded, WhyNotAdded,
};
pub use ids::{
    CardId, ChatId, EventId, MessageId, OpenId, ReactionId, ResourceKey, TenantKey, ThreadId,
};
pub use im::{Container, ListMessages, Outgoing, Recipient};
pub use message::{Mention, Message, Sender, SenderKind};
pub use pin::Pin;
pub use reach::{Reached, Unreached, reach};
pub use reaction::{Operator, Reaction};
pub use resource::{Download, Ended, FileType, UploadError};
pub use stream::CardStream;

use api::{Api, Call};
use transport::Transport;
use wire::Text;

static BOT_INFO: Api = Api::get("bot.info", "/open-apis/bot/v3/info").flat();

/// The platform's API, as one app. Clones share the connection, the token and the limits.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    class: Class,
    app_id: Arc<str>,
}

/// How urgent a call is, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Pages and incident cards.
    Page,
    /// Answers to clicks.
    Click,
    /// First signs (a reaction, a new card) and last words (final text, settings).
    Sign,
    /// What the next call of its kind replaces: text as it streams. It is never repeated, nor held back for long.
    Progress,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// The bot itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotInfo {
    /// The id by which people mention it in this app's events.
    pub open_id: OpenId,
    /// Its name.
    pub name: String,
    /// 0 new, 1 disabled by the organisation, 2 enabled, 3 installed and to be enabled, 4 to be upgraded,
    /// 5 licence expired, 6 plan reduced.
    pub activate_status: i64,
}

/// Makes rustls use ring, in the whole process. It may be called any number of times.
///
/// [`Client::new`] and [`ws::run`] call it; others who make TLS connections should too, because reqwest
/// panics where no provider is installed.
pub fn install_crypto() {
    // An error says that there is a provider already, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Client {
    /// A client for the app of `config`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Setup`] if the base address is none or the system has no CA certificates.
    pub fn new(config: &FeishuConfig, metrics: Metrics) -> Result<Self, Error> {
        Ok(Self {
            transport: Arc::new(Transport::new(config, metrics)?),
            class: Class::Sign,
            app_id: config.app_id.as_str().into(),
        })
    }

    /// The same client, whose calls belong to another class of urgency. A new client's are [`Class::Sign`].
    pub fn at(&self, class: Class) -> Self {
        Self {
            class,
            ..self.clone()
        }
    }

    /// The app's id.
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The bot itself. It counts against the monthly quota, so it is for the start and not for polling.
    pub async fn bot_info(&self) -> Result<BotInfo, Error> {
        let answer: WireBotInfo = self.call(&Call::of(&BOT_INFO)).await?;
        let bot = answer.bot;
        let open_id = bot.open_id.id(OpenId::new);
        Ok(BotInfo {
            open_id: open_id.ok_or_else(|| Error::unreadable(&BOT_INFO))?,
            name: bot.app_name.or_empty(),
            activate_status: bot.activate_status,
        })
    }

    /// The count of the month's calls.
    pub fn meter(&self) -> &scheduler::Meter {
        self.transport.scheduler().meter()
    }

    fn metrics(&self) -> &Metrics {
        self.transport.metrics()
    }

    async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Error> {
        self.transport.call(self.class, call).await
    }

    /// Makes a call whose success says everything.
    async fn done(&self, call: &Call<'_>) -> Result<(), Error> {
        self.call::<serde::de::IgnoredAny>(call).await.map(drop)
    }
}

#[derive(Deserialize)]
struct WireBotInfo {
    bot: WireBot,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireBot {
    open_id: Text,
    app_name: Text,
    activate_status: i64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use testing::{Platform, Reply};

    use super::*;

    #[tokio::test]
    async fn the_bot_is_read_from_a_flat_answer() {
        let platform = Platform::start().await;
        let bot = json!({"activate_status": 2, "app_name": "Nightjar", "ip_white_list": [], "open_id": "ou_bot"});
        let path = "GET /open-apis/bot/v3/info";
        platform.will(
            path,
            [
                Reply::ok(json!({"code": 0, "msg": "ok", "bot": bot})),
                Reply::ok(json!({"code": 0, "msg": "ok", "bot": {}})),
            ],
        );
        let client = platform.client();
        let expected = BotInfo {
            open_id: OpenId::new("ou_bot"),
            name: "Nightjar".into(),
            activate_status: 2,
        };
        assert_eq!(client.bot_info().await.unwrap(), expected);
        let error = client.bot_info().await.unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        assert_eq!(client.app_id(), "cli_test");
    }

    #[test]
    fn an_address_that_is_none_is_told_at_once() {
        let config = FeishuConfig {
            base_url: Some("http://".into()),
            ..FeishuConfig::default()
        };
        let error = Client::new(&config, Metrics::default()).err().unwrap();
        assert!(matches!(error, Error::Setup(_)), "{error}");
    }
}
