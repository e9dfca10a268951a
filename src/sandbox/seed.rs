//! The scene that the page opens onto: a team in the middle of an incident.
//!
//! It began half an hour before the sandbox was started. The bot has said nothing yet and is told
//! nothing of it by events; it can read it, as it could in a group that it has just joined.

use serde_json::{Value, json};

use super::{
    card,
    world::{Author, Card, ChatKind, Saying, World},
};

/// The people, by their place in [`PEOPLE`].
#[derive(Clone, Copy)]
enum Who {
    LiLei = 0,
    HanMeimei = 1,
    Tom = 2,
    Anna = 3,
    WangQiang = 4,
    /// The bot that posts alerts.
    Alerts = 5,
}

use Who::{Alerts, Anna, HanMeimei, LiLei, Tom, WangQiang};

const PEOPLE: &[(&str, &str, &str)] = &[
    ("李雷", "li.lei@example.com", "+8613800000001"),
    ("韩梅梅", "han.meimei@example.com", "+8613800000002"),
    ("Tom Becker", "tom.becker@example.com", "+8613800000003"),
    ("Anna Rossi", "anna.rossi@example.com", "+8613800000004"),
    ("王强", "wang.qiang@example.com", "+8613800000005"),
];

/// Where a line is said.
#[derive(Clone, Copy)]
enum Place {
    Incident = 0,
    Handover = 1,
    Changes = 2,
}

use Place::{Changes, Handover, Incident};

/// How a line answers an earlier one, by that one's number in the scene.
#[derive(Clone, Copy)]
enum Answers {
    Nothing,
    Quoting(usize),
    InThread(usize),
}

use Answers::{InThread, Nothing, Quoting};

/// One thing said: how many seconds ago, where, by whom, in answer to what, and what.
struct Line(i64, Place, Who, Answers, What);

