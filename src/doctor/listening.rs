//! Whether events and presses arrive.
//!
//! The platform gives each event to one of the app's connections, drawn by lot. So an examination from
//! outside opens one of its own only where no bot runs, and hands back everything that is not its own: an
//! event that is answered "failed" comes again, and by then the bot has its connection to itself. A bot
//! that runs is asked instead.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    deeds::MARK,
    finding::{Both, Check, Finding, Need, both},
    pages::Pages,
    running::{self, Running},
};
use crate::{
    config::{FeishuConfig, Intake},
    feishu::{
        Answer, Delivery, Event, EventBody,
        ws::{self, Link, NotLetIn},
    },
    telemetry::Metrics,
};

const CONNECTION: Check = Check::required(
    "connection",
    "The long connection can be opened",
    "能建立长连接",
);
const ALONE: Check = Check::optional(
    "connection.alone",
    "No other process takes events away",
    "没有别的进程分走事件",
);
const EVENTS: Check = Check::optional("events.arrive", "Events arrive", "事件能送达");
const PRESSES: Check = Check::optional(
    "callbacks.arrive",
    "Presses of buttons arrive",
    "按钮点击能送达",
);

/// How long a connection may take to be closed.
const CLOSE_MAX: Duration = Duration::from_secs(4);
/// How long our own reaction's event is waited for.
const ECHO_MAX: Duration = Duration::from_secs(1);
/// How often a running bot is asked whether a press came.
const ASK_EVERY: Duration = Duration::from_millis(300);
/// How many events may wait to be handed back.
const DELIVERIES_MAX: usize = 64;

/// From where one listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ear {
    /// A bot runs here, and is asked.
    Running(Running),
    /// A bot runs here, and says nothing.
    Mute,
    /// Somebody is connected, and it is not a bot of this configuration on this machine.
    Elsewhere(u64),
    /// No bot runs here, and what is posted to one cannot be heard from here.
    Posted,
    /// Nobody is connected, as far as can be known.
    Own,
}

/// Decides from where to listen.
pub(super) fn ear(
    intake: Intake,
    in_use: bool,
    running: Option<Running>,
    online: Option<u64>,
) -> Ear {
    match (in_use, running, online) {
        (true, Some(running), _) => Ear::Running(running),
        (true, None, _) => Ear::Mute,
        (false, _, _) if !intake.connects() => Ear::Posted,
        (false, _, Some(online)) if online > 0 => Ear::Elsewhere(online),
        (false, _, _) => Ear::Own,
    }
}

/// What was heard so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The kinds of the events that came.
    kinds: BTreeSet<String>,
    /// Whether the probe's button was pressed.
    is_pressed: bool,
    /// How many events were handed back.
    handed_back: u32,
}

/// A connection of our own.
pub(super) struct Connection {
    link: watch::Receiver<Link>,
    heard: watch::Receiver<Heard>,
    stop: CancellationToken,
    line: AbortOnDropHandle<()>,
}

impl Connection {
    /// Opens one, and waits until it is up or cannot be.
    pub(super) async fn open(config: &FeishuConfig, mark: &str) -> (Self, Result<(), String>) {
        let (link, watching) = watch::channel(Link::Connecting);
        let (deliver, deliveries) = mpsc::channel(DELIVERIES_MAX);
        let (tell, heard) = watch::channel(Heard::default());
        let stop = CancellationToken::new();
        // To ask where, and to connect there.
        let patience = config.request_timeout + config.connect_timeout;
        let (config, until, mark) = (config.clone(), stop.clone(), mark.to_owned());
        let line = AbortOnDropHandle::new(tokio::spawn(async move {
            let running = ws::run(&config, deliver, link, Metrics::default(), until);
            // How it ended stands in `link`.
            let _ = tokio::join!(running, hear(deliveries, tell, &config.app_id, &mark));
        }));
        let mut connection = Self {
            link: watching,
            heard,
            stop,
            line,
        };
        let opened = connection.opened(patience).await;
        (connection, opened)
    }

    async fn opened(&mut self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        let settled = self
            .link
            .wait_for(|link| matches!(link, Link::Up | Link::Fatal(_)));
        match timeout_at(until, settled).await {
            Ok(Ok(link)) => match &*link {
                Link::Fatal(why) => Err(why.clone()),
                _ => Ok(()),
            },
            _ => Err("no connection within a few seconds".to_owned()),
        }
    }

    /// What was heard by now, once our own doings have had the time to come back.
    pub(super) async fn echo(&mut self) -> Heard {
        let any = self.heard.wait_for(|heard| !heard.kinds.is_empty());
        let _ = timeout_at(Instant::now() + ECHO_MAX, any).await;
        self.heard.borrow().clone()
    }

