//! Replies made by rules, for trying everything without a model; each says so in its first line.
//!
//! They only sort what the request itself contains: who said what last, and which lines look like
//! alerts. They use headings, a list, a table and a code block so that a card shows all of these.

use serde_json::json;

use super::request::Asked;
use super::script::{Reply, ToolCall};
use transcript::{Line, Transcript};
use words::{ALERT_WORDS, CHINESE, ENGLISH, Words};

mod transcript;
mod words;

/// The one tool the rules know how to use.
const TOOL: &str = "current_time_and_chat";
/// How many alert-like lines, people and last lines a reply shows.
const SHOWN_MAX: usize = 6;
/// How much of a line a table cell or list item shows, in characters.
const EXCERPT_CHARS: usize = 90;

/// The rules' reply to a request; the same request gets the same reply.
pub(super) fn reply(asked: &Asked) -> Reply {
    let mut transcript = Transcript::read(&asked.last_user);
    // What the rules said before quotes others, and would be taken for news.
    transcript
        .lines
        .retain(|line| !Words::ALL.iter().any(|words| words.made(&line.text)));
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

impl Words {
    const ALL: [&Self; 2] = [&ENGLISH, &CHINESE];

    /// Whether a text is one of these replies.
    fn made(&self, text: &str) -> bool {
        text.contains(self.made_by_rules.trim_matches('*'))
    }

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
    // Stars of bold text would stand there as stars.
    let text = text.replace("**", "");
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

    const ROOM: &str = "<quoted-7f3a>\n\
        [10:02] Alertmanager: FIRING HighErrorRate checkout 5xx at 12%\n\
        [10:04] Han Mei: looking at it | <b>now</b>\n\
        [10:06] Li Lei: I rolled out 4.18\n\x20   to all zones\n\
        [10:07] Han Mei: payment-db connections are exhausted\n\
        [10:08] Nightjar (bot): This reply was made by the sandbox's rules, not by a model. 5xx\n\
        </quoted-7f3a>\n\n";

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
