//! A sandbox, someone in it, and what they and the bot can do.

use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::sandbox::{Options, Sandbox};

pub(super) const MINUTE_MS: i64 = 60_000;

pub(super) const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A sandbox, someone in it, and the bot's credentials.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) http: Client,
    pub(super) token: String,
    pub(super) alice: String,
    pub(super) chat: String,
}

/// One answer of the platform.
pub(super) struct Reply {
    pub(super) http: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Reply {
    pub(super) fn code(&self) -> i64 {
        self.body["code"].as_i64().expect("every answer has a code")
    }

    pub(super) fn data(self) -> Value {
        assert_eq!(self.code(), 0, "{}", self.body);
        self.body["data"].clone()
    }
}

impl World {
    pub(super) async fn start() -> Self {
        Self::with(Options {
            scene: false,
            ..Options::default()
        })
        .await
    }

    pub(super) async fn with(options: Options) -> Self {
        // Another test may have been first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut world = Self {
            sandbox,
            http: Client::new(),
            token: String::new(),
            alice: String::new(),
            chat: String::new(),
        };
        world.token = world.fresh_token().await;
        world.alice = world.tells("/users", json!({"name": "Alice"})).await["open_id"].text();
        let chat = json!({"name": "ops", "members": [world.alice]});
        world.chat = world.tells("/chats", chat).await["chat_id"].text();
        world
    }

    pub(super) async fn fresh_token(&self) -> String {
        let access = self.sandbox.state();
        let credentials = json!({"app_id": access.app_id, "app_secret": access.app_secret});
        let path = "/auth/v3/tenant_access_token/internal";
        self.call(Method::POST, path, credentials).await.body["tenant_access_token"].text()
    }

    pub(super) async fn call(&self, method: Method, path: &str, body: Value) -> Reply {
        let url = format!("{}/open-apis{path}", self.sandbox.state().base_url);
        let request = self
            .http
            .request(method, url)
            .bearer_auth(&self.token)
            .json(&body);
        let response = request.send().await.unwrap();
        Reply {
            http: response.status(),
            headers: response.headers().clone(),
            body: response.json().await.unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, json!({})).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, body).await
    }

    /// The control API, which must agree.
    pub(super) async fn tells(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.tries(path, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(super) async fn tries(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/sandbox{path}", self.sandbox.state().base_url);
        let response = self.http.post(url).json(&body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub(super) async fn sees(&self, path: &str) -> Value {
        let url = format!("{}/sandbox{path}", self.sandbox.state().base_url);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(super) async fn messages(&self) -> Vec<Value> {
        let seen = self.sees(&format!("/messages?chat_id={}", self.chat)).await;
        seen["messages"].as_array().unwrap().clone()
    }

    pub(super) async fn alice_says(&self, text: &str) -> String {
        let said = json!({"chat_id": self.chat, "sender": self.alice, "text": text});
        self.tells("/messages", said).await["message_id"].text()
    }

    pub(super) async fn send(&self, msg_type: &str, content: Value, uuid: &str) -> Reply {
        let path = "/im/v1/messages?receive_id_type=chat_id";
        let content = content.to_string();
        let body = json!({"receive_id": self.chat, "msg_type": msg_type, "content": content, "uuid": uuid});
        self.post(path, body).await
    }

    pub(super) async fn reply(&self, to: &str, text: &str, in_thread: bool) -> Reply {
        let content = json!({"text": text}).to_string();
        let body = json!({"msg_type": "text", "content": content, "reply_in_thread": in_thread});
        self.post(&format!("/im/v1/messages/{to}/reply"), body)
            .await
    }

    pub(super) async fn create_card(&self) -> String {
        let card = json!({"schema": "2.0", "config": {"streaming_mode": true}, "body": {"elements": [
            {"tag": "markdown", "element_id": "answer", "content": ""},
            {"tag": "hr", "element_id": "line"},
        ]}});
        let body = json!({"type": "card_json", "data": card.to_string()});
        self.post("/cardkit/v1/cards", body).await.data()["card_id"].text()
    }

    pub(super) async fn stream(&self, card: &str, text: &str, sequence: i64, uuid: &str) -> Reply {
        let path = format!("/cardkit/v1/cards/{card}/elements/answer/content");
        let body = json!({"content": text, "sequence": sequence, "uuid": uuid});
        self.call(Method::PUT, &path, body).await
    }

    pub(super) async fn settings(&self, card: &str, settings: Value, sequence: i64) -> Reply {
        let path = format!("/cardkit/v1/cards/{card}/settings");
        let body = json!({"settings": settings.to_string(), "sequence": sequence});
        self.call(Method::PATCH, &path, body).await
    }

    pub(super) async fn passes(&self, ms: i64) {
        self.tells("/clock", json!({"advance_ms": ms})).await;
    }
}

pub(super) trait Text {
    fn text(&self) -> String;
}

impl Text for Value {
    fn text(&self) -> String {
        self.as_str().expect("a string").to_owned()
    }
}
