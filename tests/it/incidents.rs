//! What people see of an incident in their chats, and what they can do about it there.

use std::time::Duration;

use futures::future::join;
use serde_json::{Value, json};

use crate::world::{Seen, World};

const KEY: &str = "0123456789abcdef0123";

/// Two groups that are told of everything, with the same two people in both.
struct Desk {
    world: World,
    li: String,
    han: String,
    first: String,
    second: String,
}

impl Desk {
    async fn start() -> Self {
        Self::start_with(|_| String::new()).await
    }

    /// With more configuration, made of who is there.
    async fn start_with(more: impl FnOnce(&str) -> String) -> Self {
        let mut world = World::without_bot("").await;
        let li = world.user("Li Lei").await;
        let han = world.user("Han Meimei").await;
        let first = world.group("checkout on-call", &[&li, &han]).await;
        let second = world.group("sre", &[&li, &han]).await;
        let more = more(&li);
        world.set(&format!(
            r#"
            [alerts]
            integrations = [{{ name = "prometheus", key = "{KEY}" }}]
            [conversation]
            time_zone = "Asia/Shanghai"
            [incidents]
            quiet = "0s"
            routes = [{{ name = "all", chats = ["{first}", "{second}"] }}]
            schedules.primary = {{ zone = "Asia/Shanghai", layers = [
                {{ people = ["{li}", "{han}"], starts = "2026-01-05T10:00:00" }}] }}
            {more}
            "#
        ));
        world.start_bot().await;
        Self {
            world,
            li,
            han,
            first,
            second,
        }
    }

    /// Fires an alert, or lets it recover.
    async fn alert(&self, name: &str, status: &str) {
        let body = json!({
            "version": "4",
            "status": status,
            "alerts": [{
                "status": status,
                "labels": { "alertname": name, "service": "checkout", "severity": "critical" },
                "annotations": { "summary": format!("{name}: p99 is 2.4 s"), "runbook_url": "https://wiki.example.com/checkout" },
                "startsAt": "2026-11-21T08:00:00Z",
                "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-11-21T08:20:00Z" },
                "generatorURL": "http://prometheus.example.com/graph",
            }],
        });
        let url = format!("http://{}/alerts/{KEY}/alertmanager", self.world.web());
        let answer = reqwest::Client::new().post(url).json(&body).send().await;
        assert_eq!(answer.unwrap().status(), 202);
    }

    /// The card of an incident in a chat, once it shows this.
    async fn card(&self, chat: &str, text: &str) -> Seen {
        self.world
            .until(&format!("a card shows {text:?}"), async || {
                let all = self.world.messages(Some(chat)).await;
                let mut cards = all.into_iter().filter(Seen::is_by_bot);
                cards.find(|one| one.text.contains(text))
            })
            .await
    }

    /// An incident whose card is in both groups.
    async fn open() -> (Self, Seen, Seen) {
        let desk = Self::start().await;
        desk.alert("CheckoutSlow", "firing").await;
        let first = desk.card(&desk.first, "Nobody has it yet").await;
        let second = desk.card(&desk.second, "Nobody has it yet").await;
        (desk, first, second)
    }

    async fn chooses(&self, who: &str, card: &Seen, menu: &str, option: &str) -> String {
        let body = json!({ "message_id": card.message_id, "operator": who, "component": menu, "option": option });
        let shown = self.world.post("/sandbox/clicks", body).await;
        assert_eq!(shown["client_error"], Value::Null, "{shown}");
        shown["toast"]["content"].as_str().unwrap().to_owned()
    }

    /// What is answered to a command, said in the first group.
    async fn says(&self, who: &str, text: &str) -> String {
        let asked = self.world.asks(&self.first, who, text).await;
        let replies = self.world.until("a command is answered", async || {
            let replies = self.world.replies_to(&asked).await;
            (!replies.is_empty()).then_some(replies)
        });
        replies.await.remove(0).text
    }

    async fn presses(&self, who: &str, card: &Seen, button: &str) -> String {
        self.world.presses(who, card, button).await
    }
}

