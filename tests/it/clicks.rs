//! What people can press on an answer, and what comes of it.

use std::collections::HashSet;

use futures::future::join;
use serde_json::{Value, json};

use crate::{
    process::Process,
    world::{Seen, World},
};

const ROW: [&str; 3] = ["👍", "👎", "↻ Regenerate"];

/// A group of two, a question of the first, and its answer.
async fn answered(world: &World, says: Value) -> (String, [String; 2], String, Seen) {
    let li = world.user("Li Lei").await;
    let han = world.user("Han Meimei").await;
    let chat = world.group("checkout on-call", &[&li, &han]).await;
    world.model_says(says).await;
    let question = world.asks(&chat, &li, "why is checkout slow?").await;
    let answer = world.answer_to(&question).await;
    (chat, [li, han], question, answer)
}

/// Waits until the second of two cards has its last word.
async fn second_answer(world: &World, question: &str, first: &Seen) -> Seen {
    world
        .until("there is a second answer", async || {
            let replies = world.replies_to(question).await;
            let signs = world.message(question).await;
            let settled = signs.signs().len() == 1 && signs.signs()[0] != "OnIt";
            let mut others = replies
                .into_iter()
                .filter(|one| one.message_id != first.message_id);
            others.find(|one| settled && !one.is_streaming())
        })
        .await
}

#[tokio::test]
async fn an_answer_can_be_judged_and_regenerated_at_no_further_call() {
    let world = World::start().await;
    let (_, _, _, answer) = answered(&world, json!([{ "text": "The pool is full." }])).await;
    assert_eq!(answer.card.unwrap().labels(), ROW);
    // The card is closed with two calls, and the buttons came with the second one.
    assert_eq!(world.calls("PATCH", "/settings").await, 1);
    let sent = world.get("/sandbox/calls?since=0").await.to_string();
    let replaced = world.calls("PUT", "/cardkit/").await - sent.matches("/content").count();
    assert_eq!(replaced, 1);
    world.finish().await;
}

#[tokio::test]
async fn the_buttons_are_on_the_last_card_and_on_a_card_that_was_sent_whole() {
    let world = World::start().await;
    let line = "磁盘使用率超过阈值，请检查主机并清理日志。";
    let long: String = (1..=900).map(|n| format!("{n}. {line}\n")).collect();
    let (chat, user) = world.room().await;
    world
        .model_says(json!([{ "text": long, "tokens_per_second": 100_000 }, { "text": "短。" }]))
        .await;
    let question = world.asks(&chat, &user, "列出全部告警").await;
    let answers = world.answers_to(&question).await;
    let (last, before) = answers.split_last().unwrap();
    assert!(!before.is_empty());
    for card in before {
        assert!(card.card.as_ref().unwrap().buttons.is_empty());
    }
    let labels = last.card.as_ref().unwrap().labels();
    assert_eq!(labels, ["👍", "👎", "↻ 重新回答"]);

    // Card entities are refused, so this answer is a card that is patched.
    world
        .faults(json!({ "refuse_scopes": ["cardkit:card:write"] }))
        .await;
    let question = world.asks(&chat, &user, "现在呢？").await;
    let answer = world.answer_to(&question).await;
    assert_eq!(answer.card.as_ref().unwrap().buttons.len(), 3);
    assert_eq!(
        world.presses(&user, &answer, "👎").await,
        "Noted. At the end of the card you can say what was wrong."
    );
    let card = world.message(&answer.message_id).await;
    assert!(card.text.contains("哪里有问题？"), "{}", card.text);
    world.finish().await;
}

#[tokio::test]
async fn a_question_is_answered_anew_in_a_new_card_and_the_old_one_stays() {
    let world = World::start_with("[conversation]\nhistory_messages = 20\n").await;
    let (chat, [li, han], question, first) = answered(
        &world,
        json!([{ "text": "It is the DNS." }, { "text": "It is the pool." }, { "text": "Fine." }]),
    )
    .await;
    let (by_li, by_han) = join(
        world.presses(&li, &first, "↻ Regenerate"),
        world.presses(&han, &first, "↻ Regenerate"),
    )
    .await;
    let (name, late) = match by_li.starts_with("I am answering") {
        true => ("Li Lei", by_han),
        false => {
            assert!(by_han.starts_with("I am answering"), "{by_han}");
            ("Han Meimei", by_li)
        }
    };
    assert!(late.starts_with(&format!("{name} was first")), "{late}");
    let second = second_answer(&world, &question, &first).await;
    assert!(second.text.contains("It is the pool."), "{}", second.text);
    assert!(
        second.text.contains(&format!("Answered anew for {name}.")),
        "{}",
        second.text
    );
    assert_eq!(second.card.as_ref().unwrap().labels(), ROW);
    assert_eq!(world.replies_to(&question).await.len(), 2, "two cards");
    assert_eq!(world.message(&question).await.signs(), ["DONE"]);

    let old = world.message(&first.message_id).await;
    assert!(old.text.contains("It is the DNS."), "{}", old.text);
    assert!(
        old.text.contains(&format!("{name} asked for a new answer")),
        "{}",
        old.text
    );
    assert_eq!(old.card.unwrap().labels(), ROW[..2]);

    // It was asked as it was the first time, and from now on only the new answer holds.
    let requests = world.model_requests().await;
    assert_eq!(
        requests[0]["body"]["messages"].as_array().unwrap().len(),
        requests[1]["body"]["messages"].as_array().unwrap().len()
    );
    assert!(!requests[1]["body"].to_string().contains("the DNS"));
    let next = world.asks(&chat, &li, "are you sure?").await;
    world.answer_to(&next).await;
    let known = world.model_requests().await[2]["body"].to_string();
    assert!(known.contains("It is the pool."), "{known}");
    assert!(!known.contains("It is the DNS."), "{known}");
    world.finish().await;
}

