//! War rooms: a group made for one incident, what is said in it and about it, and its end.

use std::time::Duration;

use insta::assert_snapshot;
use nightjar::{
    bot::incidents::{Incidents, RoomState},
    feishu::ChatId,
    incident::{By, Channel, Deed, IncidentId, PersonId, What, severity::Severity},
};
use serde_json::{Value, json};

use crate::world::{Seen, World};

/// A world in which the test holds the incidents too.
struct Scene {
    world: World,
    incidents: Incidents,
}

/// An incident, and its room once it is there.
struct Room {
    id: IncidentId,
    number: u32,
    chat: String,
}

impl Scene {
    async fn start(settings: &str) -> Self {
        let mut world = World::without_bot(settings).await;
        let incidents = start(&mut world).await;
        Self { world, incidents }
    }

    async fn restart(&mut self) {
        self.world.stop_bot().await.unwrap();
        self.incidents = start(&mut self.world).await;
    }

    async fn declares(&self, person: &str, title: &str, chat: Option<&str>) -> (IncidentId, u32) {
        let by = By::person(person, Channel::Command);
        let chat = chat.map(ChatId::new);
        let declared = self
            .incidents
            .declare(by, title, Severity::Critical, chat)
            .await;
        let case = declared.unwrap().case;
        (case.id().clone(), case.number())
    }

    async fn does(&self, person: &str, incident: &IncidentId, deed: Deed) {
        let by = By::person(person, Channel::Card);
        self.incidents.act(by, incident, deed).await.unwrap();
    }

    /// Waits for the room of an incident.
    async fn room_of(&self, number: u32) -> String {
        self.world
            .until("the room is there", async || {
                let case = self.incidents.numbered(number).await.unwrap()?;
                case.open_room()?.chat.as_ref().map(ToString::to_string)
            })
            .await
    }

    /// An incident whose room somebody asked for in a group, and whose first message stands there.
    async fn room(&self, person: &str, title: &str) -> Room {
        let (id, number) = self.declares(person, title, None).await;
        self.world
            .whispers(person, &format!("/warroom #{number}"))
            .await;
        let chat = self.room_of(number).await;
        self.says_in(&chat, "What is known").await;
        Room { id, number, chat }
    }

    /// Waits until the bot says this in a chat.
    async fn says_in(&self, chat: &str, text: &str) -> Seen {
        self.world
            .until(&format!("the bot says {text:?}"), async || {
                let all = self.world.messages(Some(chat)).await;
                all.into_iter()
                    .find(|one| one.is_by_bot() && one.text.contains(text))
            })
            .await
    }

    /// As [`Scene::says_in`], in a message of its own: the card of the incident says many things.
    async fn tells_in(&self, chat: &str, text: &str) -> Seen {
        self.world
            .until(&format!("the bot tells {text:?}"), async || {
                let all = self.world.messages(Some(chat)).await;
                all.into_iter().find(|one| is_told(one, text))
            })
            .await
    }

    async fn count_in(&self, chat: &str, text: &str) -> usize {
        let all = self.world.messages(Some(chat)).await;
        all.iter().filter(|one| is_told(one, text)).count()
    }

    async fn timeline(&self, number: u32) -> Vec<What> {
        let entries = self.incidents.timeline(number, 0, 500).await.unwrap();
        entries.into_iter().map(|entry| entry.what).collect()
    }

    async fn enters(&self, number: u32, what: impl Fn(&What) -> bool) {
        self.world
            .until("it stands in the timeline", async || {
                self.timeline(number).await.iter().any(&what).then_some(())
            })
            .await;
    }

    /// What stands in a group by the sandbox's own account.
    async fn group(&self, chat: &str) -> Value {
        let state = self.world.get("/sandbox/state").await;
        let chats = state["chats"].as_array().unwrap();
        let found = chats.iter().find(|one| one["chat_id"] == chat);
        found.unwrap_or_else(|| panic!("no group {chat}")).clone()
    }

    async fn finish(self) {
        drop(self.incidents);
        self.world.finish().await;
    }
}

fn is_told(message: &Seen, text: &str) -> bool {
    let has_buttons = message
        .card
        .as_ref()
        .is_some_and(|card| !card.buttons.is_empty());
    message.is_by_bot() && !has_buttons && message.text.contains(text)
}

