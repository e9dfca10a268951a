//! The post-mortem in a war room: from what was said there to a report that people edit and publish.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    process::Process,
    world::{Seen, World},
};

/// A war room in which people talked.
pub struct Room {
    pub chat: String,
    pub lei: String,
    pub mei: String,
}

/// What is said in the room, in English.
pub const TALK: &[(&str, &str)] = &[
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
    pub async fn open(world: &World, title: &str, talk: &[(&str, &str)], opening: &str) -> Self {
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

    pub async fn talks(&self, world: &World, who: &str, text: &str) -> String {
        let sender = match who {
            "lei" => &self.lei,
            _ => &self.mei,
        };
        world
            .says(json!({ "chat_id": self.chat, "sender": sender, "text": text }))
            .await
    }

    /// Waits until the bot says this in the room; gives the newest message that does.
    pub async fn says(&self, world: &World, text: &str) -> Seen {
        world
            .until(&format!("the room shows {text:?}"), async || {
                let all = world.messages(Some(&self.chat)).await;
                let mut newest = all.into_iter().rev();
                newest.find(|one| one.is_by_bot() && one.text.contains(text))
            })
            .await
    }

    pub async fn asks(&self, world: &World, text: &str) -> String {
        world.asks(&self.chat, &self.lei, text).await
    }

    /// Presses a button within a section of the report.
    pub async fn presses(&self, world: &World, card: &Seen, deed: &str, section: usize) -> String {
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

    /// Puts other words into a section by its form.
    pub async fn presses_edit(&self, world: &World, card: &Seen, section: usize, words: &str) {
        let told = self.presses(world, card, "report_edit", section).await;
        assert_eq!(told, "Write it into the form below.");
        let form = self.says(world, "[Send]").await;
        world
            .fills_in(&self.lei, &form, json!({ "words0": words }))
            .await;
    }

    /// The files that were sent to the room.
    pub async fn files(&self, world: &World, count: usize) -> Vec<Value> {
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

/// A card as people see it, without what is another at each time: times, and with them the order in which things
/// of one second stand.
fn shown(card: &Seen) -> String {
    let times =
        regex::Regex::new(r"(\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d( [+-]\d\d(:\d\d)?)?").unwrap();
    let small = regex::Regex::new(
        r"\d+ (s|min)\b|tokens: \d+( \([^)]*\))?|\d+ tokens(（[^）]*）)?|\d+ ?(秒|分钟)",
    )
    .unwrap();
    let text = times.replace_all(&card.text, "(time)");
    let text = small.replace_all(&text, "(n)");
    let lines = text.lines().filter(|line| {
        !line.starts_with("- (time)") && !line.contains("Longest") && !line.contains("最长")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_room_becomes_a_report_that_people_edit_draft_anew_and_publish() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "Draft").await;
    assert_snapshot!(shown(&card), @"
    Post-mortem of #1 · checkout is slow
    **Draft**, version 1, by Li Lei
    **Summary**
    - Li Lei: Orders fail with HTTP 502 since 14:02 [m1]
    - Han Meimei: the root cause is the release v2.3.1 [m5]
    - Han Meimei: rolled back to v2.3.0 [m6]
    - Li Lei: Orders are back to normal [m7]
    [Edit…]
    [Lock]
    [Write anew…]
    **Key facts**
    - Highest severity: critical [r1]
    - State: triggered, nobody has it [r1]
    - Opened by: Li Lei [r1]
    - Detected by: a person, Li Lei [r1]

    **Key times**

    - Impact start: unknown
    - Triggered: (time) [r1]
    - Detected: (time) [r1]
    - Declared: (time) [r1]
    - Acknowledged: unknown
    - First person in the room: (time) [m1]
    - Mitigated: unknown
    - Resolved: unknown
    - Closed: unknown

    **Measures**

    - Time to detect (impact start → detected): unknown
    - Time to declare (triggered → declared): (n)
    - Time to acknowledge (triggered → acknowledged): unknown
    - Time to first response (triggered → first person in the room): (n)
    - Time to mitigate (detected → mitigated): unknown
    - Time to resolve (triggered → resolved): unknown
    - Time to close (triggered → closed): unknown
    - Duration of the impact (impact start → mitigated): unknown
    - Waves: 1
    - People who worked on it: 0
    - Hand-overs: 0
    - Pages: 0
    - Messages of people: 8
    - Alerts: 0
    [Correct a time…]
    **Root Cause**
    - Li Lei: maybe the database [m3]
    - Han Meimei: the database is ruled out, its graphs are flat [m4]
    - Han Meimei: the root cause is the release v2.3.1 [m5]

    **In people's own words**

    [Edit…]
    [Lock]
    [Write anew…]
    **Impact**
    - Li Lei: Orders fail with HTTP 502 since 14:02 [m1]
    [Edit…]
    [Lock]
    [Write anew…]
    **Timeline**
    [Edit…]
    [Lock]
    [Write anew…]
    **Corrective Actions**
    - ☐ Add a canary stage for releases (owner: unassigned; due: none; said by Han Meimei) [m8]
    [Edit…]
    [Lock]
    [Write anew…]
    **Lessons Learned**
    > Nothing recorded.

    > What went well, what did not, where we were lucky, and what we now know.
    [Edit…]
    [Lock]
    [Write anew…]
    **About this draft**
    > A model (rules, prompts v2) read the room; times, numbers and names were checked by code.
    **Action items**: 1, without an owner: 1
    [Action items…]
    **Checks**: 23 passed, 0 to look at, 0 failed
    Nothing was found.
    <font color='grey'>rules · requests: 4 · (n) · (n)</font>
    [Publish]
    [New draft]
    ");
    assert!(
        card.text.contains("mitigation: rolled back to v2.3.0 [m6]"),
        "{}",
        card.text
    );
    assert_eq!(room.files(&world, 1).await.len(), 1);

    // A person's words stay, whatever a new draft finds.
    room.presses_edit(&world, &card, 3, "- One in three orders failed. [m1]")
        .await;
    let edited = room.says(&world, "One in three orders failed").await;
    room.says(&world, "**Draft**, version 2").await;
    room.talks(&world, "mei", "TODO: write a runbook for rollbacks")
        .await;
    let told = world.presses(&room.lei, &edited, "New draft").await;
    assert_eq!(told, "The post-mortem of #1 is being drafted.");
    let again = room.says(&world, "**Draft**, version 3").await;
    assert!(
        again.text.contains("One in three orders failed"),
        "{}",
        again.text
    );
    assert!(again.text.contains("Write a runbook"), "{}", again.text);
    assert_ne!(again.message_id, card.message_id);
    room.says(&world, "There is a newer card").await;

    // What does not hold any more takes a second word, and that is noted.
    let all = world.messages(Some(&room.chat)).await;
    let source = all.iter().find(|one| one.text == "rolled back to v2.3.0");
    let source = &source.unwrap().message_id;
    world
        .post(&format!("/sandbox/messages/{source}/recall"), json!({}))
        .await;
    let draft = room.says(&world, "m6 was taken back after").await;
    let told = world.presses(&room.lei, &draft, "Publish").await;
    assert_eq!(told, "Some checks failed. Look at the question below.");
    let question = room.says(&world, "Publish the post-mortem of #1?").await;
    assert_snapshot!(question.text, @r"
    Publish the post-mortem of #1?
    This does not hold. Whoever publishes it all the same is noted.

    - m6 was taken back after this draft was made
    [Publish all the same]
    ");
    let told = world
        .presses(&room.lei, &question, "Publish all the same")
        .await;
    assert_eq!(told, "The post-mortem of #1 is published.");
    let published = room.says(&world, "**Published** by Li Lei").await;
    let labels = published.card.as_ref().unwrap().labels();
    assert_eq!(labels, ["Action items…", "Reopen"]);
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
    assert_snapshot!(shown(&card), @"
    故障 #1 复盘报告 · 下单变慢
    **草稿**，第 1 版，Li Lei
    **概述**
    故障 #1（下单变慢）于 (time) 创建。[r1]

    - Li Lei: 已恢复正常 [m4]
    [编辑…]
    [锁定]
    [重新生成…]
    **关键数据**
    - 最高级别：严重 [r1]
    - 状态：待处理 [r1]
    - 创建者：Li Lei [r1]
    - 发现方式：人员 Li Lei [r1]

    **关键时间**

    - 影响开始：未知
    - 触发：(time) [r1]
    - 发现：(time) [r1]
    - 宣布故障：(time) [r1]
    - 认领：未知
    - 首个响应者发言：(time) [m1]
    - 缓解：未知
    - 恢复：未知
    - 关闭：未知

    **指标**

    - 发现用时 (影响开始 → 发现)：未知
    - 宣布用时 (触发 → 宣布故障)：(n)
    - 认领用时 (触发 → 认领)：未知
    - 首次响应用时 (触发 → 首个响应者发言)：(n)
    - 缓解用时 (发现 → 缓解)：未知
    - 恢复用时 (触发 → 恢复)：未知
    - 关闭用时 (触发 → 关闭)：未知
    - 影响时长 (影响开始 → 缓解)：未知
    - 波次：1
    - 参与处理人数：0
    - 交接次数：0
    - 呼叫次数：0
    - 人员消息数：4
    - 告警数：0
    [修正时间…]
    **根本原因**
    > 尚未确定。
    [编辑…]
    [锁定]
    [重新生成…]
    **影响**
    > 没有记录。

    > 谁受到影响、多少、多久。每个数字写明是测量值还是估计值。
    [编辑…]
    [锁定]
    [重新生成…]
    **时间线**
    [编辑…]
    [锁定]
    [重新生成…]
    **改进措施**
    > 没有记录。
    [编辑…]
    [锁定]
    [重新生成…]
    **经验教训**
    > 没有记录。

    > 哪些做得好，哪些不好，哪里是运气，我们现在知道了什么。
    [编辑…]
    [锁定]
    [重新生成…]
    **关于本草稿**
    > 未使用模型：数据与记录完整，发言按短语提取，需要判断的部分留给人填写。
    **行动项**：0
    [行动项…]
    **核对**：通过 23，需留意 0，未通过 0
    未发现问题。
    <font color='grey'>未使用模型 · (n)</font>
    [发布]
    [重新起草]
    ");
    assert_eq!(world.model_requests().await.len(), 0);
    let exported = room.asks(&world, "/复盘 导出").await;
    assert_eq!(room.files(&world, 2).await.len(), 2);
    let status = room.asks(&world, "/复盘 状态").await;
    world.showing(&status, "第 1 版").await;
    drop(exported);
    world.finish().await;
}

#[tokio::test]
async fn a_section_is_locked_or_written_anew_with_a_remark_and_a_moment_is_corrected() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "Draft").await;
    let told = room.presses(&world, &card, "report_lock", 1).await;
    assert_eq!(
        told,
        "\"Summary\" is locked: a new draft leaves it as it is."
    );
    let card = room.says(&world, "Summary** · locked").await;
    assert!(
        card.card
            .as_ref()
            .unwrap()
            .labels()
            .contains(&"Unlock".to_owned())
    );

    room.presses(&world, &card, "report_again", 2).await;
    let form = room.says(&world, "[Send]").await;
    let remark = json!({ "words0": "name the release first" });
    world.fills_in(&room.mei, &form, remark).await;
    let card = room.says(&world, "**Draft**, version 2").await;
    let asked = world.model_requests().await;
    let heeds = |request: &&Value| request.to_string().contains("name the release first");
    assert_eq!(asked.iter().filter(heeds).count(), 1);
    assert_eq!(read_parts(&world).await.len(), 1, "the room is read once");

    world.presses(&room.lei, &card, "Correct a time…").await;
    let form = room.says(&world, "[Send]").await;
    let said = world
        .fills_in(
            &room.lei,
            &form,
            json!({ "moment": "impact_start", "time": "tomorrow" }),
        )
        .await;
    assert!(said.starts_with("Write a time that is past"), "{said}");
    world
        .fills_in(
            &room.lei,
            &form,
            json!({ "moment": "impact_start", "time": "2026-01-02 03:04" }),
        )
        .await;
    let card = room.says(&world, "Impact start: 2026-01-02 03:04:00").await;
    world.presses(&room.lei, &card, "Correct a time…").await;
    let form = room.says(&world, "[Send]").await;
    let said = world
        .fills_in(
            &room.lei,
            &form,
            json!({ "moment": "detected", "time": "" }),
        )
        .await;
    assert_eq!(
        said,
        "Set. The numbers that follow from it are computed anew."
    );
    room.says(&world, "**Draft**, version 4").await;
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
    let long = "the queue of the workers is as long as it was a minute ago ".repeat(60);
    for at in 0..24 {
        room.talks(&world, "mei", &format!("{at}: {long}")).await;
    }
    // Three parts are read, and the fourth has no answer when it is killed.
    let read = json!({ "match": "The lines to read", "text": "{\"events\": []}" });
    let hangs = json!({ "match": "The lines to read", "hang": true });
    world.model_says(json!([read, read, read, hangs])).await;
    room.asks(&world, "/postmortem").await;
    world
        .until("the fourth part is asked for", async || {
            (read_parts(&world).await.len() == 4).then_some(())
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
    // Only the one without an answer was asked for again.
    assert_eq!(all.len(), once.len() + 1);
    assert!(before.len() < once.len(), "it was killed in the middle");
    let cards = world.messages(Some(&room.chat)).await;
    let cards = cards
        .iter()
        .filter(|one| one.text.contains("Post-mortem of #1 ·"));
    assert_eq!(cards.count(), 1, "{}", card.text);
    bot.terminate().await;
    world.finish().await;
}
