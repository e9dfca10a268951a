//! What happens around the chats: recalls, groups that come and go, newcomers, the menu, changes of names.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    process::Process,
    world::{Seen, World},
};

/// Waits until `number` events of a kind were acknowledged, and the bot has nothing left to do.
async fn heard(world: &World, kind: &str, number: usize) {
    acknowledged(world, kind, number).await;
    let idle = async {
        while world.number("nightjar_inbox_depth").await > 0.0 {
            world.changes(1).await;
        }
    };
    let outcome = timeout(Duration::from_secs(60), idle).await;
    assert!(outcome.is_ok(), "the bot is never done with {kind}");
}

async fn acknowledged(world: &World, kind: &str, number: usize) {
    let all = async {
        loop {
            let deliveries = world.get("/sandbox/deliveries?since=0").await;
            let all = deliveries["deliveries"].as_array().unwrap();
            let is_one = |one: &&Value| one["event_type"] == kind && !one["acked_ms"].is_null();
            if all.iter().filter(is_one).count() >= number {
                return;
            }
            world.changes(1).await;
        }
    };
    let outcome = timeout(Duration::from_secs(60), all).await;
    assert!(outcome.is_ok(), "{number} of {kind} were not acknowledged");
}

/// What the bot said in a chat that is no reply.
async fn unasked(world: &World, chat: &str) -> Vec<Seen> {
    let mut all = world.messages(Some(chat)).await;
    all.retain(|one| one.is_by_bot() && one.parent_id.is_none());
    all
}

async fn the_one_unasked(world: &World, chat: &str) -> Seen {
    world
        .until("the bot said something unasked", async || {
            (!unasked(world, chat).await.is_empty()).then_some(())
        })
        .await;
    let mut all = unasked(world, chat).await;
    assert_eq!(all.len(), 1, "said once: {all:#?}");
    all.remove(0)
}

async fn members(world: &World, chat: &str, change: Value) {
    world
        .post(&format!("/sandbox/chats/{chat}/members"), change)
        .await;
}

async fn enters(world: &World, user: &str) -> String {
    let chat = world.post("/sandbox/enter", json!({ "user": user })).await;
    chat["chat_id"].as_str().unwrap().to_owned()
}

async fn presses_menu(world: &World, user: &str, key: &str) {
    world
        .post("/sandbox/menu", json!({ "user": user, "key": key }))
        .await;
}

async fn recalls(world: &World, message: &str) {
    world
        .post(&format!("/sandbox/messages/{message}/recall"), json!({}))
        .await;
}

/// What the model was asked last, whole.
async fn last_request(world: &World) -> String {
    let requests = world.model_requests().await;
    requests.last().expect("the model was asked")["body"].to_string()
}

#[tokio::test]
async fn what_was_recalled_is_forgotten_and_so_is_the_answer_that_quotes_it() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([
            { "text": "Turnstile is the name you gave." }, { "text": "Noted." }, { "text": "Nothing." }, { "text": "Again nothing." }
        ]))
        .await;
    let secret = world.asks(&chat, &user, "the codename is turnstile").await;
    world.answer_to(&secret).await;
    let other = world.asks(&chat, &user, "checkout is the service").await;
    world.answer_to(&other).await;
    assert!(last_request(&world).await.contains("turnstile"));

    recalls(&world, &secret).await;
    heard(&world, "im.message.recalled_v1", 1).await;
    let after = world.asks(&chat, &user, "what do you remember?").await;
    world.answer_to(&after).await;
    let asked = last_request(&world).await.to_lowercase();
    assert!(!asked.contains("turnstile"), "{asked}");
    assert!(asked.contains("checkout is the service"), "{asked}");
    world.finish().await;
}

#[tokio::test]
async fn a_recall_while_the_bot_is_away_is_heeded_when_it_comes_back() {
    let mut world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Turnstile it is." }, { "text": "Nothing." }]))
        .await;
    let secret = world.asks(&chat, &user, "the codename is turnstile").await;
    world.answer_to(&secret).await;
    world.stop_bot().await.unwrap();
    recalls(&world, &secret).await;
    world.start_bot().await;
    world.advance(Duration::from_secs(16)).await;
    heard(&world, "im.message.recalled_v1", 1).await;
    let after = world.asks(&chat, &user, "what do you remember?").await;
    world.answer_to(&after).await;
    let asked = last_request(&world).await.to_lowercase();
    assert!(!asked.contains("turnstile"), "{asked}");
    world.finish().await;
}