async fn start(world: &mut World) -> Incidents {
    let mut incidents = None;
    world
        .start_bot_with(|app| {
            incidents = Some(app.incidents().clone());
            app
        })
        .await;
    incidents.unwrap()
}

async fn reacts(world: &World, message: &str, user: &str, emoji: &str, remove: bool) {
    let body = json!({ "user": user, "emoji_type": emoji, "remove": remove });
    world
        .post(&format!("/sandbox/messages/{message}/reactions"), body)
        .await;
}

async fn add(world: &World, chat: &str, user: &str) {
    world
        .post(
            &format!("/sandbox/chats/{chat}/members"),
            json!({ "add": [user] }),
        )
        .await;
}

async fn presses(world: &World, chat: &str, user: &str, label: &str) -> Value {
    let all = world.messages(Some(chat)).await;
    let has = |one: &&Seen| {
        one.card
            .as_ref()
            .is_some_and(|card| card.labels().iter().any(|it| it == label))
    };
    let card = all.iter().rev().find(has).expect("a card with the button");
    world
        .post(
            "/sandbox/clicks",
            json!({ "message_id": card.message_id, "operator": user, "button": label }),
        )
        .await
}

#[tokio::test]
async fn a_room_is_made_once_with_who_belongs_there_and_says_what_is_known() {
    let scene = Scene::start("").await;
    let (lei, mei) = (
        scene.world.user("Li Lei").await,
        scene.world.user("Han Meimei").await,
    );
    let (id, number) = scene.declares(&lei, "checkout is slow", None).await;
    scene
        .does(&mei, &id, Deed::AddResponder(PersonId(mei.clone())))
        .await;
    let first = scene
        .world
        .whispers(&lei, &format!("/warroom #{number}"))
        .await;
    scene.world.showing(&first, "is being made").await;
    let chat = scene.room_of(number).await;
    let opening = scene.says_in(&chat, "What is known").await;
    let text = opening.text.lines().filter(|line| !line.contains("Since:"));
    assert_snapshot!(text.collect::<Vec<_>>().join("\n"), @r#"
        War room of #1
        **What is known**
        **checkout is slow**

        - Severity: Critical
        - State: Triggered
        - Working on it: Han Meimei

        **What is not known**

        - Who is hurt by it, and how
        - The cause: nobody has looked yet, or nobody has said so here

        What you say here is kept for the post-mortem. `/role commander` and `/role scribe` say who does what, `/summary` tells what happened so far, `/close` ends it.
        "#);
    let group = scene.group(&chat).await;
    assert_eq!(group["name"], "#1 critical checkout is slow");
    let mut members: Vec<String> = serde_json::from_value(group["members"].clone()).unwrap();
    members.sort();
    let mut expected = vec![lei.clone(), mei.clone()];
    expected.sort();
    assert_eq!(members, expected);

    // The second who asks is told of the room that is there, and is let in.
    let tao = scene.world.user("Tao").await;
    let second = scene.world.whispers(&tao, "/warroom 1").await;
    scene
        .world
        .showing(&second, "There is a war room already")
        .await;
    scene
        .world
        .until("they are in it", async || {
            let members = scene.group(&chat).await["members"].clone();
            members
                .as_array()
                .unwrap()
                .contains(&json!(tao))
                .then_some(())
        })
        .await;
    assert_eq!(
        scene.world.calls("POST", "/im/v1/chats").await,
        1 + scene.world.calls("POST", "/members").await
    );
    assert_eq!(scene.count_in(&chat, "What is known").await, 1);
    scene.finish().await;
}

#[tokio::test]
async fn the_card_is_pinned_and_what_is_done_is_told_in_one_line_and_renames_the_room() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    scene
        .world
        .until("the card is pinned", async || {
            let path = format!("/sandbox/messages?chat_id={}", room.chat);
            let all = scene.world.get(&path).await;
            let all = all["messages"].as_array().unwrap();
            all.iter()
                .any(|one| !one["pinned"].is_null() && one["pinned"] != false)
                .then_some(())
        })
        .await;
    scene.does(&lei, &room.id, Deed::Acknowledge).await;
    scene
        .does(&lei, &room.id, Deed::Comment("the queue is full".into()))
        .await;
    scene
        .does(&lei, &room.id, Deed::SetTitle("payments are slow".into()))
        .await;
    let line = scene.tells_in(&room.chat, "acknowledged").await;
    assert_snapshot!(line.text, @"Li Lei acknowledged it; Li Lei: the queue is full; Li Lei renamed it: payments are slow");
    scene
        .world
        .until("the room has its name", async || {
            let name = scene.group(&room.chat).await["name"].clone();
            (name == "#1 critical payments are slow").then_some(())
        })
        .await;
    scene.finish().await;
}

