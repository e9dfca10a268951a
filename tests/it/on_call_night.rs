//! A night on call from the first alert to the last word, as each person sees it: the group, whoever is paged,
//! and the war room. What single parts do is in the files that are named after them.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::world::{ALERTS_KEY, Seen, World};

/// What is written on the buttons that are pressed, and a sentence of the opening of a room.
struct Words {
    language: &'static str,
    acknowledge: &'static str,
    room: &'static str,
    known: &'static str,
    over: &'static str,
}

const ENGLISH: Words = Words {
    language: "en_us",
    acknowledge: "Acknowledge",
    room: "War room",
    known: "What is known",
    over: "is over",
};

const CHINESE: Words = Words {
    language: "zh_cn",
    acknowledge: "认领",
    room: "作战室",
    known: "已知",
    over: "已结束",
};

/// A group of three: Li Lei is on call, Han Meimei is a member too, and Tom is nobody that the list knows.
struct Night {
    world: World,
    group: String,
    lei: String,
    mei: String,
    tom: String,
    /// When the alert began.
    began: jiff::Timestamp,
}

impl Night {
    async fn begins(settings: &str, conversation: &str) -> Self {
        let mut world = World::without_bot("").await;
        let lei = person(&world, "Li Lei", json!("lei@example.com")).await;
        let mei = person(&world, "Han Meimei", json!("mei@example.com")).await;
        let tom = person(&world, "Tom", Value::Null).await;
        let group = world.group("payments", &[&lei, &mei, &tom]).await;
        world.set(&format!(
            r#"
            {conversation}
            [members]
            list = [
              {{ name = "Li Lei", email = "lei@example.com" }},
              {{ name = "Han Meimei", email = "mei@example.com" }},
              {{ name = "Tom", email = "tom@example.com" }},
            ]
            [incidents]
            quiet = "0s"
            {settings}
            [[incidents.routes]]
            name = "payments"
            matchers = "team=payments"
            chats = ["{group}"]
            policy = "payments"
            [incidents.policies.payments]
            levels = [{{ tell = [{{ schedule = "payments" }}] }}]
            [incidents.schedules.payments]
            zone = "Asia/Shanghai"
            layers = [{{ people = ["Li Lei"], starts = "2026-01-05T10:00" }}]
            "#
        ));
        world.start_bot().await;
        Self {
            world,
            group,
            lei,
            mei,
            tom,
            began: jiff::Timestamp::now() - Duration::from_secs(20 * 60 + 5),
        }
    }

    /// What Alertmanager posts.
    async fn alert(&self, status: &str) {
        let ends = match status {
            "resolved" => jiff::Timestamp::now().to_string(),
            _ => "0001-01-01T00:00:00Z".to_owned(),
        };
        let alert = json!({
            "status": status, "startsAt": self.began.to_string(), "endsAt": ends,
            "labels": {"alertname": "CheckoutSlow", "team": "payments", "service": "checkout", "severity": "critical"},
            "annotations": {"summary": "Checkout takes 4 s", "runbook_url": "https://wiki.example.com/checkout"},
        });
        let path = format!("/alerts/{ALERTS_KEY}/alertmanager");
        let body = json!({ "version": "4", "alerts": [alert] });
        let post = reqwest::Client::new().post(self.world.web_url(&path));
        assert_eq!(post.json(&body).send().await.unwrap().status(), 202);
    }

    /// The incident's card in a chat, once it shows `text`.
    async fn card(&self, chat: &str, text: &str) -> Seen {
        let is_card = |one: &Seen| one.is_by_bot() && one.text.starts_with("#1 Checkout");
        self.said(chat, text, is_card).await
    }

    async fn said(&self, chat: &str, text: &str, is: impl Fn(&Seen) -> bool) -> Seen {
        let what = format!("{text:?} stands in {chat}");
        let found = self.world.until(&what, async || {
            let all = self.world.messages(Some(chat)).await;
            all.into_iter()
                .find(|one| is(one) && one.text.contains(text))
        });
        found.await
    }

    /// The chat of somebody with the bot, once it is there.
    async fn direct(&self, person: &str) -> String {
        let found = self.world.until("they have a direct chat", async || {
            self.chat(|chat| chat["chat_type"] == "p2p" && chat["members"] == json!([person]))
                .await
        });
        found.await
    }

    /// The war room, once it is there and says what is known.
    async fn room(&self, words: &Words) -> String {
        let found = self.world.until("the war room is there", async || {
            self.chat(|chat| chat["name"].as_str().unwrap().starts_with("#1 "))
                .await
        });
        let room = found.await;
        self.said(&room, words.known, Seen::is_by_bot).await;
        room
    }

