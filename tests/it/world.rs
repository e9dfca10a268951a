//! A world to play scenes in: the sandbox, the real app connected to it over HTTP, and people.
//!
//! Nothing here waits for an amount of time: [`World::until`] looks again whenever the sandbox says that
//! something changed. Its deadline only ends a test that would otherwise hang.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::StreamExt;
use nightjar::{
    app::App,
    bot::incidents::Incidents,
    config::Config,
    sandbox::{Access, Options, Sandbox},
};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// When a test that waits for something is taken to have failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The key of the integration `sandbox`, which every world has unless it has others.
pub const ALERTS_KEY: &str = "sandbox-alerts-key";

pub struct World {
    http: reqwest::Client,
    sandbox: Option<Sandbox>,
    access: Access,
    folder: tempfile::TempDir,
    settings: String,
    /// Single keys, as the environment would set them.
    variables: Vec<(String, String)>,
    /// What webhook mode is to be, in the worlds that have it.
    webhook: Option<Value>,
    bot: Option<RunningBot>,
}

struct RunningBot {
    web: std::net::SocketAddr,
    incidents: Incidents,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<anyhow::Result<()>>,
}

/// A message as people see it.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Seen {
    pub message_id: String,
    pub chat_id: String,
    pub create_time_ms: i64,
    pub parent_id: Option<String>,
    pub thread_id: Option<String>,
    pub sender: Sender,
    pub text: String,
    pub card: Option<Card>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub reactions: Vec<Reaction>,
}

#[derive(Debug, Clone, serde::Deserialize)]
pub struct Sender {
    pub r#type: String,
}

#[derive(Debug, Clone, serde::Deserialize)]
pub struct Card {
    #[serde(default)]
    pub streaming: bool,
    #[serde(default)]
    pub buttons: Vec<Value>,
}

#[derive(Debug, Clone, serde::Deserialize)]
pub struct Reaction {
    pub emoji_type: String,
    pub by: String,
}

impl Card {
    /// What stands on its buttons.
    pub fn labels(&self) -> Vec<String> {
        let text = |button: &Value| button["text"].as_str().unwrap().to_owned();
        self.buttons.iter().map(text).collect()
    }

    /// What the button of this label carries.
    pub fn value(&self, label: &str) -> Value {
        let mut buttons = self.buttons.iter();
        let found = buttons.find(|button| button["text"] == json!(label));
        found.unwrap_or_else(|| panic!("no {label} in {:?}", self.buttons))["value"].clone()
    }
}

impl Seen {
    pub fn is_by_bot(&self) -> bool {
        self.sender.r#type == "bot"
    }

    /// The bot's reactions on it.
    pub fn signs(&self) -> Vec<&str> {
        self.reactions
            .iter()
            .filter(|one| one.by == "bot")
            .map(|one| &*one.emoji_type)
            .collect()
    }

    pub fn is_streaming(&self) -> bool {
        self.card.as_ref().is_some_and(|card| card.streaming)
    }
}

impl World {
    /// The sandbox with a bot at work in it.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// As [`World::start`], with more configuration.
    pub async fn start_with(settings: &str) -> Self {
        let mut world = Self::without_bot(settings).await;
        world.start_bot().await;
        world
    }

    /// The sandbox with a bot that events are posted to, as the members of `POST /sandbox/webhook` say.
    pub async fn start_posting(webhook: Value) -> Self {
        let mut world = Self::without_bot_to_post_to(webhook).await;
        world.start_bot().await;
        world
    }

    /// As [`World::start_posting`], without the bot.
    pub async fn without_bot_to_post_to(webhook: Value) -> Self {
        let mut world = Self::without_bot("").await;
        world.webhook = Some(webhook);
        world
    }