#[tokio::test]
async fn who_cannot_be_added_is_listed_with_the_way() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let (id, number) = scene.declares(&lei, "checkout is slow", None).await;
    scene
        .does(&lei, &id, Deed::AddResponder(PersonId("han.meimei".into())))
        .await;
    scene
        .world
        .whispers(&lei, &format!("/warroom #{number}"))
        .await;
    let chat = scene.room_of(number).await;
    let opening = scene.tells_in(&chat, "Could not be added").await;
    assert!(opening.text.contains("han.meimei"), "{}", opening.text);
    assert!(opening.text.contains("/link me"), "{}", opening.text);
    // One who comes later is told of in a line of its own.
    scene
        .does(
            &lei,
            &id,
            Deed::AddResponder(PersonId("tao@example.com".into())),
        )
        .await;
    scene.tells_in(&chat, "tao@example.com").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_rule_makes_a_room_and_a_restart_makes_no_second_one() {
    let mut scene = Scene::start("[incidents.rooms]\nseverity_min = \"error\"\n").await;
    let lei = scene.world.user("Li Lei").await;
    let (id, number) = scene.declares(&lei, "checkout is slow", None).await;
    let chat = scene.room_of(number).await;
    scene.says_in(&chat, "What is known").await;
    scene.restart().await;
    scene.does(&lei, &id, Deed::Acknowledge).await;
    scene.tells_in(&chat, "acknowledged").await;
    assert_eq!(scene.room_of(number).await, chat);
    assert_eq!(scene.count_in(&chat, "What is known").await, 1);
    assert_eq!(scene.count_in(&chat, "acknowledged it").await, 1);
    scene.finish().await;
}

#[tokio::test]
async fn a_marked_message_stands_in_the_timeline_until_the_mark_is_taken_away() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    let said = json!({ "chat_id": room.chat, "sender": lei, "text": "we roll back to 41" });
    let message = scene.world.says(said).await;
    reacts(&scene.world, &message, &lei, "CheckMark", false).await;
    // A reaction that nobody agreed upon means nothing.
    reacts(&scene.world, &message, &lei, "SMILE", false).await;
    let is_marked = |what: &What| matches!(what, What::Marked { message: of, mark } if *of == message && mark == "decision");
    scene.enters(room.number, is_marked).await;
    let line = scene.tells_in(&room.chat, "marked as decision").await;
    assert!(line.text.contains("we roll back to 41"), "{}", line.text);
    reacts(&scene.world, &message, &lei, "CheckMark", true).await;
    let is_unmarked =
        |what: &What| matches!(what, What::Unmarked { message: of, .. } if *of == message);
    scene.enters(room.number, is_unmarked).await;
    let all = scene.timeline(room.number).await;
    assert_eq!(
        all.iter()
            .filter(|what| matches!(what, What::Marked { .. }))
            .count(),
        1
    );
    scene.finish().await;
}

#[tokio::test]
async fn roles_are_taken_by_command_without_a_mention() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    let said = json!({ "chat_id": room.chat, "sender": lei, "text": "/role commander" });
    let asked = scene.world.says(said).await;
    scene.world.showing(&asked, "is commander").await;
    scene
        .enters(
            room.number,
            |what| matches!(what, What::RoleTaken { role, .. } if role == "commander"),
        )
        .await;
    let shown = scene.world.asks(&room.chat, &lei, "/warroom").await;
    let shown = scene.world.showing(&shown, "commander").await;
    assert!(shown.text.contains("Li Lei"), "{}", shown.text);
    // What people say to each other is no command.
    let said = json!({ "chat_id": room.chat, "sender": lei, "text": "/tmp is full" });
    let said = scene.world.says(said).await;
    let asked = scene.world.asks(&room.chat, &lei, "/warroom").await;
    scene.world.showing(&asked, "commander").await;
    assert!(scene.world.replies_to(&said).await.is_empty());
    scene.finish().await;
}

