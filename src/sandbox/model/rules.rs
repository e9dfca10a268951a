//! Replies made by rules, for trying everything without a model; each says so in its first line.
//!
//! They only sort what the request itself contains: who said what last, and which lines look like
//! alerts. They use headings, a list, a table and a code block so that a card shows all of these.

use serde_json::json;

use super::request::Asked;
use super::script::{Reply, ToolCall};
use transcript::{Line, Transcript};

mod transcript;

/// The one tool the rules know how to use.
const TOOL: &str = "current_time_and_chat";
/// How many alert-like lines, people and last lines a reply shows.
const SHOWN_MAX: usize = 6;
/// How much of a line a table cell or list item shows, in characters.
const EXCERPT_CHARS: usize = 90;

/// Words by which a line is taken for an alert or a symptom; compared in lower case.
const ALERT_WORDS: &[&str] = &[
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

/// The rules' reply to a request; the same request gets the same reply.
pub(super) fn reply(asked: &Asked) -> Reply {
    let transcript = Transcript::read(&asked.last_user);
    let words = Words::for_question(&transcript.question);
    let wish = Wish::of(&transcript.question);
    if wish == Wish::TimeOrPlace
        && asked.tool_results.is_empty()
        && asked.tools.iter().any(|tool| tool == TOOL)
    {
        let call = ToolCall {
            name: TOOL.to_owned(),
            arguments: json!({}),
        };
        return Reply {
            tool_calls: vec![call],
            ..Reply::default()
        };
    }
    let body = match wish {
        _ if !asked.tool_results.is_empty() => words.tool_result(&asked.tool_results),
        Wish::Greeting => words.greeting.to_owned(),
        Wish::Help => words.help.to_owned(),
        Wish::TimeOrPlace => words.no_tool.to_owned(),
        Wish::Anything if transcript.lines.is_empty() => words.nothing_quoted(&transcript.question),
        Wish::Anything => words.summary(&transcript),
    };
    Reply {
        text: Some(format!("{}\n\n{body}", words.made_by_rules)),
        ..Reply::default()
    }
}

/// What the asker seems to want.
#[derive(Debug, PartialEq)]
enum Wish {
    Greeting,
    Help,
    TimeOrPlace,
    Anything,
}

impl Wish {
    fn of(question: &str) -> Self {
        let question = question.to_lowercase();
        let bare = question.trim_matches(|c: char| !c.is_alphanumeric());
        let has = |parts: &[&str]| parts.iter().any(|part| question.contains(part));
        let greetings = [
            "hi",
            "hello",
            "hey",
            "hi there",
            "good morning",
            "你好",
            "您好",
            "嗨",
            "在吗",
            "早上好",
            "大家好",
        ];
        if greetings.contains(&bare) {
            Self::Greeting
        } else if bare == "help"
            || has(&[
                "what can you do",
                "who are you",
                "你能做什么",
                "你是谁",
                "怎么用",
            ])
            || bare == "帮助"
        {
            Self::Help
        } else if has(&[
            "what time",
            "current time",
            "the time now",
            "what day",
            "what date",
            "which chat",
            "which group",
            "where are we",
            "where am i",
            "几点",
            "现在时间",
            "当前时间",
            "今天几号",
            "星期几",
            "哪个群",
            "在哪个",
            "什么群",
        ]) {
            Self::TimeOrPlace
        } else {
            Self::Anything
        }
    }
}

/// The fixed sentences in one language.
struct Words {
    made_by_rules: &'static str,
    greeting: &'static str,
    help: &'static str,
    no_tool: &'static str,
    from_tool: &'static str,
    summary_title: &'static str,
    alerts_title: &'static str,
    no_alerts: &'static str,
    people_title: &'static str,
    table_head: &'static str,
    lines_title: &'static str,
    closing: &'static str,
    nothing: &'static str,
    counted: fn(usize, usize) -> String,
}

const ENGLISH: Words = Words {
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

const CHINESE: Words = Words {
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

impl Words {
    fn for_question(question: &str) -> &'static Self {
        let chinese = question
            .chars()
            .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        if chinese { &CHINESE } else { &ENGLISH }
    }

    fn tool_result(&self, results: &[String]) -> String {
        let results: Vec<String> = results.iter().map(|result| code_block(result)).collect();
        format!("{}\n\n{}", self.from_tool, results.join("\n\n"))
    }

    fn nothing_quoted(&self, question: &str) -> String {
        format!(
            "{}\n\n> {}\n\n{}",
            self.nothing,
            excerpt(question),
            self.closing
        )
    }

    fn summary(&self, transcript: &Transcript) -> String {
        let lines = &transcript.lines;
        let last = last_words(lines);
        let mut parts = vec![
            format!("## {}", self.summary_title),
            (self.counted)(lines.len(), last.len()),
            format!("### {}", self.alerts_title),
            self.alerts(lines),
            format!("### {}", self.people_title),
            format!("{}\n{}", self.table_head, table_rows(&last)),
            format!("### {}", self.lines_title),
        ];
        let newest = &lines[lines.len().saturating_sub(3)..];
        let newest: Vec<String> = newest
            .iter()
            .map(|line| format!("{:5}  {}: {}", line.time, line.who, cut(&line.text)))
            .collect();
        parts.push(code_block(&newest.join("\n")));
        parts.push("---".to_owned());
        parts.push(self.closing.to_owned());
        parts.join("\n\n")
    }

    fn alerts(&self, lines: &[Line]) -> String {
        let alarming = |line: &&Line| {
            let text = line.text.to_lowercase();
            ALERT_WORDS.iter().any(|word| text.contains(word))
        };
        let found: Vec<&Line> = lines.iter().filter(alarming).collect();
        let newest = &found[found.len().saturating_sub(SHOWN_MAX)..];
        let items: Vec<String> = newest.iter().map(|line| alert_item(line)).collect();
        if items.is_empty() {
            self.no_alerts.to_owned()
        } else {
            items.join("\n")
        }
    }
}

fn alert_item(line: &Line) -> String {
    let time = if line.time.is_empty() {
        String::new()
    } else {
        format!("`{}` ", line.time)
    };
    format!("- {time}**{}**: {}", escape(&line.who), excerpt(&line.text))
}

/// The last line of each person, newest first.
fn last_words(lines: &[Line]) -> Vec<&Line> {
    let mut last: Vec<&Line> = Vec::new();
    for line in lines.iter().rev() {
        if last.iter().all(|known| known.who != line.who) {
            last.push(line);
        }
    }
    last
}

fn table_rows(last: &[&Line]) -> String {
    let row = |line: &&Line| {
        format!(
            "| {} | {} | {} |",
            escape(&line.who),
            line.time,
            excerpt(&line.text)
        )
    };
    last.iter()
        .take(SHOWN_MAX)
        .map(row)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A quoted line made short and harmless inside markdown.
fn excerpt(text: &str) -> String {
    escape(&cut(text))
}

fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A code block whose fence nothing inside can close.
fn code_block(text: &str) -> String {
    format!("```text\n{}\n```", text.trim_end().replace("```", "'''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "<history 7f3a>\n\
        [10:02] Alertmanager: FIRING HighErrorRate checkout 5xx at 12%\n\
        [10:04] Han Mei: looking at it | <b>now</b>\n\
        [10:06] Li Lei: I rolled out 4.18\n  to all zones\n\
        [10:07] Han Mei: payment-db connections are exhausted\n\
        </history 7f3a>\n\n";

    fn said(last_user: &str) -> String {
        let asked = Asked {
            last_user: last_user.to_owned(),
            ..Asked::default()
        };
        reply(&asked).text.unwrap_or_default()
    }

    #[test]
    fn a_question_about_a_room_gets_everything_a_card_can_show() {
        insta::assert_snapshot!(said(&format!("{ROOM}@Nightjar what is going on?")), @r"
        *This reply was made by the sandbox's rules, not by a model.*

        ## What was said so far

        4 messages from 3 people.

        ### Lines that look like alerts or symptoms

        - `10:02` **Alertmanager**: FIRING HighErrorRate checkout 5xx at 12%
        - `10:07` **Han Mei**: payment-db connections are exhausted

        ### Who said what last

        | Who | When | Last words |
        |---|---|---|
        | Han Mei | 10:07 | payment-db connections are exhausted |
        | Li Lei | 10:06 | I rolled out 4.18 to all zones |
        | Alertmanager | 10:02 | FIRING HighErrorRate checkout 5xx at 12% |

        ### The newest lines

        ```text
        10:04  Han Mei: looking at it | <b>now</b>
        10:06  Li Lei: I rolled out 4.18 to all zones
        10:07  Han Mei: payment-db connections are exhausted
        ```

        ---

        Rules cannot find a cause. With `OPENAI_API_KEY` set, a model reads the same messages and answers.
        ");
    }

    #[test]
    fn the_answer_is_in_the_askers_language_and_says_that_it_is_made_by_rules() {
        let check = |question: &str, first_line: &str| {
            let text = said(question);
            assert_eq!(text.lines().next(), Some(first_line), "{question}");
        };
        check("why is checkout slow?", ENGLISH.made_by_rules);
        check("hello!", ENGLISH.made_by_rules);
        check("帮助", CHINESE.made_by_rules);
        check(&format!("{ROOM}现在什么情况？"), CHINESE.made_by_rules);
    }

    #[test]
    fn the_tool_is_called_for_the_time_and_its_result_is_used() {
        let mut asked = Asked {
            last_user: "现在几点了？".into(),
            tools: vec![TOOL.into()],
            ..Asked::default()
        };
        let first = reply(&asked);
        assert_eq!(
            (first.text, first.tool_calls[0].name.as_str()),
            (None, TOOL)
        );
        asked.tool_results = vec!["2026-05-11 10:09 Asia/Shanghai".into()];
        let second = reply(&asked);
        assert!(second.tool_calls.is_empty());
        assert!(
            second
                .text
                .is_some_and(|text| text.contains("```text\n2026-05-11 10:09"))
        );
        asked.tools.clear();
        asked.tool_results.clear();
        assert!(
            reply(&asked)
                .text
                .is_some_and(|text| text.contains(CHINESE.no_tool))
        );
    }

    #[test]
    fn greetings_and_requests_for_help_are_answered_shortly() {
        assert!(said("Hi!").contains(ENGLISH.greeting));
        assert!(said("你好").contains(CHINESE.greeting));
        assert!(said("what can you do?").contains("Sort a conversation"));
        assert!(said("disk?").contains("> disk?"));
    }
}
