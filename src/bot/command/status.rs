//! `/status`: how the bot and this conversation are doing. Nobody is asked for it.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Command, Definition, Request, settings,
    words::{ago, either, lasted},
};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        markdown,
        model_seen::Seen,
        notice,
        settings::ChatSettings,
    },
    config::{Intake, Language},
    feishu::{ChatKind, scheduler::Tally},
    telemetry::LimitLabels,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Status,
    english: &["status"],
    chinese: &["状态"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "shows how this conversation, the model, the limits and the connection are doing",
    about_chinese: "显示会话、模型、限额和连接的状态",
    more_english: "",
    more_chinese: "",
};

/// The platform's limits in the order of how much they hold, and what they are called.
const LIMITS: &[(&str, &str, &str)] = &[
    ("app", "all calls", "全部调用"),
    ("api", "one API", "单个接口"),
    ("chat", "one chat", "单个会话"),
    ("message", "one message", "单条消息"),
    ("card", "one card", "单张卡片"),
];

/// All that is told.
struct Status {
    version: &'static str,
    up_for: Duration,
    intake: Intake,
    is_connected: bool,
    is_writable: bool,
    is_running: bool,
    waiting: usize,
    /// How many exchanges are remembered, and how many older ones are not.
    remembered: Option<(usize, usize)>,
    model: String,
    seen: Seen,
    in_work: i64,
    limits: Vec<(&'static str, f64)>,
    quota: Option<(Tally, u64)>,
    group: Option<(ChatSettings, usize)>,
}

pub(super) async fn run(bot: &Bot, request: &Request) {
    let language = request.language;
    let text = Status::of(bot, request).await.text(language);
    let notice = Notice {
        title: Some(either(language, "Status", "状态")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "status", &notice).await;
}

impl Status {
    async fn of(bot: &Bot, request: &Request) -> Self {
        let desk = &bot.0;
        let (is_running, waiting) = desk.sessions.state(&request.session);
        let remembered = desk.memory.recall(&request.session).await.ok();
        let budget = |label: &'static str| {
            let labels = LimitLabels { limit: label };
            let gauge = desk.metrics.platform_budget_used_ratio.get(&labels);
            gauge.map_or(0.0, |gauge| gauge.get())
        };
        let meter = desk.feishu.meter();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            up_for: desk
                .started_at
                .duration_until(Timestamp::now())
                .unsigned_abs(),
            intake: desk.config.feishu.events,
            is_connected: desk.metrics.connected.get() == 1,
            is_writable: desk.store.is_writable(),
            is_running,
            waiting,
            remembered: remembered.map(|all| (all.exchanges.len(), all.forgotten)),
            model: desk.model.name().to_owned(),
            seen: desk.model_seen.get(),
            in_work: desk.metrics.inbox_depth.get(),
            limits: LIMITS
                .iter()
                .map(|(label, ..)| (*label, budget(label)))
                .collect(),
            quota: (meter.quota() > 0).then(|| (meter.tally(), meter.quota())),
            group: (request.chat_kind == ChatKind::Group)
                .then(|| (request.settings.clone(), desk.conversation.history_messages)),
        }
    }