#[tokio::test]
async fn a_summary_has_this_rooms_words_and_who_joins_later_gets_one_alone() {
    let scene = Scene::start("").await;
    let (lei, mei) = (
        scene.world.user("Li Lei").await,
        scene.world.user("Han Meimei").await,
    );
    let room = scene.room(&lei, "checkout is slow").await;
    for text in ["the queue is full", "we roll back to 41"] {
        scene
            .world
            .says(json!({ "chat_id": room.chat, "sender": lei, "text": text }))
            .await;
    }
    scene.world.model_says(json!([{ "text": "The queue is full; a rollback to 41 runs." }, { "text": "The queue was full." }])).await;
    let asked = scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "/summary" }))
        .await;
    let summary = scene.world.showing(&asked, "a rollback to 41 runs").await;
    assert!(
        summary.text.contains("Written by the model"),
        "{}",
        summary.text
    );
    let requests = scene.world.model_requests().await;
    let request = requests.last().unwrap()["body"].to_string();
    for part in [
        "the queue is full",
        "we roll back to 41",
        "checkout is slow",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }

    scene.world.advance(Duration::from_secs(120)).await;
    add(&scene.world, &room.chat, &mei).await;
    let path = format!("/sandbox/messages?chat_id={}", room.chat);
    scene
        .world
        .until("the newcomer is told, and nobody else", async || {
            let all = scene.world.get(&path).await;
            let all = all["messages"].as_array().unwrap();
            all.iter()
                .any(|one| one["only_for"] == json!(mei))
                .then_some(())
        })
        .await;
    scene.finish().await;
}

#[tokio::test]
async fn an_answer_in_a_room_knows_the_record_of_its_incident() {
    let scene = Scene::start("").await;
    let li = scene.world.user("Li Lei").await;
    let room = scene.room(&li, "checkout is down").await;
    let question = scene.world.asks(&room.chat, &li, "how bad is it?").await;
    scene.world.answer_to(&question).await;
    let asked = scene.world.model_requests().await;
    let asked = asked.last().unwrap().to_string();
    assert!(asked.contains("record of an incident"), "{asked}");
    scene.finish().await;
}

#[tokio::test]
async fn without_a_model_the_records_are_told() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    scene.does(&lei, &room.id, Deed::Acknowledge).await;
    scene
        .world
        .model_says(json!(vec![json!({ "fail": 400 }); 8]))
        .await;
    let asked = scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "/总结" }))
        .await;
    let summary = scene.world.showing(&asked, "仅来自记录").await;
    assert!(summary.text.contains("已认领"), "{}", summary.text);
    scene.finish().await;
}

#[tokio::test]
async fn what_was_said_while_the_bot_was_away_is_filled_in() {
    let mut scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "before" }))
        .await;
    scene.world.stop_bot().await.unwrap();
    let root = scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "meanwhile one" }))
        .await;
    scene.world.says(json!({ "chat_id": room.chat, "sender": lei, "text": "meanwhile two", "reply_to": root, "thread": true })).await;
    let marked = scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "meanwhile three" }))
        .await;
    reacts(&scene.world, &marked, &lei, "Pin", false).await;
    scene.incidents = start(&mut scene.world).await;
    let is_marked = |what: &What| matches!(what, What::Marked { message, mark } if *message == marked && mark == "note");
    scene.enters(room.number, is_marked).await;
    scene.world.model_says(json!([{ "text": "Read." }])).await;
    let asked = scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "/summary" }))
        .await;
    scene.world.showing(&asked, "Read.").await;
    let requests = scene.world.model_requests().await;
    let request = requests.last().unwrap()["body"].to_string();
    for part in [
        "before",
        "meanwhile one",
        "meanwhile two",
        "meanwhile three",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
    scene.finish().await;
}

#[tokio::test]
async fn closing_asks_what_becomes_of_the_room_and_dissolving_keeps_its_words() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    let asked = scene
        .world
        .says(json!({ "chat_id": room.chat, "sender": lei, "text": "/close" }))
        .await;
    scene.world.showing(&asked, "is closed").await;
    let card = scene.says_in(&room.chat, "is over").await;
    assert_eq!(
        card.card.as_ref().unwrap().labels(),
        [
            "Draft the post-mortem",
            "Keep the room",
            "Dissolve the room"
        ]
    );
    // The room still stands for its incident.
    let asked = json!({ "chat_id": room.chat, "sender": lei, "text": "/timeline" });
    let asked = scene.world.says(asked).await;
    scene.world.showing(&asked, "Li Lei closed it").await;
    let drafts = presses(&scene.world, &room.chat, &lei, "Draft the post-mortem").await;
    let told = "The post-mortem of #1 is being drafted.";
    assert_eq!(drafts["toast"]["content"], told);
    scene.says_in(&room.chat, "**Draft**, version 1").await;
    let kept = presses(&scene.world, &room.chat, &lei, "Keep the room").await;
    assert_eq!(kept["toast"]["content"], "The room stays.");
    let goes = presses(&scene.world, &room.chat, &lei, "Dissolve the room").await;
    assert!(
        goes["toast"]["content"]
            .as_str()
            .unwrap()
            .contains("dissolved"),
        "{goes}"
    );
    scene
        .enters(room.number, |what| matches!(what, What::RoomGone { .. }))
        .await;
    let case = scene
        .incidents
        .numbered(room.number)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(case.room.as_ref().unwrap().state, RoomState::Gone);
    scene.finish().await;
}

