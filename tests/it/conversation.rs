//! What people see when they talk to the bot.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn a_question_gets_a_sign_a_streaming_card_and_the_whole_answer() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let said = "The error rate of **checkout** rose at 10:02.\n\n- payment calls time out\n- nothing was deployed";
    world
        .model_says(json!([{ "text": said, "tokens_per_second": 40 }]))
        .await;

    let question = world.asks(&chat, &user, "why is checkout failing?").await;
    world
        .until("the question carries the first sign", async || {
            world
                .message(&question)
                .await
                .signs()
                .contains(&"OnIt")
                .then_some(())
        })
        .await;
    let card = world.showing(&question, "The error rate").await;
    assert!(
        card.is_streaming(),
        "it streams while the model talks: {card:#?}"
    );

    let answer = world.answer_to(&question).await;
    assert!(
        answer.text.contains("payment calls time out"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("nothing was deployed"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("rules"),
        "the small print names the model: {}",
        answer.text
    );
    assert_eq!(world.message(&question).await.signs(), ["DONE"]);
    world.finish().await;
}

#[tokio::test]
async fn only_a_mention_by_id_is_for_us() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let ignored = [
        world
            .says(json!({ "chat_id": chat, "sender": user, "text": "Nightjar is a bird" }))
            .await,
        world
            .says(json!({ "chat_id": chat, "sender": user, "text": "lunch?", "mention_all": true }))
            .await,
    ];
    // Events arrive in order, so once this one is answered the others were decided.
    let question = world.asks(&chat, &user, "hello").await;
    world.answer_to(&question).await;
    for id in ignored {
        assert_eq!(world.replies_to(&id).await.len(), 0);
        assert!(world.message(&id).await.signs().is_empty());
    }
    assert_eq!(world.model_requests().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_direct_message_needs_no_mention() {
    let world = World::start().await;
    let user = world.user("Han Meimei").await;
    let question = world.whispers(&user, "hello").await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn a_thread_is_answered_in_the_thread_and_knows_only_the_thread() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .says(json!({ "chat_id": chat, "sender": user, "text": "the cafeteria has dumplings" }))
        .await;
    let root = world
        .says(json!({ "chat_id": chat, "sender": user, "text": "redis is full again" }))
        .await;
    world
        .says(json!({ "chat_id": chat, "sender": user, "text": "evictions began at nine", "reply_to": root, "thread": true }))
        .await;
    let question = world
        .says(json!({ "chat_id": chat, "sender": user, "text": "what do we know?", "mention_bot": true, "reply_to": root, "thread": true }))
        .await;
    let answer = world.answer_to(&question).await;
    assert!(answer.thread_id.is_some());
    assert_eq!(answer.thread_id, world.message(&question).await.thread_id);
    let asked = whole(&world.model_requests().await[0]);
    assert!(
        asked.contains("redis is full again"),
        "the thread's first message: {asked}"
    );
    assert!(
        asked.contains("evictions began at nine"),
        "its replies: {asked}"
    );
    assert!(
        !asked.contains("dumplings"),
        "nothing from outside: {asked}"
    );
    world.finish().await;
}

#[tokio::test]
async fn the_model_knows_what_the_group_said_and_who_said_it() {
    let world = World::start().await;
    let li = world.user("Li Lei").await;
    let han = world.user("Han Meimei").await;
    let chat = world.group("checkout on-call", &[&li, &han]).await;
    world
        .says(json!({ "chat_id": chat, "sender": han, "text": "p99 of checkout is at 4 s" }))
        .await;
    let question = world.asks(&chat, &li, "since when?").await;
    world.answer_to(&question).await;
    let asked = whole(&world.model_requests().await[0]);
    for part in [
        "p99 of checkout is at 4 s",
        "Han Meimei",
        "Li Lei",
        "since when?",
        "checkout on-call",
    ] {
        assert!(asked.contains(part), "{part:?} is not in {asked}");
    }
    let system = world.model_requests().await[0]["body"]["messages"][0].to_string();
    assert!(
        !system.contains("p99 of checkout"),
        "what people write is never in the system prompt"
    );
    world.finish().await;
}

#[tokio::test]
async fn the_history_holds_our_own_cards_though_the_platform_does_not_give_them_back() {
    let world =
        World::start_with("[conversation]\nremembered_turns = 0\nhistory_tokens = 8000\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "The disk of db-7 is full." }, { "text": "Yes." }]))
        .await;
    let first = world.asks(&chat, &user, "what is wrong?").await;
    world.answer_to(&first).await;
    let second = world.asks(&chat, &user, "are you sure?").await;
    world.answer_to(&second).await;
    let asked = whole(&world.model_requests().await[1]);
    assert!(asked.contains("The disk of db-7 is full."), "{asked}");
    world.finish().await;
}

#[tokio::test]
async fn a_session_remembers_until_it_is_told_to_begin_anew() {
    let world = World::start_with("[conversation]\nhistory_messages = 0\n").await;
    let (chat, user) = world.room().await;
    let first = world.asks(&chat, &user, "my favourite host is db-7").await;
    world.answer_to(&first).await;
    let second = world.asks(&chat, &user, "which one was it?").await;
    world.answer_to(&second).await;
    assert!(whole(&world.model_requests().await[1]).contains("db-7"));

    let command = world.asks(&chat, &user, "/新会话").await;
    world.showing(&command, "新会话").await;
    let third = world.asks(&chat, &user, "and now?").await;
    world.answer_to(&third).await;
    assert!(!whole(&world.model_requests().await[2]).contains("db-7"));
    world.finish().await;
}

#[tokio::test]
async fn twenty_chats_at_once_are_all_answered() {
    let world = World::start().await;
    let user = world.user("Li Lei").await;
    let chats =
        join_all((0..20).map(async |n| world.group(&format!("room {n}"), &[&user]).await)).await;
    let asked = join_all(chats.iter().enumerate().map(async |(n, chat)| {
        world
            .asks(chat, &user, &format!("what about shard {n}?"))
            .await
    }))
    .await;
    // One after the other: twenty who look at all messages at every change would be most of the work here.
    for id in &asked {
        world.answer_to(id).await;
    }
    world.finish().await;
}

#[tokio::test]
async fn two_questions_in_one_chat_are_answered_in_order() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([
            { "match": "first", "text": "One.", "first_token_ms": 300 },
            { "match": "second", "text": "Two." },
        ]))
        .await;
    let first = world.asks(&chat, &user, "the first question").await;
    let second = world.asks(&chat, &user, "the second question").await;
    // The one that waits shows that it was seen.
    world
        .until("both carry a sign", async || {
            let waiting = world.message(&second).await;
            (!waiting.signs().is_empty()).then_some(())
        })
        .await;
    assert!(world.answer_to(&first).await.text.contains("One."));
    assert!(world.answer_to(&second).await.text.contains("Two."));
    let requests = world.model_requests().await;
    assert!(
        !whole(&requests[0]).contains("the second question"),
        "what comes later is not history"
    );
    assert!(
        whole(&requests[1]).contains("One."),
        "the second knows the first answer"
    );
    world.finish().await;
}

#[tokio::test]
async fn a_full_line_turns_people_away_and_says_so() {
    let world = World::start_with("[conversation]\nwaiting_max = 1\n").await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "match": "one", "text": "Slowly", "hang": true }]))
        .await;
    let one = world.asks(&chat, &user, "one").await;
    world.showing(&one, "Slowly").await;
    let two = world.asks(&chat, &user, "two").await;
    let three = world.asks(&chat, &user, "three").await;
    let refusal = world.answer_to(&three).await;
    assert!(refusal.text.contains("already wait"), "{}", refusal.text);
    assert_eq!(world.message(&three).await.signs(), ["ERROR"]);
    world.asks(&chat, &user, "/stop").await;
    world.answer_to(&two).await;
    world.finish().await;
}