#[tokio::test]
async fn the_question_shows_that_it_is_at_work_again() {
    let world = World::start().await;
    let (_, [li, _], question, first) = answered(
        &world,
        json!([{ "text": "It is the DNS." }, { "text": "Hm", "hang": true }]),
    )
    .await;
    world.presses(&li, &first, "↻ Regenerate").await;
    world
        .until("only the first sign is there", async || {
            (world.message(&question).await.signs() == ["OnIt"]).then_some(())
        })
        .await;
    let second = world.showing(&question, "Hm").await;
    assert_ne!(second.message_id, first.message_id);
    assert_eq!(world.presses(&li, &second, "Stop").await, "Stopping.");
    world
        .until("it has stopped", async || {
            (world.message(&question).await.signs() == ["CrossMark"]).then_some(())
        })
        .await;
    world.finish().await;
}

#[tokio::test]
async fn a_question_is_not_answered_anew_for_ever() {
    let world = World::start().await;
    let replies: Vec<Value> = (0..6)
        .map(|n| json!({ "text": format!("Answer {n}.") }))
        .collect();
    let (_, [li, _], question, first) = answered(&world, json!(replies)).await;
    let mut seen = HashSet::from([first.message_id.clone()]);
    let mut newest = first;
    for n in 1..=5 {
        let toast = world.presses(&li, &newest, "↻ Regenerate").await;
        assert!(toast.starts_with("I am answering"), "{toast}");
        newest = world
            .until("the next answer is there", async || {
                let replies = world.replies_to(&question).await;
                let text = format!("Answer {n}.");
                replies.into_iter().find(|one| {
                    let is_new = !seen.contains(&one.message_id) && !one.is_streaming();
                    is_new
                        && one.text.contains(&text)
                        && !one.card.as_ref().unwrap().buttons.is_empty()
                })
            })
            .await;
        seen.insert(newest.message_id.clone());
        // Its place in the store is written just after it is seen.
        world
            .until("it is done", async || {
                (world.message(&question).await.signs() == ["DONE"]).then_some(())
            })
            .await;
    }
    let toast = world.presses(&li, &newest, "↻ Regenerate").await;
    assert!(toast.contains("other words"), "{toast}");
    assert_eq!(world.replies_to(&question).await.len(), 6);
    world.finish().await;
}

#[tokio::test]
async fn what_was_asked_for_by_a_press_survives_the_death_of_the_process() {
    let world = World::without_bot("").await;
    let bot = Process::start(&world);
    world.connected().await;
    let (chat, user) = world.room().await;
    // The one that is killed may have asked the model for the second answer already, or not.
    world
        .model_says(json!([
            { "text": "It is the DNS." },
            { "text": "It is the pool.", "first_token_ms": 1000 },
            { "text": "It is the pool." },
        ]))
        .await;
    let question = world.asks(&chat, &user, "why is checkout slow?").await;
    let first = world.answer_to(&question).await;
    let toast = world.presses(&user, &first, "↻ Regenerate").await;
    assert!(toast.starts_with("I am answering"), "{toast}");
    bot.kill().await;

    let bot = Process::start(&world);
    world
        .until("there is a second answer", async || {
            let replies = world.replies_to(&question).await;
            let mut others = replies
                .into_iter()
                .filter(|one| one.message_id != first.message_id);
            others.find(|one| !one.is_streaming() && one.text.contains("pool"))
        })
        .await;
    assert_eq!(world.replies_to(&question).await.len(), 2);
    // The key that signs the buttons is the same one as before.
    let toast = world.presses(&user, &first, "👍").await;
    assert!(toast.starts_with("Thank you"), "{toast}");
    drop(bot);
}