enum What {
    Text(&'static str),
    Post(fn() -> Value),
    Alert(fn() -> Value),
}

use What::{Alert, Post, Text};

/// In the order of time.
const SCENE: &[Line] = &[
    Line(
        9000,
        Handover,
        WangQiang,
        Nothing,
        Text("今天值班交给 @李雷，昨晚没有告警。"),
    ),
    Line(
        8970,
        Handover,
        WangQiang,
        Nothing,
        Text("支付网关团队今天下午扩容，可能会比平时慢一点，留意一下。"),
    ),
    Line(8910, Handover, LiLei, Quoting(1), Text("收到，辛苦了。")),
    Line(
        7200,
        Changes,
        WangQiang,
        Nothing,
        Text(
            "orders-db: index on orders.created_at added on both replicas and the primary, no locks, done.",
        ),
    ),
    Line(
        2400,
        Changes,
        HanMeimei,
        Nothing,
        Text("checkout-api 4.12.0 开始发布，预计 15 分钟。主要改动：支付网关客户端的超时和重试。"),
    ),
    Line(
        1980,
        Changes,
        HanMeimei,
        InThread(4),
        Text("10% 完成，指标正常，继续。"),
    ),
    Line(1700, Changes, HanMeimei, InThread(4), Text("100% 完成。")),
    Line(1560, Incident, Alerts, Nothing, Alert(error_rate_alert)),
    Line(
        1500,
        Incident,
        Anna,
        Nothing,
        Text(
            "Support has three tickets already: customers see an error page right after they press Pay.",
        ),
    ),
    Line(
        1455,
        Incident,
        LiLei,
        Nothing,
        Text("收到，我来跟。@王强 数据库那边有没有异常？"),
    ),
    Line(
        1400,
        Incident,
        Tom,
        InThread(7),
        Text(
            "Only POST /v1/charge is affected, and all three zones alike, so I doubt it is a node.",
        ),
    ),
    Line(
        1340,
        Incident,
        WangQiang,
        Quoting(9),
        Text("主库 CPU 23%，连接数 180/400，慢查询没有变多。不像数据库。"),
    ),
    Line(
        1230,
        Incident,
        HanMeimei,
        Nothing,
        Text("我 8 分钟前刚发完 4.12.0，里面把支付网关的超时从 3s 改成了 800ms，会不会是这个？"),
    ),
    Line(
        1170,
        Incident,
        Tom,
        InThread(12),
        Text(
            "Gateway latency today: p50 310 ms, p90 760 ms, p99 1.1 s. A limit of 800 ms cuts off about 8 % of the calls, and we see 7.8 % errors.",
        ),
    ),
    Line(
        1120,
        Incident,
        HanMeimei,
        InThread(12),
        Text("那就对得上了。先回滚，还是只改配置？"),
    ),
    Line(
        1080,
        Incident,
        LiLei,
        InThread(12),
        Text("先回滚，配置之后再说。我来操作，@Tom Becker please watch the error rate."),
    ),
    Line(
        1020,
        Changes,
        HanMeimei,
        InThread(4),
        Text("支付报错，4.12.0 正在回滚到 4.11.3，由 @李雷 操作。"),
    ),
    Line(960, Incident, Alerts, Nothing, Alert(timeout_alert)),
    Line(
        840,
        Incident,
        Anna,
        Nothing,
        Text("Can I tell customers anything? One sentence is enough."),
    ),
    Line(
        790,
        Incident,
        LiLei,
        Quoting(18),
        Text("We know the likely cause and are rolling back. Next update in 15 minutes."),
    ),
    Line(560, Incident, LiLei, Nothing, Post(rollback_progress)),
    Line(
        380,
        Incident,
        Tom,
        Nothing,
        Text("Rollback at 60 %, and the error rate follows: 7.8 % → 3.1 %."),
    ),
    Line(
        240,
        Incident,
        HanMeimei,
        Nothing,
        Text("日志里还有 context deadline exceeded，目前看都来自还没回滚的 pod。"),
    ),
    Line(
        95,
        Incident,
        Anna,
        Nothing,
        Text("No new tickets for five minutes. Is it over? 大家辛苦了"),
    ),
];

/// Reactions, by the line's number.
const REACTIONS: &[(usize, Who, &str)] = &[
    (2, WangQiang, "OK"),
    (7, LiLei, "OnIt"),
    (11, LiLei, "THANKS"),
    (12, Tom, "THUMBSUP"),
    (19, Anna, "Get"),
    (21, HanMeimei, "MUSCLE"),
    (21, Anna, "APPLAUSE"),
];

/// Fills an empty world, as of now. Whatever it leaves in the outbox is old and is thrown away.
pub(super) fn fill(world: &mut World, now_ms: i64) {
    let people: Vec<String> = PEOPLE
        .iter()
        .map(|(name, email, mobile)| {
            world
                .add_user(name, Some((*email).to_owned()), Some((*mobile).to_owned()))
                .open_id
        })
        .collect();
    let alerts = world.add_other_bot("Alertmanager").open_id;
    let chats = chats(world, &people, &alerts);
    let mut said = Vec::new();
    for Line(seconds_ago, place, who, answers, what) in SCENE {
        let author = match who {
            Alerts => Author::Bot(alerts.clone()),
            person => Author::Person(people[*person as usize].clone()),
        };
        let saying = saying(
            world,
            author,
            &chats[*place as usize],
            *answers,
            what,
            &said,
        );
        let row = world.say(saying, now_ms - seconds_ago * 1000);
        said.push(world.messages.at(row).message_id.clone());
    }
    for (line, who, emoji_type) in REACTIONS {
        let by = Author::Person(people[*who as usize].clone());
        let reacted = world.add_reaction(&said[*line], by, emoji_type, now_ms);
        debug_assert!(
            reacted.is_ok(),
            "a reaction of the scene is refused: {reacted:?}"
        );
    }
    world.p2p_chat(&people[LiLei as usize]);
    drop(world.take_outbox());
}

fn chats(world: &mut World, people: &[String], alerts: &str) -> Vec<String> {
    let everyone = people.to_vec();
    let oncall = vec![people[0].clone(), people[4].clone(), people[2].clone()];
    let chats = [
        (
            "支付故障 Checkout 5xx",
            ChatKind::Group,
            everyone.clone(),
            "Payments fail after the customer presses Pay",
        ),
        ("值班交接 On-call handover", ChatKind::Group, oncall, ""),
        (
            "变更通知 Changes",
            ChatKind::Topic,
            everyone,
            "One topic for each release",
        ),
    ];
    chats
        .into_iter()
        .map(|(name, kind, members, description)| {
            let chat_id = world.add_chat(name, kind, members, true).chat_id;
            if let Some(chat) = world.chats.get_mut(&chat_id) {
                chat.description = description.to_owned();
                chat.bots.push(alerts.to_owned());
            }
            chat_id
        })
        .collect()
}

fn saying(
    world: &World,
    author: Author,
    chat_id: &str,
    answers: Answers,
    what: &What,
    said: &[String],
) -> Saying {
    let (reply_to, in_thread) = match answers {
        Nothing => (None, false),
        Quoting(line) => (Some(said[line].clone()), false),
        InThread(line) => (Some(said[line].clone()), true),
    };
    let (msg_type, mut content, card) = match what {
        Text(text) => ("text", json!({"text": text}), None),
        Post(post) => ("post", post(), None),
        Alert(alert) => ("interactive", alert(), Some(Card::Json(alert()))),
    };
    debug_assert!(card.is_none() || card::parse(&content.to_string()).is_ok());
    let mentions = world.mentions_typed(chat_id, msg_type, &mut content);
    Saying {
        author,
        chat_id: chat_id.to_owned(),
        reply_to,
        in_thread,
        msg_type: msg_type.to_owned(),
        content: content.to_string(),
        card,
        mentions,
    }
}

fn alert(title: &str, colour: &str, lines: &[&str]) -> Value {
    json!({
        "schema": "2.0",
        "header": {"title": {"tag": "plain_text", "content": title}, "template": colour},
        "body": {"elements": [
            {"tag": "markdown", "content": lines.join("\n")},
            {"tag": "button", "text": {"tag": "plain_text", "content": "Open dashboard"}, "type": "default",
             "behaviors": [{"type": "open_url", "default_url": "https://grafana.example.com/d/checkout"}]},
        ]},
    })
}

fn error_rate_alert() -> Value {
    alert(
        "[FIRING] CheckoutErrorRateHigh",
        "red",
        &[
            "**service** checkout-api　**severity** critical　**env** prod",
            "5xx of POST /v1/charge is 7.8 % over 5 minutes (limit 2 %)",
            "",
            "| zone | 5xx | requests |",
            "|---|---|---|",
            "| a | 7.9 % | 212/s |",
            "| b | 7.6 % | 205/s |",
            "| c | 7.9 % | 198/s |",
        ],
    )
}

fn timeout_alert() -> Value {
    alert(
        "[FIRING] PaymentGatewayTimeouts",
        "orange",
        &[
            "**service** checkout-api　**severity** warning　**env** prod",
            "14,380 client timeouts towards pay-gateway in 5 minutes (usual: 30)",
        ],
    )
}

fn rollback_progress() -> Value {
    json!({"title": "Rollback of checkout-api 4.12.0 → 4.11.3", "content": [
        [{"tag": "text", "text": "Zone a is done, b is under way.", "style": []}],
        [{"tag": "code_block", "language": "SHELL",
          "text": "$ kubectl -n pay rollout status deploy/checkout-api\nWaiting for deployment \"checkout-api\" rollout to finish: 14 out of 36 new replicas have been updated..."}],
        [{"tag": "text", "text": "Error rate in zone a: ", "style": []},
         {"tag": "text", "text": "0.3 %", "style": ["bold"]}],
    ]})
}
