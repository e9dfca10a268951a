//! The action items of a report: who has them and until when, what is not to be done, and who hears of it.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    postmortem_room::{Room, TALK},
    process::Process,
    world::{Seen, World},
};

/// What is left to do, after what was said in the room.
const MORE: (&str, &str) = ("mei", "TODO: buy a mainframe for the orders");

/// Presses the button of the item that stands `nth` on a list.
async fn presses(world: &World, who: &str, list: &Seen, deed: &str, nth: usize) -> String {
    let buttons = list.card.as_ref().unwrap().buttons.iter();
    let values = buttons.map(|button| button["value"].clone());
    let mut values = values.filter(|value| value["deed"] == deed);
    let value = values
        .nth(nth)
        .unwrap_or_else(|| panic!("no {deed} for item {nth} in {list:#?}"));
    let pressed = json!({ "message_id": list.message_id, "operator": who, "value": value });
    let shown = world.post("/sandbox/clicks", pressed).await;
    shown["toast"]["content"].as_str().unwrap().to_owned()
}

/// Presses a button that asks by a form, and sends the form.
async fn fills(world: &World, room: &Room, list: &Seen, deed: &str, nth: usize, form: Value) {
    let told = presses(world, &room.lei, list, deed, nth).await;
    assert_eq!(told, "Write it into the form below.");
    let asked = room.says(world, "[Send]").await;
    world.fills_in(&room.lei, &asked, form).await;
}

/// What the bot said to somebody in their own chat, with this in it.
async fn told_directly(world: &World, person: &str, text: &str) -> Vec<Seen> {
    let state = world.get("/sandbox/state").await;
    let chats = state["chats"].as_array().unwrap();
    let is_theirs = |chat: &str| {
        let chat = chats.iter().find(|one| one["chat_id"] == chat);
        chat.is_some_and(|chat| chat["chat_type"] == "p2p" && chat["members"][0] == person)
    };
    let mut all = world.messages(None).await;
    all.retain(|one| one.is_by_bot() && is_theirs(&one.chat_id) && one.text.contains(text));
    all
}

async fn tellings(world: &World, room: &Room) -> usize {
    let all = world.messages(Some(&room.chat)).await;
    let told = all.iter().filter(|one| is_telling(one));
    told.count()
}

/// The card at publishing has no buttons, which tells it from the list.
fn is_telling(one: &Seen) -> bool {
    let has_buttons = one
        .card
        .as_ref()
        .is_none_or(|card| !card.buttons.is_empty());
    one.is_by_bot() && one.text.starts_with("Action items of #1\n") && !has_buttons
}

