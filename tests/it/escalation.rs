//! Who is told when nobody acknowledges, through kills at any moment.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    process::Process,
    world::{Seen, World},
};

const KEY: &str = "0123456789abcdef";

/// Three levels, a second apart: Li Lei; Li Lei and Han Meimei; Wang Wei.
fn rules(group: &str, people: [&str; 3]) -> String {
    let [li, han, wang] = people;
    format!(
        r#"
        [alerts]
        integrations = [{{ name = "prom", key = "{KEY}" }}]
        [incidents]
        quiet = "0s"
        [[incidents.routes]]
        name = "all"
        chats = ["{group}"]
        policy = "three"
        [incidents.policies.three]
        levels = [
          {{ tell = [{{ person = "{li}" }}] }},
          {{ after = "1s", tell = [{{ person = "{li}" }}, {{ person = "{han}" }}] }},
          {{ after = "1s", tell = [{{ person = "{wang}" }}] }},
        ]
        "#
    )
}

/// What Alertmanager posts for one alert.
fn alert(status: &str) -> Value {
    let ends = match status {
        "resolved" => "2026-03-01T09:00:00Z",
        _ => "0001-01-01T00:00:00Z",
    };
    json!({
        "version": "4", "groupKey": "g", "status": status, "receiver": "r", "groupLabels": {},
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager",
        "alerts": [{
            "status": status,
            "labels": {"alertname": "Checkout is slow", "service": "checkout", "severity": "critical"},
            "annotations": {"summary": "p99 over two seconds"},
            "startsAt": "2026-03-01T08:00:00Z", "endsAt": ends, "generatorURL": "http://prometheus/g",
        }],
    })
}

async fn posts(web: SocketAddr, body: &Value) {
    let url = format!("http://{web}/alerts/{KEY}/alertmanager");
    let answer = reqwest::Client::new().post(url).json(body).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
}

/// What the bot said to each person directly, and in the group.
struct Told {
    direct: Vec<(String, Seen)>,
    group: Vec<Seen>,
}

async fn told(world: &World, group: &str) -> Told {
    let state = world.get("/sandbox/state").await;
    let chats = state["chats"].as_array().unwrap();
    let owner = |chat: &str| {
        let chat = chats.iter().find(|one| one["chat_id"] == chat)?;
        (chat["chat_type"] == "p2p").then(|| chat["members"][0].as_str().unwrap().to_owned())
    };
    let mut told = Told {
        direct: Vec::new(),
        group: Vec::new(),
    };
    for message in world.messages(None).await {
        match owner(&message.chat_id) {
            Some(person) if message.is_by_bot() => told.direct.push((person, message)),
            None if message.is_by_bot() && message.chat_id == group => told.group.push(message),
            _ => {}
        }
    }
    told
}

impl Told {
    fn to(&self, person: &str) -> usize {
        let direct = self.direct.iter();
        direct.filter(|(whom, _)| whom == person).count()
    }
}

async fn kill(bot: Process, world: &World) -> Process {
    bot.kill().await;
    let starts = world.calls("", "bot/v3/info").await;
    let bot = Process::start_with_health(world);
    world
        .until("the new process asks the platform", async || {
            (world.calls("", "bot/v3/info").await > starts).then_some(())
        })
        .await;
    world.connected().await;
    bot
}

async fn killed_between_levels(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::without_bot("").await;
    let (li, han, wang) = (
        world.user("Li Lei").await,
        world.user("Han Meimei").await,
        world.user("Wang Wei").await,
    );
    let group = world.group("on-call", &[&li, &han, &wang]).await;
    world.set(&rules(&group, [&li, &han, &wang]));
    let mut bot = Process::start_with_health(&world);
    world.connected().await;
    posts(bot.web(), &alert("firing")).await;
    for (person, pages) in [(&li, 1), (&han, 1), (&wang, 1), (&li, 2)] {
        // Sometimes in the middle of what leads to the page, sometimes when it has just arrived.
        if random.bool() {
            let moment = world.calls("", "").await + random.usize(0..4);
            world
                .until("it is time to die", async || {
                    let arrived = told(&world, &group).await.to(person) >= pages;
                    (arrived || world.calls("", "").await >= moment).then_some(())
                })
                .await;
            bot = kill(bot, &world).await;
        }
        world
            .until("they are told", async || {
                (told(&world, &group).await.to(person) >= pages).then_some(())
            })
            .await;
        bot = kill(bot, &world).await;
    }
    // Whatever is left to be done is done before the card shows the end.
    posts(bot.web(), &alert("resolved")).await;
    world
        .until("the group sees the end", async || {
            let told = told(&world, &group).await;
            let card = told.group.first()?;
            card.text.contains("Resolved").then_some(())
        })
        .await;
    let told = told(&world, &group).await;
    assert_eq!(told.group.len(), 1, "seed {seed}: {:#?}", told.group);
    let pages = [&li, &han, &wang].map(|person| told.to(person));
    assert_eq!(pages, [2, 1, 1], "seed {seed}: {:#?}", told.direct);
    drop(bot);
    world.finish().await;
}

