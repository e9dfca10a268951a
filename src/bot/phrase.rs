//! What the bot says in its own words, in every language it speaks.
//!
//! One variant, one sentence, and a `match` that no language can be left out of.

use std::time::Duration;

use crate::{config::Language, feishu::scheduler::Supply};

use super::access::{Denied, Role};

/// A sentence of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phrase<'a> {
    /// The session forgot so many exchanges.
    NewSession {
        /// How many there were.
        forgotten: usize,
    },
    /// The turn that ran was stopped, and so many questions wait.
    Stopped {
        /// How many wait.
        waiting: usize,
    },
    /// There was nothing to stop.
    NothingToStop,
    /// A command that does not exist.
    UnknownCommand {
        /// As it was written, escaped.
        name: &'a str,
        /// One that exists and was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// The head of the list of commands.
    HelpTitle,
    /// What stands above the list.
    HelpIntroduction {
        /// What the bot is called, escaped.
        name: &'a str,
    },
    /// What another file says in both languages.
    Said {
        /// In English.
        english: &'a str,
        /// In Chinese.
        chinese: &'a str,
    },
    /// To administrators: somebody says that they are a member.
    MemberClaim {
        /// What they are called, in bold.
        who: &'a str,
        /// Which member, in bold.
        member: &'a str,
        /// By which it is confirmed.
        code: &'a str,
    },
    /// To someone who pressed a preview's button: so many were linked.
    Linked {
        /// How many.
        count: usize,
    },
    /// To someone who pressed a preview's button: it shows something else by now.
    PlanChanged,
    /// Someone may not do what they asked for.
    Denied(&'a Denied),
    /// The header of what administrators are told.
    ForAdministrators,
    /// To administrators: the month's calls run short.
    Quota {
        /// How far.
        supply: Supply,
        /// How many are used.
        used: u64,
        /// How many there are.
        quota: u64,
    },
    /// To administrators: answers cannot be typed into cards.
    CardKitIsMissing,
    /// To administrators: what arrives cannot be kept.
    StoreTakesNothing,
    /// To administrators: the database was damaged.
    StoreWasDamaged {
        /// Where it was moved.
        folder: &'a str,
    },
    /// To administrators: a group that incidents go to takes no card.
    IncidentNotShown {
        /// Its number.
        number: u32,
        /// The group, by chat id.
        chat: &'a str,
    },
    /// To administrators: urgent notifications cannot be sent.
    UrgentIsMissing,
    /// To administrators: an incident that nobody is told of.
    NobodyIsTold {
        /// Its number.
        number: u32,
        /// Its title, escaped.
        title: &'a str,
    },
    /// A command that is about a group, in a direct chat.
    OnlyInGroups,
    /// A command whose answer is nobody else's business, in a group.
    OnlyInDirectChat,
    /// Someone who does not run the group wants to change its settings.
    OnlyGroupAdministrators,
    /// A setting that does not exist, or a value that it cannot have.
    SettingNotUnderstood,
    /// A number that is none.
    NumberNotUnderstood,
    /// Which language is set.
    LanguageIs {
        /// By name.
        set: &'a str,
    },
    /// A language was set.
    LanguageSet {
        /// By name.
        set: &'a str,
    },
    /// A remark was kept.
    FeedbackKept,
    /// `/feedback` without a text.
    FeedbackIsEmpty,
    /// A message without a question in it.
    Empty,
    /// Too many wait in this session.
    LineFull {
        /// How many wait.
        waiting: usize,
    },
    /// A command that came too late to be carried out.
    TooLate {
        /// How old it was.
        age: Duration,
    },
    /// To someone who pressed Stop: it is done.
    Stopping,
    /// To someone who pressed Stop: somebody else was first.
    StoppedAlready {
        /// By name.
        name: &'a str,
    },
    /// To someone who pressed Stop: there is nothing to stop any more.
    StopTooLate,
    /// To someone who pressed a button: there is no answer yet.
    TakesLonger,
    /// Who stopped the answer.
    StoppedBy {
        /// By name.
        name: &'a str,
    },
    /// To someone who pressed Regenerate: it is done.
    Regenerating,
    /// To someone who pressed Regenerate: somebody else was first.
    RegeneratedAlready {
        /// By name.
        name: &'a str,
    },
    /// To someone who pressed Regenerate: not for ever.
    RegeneratedTooOften,
    /// To someone who pressed Regenerate: too many wait in this session.
    LineFullToPress,
    /// On the old card: there is a new one.
    RegeneratedBelow {
        /// Who wanted it, by name.
        name: &'a str,
    },
    /// On the new card: why there is one.
    RegeneratedFor {
        /// Who wanted it, by name.
        name: &'a str,
    },
    /// To someone who has a war room kept.
    RoomStays,
    /// To someone who has a war room dissolved.
    RoomGoes,
    /// To someone who pressed thumbs up.
    ThanksForPraise,
    /// To someone who pressed thumbs down: there is a form now.
    WhatWasWrong,
    /// To someone who said that, or why, an answer was not good.
    ThanksForComplaint,
    /// To someone who sent an empty form.
    NothingExplained,
    /// To someone who pressed something: it is about what is not there yet.
    NotFinished,
    /// To someone who pressed something: it is about what is not there any more.
    Stale,
    /// To someone who pressed something: the store takes nothing.
    PressNotKept,
    /// To someone who pressed something: no answer in time.
    PressTakesLonger,
    /// To someone who pressed something: too many do.
    TooManyPresses,
    /// To someone who pressed something: a fault of ours.
    PressBroken,
    /// To someone who was told that it takes longer: it came to nothing.
    PressFailed {
        /// What they would have been told.
        why: &'a str,
    },
    /// The store takes nothing, so a message was not taken either.
    NotKept,
    /// An audit of the platform objected to the answer.
    Censored,
    /// The answer is longer than we send.
    TooLongToSend,
    /// In the place of an answer: it had to be sent as another message.
    Elsewhere,
    /// The question was recalled while it was being answered.
    Withdrawn,
    /// Something of ours broke.
    Broken {
        /// By which the log can be searched.
        trace: &'a str,
    },
    /// The question was begun several times and the process ended each time.
    GaveUp,
    /// The history could not be read.
    NoHistory,
    /// Something that came with the question was not read.
    NotRead {
        /// What, each with the reason; any text.
        list: &'a str,
    },
    /// A file is being read.
    Reading {
        /// What it is called; any text.
        name: &'a str,
        /// How large it is, once that is known.
        size: Option<&'a str>,
    },
    /// The model would not take the images.
    ImagesRefused,
    /// The model's key is refused.
    ModelUnauthorized,
    /// The model's server cannot be reached.
    ModelUnreachable,
    /// The model's server wants us to wait.
    ModelTooFast,
    /// The model's server refused the request.
    ModelRefused,
    /// The question and its context are too long for the model.
    ModelTooLong,
    /// The model stopped in the middle.
    ModelBroke,
    /// The model said nothing.
    ModelSilent,
    /// A tool broke.
    ToolBroke {
        /// Which.
        name: &'a str,
    },
    /// The answer reached the model's limit.
    CutByLength,
    /// The model's server held something back.
    CutByFilter,
    /// The turn used up its steps.
    CutBySteps,
    /// The turn used up its time.
    CutByTime,
    /// The model's server ended the answer for a reason of its own.
    CutByServer,
    /// A card of an interrupted answer that is not needed any more.
    Superseded,
    /// The head of a greeting.
    GreetingTitle {
        /// What the bot is called.
        name: &'a str,
    },
    /// To somebody who opens the direct chat for the first time.
    Greeting,
    /// To a group that the bot was taken into.
    Welcome {
        /// What the bot is called, escaped.
        name: &'a str,
    },
    /// To such a group: its history cannot be read.
    WelcomeWithoutHistory {
        /// The permission that is missing.
        scope: &'a str,
    },
}

impl Phrase<'_> {
    /// The sentence.
    pub(super) fn text(&self, language: Language) -> String {
        match language {
            Language::En => self.english(),
            Language::Zh => self.chinese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::NewSession { forgotten: 0 } => "A new conversation. There was nothing to forget.".into(),
            Self::NewSession { forgotten } => {
                format!("A new conversation. I have forgotten the {forgotten} earlier question(s) here.")
            }
            Self::Stopped { waiting: 0 } => "Stopped.".into(),
            Self::Stopped { waiting } => format!("Stopped. {waiting} more message(s) wait here and come next."),
            Self::NothingToStop => "Nothing is running here.".into(),
            Self::UnknownCommand { name, nearest: Some(nearest) } => {
                format!("I do not know the command {name}. Did you mean `/{nearest}`? /help lists those I know.")
            }
            Self::UnknownCommand { name, nearest: None } => {
                format!("I do not know the command {name}. /help lists those I know.")
            }
            Self::HelpTitle => "What I can do".into(),
            Self::HelpIntroduction { name } => format!(
                "Mention {name} in a group, or write to it directly, and ask. I read the chat before I answer. Commands:"
            ),
            Self::Said { english, .. } => (*english).to_owned(),
            Self::MemberClaim { who, member, code } => format!(
                "{who} says that they are member {member}, and neither e-mail nor mobile number shows it. If you know that it is so, send me `/link confirm {code}`; if not, `/link decline {code}`. It waits for a week."
            ),
            Self::Linked { count } => format!("Linked: {count}."),
            Self::PlanChanged => "The members or their links have changed meanwhile. Please look at the new preview.".into(),
            Self::Denied(denied) => denied_english(denied).into(),
            Self::ForAdministrators => "For the administrators".into(),
            Self::Quota { supply, used, quota } => {
                let now = match supply {
                    Supply::PagesOnly => "What is left is for pages; questions are not answered until the next month",
                    Supply::Scarce => "Answers now come when they are whole, without streaming",
                    _ => "Answers are now updated less often",
                };
                format!("{used} of this month's {quota} platform calls are used. {now}. The organisation's plan decides how many there are; [feishu] monthly_quota tells me.")
            }
            Self::CardKitIsMissing => "Answers do not stream: the app lacks the permission `cardkit:card:write`. Grant it in the developer console and publish a version. Until then answers come in plainer cards that are replaced now and then.".into(),
            Self::IncidentNotShown { number, chat } => format!("The card of incident #{number} cannot be shown in the group `{chat}`: it was dissolved, or I am not in it. Nobody there is told of incidents. Please correct [incidents] in the configuration, or add me to the group."),
            Self::UrgentIsMissing => "People were told of a critical incident, but without an urgent notification: the app lacks the scope `im:message.urgent:app_send`. Please add it in the developer console and publish a version, or set `urgent = false` under [incidents].".into(),
            Self::NobodyIsTold { number, title } => format!("Nobody is told of incident #{number} ({title}): no route takes it, and [incidents] catch_all names no group."),
            Self::StoreTakesNothing => "I cannot write to my disk, so I take no questions. Please look at the disk of [store] path, and at the log.".into(),
            Self::StoreWasDamaged { folder } => format!("My database was damaged when I started. It is kept at `{folder}`, and conversations begin anew."),
            Self::OnlyInGroups => "These are the settings of a group; send this in one. For yourself there is /language.".into(),
            Self::OnlyInDirectChat => "I show this in a direct chat only, where nobody else reads it.".into(),
            Self::OnlyGroupAdministrators => "Only the owner and the managers of this group, and my administrators, may change its settings.".into(),
            Self::SettingNotUnderstood => "I do not understand this setting, so nothing was changed. /help settings lists what can be set.".into(),
            Self::NumberNotUnderstood => "I need a number here, such as 10.".into(),
            Self::LanguageIs { set } => format!("The language is: {set}. Change it with `/language en`, `/language zh` or `/language auto`."),
            Self::LanguageSet { set } => format!("The language is now: {set}."),
            Self::FeedbackKept => "Thank you. Those who run me can read it.".into(),
            Self::FeedbackIsEmpty => "Write what you think behind it: `/feedback the answer missed the deploy at 10:02`.".into(),
            Self::Empty => "Yes? Ask me something, or send /help.".into(),
            Self::LineFull { waiting } => format!(
                "{waiting} messages already wait here, so I did not take this one. Ask again when there are fewer, or send /stop to end the answer that is being written."
            ),
            Self::TooLate { age } => format!(
                "This command reached me {} late, so I did not carry it out. Send it again if you still want it.",
                minutes(*age)
            ),
            Self::Stopping => "Stopping.".into(),
            Self::StoppedAlready { name } => format!("{name} was first and has stopped this answer."),
            Self::StopTooLate => "This answer has ended already.".into(),
            Self::TakesLonger => "This takes longer than usual. Look at the card again in a moment.".into(),
            Self::StoppedBy { name } => format!("By {name}."),
            Self::Regenerating => "I am answering the question anew, in a new card.".into(),
            Self::RegeneratedAlready { name } => {
                format!("{name} was first and has asked for a new answer. It is in a card further down.")
            }
            Self::RegeneratedTooOften => "This question was answered anew often enough. Ask it again in other words.".into(),
            Self::LineFullToPress => "Too many messages wait here already. Press again when there are fewer.".into(),
            Self::RegeneratedBelow { name } => {
                format!("{name} asked for a new answer. It is in a card further down.")
            }
            Self::RegeneratedFor { name } => format!("Answered anew for {name}."),
            Self::RoomStays => "The room stays.".into(),
            Self::RoomGoes => {
                "The room is dissolved once all that was said in it is kept.".into()
            }
            Self::ThanksForPraise => "Thank you, noted.".into(),
            Self::WhatWasWrong => "Noted. At the end of the card you can say what was wrong.".into(),
            Self::ThanksForComplaint => "Thank you, this is noted with the answer.".into(),
            Self::NothingExplained => "Choose a reason or write one, then send it.".into(),
            Self::NotFinished => "This answer is just being finished. Press again in a moment.".into(),
            Self::Stale => "This card is out of date. Ask the question again and use the new card.".into(),
            Self::PressNotKept => "I cannot write to my disk at the moment, so nothing was done. Press again later; an administrator should look at the log.".into(),
            Self::PressTakesLonger => "This takes longer than usual. I am on it.".into(),
            Self::TooManyPresses => "Too many buttons are being pressed right now, so I did not do this. Press again in a moment.".into(),
            Self::PressBroken => "Something broke on my side, and nothing was done. Press again; the log has the details.".into(),
            Self::PressFailed { why } => format!("The button you pressed a moment ago came to nothing. {why}"),
            Self::NotKept => "I cannot write to my disk at the moment, so I have not taken your message. If that is mended soon I answer by myself; otherwise please ask again later. An administrator should look at the log.".into(),
            Self::Censored => "The platform's content check does not let me show this answer.".into(),
            Self::TooLongToSend => "The answer is longer than I can send; the rest is left out.".into(),
            Self::Elsewhere => "This card could not be finished. The answer is in a message of its own.".into(),
            Self::Withdrawn => "The question was recalled.".into(),
            Self::Broken { trace } => format!(
                "Something broke on my side, and there is no answer. Please ask again; the log has the details under {trace}."
            ),
            Self::GaveUp => "I was interrupted each time I worked on this question, so I give up on it. Please ask again.".into(),
            Self::NoHistory => "The earlier messages of this chat could not be read, so this answer does not know them.".into(),
            Self::NotRead { list } => format!("Not read: {list}."),
            Self::Reading { name, size: None } => format!("Reading {name}"),
            Self::Reading { name, size: Some(size) } => format!("Reading {name} ({size})"),
            Self::ImagesRefused => "The model's server would not take the images, so this answer does not know them.".into(),
            Self::ModelUnauthorized => "The model's server does not accept my key. An administrator should check [model] api_key.".into(),
            Self::ModelUnreachable => "The model cannot be reached at the moment. Please ask again in a while.".into(),
            Self::ModelTooFast => "The model's server takes no more requests at the moment. Please ask again in a while.".into(),
            Self::ModelRefused => "The model's server refused the request. The log says why.".into(),
            Self::ModelTooLong => "The question and its context are too long for the model. A shorter question, or /new, may help.".into(),
            Self::ModelBroke => "The model broke off in the middle of its answer. Please ask again.".into(),
            Self::ModelSilent => "The model ended without saying anything. Please ask again.".into(),
            Self::ToolBroke { name } => format!("The tool {name} failed in a way it should not, so there is no answer. The log says why."),
            Self::CutByLength => "The answer reached the model's limit and is not complete.".into(),
            Self::CutByFilter => "The model's server held back the rest of this answer.".into(),
            Self::CutBySteps => "I used all the steps I may take, so this rests on what I knew by then.".into(),
            Self::CutByTime => "I used all the time I may take, so this may not be complete.".into(),
            Self::CutByServer => "The model's server ended this answer early.".into(),
            Self::Superseded => "The answer is in the card above.".into(),
            Self::GreetingTitle { name } => format!("Hello, I am {name}"),
            Self::Greeting => "I help with on-call questions: what is going on, since when, and what has been checked.\n\n- Just write your question here; no mention is needed. I answer in a card while I think, and you can stop me with its button or with `/stop`.\n- `/new` begins a new conversation.\n- `/help` shows what else I can do.".into(),
            Self::Welcome { name } => format!(
                "I help with on-call questions: what is going on, since when, and what has been checked.\n\n- Mention me (@{name}) and ask. I read what was said here before, and answer in a card while I think. You can stop me with its button or with `/stop`.\n- I stay silent unless I am mentioned.\n- `/help` shows what else I can do."
            ),
            Self::WelcomeWithoutHistory { scope } => format!(
                "**I cannot read what was said here before**, because I lack the permission `{scope}`. My answers will not know it until an administrator grants it in the developer console and publishes a version."
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::NewSession { forgotten: 0 } => "已开始新会话，之前没有需要忘记的内容。".into(),
            Self::NewSession { forgotten } => {
                format!("已开始新会话，之前的 {forgotten} 个问题我已忘记。")
            }
            Self::Stopped { waiting: 0 } => "已停止。".into(),
            Self::Stopped { waiting } => {
                format!("已停止。还有 {waiting} 条消息在排队，接下来处理。")
            }
            Self::NothingToStop => "这里没有正在进行的回答。".into(),
            Self::UnknownCommand { name, nearest: Some(nearest) } => {
                format!("没有 {name} 这个命令。你是想用 `/{nearest}` 吗？发送 /帮助 查看全部命令。")
            }
            Self::UnknownCommand { name, nearest: None } => {
                format!("没有 {name} 这个命令。发送 /帮助 查看全部命令。")
            }
            Self::HelpTitle => "我能做什么".into(),
            Self::HelpIntroduction { name } => {
                format!(
                    "在群里 @{name}，或直接给它发消息提问。回答之前我会先读群里的上下文。命令："
                )
            }
            Self::Said { chinese, .. } => (*chinese).to_owned(),
            Self::MemberClaim { who, member, code } => format!(
                "{who} 声明自己是成员 {member}，但邮箱和手机号都无法证明。如果属实，请发送 `/绑定 确认 {code}`，否则发送 `/绑定 拒绝 {code}`。一周内有效。"
            ),
            Self::Linked { count } => format!("已绑定 {count} 人。"),
            Self::PlanChanged => "名单或绑定已有变化，请查看新的预览。".into(),
            Self::Denied(denied) => denied_chinese(denied).into(),
            Self::ForAdministrators => "致管理员".into(),
            Self::Quota { supply, used, quota } => {
                let now = match supply {
                    Supply::PagesOnly => "剩余额度只用于告警通知，下个月之前不再回答问题",
                    Supply::Scarce => "现在回答写完后一次发出，不再流式更新",
                    _ => "现在回答的更新频率降低",
                };
                format!("本月 {quota} 次平台调用已用 {used} 次。{now}。额度由组织的套餐决定，填写在 [feishu] monthly_quota。")
            }
            Self::CardKitIsMissing => "回答无法流式显示：应用缺少权限 `cardkit:card:write`。请在开发者后台开通并发布版本；在此之前，回答会以普通卡片不时更新。".into(),
            Self::IncidentNotShown { number, chat } => format!("故障 #{number} 的卡片无法发到群 `{chat}`：群已解散，或者我不在群里，群里没有人会收到故障消息。请修改配置中的 [incidents]，或把我加进群。"),
            Self::UrgentIsMissing => "严重故障已通知到人，但未能发送应用内加急：应用缺少权限 `im:message.urgent:app_send`。请在开发者后台开通并发布版本，或在 [incidents] 中设置 `urgent = false`。".into(),
            Self::NobodyIsTold { number, title } => format!("故障 #{number}（{title}）没有通知任何人：没有匹配的路由，[incidents] catch_all 也没有指定群。"),
            Self::StoreTakesNothing => "我无法写入磁盘，因此暂不受理问题。请检查 [store] path 所在的磁盘和日志。".into(),
            Self::StoreWasDamaged { folder } => format!("启动时发现数据库损坏，已移至 `{folder}`，会话重新开始。"),
            Self::OnlyInGroups => "这是群的设置，请在群里发送。个人可以使用 /语言。".into(),
            Self::OnlyInDirectChat => "这些内容只在私聊中显示。".into(),
            Self::OnlyGroupAdministrators => "只有群主、群管理员和我的管理员可以修改本群设置。".into(),
            Self::SettingNotUnderstood => "没有看懂这项设置，没有做任何修改。发送 /帮助 设置 查看可以设置的内容。".into(),
            Self::NumberNotUnderstood => "这里需要一个数字，例如 10。".into(),
            Self::LanguageIs { set } => format!("当前语言：{set}。可用 `/语言 中文`、`/语言 英文` 或 `/语言 自动` 修改。"),
            Self::LanguageSet { set } => format!("语言已设为：{set}。"),
            Self::FeedbackKept => "谢谢，管理员可以看到你的意见。".into(),
            Self::FeedbackIsEmpty => "请把意见写在后面，例如：`/反馈 回答漏掉了 10:02 的发布`。".into(),
            Self::Empty => "我在。请提问，或发送 /帮助。".into(),
            Self::LineFull { waiting } => {
                format!(
                    "这里已有 {waiting} 条消息在排队，这一条没有受理。请稍后再问，或发送 /停止 结束正在进行的回答。"
                )
            }
            Self::TooLate { age } => {
                format!(
                    "这条命令迟到了 {}，没有执行。如果仍然需要，请重新发送。",
                    minutes_zh(*age)
                )
            }
            Self::Stopping => "正在停止。".into(),
            Self::StoppedAlready { name } => format!("{name} 已抢先停止了这个回答。"),
            Self::StopTooLate => "这个回答已经结束。".into(),
            Self::TakesLonger => "这次比平时慢，请稍后再看这张卡片。".into(),
            Self::StoppedBy { name } => format!("由 {name} 停止。"),
            Self::Regenerating => "正在新卡片中重新回答这个问题。".into(),
            Self::RegeneratedAlready { name } => {
                format!("{name} 已抢先要求重新回答，新答案在后面的卡片里。")
            }
            Self::RegeneratedTooOften => "这个问题已重新回答多次，请换个说法再问。".into(),
            Self::LineFullToPress => "这里排队的消息太多，请稍后再点。".into(),
            Self::RegeneratedBelow { name } => {
                format!("{name} 要求重新回答，新答案在后面的卡片里。")
            }
            Self::RegeneratedFor { name } => format!("应 {name} 的要求重新回答。"),
            Self::RoomStays => "群聊将保留。".into(),
            Self::RoomGoes => "发言存档完成后将解散群聊。".into(),
            Self::ThanksForPraise => "已记录，谢谢。".into(),
            Self::WhatWasWrong => "已记录。可以在卡片末尾说明哪里有问题。".into(),
            Self::ThanksForComplaint => "已随回答记录，谢谢。".into(),
            Self::NothingExplained => "请先选择或填写原因，再提交。".into(),
            Self::NotFinished => "这个回答正在收尾，请稍后再点。".into(),
            Self::Stale => "这张卡片已过期。请重新提问，并使用新的卡片。".into(),
            Self::PressNotKept => "我暂时无法写入磁盘，所以没有执行。请稍后再点，并请管理员查看日志。".into(),
            Self::PressTakesLonger => "这次比平时慢一些，正在处理。".into(),
            Self::TooManyPresses => "同时点击的人太多，这次没有执行，请稍后再点。".into(),
            Self::PressBroken => "我这边出了故障，没有执行。请再点一次；详情见日志。".into(),
            Self::PressFailed { why } => format!("你刚才点的按钮没有生效。{why}"),
            Self::NotKept => "我暂时无法写入磁盘，所以没有受理你的消息。如果很快恢复，我会自动回答；否则请稍后再问。请管理员查看日志。".into(),
            Self::Censored => "平台的内容审核不允许我展示这个回答。".into(),
            Self::TooLongToSend => "回答太长，其余部分没有发送。".into(),
            Self::Elsewhere => "这张卡片未能写完，答案在另一条消息里。".into(),
            Self::Withdrawn => "问题已被撤回。".into(),
            Self::Broken { trace } => {
                format!("我这边出了故障，没有得到答案。请再问一次；日志编号 {trace}。")
            }
            Self::GaveUp => "处理这个问题时我屡次被中断，只好放弃。请再问一次。".into(),
            Self::NoHistory => "没能读到这个会话之前的消息，所以这个回答不了解上文。".into(),
            Self::NotRead { list } => format!("未读取：{list}。"),
            Self::Reading { name, size: None } => format!("读取 {name}"),
            Self::Reading { name, size: Some(size) } => format!("读取 {name}（{size}）"),
            Self::ImagesRefused => "模型服务不接受图片，所以这个回答没有看过它们。".into(),
            Self::ModelUnauthorized => {
                "模型服务不接受我的密钥。请管理员检查 [model] api_key。".into()
            }
            Self::ModelUnreachable => "暂时连不上模型服务，请稍后再问。".into(),
            Self::ModelTooFast => "模型服务暂时不再接受请求，请稍后再问。".into(),
            Self::ModelRefused => "模型服务拒绝了请求，原因见日志。".into(),
            Self::ModelTooLong => {
                "问题和上下文对模型来说太长了。可以问得短一些，或发送 /新会话。".into()
            }
            Self::ModelBroke => "模型在回答中途断开了，请再问一次。".into(),
            Self::ModelSilent => "模型什么也没说就结束了，请再问一次。".into(),
            Self::ToolBroke { name } => format!("工具 {name} 意外出错，没有得到答案，原因见日志。"),
            Self::CutByLength => "回答达到了模型的长度上限，并不完整。".into(),
            Self::CutByFilter => "模型服务拦下了这个回答的其余部分。".into(),
            Self::CutBySteps => "步骤已用完，以上仅基于当时已知的信息。".into(),
            Self::CutByTime => "时间已用完，以上内容可能不完整。".into(),
            Self::CutByServer => "模型服务提前结束了这个回答。".into(),
            Self::Superseded => "答案在上面的卡片里。".into(),
            Self::GreetingTitle { name } => format!("你好，我是 {name}"),
            Self::Greeting => "我协助处理值班问题：现在什么情况、从什么时候开始、查过些什么。\n\n- 直接在这里提问即可，不用 @ 我。我边想边把回答写进卡片，可以用卡片上的按钮或 `/停止` 让我停下。\n- `/新会话` 开始新的对话。\n- `/帮助` 查看我还能做什么。".into(),
            Self::Welcome { name } => format!(
                "我协助处理值班问题：现在什么情况、从什么时候开始、查过些什么。\n\n- @{name} 并提问。我会先读群里之前的消息，边想边把回答写进卡片，可以用卡片上的按钮或 `/停止` 让我停下。\n- 没有人 @ 我时，我不会说话。\n- `/帮助` 查看我还能做什么。"
            ),
            Self::WelcomeWithoutHistory { scope } => format!(
                "**我读不到这里之前的消息**，因为缺少权限 `{scope}`。在管理员于开发者后台开通该权限并发布版本之前，我的回答不了解上文。"
            ),
        }
    }
}

fn minutes(age: Duration) -> String {
    match age.as_secs() / 60 {
        0 | 1 => "a minute".into(),
        minutes if minutes < 120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}

fn minutes_zh(age: Duration) -> String {
    match age.as_secs() / 60 {
        minutes if minutes < 120 => format!("{} 分钟", minutes.max(1)),
        minutes => format!("{} 小时", minutes / 60),
    }
}

fn denied_english(denied: &Denied) -> &'static str {
    match denied {
        Denied::Person => {
            "I am not set up to answer you. An administrator can change that, under [access] in my configuration."
        }
        Denied::Chat => {
            "I am not set up to work in this group. An administrator can change that, under [access] in my configuration."
        }
        Denied::Organisation => "I only answer people of my own organisation.",
        Denied::ExternalGroup => {
            "I do not work in groups with people of other organisations. Please ask me in an internal group or directly."
        }
        Denied::Needs(Role::Member) => "I am not set up to do this for you.",
        Denied::Needs(Role::Responder) => {
            "Only responders and administrators may do this. Please ask one of them."
        }
        Denied::Needs(Role::Administrator) => {
            "Only administrators may do this. Please ask one of them."
        }
        Denied::TooOften => {
            "You have sent me more than I take from one person in so short a time, so I did not take this. Please wait a little and send it again. /stop still works."
        }
    }
}

fn denied_chinese(denied: &Denied) -> &'static str {
    match denied {
        Denied::Person => "我没有为你开通。管理员可以在我的配置 [access] 中修改。",
        Denied::Chat => "我没有为这个群开通。管理员可以在我的配置 [access] 中修改。",
        Denied::Organisation => "我只回答本组织成员的问题。",
        Denied::ExternalGroup => "我不在外部群里工作。请在内部群或私聊中问我。",
        Denied::Needs(Role::Member) => "你没有执行此操作的权限。",
        Denied::Needs(Role::Responder) => "只有响应人员和管理员可以这样做，请联系他们。",
        Denied::Needs(Role::Administrator) => "只有管理员可以这样做，请联系管理员。",
        Denied::TooOften => {
            "你短时间内发送的消息太多，这一条没有受理。请稍等片刻再发；/停止 仍然有效。"
        }
    }
}
