//! What the rules say, in both languages, and the words they look for.

use super::diagnosis::{self, Told};

/// The fixed sentences in one language.
pub(super) struct Words {
    /// The first line of every reply.
    pub(super) made_by_rules: &'static str,
    /// To a greeting.
    pub(super) greeting: &'static str,
    /// To a request for help.
    pub(super) help: &'static str,
    /// To a question for the time, without the tool.
    pub(super) no_tool: &'static str,
    /// Above what a tool gave back.
    pub(super) from_tool: &'static str,
    /// Above the lines that look like alerts.
    pub(super) alerts_title: &'static str,
    /// Above the lines that tell of changes.
    pub(super) changes_title: &'static str,
    /// Above the questions that no message replies to.
    pub(super) questions_title: &'static str,
    /// Above the newest piece of output that was posted.
    pub(super) output_title: &'static str,
    /// Above the table.
    pub(super) people_title: &'static str,
    /// The first two lines of the table.
    pub(super) table_head: &'static str,
    /// Between the first and the newest lines of a list that is too long.
    pub(super) left_out: fn(usize) -> String,
    /// The last paragraph: what would find a cause.
    pub(super) closing: &'static str,
    /// When nothing is quoted; the question follows.
    pub(super) nothing: &'static str,
    /// A file's name, how many lines of it were quoted, and how many of these look like trouble.
    pub(super) file: fn(&str, usize, usize) -> String,
    /// How many things came without a text.
    pub(super) unread: fn(usize) -> String,
    /// How many images came.
    pub(super) images: fn(usize) -> String,
    /// How many messages, from how many people, from when to when.
    pub(super) counted: fn(usize, usize, &str, &str) -> String,
    /// To a question for a cause.
    pub(super) diagnosis: Told,
}

pub(super) const ENGLISH: Words = Words {
    made_by_rules: "*This reply was made by the sandbox's rules, not by a model.*",
    greeting: "Hello! Ask me **what is going on?** in a group and I will sort what was said there.",
    help: "What the rules can do:\n\n\
           - **Sort a conversation**: ask *what is going on?*, or only for the alerts, the changes, the open questions, or who said what\n\
           - **Tell the time and the chat**: ask *what time is it?*\n\
           - **Greet you back**\n\n\
           For real answers set `OPENAI_API_KEY` (and `OPENAI_BASE_URL`) and start the sandbox again.",
    no_tool: "You asked about the time or the place, but the tool that knows them was not offered to me.",
    from_tool: "I called a tool, and this is what it gave back:",
    alerts_title: "Alerts and symptoms",
    changes_title: "Changes",
    questions_title: "Questions without a reply",
    output_title: "Newest output that was posted",
    people_title: "Who said what last",
    table_head: "| Who | When | Last words |\n|---|---|---|",
    left_out: |lines| format!("- … {lines} more"),
    closing: "Sorted by the words in the messages. Rules cannot find a cause: with `OPENAI_API_KEY` set, a model reads the same messages and answers.",
    nothing: "Nothing was said here before your question, and rules only sort what was said. You asked:",
    file: |name, lines, troubled| {
        format!(
            "**{name}**: {lines} lines reached me, {troubled} of them look like trouble. The last:"
        )
    },
    unread: |things| format!("{things} more came without a text that I could read."),
    images: |images| {
        format!("{images} image(s) came with the question. Rules cannot look at images.")
    },
    counted: |lines, people, first, last| {
        let messages = if lines == 1 { "message" } else { "messages" };
        let people_are = if people == 1 { "person" } else { "people" };
        format!("**{lines} {messages}, {people} {people_are}, {first} to {last}.**")
    },
    diagnosis: diagnosis::ENGLISH,
};