#[tokio::test]
async fn stopping_a_turn_marks_its_card_as_stopped() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Reading the logs of checkout.", "hang": true }]))
        .await;
    let question = world.asks(&chat, &user, "why is checkout slow?").await;
    world
        .showing(&question, "Reading the logs of checkout.")
        .await;
    let stop = world.asks(&chat, &user, "／停止").await;
    world.showing(&stop, "已停止").await;
    let answer = world.answer_to(&question).await;
    assert!(
        answer.text.contains("Reading the logs of checkout."),
        "{}",
        answer.text
    );
    assert!(
        answer.text.to_lowercase().contains("stopped"),
        "{}",
        answer.text
    );
    assert_eq!(world.message(&question).await.signs(), ["CrossMark"]);
    world.finish().await;
}

#[tokio::test]
async fn recalling_a_question_ends_its_turn() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": "Let me see.", "hang": true }, { "text": "Fine." }]))
        .await;
    let question = world.asks(&chat, &user, "what is the root password?").await;
    world.showing(&question, "Let me see.").await;
    world
        .post(&format!("/sandbox/messages/{question}/recall"), json!({}))
        .await;
    world
        .until("its card is closed", async || {
            world
                .replies_to(&question)
                .await
                .iter()
                .all(|one| !one.is_streaming())
                .then_some(())
        })
        .await;
    let next = world.asks(&chat, &user, "are we fine?").await;
    assert!(world.answer_to(&next).await.text.contains("Fine."));
    world.finish().await;
}