#[tokio::test]
async fn a_room_that_people_dissolve_is_gone_and_a_new_one_can_be_made() {
    let scene = Scene::start("[conversation]\nlanguage = \"zh\"\n").await;
    let lei = scene.world.user("李雷").await;
    let (_, number) = scene.declares(&lei, "支付变慢", None).await;
    let asked = scene
        .world
        .whispers(&lei, &format!("/作战室 #{number}"))
        .await;
    scene.world.showing(&asked, "正在创建").await;
    let chat = scene.room_of(number).await;
    let opening = scene.says_in(&chat, "已知").await;
    assert!(opening.text.contains("支付变慢"), "{}", opening.text);
    scene
        .world
        .post(&format!("/sandbox/chats/{chat}/dissolve"), json!({}))
        .await;
    scene
        .enters(number, |what| matches!(what, What::RoomGone { .. }))
        .await;
    scene
        .world
        .whispers(&lei, &format!("/作战室 #{number}"))
        .await;
    let second = scene.room_of(number).await;
    assert_ne!(second, chat);
    scene.says_in(&second, "已知").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_room_in_which_nothing_happens_is_asked_how_things_are() {
    let scene = Scene::start("[incidents.rooms]\nremind_after = \"1s\"\n").await;
    let lei = scene.world.user("Li Lei").await;
    let room = scene.room(&lei, "checkout is slow").await;
    scene.tells_in(&room.chat, "when is the next update").await;
    scene.finish().await;
}

#[tokio::test]
async fn rooms_at_the_same_time_never_see_each_others_words() {
    let scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let mut rooms = Vec::new();
    for word in ["turnstile", "lighthouse", "windmill"] {
        rooms.push((scene.room(&lei, &format!("{word} is slow")).await, word));
    }
    // The words of the rooms come in any order, and so do the questions.
    let mut state = 7_u32;
    for round in 0..12 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (room, word) = &rooms[(state >> 16) as usize % rooms.len()];
        let text = format!("the {word} again, {round}");
        let said = json!({ "chat_id": room.chat, "sender": lei, "text": text });
        scene.world.says(said).await;
    }
    for (room, word) in &rooms {
        for (text, is_command) in [("what is known?", false), ("/summary", true)] {
            scene
                .world
                .model_says(json!([{ "text": format!("Nothing about the {word}.") }]))
                .await;
            let asked = scene.world.asks(&room.chat, &lei, text).await;
            match is_command {
                true => drop(scene.world.showing(&asked, "Nothing about").await),
                false => drop(scene.world.answer_to(&asked).await),
            }
            let requests = scene.world.model_requests().await;
            let request = requests.last().unwrap()["body"].to_string();
            for (_, other) in &rooms {
                assert_eq!(
                    request.contains(&format!("the {other}")),
                    other == word,
                    "{text} in {word}: {request}"
                );
            }
        }
    }
    scene.finish().await;
}

#[tokio::test]
async fn administrators_see_the_groups_and_no_war_rooms() {
    let mut scene = Scene::start("").await;
    let lei = scene.world.user("Li Lei").await;
    let group = scene.world.group("checkout on-call", &[&lei]).await;
    let room = scene.room(&lei, "checkout is slow").await;
    scene
        .world
        .set(&format!("[access]\nadministrators = [\"{lei}\"]\n"));
    scene.restart().await;
    let asked = scene.world.whispers(&lei, "/chats checkout").await;
    let list = scene.world.showing(&asked, &group).await;
    assert!(!list.text.contains(&room.chat), "{}", list.text);
    scene.finish().await;
}