#[tokio::test]
async fn an_acknowledgement_shows_everywhere_and_recovery_ends_it_everywhere() {
    let (desk, first, second) = Desk::open().await;
    for part in [
        "#1 CheckoutSlow: p99 is 2.4 s",
        "[Critical]",
        "[Triggered]",
        "1 firing (1 critical), 1 in all",
        "service=checkout",
        "[Runbook](https://wiki.example.com/checkout)",
    ] {
        assert!(first.text.contains(part), "{part} is not in {}", first.text);
    }
    let told = desk.presses(&desk.li, &first, "Acknowledge").await;
    assert_eq!(told, "#1 is yours now. Nobody else is told.");
    let here = desk.world.message(&first.message_id).await;
    assert!(
        here.text.contains("**Acknowledged** by Li Lei"),
        "{}",
        here.text
    );
    desk.card(&desk.second, "**Acknowledged** by Li Lei").await;

    desk.alert("CheckoutSlow", "resolved").await;
    for (chat, card) in [(&desk.first, &first), (&desk.second, &second)] {
        let over = desk.card(chat, "**Resolved**").await;
        assert_eq!(over.message_id, card.message_id, "one card in each place");
        let labels = over.card.unwrap().labels();
        assert_eq!(labels, ["Reopen…", "Comment…", "Ask AI", "Details"]);
    }
    desk.world.finish().await;
}

#[tokio::test]
async fn a_card_that_is_too_old_to_be_changed_gets_a_successor() {
    let (desk, first, _) = Desk::open().await;
    desk.world.advance(Duration::from_secs(15 * 86_400)).await;
    desk.world.connected().await;
    desk.world.whispers(&desk.li, "/incident ack #1").await;
    let successor = desk
        .world
        .until("a new card shows how things are", async || {
            let all = desk.world.messages(Some(&desk.first)).await;
            all.into_iter().find(|one| {
                one.message_id != first.message_id
                    && one.is_by_bot()
                    && one.text.contains("**Acknowledged** by Li Lei")
            })
        })
        .await;
    // From then on it is the one that is kept up.
    desk.alert("CheckoutSlow", "resolved").await;
    let over = desk
        .world
        .until("it shows the end", async || {
            let card = desk.world.message(&successor.message_id).await;
            card.text.contains("**Resolved**").then_some(card)
        })
        .await;
    assert_eq!(over.message_id, successor.message_id);
    desk.world.finish().await;
}

#[tokio::test]
async fn of_two_who_acknowledge_one_is_first_and_the_other_is_told_by_whom() {
    let (desk, first, second) = Desk::open().await;
    let (by_li, by_han) = join(
        desk.presses(&desk.li, &first, "Acknowledge"),
        desk.presses(&desk.han, &second, "Acknowledge"),
    )
    .await;
    let (winner, lost, loser) = match by_li.contains("is yours now") {
        true => ("Li Lei", by_han, &desk.han),
        false => ("Han Meimei", by_li, &desk.li),
    };
    assert!(
        lost.starts_with(&format!("{winner} acknowledged it ")),
        "{lost}"
    );
    desk.card(&desk.first, &format!("**Acknowledged** by {winner}"))
        .await;
    desk.card(&desk.second, &format!("**Acknowledged** by {winner}"))
        .await;
    let told = desk.presses(loser, &first, "Assign to me").await;
    assert_eq!(told, "#1 is assigned to you.");
    desk.world.finish().await;
}