    fn text(&self, language: Language) -> String {
        let say = |english, chinese| either(language, english, chinese);
        let mut lines = vec![
            (say("Here", "本会话"), self.here(language)),
            (say("Model", "模型"), self.model(language)),
            (say("Connection", "连接"), self.connection(language)),
            (say("In work", "处理中"), self.work(language)),
            (say("Limits in use", "限额用量"), self.limits(language)),
            (say("Month's calls", "本月调用"), self.quota(language)),
        ];
        if let Some((settings, default)) = &self.group {
            let text = settings::in_one_line(settings, *default, language);
            lines.push((say("This group", "本群设置"), text));
        }
        let up_for = lasted(language, self.up_for);
        let version = match language {
            Language::En => format!("{}, up for {up_for}", self.version),
            Language::Zh => format!("{}，已运行 {up_for}", self.version),
        };
        lines.push((say("Version", "版本"), version));
        let lines = lines
            .iter()
            .map(|(name, value)| format!("- **{name}** {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn here(&self, language: Language) -> String {
        let remembered = self.remembered;
        match language {
            Language::En => {
                let running = match self.is_running {
                    true => format!("an answer is being written, {} more wait", self.waiting),
                    false => "no answer is being written".to_owned(),
                };
                let remembered = match remembered {
                    Some((kept, 0)) => format!("I remember {kept} question(s)"),
                    Some((kept, gone)) => {
                        format!("I remember {kept} question(s), and {gone} older ones no more")
                    }
                    None => "what I remember cannot be read".to_owned(),
                };
                format!("{running}; {remembered}")
            }
            Language::Zh => {
                let running = match self.is_running {
                    true => format!("正在回答，另有 {} 条在排队", self.waiting),
                    false => "没有正在进行的回答".to_owned(),
                };
                let remembered = match remembered {
                    Some((kept, 0)) => format!("记得 {kept} 个问题"),
                    Some((kept, gone)) => format!("记得 {kept} 个问题，更早的 {gone} 个已忘记"),
                    None => "记忆无法读取".to_owned(),
                };
                format!("{running}；{remembered}")
            }
        }
    }

    fn model(&self, language: Language) -> String {
        let name = markdown::escape(&self.model);
        let how = match (&self.seen.failed, self.seen.answered_at) {
            (Some((at, phrase)), _) => {
                let (ago, why) = (ago(language, *at), phrase.text(language));
                match language {
                    Language::En => format!("failed {ago}: {why}"),
                    Language::Zh => format!("{ago}出错：{why}"),
                }
            }
            (None, Some(at)) => {
                let ago = ago(language, at);
                match language {
                    Language::En => format!("answered {ago}"),
                    Language::Zh => format!("{ago}正常回答"),
                }
            }
            (None, None) => {
                either(language, "not asked since the start", "启动以来尚未使用").to_owned()
            }
        };
        match language {
            Language::En => format!("{name}, {how}"),
            Language::Zh => format!("{name}，{how}"),
        }
    }

    fn connection(&self, language: Language) -> String {
        let link = match (self.intake.connects(), self.is_connected) {
            (true, true) => either(language, "the long connection is up", "长连接正常"),
            (true, false) => either(language, "the long connection is down", "长连接未建立"),
            (false, _) => either(language, "events are posted to me", "事件由平台推送给我"),
        };
        let store = match self.is_writable {
            true => either(language, "what arrives can be kept", "数据可写入"),
            false => either(language, "**nothing can be kept**", "**数据无法写入**"),
        };
        format!("{link}{}{store}", either(language, "; ", "；"))
    }

    fn work(&self, language: Language) -> String {
        let number = self.in_work;
        match language {
            Language::En => format!("{number} question(s) and commands in all chats"),
            Language::Zh => format!("所有会话共 {number} 个问题和命令"),
        }
    }

    fn limits(&self, language: Language) -> String {
        let used = self.limits.iter().map(|(label, ratio)| {
            let names = LIMITS.iter().find(|(one, ..)| one == label);
            let name = names.map_or(*label, |(_, english, chinese)| {
                either(language, english, chinese)
            });
            format!("{name} {:.0} %", ratio * 100.0)
        });
        used.collect::<Vec<_>>().join(either(language, ", ", "，"))
    }

    fn quota(&self, language: Language) -> String {
        match (&self.quota, language) {
            (None, _) => either(language, "not counted", "未计量").to_owned(),
            (Some((tally, quota)), Language::En) => {
                format!("{} of {quota} used in {}", tally.used, tally.month)
            }
            (Some((tally, quota)), Language::Zh) => {
                format!("{} 已用 {}，共 {quota}", tally.month, tally.used)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn status() -> Status {
        Status {
            version: "1.2.3",
            up_for: Duration::from_secs(3700),
            intake: Intake::LongConnection,
            is_connected: true,
            is_writable: true,
            is_running: true,
            waiting: 2,
            remembered: Some((3, 1)),
            model: "rules".into(),
            seen: Seen::default(),
            in_work: 4,
            limits: vec![("app", 0.123), ("card", 1.0)],
            quota: Some((
                Tally {
                    month: "2026-11".into(),
                    used: 7,
                },
                100,
            )),
            group: Some((ChatSettings::default(), 50)),
        }
    }

    #[test]
    fn a_status_names_everything_in_both_languages() {
        assert_snapshot!(status().text(Language::En), @r"
        - **Here** an answer is being written, 2 more wait; I remember 3 question(s), and 1 older ones no more
        - **Model** rules, not asked since the start
        - **Connection** the long connection is up; what arrives can be kept
        - **In work** 4 question(s) and commands in all chats
        - **Limits in use** all calls 12 %, one card 100 %
        - **Month's calls** 7 of 100 used in 2026-11
        - **This group** threads off; history 50 messages; quiet off; language the asker's
        - **Version** 1.2.3, up for 1 h 1 min
        ");
        assert_snapshot!(status().text(Language::Zh), @r"
        - **本会话** 正在回答，另有 2 条在排队；记得 3 个问题，更早的 1 个已忘记
        - **模型** rules，启动以来尚未使用
        - **连接** 长连接正常；数据可写入
        - **处理中** 所有会话共 4 个问题和命令
        - **限额用量** 全部调用 12 %，单张卡片 100 %
        - **本月调用** 2026-11 已用 7，共 100
        - **本群设置** 话题回复 关；上文 50 条；安静 关；语言 跟随提问者
        - **版本** 1.2.3，已运行 1 小时 1 分钟
        ");
    }
}
