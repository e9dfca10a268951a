//! The delivery contract: every question that was taken ends in exactly one visible answer.

use std::time::Duration;

use futures::future::join;
use serde_json::{Value, json};

use crate::{process::Process, world::World};

/// Messages that are said while no bot is there arrive together once one is.
async fn all_at_once(world: &mut World) {
    world.start_bot().await;
    world.advance(Duration::from_secs(16)).await;
}

#[tokio::test]
async fn a_stop_right_behind_a_question_stops_it() {
    let mut world = World::without_bot("").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Never mind", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "why is checkout slow?").await;
    let stop = world.asks(&chat, &user, "/stop").await;
    all_at_once(&mut world).await;
    let said = world.showing(&stop, "topped").await;
    assert!(!said.text.contains("Nothing is running"), "{}", said.text);
    assert!(world.answer_to(&question).await.text.contains("Stopped."));
    world.finish().await;
}

#[tokio::test]
async fn a_question_that_is_recalled_at_once_is_not_thought_about() {
    let mut world = World::without_bot("").await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "what is the root password?").await;
    world
        .post(&format!("/sandbox/messages/{question}/recall"), json!({}))
        .await;
    all_at_once(&mut world).await;
    let next = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&next).await;
    assert_eq!(world.model_requests().await.len(), 1);
    assert_eq!(world.replies_to(&question).await.len(), 0);
    world.finish().await;
}

#[tokio::test]
async fn a_restart_turns_nobody_away_who_was_in_a_full_line() {
    let mut world =
        World::start_with("[conversation]\nwaiting_max = 1\n[shutdown]\ndrain = \"100ms\"\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(
            json!([{ "text": "Slowly", "hang": true }, { "text": "One." }, { "text": "Two." }]),
        )
        .await;
    let one = world.asks(&chat, &user, "one").await;
    world.showing(&one, "Slowly").await;
    let two = world.asks(&chat, &user, "two").await;
    world
        .until("both are kept", async || {
            (!world.message(&two).await.signs().is_empty()).then_some(())
        })
        .await;
    world.stop_bot().await.unwrap();
    world.start_bot().await;
    assert!(world.answer_to(&one).await.text.contains("One."));
    assert!(world.answer_to(&two).await.text.contains("Two."));
    world.finish().await;
}

#[tokio::test]
async fn a_card_is_taken_over_hours_after_the_crash() {
    let world = World::without_bot("").await;
    let bot = Process::start(&world);
    world.connected().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Half an", "hang": true }, { "text": "All of it." }]))
        .await;
    let question = world.asks(&chat, &user, "what is it?").await;
    let card = world.showing(&question, "Half an").await;
    bot.kill().await;
    // The platform knows a repeated send for an hour.
    world.advance(Duration::from_secs(2 * 3600)).await;
    let bot = Process::start(&world);
    let answer = world.answer_to(&question).await;
    assert_eq!(answer.message_id, card.message_id);
    assert!(answer.text.contains("All of it."), "{}", answer.text);
    drop(bot);
    world.finish().await;
}

#[tokio::test]
async fn giving_up_is_said_in_the_card_that_is_open() {
    let mut world = World::without_bot("[shutdown]\ndrain = \"50ms\"\n").await;
    world.start_bot().await;
    let (chat, user) = world.room().await;
    let hang: Vec<Value> = (1..=5)
        .map(|n| json!({ "text": format!("Try number {n}"), "hang": true }))
        .collect();
    world.model_says(json!(hang)).await;
    let question = world.asks(&chat, &user, "what is it?").await;
    for n in 1..=5 {
        world.showing(&question, &format!("Try number {n}")).await;
        world.stop_bot().await.unwrap();
        world.start_bot().await;
    }
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("I give up"), "{}", answer.text);
    assert_eq!(world.message(&question).await.signs(), ["ERROR"]);
    world.finish().await;
}

