//! What people see when they tell the bot to do something.

use serde_json::{Value, json};

use crate::world::World;

/// A person who is named in the configuration of the next bot.
async fn world_with_administrator() -> (World, String) {
    let mut world = World::without_bot("").await;
    let boss = world.user("Han Meimei").await;
    world.set(&format!("[access]\nadministrators = [{boss:?}]\n"));
    world.start_bot().await;
    (world, boss)
}

#[tokio::test]
async fn a_status_names_the_session_the_model_and_the_limits() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let before = world.asks(&chat, &user, "/status").await;
    let shown = world.showing(&before, "Status").await;
    for part in [
        "no answer is being written",
        "not asked since the start",
        "long connection is up",
        "not counted",
    ] {
        assert!(
            shown.text.contains(part),
            "{part:?} is not in {}",
            shown.text
        );
    }
    world
        .model_says(json!([{ "text": "Fine." }, { "text": "Slowly", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&question).await;
    let slow = world.asks(&chat, &user, "and now?").await;
    world.showing(&slow, "Slowly").await;
    let during = world.asks(&chat, &user, "／ status").await;
    let shown = world.showing(&during, "Status").await;
    for part in [
        "an answer is being written, 0 more wait",
        "I remember 1 question(s)",
        "rules, answered",
        "all calls",
    ] {
        assert!(
            shown.text.contains(part),
            "{part:?} is not in {}",
            shown.text
        );
    }
    world.asks(&chat, &user, "/stop").await;
    world.answer_to(&slow).await;
    world.finish().await;
}

#[tokio::test]
async fn a_command_is_answered_in_the_language_that_is_spoken_there() {
    let mut world = World::start().await;
    let (chat, user) = world.room().await;
    let first = world.asks(&chat, &user, "/stop").await;
    world.showing(&first, "Nothing is running here.").await;
    let question = world.asks(&chat, &user, "结账服务怎么了？").await;
    world.answer_to(&question).await;
    let stop = world.asks(&chat, &user, "/stop").await;
    world.showing(&stop, "没有正在进行的回答").await;

    // The session knows it still.
    world.stop_bot().await.unwrap();
    world.start_bot().await;
    let stop = world.asks(&chat, &user, "/stop").await;
    world.showing(&stop, "没有正在进行的回答").await;

    // A person decides for their direct chat.
    let set = world.whispers(&user, "/语言 英文").await;
    world.showing(&set, "The language is now: English.").await;
    let question = world.whispers(&user, "/帮助").await;
    world.showing(&question, "What I can do").await;
    world.finish().await;
}

#[tokio::test]
async fn help_explains_one_command_and_hides_what_one_may_not_do() {
    let (world, boss) = world_with_administrator().await;
    let user = world.user("Li Lei").await;
    let one = world.whispers(&user, "/help stop").await;
    let shown = world.showing(&one, "/停止").await;
    assert!(shown.text.contains("ends the answer"), "{}", shown.text);
    let all = world.whispers(&user, "/help").await;
    let shown = world.showing(&all, "/whoami").await;
    assert!(!shown.text.contains("/audit"), "{}", shown.text);
    let all = world.whispers(&boss, "/help").await;
    world.showing(&all, "/audit").await;
    let unknown = world.whispers(&user, "/statsu").await;
    world.showing(&unknown, "Did you mean `/status`").await;
    world.finish().await;
}

#[tokio::test]
async fn the_history_shows_what_would_be_read() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    for text in ["the first word", "checkout is down", "since 10:02"] {
        world
            .says(json!({"chat_id": chat, "sender": user, "text": text}))
            .await;
    }
    let history = world.asks(&chat, &user, "/history 2").await;
    let shown = world.showing(&history, "What I would read").await;
    assert!(shown.text.contains("since 10:02"), "{}", shown.text);
    assert!(shown.text.contains("checkout is down"), "{}", shown.text);
    assert!(!shown.text.contains("the first word"), "{}", shown.text);
    assert!(
        shown.text.contains("I would read 3 message(s)"),
        "{}",
        shown.text
    );

    let direct = world.whispers(&user, "/history").await;
    let shown = world.showing(&direct, "I would read 0 message(s)").await;
    assert!(
        !shown.text.contains("checkout"),
        "another chat's words: {}",
        shown.text
    );

    world
        .faults(json!({"refuse_scopes": ["im:message.group_msg"]}))
        .await;
    let blind = world.asks(&chat, &user, "/history").await;
    world.showing(&blind, "could not be read").await;
    world.finish().await;
}

#[tokio::test]
async fn a_groups_owner_and_managers_decide_how_it_is_answered() {
    let world = World::start().await;
    let (owner, manager, member) = (
        world.user("Li Lei").await,
        world.user("Han Meimei").await,
        world.user("Jim").await,
    );
    let body =
        json!({"name": "on-call", "members": [owner, manager, member], "managers": [manager]});
    let chat = world.post("/sandbox/chats", body).await;
    let chat = chat["chat_id"].as_str().unwrap();

    let refused = world.asks(chat, &member, "/settings threads on").await;
    world
        .showing(&refused, "Only the owner and the managers")
        .await;
    let set = world.asks(chat, &owner, "/settings threads on").await;
    world.showing(&set, "threads on").await;
    let set = world.asks(chat, &manager, "/设置 上文 0").await;
    world.showing(&set, "上文 0").await;

    world
        .says(json!({"chat_id": chat, "sender": member, "text": "the host is db-7"}))
        .await;
    let question = world.asks(chat, &member, "which host?").await;
    let answer = world.answer_to(&question).await;
    assert!(answer.thread_id.is_some(), "{answer:#?}");
    let asked = world.model_requests().await.pop().unwrap().to_string();
    assert!(!asked.contains("db-7"), "no history was wanted: {asked}");

    let set = world.asks(chat, &owner, "/language zh").await;
    world.showing(&set, "语言 中文").await;
    let status = world.asks(chat, &member, "/status").await;
    world
        .showing(&status, "话题回复 开；上文 0 条；安静 关；语言 中文")
        .await;
    world.finish().await;
}

#[tokio::test]
async fn stop_in_the_thread_of_an_answer_stops_it() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let set = world.asks(&chat, &user, "/settings threads on").await;
    world.showing(&set, "threads on").await;
    world
        .model_says(json!([{ "text": "Slowly", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "why is it slow?").await;
    let card = world.showing(&question, "Slowly").await;
    let stop = json!({
        "chat_id": chat, "sender": user, "text": "/stop", "mention_bot": true, "thread": card.thread_id,
    });
    let stop = world.says(stop).await;
    world.showing(&stop, "Stopped").await;
    world.answer_to(&question).await;
    assert_eq!(world.message(&question).await.signs(), ["CrossMark"]);
    world.finish().await;
}

#[tokio::test]
async fn feedback_reaches_the_administrators_and_nobody_else() {
    let (world, boss) = world_with_administrator().await;
    let user = world.user("Li Lei").await;
    let given = world
        .whispers(&user, "/feedback it missed the deploy")
        .await;
    world.showing(&given, "Thank you").await;
    let read = world.whispers(&user, "/feedback").await;
    world.showing(&read, "Write what you think").await;
    let read = world.whispers(&boss, "/feedback").await;
    let shown = world.showing(&read, "it missed the deploy").await;
    assert!(shown.text.contains("Li Lei"), "{}", shown.text);
    let chat = world.group("on-call", &[&boss, &user]).await;
    let open = world.asks(&chat, &boss, "/feedback").await;
    world.showing(&open, "in a direct chat only").await;
    world.finish().await;
}

#[tokio::test]
async fn the_audit_tells_who_asked_for_what_but_no_words() {
    let (world, boss) = world_with_administrator().await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "is the secret plan safe?").await;
    world.answer_to(&question).await;
    let set = world.asks(&chat, &user, "/settings quiet on").await;
    world.showing(&set, "quiet on").await;
    let refused = world.whispers(&user, "/audit").await;
    world.showing(&refused, "Only administrators").await;
    let audit = world
        .until("the audit holds all three", async || {
            let audit = world.whispers(&boss, "/audit").await;
            let shown = world.showing(&audit, "Who asked me for what").await;
            let parts = [
                "question",
                "answered",
                "group settings",
                "lacks_role",
                &chat,
            ];
            parts
                .iter()
                .all(|part| shown.text.contains(*part))
                .then_some(shown)
        })
        .await;
    assert!(!audit.text.contains("secret plan"), "{}", audit.text);
    assert!(audit.text.contains("Li Lei"), "{}", audit.text);
    let open = world.group("on-call", &[&boss]).await;
    let open = world.asks(&open, &boss, "/audit").await;
    world.showing(&open, "in a direct chat only").await;
    world.finish().await;
}

#[tokio::test]
async fn somebody_learns_who_they_are() {
    let (world, boss) = world_with_administrator().await;
    let user = world.user("Li Lei").await;
    let asked = world.whispers(&user, "/我是谁").await;
    let shown = world.showing(&asked, &user).await;
    assert!(shown.text.contains("member"), "{}", shown.text);
    let asked = world.whispers(&boss, "/whoami").await;
    let shown = world
        .showing(&asked, "administrator, listed by your open_id")
        .await;
    let state: Value = world.get("/sandbox/state").await;
    let tenant = state["app"]["tenant_key"].as_str().unwrap();
    assert!(shown.text.contains(tenant), "{}", shown.text);
    world.finish().await;
}
