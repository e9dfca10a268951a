//! The words of an incident's card, in each language.

use serde_json::{Value, json};

use crate::{config::Language, incident::severity::Severity};

/// Everything that stands on a card and is no sentence about what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Triggered,
    Acknowledged,
    Snoozed,
    Resolved,
    Merged,
    Acknowledge,
    Unacknowledge,
    AssignToMe,
    Escalate,
    Close,
    CloseTitle,
    CloseText,
    Reopen,
    Comment,
    WarRoom,
    AskAi,
    Details,
    AddResponder,
    Snooze,
    Silence,
    OtherTime,
    Minutes(u16),
    Hours(u16),
    Days(u16),
    Source,
    SilenceThere,
    Runbook,
    Dashboard,
    Panel,
    Image,
    CommentTitle,
    CommentHint,
    ReopenTitle,
    ReopenHint,
    SnoozeTitle,
    SnoozeHint,
    Send,
}

impl Words {
    pub(super) fn in_language(self, language: Language) -> String {
        use Language::{En, Zh};
        let words = match (self, language) {
            (Words::Triggered, En) => "Triggered",
            (Words::Triggered, Zh) => "待处理",
            (Words::Acknowledged, En) => "Acknowledged",
            (Words::Acknowledged, Zh) => "处理中",
            (Words::Snoozed, En) => "Snoozed",
            (Words::Snoozed, Zh) => "已暂缓",
            (Words::Resolved, En) => "Resolved",
            (Words::Resolved, Zh) => "已解决",
            (Words::Merged, En) => "Merged",
            (Words::Merged, Zh) => "已合并",
            (Words::Acknowledge, En) => "Acknowledge",
            (Words::Acknowledge, Zh) => "认领",
            (Words::Unacknowledge, En) => "Un-acknowledge",
            (Words::Unacknowledge, Zh) => "取消认领",
            (Words::AssignToMe, En) => "Assign to me",
            (Words::AssignToMe, Zh) => "指派给我",
            (Words::Escalate, En) => "Escalate",
            (Words::Escalate, Zh) => "升级",
            (Words::Close, En) => "Close",
            (Words::Close, Zh) => "关闭",
            (Words::CloseTitle, En) => "Close this incident?",
            (Words::CloseTitle, Zh) => "关闭这个故障？",
            (Words::CloseText, En) => "Alerts that still fire count as closed, too.",
            (Words::CloseText, Zh) => "仍未恢复的告警也会一并关闭。",
            (Words::Reopen, En) => "Reopen…",
            (Words::Reopen, Zh) => "重新打开…",
            (Words::Comment, En) => "Comment…",
            (Words::Comment, Zh) => "评论…",
            (Words::WarRoom, En) => "War room",
            (Words::WarRoom, Zh) => "作战室",
            (Words::AskAi, En) => "Ask AI",
            (Words::AskAi, Zh) => "问 AI",
            (Words::Details, En) => "Details",
            (Words::Details, Zh) => "详情",
            (Words::AddResponder, En) => "Add responder",
            (Words::AddResponder, Zh) => "邀请处理人",
            (Words::Snooze, En) => "Snooze",
            (Words::Snooze, Zh) => "暂缓",
            (Words::Silence, En) => "Silence",
            (Words::Silence, Zh) => "静默",
            (Words::OtherTime, En) => "Another time…",
            (Words::OtherTime, Zh) => "其他时长…",
            (Words::Minutes(number), En) => return format!("{number} min"),
            (Words::Minutes(number), Zh) => return format!("{number} 分钟"),
            (Words::Hours(1), En) => "1 hour",
            (Words::Hours(number), En) => return format!("{number} hours"),
            (Words::Hours(number), Zh) => return format!("{number} 小时"),
            (Words::Days(1), En) => "1 day",
            (Words::Days(number), En) => return format!("{number} days"),
            (Words::Days(number), Zh) => return format!("{number} 天"),
            (Words::Source, En) => "Source",
            (Words::Source, Zh) => "告警源",
            (Words::SilenceThere, En) => "Silence at the source",
            (Words::SilenceThere, Zh) => "在告警源静默",
            (Words::Runbook, En) => "Runbook",
            (Words::Runbook, Zh) => "处置手册",
            (Words::Dashboard, En) => "Dashboard",
            (Words::Dashboard, Zh) => "仪表盘",
            (Words::Panel, En) => "Panel",
            (Words::Panel, Zh) => "面板",
            (Words::Image, En) => "Picture",
            (Words::Image, Zh) => "截图",
            (Words::CommentTitle, En) => "Comment on",
            (Words::CommentTitle, Zh) => "评论",
            (Words::CommentHint, En) => "What should the others know?",
            (Words::CommentHint, Zh) => "想让大家知道什么？",
            (Words::ReopenTitle, En) => "Reopen",
            (Words::ReopenTitle, Zh) => "重新打开",
            (Words::ReopenHint, En) => "Why is it not over?",
            (Words::ReopenHint, Zh) => "为什么还没有结束？",
            (Words::SnoozeTitle, En) => "Snooze",
            (Words::SnoozeTitle, Zh) => "暂缓",
            (Words::SnoozeHint, En) => "For how long? 45m, 3h, 24h at most",
            (Words::SnoozeHint, Zh) => "多久？例如 45m、3h，最长 24h",
            (Words::Send, En) => "Send",
            (Words::Send, Zh) => "提交",
        };
        words.to_owned()
    }

    /// A `plain_text` node, which clients show in their own language.
    pub(super) fn node(self, language: Language) -> Value {
        json!({
            "tag": "plain_text",
            "content": self.in_language(language),
            "i18n_content": {
                "en_us": self.in_language(Language::En),
                "zh_cn": self.in_language(Language::Zh),
            },
        })
    }
}

/// How bad something is, as people say it.
pub fn severity(severity: Severity, language: Language) -> &'static str {
    match (severity, language) {
        (Severity::Info, Language::En) => "Info",
        (Severity::Info, Language::Zh) => "提示",
        (Severity::Warning, Language::En) => "Warning",
        (Severity::Warning, Language::Zh) => "警告",
        (Severity::Error, Language::En) => "Error",
        (Severity::Error, Language::Zh) => "错误",
        (Severity::Critical, Language::En) => "Critical",
        (Severity::Critical, Language::Zh) => "严重",
    }
}
