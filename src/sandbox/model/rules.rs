//! Replies made by rules, for trying everything without a model; each says so in its first line.
//!
//! They only sort what the request itself contains: which lines look like alerts, which tell of
//! changes, which questions nobody replied to, and who said what last. They use headings, lists, a
//! table and, where somebody posted output, a code block, so that a card shows all of these.

use serde_json::json;

use super::request::Asked;
use super::script::{Reply, ToolCall};
use transcript::{Line, Transcript};
use words::{
    ALERT_WORDS, ASKS_FOR_ALERTS, ASKS_FOR_CHANGES, ASKS_FOR_PEOPLE, ASKS_FOR_QUESTIONS,
    CHANGE_WORDS, CHINESE, ENGLISH, FIRING_WORDS, Words,
};

mod diagnosis;
mod files;
mod report;
mod transcript;
mod words;

/// The one tool the rules know how to use.
const TOOL: &str = "current_time_and_chat";
/// How many lines a list shows: the first one, and the newest.
const LISTED_MAX: usize = 4;
/// How many people the table shows.
const PEOPLE_MAX: usize = 6;
/// How many lines of posted output are shown.
const OUTPUT_LINES_MAX: usize = 8;
/// How much of a line a list item shows, in characters.
const ITEM_CHARS: usize = 140;
/// How much of a line a cell of the table shows, in characters.
const CELL_CHARS: usize = 70;
/// How much of a message is compared to tell whether another replies to it, in characters.
const REPLY_CHARS: usize = 40;

/// The rules' reply to a request; the same request gets the same reply.
pub(super) fn reply(asked: &Asked) -> Reply {
    if let Some(reply) = report::reply(&asked.last_user) {
        return reply;
    }
    let mut transcript = Transcript::read(&asked.last_user);
    // What the rules said before quotes others, and would be taken for news; commands, and what was
    // taken back, are none.
    transcript.lines.retain(|line| {
        !line.is_command()
            && line.text != "[recalled]"
            && !Words::ALL.iter().any(|words| words.made(&line.text))
    });
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
        _ if !transcript.things.is_empty() || asked.images > 0 => {
            files::summary(words, &transcript.things, asked.images)
        }
        Wish::Cause => match diagnosis::of(words, &transcript, before_question(asked, &transcript))
        {
            Some(diagnosis) => format!("{diagnosis}\n\n---\n\n{}", words.closing),
            None => words.nothing_quoted(&transcript.question),
        },
        Wish::Anything if transcript.lines.is_empty() => words.nothing_quoted(&transcript.question),
        Wish::Anything => words.summary(&transcript),
    };
    Reply {
        text: Some(format!("{}\n\n{body}", words.made_by_rules)),
        ..Reply::default()
    }
}

/// Everything that came with the question.
fn before_question<'a>(asked: &'a Asked, transcript: &Transcript) -> &'a str {
    let end = asked.last_user.rfind(&transcript.question);
    &asked.last_user[..end.unwrap_or(asked.last_user.len())]
}

/// What the asker seems to want.
#[derive(Debug, PartialEq)]
enum Wish {
    Greeting,
    Help,
    TimeOrPlace,
    /// What is behind the trouble.
    Cause,
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
        } else if diagnosis::is_asked_for(&question) {
            Self::Cause
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
        let results: Vec<String> = results
            .iter()
            .map(|result| code_block(&without_marks(result)))
            .collect();
        format!("{}\n\n{}", self.from_tool, results.join("\n\n"))
    }

    fn nothing_quoted(&self, question: &str) -> String {
        format!(
            "{}\n\n> {}\n\n{}",
            self.nothing,
            excerpt(question, ITEM_CHARS),
            self.closing
        )
    }

    fn summary(&self, transcript: &Transcript) -> String {
        let lines = &transcript.lines;
        let last = last_words(lines);
        let people = last.iter().filter(|line| !line.is_bot).count();
        let (first_time, last_time) = match (lines.first(), lines.last()) {
            (Some(first), Some(last)) => (first.time.as_str(), last.time.as_str()),
            _ => ("", ""),
        };
        let listed = |kind: Kind| {
            let found: Vec<&Line> = (0..lines.len())
                .filter(|&at| Kind::of(lines, at) == Some(kind))
                .map(|at| &lines[at])
                .collect();
            self.list(&found)
        };
        let sections = [
            (ASKS_FOR_ALERTS, self.alerts_title, listed(Kind::Alert)),
            (ASKS_FOR_CHANGES, self.changes_title, listed(Kind::Change)),
            (ASKS_FOR_QUESTIONS, self.questions_title, listed(Kind::Open)),
            (&[], self.output_title, output(lines)),
            (ASKS_FOR_PEOPLE, self.people_title, self.table(&last)),
        ];
        let question = transcript.question.to_lowercase();
        // Whoever asks for some of it gets that, if there is any.
        let asked = |words: &[&str]| has(&question, words);
        let has_asked = sections
            .iter()
            .any(|(words, _, body)| asked(words) && !body.is_empty());
        let mut parts = vec![(self.counted)(lines.len(), people, first_time, last_time)];
        for (words, title, body) in sections {
            if !body.is_empty() && (asked(words) || !has_asked) {
                parts.push(format!("### {title}"));
                parts.push(body);
            }
        }
        parts.push("---".to_owned());
        parts.push(self.closing.to_owned());
        parts.join("\n\n")
    }

    /// The first line and the newest: an incident is told by how it began and where it stands.
    fn list(&self, lines: &[&Line]) -> String {
        let left_out = lines.len().saturating_sub(LISTED_MAX);
        let mut items: Vec<String> = lines.iter().map(|line| item(line)).collect();
        // In the place of one line that is left out there might as well stand that line.
        if left_out > 1 {
            items.splice(1..=left_out, [(self.left_out)(left_out)]);
        }
        items.join("\n")
    }

    fn table(&self, last: &[&Line]) -> String {
        let row = |line: &Line| {
            let words = excerpt(&line.text, CELL_CHARS);
            format!("| {} | {} | {words} |", escape(&line.who), line.time)
        };
        let rows: Vec<String> = last
            .iter()
            .filter(|line| !line.is_bot)
            .take(PEOPLE_MAX)
            .map(|line| row(line))
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        format!("{}\n{}", self.table_head, rows.join("\n"))
    }
}

