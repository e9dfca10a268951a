//! The sandbox from outside, over HTTP, as bots and people use it.

use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{Options, Sandbox};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A sandbox, someone in it, and the bot's credentials.
struct World {
    sandbox: Sandbox,
    http: Client,
    token: String,
    alice: String,
    chat: String,
}

/// One answer of the platform.
struct Reply {
    http: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Reply {
    fn code(&self) -> i64 {
        self.body["code"].as_i64().expect("every answer has a code")
    }

    fn data(self) -> Value {
        assert_eq!(self.code(), 0, "{}", self.body);
        self.body["data"].clone()
    }
}

impl World {
    async fn start() -> Self {
        Self::with(Options {
            scene: false,
            ..Options::default()
        })
        .await
    }

    async fn with(options: Options) -> Self {
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

    async fn fresh_token(&self) -> String {
        let access = self.sandbox.state();
        let credentials = json!({"app_id": access.app_id, "app_secret": access.app_secret});
        let path = "/auth/v3/tenant_access_token/internal";
        self.call(Method::POST, path, credentials).await.body["tenant_access_token"].text()
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Reply {
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

    async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, json!({})).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, body).await
    }

    /// The control API, which must agree.
    async fn tells(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.tries(path, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    async fn tries(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/sandbox{path}", self.sandbox.state().base_url);
        let response = self.http.post(url).json(&body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn sees(&self, path: &str) -> Value {
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

    async fn messages(&self) -> Vec<Value> {
        let seen = self.sees(&format!("/messages?chat_id={}", self.chat)).await;
        seen["messages"].as_array().unwrap().clone()
    }

    async fn alice_says(&self, text: &str) -> String {
        let said = json!({"chat_id": self.chat, "sender": self.alice, "text": text});
        self.tells("/messages", said).await["message_id"].text()
    }

    async fn send(&self, msg_type: &str, content: Value, uuid: &str) -> Reply {
        let path = "/im/v1/messages?receive_id_type=chat_id";
        let content = content.to_string();
        let body = json!({"receive_id": self.chat, "msg_type": msg_type, "content": content, "uuid": uuid});
        self.post(path, body).await
    }

    async fn reply(&self, to: &str, text: &str, in_thread: bool) -> Reply {
        let content = json!({"text": text}).to_string();
        let body = json!({"msg_type": "text", "content": content, "reply_in_thread": in_thread});
        self.post(&format!("/im/v1/messages/{to}/reply"), body)
            .await
    }

    async fn create_card(&self) -> String {
        let card = json!({"schema": "2.0", "config": {"streaming_mode": true}, "body": {"elements": [
            {"tag": "markdown", "element_id": "answer", "content": ""},
            {"tag": "hr", "element_id": "line"},
        ]}});
        let body = json!({"type": "card_json", "data": card.to_string()});
        self.post("/cardkit/v1/cards", body).await.data()["card_id"].text()
    }

    async fn stream(&self, card: &str, text: &str, sequence: i64, uuid: &str) -> Reply {
        let path = format!("/cardkit/v1/cards/{card}/elements/answer/content");
        let body = json!({"content": text, "sequence": sequence, "uuid": uuid});
        self.call(Method::PUT, &path, body).await
    }

    async fn settings(&self, card: &str, settings: Value, sequence: i64) -> Reply {
        let path = format!("/cardkit/v1/cards/{card}/settings");
        let body = json!({"settings": settings.to_string(), "sequence": sequence});
        self.call(Method::PATCH, &path, body).await
    }

    async fn passes(&self, ms: i64) {
        self.tells("/clock", json!({"advance_ms": ms})).await;
    }
}

trait Text {
    fn text(&self) -> String;
}

impl Text for Value {
    fn text(&self) -> String {
        self.as_str().expect("a string").to_owned()
    }
}

#[tokio::test]
async fn a_token_is_needed_and_ends_after_two_hours() {
    let mut world = World::start().await;
    assert_eq!(world.fresh_token().await, world.token);
    world.passes(91 * MINUTE_MS).await;
    let second = world.fresh_token().await;
    assert_ne!(second, world.token);
    assert_eq!(world.get("/bot/v3/info").await.code(), 0);
    world.passes(29 * MINUTE_MS).await;
    let refused = world.get("/bot/v3/info").await;
    assert_eq!(refused.code(), 99_991_663);
    assert_eq!(
        refused.headers["x-tt-logid"],
        refused.body["error"]["log_id"].text().as_str()
    );
    world.token = second;
    let info = world.get("/bot/v3/info").await;
    assert_eq!(
        info.body["bot"]["open_id"],
        world.sandbox.state().bot_open_id.as_str()
    );
    assert!(info.headers.contains_key("x-tt-logid"));
}

#[tokio::test]
async fn wrong_credentials_paths_and_bodies_have_their_codes() {
    let world = World::start().await;
    let access = world.sandbox.state();
    let token = "/auth/v3/tenant_access_token/internal";
    let wrong = json!({"app_id": access.app_id, "app_secret": "no"});
    assert_eq!(world.post(token, wrong).await.code(), 10_014);
    let unknown = json!({"app_id": "cli_0", "app_secret": access.app_secret});
    assert_eq!(world.post(token, unknown).await.code(), 10_003);
    let nowhere = world.get("/im/v9/nowhere").await;
    assert_eq!(
        (nowhere.code(), nowhere.http),
        (99_991_201, StatusCode::NOT_FOUND)
    );
    let method = world.call(Method::DELETE, "/bot/v3/info", json!({})).await;
    assert_eq!(
        (method.code(), method.http),
        (99_991_301, StatusCode::METHOD_NOT_ALLOWED)
    );
    let missing = world
        .post(
            "/im/v1/messages?receive_id_type=chat_id",
            json!({"receive_id": "x"}),
        )
        .await;
    assert_eq!(missing.code(), 99_992_402);
    assert_eq!(
        missing.body["error"]["field_violations"][0]["field"],
        "msg_type"
    );
    assert_eq!(
        world.post("/cardkit/v1/cards", json!([])).await.code(),
        9499
    );
}

#[tokio::test]
async fn a_sent_text_comes_back_in_the_rest_shape_and_once_for_one_uuid() {
    let world = World::start().await;
    let text = format!("hi <at user_id=\"{}\">Alice</at>", world.alice);
    let sent = world
        .send("text", json!({"text": text}), "one")
        .await
        .data();
    assert_eq!(sent["sender"]["sender_type"], "app");
    assert_eq!(sent["sender"]["id"], world.sandbox.state().app_id.as_str());
    assert_eq!(
        sent["body"]["content"],
        json!({"text": "hi @_user_1"}).to_string()
    );
    assert_eq!(sent["mentions"][0]["id"], world.alice.as_str());
    assert!(sent["create_time"].text().len() == 13 && sent.get("root_id").is_none());
    let again = world
        .send("text", json!({"text": "another"}), "one")
        .await
        .data();
    assert_eq!(again["message_id"], sent["message_id"]);
    let seen = world.messages().await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["text"], "hi @Alice");
    assert_eq!(seen[0]["sender"]["type"], "bot");
    world.passes(61 * MINUTE_MS).await;
    let later = world
        .send("text", json!({"text": "another"}), "one")
        .await
        .data();
    assert_ne!(later["message_id"], sent["message_id"]);
}

#[tokio::test]
async fn recipients_sizes_and_types_are_checked() {
    let world = World::start().await;
    let to = async |id_type: &str, id: &str| {
        let path = format!("/im/v1/messages?receive_id_type={id_type}");
        let body = json!({"receive_id": id, "msg_type": "text", "content": "{\"text\":\"x\"}"});
        world.post(&path, body).await.code()
    };
    assert_eq!(to("chat_id", "oc_none").await, 99_992_356);
    assert_eq!(to("chat_id", "nonsense").await, 230_034);
    assert_eq!(to("open_id", "ou_none").await, 99_992_351);
    assert_eq!(to("room", "x").await, 99_992_402);
    assert_eq!(to("open_id", &world.alice).await, 0);
    let outside = world
        .tells("/chats", json!({"name": "x", "bot": false}))
        .await["chat_id"]
        .text();
    assert_eq!(to("chat_id", &outside).await, 230_002);
    world
        .tells(&format!("/chats/{}/dissolve", outside), json!({}))
        .await;
    assert_eq!(to("chat_id", &outside).await, 232_009);

    let long = |length: usize| json!({"text": "x".repeat(length)});
    assert_eq!(world.send("text", long(160_000), "").await.code(), 230_025);
    assert_eq!(world.send("text", long(140_000), "").await.code(), 0);
    let post = json!({"en_us": {"content": [[{"tag": "text", "text": "x".repeat(31_000)}]]}});
    assert_eq!(world.send("post", post, "").await.code(), 230_025);
    assert_eq!(
        world.send("text", json!({"words": "x"}), "").await.code(),
        230_001
    );
    assert_eq!(
        world.send("carrier_pigeon", json!({}), "").await.code(),
        230_001
    );
    world.passes(2000).await;
    let bare = world.send("interactive", json!({"card_id": "7"}), "").await;
    assert_eq!(bare.code(), 230_099);
    assert!(
        bare.body["msg"].text().contains("ErrCode: 200621"),
        "{}",
        bare.body
    );
    let template = json!({"type": "template", "data": {"template_id": "AAq"}});
    assert!(
        world.send("interactive", template, "").await.body["msg"]
            .text()
            .contains("200380")
    );
}

#[tokio::test]
async fn threads_are_started_stayed_in_and_hidden_from_the_chat() {
    let world = World::start().await;
    let root = world.alice_says("root").await;
    let quoted = world.reply(&root, "a quote", false).await.data();
    assert_eq!(
        (quoted["root_id"].text(), quoted["parent_id"].text()),
        (root.clone(), root.clone())
    );
    assert!(quoted.get("thread_id").is_none());
    let first = world.reply(&root, "in thread", true).await.data();
    let thread = first["thread_id"].text();
    let second = world
        .reply(&first["message_id"].text(), "stays", false)
        .await
        .data();
    assert_eq!(second["thread_id"].text(), thread);
    assert_eq!(second["root_id"].text(), root);
    let said = json!({"sender": "Alice", "text": "me too", "thread": thread});
    assert_eq!(
        world.tells("/messages", said).await["thread_id"].text(),
        thread
    );

    let list = async |kind: &str, id: &str| {
        let path = format!("/im/v1/messages?container_id_type={kind}&container_id={id}");
        let items = world.get(&path).await.data()["items"].clone();
        items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["message_id"].text())
            .collect::<Vec<_>>()
    };
    let in_chat = list("chat", &world.chat).await;
    assert_eq!(in_chat, [root.clone(), quoted["message_id"].text()]);
    let said = json!({"sender": "Alice", "text": "by its root", "thread": root});
    assert_eq!(
        world.tells("/messages", said).await["thread_id"].text(),
        thread
    );
    let in_thread = list("thread", &thread).await;
    assert_eq!(in_thread.len(), 5);
    assert_eq!(in_thread[0], root);

    world
        .tells(&format!("/messages/{root}/recall"), json!({}))
        .await;
    assert_eq!(world.reply(&root, "too late", false).await.code(), 230_011);
    assert_eq!(world.reply("om_none", "x", false).await.code(), 99_992_354);
    assert_eq!(world.reply(&thread, "x", false).await.code(), 99_992_354);
}

#[tokio::test]
async fn history_is_paged_in_both_directions_by_tokens_bound_to_their_question() {
    let world = World::start().await;
    for number in 0..7 {
        world.alice_says(&number.to_string()).await;
    }
    let recalled = world.messages().await[3]["message_id"].text();
    world
        .tells(
            &format!("/messages/{recalled}/recall"),
            json!({"user": "Alice"}),
        )
        .await;
    let base = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}&page_size=3",
        world.chat
    );
    let read = async |sort: &str| {
        let (mut texts, mut token) = (Vec::new(), String::new());
        loop {
            let page = world
                .get(&format!("{base}&sort_type={sort}&page_token={token}"))
                .await
                .data();
            for item in page["items"].as_array().unwrap() {
                texts.push(item["body"]["content"].text());
            }
            if page["has_more"] == json!(false) {
                return texts;
            }
            token = page["page_token"].text();
        }
    };
    let mut up = read("ByCreateTimeAsc").await;
    assert_eq!(up.len(), 7);
    assert_eq!(up[0], "{\"text\":\"0\"}");
    assert_eq!(up[3], "This message was recalled");
    up.reverse();
    assert_eq!(read("ByCreateTimeDesc").await, up);

    let token = world.get(&base).await.data()["page_token"].text();
    let other = format!("{base}&sort_type=ByCreateTimeDesc&page_token={token}");
    assert_eq!(world.get(&other).await.code(), 230_001);
    assert_eq!(
        world.get(&format!("{base}0")).await.data()["items"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(world.get(&format!("{base}00")).await.code(), 99_992_402);
    let now_ms = world.sees("/state").await["now_ms"].as_i64().unwrap();
    assert_eq!(
        world
            .get(&format!("{base}&start_time={now_ms}"))
            .await
            .code(),
        230_001
    );
    let future = format!("{base}&start_time={}", now_ms / 1000 + 60);
    assert_eq!(world.get(&future).await.data()["items"], json!([]));
    let got = world
        .get(&format!("/im/v1/messages/{recalled}"))
        .await
        .data();
    assert_eq!(got["items"][0]["deleted"], json!(true));
    assert!(got["items"][0].get("body").is_none());
}

#[tokio::test]
async fn reactions_are_named_owned_and_found_again() {
    let world = World::start().await;
    let message = world.alice_says("hello").await;
    let path = format!("/im/v1/messages/{message}/reactions");
    let add = async |emoji: &str| {
        world
            .post(&path, json!({"reaction_type": {"emoji_type": emoji}}))
            .await
    };
    assert_eq!(add("EYES").await.code(), 231_001);
    let first = add("OnIt").await.data();
    assert_eq!(first["operator"]["operator_type"], "app");
    assert_eq!(
        add("OnIt").await.data()["reaction_id"],
        first["reaction_id"]
    );
    let theirs = json!({"user": "Alice", "emoji_type": "OnIt"});
    let theirs = world
        .tells(&format!("/messages/{message}/reactions"), theirs)
        .await["reaction_id"]
        .text();
    let listed = world
        .get(&format!("{path}?reaction_type=OnIt&page_size=1"))
        .await
        .data();
    assert_eq!(
        (
            listed["items"].as_array().unwrap().len(),
            &listed["has_more"]
        ),
        (1, &json!(true))
    );
    let delete = async |path: String| world.call(Method::DELETE, &path, json!({})).await.code();
    assert_eq!(delete(format!("{path}/{theirs}")).await, 231_007);
    assert_eq!(delete(format!("{path}/nonsense")).await, 231_011);
    let other = world.alice_says("other").await;
    let mine = first["reaction_id"].text();
    assert_eq!(
        delete(format!("/im/v1/messages/{other}/reactions/{mine}")).await,
        231_010
    );
    assert_eq!(delete(format!("{path}/{mine}")).await, 0);
    let seen = world.messages().await[0]["reactions"].clone();
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!(
        (&seen[0]["by"], &seen[0]["name"]),
        (&json!("user"), &json!("Alice"))
    );
}

#[tokio::test]
async fn a_card_streams_under_a_rising_sequence_and_ends() {
    let world = World::start().await;
    let card = world.create_card().await;
    let content = json!({"type": "card", "data": {"card_id": card}});
    world.send("interactive", content.clone(), "a").await.data();
    assert_eq!(
        world.send("interactive", content.clone(), "a").await.code(),
        0
    );
    assert_eq!(
        world.send("interactive", content, "b").await.code(),
        230_099
    );
    assert_eq!(world.stream(&card, "Reading", 0, "").await.code(), 300_317);
    assert_eq!(world.stream(&card, "Reading", 2, "u").await.code(), 0);
    assert_eq!(world.stream(&card, "Reading", 2, "u").await.code(), 0);
    assert_eq!(world.stream(&card, "Another", 3, "u").await.code(), 200_770);
    assert_eq!(
        world.stream(&card, "Reading on", 2, "").await.code(),
        300_317
    );
    assert_eq!(world.stream(&card, "Reading on", 7, "").await.code(), 0);
    let seen = &world.messages().await[0];
    assert_eq!(seen["text"], "Reading on\n---");
    assert_eq!(
        (&seen["card"]["streaming"], &seen["card"]["sequence"]),
        (&json!(true), &json!(7))
    );

    world.passes(2000).await;
    let off = json!({"streaming_mode": false});
    assert_eq!(world.settings(&card, off.clone(), 8).await.code(), 0);
    assert_eq!(world.messages().await[0]["card"]["streaming"], json!(true));
    let off = json!({"config": {"streaming_mode": false, "summary": {"content": "done"}}});
    assert_eq!(world.settings(&card, off, 9).await.code(), 0);
    assert_eq!(world.stream(&card, "more", 10, "").await.code(), 300_309);
    let seen = &world.messages().await[0];
    assert_eq!(
        (&seen["card"]["streaming"], &seen["card"]["summary"]),
        (&json!(false), &json!("done"))
    );

    let list = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}",
        world.chat
    );
    for suffix in ["", "&card_msg_content_type=user_card_content"] {
        let items = world.get(&format!("{list}{suffix}")).await.data();
        assert!(
            items["items"][0]["body"]["content"]
                .text()
                .contains("请升级至最新版本客户端")
        );
    }
}

#[tokio::test]
async fn streaming_closes_itself_after_ten_minutes() {
    let world = World::start().await;
    let card = world.create_card().await;
    world.passes(9 * MINUTE_MS).await;
    assert_eq!(world.stream(&card, "a", 1, "").await.code(), 0);
    world.passes(MINUTE_MS).await;
    assert_eq!(world.stream(&card, "ab", 2, "").await.code(), 200_850);
    assert_eq!(world.stream(&card, "ab", 2, "").await.code(), 300_309);
    let on = json!({"config": {"streaming_mode": true}});
    assert_eq!(world.settings(&card, on, 2).await.code(), 0);
    assert_eq!(world.stream(&card, "ab", 3, "").await.code(), 0);
    world.passes(14 * DAY_MS).await;
    let mut world = world;
    world.token = world.fresh_token().await;
    assert_eq!(world.stream(&card, "abc", 4, "").await.code(), 200_750);
    assert_eq!(world.stream("7000", "abc", 4, "").await.code(), 200_740);
}

#[tokio::test]
async fn elements_are_changed_one_by_one_or_all_at_once() {
    let world = World::start().await;
    let card = world.create_card().await;
    let path = format!("/cardkit/v1/cards/{card}/elements");
    let note = json!([{"tag": "markdown", "element_id": "n", "content": "new"}]).to_string();
    let add = json!({"type": "insert_after", "target_element_id": "answer", "elements": note, "sequence": 1});
    assert_eq!(world.post(&path, add.clone()).await.code(), 0);
    let mut again = add;
    again["sequence"] = json!(2);
    assert_eq!(world.post(&path, again).await.code(), 300_301);
    let wrong = json!({"content": "x", "sequence": 2});
    let on_line = world
        .call(Method::PUT, &format!("{path}/line/content"), wrong.clone())
        .await;
    assert_eq!(on_line.code(), 300_310);
    let missing = world
        .call(Method::PUT, &format!("{path}/nobody/content"), wrong)
        .await;
    assert_eq!(missing.code(), 300_313);
    let partial = json!({"partial_element": "{\"content\":\"newer\"}", "sequence": 2});
    assert_eq!(
        world
            .call(Method::PATCH, &format!("{path}/n"), partial)
            .await
            .code(),
        0
    );
    let actions = json!([
        {"action": "delete_elements", "params": {"element_ids": ["line"]}},
        {"action": "partial_update_setting", "params": {"settings": {"config": {"streaming_mode": false}}}},
        {"action": "delete_elements", "params": {"element_ids": ["nobody"]}},
    ]);
    let batch = format!("/cardkit/v1/cards/{card}/batch_update");
    let all = json!({"actions": actions.to_string(), "sequence": 3});
    assert_eq!(world.post(&batch, all).await.code(), 300_314);
    world.passes(2000).await;
    assert_eq!(
        world
            .stream(&card, "still on, the batch was refused whole", 4, "")
            .await
            .code(),
        0
    );
    let delete = json!({"sequence": 5});
    assert_eq!(
        world
            .call(Method::DELETE, &format!("{path}/line"), delete)
            .await
            .code(),
        0
    );
    world
        .send(
            "interactive",
            json!({"type": "card", "data": {"card_id": card}}),
            "",
        )
        .await
        .data();
    assert_eq!(
        world.messages().await[0]["text"],
        "still on, the batch was refused whole\nnewer"
    );
}

/// All at once, because limits count within a real second.
async fn storm<F: Future<Output = Reply>>(calls: impl Iterator<Item = F>) -> Vec<Reply> {
    futures::future::join_all(calls).await
}

#[tokio::test]
async fn limits_refuse_with_their_codes_headers_and_names() {
    let world = World::start().await;
    let card = world.create_card().await;
    let replies = storm((1..=40).map(|sequence| world.stream(&card, "x", sequence, ""))).await;
    let is_refused = |reply: &&Reply| reply.code() == 99_991_400;
    let refused = replies
        .iter()
        .find(is_refused)
        .expect("forty in a second are too many");
    assert_eq!(refused.http, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["x-ogw-ratelimit-limit"], "10");
    assert_eq!(refused.headers["x-ogw-ratelimit-reset"], "1");
    world.passes(2000).await;
    let replies = storm((0..20).map(|_| world.send("text", json!({"text": "x"}), ""))).await;
    let is_refused = |reply: &&Reply| reply.code() == 230_020;
    let refused = replies
        .iter()
        .find(is_refused)
        .expect("twenty in a second are too many");
    assert_eq!(refused.http, StatusCode::BAD_REQUEST);
    let sent = replies.iter().filter(|reply| reply.code() == 0).count();
    assert_eq!(world.messages().await.len(), sent);
    let calls = world.sees("/calls").await["calls"]
        .as_array()
        .unwrap()
        .clone();
    let names = calls.iter().filter_map(|call| call["refused_by"].as_str());
    let names: std::collections::BTreeSet<_> = names.collect();
    assert_eq!(Vec::from_iter(names), ["card", "chat"]);
    assert_eq!(
        calls[0]["path"],
        "/open-apis/auth/v3/tenant_access_token/internal"
    );
}

#[tokio::test]
async fn one_api_takes_fifty_a_second_unless_limits_are_off() {
    let refused = async |limits: bool| {
        let world = World::with(Options {
            limits,
            scene: false,
            ..Options::default()
        })
        .await;
        let replies = storm((0..150).map(|_| world.get("/bot/v3/info"))).await;
        replies
            .iter()
            .filter(|reply| reply.code() == 99_991_400)
            .count()
    };
    assert!(refused(true).await > 0);
    assert_eq!(refused(false).await, 0);
}

#[tokio::test]
async fn missing_scopes_quota_and_errors_are_made_on_order() {
    let world = World::start().await;
    world.alice_says("hello").await;
    let scopes = json!({"refuse_scopes": ["cardkit:card:write", "im:message.group_msg", "contact:user.base:readonly"]});
    world.tells("/faults", scopes).await;
    let refused = world.post("/cardkit/v1/cards", json!({})).await;
    assert_eq!(refused.code(), 99_991_672);
    assert_eq!(
        refused.body["error"]["permission_violations"][0]["subject"],
        "cardkit:card:write"
    );
    let list = format!(
        "/im/v1/messages?container_id_type=chat&container_id={}",
        world.chat
    );
    assert_eq!(world.get(&list).await.code(), 230_027);
    let user = world
        .get(&format!("/contact/v3/users/{}", world.alice))
        .await
        .data();
    assert!(user["user"].get("name").is_none());
    let granted = world.get("/application/v6/scopes").await.data();
    let entry = |name: &str| {
        let all = granted["scopes"].as_array().unwrap().clone();
        all.into_iter()
            .find(|scope| scope["scope_name"] == name)
            .unwrap()["grant_status"]
            .clone()
    };
    assert_eq!(
        (entry("im:chat"), entry("im:message.group_msg")),
        (json!(1), json!(2))
    );
    world.tells("/faults", json!({"quota_left": 1})).await;
    assert_eq!(world.get("/bot/v3/info").await.code(), 0);
    assert_eq!(world.get("/bot/v3/info").await.code(), 99_991_403);
    world.tells("/faults", json!({"error_rate": 1.0})).await;
    let (mut answered, mut broken) = (0, 0);
    for _ in 0..20 {
        let url = format!("{}/open-apis/bot/v3/info", world.sandbox.state().base_url);
        match world.http.get(url).bearer_auth(&world.token).send().await {
            Ok(response) => answered += i32::from(response.status() == 500),
            Err(_) => broken += 1,
        }
    }
    assert!(
        answered > 0 && broken > 0 && answered + broken == 20,
        "{answered} {broken}"
    );
    world.tells("/faults", json!({})).await;
    assert_eq!(world.get("/bot/v3/info").await.code(), 0);
}

#[tokio::test]
async fn people_and_chats_are_read_as_the_contact_api_shows_them() {
    let world = World::start().await;
    let bob = json!({"name": "Bob", "email": "bob@example.com"});
    let bob = world.tells("/users", bob).await["open_id"].text();
    let chat = world
        .get(&format!("/im/v1/chats/{}", world.chat))
        .await
        .data();
    assert_eq!(
        (&chat["chat_mode"], &chat["user_count"]),
        (&json!("group"), &json!("1"))
    );
    let members = world
        .get(&format!("/im/v1/chats/{}/members", world.chat))
        .await
        .data();
    assert_eq!(members["items"][0]["name"], "Alice");
    assert_eq!(members["member_total"], json!(1));
    let path = format!("/im/v1/chats/{}/members/is_in_chat", world.chat);
    assert_eq!(world.get(&path).await.data()["is_in_chat"], json!(true));
    assert_eq!(
        world.get("/im/v1/chats").await.data()["items"][0]["name"],
        "ops"
    );
    let path = format!(
        "/contact/v3/users/batch?user_ids={bob}&user_ids=ou_none&user_ids={}",
        world.alice
    );
    let batch = world.get(&path).await.data();
    let names: Vec<_> = batch["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].text())
        .collect();
    assert_eq!(names, ["Bob", "Alice"]);
    let wanted = json!({"emails": ["bob@example.com", "x@example.com"]});
    let found = world
        .post("/contact/v3/users/batch_get_id", wanted)
        .await
        .data();
    assert_eq!(found["user_list"][0]["user_id"], bob.as_str());
    assert!(found["user_list"][1].get("user_id").is_none());
}

#[tokio::test]
async fn a_message_card_is_patched_and_a_text_edited_and_recalled() {
    let world = World::start().await;
    let card = |text: &str| json!({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": text}]}});
    let sent = world.send("interactive", card("one"), "").await.data();
    assert!(sent["body"]["content"].text().contains("\"elements\":[[{"));
    let path = format!("/im/v1/messages/{}", sent["message_id"].text());
    let patch = async |content: Value| {
        let body = json!({"content": content.to_string()});
        world.call(Method::PATCH, &path, body).await.code()
    };
    assert_eq!(patch(card("two")).await, 0);
    assert_eq!(patch(json!({"elements": []})).await, 230_001);
    assert_eq!(
        patch(json!({"config": {"update_multi": true}, "elements": []})).await,
        230_099
    );
    let put = json!({"msg_type": "interactive", "content": card("x").to_string()});
    assert_eq!(world.call(Method::PUT, &path, put).await.code(), 230_001);
    let text = world.send("text", json!({"text": "a"}), "").await.data()["message_id"].text();
    let path = format!("/im/v1/messages/{text}");
    let put = json!({"msg_type": "text", "content": "{\"text\":\"b\"}"});
    assert_eq!(
        world.call(Method::PUT, &path, put).await.data()["updated"],
        json!(true)
    );
    let seen = world.messages().await;
    assert_eq!(
        (seen[0]["text"].text(), seen[1]["text"].text()),
        ("two".to_owned(), "b".to_owned())
    );
    assert_eq!(
        (&seen[0]["edited"], &seen[1]["edited"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(world.call(Method::DELETE, &path, json!({})).await.code(), 0);
    assert_eq!(world.messages().await[1]["deleted"], json!(true));
    let theirs = world.alice_says("mine").await;
    let path = format!("/im/v1/messages/{theirs}");
    assert_eq!(
        world.call(Method::DELETE, &path, json!({})).await.code(),
        230_026
    );
}

#[tokio::test]
async fn events_are_made_for_what_the_scopes_allow() {
    let world = World::start().await;
    let bot =
        json!({"chat_id": world.chat, "sender": "Alice", "text": "why?", "mention_bot": true});
    let direct = json!({"sender": "Alice", "text": "a direct one"});
    let all =
        json!({"chat_id": world.chat, "sender": "Alice", "text": "@all look", "mention_all": true});
    let say_all = async || {
        let before = world.sees("/deliveries").await["deliveries"]
            .as_array()
            .unwrap()
            .len();
        world.alice_says("nobody is meant").await;
        for message in [&bot, &direct, &all] {
            world.tells("/messages", message.clone()).await;
        }
        let after = world.sees("/deliveries").await["deliveries"]
            .as_array()
            .unwrap()
            .clone();
        assert!(
            after
                .iter()
                .all(|one| one["event_type"] == "im.message.receive_v1")
        );
        after.len() - before
    };
    assert_eq!(say_all().await, 4);
    let refused = ["im:message.group_msg", "im:message.p2p_msg:readonly"];
    world
        .tells("/faults", json!({"refuse_scopes": refused}))
        .await;
    assert_eq!(say_all().await, 1, "only the mention is delivered");
    world.tells("/faults", json!({})).await;
    let seen = world.messages().await;
    assert_eq!(seen[1]["text"], "@Nightjar why?");
    assert_eq!(seen[1]["content"], "{\"text\":\"@_user_1 why?\"}");
    assert_eq!(seen[2]["content"], "{\"text\":\"@_all look\"}");
    assert_eq!(seen[2]["text"], "@all look");
}

#[tokio::test]
async fn the_page_hears_what_happens() {
    let world = World::start().await;
    let url = format!("{}/sandbox/live", world.sandbox.state().base_url);
    let mut live = world.http.get(url).send().await.unwrap();
    let message = world.alice_says("hello").await;
    let mut heard = String::new();
    while !heard.contains("\n\n") {
        heard.push_str(&String::from_utf8_lossy(
            &live.chunk().await.unwrap().unwrap(),
        ));
    }
    let news: Value = serde_json::from_str(heard.trim().trim_start_matches("data: ")).unwrap();
    assert_eq!(
        news,
        json!({"kind": "message", "chat_id": world.chat, "message_id": message})
    );
}

#[tokio::test]
async fn clicks_without_a_bot_show_the_clients_own_error() {
    let world = World::start().await;
    let button = |text: &str, disabled: bool| {
        json!({"tag": "button", "text": {"tag": "plain_text", "content": text}, "disabled": disabled,
               "behaviors": [{"type": "callback", "value": {"do": text}}]})
    };
    let card = json!({"schema": "2.0", "body": {"elements": [button("Stop", false), button("Old", true)]}});
    let message = world.send("interactive", card, "").await.data()["message_id"].text();
    let click =
        |button: &str| json!({"message_id": message, "operator": "Alice", "button": button});
    let answer = world.tells("/clicks", click("Stop")).await;
    assert_eq!(answer, json!({"toast": null, "client_error": 200_340}));
    for wrong in ["Old", "Nothing"] {
        let (status, answer) = world.tries("/clicks", click(wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["error"].is_string());
    }
    let buttons = world.messages().await[0]["card"]["buttons"].clone();
    assert_eq!(buttons[1]["disabled"], json!(true));
    assert_eq!(buttons[0]["value"], json!({"do": "Stop"}));
}

#[tokio::test]
async fn the_control_api_says_what_is_wrong() {
    let world = World::start().await;
    let alice = |body: Value| {
        let mut body = body;
        body["sender"] = json!("Alice");
        body
    };
    for (path, body, status, sentence) in [
        (
            "/messages",
            json!({"sender": "Nobody", "text": "x"}),
            404,
            "no user",
        ),
        (
            "/messages",
            alice(json!({"chat_id": "oc_none", "text": "x"})),
            404,
            "no chat",
        ),
        ("/messages", alice(json!({})), 400, "text or content"),
        (
            "/messages",
            alice(json!({"text": " "})),
            400,
            "text is empty",
        ),
        ("/messages", alice(json!({"txt": "x"})), 400, "`txt`"),
        (
            "/messages",
            alice(json!({"text": "x", "thread": 5})),
            400,
            "thread is true, false",
        ),
        (
            "/messages",
            alice(json!({"msg_type": "blah", "content": {}})),
            400,
            "no msg_type",
        ),
        ("/messages/om_none/recall", json!({}), 404, "no message"),
        ("/users", json!({}), 400, "`name`"),
        (
            "/users",
            json!(["Sam", null, null]),
            400,
            "not a JSON object",
        ),
        ("/clock", json!({"advance_ms": -1}), 400, "forward only"),
        ("/clock", json!({"advance_ms": i64::MAX}), 400, "a year"),
        ("/faults", json!({"error_rate": 2}), 400, "between 0 and 1"),
        ("/nothing", json!({}), 404, "no POST /sandbox/nothing"),
        ("/state", json!({}), 404, "no POST /sandbox/state"),
    ] {
        let (got, answer) = world.tries(path, body).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert_eq!(got.as_u16(), status, "{path} {answer}");
        assert!(error.contains(sentence), "{path} {answer}");
    }
    world.tells("/users", json!({"name": "Alice"})).await;
    let (_, answer) = world.tries("/messages", alice(json!({"text": "x"}))).await;
    assert_eq!(
        answer["error"],
        "2 users are called \"Alice\", so an open_id is needed"
    );
    for (query, sentence) in [
        ("/messages?since=noon", "since: invalid digit"),
        ("/calls?sinse=5", "`sinse`"),
        ("/model/requests?since=x", "since: invalid digit"),
    ] {
        let answer = world.sees(query).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(sentence), "{query} {answer}");
    }
}

#[tokio::test]
async fn a_seeded_scene_is_there_at_once_and_the_same_each_time() {
    let one = World::with(Options::default()).await;
    let two = World::with(Options::default()).await;
    let (state, other) = (one.sees("/state").await, two.sees("/state").await);
    assert_eq!(state["app"], other["app"]);
    assert_eq!(state["users"], other["users"]);
    assert_eq!(state["chats"], other["chats"]);
    let incident = state["chats"][0]["chat_id"].text();
    let seen = one.sees(&format!("/messages?chat_id={incident}")).await;
    let seen = seen["messages"].as_array().unwrap();
    assert!(seen.len() >= 15);
    assert!(seen.iter().any(|message| message["thread_id"].is_string()));
    assert!(
        seen.iter()
            .any(|message| message["text"].text().contains("[FIRING]"))
    );
    let times: Vec<_> = seen
        .iter()
        .map(|message| message["create_time_ms"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted());
    assert_eq!(one.sees("/deliveries").await["deliveries"], json!([]));
}

#[tokio::test]
async fn another_bot_speaks_by_its_name_and_shows_its_buttons() {
    let world = World::with(Options::default()).await;
    let state = world.sees("/state").await;
    let alert = json!({"schema": "2.0", "body": {"elements": [
        {"tag": "markdown", "content": "**disk** is full"},
        {"tag": "button", "text": {"tag": "plain_text", "content": "Ack"},
         "behaviors": [{"type": "callback", "value": {"do": "ack"}}]},
    ]}});
    let said = json!({"chat_id": state["chats"][0]["chat_id"], "sender": "Alertmanager",
        "msg_type": "interactive", "content": alert});
    let message_id = world.tells("/messages", said).await["message_id"].text();
    let seen = world.sees("/messages").await;
    let messages = seen["messages"].as_array().unwrap();
    let shown = messages
        .iter()
        .find(|message| message["message_id"] == message_id.as_str())
        .unwrap();
    assert_eq!(shown["text"], "**disk** is full\n[Ack]");
    assert_eq!(shown["sender"]["type"], "bot");
    let button = &shown["card"]["buttons"][0];
    assert_eq!(
        (&button["text"], &button["value"]["do"]),
        (&json!("Ack"), &json!("ack"))
    );
}

#[tokio::test]
async fn a_stopped_sandbox_lets_go_of_its_address() {
    let world = World::start().await;
    let url = world.sandbox.state().base_url;
    world.sandbox.stop();
    world.sandbox.stopped().await;
    assert!(world.http.get(url).send().await.is_err());
}

#[tokio::test]
async fn the_app_learns_about_itself_as_far_as_its_scopes_go() {
    let world = World::start().await;
    let app = format!(
        "/application/v6/applications/{}",
        world.sandbox.state().app_id
    );
    assert_eq!(world.get(&app).await.code(), 99_991_672);
    assert_eq!(
        world.get("/tenant/v2/tenant/query").await.code(),
        99_991_672
    );
    let console = json!({
        "grant_scopes": ["application:application:self_manage", "tenant:tenant:readonly"],
        "unsubscribed": ["im.chat.updated_v1"], "events_by": "webhook", "activate_status": 1,
    });
    let faults = json!({"console": console, "date_skew_ms": -DAY_MS});
    world.tells("/faults", faults).await;
    let event = world.get(&app).await.data()["app"]["event"].clone();
    assert_eq!(event["subscription_type"], "webhook");
    assert!(!event.to_string().contains("im.chat.updated_v1"));
    let versions = world.get(&format!("{app}/app_versions?lang=en_us")).await;
    assert_eq!(versions.data()["items"][0]["status"], 1);
    let another = "/application/v6/applications/cli_another";
    assert_eq!(world.get(another).await.code(), 210_504);
    let tenant = world.get("/tenant/v2/tenant/query").await.data();
    assert!(tenant["tenant"]["tenant_key"].is_string());
    let addresses = world.get("/event/v1/outbound_ip").await.data();
    assert_eq!(addresses["ip_list"], json!(["127.0.0.1"]));
    let connections = world.get("/event/v1/connection").await;
    let date = connections.headers["date"].to_str().unwrap();
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ago = date.duration_until(jiff::Timestamp::now());
    assert!((ago.as_secs() - 24 * 3600).abs() < 600, "{ago}");
    assert_eq!(connections.data()["online_instance_cnt"], 0);
    let bot = world.get("/bot/v3/info").await.body["bot"].clone();
    assert_eq!(bot["activate_status"], 1);
}