#[tokio::test]
async fn help_lists_the_commands_in_both_languages() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let english = world.asks(&chat, &user, "/help").await;
    let shown = world.showing(&english, "/new").await;
    assert!(shown.text.contains("/stop"), "{}", shown.text);
    let chinese = world.asks(&chat, &user, "/帮助").await;
    let shown = world.showing(&chinese, "/新会话").await;
    assert!(shown.text.contains("/停止"), "{}", shown.text);
    let unknown = world.whispers(&user, "/hlep").await;
    world.showing(&unknown, "/help").await;
    assert_eq!(
        world.model_requests().await.len(),
        0,
        "commands do not ask the model"
    );
    world.finish().await;
}

#[tokio::test]
async fn a_tool_call_is_shown_as_a_step_and_its_result_reaches_the_model() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([
            { "tool_calls": [{ "name": "current_time_and_chat", "arguments": "{}" }] },
            { "text": "It is time to sleep." },
        ]))
        .await;
    let question = world.asks(&chat, &user, "what time is it?").await;
    let answer = world.answer_to(&question).await;
    assert!(
        answer.text.contains("It is time to sleep."),
        "{}",
        answer.text
    );
    let requests = world.model_requests().await;
    assert_eq!(requests.len(), 2);
    let roles: Vec<&str> = requests[1]["body"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles[roles.len() - 2..], ["assistant", "tool"]);
    world.finish().await;
}

#[tokio::test]
async fn what_the_model_thinks_is_not_shown_as_its_answer() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "reasoning": "they must not see this", "text": "All good." }]))
        .await;
    let question = world.asks(&chat, &user, "status?").await;
    let answer = world.answer_to(&question).await;
    assert!(
        answer.text.contains("All good.") && !answer.text.contains("must not see"),
        "{}",
        answer.text
    );
    world.finish().await;
}

#[tokio::test]
async fn a_model_that_fails_is_told_in_the_chat_and_in_the_askers_language() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "fail": 401 }, { "fail": 401 }, { "text": "Half an", "fail": "cut" }]))
        .await;
    let english = world.asks(&chat, &user, "are we fine?").await;
    let answer = world.answer_to(&english).await;
    assert!(
        answer.text.contains("does not accept my key"),
        "{}",
        answer.text
    );
    assert_eq!(world.message(&english).await.signs(), ["ERROR"]);
    let chinese = world.asks(&chat, &user, "服务正常吗？").await;
    assert!(world.answer_to(&chinese).await.text.contains("密钥"));
    let broken = world.asks(&chat, &user, "and now?").await;
    let answer = world.answer_to(&broken).await;
    assert!(
        answer.text.contains("Half an") && answer.text.contains("broke off"),
        "{}",
        answer.text
    );
    world.finish().await;
}

#[tokio::test]
async fn an_answer_too_long_for_one_card_goes_on_in_a_second() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let line = "磁盘使用率超过阈值，请检查主机并清理日志。";
    let said: String = (1..=900).map(|n| format!("{n}. {line}\n")).collect();
    world
        .model_says(json!([{ "text": said, "tokens_per_second": 100_000 }]))
        .await;
    let question = world.asks(&chat, &user, "列出全部告警").await;
    let answers = world.answers_to(&question).await;
    assert!(answers.len() >= 2, "{} card(s)", answers.len());
    let all: String = answers.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        all.matches(line).count(),
        900,
        "nothing is lost between the cards"
    );
    world.finish().await;
}

#[tokio::test]
async fn an_answer_goes_on_after_the_platform_closed_its_stream() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let said: String = (0..60).map(|n| format!("word{n} ")).collect();
    world
        .model_says(json!([{ "text": said, "tokens_per_second": 30 }]))
        .await;
    let question = world.asks(&chat, &user, "tell me everything").await;
    world.showing(&question, "word1").await;
    world.advance(Duration::from_secs(11 * 60)).await;
    let answer = world.answer_to(&question).await;
    assert!(
        answer.text.contains("word0 ") && answer.text.contains("word59"),
        "{}",
        answer.text
    );
    world.finish().await;
}

#[tokio::test]
async fn an_alert_in_the_history_cannot_give_orders_or_mention_people() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    world.model_says(json!([{ "text": "Hello <at id=all></at> and <at user_id=\"all\">all</at> ![x](http://x/y.png)" }])).await;
    let question = world.asks(&chat, &user, "say hello").await;
    let answer = world.answer_to(&question).await;
    let calls = world.get("/sandbox/messages").await;
    let sent = calls["messages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["message_id"] == json!(answer.message_id))
        .unwrap();
    // The summary for the chat list is plain text; the body is what is read as Markdown.
    let card: Value = serde_json::from_str(sent["content"].as_str().unwrap()).unwrap();
    let content = card["body"].to_string();
    assert!(!content.contains("<at"), "no mention is live: {content}");
    assert!(!content.contains("!["), "no picture by address: {content}");
    world.finish().await;
}

/// Everything the model was told in one request.
fn whole(request: &Value) -> String {
    request["body"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| match &message["content"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect::<Vec<_>>()
        .join("\n")
}