#[tokio::test]
async fn a_dissolved_group_is_left_without_a_word() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "I was about to say", "hang": true }]))
        .await;
    let first = world.asks(&chat, &user, "are we fine?").await;
    world.showing(&first, "I was about to").await;
    let second = world.asks(&chat, &user, "and now?").await;
    acknowledged(&world, "im.message.receive_v1", 2).await;
    let sends = async || world.calls("POST", "/reply").await;
    let before = sends().await;

    world
        .post(&format!("/sandbox/chats/{chat}/dissolve"), json!({}))
        .await;
    heard(&world, "im.chat.disbanded_v1", 1).await;
    assert_eq!(
        sends().await,
        before,
        "nothing is sent to a chat that is gone"
    );
    assert!(world.replies_to(&second).await.is_empty());
    assert_eq!(world.model_requests().await.len(), 1);
    let labels = "nightjar_turns_total{outcome=\"chat_gone\"}";
    assert_eq!(world.number(labels).await, 1.0);
    world.finish().await;
}

#[tokio::test]
async fn a_group_that_takes_the_bot_back_is_welcomed_again_and_begins_anew() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "The turnstile is stuck." }, { "text": "Nothing." }]))
        .await;
    let first = world.asks(&chat, &user, "what is stuck?").await;
    world.answer_to(&first).await;
    members(&world, &chat, json!({ "bot": false })).await;
    heard(&world, "im.chat.member.bot.deleted_v1", 1).await;
    assert!(unasked(&world, &chat).await.is_empty());

    members(&world, &chat, json!({ "bot": true })).await;
    let welcome = the_one_unasked(&world, &chat).await;
    for part in ["Hello, I am Nightjar", "@Nightjar", "/help"] {
        assert!(welcome.text.contains(part), "{part}: {}", welcome.text);
    }
    assert!(!welcome.text.contains("permission"), "{}", welcome.text);
    let after = world.asks(&chat, &user, "what do you remember?").await;
    world.answer_to(&after).await;
    let asked = last_request(&world).await;
    assert!(!asked.contains("The turnstile is stuck."), "{asked}");
    heard(&world, "im.chat.member.bot.added_v1", 1).await;
    the_one_unasked(&world, &chat).await;
    world.finish().await;
}