    async fn chat(&self, is: impl Fn(&&Value) -> bool) -> Option<String> {
        let state = self.world.get("/sandbox/state").await;
        let chat = state["chats"].as_array().unwrap().iter().find(is)?.clone();
        Some(chat["chat_id"].as_str().unwrap().to_owned())
    }

    /// Presses a button, and gives the line in the language of who pressed it.
    async fn presses(&self, person: &str, card: &Seen, button: &str, language: &str) -> String {
        let body = json!({ "message_id": card.message_id, "operator": person, "button": button });
        let shown = self.world.post("/sandbox/clicks", body).await;
        let line = shown["toast"]["i18n"][language].as_str();
        line.unwrap_or_else(|| panic!("{shown}")).to_owned()
    }

    /// By the sandbox's clock.
    async fn now_ms(&self) -> i64 {
        let state = self.world.get("/sandbox/state").await;
        state["now_ms"].as_i64().unwrap()
    }

    /// When a message was changed for the last time.
    async fn changed_ms(&self, message: &Seen) -> i64 {
        let path = format!("/sandbox/messages?chat_id={}", message.chat_id);
        let all = self.world.get(&path).await;
        let mut all = all["messages"].as_array().unwrap().iter();
        let found = all.find(|one| one["message_id"] == json!(message.message_id));
        found.unwrap()["update_time_ms"].as_i64().unwrap()
    }

    /// Waits until the incident's card shows `text` in all these chats, and fails where that took longer than
    /// two seconds from then.
    async fn shown_soon(&self, chats: &[&str], text: &str, from_ms: i64) {
        for chat in chats {
            let card = self.card(chat, text).await;
            let took = self.changed_ms(&card).await - from_ms;
            assert!(took <= 2_000, "{text:?} took {took} ms in {chat}");
        }
    }

    /// Everything that stands in a chat now, as people see it. The last two come from parts that do not wait
    /// for each other, and are put in one order.
    async fn seen_in(&self, chat: &str) -> String {
        let all = self.world.messages(Some(chat)).await;
        let texts = all.iter().map(|one| self.legible(&one.text));
        let mut texts: Vec<String> = texts.collect();
        let last = texts.len().saturating_sub(2);
        texts[last..].sort();
        texts.join("\n·\n")
    }