#[tokio::test]
async fn people_take_decline_and_add_items_a_redraft_keeps_that_and_publishing_rings_the_owners() {
    let world = World::start().await;
    let wang = world.user("Wang Fang").await;
    let talk: Vec<_> = TALK.iter().copied().chain([MORE]).collect();
    let room = Room::open(&world, "checkout is slow", &talk, "What is known").await;
    let early = room.asks(&world, "/postmortem actions").await;
    world.showing(&early, "There is no post-mortem yet").await;
    room.asks(&world, "/postmortem").await;
    let draft = room
        .says(&world, "Action items**: 2, without an owner: 2")
        .await;
    world.presses(&room.mei, &draft, "Action items…").await;
    let list = room.says(&world, "[Decline…]").await;
    assert_snapshot!(list.text, @r"
    Action items of #1 · checkout is slow
    ☐ **Add a canary stage for releases**
    <font color='grey'>no owner · no date · proposed by the draft</font>
    <font color='grey'>Han Meimei: TODO: add a canary stage for releases [m8]</font>
    [Owner and date…]
    [Decline…]
    [Done]
    ☐ **Buy a mainframe for the orders**
    <font color='grey'>no owner · no date · proposed by the draft</font>
    <font color='grey'>Han Meimei: TODO: buy a mainframe for the orders [m9]</font>
    [Owner and date…]
    [Decline…]
    [Done]
    [Add…]
    ");

    // Everything that is decided is on the list and in the report at once.
    let plan = json!({ "owner": room.mei, "due": "2036-12-01 +0800" });
    fills(&world, &room, &list, "action_plan", 0, plan).await;
    let list = room
        .says(&world, "owner: Han Meimei · due: 2036-12-01")
        .await;
    let decline = json!({ "text": "too dear" });
    fills(&world, &room, &list, "action_decline", 1, decline).await;
    let list = room.says(&world, "~~Buy a mainframe").await;
    let added = json!({ "text": "call the vendor", "owner": wang });
    fills(&world, &room, &list, "action_add", 0, added).await;
    room.says(&world, "**Draft**, version 4").await;
    let list = room.says(&world, "☐ **call the vendor**").await;
    assert_snapshot!(list.text, @r"
    Action items of #1 · checkout is slow
    ☐ **Add a canary stage for releases**
    <font color='grey'>owner: Han Meimei · due: 2036-12-01 · to be done</font>
    <font color='grey'>Han Meimei: TODO: add a canary stage for releases [m8]</font>
    [Owner and date…]
    [Decline…]
    [Done]
    ☐ **call the vendor**
    <font color='grey'>owner: Wang Fang · no date · to be done</font>
    <font color='grey'>added by a person</font>
    [Owner and date…]
    [Decline…]
    [Done]
    ~~Buy a mainframe for the orders~~
    <font color='grey'>decided not to do: too dear</font>
    <font color='grey'>Han Meimei: TODO: buy a mainframe for the orders [m9]</font>
    [Owner and date…]
    [Add…]
    ");

    // A new draft finds one more, and takes nothing of that away.
    room.talks(&world, "lei", "TODO: write a runbook for rollbacks")
        .await;
    let draft = room.says(&world, "**Draft**, version 4").await;
    world.presses(&room.lei, &draft, "New draft").await;
    let draft = room.says(&world, "**Draft**, version 5").await;
    let section = draft.text.split("**Corrective Actions**").nth(1).unwrap();
    let section = section.split("[Edit…]").next().unwrap();
    assert_snapshot!(section, @r"
    - ☐ Add a canary stage for releases (owner: Han Meimei; due: 2036-12-01) (set by a person) [m8]
    - Buy a mainframe for the orders (owner: unassigned; due: none; said by Han Meimei) (decided not to do: too dear) (set by a person) [m9]
    - ☐ Write a runbook for rollbacks (owner: unassigned; due: none; said by Li Lei) [m10]
    - ☐ call the vendor (owner: Wang Fang; due: none) (set by a person)
    ");
    assert!(draft.text.contains("0 failed"), "{}", draft.text);

    // A newer list closes the older one.
    room.asks(&world, "/postmortem actions").await;
    world
        .until(
            "the older list says that there is a newer one",
            async || {
                let older = world.message(&list.message_id).await;
                older.text.contains("There is a newer card").then_some(())
            },
        )
        .await;

    let told = world.presses(&room.lei, &draft, "Publish").await;
    assert_eq!(told, "The post-mortem of #1 is published.");
    let told = world
        .until("the room is told", async || {
            let all = world.messages(Some(&room.chat)).await;
            all.into_iter().find(is_telling)
        })
        .await;
    let named = told.text.replace(&room.mei, "mei").replace(&wang, "wang");
    assert_snapshot!(named, @r"
    Action items of #1
    - Add a canary stage for releases · due 2036-12-01 · <at id=mei></at>
    - Write a runbook for rollbacks · **no owner yet**
    - call the vendor · <at id=wang></at>
    ");
    let direct = world
        .until("the owner who is not in the room is told", async || {
            told_directly(&world, &wang, "yours to do").await.pop()
        })
        .await;
    assert_snapshot!(direct.text, @r"
    Action items of #1
    The post-mortem of #1 is published. This is yours to do:

    - call the vendor
    ");
    assert!(
        told_directly(&world, &room.mei, "yours to do")
            .await
            .is_empty()
    );

    // What is published is not changed any more, but what is done is done.
    let list = room.says(&world, "Done changes none of its words").await;
    let labels = list.card.as_ref().unwrap().labels();
    assert_eq!(labels, ["Done", "Done", "Done"]);
    assert_eq!(
        presses(&world, &room.mei, &list, "action_finish", 0).await,
        "It is done."
    );
    room.says(&world, "· done</font>").await;
    let published = room.says(&world, "**Published** by Li Lei").await;
    assert!(published.text.contains("version 5"), "{}", published.text);
    let timeline = room.asks(&world, "/timeline").await;
    let timeline = world.showing(&timeline, "finished an action item").await;
    assert!(
        timeline.text.contains("declined an action item") && timeline.text.contains("too dear"),
        "{}",
        timeline.text
    );

    assert_eq!(tellings(&world, &room).await, 1);
    world.finish().await;
}

#[tokio::test]
async fn a_section_that_a_person_wrote_stays_and_the_list_says_so() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    let draft = room.says(&world, "Action items**: 1").await;
    let corrective = "- Canaries for all (owner: Li Lei; due: none) [m8]";
    room.presses_edit(&world, &draft, 5, corrective).await;
    room.says(&world, "**Draft**, version 2").await;
    room.asks(&world, "/postmortem actions #1").await;
    let list = room.says(&world, "so it stays as they left it").await;
    let plan = json!({ "owner": room.mei });
    fills(&world, &room, &list, "action_plan", 0, plan).await;
    room.says(&world, "owner: Han Meimei · no date · to be done")
        .await;
    let draft = room.says(&world, "Canaries for all").await;
    assert!(draft.text.contains("version 2"), "{}", draft.text);
    assert!(!draft.text.contains("set by a person"), "{}", draft.text);
    world.finish().await;
}

#[tokio::test]
async fn whoever_asks_from_elsewhere_finds_the_list_in_the_room_in_its_language() {
    let world =
        World::start_with("[postmortem]\nmodel = \"none\"\n[conversation]\nlanguage = \"zh\"")
            .await;
    let talk = [
        ("lei", "下单失败，报 502"),
        ("mei", "待办：发布前增加灰度阶段"),
    ];
    let room = Room::open(&world, "下单变慢", &talk, "**未知**").await;
    room.asks(&world, "/复盘").await;
    room.says(&world, "草稿").await;
    let asked = world.whispers(&room.mei, "/复盘 #1 行动项").await;
    world
        .showing(&asked, "行动项列表已发送到报告所在的群聊")
        .await;
    let list = room.says(&world, "故障 #1 行动项").await;
    assert_snapshot!(list.text, @r"
    故障 #1 行动项 · 下单变慢
    ☐ **发布前增加灰度阶段**
    <font color='grey'>无负责人 · 无期限 · 草稿提出，待确认</font>
    <font color='grey'>Han Meimei: 待办：发布前增加灰度阶段 [m2]</font>
    [负责人与期限…]
    [不做…]
    [完成]
    [添加…]
    ");
    world.finish().await;
}

#[tokio::test]
async fn an_owner_is_told_once_that_something_was_due() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    room.says(&world, "Action items**: 1").await;
    room.asks(&world, "/postmortem actions").await;
    let list = room.says(&world, "[Decline…]").await;
    let plan = json!({ "owner": room.mei, "due": "2026-01-02 +0800" });
    fills(&world, &room, &list, "action_plan", 0, plan).await;
    let told = world
        .until("the owner is told", async || {
            told_directly(&world, &room.mei, "was due").await.pop()
        })
        .await;
    assert_snapshot!(told.text, @r"
    Action items of #1
    This was due on 2026-01-02 and is not done: Add a canary stage for releases

    `/postmortem #1 actions` puts the list into the room, where Done says that it is.
    ");
    // Whatever else becomes of the report, they were told.
    let list = room.says(&world, "due: 2026-01-02").await;
    fills(
        &world,
        &room,
        &list,
        "action_add",
        0,
        json!({ "text": "call the vendor" }),
    )
    .await;
    room.says(&world, "☐ **call the vendor**").await;
    assert_eq!(told_directly(&world, &room.mei, "was due").await.len(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_room_is_told_once_though_the_bot_was_killed_before_it_knew() {
    let mut world = World::without_bot("").await;
    world.set("");
    let bot = Process::start(&world);
    world.connected().await;
    let wang = world.user("Wang Fang").await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    room.says(&world, "Action items**: 1").await;
    room.asks(&world, "/postmortem actions").await;
    let list = room.says(&world, "[Decline…]").await;
    fills(
        &world,
        &room,
        &list,
        "action_plan",
        0,
        json!({ "owner": wang }),
    )
    .await;
    room.says(&world, "owner: Wang Fang · no date").await;
    // The room is told, and whoever told it never hears that it was.
    let lost = json!({ "path_contains": "/messages", "method": "POST", "body_contains": "Action items of #1", "lose_answer": true });
    world.faults(json!({ "refuse": [lost] })).await;
    room.asks(&world, "/postmortem publish").await;
    world
        .until("the room is told", async || {
            (tellings(&world, &room).await == 1).then_some(())
        })
        .await;
    bot.kill().await;
    world.faults(json!({})).await;
    let bot = Process::start(&world);
    world
        .until("the owner is told", async || {
            told_directly(&world, &wang, "yours to do").await.pop()
        })
        .await;
    assert_eq!(tellings(&world, &room).await, 1);
    bot.terminate().await;
    world.finish().await;
}