#[tokio::test]
async fn every_button_does_what_stands_on_it() {
    let (desk, card, _) = Desk::open().await;
    let li = desk.li.as_str();
    desk.world
        .model_says(json!([{ "text": "The pool is full." }]))
        .await;
    let toasts = [
        desk.presses(li, &card, "Assign to me").await,
        desk.presses(li, &card, "Un-acknowledge").await,
        desk.presses(li, &card, "Escalate").await,
        desk.chooses(li, &card, "add", &desk.han).await,
        desk.chooses(li, &card, "silence", "2h").await,
        desk.chooses(li, &card, "snooze", "2h").await,
        desk.presses(li, &card, "Acknowledge").await,
        desk.presses(li, &card, "Details").await,
        desk.presses(li, &card, "Close").await,
        desk.presses(li, &card, "Ask AI").await,
    ];
    let shown = toasts.join("\n");
    let until = regex::Regex::new(r"until .*?\d\d:\d\d:\d\d").unwrap();
    let shown = until.replace_all(&shown, "until 12:00:00");
    insta::assert_snapshot!(shown, @r"
    #1 is assigned to you.
    You gave #1 back. Those on call are told again.
    There is nobody further to tell: no level of the escalation policy is left, or none applies.
    Han Meimei was added to #1 and is told now.
    New alerts like those of #1 are silenced until 12:00:00. #1 itself stays as it is.
    #1 is put off until 12:00:00. What becomes worse comes back before.
    #1 is yours now. Nobody else is told.
    The details are in a card below.
    #1 is closed.
    I am looking into it. The answer comes below.
    ");
    let now = desk.world.message(&card.message_id).await;
    assert!(now.text.contains("closed by hand"), "{}", now.text);
    // Whoever was added hears of it in their own chat.
    desk.world
        .until("whoever was added is told", async || {
            let all = desk.world.messages(None).await;
            let mut all = all.into_iter();
            all.find(|one| one.text.contains("Li Lei asks you to help with"))
        })
        .await;
    let details = desk.card(&desk.first, "**Timeline**").await;
    for part in [
        "Li Lei silenced alerts like these until",
        "Li Lei added Han Meimei",
    ] {
        assert!(
            details.text.contains(part),
            "{part} is not in {}",
            details.text
        );
    }
    // The question is a message that everybody sees, and the facts of the incident went with it.
    let question = desk
        .card(
            &desk.first,
            "Li Lei asks: What is going on with incident #1?",
        )
        .await;
    let answer = desk.world.answer_to(&question.message_id).await;
    assert!(answer.text.contains("The pool is full."), "{}", answer.text);
    let asked = desk.world.model_requests().await[0]["body"].to_string();
    assert!(asked.contains("record of an incident"), "{asked}");
    assert!(asked.contains("CheckoutSlow: p99 is 2.4 s"), "{asked}");
    desk.world.finish().await;
}

#[tokio::test]
async fn what_a_press_does_not_say_is_asked_for_by_a_form() {
    let (desk, card, _) = Desk::open().await;
    let li = desk.li.as_str();
    assert_eq!(
        desk.presses(li, &card, "Comment…").await,
        "Write it into the form below."
    );
    let form = desk.card(&desk.first, "**Comment on #1**").await;
    let told = desk
        .world
        .fills_in(&desk.han, &form, json!({"words": "the pool\nis full"}))
        .await;
    assert_eq!(told, "Your comment is in the timeline of #1.");
    let said = desk.world.message(&form.message_id).await;
    assert!(said.text.contains("the pool\nis full"), "{}", said.text);
    assert!(said.text.contains("Han Meimei · "), "{}", said.text);
    desk.card(&desk.second, "Han Meimei: the pool is full")
        .await;

    assert_eq!(
        desk.chooses(li, &card, "snooze", "other").await,
        "Write it into the form below."
    );
    let form = desk.card(&desk.first, "**Snooze #1**").await;
    let told = desk
        .world
        .fills_in(li, &form, json!({"words": "a while"}))
        .await;
    assert!(told.starts_with("I do not understand this time."), "{told}");
    let told = desk
        .world
        .fills_in(li, &form, json!({"words": "25h"}))
        .await;
    assert!(
        told.starts_with("An incident can be put off for 24 hours at most."),
        "{told}"
    );
    let told = desk
        .world
        .fills_in(li, &form, json!({"words": "３小时"}))
        .await;
    assert!(told.starts_with("#1 is put off until"), "{told}");
    desk.card(&desk.second, "Snoozed until").await;

    desk.presses(li, &card, "Close").await;
    desk.presses(li, &card, "Reopen…").await;
    let form = desk.card(&desk.first, "**Reopen #1**").await;
    let told = desk
        .world
        .fills_in(li, &form, json!({"words": "it is back"}))
        .await;
    assert_eq!(told, "#1 is open again. Those on call are told.");
    desk.card(&desk.second, "Li Lei reopened it: it is back")
        .await;
    desk.world.finish().await;
}

#[tokio::test]
async fn the_language_of_a_card_follows_the_settings_of_its_chat() {
    let desk = Desk::start_with(|li| format!("[access]\nadministrators = [{li:?}]\n")).await;
    let set = desk.says(&desk.li, "/settings language zh").await;
    assert!(set.contains("语言"), "{set}");
    desk.alert("CheckoutSlow", "firing").await;
    let chinese = desk.card(&desk.first, "尚无人认领").await;
    desk.card(&desk.second, "Nobody has it yet").await;
    let labels = chinese.card.as_ref().unwrap().labels();
    assert_eq!(
        labels,
        [
            "认领",
            "指派给我",
            "升级",
            "关闭",
            "评论…",
            "作战室",
            "问 AI",
            "详情"
        ]
    );
    desk.presses(&desk.li, &chinese, "评论…").await;
    desk.card(&desk.first, "**评论 #1**").await;
    desk.world.finish().await;
}

#[tokio::test]
async fn where_there_are_responders_others_may_look_and_speak() {
    let desk = Desk::start_with(|li| format!("[access]\nresponders = [{li:?}]\n")).await;
    desk.alert("CheckoutSlow", "firing").await;
    let card = desk.card(&desk.first, "Nobody has it yet").await;
    let told = desk.presses(&desk.han, &card, "Acknowledge").await;
    assert!(
        told.starts_with("Only responders and administrators may do this."),
        "{told}"
    );
    let told = desk.says(&desk.han, "/incident close #1").await;
    assert!(
        told.starts_with("Only responders and administrators may do this."),
        "{told}"
    );
    let told = desk
        .says(&desk.han, "/incident comment #1 I see it, too")
        .await;
    assert_eq!(told, "Your comment is in the timeline of #1.");
    assert_eq!(
        desk.presses(&desk.han, &card, "Details").await,
        "The details are in a card below."
    );
    let told = desk.presses(&desk.li, &card, "Acknowledge").await;
    assert!(told.starts_with("#1 is yours now."), "{told}");
    desk.world.finish().await;
}

#[tokio::test]
async fn all_of_it_can_be_done_by_words_in_both_languages() {
    let desk = Desk::start().await;
    let (li, han) = (desk.li.as_str(), desk.han.as_str());
    let ago = regex::Regex::new(r"\d+ (s|min|秒|分钟)( ago|前)").unwrap();
    let mut said = Vec::new();
    for (who, text) in [
        (li, "/incident"),
        (li, "/incident new critical: checkout is down"),
        (li, "/incident ack 1"),
        (han, "/incident ack #1"),
        (han, "/故障 认领＃１"),
        (han, "/incident assign 1 me"),
        (li, "/incident snooze 1 2 days"),
        (li, "/incident severity 1 warning"),
        (li, "/incident severity 1 purple"),
        (li, "/incident title 1 payments are slow"),
        (li, "/故障 影响 1 十分之一的支付失败"),
        (li, "/incident comment 1"),
        (li, "/incident unack 1"),
        (li, "/incident unack 1"),
        (li, "/incident escalate 1"),
        (han, "/故障 新建 数据库变慢"),
        (li, "/incident merge 2 into 1"),
        (li, "/incident ack 2"),
        (li, "/incident close"),
        (li, "/incident close 9"),
        (li, "/incident explode 1"),
        (li, "/incident close 1"),
        (li, "/incident reopen 1 not yet"),
        (li, "/故障 关闭 1"),
        (li, "/故障"),
    ] {
        let answer = desk.says(who, text).await;
        said.push(format!("{text}\n  {}", ago.replace_all(&answer, "1 s ago")));
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    /incident
      Open incidents
    Nothing is open.
    /incident new critical: checkout is down
      Incident #1 is open. Its card is in this group.
    /incident ack 1
      #1 is yours now. Nobody else is told.
    /incident ack #1
      Li Lei acknowledged it 1 s ago.
    /故障 认领＃１
      Li Lei 已在 1 s ago认领。
    /incident assign 1 me
      #1 已指派给你。
    /incident snooze 1 2 days
      无法识别时长，请写成 45m、3h 或 1d，最长 1 天。
    /incident severity 1 warning
      #1 的级别现为警告。
    /incident severity 1 purple
      请写明级别：严重、错误、警告、提示，或“自动”（以告警为准）。
    /incident title 1 payments are slow
      #1 的标题现为：payments are slow
    /故障 影响 1 十分之一的支付失败
      已记录 #1 的影响。
    /incident comment 1
      没有填写内容，未做任何操作。
    /incident unack 1
      已取消认领 #1，将重新通知值班人员。
    /incident unack 1
      #1 无人认领，无需取消。
    /incident escalate 1
      没有可以升级的对象：升级策略已到最后一级，或没有适用的策略。
    /故障 新建 数据库变慢
      故障 #2 已创建，卡片已发到本群。
    /incident merge 2 into 1
      #2 已合并到 #1，此操作不可撤销。
    /incident ack 2
      #2 已合并到 #1，请到 #1 操作。
    /incident close
      请写明故障编号，例如：/故障 认领 #42。发送 /故障 查看未解决的故障。
    /incident close 9
      没有故障 #9。发送 /故障 查看未解决的故障。
    /incident explode 1
      无法识别该操作。发送 /帮助 故障 查看用法，例如：/故障 认领 #42
    /incident close 1
      #1 已关闭。
    /incident reopen 1 not yet
      #1 已重新打开，正在通知值班人员。
    /故障 关闭 1
      #1 已关闭。
    /故障
      未解决的故障
    没有未解决的故障。
    ");
    desk.world.finish().await;
}

#[tokio::test]
async fn who_is_on_call_what_happened_and_what_is_silenced_can_be_asked() {
    let (desk, _, _) = Desk::open().await;
    let li = desk.li.as_str();
    let times = regex::Regex::new(r"(\d{4}-)?(\d\d-\d\d )?\d\d:\d\d:\d\d").unwrap();
    let left =
        regex::Regex::new(r"\d+ (d|天)( \d+ (h|小时))?|\d+ (h|小时)( \d+ (min|分钟))?").unwrap();
    let name = regex::Regex::new(r"s-[0-9a-f]{6}").unwrap();
    let mut said = Vec::new();
    for text in [
        "/oncall",
        "/值班",
        "/timeline 1",
        "/时间线 #1",
        "/timeline",
        "/incident #1",
        "/silence",
        "/silence service=checkout",
        "/silence 2h service",
        "/silence 2h a=~\".*\"",
        "/silence 2h service=checkout, severity=info",
        "/静默 ２小时 #1",
        "/silence",
        "/silence lift #1",
        "/silence lift s-nothing",
    ] {
        let answer = desk.says(li, text).await;
        let answer = times.replace_all(&answer, "12:00:00");
        let answer = left.replace_all(&answer, "2 h");
        said.push(format!("{text}\n{}", name.replace_all(&answer, "s-123456")));
    }
    insta::assert_snapshot!(said.join("\n\n"), @r#"
    /oncall
    On call
    - **primary**: Han Meimei, until 12:00:00 UTC+8 (2 h left); then Li Lei

    /值班
    值班
    - **primary**: Han Meimei，至 12:00:00 UTC+8（还有 2 h）；之后 Li Lei

    /timeline 1
    #1 CheckoutSlow: p99 is 2.4 s
    **时间线**

    - 12:00:00 prometheus 创建故障（严重）：CheckoutSlow: p99 is 2.4 s

    /时间线 #1
    #1 CheckoutSlow: p99 is 2.4 s
    **时间线**

    - 12:00:00 prometheus 创建故障（严重）：CheckoutSlow: p99 is 2.4 s

    /timeline
    请写明故障编号，例如：/故障 认领 #42。发送 /故障 查看未解决的故障。

    /incident #1
    #1 CheckoutSlow: p99 is 2.4 s
    - **状态：** 待处理
    - **级别：** 严重
    - **开始：** 12:00:00 UTC+8
    - **共同标签：** alertname=CheckoutSlow, service=checkout, severity=critical

    **告警：** 1 条触发中，共 1 条

    - 严重，12:00:00 起：CheckoutSlow: p99 is 2.4 s

    **时间线**

    - 12:00:00 prometheus 创建故障（严重）：CheckoutSlow: p99 is 2.4 s

    /silence
    静默
    没有静默。发送 `/帮助 静默` 查看用法。

    /silence service=checkout
    无法识别时长，请写成 45m、3h 或 1d，最长 2 h。例如：/静默 2小时 service=checkout

    /silence 2h service
    第 8 个字符处的标签无法识别。请写成 service=checkout, env=∼"staging|test"

    /silence 2h a=~".*"
    这会静默所有告警，未生效。请写明告警的标签，例如 service=checkout。

    /silence 2h service=checkout, severity=info
    匹配的告警静默至 12:00:00。发送 /静默 解除 s-123456 可解除。

    /静默 ２小时 #1
    与 #1 同类的新告警静默至 12:00:00，#1 本身不变。

    /silence
    静默
    - **#1** `{alertname="CheckoutSlow",service="checkout"}` 至 12:00:00，Li Lei
    - **s-123456** `{service="checkout",severity="info"}` 至 12:00:00，Li Lei

    /silence lift #1
    已解除 #1，仍未恢复的告警将立即通知。

    /silence lift s-nothing
    没有这条静默。发送 /静默 查看现有静默。
    "#);
    desk.world.finish().await;
}
