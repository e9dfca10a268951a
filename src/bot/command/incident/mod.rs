//! `/incident`: all that can be done with incidents, by words. In a war room the number may be left out.

mod list;
pub(super) mod words;

use std::sync::Arc;

use super::{Command, Definition, Request, words::either};
use crate::{
    bot::{
        Bot,
        access::Role,
        audit::{self, Deed as Noted},
        card::notice::{Notice, Template},
        handling::{self, Hand, Handled, Right, Told, Tone},
        incidents::{Case, Place},
        markdown, notice, war_room,
    },
    feishu::{ChatId, ChatKind},
    incident::{Channel, Deed, PersonId, SNOOZE_MAX, severity::Severity},
};

use words::{Verb, Wish};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Incident,
    english: &["incident", "incidents", "inc"],
    chinese: &["故障", "事故"],
    arguments_english: "[#42] [what]",
    arguments_chinese: "[#42] [操作]",
    needs: Role::Member,
    about_english: "lists the open incidents; shows one, reports one, or does something with one",
    about_chinese: "列出未解决的故障；查看、上报或处理故障",
    more_english: "\n- `/incident`, `/incident all`: those that are open, or the last ones\
        \n- `/incident #42`: all about one\
        \n- `/incident new [critical] title`: reports one\
        \n- `/incident ack #42`, `unack`, `close`, `escalate`\
        \n- `/incident snooze #42 2h`: at most 24h\
        \n- `/incident reopen #42 why`\
        \n- `/incident assign #42 @somebody` (or `me`), `/incident add #42 @somebody`\
        \n- `/incident comment #42 text`, `title`, `impact`\
        \n- `/incident severity #42 critical|error|warning|info|auto`\
        \n- `/incident merge #42 into #17`: cannot be undone\
        \n\nIn a war room the number may be left out.",
    more_chinese: "\n- `/故障`、`/故障 全部`：未解决的，或最近的\
        \n- `/故障 #42`：查看详情\
        \n- `/故障 新建 [严重] 标题`：上报故障\
        \n- `/故障 认领 #42`、`取消认领`、`关闭`、`升级`\
        \n- `/故障 暂缓 #42 2小时`：最长 24 小时\
        \n- `/故障 重新打开 #42 原因`\
        \n- `/故障 指派 #42 @某人`（或 `我`）、`/故障 邀请 #42 @某人`\
        \n- `/故障 评论 #42 内容`、`标题`、`影响`\
        \n- `/故障 级别 #42 严重|错误|警告|提示|自动`\
        \n- `/故障 合并 #42 到 #17`：不可撤销\
        \n\n在作战室中可以省略编号。",
};

/// How bad an incident is that somebody reports without saying it.
const REPORTED_AS: Severity = Severity::Error;

impl Verb {
    /// What right it takes.
    fn takes(&self) -> Right {
        match self {
            Self::List { .. } | Self::Show => Right::Look,
            Self::New { .. } | Self::Comment(_) => Right::Speak,
            _ => Right::Act,
        }
    }

    /// How the audit calls it.
    fn name(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Show => "show",
            Self::New { .. } => "new",
            Self::Acknowledge => "ack",
            Self::Unacknowledge => "unack",
            Self::Close => "close",
            Self::Reopen(_) => "reopen",
            Self::Snooze(_) => "snooze",
            Self::Escalate => "escalate",
            Self::Assign(_) => "assign",
            Self::Add(_) => "add",
            Self::Comment(_) => "comment",
            Self::Severity(_) => "severity",
            Self::Title(_) => "title",
            Self::Impact(_) => "impact",
            Self::Merge { .. } => "merge",
        }
    }
}

