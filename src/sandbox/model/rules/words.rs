//! What the rules say, in both languages, and the words they look for.

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
    /// The heading of a summary.
    pub(super) summary_title: &'static str,
    /// Above the lines that look like alerts.
    pub(super) alerts_title: &'static str,
    /// In their place, when there are none.
    pub(super) no_alerts: &'static str,
    /// Above the table.
    pub(super) people_title: &'static str,
    /// The first two lines of the table.
    pub(super) table_head: &'static str,
    /// Above the newest lines.
    pub(super) lines_title: &'static str,
    /// The last paragraph: what would find a cause.
    pub(super) closing: &'static str,
    /// When nothing is quoted; the question follows.
    pub(super) nothing: &'static str,
    /// How many messages, from how many people.
    pub(super) counted: fn(usize, usize) -> String,
}

pub(super) const ENGLISH: Words = Words {
    made_by_rules: "*This reply was made by the sandbox's rules, not by a model.*",
    greeting: "Hello! Ask me **what is going on?** in a group and I will sort what was said there.",
    help: "What the rules can do:\n\n\
           - **Sort a conversation**: who said what last, and which lines look like alerts\n\
           - **Tell the time and the chat**: ask *what time is it?*\n\
           - **Greet you back**\n\n\
           For real answers set `OPENAI_API_KEY` (and `OPENAI_BASE_URL`) and start the sandbox again.",
    no_tool: "You asked about the time or the place, but the tool that knows them was not offered to me.",
    from_tool: "I called a tool, and this is what it gave back:",
    summary_title: "What was said so far",
    alerts_title: "Lines that look like alerts or symptoms",
    no_alerts: "None of the quoted lines contains a word that I take for an alert.",
    people_title: "Who said what last",
    table_head: "| Who | When | Last words |\n|---|---|---|",
    lines_title: "The newest lines",
    closing: "Rules cannot find a cause. With `OPENAI_API_KEY` set, a model reads the same messages and answers.",
    nothing: "There is nothing quoted for me to sort. You asked:",
    counted: |lines, people| match (lines, people) {
        (1, _) => "One message.".to_owned(),
        (lines, 1) => format!("{lines} messages from one person."),
        (lines, people) => format!("{lines} messages from {people} people."),
    },
};

pub(super) const CHINESE: Words = Words {
    made_by_rules: "*这条回复由沙箱的规则生成，不是模型写的。*",
    greeting: "你好！在群里问我 **现在什么情况？**，我会把大家说过的话整理出来。",
    help: "规则能做的事：\n\n\
           - **整理对话**：谁最后说了什么，哪些内容像告警\n\
           - **报时间和所在的群**：问我“现在几点？”\n\
           - **打个招呼**\n\n\
           想要真正的回答，请设置 `OPENAI_API_KEY`（以及 `OPENAI_BASE_URL`），再重新启动沙箱。",
    no_tool: "你问的是时间或地点，但这次没有提供能查到它们的工具。",
    from_tool: "我调用了一个工具，它的返回是：",
    summary_title: "目前大家说了什么",
    alerts_title: "看起来像告警或症状的内容",
    no_alerts: "引用的消息里没有我认得的告警字样。",
    people_title: "每个人最后说的话",
    table_head: "| 谁 | 时间 | 最后一句 |\n|---|---|---|",
    lines_title: "最新的几条",
    closing: "规则找不出原因。设置 `OPENAI_API_KEY` 之后，会由模型阅读同样的消息并回答。",
    nothing: "没有引用的消息可以整理。你问的是：",
    counted: |lines, people| format!("共 {lines} 条消息，来自 {people} 个人。"),
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