    /// The sandbox alone.
    pub async fn without_bot(settings: &str) -> Self {
        nightjar::feishu::install_crypto();
        let options = Options {
            scene: false,
            seed: next_seed(),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        Self {
            http: reqwest::Client::new(),
            access: sandbox.state(),
            sandbox: Some(sandbox),
            folder: tempfile::tempdir().unwrap(),
            settings: settings.to_owned(),
            variables: Vec::new(),
            webhook: None,
            bot: None,
        }
    }

    /// Replaces the additional configuration, for the next bot.
    pub fn set(&mut self, settings: &str) {
        settings.clone_into(&mut self.settings);
    }

    /// Sets one key, such as `FEISHU__MONTHLY_QUOTA`, for the next bot.
    pub fn set_key(&mut self, key: &str, value: &str) {
        let name = format!("NIGHTJAR__{key}");
        self.variables.push((name, value.to_owned()));
    }

    /// What `nightjar run` would be given.
    pub fn config_text(&self) -> String {
        let Access {
            base_url,
            model_url,
            app_id,
            app_secret,
            ..
        } = &self.access;
        let store = self.folder.path().join("store");
        let intake = self.intake();
        let needed = format!(
            "[feishu]\nbase_url = \"{base_url}\"\napp_id = \"{app_id}\"\napp_secret = \"{app_secret}\"\n\
             reconnect_wait_max = \"100ms\"\nping_every_max = \"1s\"\npong_timeout = \"2s\"\n{intake}\
             [model]\nbase_url = \"{model_url}\"\nname = \"rules\"\n[store]\npath = {store:?}\n\
             [web]\nlisten = \"127.0.0.1:0\"\n\
             [alerts]\nintegrations = [{{ name = \"sandbox\", key = \"{ALERTS_KEY}\" }}]\n",
        );
        let mut config: toml::Table = needed.parse().unwrap();
        let settings: toml::Table = self.settings.parse().unwrap();
        // A section of the settings goes over what is needed anyway, key by key.
        for (section, keys) in settings {
            let section = config
                .entry(section)
                .or_insert_with(|| toml::Table::new().into());
            let keys = keys.as_table().unwrap().clone();
            section.as_table_mut().unwrap().extend(keys);
        }
        config.to_string()
    }

    /// Replaces the configuration beside what the sandbox decides, for the next start.
    pub fn configure(&mut self, settings: &str) {
        self.settings = settings.to_owned();
    }

    /// What nothing may ever print.
    pub fn secret(&self) -> String {
        self.access.app_secret.clone()
    }

    fn intake(&self) -> String {
        let Some(webhook) = &self.webhook else {
            return String::new();
        };
        let Access {
            verification_token,
            encrypt_key,
            ..
        } = &self.access;
        let encrypt_key = match webhook["encrypt"] {
            Value::Bool(false) => "",
            _ => encrypt_key,
        };
        let events = match webhook["both"] {
            Value::Bool(true) => "both",
            _ => "webhook",
        };
        format!(
            "events = \"{events}\"\nverification_token = \"{verification_token}\"\nencrypt_key = \"{encrypt_key}\"\n"
        )
    }

    /// Has the platform post to a bot whose HTTP is at `web`, once that is there.
    pub async fn posts_to(&self, web: std::net::SocketAddr) {
        let mut settings = self.webhook.clone().expect("a world of webhooks");
        settings.as_object_mut().unwrap().remove("both");
        for (member, path) in [("events_url", "events"), ("cards_url", "cards")] {
            settings[member] = json!(format!("http://{web}/feishu/{path}"));
        }
        // It listens before it asks who it is.
        self.until("the bot asks who it is", async || {
            (self.calls("GET", "bot/v3/info").await > 0).then_some(())
        })
        .await;
        self.post("/sandbox/webhook", settings).await;
    }

    /// An address of the sandbox.
    pub fn sandbox_url(&self, path: &str) -> String {
        format!("{}{path}", self.access.base_url)
    }

    /// Where the bot's own HTTP is.
    pub fn web(&self) -> std::net::SocketAddr {
        self.bot.as_ref().expect("a bot is running").web
    }

    /// The incidents of the bot, as it has them.
    pub fn incidents(&self) -> &Incidents {
        &self.bot.as_ref().expect("a bot is running").incidents
    }

    /// An address of the bot's own HTTP.
    pub fn web_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.web())
    }

    /// The keys of the app's webhooks: the Verification Token and the Encrypt Key.
    pub fn webhook_keys(&self) -> (&str, &str) {
        (&self.access.verification_token, &self.access.encrypt_key)
    }

    /// A file with [`World::config_text`], for a bot in a process of its own.
    pub fn config_file(&self) -> PathBuf {
        let file = self.folder.path().join("config.toml");
        std::fs::write(&file, self.config_text()).unwrap();
        file
    }

    pub async fn start_bot(&mut self) {
        self.start_bot_with(|app| app).await;
    }

    /// As [`World::start_bot`], with parts of the test's own.
    pub async fn start_bot_with(&mut self, change: impl FnOnce(App) -> App) {
        let variables = self.variables.clone();
        let config = Config::parse("the test", &self.config_text(), variables).unwrap();
        let app = change(App::build(config).await.unwrap());
        let (web, incidents) = (app.web_address(), app.incidents().clone());
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(app.run_until(async {
            let _ = stopped.await;
        }));
        self.bot = Some(RunningBot {
            web,
            incidents,
            stop,
            ended,
        });
        if self.webhook.is_some() {
            self.posts_to(web).await;
        }
        self.connected().await;
    }

    /// Stops the bot as SIGTERM does, and gives what it ended with.
    pub async fn stop_bot(&mut self) -> anyhow::Result<()> {
        let bot = self.bot.take().expect("a bot is running");
        let _ = bot.stop.send(());
        timeout(DEADLINE, bot.ended)
            .await
            .expect("the bot ends")
            .unwrap()
    }

    /// Waits until a bot is connected.
    pub async fn connected(&self) {
        self.until("a bot is connected", async || {
            let state = self.get("/sandbox/state").await;
            (state["bot_connected"] == json!(true)).then_some(())
        })
        .await;
    }

    pub async fn user(&self, name: &str) -> String {
        let user = self.post("/sandbox/users", json!({ "name": name })).await;
        user["open_id"].as_str().unwrap().to_owned()
    }

    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let body = json!({ "name": name, "members": members, "bot": true });
        let chat = self.post("/sandbox/chats", body).await;
        chat["chat_id"].as_str().unwrap().to_owned()
    }

    /// A group with one member: its chat and theirs.
    pub async fn room(&self) -> (String, String) {
        let user = self.user("Li Lei").await;
        (self.group("checkout on-call", &[&user]).await, user)
    }

    /// Says something to the bot in a group.
    pub async fn asks(&self, chat: &str, sender: &str, text: &str) -> String {
        self.says(json!({ "chat_id": chat, "sender": sender, "text": text, "mention_bot": true }))
            .await
    }

    /// Says something in a direct message.
    pub async fn whispers(&self, sender: &str, text: &str) -> String {
        self.says(json!({ "sender": sender, "text": text })).await
    }

    /// Says something, in all the ways in which that is possible.
    pub async fn says(&self, message: Value) -> String {
        let sent = self.post("/sandbox/messages", message).await;
        sent["message_id"]
            .as_str()
            .unwrap_or_else(|| panic!("not sent: {sent}"))
            .to_owned()
    }

    /// What the model will say, in order.
    pub async fn model_says(&self, replies: Value) {
        self.post("/sandbox/model", json!({ "replies": replies }))
            .await;
    }

    /// What the model was asked, whole.
    pub async fn model_requests(&self) -> Vec<Value> {
        let asked = self.get("/sandbox/model/requests?since=0").await;
        asked["requests"].as_array().unwrap().clone()
    }

    pub async fn faults(&self, faults: Value) {
        self.post("/sandbox/faults", faults).await;
    }

    pub async fn advance(&self, by: Duration) {
        self.post(
            "/sandbox/clock",
            json!({ "advance_ms": by.as_millis() as u64 }),
        )
        .await;
    }

    /// All messages, of one chat or of all.
    pub async fn messages(&self, chat: Option<&str>) -> Vec<Seen> {
        let path = match chat {
            Some(chat) => format!("/sandbox/messages?chat_id={chat}"),
            None => "/sandbox/messages".to_owned(),
        };
        serde_json::from_value(self.get(&path).await["messages"].take()).unwrap()
    }

    pub async fn message(&self, id: &str) -> Seen {
        let all = self.messages(None).await;
        all.into_iter()
            .find(|one| one.message_id == id)
            .unwrap_or_else(|| panic!("no message {id}"))
    }

    /// The bot's replies to a message.
    pub async fn replies_to(&self, id: &str) -> Vec<Seen> {
        let all = self.messages(None).await;
        all.into_iter()
            .filter(|one| one.is_by_bot() && one.parent_id.as_deref() == Some(id))
            .collect()
    }

    /// Waits until the question has its last word: nothing streams, and one reaction of ours is left,
    /// which is not the first sign. Gives the replies.
    pub async fn answers_to(&self, id: &str) -> Vec<Seen> {
        self.until("a question has its answer", async || {
            let replies = self.replies_to(id).await;
            let question = self.message(id).await;
            let signs = question.signs();
            let settled = signs.len() == 1 && signs[0] != "OnIt";
            let closed = !replies.is_empty() && !replies.iter().any(Seen::is_streaming);
            (settled && closed).then_some(replies)
        })
        .await
    }

    /// As [`World::answers_to`], where one card is enough.
    pub async fn answer_to(&self, id: &str) -> Seen {
        let mut answers = self.answers_to(id).await;
        assert_eq!(answers.len(), 1, "one question, one answer: {answers:#?}");
        answers.remove(0)
    }

    /// Waits until a message of ours that replies to `id` shows `text`.
    pub async fn showing(&self, id: &str, text: &str) -> Seen {
        self.until(&format!("a reply shows {text:?}"), async || {
            self.replies_to(id)
                .await
                .into_iter()
                .find(|one| one.text.contains(text))
        })
        .await
    }

    /// Looks again whenever something changed, until `look` finds what it looks for.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let watch = async {
            // Listening begins before the first look, so that no change falls between the two.
            let live = self
                .http
                .get(format!("{}/sandbox/live", self.access.base_url))
                .send();
            let mut changes = live.await.unwrap().bytes_stream();
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                changes.next().await.expect("the sandbox is there").unwrap();
            }
        };
        match timeout(DEADLINE, watch).await {
            Ok(found) => found,
            Err(_) => panic!(
                "waited in vain until {what}; messages: {:#?}",
                self.messages(None).await
            ),
        }
    }

    /// Presses a button as a person does, and gives the line they see.
    pub async fn presses(&self, operator: &str, card: &Seen, button: &str) -> String {
        let body = json!({ "message_id": card.message_id, "operator": operator, "button": button });
        self.clicks(body).await
    }

    /// Fills in the card's form and sends it, and gives the line they see.
    pub async fn fills_in(&self, operator: &str, card: &Seen, form: Value) -> String {
        let body = json!({ "message_id": card.message_id, "operator": operator, "form": form });
        self.clicks(body).await
    }

    async fn clicks(&self, body: Value) -> String {
        let shown = self.post("/sandbox/clicks", body).await;
        assert_eq!(shown["client_error"], Value::Null, "{shown}");
        shown["toast"]["content"].as_str().unwrap().to_owned()
    }

    /// The value of one of the bot's numbers, by its name and labels as they are served.
    pub async fn number(&self, name: &str) -> f64 {
        let answer = self.http.get(format!("http://{}/metrics", self.web()));
        let answer = answer.send().await;
        let text = answer.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// How many platform calls there were for this method (empty: any) and part of a path.
    pub async fn calls(&self, method: &str, path: &str) -> usize {
        let calls = self.get("/sandbox/calls?since=0").await;
        let fits = |call: &&Value| {
            (method.is_empty() || call["method"] == json!(method))
                && call["path"].as_str().unwrap().contains(path)
        };
        calls["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(fits)
            .count()
    }

    /// Waits for so many changes, or until there are none for a moment: a way to let things go on for a
    /// while that nothing depends on.
    pub async fn changes(&self, number: usize) {
        let live = self
            .http
            .get(format!("{}/sandbox/live", self.access.base_url))
            .send();
        let mut changes = live.await.unwrap().bytes_stream();
        for _ in 0..number {
            if timeout(Duration::from_millis(300), changes.next())
                .await
                .is_err()
            {
                return;
            }
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(format!("{}{path}", self.access.base_url))
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "GET {path}: {}",
            answer.text().await.unwrap()
        );
        answer.json().await.unwrap()
    }

    /// A client of the platform's, as the bot has one.
    pub fn client(&self) -> nightjar::feishu::Client {
        let config = Config::parse("the test", &self.config_text(), []).unwrap();
        nightjar::feishu::Client::new(&config.feishu, Default::default()).unwrap()
    }

    /// Posts bytes as they are.
    pub async fn send(&self, path: &str, body: reqwest::Body) -> Value {
        let url = format!("{}{path}", self.access.base_url);
        let answer = self.http.post(url).body(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "POST {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.access.base_url);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "POST {path} {body}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Ends the scene, and fails where something was left behind: a card that streams, a question with
    /// two reactions or with the first one, a bot that did not end well.
    pub async fn finish(mut self) {
        if self.bot.is_some() {
            self.stop_bot().await.expect("the bot ends well");
        }
        let chats = self.get("/sandbox/state").await["chats"].take();
        let with_bot: Vec<&str> = chats
            .as_array()
            .unwrap()
            .iter()
            .filter(|chat| chat["bot"] == json!(true))
            .filter_map(|chat| chat["chat_id"].as_str())
            .collect();
        for message in self.messages(None).await {
            assert!(!message.is_streaming(), "left generating: {message:#?}");
            let signs = message.signs();
            // On a recalled message, and where the bot is not any more, there is nothing to put right.
            let is_out_of_reach = message.deleted || !with_bot.contains(&message.chat_id.as_str());
            assert!(
                is_out_of_reach || signs.len() <= 1 && !signs.contains(&"OnIt"),
                "left in progress: {message:#?}"
            );
        }
        let sandbox = self.sandbox.take().unwrap();
        sandbox.stop();
        sandbox.stopped().await;
    }
}

/// Each world has its own ids, so that a mix-up between two of them shows.
fn next_seed() -> u64 {
    static SEED: AtomicUsize = AtomicUsize::new(1);
    SEED.fetch_add(1, Ordering::Relaxed) as u64
}