pub(super) async fn run(bot: &Bot, request: &Request) {
    let room = war_room::incident_of(bot, &request.place.chat).await;
    let Some(wish) = words::parse(&request.invocation.arguments, room.is_some()) else {
        return say(bot, request, "incident", &not_understood()).await;
    };
    if let Err(told) = may(bot, request, wish.verb.takes()).await {
        return say(bot, request, "incident", &told).await;
    }
    match &wish.verb {
        Verb::List { all } => list::run(bot, request, *all).await,
        Verb::New { title, severity } => {
            let told = declare(bot, request, title, *severity).await;
            say(bot, request, "incident", &told).await;
        }
        _ => {
            let case = match find(bot, wish.number, room).await {
                Ok(case) => case,
                Err(told) => return say(bot, request, "incident", &told).await,
            };
            match wish.verb {
                Verb::Show => show(bot, request, &case).await,
                _ => {
                    let told = act(bot, request, &case, &wish).await;
                    note(bot, request, &case, &wish.verb, &told).await;
                    say(bot, request, "incident", &told).await;
                }
            }
        }
    }
}

/// Whether whoever asks may do such a thing.
pub(super) async fn may(bot: &Bot, request: &Request, right: Right) -> Result<(), Told> {
    let group = (request.chat_kind == ChatKind::Group).then_some(&request.place.chat);
    handling::may(bot, &request.asker, group, right).await
}

/// The incident that is meant: by its number, or by the war room in which it is spoken of.
pub(super) async fn find(
    bot: &Bot,
    number: Option<u32>,
    room: Option<Arc<Case>>,
) -> Result<Arc<Case>, Told> {
    let Some(number) = number else {
        return room.ok_or_else(which);
    };
    match bot.incidents().numbered(number).await {
        Ok(Some(case)) => Ok(case),
        Ok(None) => Err(Told::new(
            Tone::Refused,
            format!("There is no incident #{number}. /incident lists those that are open."),
            format!("没有故障 #{number}。发送 /故障 查看未解决的故障。"),
        )),
        Err(error) => {
            tracing::error!(%error, "an incident cannot be read");
            Err(Told::not_read())
        }
    }
}

/// Whoever asks, for the timeline of an incident.
pub(super) fn hand<'a>(bot: &'a Bot, request: &'a Request, case: Option<&Case>) -> Hand<'a> {
    let chat: &ChatId = &request.place.chat;
    let room = case.and_then(|case| case.room.as_ref()?.chat.as_ref());
    let channel = match room == Some(chat) {
        true => Channel::WarRoom,
        false => Channel::Command,
    };
    Hand::through(bot, &request.asker, chat, channel)
}

async fn act(bot: &Bot, request: &Request, case: &Case, wish: &Wish) -> Told {
    let hand = hand(bot, request, Some(case));
    let deed = match &wish.verb {
        Verb::Acknowledge => Deed::Acknowledge,
        Verb::Unacknowledge => Deed::Unacknowledge,
        Verb::Close => Deed::Resolve,
        Verb::Reopen(reason) => Deed::Reopen(reason.clone()),
        Verb::Snooze(Some(time)) => Deed::Snooze(*time),
        Verb::Snooze(None) => return Told::time_not_understood(SNOOZE_MAX),
        Verb::Assign(whom) => match person(request, whom) {
            Some(person) => Deed::Assign(person),
            None => return who(),
        },
        Verb::Add(whom) => match person(request, whom) {
            Some(person) => Deed::AddResponder(person),
            None => return who(),
        },
        Verb::Comment(text) => Deed::Comment(text.clone()),
        Verb::Severity(Some(severity)) => Deed::SetSeverity(*severity),
        Verb::Severity(None) => return severities(),
        Verb::Title(text) => Deed::SetTitle(text.clone()),
        Verb::Impact(text) => Deed::SetImpact(text.clone()),
        Verb::Escalate => return hand.escalate(case).await.told,
        Verb::Merge { into } => {
            let Some(into) = into else {
                return which_two();
            };
            return match find(bot, Some(*into), None).await {
                Ok(into) => hand.merge(&into, case).await.told,
                Err(told) => told,
            };
        }
        Verb::List { .. } | Verb::Show | Verb::New { .. } => return not_understood(),
    };
    let Handled { told, .. } = hand.act(case, deed).await;
    told
}