    /// Waits for a press, and for an event that somebody causes.
    pub(super) async fn wait(&mut self, until: Instant) -> Heard {
        let all = self
            .heard
            .wait_for(|heard| heard.is_pressed && !heard.kinds.is_empty());
        let _ = timeout_at(until, all).await;
        self.heard.borrow().clone()
    }

    /// Closes it, once what was answered is written.
    pub(super) async fn close(self) {
        self.stop.cancel();
        let _ = timeout_at(Instant::now() + CLOSE_MAX, self.line).await;
    }
}

/// Answers what arrives: our own with thanks, everything else "failed", so that it comes again.
async fn hear(
    mut deliveries: mpsc::Receiver<Delivery>,
    tell: watch::Sender<Heard>,
    own: &str,
    mark: &str,
) {
    while let Some(delivery) = deliveries.recv().await {
        let event = Event::decode(&delivery.payload).ok();
        let answer = answer(event.as_ref(), own, mark);
        tell.send_modify(|heard| {
            match &event {
                Some(event) if matches!(event.body, EventBody::Clicked(_)) => {
                    heard.is_pressed |= answer != Answer::Failed;
                }
                Some(event) => drop(heard.kinds.insert(event.kind.clone())),
                None => {}
            }
            heard.handed_back += u32::from(answer == Answer::Failed);
        });
        // A connection that is gone by now has handed it back by that.
        let _ = delivery.answer.send(answer);
    }
}

fn answer(event: Option<&Event>, own: &str, mark: &str) -> Answer {
    match event.map(|event| &event.body) {
        Some(EventBody::Clicked(click)) if is_ours(&click.value, mark) => {
            Answer::DoneWith(thanks())
        }
        // The one that was just tried; the bot makes nothing of its own.
        Some(EventBody::ReactionAdded(reacted) | EventBody::ReactionRemoved(reacted))
            if reacted.operator.is_app && reacted.operator.id == own =>
        {
            Answer::Done
        }
        _ => Answer::Failed,
    }
}

fn is_ours(value: &Value, mark: &str) -> bool {
    match value {
        Value::String(text) => serde_json::from_str::<Value>(text)
            .is_ok_and(|value| value.is_object() && is_ours(&value, mark)),
        value => value.get(MARK).and_then(Value::as_str) == Some(mark),
    }
}

fn thanks() -> Value {
    let (english, chinese) = ("It arrived. Thank you.", "收到了，谢谢。");
    json!({"toast": {
        "type": "success",
        "content": english,
        "i18n": {"en_us": english, "zh_cn": chinese},
    }})
}

/// Waits until a bot that runs has counted another press.
pub(super) async fn wait_for_press(listen: SocketAddr, before: Running, until: Instant) -> Running {
    let mut now = before;
    while now.presses == before.presses && Instant::now() + ASK_EVERY < until {
        sleep(ASK_EVERY).await;
        if let Some(running) = running::ask(listen).await {
            now = running;
        }
    }
    now
}

/// How one comes to be connected: the door, and the connection, where one was opened.
pub(super) fn connection(
    ear: &Ear,
    door: &Result<(), NotLetIn>,
    opened: Option<&Result<(), String>>,
    pages: &Pages,
) -> Finding {
    let refused = |why: &str| {
        CONNECTION
            .missing(both(why, why))
            .symptom(
                "The bot hears nothing, and answers nobody.",
                "机器人什么也收不到，谁也不回答。",
            )
            .remedy(
                "Do what the line says. The long connection is made directly to port 443, without a proxy, and needs a self-built app with a bot.",
                "请按提示处理。长连接直连 443 端口，不走代理，并要求是带机器人能力的自建应用。",
            )
            .link(pages.events())
    };
    match (ear, door, opened) {
        (Ear::Posted, _, _) => CONNECTION.works(both(
            "not used: feishu.events is \"webhook\", and no bot runs here that could say what is posted",
            "未使用：feishu.events 为 \"webhook\"，且此处没有正在运行的机器人可供询问",
        )),
        (Ear::Running(running), _, _) if running.is_connected => CONNECTION.works(both(
            "the bot that runs here is connected",
            "在此运行的机器人已连接",
        )),
        (Ear::Running(_), _, _) => refused("the bot that runs here is not connected"),
        (_, Err(not), _) => refused(&not.to_string()),
        (_, Ok(()), Some(Err(why))) => refused(why),
        (_, Ok(()), Some(Ok(()))) => {
            CONNECTION.works(both("opened and closed again", "已建立并关闭"))
        }
        (_, Ok(()), None) => CONNECTION.works(both(
            "the platform would give one; none was opened, so as not to take events from a bot that runs",
            "平台允许建立；为避免分走正在运行的机器人的事件，没有真正建立",
        )),
    }
}