/// More with `NIGHTJAR_KILLS=50 cargo test --test it paged_exactly_once`.
#[tokio::test]
async fn each_person_is_paged_exactly_once_per_level_whenever_the_bot_is_killed() {
    let kills = std::env::var("NIGHTJAR_KILLS").ok();
    let kills: u64 = kills.map_or(3, |kills| kills.parse().unwrap());
    for seed in 0..kills {
        killed_between_levels(seed).await;
    }
}

#[tokio::test]
async fn whoever_acknowledges_in_time_spares_the_others() {
    let mut world = World::without_bot("").await;
    let people = [
        world.user("Li Lei").await,
        world.user("Han Meimei").await,
        world.user("Wang Wei").await,
    ];
    let [li, han, wang] = people.each_ref();
    let group = world.group("on-call", &[li, han, wang]).await;
    world.set(&rules(&group, [li, han, wang]).replace("\"1s\"", "\"1h\""));
    let bot = Process::start_with_health(&world);
    world.connected().await;
    posts(bot.web(), &alert("firing")).await;
    let card = world
        .until("Li Lei is told", async || {
            let told = told(&world, &group).await;
            let (_, card) = told.direct.into_iter().find(|(whom, _)| whom == li)?;
            Some(card)
        })
        .await;
    world.presses(li, &card, "Acknowledge").await;
    world
        .until("everybody sees it", async || {
            let told = told(&world, &group).await;
            let (_, direct) = told.direct.first()?;
            let shown = |card: &Seen| card.text.contains("Acknowledged");
            (shown(direct) && shown(told.group.first()?)).then_some(())
        })
        .await;
    let told = told(&world, &group).await;
    assert_eq!([li, han, wang].map(|person| told.to(person)), [1, 0, 0]);
    drop(bot);
    world.finish().await;
}

#[tokio::test]
async fn members_are_told_by_name_and_who_has_no_account_is_named_on_the_card() {
    let mut world = World::without_bot("").await;
    let mei = world.user("Han Meimei").await;
    let li = json!({"name": "Li Lei", "email": "li@example.com"});
    let li = world.post("/sandbox/users", li).await;
    let li = li["open_id"].as_str().unwrap().to_owned();
    let group = world.group("on-call", &[&li, &mei]).await;
    let rules = rules(&group, ["Lei", "Ghost", "Lei"]).replace("\"1s\"", "\"1h\"");
    // Ghost is told together with Lei.
    let rules = rules.replacen(
        "{ tell = [{ person = \"Lei\" }] }",
        "{ tell = [{ person = \"Lei\" }, { person = \"Ghost\" }] }",
        1,
    );
    world.set(&format!(
        "{rules}\n[members]\nlist = [{{ name = \"Lei\", email = \"li@example.com\" }}, \
         {{ name = \"Ghost\", email = \"ghost@example.com\" }}]\n"
    ));
    world.start_bot().await;
    posts(world.web(), &alert("firing")).await;
    let card = world
        .until("Lei is told, and the group sees who is not", async || {
            let told = told(&world, &group).await;
            let (_, card) = told.direct.into_iter().find(|(whom, _)| *whom == li)?;
            told.group.first()?.text.contains("Ghost").then_some(card)
        })
        .await;
    // Nobody has linked Lei, and the first press does.
    world.presses(&li, &card, "Acknowledge").await;
    world
        .until("it is Lei's", async || {
            let told = told(&world, &group).await;
            let card = told.group.first()?;
            card.text
                .contains("**Acknowledged** by Li Lei")
                .then_some(())
        })
        .await;
    world.finish().await;
}
