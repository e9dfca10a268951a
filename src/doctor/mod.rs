//! What works and what is missing, with the remedy.
//!
//! [`examine`] looks from outside, for the command line; [`examine_from_inside`] lets a running bot look at
//! itself. Each file holds a group of checks: what is asked of the world, and apart from it, as functions
//! without a network, what the answers mean. A line says what was seen, what people notice, and the page or
//! the setting that mends it, in both languages.
//!
//! | file | looks at |
//! |---|---|
//! | [`setup`] | the configuration |
//! | [`disk`] | the folder of the store |
//! | [`network`] | the way to the platform, and its clock |
//! | [`app`] | credentials, edition, bot, version, subscriptions |
//! | [`scopes`] | the permissions: the table |
//! | [`deeds`] | what the bot does all day, tried |
//! | [`members`] | whether those who answer for incidents are linked |
//! | [`listening`], [`running`] | whether events arrive, without taking them from a bot that runs |
//! | [`model`], [`endpoints`] | who else is asked |
//!
//! Independent things are tried side by side and each has its own short patience, so that everything
//! together takes seconds also where nothing answers.

mod app;
mod arrivals;
mod console;
mod deeds;
mod disk;
mod endpoints;
mod finding;
mod listening;
mod members;
mod model;
mod network;
mod pages;
mod refusal;
mod render;
mod running;
mod scopes;
mod setup;

use std::{path::Path, time::Duration};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};
use uuid::Uuid;

use crate::{
    config::{Config, ConfigError, FeishuConfig, Intake},
    feishu::{self, BotInfo, Class, Client, ws},
    llm::Model,
    store::{self, Store},
    telemetry::Metrics,
};

pub use self::{
    deeds::Place,
    endpoints::Endpoint,
    finding::{Both, Finding, Need, Report, Verdict},
    members::MembersSeen,
    scopes::{SCOPES, Scope},
};

use self::{
    app::Introduction,
    console::Settings,
    deeds::Trial,
    finding::{Check, both},
    listening::{Connection, Ear, Heard},
    pages::Pages,
    running::Running,
};

const REST: Check = Check::required(
    "platform.rest",
    "Permissions, events and everything else there",
    "权限、事件及平台上的其他各项",
);
const SETUP: Check = Check::required("setup", "Calls can be made at all", "可以发起调用");

/// How long one call to the platform should be given. Its answers take tens of milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How many times as long a model may think about a tiny question.
const MODEL_PATIENCE: u32 = 3;

/// How to look from outside.
pub struct Outside<'a> {
    /// The file that the configuration came from.
    pub file: Option<&'a Path>,
    /// Where a probe card may be sent.
    pub place: Option<Place>,
    /// How long to wait for somebody to press its button.
    pub wait: Duration,
    /// How long one call may take: [`PATIENCE`], unless the machine is slow.
    pub patience: Duration,
    /// What else to ask.
    pub endpoints: Vec<Endpoint>,
    /// Is told when somebody has to do something.
    pub say: &'a (dyn Fn(&Both) + Sync),
}

/// What a bot knows that looks at itself.
pub struct Inside<'a> {
    /// Its client.
    pub feishu: &'a Client,
    /// Its model.
    pub model: &'a Model,
    /// Its store.
    pub store: &'a Store,
    /// Its numbers.
    pub metrics: &'a Metrics,
    /// Who of the members is linked.
    pub members: MembersSeen,
    /// Where it was asked to.
    pub place: Place,
    /// What else to ask.
    pub endpoints: Vec<Endpoint>,
}

/// The report on a configuration that cannot be used.
pub fn unusable(error: &ConfigError) -> Report {
    Report::new("", "", vec![setup::unusable(error)])
}

