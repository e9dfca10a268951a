//! What is said about the connection, and about what came over it.

use super::{
    finding::{Both, Check, Finding, Need, both},
    listening::{Ear, Heard},
    pages::Pages,
};
use crate::{config::Intake, feishu::ws::NotLetIn};

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
    use crate::{
        config::FeishuConfig,
        doctor::{finding::Verdict, running::Running},
    };

    fn running(is_connected: bool, events: u64, presses: u64) -> Running {
        Running {
            is_connected,
            can_keep: true,
            events,
            presses,
        }
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
