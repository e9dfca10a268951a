//! Who may ask, what others see, and what administrators are told.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::{
    process::Process,
    world::{Seen, World},
};

/// What the bot said directly to a person, beside replies.
async fn told(world: &World, person: &str) -> Vec<Seen> {
    let chat = world
        .post(
            "/sandbox/chats",
            json!({"chat_type": "p2p", "members": [person]}),
        )
        .await;
    let all = world.messages(chat["chat_id"].as_str()).await;
    all.into_iter()
        .filter(|one| one.is_by_bot() && one.parent_id.is_none())
        .collect()
}

/// Waits until a person was told this.
async fn is_told(world: &World, person: &str, text: &str) -> Vec<Seen> {
    world
        .until(&format!("someone is told {text:?}"), async || {
            let all = told(world, person).await;
            all.iter().any(|one| one.text.contains(text)).then_some(all)
        })
        .await
}

#[tokio::test]
async fn who_may_not_ask_is_told_once_and_gets_no_sign() {
    let mut world = World::without_bot("").await;
    let (li, han) = (world.user("Li Lei").await, world.user("Han Meimei").await);
    world.set(&format!("[access]\ndeny_users = [{li:?}]\n"));
    world.start_bot().await;
    let chat = world.group("on-call", &[&li, &han]).await;
    let denied = world.asks(&chat, &li, "why is checkout slow?").await;
    world
        .showing(&denied, "I am not set up to answer you")
        .await;
    let again = world.asks(&chat, &li, "and now?").await;
    let status = world.asks(&chat, &li, "/status").await;
    // Who may is answered after all that.
    let allowed = world.asks(&chat, &han, "why is checkout slow?").await;
    world.answer_to(&allowed).await;
    assert!(world.replies_to(&again).await.is_empty(), "not every time");
    assert!(world.replies_to(&status).await.is_empty());
    for message in [&denied, &again, &status] {
        assert!(world.message(message).await.signs().is_empty());
    }
    assert_eq!(world.model_requests().await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_quiet_group_is_not_told_who_may_not_ask_and_still_gets_its_answers() {
    let mut world = World::without_bot("").await;
    let (li, han) = (world.user("Li Lei").await, world.user("Han Meimei").await);
    world.set(&format!("[access]\ndeny_users = [{li:?}]\n"));
    world.start_bot().await;
    // The first member is the owner, who may change how the group is answered.
    let quiet = world.group("quiet on-call", &[&han, &li]).await;
    let other = world.group("on-call", &[&han, &li]).await;
    let set = world.asks(&quiet, &han, "/settings quiet on").await;
    world.showing(&set, "quiet on").await;
    let unheard = world.asks(&quiet, &li, "why is checkout slow?").await;
    let told = world.asks(&other, &li, "why is checkout slow?").await;
    world.showing(&told, "I am not set up to answer you").await;
    let allowed = world.asks(&quiet, &han, "why is checkout slow?").await;
    world.answer_to(&allowed).await;
    assert!(world.replies_to(&unheard).await.is_empty());
    assert!(world.message(&unheard).await.signs().is_empty());
    world.finish().await;
}

#[tokio::test]
async fn outsiders_and_their_groups_get_no_answer_unless_they_are_let_in() {
    let mut world = World::start().await;
    let li = world.user("Li Lei").await;
    let guest = json!({"name": "Guest", "tenant_key": "t-partner"});
    let guest = world.post("/sandbox/users", guest).await;
    let guest = guest["open_id"].as_str().unwrap();
    let mixed = world.group("with a partner", &[&li, guest]).await;
    let asked = world.asks(&mixed, &li, "what is our root password?").await;
    world.showing(&asked, "people of other organisations").await;
    let direct = world.whispers(guest, "what is your root password?").await;
    world.showing(&direct, "my own organisation").await;
    assert!(world.model_requests().await.is_empty());

    world.stop_bot().await.unwrap();
    world.set("[access]\nexternal_groups = true\n");
    world.start_bot().await;
    let asked = world.asks(&mixed, &li, "and now?").await;
    world.answer_to(&asked).await;
    let asked = world.asks(&mixed, guest, "and for me?").await;
    world.showing(&asked, "my own organisation").await;

    world.stop_bot().await.unwrap();
    world.set("[access]\nexternal_groups = true\ntenants = [\"t-partner\"]\n");
    world.start_bot().await;
    let asked = world.asks(&mixed, guest, "and for me?").await;
    world.answer_to(&asked).await;
    world.finish().await;
}

#[tokio::test]
async fn roles_come_by_e_mail_and_by_membership_of_a_chat() {
    let mut world = World::without_bot("").await;
    let (li, han) = (
        world
            .post(
                "/sandbox/users",
                json!({"name": "Li", "email": "li@example.com"}),
            )
            .await,
        world.user("Han").await,
    );
    let li = li["open_id"].as_str().unwrap();
    let ops = world.group("ops", &[&han]).await;
    world.set(&format!(
        "[access]\nadministrators = [\"Li@Example.com\"]\nresponders = [{ops:?}]\n"
    ));
    world.start_bot().await;
    let asked = world.whispers(li, "/whoami").await;
    world
        .showing(&asked, "administrator, listed by your e-mail")
        .await;
    let asked = world.whispers(&han, "/whoami").await;
    world
        .showing(&asked, "responder, as a member of a chat")
        .await;
    world.finish().await;
}

#[tokio::test]
async fn a_failed_look_up_gives_nobody_a_role_and_keeps_nobody_from_asking() {
    let mut world = World::without_bot(
        "[access]\nadministrators = [\"li@example.com\"]\nresponders = [\"oc_nowhere\"]\n",
    )
    .await;
    let li = world
        .post(
            "/sandbox/users",
            json!({"name": "Li", "email": "li@example.com"}),
        )
        .await;
    let li = li["open_id"].as_str().unwrap();
    world
        .faults(json!({"refuse_scopes": ["contact:user.id:readonly"]}))
        .await;
    world.start_bot().await;
    let audit = world.whispers(li, "/audit").await;
    world.showing(&audit, "Only administrators").await;
    let question = world.whispers(li, "are we fine?").await;
    world.answer_to(&question).await;
    world.finish().await;
}

#[tokio::test]
async fn too_many_requests_of_one_person_are_not_taken_but_stop_always_works() {
    let world = World::start_with("[access]\nrequests_per_minute = 2\n").await;
    let (chat, li) = world.room().await;
    let other = world.user("Han Meimei").await;
    world
        .post(
            &format!("/sandbox/chats/{chat}/members"),
            json!({"add": [other]}),
        )
        .await;
    world
        .model_says(json!([{ "text": "Slowly", "hang": true }]))
        .await;
    let status = world.asks(&chat, &li, "/status").await;
    world.showing(&status, "Status").await;
    let question = world.asks(&chat, &li, "one").await;
    world.showing(&question, "Slowly").await;
    let refused = world.asks(&chat, &li, "two").await;
    world
        .showing(&refused, "more than I take from one person")
        .await;
    let stop = world.asks(&chat, &li, "/stop").await;
    world.showing(&stop, "Stopped").await;
    world.answer_to(&question).await;
    let others = world.asks(&chat, &other, "three").await;
    world.answer_to(&others).await;
    world.finish().await;
}

#[tokio::test]
async fn when_the_months_calls_run_short_administrators_are_told_and_pages_still_go_out() {
    let mut world = World::without_bot("").await;
    let boss = world.user("Han Meimei").await;
    let mut people = Vec::new();
    for number in 0..20 {
        people.push(world.user(&format!("Person {number}")).await);
    }
    let settings = format!("[access]\nrequests_per_minute = 0\nadministrators = [{boss:?}]\n");
    world.set(&settings);
    world.set_key("FEISHU__MONTHLY_QUOTA", "200");
    world.faults(json!({"quota_left": 200})).await;
    world.start_bot().await;
    // Each costs a call.
    let spend = async |number: usize| {
        let asked = people.iter().take(number);
        let asked = join_all(asked.map(|one| world.whispers(one, "/status"))).await;
        for one in &asked {
            world.showing(one, "Status").await;
        }
    };
    while told(&world, &boss).await.is_empty() {
        spend(people.len()).await;
    }
    is_told(&world, &boss, "updated less often").await;

    // Answers are economical: a text that grows for two seconds is shown once or twice.
    let text = "word ".repeat(40);
    world
        .model_says(json!([{ "text": text, "tokens_per_second": 20 }]))
        .await;
    let before = world.calls("PUT", "/content").await;
    let question = world.whispers(&people[0], "are we fine?").await;
    world.answer_to(&question).await;
    let updates = world.calls("PUT", "/content").await - before;
    assert!(updates <= 2, "{updates} updates");

    // The last hundredth is for pages, and what administrators are told is one.
    while told(&world, &boss).await.len() < 3 {
        world.whispers(&people[1], "/status").await;
        world.changes(3).await;
    }
    let all = is_told(&world, &boss, "What is left is for pages").await;
    assert!(
        all.iter()
            .any(|one| one.text.contains("when they are whole"))
    );
    assert_eq!(all.len(), 3, "each once: {all:#?}");
    world.finish().await;
}

#[tokio::test]
async fn administrators_are_told_once_that_cards_cannot_be_typed_into() {
    let mut world = World::without_bot("").await;
    let boss = world.user("Han Meimei").await;
    world.set(&format!("[access]\nadministrators = [{boss:?}]\n"));
    world
        .faults(json!({"refuse_scopes": ["cardkit:card:write"]}))
        .await;
    world.start_bot().await;
    let user = world.user("Li Lei").await;
    let question = world.whispers(&user, "are we fine?").await;
    world.answer_to(&question).await;
    is_told(&world, &boss, "cardkit:card:write").await;

    world.stop_bot().await.unwrap();
    world.start_bot().await;
    let question = world.whispers(&user, "are we still?").await;
    world.answer_to(&question).await;
    let status = world.whispers(&boss, "/status").await;
    world.showing(&status, "Status").await;
    assert_eq!(
        told(&world, &boss).await.len(),
        1,
        "once, over restarts too"
    );
    world.finish().await;
}

#[tokio::test]
async fn administrators_are_told_once_that_the_store_takes_nothing() {
    let mut world = World::without_bot("").await;
    let (li, boss) = (world.user("Li Lei").await, world.user("Han Meimei").await);
    world.set(&format!("[access]\nadministrators = [{boss:?}]\n"));
    let mut bot = Process::start_with_health(&world);
    world.connected().await;
    let chats = [
        world.group("checkout", &[&li]).await,
        world.group("payment", &[&li]).await,
    ];
    let first = world.asks(&chats[0], &li, "are we fine?").await;
    world.answer_to(&first).await;
    if !bot.files_up_to("1").await {
        return; // No prlimit here (it is of util-linux).
    }
    let mut unkept = Vec::new();
    for chat in &chats {
        let question = world.asks(chat, &li, "and now?").await;
        world.showing(&question, "I cannot write to my disk").await;
        unkept.push(question);
    }
    is_told(&world, &boss, "I cannot write to my disk").await;
    bot.files_up_to("unlimited").await;
    bot.says("the store was reopened").await;
    world.advance(Duration::from_secs(16)).await;
    for question in &unkept {
        world
            .until("what could not be kept is answered", async || {
                (world.message(question).await.signs() == ["DONE"]).then_some(())
            })
            .await;
    }
    // Sent twice it would be seen once, since the platform knows its `uuid` for an hour.
    let (all, replies) = ("/im/v1/messages", "/im/v1/messages/");
    let sent = world.calls("POST", all).await - world.calls("POST", replies).await;
    assert_eq!(sent, 1, "once for both groups");
    drop(bot);
    world.finish().await;
}