async fn declare(bot: &Bot, request: &Request, title: &str, severity: Option<Severity>) -> Told {
    if title.is_empty() {
        return Told::new(
            Tone::Refused,
            "Say what is wrong behind it: /incident new checkout is down",
            "请写明故障：/故障 新建 支付失败",
        );
    }
    let chat = (request.chat_kind == ChatKind::Group).then(|| request.place.chat.clone());
    let by = hand(bot, request, None).by;
    let is_in_group = chat.is_some();
    let severity = severity.unwrap_or(REPORTED_AS);
    match bot.incidents().declare(by, title, severity, chat).await {
        Ok(done) => {
            let number = done.case.number();
            let (card, card_zh) = match is_in_group {
                true => (" Its card is in this group.", "，卡片已发到本群"),
                false => ("", ""),
            };
            Told::new(
                Tone::Done,
                format!("Incident #{number} is open.{card}"),
                format!("故障 #{number} 已创建{card_zh}。"),
            )
        }
        Err(error) => Told::failed(&error),
    }
}

/// Shows all of it, and in a group has its card there from now on.
async fn show(bot: &Bot, request: &Request, case: &Case) {
    let (language, chat) = (request.language, &request.place.chat);
    let text = handling::story(bot, case, chat, language).await;
    let title = format!("#{} {}", case.number(), case.incident.title);
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "incident", &notice).await;
    if request.chat_kind == ChatKind::Group && case.incident.is_open() {
        let place = Place::Chat(chat.clone());
        if let Err(error) = bot.incidents().show_in(case.id(), place).await {
            tracing::warn!(%error, "an incident was asked for and its card is not sent");
        }
    }
}

/// Whom somebody means: whoever is mentioned, or themselves.
fn person(request: &Request, whom: &str) -> Option<PersonId> {
    let me = ["me", "myself", "我", "自己"];
    if me.contains(&whom.trim().to_lowercase().as_str()) {
        return Some(PersonId(request.asker.as_str().to_owned()));
    }
    let mentions = &request.message.as_ref()?.mentions;
    let mut people = mentions.iter().filter(|mention| {
        // The bot's own mention was taken out of the words.
        whom.contains(&format!("@{}", mention.name))
    });
    let id = people.next()?.id.as_deref()?;
    Some(PersonId(id.to_owned()))
}

/// Says a sentence.
pub(super) async fn say(bot: &Bot, request: &Request, purpose: &str, told: &Told) {
    let text = markdown::escape(told.text(request.language));
    notice::send(bot, &request.place, purpose, &text).await;
}

async fn note(bot: &Bot, request: &Request, case: &Case, verb: &Verb, told: &Told) {
    let deed = Noted {
        who: request.asker.clone(),
        what: format!("incident {} #{}", verb.name(), case.number()),
        chat: Some(request.place.chat.clone()),
        message: Some(request.place.question.clone()),
        outcome: told.tone.name().to_owned(),
    };
    audit::note(bot, deed).await;
}

fn not_understood() -> Told {
    Told::new(
        Tone::Refused,
        "I do not understand this. /help incident lists what can be done, for example: /incident ack #42",
        "无法识别该操作。发送 /帮助 故障 查看用法，例如：/故障 认领 #42",
    )
}

fn which() -> Told {
    Told::new(
        Tone::Refused,
        "Say which incident, by its number: /incident ack #42. /incident lists those that are open.",
        "请写明故障编号，例如：/故障 认领 #42。发送 /故障 查看未解决的故障。",
    )
}

fn which_two() -> Told {
    Told::new(
        Tone::Refused,
        "Say which into which: /incident merge #42 into #17. #17 is the one that goes on.",
        "请写明合并方向：/故障 合并 #42 到 #17，保留 #17。",
    )
}

fn who() -> Told {
    Told::new(
        Tone::Refused,
        "Say who: mention them with @, or write me.",
        "请用 @ 提到对方，或写“我”。",
    )
}

fn severities() -> Told {
    Told::new(
        Tone::Refused,
        "Say how bad it is: critical, error, warning, info, or auto for what the alerts say.",
        "请写明级别：严重、错误、警告、提示，或“自动”（以告警为准）。",
    )
}

/// A title in the language of whoever asks.
pub(super) fn title<'a>(request: &Request, english: &'a str, chinese: &'a str) -> &'a str {
    either(request.language, english, chinese)
}