/// Whether events are shared with somebody.
pub(super) fn alone(ear: &Ear, online: Option<u64>) -> Finding {
    let several = |count: u64| {
        ALONE
            .missing(both(
                format!("{count} connections are open"),
                format!("有 {count} 个连接"),
            ))
            .symptom(
                "Some messages are answered and others vanish: each goes to one of the processes, by lot.",
                "有的消息有回答，有的消失了：每条消息随机发给其中一个进程。",
            )
            .remedy(
                "Stop the other copies of this bot (a laptop, an old deployment), or give each an app of its own.",
                "请停掉这个机器人的其他副本（笔记本、旧部署），或让它们各用一个应用。",
            )
    };
    match (ear, online) {
        (Ear::Elsewhere(count), _) => ALONE
            .unknown(both(
                format!("{count} connections are open, none of them by a bot that keeps its state here"),
                format!("有 {count} 个连接，都不是在此保存状态的机器人"),
            ))
            .symptom(
                "If that is not your bot on another machine: some messages are answered and others vanish.",
                "如果那不是你在另一台机器上的机器人：有的消息有回答，有的会消失。",
            )
            .remedy(
                "Find out which process uses this app. While it runs, do not start another one.",
                "请查明是哪个进程在用这个应用；它运行期间不要再启动另一个。",
            ),
        (_, None) => ALONE
            .unknown(both(
                "the platform does not tell how many connections there are",
                "平台没有说明有多少个连接",
            ))
            .remedy(
                "If some messages vanish, look for a second copy of the bot.",
                "如果有消息消失，请查找是否有第二个机器人进程。",
            ),
        (Ear::Running(_) | Ear::Mute, Some(count)) if count > 1 => several(count),
        (_, Some(count)) => ALONE.works(both(
            format!("{count} connections are open"),
            format!("有 {count} 个连接"),
        )),
    }
}

/// Lines about what arrives at a connection of our own, or at the bot that runs.
pub(super) fn arrivals(ear: &Ear, heard: &Heard, was_asked: bool, pages: &Pages) -> Vec<Finding> {
    let (events, presses) = match ear {
        Ear::Running(running) => {
            let other = running.events.saturating_sub(running.presses);
            let events = (other > 0).then(|| {
                both(
                    format!("the bot that runs here got {other} since it was started"),
                    format!("在此运行的机器人启动以来收到 {other} 个"),
                )
            });
            let presses = running.presses;
            let presses = (presses > 0).then(|| {
                both(
                    format!("the bot that runs here got {presses} since it was started"),
                    format!("在此运行的机器人启动以来收到 {presses} 个"),
                )
            });
            (events, presses)
        }
        _ => {
            let kinds: Vec<&str> = heard.kinds.iter().map(String::as_str).collect();
            let kinds = kinds.join(", ");
            let back = heard.handed_back;
            let events = (!kinds.is_empty()).then(|| {
                both(
                    format!("{kinds} (handed back, to come again for the bot: {back})"),
                    format!("{kinds}（已退回、稍后会重新推送给机器人：{back} 个）"),
                )
            });
            let pressed = heard.is_pressed;
            (
                events,
                pressed.then(|| both("the button's press came", "收到了按钮点击")),
            )
        }
    };
    vec![
        arrival(&EVENTS, events, was_asked, pages),
        arrival(&PRESSES, presses, was_asked, pages),
    ]
}

/// Lines about what arrived at the bot that examines itself: this very question, for one.
pub(super) fn from_inside(
    intake: Intake,
    is_connected: bool,
    presses: u64,
    pages: &Pages,
) -> Vec<Finding> {
    let connected = match is_connected {
        true if !intake.connects() => CONNECTION.works(both(
            "not used: events are posted",
            "未使用：事件以 webhook 推送",
        )),
        true => CONNECTION.works(both("it is up", "已连接")),
        false => CONNECTION
            .unknown(both(
                "it is down, and yet this question came: by webhook, or before it was lost",
                "未连接，但这条命令送达了：经由 webhook，或在断开之前",
            ))
            .need(Need::Optional),
    };
    let presses = (presses > 0).then(|| {
        both(
            format!("{presses} since the start"),
            format!("启动以来 {presses} 个"),
        )
    });
    vec![
        connected,
        EVENTS.works(both("this question did", "这条命令就送达了")),
        arrival(&PRESSES, presses, false, pages),
    ]
}