pub(super) const CHINESE: Words = Words {
    made_by_rules: "*这条回复由沙箱的规则生成，不是模型写的。*",
    greeting: "你好！在群里问我 **现在什么情况？**，我会把大家说过的话整理出来。",
    help: "规则能做的事：\n\n\
           - **整理对话**：问我“现在什么情况？”，或者只问告警、变更、没人回复的问题、谁说了什么\n\
           - **报时间和所在的群**：问我“现在几点？”\n\
           - **打个招呼**\n\n\
           想要真正的回答，请设置 `OPENAI_API_KEY`（以及 `OPENAI_BASE_URL`），再重新启动沙箱。",
    no_tool: "你问的是时间或地点，但这次没有提供能查到它们的工具。",
    from_tool: "我调用了一个工具，它的返回是：",
    alerts_title: "告警和症状",
    changes_title: "变更",
    questions_title: "还没有人回复的问题",
    output_title: "最近贴出的输出",
    people_title: "每个人最后说的话",
    table_head: "| 谁 | 时间 | 最后一句 |\n|---|---|---|",
    left_out: |lines| format!("- …… 另有 {lines} 条"),
    closing: "以上按消息里的字词归类。规则找不出原因：设置 `OPENAI_API_KEY` 之后，会由模型阅读同样的消息并回答。",
    nothing: "在你提问之前，这里还没有人说过话，而规则只会整理大家说过的话。你问的是：",
    file: |name, lines, troubled| {
        format!("**{name}**：收到 {lines} 行，其中 {troubled} 行像是出了问题。最后几行：")
    },
    unread: |things| format!("另有 {things} 个附件没有我能读的文字。"),
    images: |images| format!("随问题发来 {images} 张图片。规则看不了图片。"),
    counted: |lines, people, first, last| {
        format!("**{first} 到 {last}，{lines} 条消息，{people} 个人。**")
    },
    diagnosis: diagnosis::CHINESE,
};

/// Words by which a line is taken for an alert or a symptom; compared in lower case.
pub(super) const ALERT_WORDS: &[&str] = &[
    "alert",
    "firing",
    "critical",
    "error",
    "5xx",
    "500",
    "502",
    "503",
    "504",
    "timeout",
    "timed out",
    "deadline exceeded",
    "oom",
    "exhausted",
    "refused",
    "unavailable",
    "failing",
    "failed",
    "p99",
    "latency",
    "crashloop",
    "restarting",
    "告警",
    "报警",
    "触发",
    "错误",
    "报错",
    "超时",
    "异常",
    "失败",
    "耗尽",
    "延迟",
    "不可用",
    "宕机",
    "重启",
    "打满",
];

/// Words by which a line is taken for an alert even when it speaks of a change, too.
pub(super) const FIRING_WORDS: &[&str] = &["firing", "[告警]", "【告警】"];

/// Words by which a line is taken to tell of a change; compared in lower case.
pub(super) const CHANGE_WORDS: &[&str] = &[
    "deploy",
    "rollout",
    "rolled out",
    "roll back",
    "rolling back",
    "rolled back",
    "rollback",
    "release",
    "revert",
    "hotfix",
    "upgrade",
    "migration",
    "feature flag",
    "scaled",
    "发布",
    "发完",
    "上线",
    "回滚",
    "变更",
    "升级",
    "扩容",
    "缩容",
    "切流",
    "改成",
];

/// Words of questions that ask for one part of a summary only; compared in lower case.
pub(super) const ASKS_FOR_ALERTS: &[&str] = &["alert", "symptom", "告警", "报警", "症状"];
pub(super) const ASKS_FOR_CHANGES: &[&str] = &[
    "changed",
    "changes",
    "deploy",
    "release",
    "rollback",
    "变更",
    "发布",
    "改了什么",
    "上线",
];
pub(super) const ASKS_FOR_QUESTIONS: &[&str] = &[
    "unanswered",
    "questions",
    "open question",
    "没人回复",
    "没有回复",
    "未回复",
    "没人回答",
];
pub(super) const ASKS_FOR_PEOPLE: &[&str] = &["who said", "who is", "谁说", "谁在"];