/// Examines a bot by its configuration, whether it runs or not. Takes no event from one that does.
pub async fn examine(config: &Config, mut outside: Outside<'_>) -> Report {
    let endpoints = std::mem::take(&mut outside.endpoints);
    let feishu = &config.feishu;
    let mode = outside.file.and_then(setup::mode_of);
    let mut findings = setup::verdicts(config, mode);
    findings.extend(members::from_outside(config.members.all().count()));
    let store = config.store.clone();
    let (folder, running) = tokio::join!(
        spawn_blocking(move || store::look(&store)),
        running::ask(config.web.listen),
    );
    let mut in_use = false;
    if let Ok(folder) = folder {
        in_use = matches!(folder.standing, store::Standing::InUse);
        let running = running.as_ref().filter(|_| in_use);
        findings.extend(disk::verdicts(&config.store, &folder, running));
    }
    let patient = hurried(feishu, outside.patience);
    let visit = Visit {
        config: &patient,
        listen: config.web.listen,
        in_use,
        running,
        outside: &outside,
    };
    let (platform, asked, endpoints) = tokio::join!(
        visit.examine(),
        ask_model(config, outside.patience),
        endpoints::examine(endpoints),
    );
    let findings = in_order(findings, platform, asked, endpoints);
    Report::new(&feishu.app_id, feishu.base_url(), findings)
}

/// Lets a bot examine itself, over its own connection and within its own limits.
pub async fn examine_from_inside(config: &Config, inside: Inside<'_>) -> Report {
    let feishu = &config.feishu;
    let pages = Pages::of(feishu);
    let mut findings = setup::verdicts(config, None);
    findings.extend(members::from_inside(&inside.members));
    let folder = config.store.clone();
    if let Ok(folder) = spawn_blocking(move || store::look(&folder)).await {
        findings.extend(disk::from_inside(inside.store.is_writable(), &folder));
    }
    // People come first: what is in their way is not tried, and said not to be.
    let client = inside.feishu.at(Class::Progress);
    let hurried = hurried(feishu, PATIENCE);
    let trial = Trial {
        client: &client,
        place: Some(&inside.place),
        mark: "",
        pages: &pages,
        patience: PATIENCE,
    };
    let (reached, bot, console, done, heard, endpoints) = tokio::join!(
        feishu::reach(&hurried),
        in_time(PATIENCE, client.bot_info()),
        read_console(&client, &pages, PATIENCE, feishu.events),
        trial.try_all(),
        model::probe(inside.model, PATIENCE * MODEL_PATIENCE),
        endpoints::examine(inside.endpoints),
    );
    let mut platform = Platform {
        first: network::verdicts(feishu, &reached),
        ..Platform::default()
    };
    let introduction = Introduction {
        bot,
        door: Ok(()),
        other_brand: None,
    };
    platform
        .first
        .extend(app::introduction(feishu, &introduction, &pages));
    platform.console = console.findings;
    let is_connected = inside.metrics.connected.get() == 1;
    let presses = presses(inside.metrics);
    platform.listening = arrivals::from_inside(feishu.events, is_connected, presses, &pages);
    platform
        .listening
        .push(arrivals::alone(&Ear::Mute, console.online));
    platform.permissions(done, console.scopes, &pages);
    let model = model::verdicts(&config.model, &heard);
    let findings = in_order(findings, platform, model, endpoints);
    Report::new(&feishu.app_id, feishu.base_url(), findings)
}

/// The configuration with which the platform is asked here.
fn hurried(config: &FeishuConfig, patience: Duration) -> FeishuConfig {
    FeishuConfig {
        request_timeout: config.request_timeout.min(patience),
        connect_timeout: config.connect_timeout.min(patience),
        ..config.clone()
    }
}

async fn ask_model(config: &Config, patience: Duration) -> Vec<Finding> {
    match Model::new(&config.model, Metrics::default()) {
        Ok(model) => {
            let seen = model::probe(&model, patience * MODEL_PATIENCE).await;
            model::verdicts(&config.model, &seen)
        }
        Err(error) => vec![cannot_call(&error.to_string())],
    }
}