#[tokio::test]
async fn a_welcome_names_the_permission_without_which_history_cannot_be_read() {
    let world = World::start_with("[conversation]\nlanguage = \"zh\"\n").await;
    let user = world.user("李雷").await;
    let body = json!({ "name": "支付值班", "members": [user], "bot": false });
    let chat = world.post("/sandbox/chats", body).await;
    let chat = chat["chat_id"].as_str().unwrap();
    world
        .faults(json!({ "refuse_scopes": ["im:message.group_msg"] }))
        .await;
    members(&world, chat, json!({ "bot": true })).await;
    let welcome = the_one_unasked(&world, chat).await;
    for part in ["你好，我是 Nightjar", "im:message.group_msg", "/帮助"] {
        assert!(welcome.text.contains(part), "{part}: {}", welcome.text);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_welcome_that_could_not_be_sent_is_sent_by_the_next_process_once() {
    let world = World::without_bot("").await;
    let bot = Process::start(&world);
    world.connected().await;
    let user = world.user("Li Lei").await;
    let body = json!({ "name": "checkout on-call", "members": [user], "bot": false });
    let chat = world.post("/sandbox/chats", body).await;
    let chat = chat["chat_id"].as_str().unwrap();
    let trouble = json!([{ "path_contains": "/im/v1/messages", "method": "POST", "code": 5000, "status": 500 }]);
    world.faults(json!({ "refuse": trouble })).await;
    members(&world, chat, json!({ "bot": true })).await;
    acknowledged(&world, "im.chat.member.bot.added_v1", 1).await;
    bot.kill().await;
    world.faults(json!({})).await;

    let bot = Process::start(&world);
    the_one_unasked(&world, chat).await;
    bot.terminate().await;
    // Another start finds nothing left to do.
    let bot = Process::start(&world);
    world.connected().await;
    let question = world.asks(chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    the_one_unasked(&world, chat).await;
    bot.terminate().await;
    world.finish().await;
}

#[tokio::test]
async fn who_opens_the_direct_chat_is_greeted_once_in_all_processes() {
    let mut world = World::start().await;
    let user = world.user("Li Lei").await;
    let chat = enters(&world, &user).await;
    let greeting = the_one_unasked(&world, &chat).await;
    assert!(greeting.text.contains("/help"), "{}", greeting.text);
    heard(&world, "im.chat.access_event.bot_p2p_chat_entered_v1", 1).await;
    assert_eq!(enters(&world, &user).await, chat);
    heard(&world, "im.chat.access_event.bot_p2p_chat_entered_v1", 2).await;
    world.stop_bot().await.unwrap();
    world.start_bot().await;
    enters(&world, &user).await;
    heard(&world, "im.chat.access_event.bot_p2p_chat_entered_v1", 3).await;
    the_one_unasked(&world, &chat).await;
    world.finish().await;
}

#[tokio::test]
async fn who_has_spoken_to_the_bot_is_not_greeted() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    let direct = enters(&world, &user).await;
    heard(&world, "im.chat.access_event.bot_p2p_chat_entered_v1", 1).await;
    assert!(unasked(&world, &direct).await.is_empty());
    world.finish().await;
}

#[tokio::test]
async fn the_menu_carries_out_commands_in_the_direct_chat() {
    let world = World::start().await;
    let user = world.user("Li Lei").await;
    let says = async |text: &str| {
        world
            .until(&format!("the bot says {text:?}"), async || {
                let all = world.messages(None).await;
                all.into_iter()
                    .find(|one| one.is_by_bot() && one.text.contains(text))
            })
            .await
    };
    // Before anything was ever said.
    presses_menu(&world, &user, "new").await;
    says("There was nothing to forget").await;

    let question = world.whispers(&user, "are we fine?").await;
    let answer = world.answer_to(&question).await;
    presses_menu(&world, &user, "/new").await;
    let forgotten = says("forgotten the 1 earlier").await;
    assert_eq!(forgotten.chat_id, answer.chat_id);
    assert_eq!(forgotten.parent_id, None, "there is nothing to reply to");

    presses_menu(&world, &user, "帮助").await;
    says("我能做什么").await;
    presses_menu(&world, &user, "dashboard").await;
    says("I do not know the command").await;
    presses_menu(&world, &user, "open.dashboard").await;

    world
        .model_says(json!([{ "text": "I was about to say", "hang": true }]))
        .await;
    let question = world.whispers(&user, "and now?").await;
    world.showing(&question, "I was about to").await;
    presses_menu(&world, &user, "stop").await;
    says("Stopped.").await;
    world.answer_to(&question).await;
    heard(&world, "application.bot.menu_v6", 6).await;
    world.finish().await;
}

#[tokio::test]
async fn a_new_name_and_new_members_are_known_at_once() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let first = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&first).await;
    let asked = last_request(&world).await;
    assert!(asked.contains("checkout on-call"), "{asked}");

    let rename = format!("/sandbox/chats/{chat}/rename");
    world
        .post(&rename, json!({ "name": "payments war room" }))
        .await;
    heard(&world, "im.chat.updated_v1", 1).await;
    let guest = world.user("Anna Rossi").await;
    members(&world, &chat, json!({ "add": [guest] })).await;
    heard(&world, "im.chat.member.user.added_v1", 1).await;
    let lookups = world.calls("GET", "/contact/v3/users").await;
    let second = world.asks(&chat, &guest, "are we fine now?").await;
    world.answer_to(&second).await;
    let asked = last_request(&world).await;
    assert!(asked.contains("payments war room"), "{asked}");
    assert!(asked.contains("Anna Rossi"), "{asked}");
    let after = world.calls("GET", "/contact/v3/users").await;
    assert_eq!(after, lookups, "her name came with the event");
    members(
        &world,
        &chat,
        json!({ "remove": [guest], "operator": guest }),
    )
    .await;
    heard(&world, "im.chat.member.user.deleted_v1", 1).await;
    world.finish().await;
}

#[tokio::test]
async fn names_are_asked_for_once_in_a_turn() {
    let world = World::start().await;
    let (first, second) = (world.user("Li Lei").await, world.user("Han Meimei").await);
    let chat = world.group("payments", &[&first, &second]).await;
    for sender in [&first, &second] {
        let body = json!({ "chat_id": chat, "sender": sender, "text": "hm" });
        world.says(body).await;
    }
    let question = world.asks(&chat, &first, "are we fine?").await;
    world.answer_to(&question).await;
    assert_eq!(world.calls("GET", "/contact/v3/users/batch").await, 1);
    world.finish().await;
}

#[tokio::test]
async fn reactions_are_acknowledged_and_nothing_is_said_to_them() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    let answer = world.answer_to(&question).await;
    let path = format!("/sandbox/messages/{}/reactions", answer.message_id);
    let react = json!({ "user": user, "emoji_type": "THUMBSUP" });
    world.post(&path, react).await;
    let undo = json!({ "user": user, "emoji_type": "THUMBSUP", "remove": true });
    world.post(&path, undo).await;
    // Ours are told too: the first sign, the last, and that the first was taken off.
    heard(&world, "im.message.reaction.created_v1", 3).await;
    heard(&world, "im.message.reaction.deleted_v1", 2).await;
    let messages = world.messages(Some(&chat)).await;
    assert_eq!(messages.len(), 2, "{messages:#?}");
    let name = "nightjar_events_total{type=\"im.message.reaction.created_v1\",outcome=\"ignored\"}";
    assert_eq!(world.number(name).await, 3.0);
    world.finish().await;
}
