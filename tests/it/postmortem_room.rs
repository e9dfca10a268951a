//! The post-mortem in a war room: from what was said there to a report that people edit and publish.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    process::Process,
    world::{Seen, World},
};

/// A war room in which people talked.
struct Room {
    chat: String,
    lei: String,
    mei: String,
}

/// What is said in the room, in English.
const TALK: &[(&str, &str)] = &[
    ("lei", "Orders fail with HTTP 502 since 14:02"),
    ("mei", "I'm on it"),
    ("lei", "maybe the database"),
    ("mei", "the database is ruled out, its graphs are flat"),
    ("mei", "the root cause is the release v2.3.1"),
    ("mei", "rolled back to v2.3.0"),
    ("lei", "Orders are back to normal"),
    ("mei", "TODO: add a canary stage for releases"),
];

impl Room {
    /// An incident that somebody reports, its room, and what is said there.
    async fn open(world: &World, title: &str, talk: &[(&str, &str)], opening: &str) -> Self {
        let (lei, mei) = (world.user("Li Lei").await, world.user("Han Meimei").await);
        let report = format!("/incident new critical {title}");
        let reported = world.whispers(&lei, &report).await;
        world.showing(&reported, "#1").await;
        world.whispers(&lei, "/warroom #1").await;
        let chat = world
            .until("the room is there", async || {
                let chats = world.get("/sandbox/state").await["chats"].take();
                let chats = chats.as_array().unwrap().iter();
                let mut rooms =
                    chats.filter(|chat| chat["name"].as_str().unwrap().starts_with("#1 "));
                rooms
                    .next()
                    .map(|chat| chat["chat_id"].as_str().unwrap().to_owned())
            })
            .await;
        let room = Self { chat, lei, mei };
        room.says(world, opening).await;
        world
            .post(
                &format!("/sandbox/chats/{}/members", room.chat),
                json!({ "add": [room.mei] }),
            )
            .await;
        for (who, text) in talk {
            room.talks(world, who, text).await;
        }
        room
    }

    async fn talks(&self, world: &World, who: &str, text: &str) -> String {
        let sender = match who {
            "lei" => &self.lei,
            _ => &self.mei,
        };
        world
            .says(json!({ "chat_id": self.chat, "sender": sender, "text": text }))
            .await
    }

    /// Waits until the bot says this in the room; gives the newest message that does.
    async fn says(&self, world: &World, text: &str) -> Seen {
        world
            .until(&format!("the room shows {text:?}"), async || {
                let all = world.messages(Some(&self.chat)).await;
                let mut newest = all.into_iter().rev();
                newest.find(|one| one.is_by_bot() && one.text.contains(text))
            })
            .await
    }

    async fn asks(&self, world: &World, text: &str) -> String {
        world.asks(&self.chat, &self.lei, text).await
    }

    /// Presses a button within a section of the report.
    async fn presses(&self, world: &World, card: &Seen, deed: &str, section: usize) -> String {
        let buttons = &card.card.as_ref().unwrap().buttons;
        let value = buttons
            .iter()
            .map(|button| button["value"].clone())
            .find(|value| {
                let about = value["about"].as_str().unwrap_or_default();
                value["deed"] == deed && about.ends_with(&format!("/{section}"))
            });
        let value = value.unwrap_or_else(|| panic!("no {deed} for {section} in {card:#?}"));
        let pressed =
            json!({ "message_id": card.message_id, "operator": self.lei, "value": value });
        let shown = world.post("/sandbox/clicks", pressed).await;
        shown["toast"]["content"].as_str().unwrap().to_owned()
    }

    /// The files that were sent to the room.
    async fn files(&self, world: &World, count: usize) -> Vec<Value> {
        world
            .until("the file is there", async || {
                let path = format!("/sandbox/messages?chat_id={}", self.chat);
                let mut all = world.get(&path).await;
                let mut files: Vec<Value> = serde_json::from_value(all["messages"].take()).unwrap();
                files.retain(|one| one["msg_type"] == "file");
                (files.len() >= count).then_some(files)
            })
            .await
    }
}

/// A card as people see it, without what is another at each time.
fn shown(card: &Seen) -> String {
    let times = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( [+-]\d\d(:\d\d)?)?").unwrap();
    let small = regex::Regex::new(r"\d+ (s|min)\b|tokens: \d+|\d+ tokens|\d+ 秒").unwrap();
    let text = times.replace_all(&card.text, "(time)");
    small.replace_all(&text, "(n)").into_owned()
}

#[tokio::test]
async fn a_room_becomes_a_report_that_people_edit_draft_anew_and_publish() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "Draft").await;
    assert_snapshot!(shown(&card), @"");
    assert_eq!(room.files(&world, 1).await.len(), 1);

    // A person's words stay, whatever a new draft finds.
    let told = room.presses(&world, &card, "report_edit", 3).await;
    assert_eq!(told, "Fill in the form below.");
    let form = room.says(&world, "Keep citations").await;
    let words = json!({ "words0": "- One in three orders failed. [m1]" });
    world.fills_in(&room.lei, &form, words).await;
    let edited = room.says(&world, "One in three orders failed").await;
    room.says(&world, "version 2").await;
    room.talks(&world, "mei", "TODO: write a runbook for rollbacks")
        .await;
    let told = world.presses(&room.lei, &edited, "New draft").await;
    assert_eq!(told, "The post-mortem of #1 is being drafted.");
    let again = room.says(&world, "version 3").await;
    assert!(
        again.text.contains("One in three orders failed"),
        "{}",
        again.text
    );
    assert!(again.text.contains("write a runbook"), "{}", again.text);
    assert_ne!(again.message_id, card.message_id);
    room.says(&world, "There is a newer card").await;

    let told = world.presses(&room.lei, &again, "Publish").await;
    if told != "The post-mortem of #1 is published." {
        let question = room.says(&world, "Publish the post-mortem of #1?").await;
        world
            .presses(&room.lei, &question, "Publish all the same")
            .await;
    }
    let published = room.says(&world, "Published by Li Lei").await;
    assert_eq!(published.card.as_ref().unwrap().labels(), ["Reopen"]);
    let timeline = room.asks(&world, "/timeline").await;
    world.showing(&timeline, "published the post-mortem").await;
    let refused = room.asks(&world, "/postmortem").await;
    world.showing(&refused, "is published").await;
    world.finish().await;
}