fn cannot_call(why: &str) -> Finding {
    SETUP
        .missing(both(why, why))
        .symptom("The bot does not start.", "机器人无法启动。")
        .remedy(
            "Install the system's CA certificates (package ca-certificates), and check the addresses in the configuration.",
            "请安装系统 CA 证书（软件包 ca-certificates），并检查配置中的地址。",
        )
}

fn presses(metrics: &Metrics) -> u64 {
    use crate::telemetry::EventLabels;
    let count = |outcome| {
        let labels = EventLabels {
            r#type: "card.action.trigger",
            outcome,
        };
        metrics.events.get(&labels).map_or(0, |count| count.get())
    };
    ["kept", "ignored", "duplicate", "refused"]
        .map(count)
        .iter()
        .sum()
}

/// What the platform was found to be, in the order in which it is told.
#[derive(Default)]
struct Platform {
    /// Whether it is there and takes the app.
    first: Vec<Finding>,
    /// Whether the bot hears.
    listening: Vec<Finding>,
    /// What the console is set to.
    console: Vec<Finding>,
    /// What it may do.
    scopes: Vec<Finding>,
    /// What it did.
    deeds: Vec<Finding>,
}

impl Platform {
    fn permissions(&mut self, done: deeds::Done, list: ScopeList, pages: &Pages) {
        let mut seen = done.scopes;
        seen.list = Some(list);
        self.scopes = scopes::verdicts(&seen, pages);
        self.deeds = done.findings;
    }
}

/// From what blocks all to what is nice.
fn in_order(
    at_home: Vec<Finding>,
    platform: Platform,
    model: Vec<Finding>,
    endpoints: Vec<Finding>,
) -> Vec<Finding> {
    let Platform {
        first,
        listening,
        console,
        scopes,
        deeds,
    } = platform;
    let groups = [
        at_home, first, listening, console, model, scopes, deeds, endpoints,
    ];
    let (required, optional): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .flatten()
        .partition(|finding| finding.need == Need::Required);
    required.into_iter().chain(optional).collect()
}

type ScopeList = Result<Vec<feishu::Granted>, Both>;

/// What could be read of the console.
struct Console {
    findings: Vec<Finding>,
    scopes: ScopeList,
    online: Option<u64>,
}

async fn read_console(
    client: &Client,
    pages: &Pages,
    patience: Duration,
    intake: Intake,
) -> Console {
    let (scopes, application, versions, online) = tokio::join!(
        in_time(patience, client.scopes()),
        in_time(patience, client.application_config()),
        in_time(patience, client.app_versions()),
        in_time(patience, client.online_connections()),
    );
    let settings = Settings {
        application,
        versions,
        intake,
    };
    Console {
        findings: console::settings(&settings, pages),
        scopes: scopes.map_err(|error| both(format!("{error}"), format!("{error}"))),
        online: online.ok(),
    }
}

/// Makes a call; one that takes too long is one that found no room.
async fn in_time<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, feishu::Error>>,
) -> Result<T, feishu::Error> {
    // With the token, a question is two calls.
    timeout(patience * 2, call)
        .await
        .unwrap_or(Err(feishu::Error::TooFast {
            wait: patience,
            limit: feishu::Limit::App,
            refusal: None,
        }))
}

/// One look at the platform from outside.
struct Visit<'a> {
    config: &'a FeishuConfig,
    listen: std::net::SocketAddr,
    in_use: bool,
    running: Option<Running>,
    outside: &'a Outside<'a>,
}