    /// With names for ids, and without what differs each time.
    fn legible(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (id, name) in [(&self.lei, "Li Lei"), (&self.mei, "Han Meimei")] {
            text = text.replace(&format!("<at id={id}></at>"), &format!("@{name}"));
        }
        let lines = text.lines().map(|line| match line.find("openChatId=") {
            Some(at) => format!("{}…)", &line[..at]),
            None => line
                .replace("<font color='grey'>", "")
                .replace("</font>", ""),
        });
        without_times(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Times are those of the machine: each becomes `00:00:00`, also where it begins with a date.
fn without_times(text: &str) -> String {
    const SHAPES: [&str; 3] = ["0000-00-00 00:00:00", "00-00 00:00:00", "00:00:00"];
    let has = |text: &str, shape: &str| {
        let fits = |(c, shape): (char, char)| match shape {
            '0' => c.is_ascii_digit(),
            _ => c == shape,
        };
        text.len() >= shape.len() && text.chars().zip(shape.chars()).all(fits)
    };
    let (mut rest, mut without) = (text, String::new());
    while let Some(c) = rest.chars().next() {
        match SHAPES.into_iter().find(|shape| has(rest, shape)) {
            Some(shape) => {
                without.push_str("00:00:00");
                rest = &rest[shape.len()..];
            }
            None => {
                without.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    without
}

async fn person(world: &World, name: &str, email: Value) -> String {
    let user = json!({ "name": name, "email": email });
    let user = world.post("/sandbox/users", user).await;
    user["open_id"].as_str().unwrap().to_owned()
}

/// From the alert to the end; what people saw of it.
struct Seens {
    fires: String,
    toasts: Vec<String>,
    group: String,
    room: String,
}

async fn from_alert_to_end(conversation: &str, words: &Words) -> Seens {
    let night = Night::begins("", conversation).await;
    let world = &night.world;
    night.alert("firing").await;
    let direct = night.direct(&night.lei).await;
    // Who was paged stands on both cards.
    let paged = night.card(&direct, "Li Lei").await;
    let in_group = night.card(&night.group, "Li Lei").await;
    assert_eq!(paged.text, in_group.text);
    let fires = night.legible(&in_group.text);

    let pressed_at = night.now_ms().await;
    let mut toasts = vec![world.presses(&night.lei, &paged, words.acknowledge).await];
    let acknowledged = match words.acknowledge {
        "Acknowledge" => "**Acknowledged** by Li Lei",
        _ => "**已认领**　Li Lei",
    };
    let both = [night.group.as_str(), &direct];
    night.shown_soon(&both, acknowledged, pressed_at).await;

    let in_group = night.card(&night.group, acknowledged).await;
    toasts.push(
        night
            .presses(&night.mei, &in_group, words.room, words.language)
            .await,
    );
    let room = night.room(words).await;
    night.card(&room, acknowledged).await;

    let said = json!({ "chat_id": room, "sender": night.mei, "text": "The pool of db-3 is full." });
    let said = world.says(said).await;
    let mark = json!({ "user": night.lei, "emoji_type": "CheckMark" });
    world
        .post(&format!("/sandbox/messages/{said}/reactions"), mark)
        .await;
    let marked = |one: &Seen| one.is_by_bot() && one.message_id != said;
    night
        .said(&room, "“The pool of db-3 is full.”", marked)
        .await;

    let resolved_at = night.now_ms().await;
    night.alert("resolved").await;
    let resolved = match words.acknowledge {
        "Acknowledge" => "**Resolved**",
        _ => "**已解决**",
    };
    let all = [night.group.as_str(), &direct, &room];
    night.shown_soon(&all, resolved, resolved_at).await;
    night.said(&room, words.over, Seen::is_by_bot).await;
    let last = match words.acknowledge {
        "Acknowledge" => "1 alert recovered",
        _ => "1 条告警恢复",
    };
    night.said(&room, last, Seen::is_by_bot).await;
    let seens = Seens {
        fires,
        toasts,
        group: night.seen_in(&night.group).await,
        room: night.seen_in(&room).await,
    };
    night.world.finish().await;
    seens
}

#[tokio::test]
async fn what_people_see_of_a_night_from_the_alert_to_its_end() {
    let seen = from_alert_to_end("", &ENGLISH).await;
    assert_snapshot!(seen.fires, @r"
    #1 Checkout takes 4 s
    [Critical]
    [Triggered]
    **Since:** 00:00:00 UTC
    **Nobody has it yet.**
    **Alerts:** 1 firing (1 critical), 1 in all
    **Labels:** service=checkout · team=payments
    **Latest alert**, 00:00:00
    [Runbook](https://wiki.example.com/checkout)
    ---
    00:00:00 sandbox opened it, critical: Checkout takes 4 s
    00:00:00 told Li Lei (level 1)
    [Acknowledge]
    [Assign to me]
    [Escalate]
    [Close]
    [Comment…]
    [War room]
    [Ask AI]
    [Details]
    ");
    assert_snapshot!(seen.toasts.join("\n"), @r"
    #1 is yours now. Nobody else is told.
    The war room of #1 is being made. You are invited to it.
    ");
    assert_snapshot!(seen.group, @r"
    #1 Checkout takes 4 s
    [Critical]
    [Resolved]
    **Since:** 00:00:00 UTC
    **Resolved** 00:00:00, after 20 min
    **On it:** @Li Lei
    **Alerts:** 0 firing, 1 in all
    **Labels:** service=checkout · team=payments
    **War room:** [#1 critical Checkout takes 4 s](https://applink.feishu.cn/client/chat/open?…)
    **Latest alert**, 00:00:00, recovered
    [Runbook](https://wiki.example.com/checkout)
    ---
    00:00:00 war room opened: #1 critical Checkout takes 4 s
    00:00:00 Li Lei marked a message: decision
    00:00:00 recovered: Checkout takes 4 s
    00:00:00 resolved, nothing fires any more
    [Reopen…]
    [Comment…]
    [Ask AI]
    [Details]
    ");
    assert_snapshot!(seen.room, @r"
    War room of #1
    **What is known**
    **Checkout takes 4 s**

    - Severity: Critical
    - State: Acknowledged
    - Since: 00:00:00 UTC
    - Alerts: 1 firing, 1 in all
    - Labels: alertname=CheckoutSlow, service=checkout, severity=critical, team=payments
    - Working on it: Li Lei

    **What is not known**

    - Who is hurt by it, and how
    - The cause: nobody has looked yet, or nobody has said so here

    What you say here is kept for the post-mortem. `/role commander` and `/role scribe` say who does what, `/summary` tells what happened so far, `/close` ends it.
    ·
    #1 Checkout takes 4 s
    [Critical]
    [Resolved]
    **Since:** 00:00:00 UTC
    **Resolved** 00:00:00, after 20 min
    **On it:** @Li Lei
    **Alerts:** 0 firing, 1 in all
    **Labels:** service=checkout · team=payments
    **Latest alert**, 00:00:00, recovered
    [Runbook](https://wiki.example.com/checkout)
    ---
    00:00:00 war room opened: #1 critical Checkout takes 4 s
    00:00:00 Li Lei marked a message: decision
    00:00:00 recovered: Checkout takes 4 s
    00:00:00 resolved, nothing fires any more
    [Reopen…]
    [Comment…]
    [Ask AI]
    [Details]
    ·
    The pool of db-3 is full.
    ·
    Li Lei marked as decision: “The pool of db-3 is full.”
    ·
    #1 is over
    What was said here is kept, whatever becomes of the room. A room that is dissolved cannot be opened again; its words stay in the record.
    [Draft the post-mortem]
    [Keep the room]
    [Dissolve the room]
    ·
    1 alert recovered; resolved, nothing fires any more
    ");
}

#[tokio::test]
async fn what_people_see_of_the_same_night_in_chinese() {
    let seen = from_alert_to_end("[conversation]\nlanguage = \"zh\"", &CHINESE).await;
    assert_snapshot!(seen.fires, @r"
    #1 Checkout takes 4 s
    [严重]
    [待处理]
    **开始时间**　00:00:00 UTC
    **尚无人认领。**
    **告警**　1 条触发中（严重 1），共 1 条
    **标签**　service=checkout · team=payments
    **最新告警**　00:00:00
    [处置手册](https://wiki.example.com/checkout)
    ---
    00:00:00 sandbox 创建故障（严重）：Checkout takes 4 s
    00:00:00 已通知 Li Lei（第 1 级）
    [认领]
    [指派给我]
    [升级]
    [关闭]
    [评论…]
    [作战室]
    [问 AI]
    [详情]
    ");
    assert_snapshot!(seen.toasts.join("\n"), @r"
    #1 is yours now. Nobody else is told.
    正在创建故障 #1 的作战室，稍后会邀请你加入。
    ");
    assert_snapshot!(seen.group, @r"
    #1 Checkout takes 4 s
    [严重]
    [已解决]
    **开始时间**　00:00:00 UTC
    **已解决**　00:00:00，历时 20 分钟
    **处理人**　@Li Lei
    **告警**　0 条触发中，共 1 条
    **标签**　service=checkout · team=payments
    **作战室**　[#1 critical Checkout takes 4 s](https://applink.feishu.cn/client/chat/open?…)
    **最新告警**　00:00:00，已恢复
    [处置手册](https://wiki.example.com/checkout)
    ---
    00:00:00 作战室已创建：#1 critical Checkout takes 4 s
    00:00:00 Li Lei 标记了一条消息：决定
    00:00:00 告警恢复：Checkout takes 4 s
    00:00:00 告警全部恢复，故障已解决
    [重新打开…]
    [评论…]
    [问 AI]
    [详情]
    ");
    assert_snapshot!(seen.room, @r"
    故障 #1 作战室
    **已知**
    **Checkout takes 4 s**

    - 级别：严重
    - 状态：处理中
    - 开始时间：00:00:00 UTC
    - 告警：1 条触发中，共 1 条
    - 标签：alertname=CheckoutSlow, service=checkout, severity=critical, team=payments
    - 处理人：Li Lei

    **未知**

    - 影响了谁、影响多大
    - 原因：尚无人排查，或尚未在此说明

    这里的发言会为复盘保留。`/角色 指挥`、`/角色 记录员` 认领分工，`/总结` 了解进展，`/关闭` 结束故障。
    ·
    #1 Checkout takes 4 s
    [严重]
    [已解决]
    **开始时间**　00:00:00 UTC
    **已解决**　00:00:00，历时 20 分钟
    **处理人**　@Li Lei
    **告警**　0 条触发中，共 1 条
    **标签**　service=checkout · team=payments
    **最新告警**　00:00:00，已恢复
    [处置手册](https://wiki.example.com/checkout)
    ---
    00:00:00 作战室已创建：#1 critical Checkout takes 4 s
    00:00:00 Li Lei 标记了一条消息：决定
    00:00:00 告警恢复：Checkout takes 4 s
    00:00:00 告警全部恢复，故障已解决
    [重新打开…]
    [评论…]
    [问 AI]
    [详情]
    ·
    The pool of db-3 is full.
    ·
    Li Lei 标记为决定：“The pool of db-3 is full.”
    ·
    1 条告警恢复；告警全部恢复，故障已解决
    ·
    故障 #1 已结束
    无论群聊是否保留，这里的发言都已存档。解散后群聊无法恢复，记录仍会保留。
    [起草复盘报告]
    [保留群聊]
    [解散群聊]
    ");
}

#[tokio::test]
async fn who_is_not_linked_is_told_the_way_and_the_same_press_works_after_it() {
    let night = Night::begins("", "").await;
    let world = &night.world;
    night.alert("firing").await;
    let card = night.card(&night.group, "Nobody has it yet").await;
    let refused = world.presses(&night.tom, &card, "Acknowledge").await;
    assert_snapshot!(refused, @"You are not linked to a member: the list has nobody with your e-mail or mobile number. Send me `/link me` and your name there.");
    let card = night.card(&night.group, "Nobody has it yet").await;
    assert!(!card.text.contains("Acknowledged"), "{}", card.text);
    let path = format!("/sandbox/users/{}", night.tom);
    world
        .post(&path, json!({ "email": "tom@example.com" }))
        .await;
    let asked = world.whispers(&night.tom, "/link me").await;
    world.showing(&asked, "Tom").await;
    let taken = world.presses(&night.tom, &card, "Acknowledge").await;
    assert_snapshot!(taken, @"#1 is yours now. Nobody else is told.");
    night.card(&night.group, "**Acknowledged** by Tom").await;
    night.world.finish().await;
}

/// Who was buzzed for the page of a critical incident, by an app with these scopes more.
async fn buzzed(scopes: &[&str]) -> (Value, Night) {
    let night = Night::begins("urgent = true", "").await;
    night
        .world
        .faults(json!({ "console": { "grant_scopes": scopes } }))
        .await;
    night.alert("firing").await;
    let direct = night.direct(&night.lei).await;
    night.card(&direct, "told Li Lei").await;
    let asked = night
        .world
        .until("the platform was asked to ring", async || {
            (night.world.calls("", "urgent_app").await > 0).then_some(())
        });
    asked.await;
    let path = format!("/sandbox/messages?chat_id={direct}");
    let all = night.world.get(&path).await;
    (all["messages"][0]["urgent"].clone(), night)
}

#[tokio::test]
async fn a_critical_page_rings_where_the_app_may() {
    let (urgent, night) = buzzed(&["im:message.urgent:app_send"]).await;
    assert_eq!(urgent[0]["open_id"], json!(night.lei), "{urgent}");
    night.world.finish().await;
    // Without the scope they are told all the same, and nothing rings.
    let (urgent, night) = buzzed(&[]).await;
    assert_eq!(urgent, json!([]));
    night.world.finish().await;
}

#[tokio::test]
async fn a_room_dissolved_by_hand_is_told_on_the_card_and_is_nobodys_mistake() {
    let mut night = Night::begins("", "").await;
    let admin = night.mei.clone();
    night.world.stop_bot().await.unwrap();
    night
        .world
        .set_key("ACCESS__ADMINISTRATORS", &format!("[\"{admin}\"]"));
    night.world.start_bot().await;
    night.alert("firing").await;
    let card = night.card(&night.group, "Nobody has it yet").await;
    night.world.presses(&night.mei, &card, "War room").await;
    let first = night.room(&ENGLISH).await;
    night.card(&first, "Nobody has it yet").await;
    let path = format!("/sandbox/chats/{first}/dissolve");
    night.world.post(&path, json!({})).await;
    let card = night
        .card(&night.group, "dissolved; what was said there is kept")
        .await;
    night.world.presses(&night.mei, &card, "War room").await;
    let second = night.room(&ENGLISH).await;
    assert_ne!(first, second);
    let pressed_at = night.now_ms().await;
    night.world.presses(&night.lei, &card, "Acknowledge").await;
    let everywhere = [second.as_str(), night.group.as_str()];
    let shown = "**Acknowledged** by Li Lei";
    night.shown_soon(&everywhere, shown, pressed_at).await;
    let told = night.world.messages(None).await;
    let wrong = told.iter().find(|one| one.text.contains("cannot be shown"));
    assert!(wrong.is_none(), "{wrong:?}");
    night.world.finish().await;
}