/// Asks while `refuse` is in force, and sees that the whole answer arrives by `way`.
async fn arrives(way: &str, refuse: Value) {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "It is <the> cache & nothing else." }]))
        .await;
    world.faults(json!({ "refuse": refuse })).await;
    let question = world.asks(&chat, &user, "what is it?").await;
    world
        .until("the last word is there", async || {
            (world.message(&question).await.signs() == ["DONE"]).then_some(())
        })
        .await;
    let replies = world.replies_to(&question).await;
    let whole = |text: &str| text.contains("cache & nothing else.") && text.contains("the");
    let with_answer = replies.iter().filter(|one| whole(&one.text)).count();
    assert_eq!(with_answer, 1, "{way}: {replies:#?}");
    let counter = format!("nightjar_last_words_total{{way=\"{way}\"}}");
    assert!((world.number(&counter).await - 1.0).abs() < 0.1, "{way}");
    // Once the platform takes it again, what is still open is closed.
    world.faults(json!({})).await;
    world
        .until("nothing streams", async || {
            let replies = world.replies_to(&question).await;
            let is_open = |one: &crate::world::Seen| {
                one.is_streaming() || one.text.contains("Thinking") || one.text.contains("Writing")
            };
            (!replies.iter().any(is_open)).then_some(())
        })
        .await;
    world.finish().await;
}

fn settings_refused() -> Value {
    json!({ "path_contains": "/settings", "code": 300122 })
}

fn cards_refused() -> Value {
    json!({ "path_contains": "/cardkit/v1/cards/", "method": "PUT", "code": 300121 })
}

#[tokio::test]
async fn the_card_itself_takes_the_last_word() {
    arrives("card", json!([])).await;
}

#[tokio::test]
async fn a_card_that_is_busy_is_waited_for() {
    let busy = json!({ "path_contains": "/settings", "code": 200810, "times": 2 });
    arrives("card", json!([busy])).await;
}

#[tokio::test]
async fn a_card_whose_settings_are_refused_is_updated_whole() {
    arrives("update", json!([settings_refused()])).await;
}

#[tokio::test]
async fn a_card_that_takes_nothing_is_replaced_by_a_new_one() {
    arrives("static", json!([settings_refused(), cards_refused()])).await;
}

#[tokio::test]
async fn an_answer_that_no_card_takes_is_text() {
    let no_new_card =
        json!({ "path_contains": "/reply", "body_contains": "schema", "code": 230001 });
    arrives(
        "text",
        json!([settings_refused(), cards_refused(), no_new_card]),
    )
    .await;
}

#[tokio::test]
async fn an_app_without_cards_at_all_answers_in_text() {
    let no_new_card =
        json!({ "path_contains": "/reply", "body_contains": "schema", "code": 230001 });
    let no_entity = json!({ "path_contains": "/cardkit/", "code": 99991672, "status": 403 });
    arrives("text", json!([no_entity, no_new_card])).await;
}

#[tokio::test]
async fn a_platform_that_takes_nothing_for_a_while_gets_the_answer_after_that() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "It is the cache." }]))
        .await;
    let refuse = json!([{ "path_contains": "/im/", "code": 10014 }, { "path_contains": "/cardkit/", "code": 10014 }]);
    world.faults(json!({ "refuse": refuse })).await;
    let question = world.asks(&chat, &user, "what is it?").await;
    world
        .until("it has tried twice", async || {
            let tries = world.calls("POST", &format!("{question}/reply")).await;
            (tries >= 2).then_some(())
        })
        .await;
    world.faults(json!({})).await;
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("It is the cache."), "{}", answer.text);
    world.finish().await;
}