#[tokio::test]
async fn who_dislikes_an_answer_is_asked_what_was_wrong() {
    let world = World::start().await;
    let (_, [li, han], _, answer) = answered(&world, json!([{ "text": "It is the DNS." }])).await;
    let count = async |verdict: &str| {
        let name = format!("nightjar_feedback_total{{verdict=\"{verdict}\"}}");
        world.number(&name).await
    };
    let has_form = async || {
        let card = world.message(&answer.message_id).await;
        assert!(card.text.contains("It is the DNS."), "{}", card.text);
        card.text.contains("What was wrong?")
    };
    world.presses(&li, &answer, "👍").await;
    world.presses(&li, &answer, "👍").await;
    assert_eq!((count("good").await, has_form().await), (1.0, false));

    world.presses(&li, &answer, "👎").await;
    world.presses(&han, &answer, "👎").await;
    assert_eq!((count("bad").await, has_form().await), (2.0, true));
    let card = world.message(&answer.message_id).await;
    assert_eq!(
        world.fills_in(&li, &card, json!({})).await,
        "Choose a reason or write one, then send it."
    );
    let form =
        json!({ "reasons": ["wrong_diagnosis", "unusable_remedy"], "text": "DNS was fine." });
    let thanks = world.fills_in(&li, &card, form).await;
    assert!(thanks.starts_with("Thank you"), "{thanks}");
    assert!(has_form().await, "the other has not said why");
    // Who does not want to say why presses once more.
    world.presses(&han, &answer, "👎").await;
    assert_eq!((count("bad").await, has_form().await), (2.0, false));
    world.presses(&han, &answer, "👍").await;
    assert_eq!(count("good").await, 2.0);
    world.finish().await;
}

#[tokio::test]
async fn a_button_that_is_not_ours_or_stands_in_another_chat_is_out_of_date() {
    let world = World::start().await;
    let (_, [li, _], _, answer) = answered(&world, json!([{ "text": "It is the DNS." }])).await;
    let real = answer.card.as_ref().unwrap().value("↻ Regenerate");
    let mut forged = real.clone();
    forged["deed"] = json!("praise");
    let elsewhere = world.group("another room", &[&li]).await;
    let values = [
        real,
        forged,
        json!({ "stop": "0190" }),
        json!("stop"),
        json!({ "deed": "regenerate", "about": "om_1/2", "chat": elsewhere, "seal": "00" }),
    ];
    for value in values {
        let button = json!({"tag": "button", "text": {"tag": "plain_text", "content": "Press me"},
            "behaviors": [{"type": "callback", "value": value}]});
        let card = json!({"schema": "2.0", "body": {"elements": [button]}});
        let message =
            json!({"chat_id": elsewhere, "sender": li, "msg_type": "interactive", "content": card});
        let id = world.says(message).await;
        let toast = world
            .presses(&li, &world.message(&id).await, "Press me")
            .await;
        assert!(toast.contains("out of date"), "{value}: {toast}");
    }
    assert_eq!(world.model_requests().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_question_that_was_recalled_is_not_answered_anew() {
    let world = World::start().await;
    let (chat, [li, _], question, answer) =
        answered(&world, json!([{ "text": "It is the DNS." }])).await;
    world
        .post(&format!("/sandbox/messages/{question}/recall"), json!({}))
        .await;
    // Events arrive in order, so once this one is answered the recall was heard.
    let next = world.asks(&chat, &li, "hello").await;
    world.answer_to(&next).await;
    let toast = world.presses(&li, &answer, "↻ Regenerate").await;
    assert!(toast.contains("out of date"), "{toast}");
    world.finish().await;
}

#[tokio::test]
async fn stop_ends_the_stream_within_one_round_trip() {
    let world = World::start().await;
    let (chat, user) = world.room().await;
    let said: String = (0..2_000).map(|n| format!("word{n} ")).collect();
    world
        .model_says(json!([{ "text": said, "tokens_per_second": 60 }]))
        .await;
    let question = world.asks(&chat, &user, "tell me everything").await;
    let card = world.showing(&question, "word5").await;
    world.faults(json!({ "latency_ms": 300 })).await;
    assert_eq!(world.presses(&user, &card, "Stop").await, "Stopping.");
    let answer = world.answer_to(&question).await;
    assert!(answer.text.contains("By Li Lei."), "{}", answer.text);
    world.faults(json!({})).await;

    let deliveries = world.get("/sandbox/deliveries?since=0").await;
    let press = deliveries["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["event_type"] == json!("card.action.trigger"))
        .unwrap()
        .clone();
    let acked_ms = press["acked_ms"].as_i64().unwrap();
    let calls = world.get("/sandbox/calls?since=0").await;
    let after: Vec<&str> = calls["calls"]
        .as_array()
        .unwrap()
        .iter()
        // One that had left us already may still arrive.
        .filter(|call| call["at_ms"].as_i64().unwrap() > acked_ms)
        .map(|call| call["path"].as_str().unwrap())
        .collect();
    let texts = after
        .iter()
        .filter(|path| path.ends_with("/content"))
        .count();
    assert!(
        texts <= 1,
        "{texts} texts after the answer to Stop: {after:?}"
    );
    assert_eq!(
        world
            .number("nightjar_turns_total{outcome=\"stopped\"}")
            .await,
        1.0
    );
    world.finish().await;
}