fn arrival(check: &Check, came: Option<Both>, was_asked: bool, pages: &Pages) -> Finding {
    if let Some(found) = came {
        return check.works(found);
    }
    let line = match was_asked {
        true => check.unknown(both("none came while it waited", "等待期间没有收到")),
        false => check.unknown(both("none came", "没有收到")),
    };
    match check.id == PRESSES.id {
        true => line
            .symptom(
                "If pressing a button shows an error of the client (200340), the callback is not subscribed to or goes elsewhere.",
                "如果点击按钮时客户端报错（200340），说明没有订阅回调，或回调发往了别处。",
            )
            .remedy(
                "Press a button of one of the bot's cards (with --chat, of the probe card), and ask again. The callback is card.action.trigger.",
                "点击机器人任一卡片上的按钮（用 --chat 时点击检查卡片），然后再检查一次。回调名为 card.action.trigger。",
            ),
        false => line
            .symptom(
                "If people write and nothing comes, events are not subscribed to or go elsewhere.",
                "如果有人发消息却收不到，说明没有订阅事件，或事件发往了别处。",
            )
            .remedy(
                "Write to the bot (with --chat, while the examination waits), and ask again. The event is im.message.receive_v1.",
                "给机器人发一条消息（用 --chat 时，在检查等待期间发送），然后再检查一次。事件名为 im.message.receive_v1。",
            ),
    }
    .link(pages.events())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    fn running(is_connected: bool, events: u64, presses: u64) -> Running {
        Running {
            is_connected,
            can_keep: true,
            events,
            presses,
        }
    }

    #[test]
    fn a_connection_of_our_own_is_opened_only_where_nobody_loses_by_it() {
        let bot = running(true, 0, 0);
        for (in_use, running, online, expected) in [
            (true, Some(bot), Some(1), Ear::Running(bot)),
            (true, None, Some(1), Ear::Mute),
            (true, None, None, Ear::Mute),
            (false, None, Some(2), Ear::Elsewhere(2)),
            // Another bot answers at our address, and nobody is connected for this app.
            (false, Some(bot), Some(0), Ear::Own),
            (false, None, Some(0), Ear::Own),
            (false, None, None, Ear::Own),
        ] {
            let intake = Intake::LongConnection;
            assert_eq!(ear(intake, in_use, running, online), expected);
        }
        assert_eq!(ear(Intake::Webhook, false, None, Some(0)), Ear::Posted);
        let running = Ear::Running(bot);
        assert_eq!(ear(Intake::Webhook, true, Some(bot), None), running);
    }

    #[test]
    fn two_processes_are_told_from_one_bot() {
        let check = |ear: Ear, online, expected| {
            assert_eq!(alone(&ear, online).verdict, expected);
        };
        let bot = || Ear::Running(running(true, 0, 0));
        check(bot(), Some(1), Verdict::Works);
        check(bot(), Some(2), Verdict::Missing);
        check(bot(), None, Verdict::Unknown);
        check(Ear::Own, Some(0), Verdict::Works);
        check(Ear::Elsewhere(1), Some(1), Verdict::Unknown);
    }

    #[test]
    fn only_our_own_press_is_kept_and_all_else_is_handed_back() {
        let press = |value: Value| {
            let event = json!({"schema": "2.0",
                "header": {"event_id": "e", "event_type": "card.action.trigger", "app_id": "a", "tenant_key": "t"},
                "event": {"operator": {"open_id": "ou_a"}, "action": {"value": value},
                    "context": {"open_message_id": "om_a"}}});
            let event = Event::decode(event.to_string().as_bytes()).unwrap();
            answer(Some(&event), "a", "m1")
        };
        assert_eq!(press(json!({"doctor": "m1"})), Answer::DoneWith(thanks()));
        assert_eq!(
            press(json!("{\"doctor\":\"m1\"}")),
            Answer::DoneWith(thanks())
        );
        assert_eq!(press(json!({"doctor": "m2"})), Answer::Failed);
        assert_eq!(press(json!({"stop": "m1"})), Answer::Failed);
        assert_eq!(press(json!("\"m1\"")), Answer::Failed);
        assert_eq!(answer(None, "a", "m1"), Answer::Failed);
    }

    #[test]
    fn arrivals_are_what_came_and_nothing_is_concluded_from_silence() {
        let pages = Pages::of(&FeishuConfig::default());
        let verdicts = |ear: &Ear, heard: &Heard| -> Vec<Verdict> {
            let lines = arrivals(ear, heard, true, &pages);
            lines.iter().map(|line| line.verdict).collect()
        };
        use Verdict::{Unknown, Works};
        let nothing = Heard::default();
        let all = Heard {
            kinds: ["im.message.receive_v1".to_owned()].into(),
            is_pressed: true,
            handed_back: 1,
        };
        assert_eq!(verdicts(&Ear::Own, &nothing), [Unknown, Unknown]);
        assert_eq!(verdicts(&Ear::Own, &all), [Works, Works]);
        let ear = Ear::Running(running(true, 3, 0));
        assert_eq!(verdicts(&ear, &nothing), [Works, Unknown]);
        let ear = Ear::Running(running(true, 3, 3));
        assert_eq!(verdicts(&ear, &nothing), [Unknown, Works]);
    }
}