#[tokio::test]
async fn a_card_whose_sending_was_not_answered_is_not_left_behind() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "It is the cache.", "first_token_ms": 50 }]))
        .await;
    // Refused so often that the transport gives up on it; the entity is there by then.
    let refusal = json!({ "path_contains": "/reply", "body_contains": "card_id", "code": 230001, "times": 1 });
    world.faults(json!({ "refuse": [refusal] })).await;
    let question = world.asks(&chat, &user, "what is it?").await;
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("It is the cache."), "{}", answer.text);
    assert_eq!(world.calls("POST", "/cardkit/v1/cards").await, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_card_that_is_too_large_is_cut_smaller_and_nothing_is_lost() {
    for refusal in [
        json!({ "path_contains": "/cardkit/v1/cards/", "method": "PUT", "path_lacks": "/content", "code": 200860, "times": 1 }),
        json!({ "path_contains": "/cardkit/v1/cards/", "method": "PUT", "path_lacks": "/content", "code": 230099, "msg": "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit", "times": 1 }),
    ] {
        let world = World::start().await;
        let (chat, user) = world.room().await;
        let said: String = (1..=400)
            .map(|n| format!("{n}. the disk of host {n} is full\n"))
            .collect();
        world
            .model_says(json!([{ "text": said, "tokens_per_second": 100_000 }]))
            .await;
        world.faults(json!({ "refuse": [refusal] })).await;
        let question = world.asks(&chat, &user, "list them").await;
        let answers = world.answers_to(&question).await;
        assert!(answers.len() >= 2, "{} card(s)", answers.len());
        let all: String = answers.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(all.matches("the disk of host").count(), 400);
        world.finish().await;
    }
}

#[tokio::test]
async fn without_the_scope_for_card_entities_a_message_card_is_patched() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .faults(json!({ "refuse_scopes": ["cardkit:card:write"] }))
        .await;
    let said: String = (0..60).map(|n| format!("word{n} ")).collect();
    world
        .model_says(json!([{ "text": said, "tokens_per_second": 30 }]))
        .await;
    let question = world.asks(&chat, &user, "what is it?").await;
    let card = world.showing(&question, "word1").await;
    assert!(!card.text.contains("word59"), "it grows: {}", card.text);
    let answer = world.answer_to(&question).await;
    assert_eq!(answer.message_id, card.message_id);
    assert!(answer.text.contains("word0 ") && answer.text.contains("word59"));
    let left = answer.card.unwrap().labels();
    assert!(!left.contains(&"Stop".to_owned()), "{left:?}");
    let patched = world.calls("PATCH", "/im/v1/messages/").await;
    assert!(
        (2..=5).contains(&patched),
        "{patched} patches in two seconds"
    );
    // The next question does not ask for what is refused anyway.
    let tries = world.calls("POST", "/cardkit/v1/cards").await;
    let next = world.asks(&chat, &user, "and now?").await;
    world.answer_to(&next).await;
    assert_eq!(world.calls("POST", "/cardkit/v1/cards").await, tries);
    world.finish().await;
}

#[tokio::test]
async fn anyone_in_the_chat_can_press_stop_and_the_card_says_who_did() {
    let world = World::start().await;
    let li = world.user("Li Lei").await;
    let han = world.user("Han Meimei").await;
    let chat = world.group("checkout on-call", &[&li, &han]).await;
    world
        .model_says(json!([{ "text": "Reading the logs", "hang": true }]))
        .await;
    let question = world.asks(&chat, &li, "why is checkout slow?").await;
    let card = world.showing(&question, "Reading the logs").await;
    assert!(card.is_streaming());
    let (by_li, by_han) = join(
        world.presses(&li, &card, "Stop"),
        world.presses(&han, &card, "Stop"),
    )
    .await;
    let (name, late) = match by_li.as_str() {
        "Stopping." => ("Li Lei", by_han),
        _ => {
            assert_eq!(by_han, "Stopping.");
            ("Han Meimei", by_li)
        }
    };
    assert!(
        late.contains(&format!("{name} was first")),
        "the other is told by whom: {late}"
    );
    let answer = world.answer_to(&question).await;
    assert!(
        answer.text.contains(&format!("By {name}.")),
        "{}",
        answer.text
    );
    let left = answer.card.as_ref().unwrap().labels();
    assert!(!left.contains(&"Stop".to_owned()), "{left:?}");
    assert_eq!(world.message(&question).await.signs(), ["CrossMark"]);
    world.finish().await;
}

#[tokio::test]
async fn a_press_that_comes_too_late_is_told_so() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "正在查看日志", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "结账为什么变慢？").await;
    let card = world.showing(&question, "正在查看日志").await;
    // The last word cannot be said yet, so the button is still there.
    world
        .faults(json!({ "refuse": [{ "path_contains": "/cardkit/", "code": 200810 }] }))
        .await;
    assert_eq!(world.presses(&user, &card, "停止").await, "Stopping.");
    world
        .until("they are told who did it", async || {
            let told = world.presses(&user, &card, "停止").await;
            told.contains("Li Lei").then_some(())
        })
        .await;
    world.faults(json!({})).await;
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("由 Li Lei 停止"), "{}", answer.text);
    world.finish().await;
}