#[tokio::test]
async fn without_a_model_a_chinese_room_becomes_a_report_that_says_so() {
    let world =
        World::start_with("[postmortem]\nmodel = \"none\"\n[conversation]\nlanguage = \"zh\"")
            .await;
    let talk = [
        ("lei", "下单失败，报 502"),
        ("mei", "我来处理"),
        ("mei", "已回滚到 v2.3.0"),
        ("lei", "已恢复正常"),
    ];
    let room = Room::open(&world, "下单变慢", &talk, "**未知**").await;
    room.asks(&world, "/复盘").await;
    let card = room.says(&world, "草稿").await;
    assert_snapshot!(shown(&card), @"");
    assert_eq!(world.model_requests().await.len(), 0);
    let exported = room.asks(&world, "/复盘 导出").await;
    assert_eq!(room.files(&world, 2).await.len(), 2);
    let status = room.asks(&world, "/复盘 状态").await;
    world.showing(&status, "第 1 版").await;
    drop(exported);
    world.finish().await;
}

#[tokio::test]
async fn a_second_draft_is_refused_and_the_first_can_be_cancelled() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    world
        .model_says(json!([{ "match": "The lines to read", "hang": true }]))
        .await;
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "2/4").await;
    let second = room.asks(&world, "/postmortem").await;
    world.showing(&second, "is under way").await;
    let told = world.presses(&room.mei, &card, "Cancel").await;
    assert_eq!(told, "The draft was cancelled.");
    room.says(&world, "Han Meimei cancelled this draft").await;
    let nothing = room.asks(&world, "/postmortem cancel").await;
    world.showing(&nothing, "No draft is under way").await;
    world.finish().await;
}

#[tokio::test]
async fn a_source_that_is_edited_or_taken_back_is_told_on_the_card() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", &TALK[1..], "What is known").await;
    let said = room.talks(&world, "lei", "Orders fail with HTTP 502").await;
    let other = room.talks(&world, "mei", "rolled back to v2.2.9").await;
    room.asks(&world, "/postmortem").await;
    room.says(&world, "Draft").await;
    world
        .post(
            &format!("/sandbox/messages/{other}/recall"),
            json!({ "user": room.mei }),
        )
        .await;
    room.says(&world, "was taken back after this draft was made")
        .await;
    let edit = json!({ "user": room.lei, "text": "Orders fail with HTTP 503" });
    world
        .post(&format!("/sandbox/messages/{said}/edit"), edit)
        .await;
    room.asks(&world, "/postmortem status").await;
    room.says(&world, "was edited after this draft was made")
        .await;
    world.finish().await;
}

/// The requests that read a part of a room, by their words without the marks, which are new each time.
async fn read_parts(world: &World) -> Vec<String> {
    let marks = regex::Regex::new("quoted-[0-9a-f]+").unwrap();
    let asked = world.model_requests().await;
    let parts = asked.iter().filter_map(|request: &Value| {
        let messages = request["body"]["messages"].as_array()?;
        let text = messages.last()?["content"].as_str()?;
        let lines = text.split_once("The lines to read:")?.1;
        Some(marks.replace_all(lines, "quoted").into_owned())
    });
    parts.collect()
}

#[tokio::test]
async fn a_draft_that_was_killed_goes_on_and_reads_no_part_twice() {
    // A small window makes many parts of the room, read one after the other.
    let mut world = World::without_bot("").await;
    world.set(
        "[postmortem]\nparallel = 1\n[model]\ncontext_tokens = 10000\n[conversation]\nhistory_tokens = 1000\nremembered_tokens = 500",
    );
    let bot = Process::start(&world);
    world.connected().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    let long = "the queue of the workers is long and orders fail again and again ".repeat(20);
    for at in 0..24 {
        room.talks(&world, "mei", &format!("{at}: {long}")).await;
    }
    room.asks(&world, "/postmortem").await;
    world
        .until("some parts are read", async || {
            (read_parts(&world).await.len() >= 3).then_some(())
        })
        .await;
    bot.kill().await;
    let before = read_parts(&world).await;
    let bot = Process::start(&world);
    let card = room.says(&world, "Draft").await;
    let all = read_parts(&world).await;
    let mut once = all.clone();
    once.sort();
    once.dedup();
    // The one that was asked for when it was killed had no answer yet.
    assert!(
        all.len() <= once.len() + 1,
        "{} of {}",
        all.len(),
        once.len()
    );
    assert!(before.len() < once.len(), "it was killed in the middle");
    let cards = world.messages(Some(&room.chat)).await;
    let cards = cards
        .iter()
        .filter(|one| one.text.contains("Post-mortem of #1 ·"));
    assert_eq!(cards.count(), 1, "{}", card.text);
    bot.terminate().await;
    world.finish().await;
}