/// What a line is listed as, once at most.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Alert,
    Change,
    /// A question that no message replies to.
    Open,
}

impl Kind {
    fn of(lines: &[Line], at: usize) -> Option<Self> {
        let line = &lines[at];
        let text = line.text.to_lowercase();
        if has(&text, FIRING_WORDS) {
            Some(Self::Alert)
        } else if has(&text, CHANGE_WORDS) {
            Some(Self::Change)
        } else if text.contains(['?', '？']) && !line.is_bot {
            (!is_replied_to(line, &lines[at + 1..])).then_some(Self::Open)
        } else {
            has(&text, ALERT_WORDS).then_some(Self::Alert)
        }
    }
}

/// Bots tell whom a message replies to, and some tell what that one had said.
fn is_replied_to(line: &Line, later: &[Line]) -> bool {
    let begins = |text: &str| text.chars().take(REPLY_CHARS).collect::<String>();
    let start = begins(&format!("{}: {}", line.who, line.text));
    let mut replies = later.iter().filter_map(|line| line.reply_to.as_deref());
    replies.any(|reply| reply == line.who || begins(reply) == start)
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The newest code block that anybody posted.
fn output(lines: &[Line]) -> String {
    let block = |line: &Line| {
        let (_, rest) = line.text.split_once("```")?;
        let (body, _) = rest.split_once("```")?;
        let (_language, body) = body.split_once('\n')?;
        let shown: Vec<&str> = body.trim().lines().take(OUTPUT_LINES_MAX).collect();
        (!shown.is_empty()).then(|| code_block(&shown.join("\n")))
    };
    lines.iter().rev().find_map(block).unwrap_or_default()
}

fn item(line: &Line) -> String {
    let time = if line.time.is_empty() {
        String::new()
    } else {
        format!("`{}` ", line.time)
    };
    let text = excerpt(&line.text, ITEM_CHARS);
    format!("- {time}**{}**: {text}", escape(&line.who))
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

/// A quoted line made short and harmless inside markdown.
fn excerpt(text: &str, chars_max: usize) -> String {
    // Code is shown apart, and stars of bold text would stand there as stars.
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let text = prose.join(" … ").replace("**", "");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.strip_prefix("[card] ").unwrap_or(&text);
    escape(&match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    })
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

/// What stands between the marks of quoted material.
fn without_marks(text: &str) -> String {
    let is_mark = |line: &&str| {
        let line = line.trim();
        line.starts_with('<') && line.ends_with('>') && line.contains("quoted")
    };
    text.lines()
        .filter(|line| !is_mark(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A code block whose fence nothing inside can close.
fn code_block(text: &str) -> String {
    format!("```text\n{}\n```", text.trim_end().replace("```", "'''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "<quoted-7f3a>\n\
        [10:02] Alertmanager (bot): FIRING HighErrorRate checkout 5xx at 12%\n\
        [10:04] Han Mei: looking at it | <b>now</b>\n\
        [10:06] Li Lei: I rolled out 4.18\n\x20   to all zones\n\
        [10:07] Anna: can I tell customers?\n\
        [10:07] Tom: pods:\n\x20   ```shell\n\x20   kubectl get pods\n\x20   ```\n\
        [10:08] Li Lei (in reply to \"Anna: can I tell customers?\"): yes\n\
        [10:08] Anna: since when?\n\
        [10:09] Han Mei: payment-db connections are exhausted\n\
        [10:09] Tom: @Nightjar /stop\n\
        [10:10] Tom: [recalled]\n\
        [10:10] Nightjar (bot): This reply was made by the sandbox's rules, not by a model. 5xx\n\
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
        insta::assert_snapshot!(said(&format!("{ROOM}@Nightjar what is going on?")), @"
        *This reply was made by the sandbox's rules, not by a model.*

        **8 messages, 4 people, 10:02 to 10:09.**

        ### Alerts and symptoms

        - `10:02` **Alertmanager**: FIRING HighErrorRate checkout 5xx at 12%
        - `10:09` **Han Mei**: payment-db connections are exhausted

        ### Changes

        - `10:06` **Li Lei**: I rolled out 4.18 to all zones

        ### Questions without a reply

        - `10:08` **Anna**: since when?

        ### Newest output that was posted

        ```text
        kubectl get pods
        ```

        ### Who said what last

        | Who | When | Last words |
        |---|---|---|
        | Han Mei | 10:09 | payment-db connections are exhausted |
        | Anna | 10:08 | since when? |
        | Li Lei | 10:08 | yes |
        | Tom | 10:07 | pods: … |

        ---

        Sorted by the words in the messages. Rules cannot find a cause: with `OPENAI_API_KEY` set, a model reads the same messages and answers.
        ");
    }

    #[test]
    fn a_question_for_a_cause_gets_a_diagnosis_that_says_it_is_a_guess() {
        let room = "<q>\n[09:51] Han Mei: checkout 4.18 is deployed\n\
            [10:02] Alertmanager (bot): FIRING HighErrorRate checkout 5xx at 12%\n\
            [10:06] Li Lei: rolling back to 4.17\n</q>\n\n";
        insta::assert_snapshot!(said(&format!("{room}@Nightjar what is the likely cause?")), @"
        *This reply was made by the sandbox's rules, not by a model.*

        ### Diagnosis (a guess by rules)

        **Began with**:

        - `10:02` **Alertmanager**: FIRING HighErrorRate checkout 5xx at 12%

        **Suspected**: `09:51` **Han Mei**: checkout 4.18 is deployed, because it is the last change that was told of before that

        **Done since**: `10:06` **Li Lei**: rolling back to 4.17

        **Not checked**: metrics, logs and traces. Rules read only what is quoted here.

        **Next**: compare before and after that change; if nothing speaks against it, take it back and watch.

        ---

        Sorted by the words in the messages. Rules cannot find a cause: with `OPENAI_API_KEY` set, a model reads the same messages and answers.
        ");
    }

    #[test]
    fn the_facts_of_an_incident_are_enough_for_a_diagnosis() {
        let facts = "<facts-1>\ntitle: p99 latency of checkout is 4.2 s\nseverity: critical\n</facts-1>\n\n";
        let text = said(&format!("{facts}这个告警是什么原因？"));
        let shown = [
            "latency of checkout is 4.2 s",
            "诊断（规则的猜测）",
            "下一步",
        ];
        assert!(shown.iter().all(|part| text.contains(part)), "{text}");
        assert!(said("investigate!").contains("> investigate!"));
    }

    #[test]
    fn who_asks_for_one_thing_gets_that_and_everything_when_there_is_none_of_it() {
        let titles = |room: &str, question: &str| {
            let text = said(&format!("{room}{question}"));
            let titles = text.lines().filter_map(|line| line.strip_prefix("### "));
            titles.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(titles(ROOM, "what changed?"), ENGLISH.changes_title);
        assert_eq!(titles(ROOM, "有哪些告警？"), CHINESE.alerts_title);
        assert_eq!(titles(ROOM, "who said what?"), ENGLISH.people_title);
        let both = format!("{}, {}", CHINESE.changes_title, CHINESE.questions_title);
        assert_eq!(titles(ROOM, "有什么变更？哪些问题没人回复？"), both);
        let quiet = "<q>\n[10:02] Li Lei: all is well\n</q>\n\n";
        assert_eq!(titles(quiet, "what changed?"), ENGLISH.people_title);
    }

    #[test]
    fn a_long_list_keeps_the_first_line_and_the_newest() {
        let lines: String = (0..9)
            .map(|n| format!("[10:0{n}] Li Lei: error {n}\n"))
            .collect();
        let text = said(&format!("<q>\n{lines}</q>\n\nany alerts?"));
        insta::assert_snapshot!(text, @"
        *This reply was made by the sandbox's rules, not by a model.*

        **9 messages, 1 person, 10:00 to 10:08.**

        ### Alerts and symptoms

        - `10:00` **Li Lei**: error 0
        - … 5 more
        - `10:06` **Li Lei**: error 6
        - `10:07` **Li Lei**: error 7
        - `10:08` **Li Lei**: error 8

        ---

        Sorted by the words in the messages. Rules cannot find a cause: with `OPENAI_API_KEY` set, a model reads the same messages and answers.
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
        asked.tool_results =
            vec!["<quoted-7f3a>\n2026-05-11 10:09 Asia/Shanghai\n</quoted-7f3a>".into()];
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