#[tokio::test]
async fn a_long_silence_shows_the_time_and_costs_little() {
    let world = World::start_with("[reply]\nsilence_shown_after = \"300ms\"\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "think hard").await;
    world.showing(&question, "⏱").await;
    let written = world.calls("PUT", "/elements/").await;
    assert!(written <= 2, "{written} writes for one line");
    world.asks(&chat, &user, "/stop").await;
    let answer = world.answer_to(&question).await;
    assert!(!answer.text.contains("⏱"), "{}", answer.text);
    world.finish().await;
}

#[tokio::test]
async fn streaming_is_renewed_before_the_platform_ends_it() {
    let world = World::start_with("[reply]\nrenew_streaming_after = \"500ms\"\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Let me think.", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "think hard").await;
    let card = world.showing(&question, "Let me think.").await;
    for round in 1..=2 {
        let renewed = world.calls("PATCH", "/settings").await;
        world
            .until("streaming was switched off and on", async || {
                (world.calls("PATCH", "/settings").await >= renewed + 4).then_some(())
            })
            .await;
        world.advance(Duration::from_secs(6 * 60)).await;
        assert!(
            world.message(&card.message_id).await.is_streaming(),
            "{} minutes after it began",
            6 * round
        );
    }
    world.asks(&chat, &user, "/stop").await;
    world.answer_to(&question).await;
    world.finish().await;
}

/// Asks in two chats, kills the bot at a moment that `seed` chooses, once or twice, and sees that each
/// question has one answer in one card.
async fn killed_at(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::without_bot("").await;
    let mut bot = Process::start(&world);
    world.connected().await;
    let (chat, user) = world.room().await;
    let talk: Vec<Value> = (0..12)
        .map(|n| json!({ "text": format!("This is what was said at try {n}."), "tokens_per_second": 60 }))
        .collect();
    world.model_says(json!(talk)).await;
    let questions = [
        world.asks(&chat, &user, "first?").await,
        world.whispers(&user, "beside it?").await,
        world.asks(&chat, &user, "second?").await,
    ];
    // What was not acknowledged comes again: a quarter of a minute after the first attempt, five minutes after
    // the second, which may have met a process that was killed too.
    let again_after = [Duration::from_secs(16), Duration::from_secs(301)];
    for wait in &again_after[..=random.usize(0..2)] {
        let moment = world.calls("", "").await + random.usize(0..30);
        world
            .until("it is time to die", async || {
                let all_done = async {
                    for id in &questions {
                        if world.message(id).await.signs() != ["DONE"] {
                            return false;
                        }
                    }
                    true
                };
                (world.calls("", "").await >= moment || all_done.await).then_some(())
            })
            .await;
        bot.kill().await;
        let starts = world.calls("", "bot/v3/info").await;
        bot = Process::start(&world);
        world
            .until("the new process asks the platform", async || {
                (world.calls("", "bot/v3/info").await > starts).then_some(())
            })
            .await;
        world.connected().await;
        world.advance(*wait).await;
    }
    for question in &questions {
        let answer = world.answer_to(question).await;
        let said = answer.text.matches("This is what was said").count();
        assert_eq!(said, 1, "seed {seed}: {answer:#?}");
    }
    drop(bot);
    world.finish().await;
}

/// More with `NIGHTJAR_KILLS=50 cargo test --test it killed_at_any_moment`.
#[tokio::test]
async fn a_bot_that_is_killed_at_any_moment_answers_each_question_once() {
    let kills = std::env::var("NIGHTJAR_KILLS").ok();
    let kills: u64 = kills.map_or(8, |kills| kills.parse().unwrap());
    for seed in 0..kills {
        killed_at(seed).await;
    }
}

#[tokio::test]
async fn a_full_disk_is_told_in_the_chat_and_nothing_is_lost() {
    let world = World::without_bot("").await;
    let mut bot = Process::start_with_health(&world);
    world.connected().await;
    let (chat, user) = world.room().await;
    let first = world.asks(&chat, &user, "are we fine?").await;
    world.answer_to(&first).await;
    if !bot.files_up_to("1").await {
        return; // No prlimit here (it is of util-linux).
    }
    let question = world.asks(&chat, &user, "磁盘满了吗？").await;
    world.showing(&question, "无法写入磁盘").await;
    let other = world.asks(&chat, &user, "and this?").await;
    world
        .until("both were delivered", async || {
            let deliveries = world.get("/sandbox/deliveries?since=0").await;
            let all = deliveries["deliveries"].as_array().unwrap().len();
            (all >= 3).then_some(())
        })
        .await;
    assert!(!bot.is_ready().await);
    bot.files_up_to("unlimited").await;
    bot.says("the store was reopened").await;
    assert!(bot.is_ready().await);
    world.advance(Duration::from_secs(16)).await;
    for id in [&question, &other] {
        world
            .until("what could not be kept is answered after all", async || {
                (world.message(id).await.signs() == ["DONE"]).then_some(())
            })
            .await;
    }
    assert_eq!(
        world.replies_to(&other).await.len(),
        1,
        "one complaint a minute is enough"
    );
    drop(bot);
    world.finish().await;
}