impl Visit<'_> {
    async fn examine(&self) -> Platform {
        let mut platform = Platform::default();
        let pages = Pages::of(self.config);
        let client = match Client::new(self.config, Metrics::default()) {
            Ok(client) => client.at(Class::Progress),
            Err(error) => {
                platform.first.push(cannot_call(&error.to_string()));
                return platform;
            }
        };
        let (reached, door, bot) = tokio::join!(
            feishu::reach(self.config),
            ws::knock(self.config),
            in_time(self.outside.patience, client.bot_info()),
        );
        platform.first = network::verdicts(self.config, &reached);
        if reached.is_err() {
            platform.first.push(not_examined());
            return platform;
        }
        let introduction = self.introduce(bot, door).await;
        platform
            .first
            .extend(app::introduction(self.config, &introduction, &pages));
        if app::is_dead_end(&platform.first) {
            platform.first.push(not_examined());
            return platform;
        }
        self.look_around(platform, &client, &introduction, &pages)
            .await
    }

    async fn introduce(
        &self,
        bot: Result<BotInfo, feishu::Error>,
        door: Result<(), ws::NotLetIn>,
    ) -> Introduction {
        let mut other_brand = None;
        if app::should_ask_other_brand(self.config, &bot) {
            let brand = self.config.brand.other();
            let there = FeishuConfig {
                brand,
                ..self.config.clone()
            };
            other_brand = Some((brand, ws::knock(&there).await.is_ok()));
        }
        Introduction {
            bot,
            door,
            other_brand,
        }
    }

    async fn look_around(
        &self,
        mut platform: Platform,
        client: &Client,
        introduction: &Introduction,
        pages: &Pages,
    ) -> Platform {
        let console = read_console(client, pages, self.outside.patience, self.config.events).await;
        let ear = listening::ear(
            self.config.events,
            self.in_use,
            self.running,
            console.online,
        );
        let mark = Uuid::now_v7().simple().to_string();
        let mut own = None;
        if ear == Ear::Own && introduction.door.is_ok() {
            own = Some(Connection::open(self.config, &mark).await);
        }
        let trial = Trial {
            client,
            place: self.outside.place.as_ref(),
            mark: &mark,
            pages,
            patience: self.outside.patience,
        };
        let done = trial.try_all().await;
        let opened = own.as_ref().map(|(_, opened)| opened);
        platform.listening = vec![
            arrivals::connection(&ear, &introduction.door, opened, pages),
            arrivals::alone(&ear, console.online),
        ];
        let is_sent = done.card.is_some();
        let (ear, heard) = self.listen(ear, own, is_sent).await;
        let was_asked = is_sent && !self.outside.wait.is_zero();
        platform
            .listening
            .extend(arrivals::arrivals(&ear, &heard, was_asked, pages));
        if let Some(card) = &done.card {
            // Its button would lead nowhere from now on. Whether that can be changed was tried above.
            let over = deeds::probe_card(&mark, true);
            let _ = in_time(self.outside.patience, client.patch_card(card, &over)).await;
        }
        platform.console = console.findings;
        platform.permissions(done, console.scopes, pages);
        platform
    }

    /// Waits for what arrives: at our own connection, or at the bot that runs.
    async fn listen(
        &self,
        ear: Ear,
        own: Option<(Connection, Result<(), String>)>,
        is_sent: bool,
    ) -> (Ear, Heard) {
        let waits = is_sent && !self.outside.wait.is_zero();
        let until = Instant::now() + self.outside.wait;
        if let Some((mut connection, opened)) = own {
            let mut heard = Heard::default();
            if opened.is_ok() && is_sent {
                heard = connection.echo().await;
                if waits {
                    self.ask_for_a_press();
                    heard = connection.wait(until).await;
                }
            }
            connection.close().await;
            return (ear, heard);
        }
        match ear {
            Ear::Running(before) if waits && before.presses == 0 => {
                self.ask_for_a_press();
                let now = listening::wait_for_press(self.listen, before, until).await;
                (Ear::Running(now), Heard::default())
            }
            ear => (ear, Heard::default()),
        }
    }

    fn ask_for_a_press(&self) {
        let seconds = self.outside.wait.as_secs();
        (self.outside.say)(&both(
            format!(
                "A card is in the chat: press its button within {seconds} s, and mention the bot."
            ),
            format!("会话里有一张卡片：请在 {seconds} 秒内点击按钮，并 @ 一下机器人。"),
        ));
    }
}

fn not_examined() -> Finding {
    REST.unknown(both(
        "not looked at: this comes first",
        "未检查：请先解决上面的问题",
    ))
}
