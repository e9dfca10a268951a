//! `/history`: what the bot would read of this chat before it answers. It shows nothing but what the chat
//! itself shows, and says what is missing.

use super::{Command, Definition, Request, words::either};
use crate::{
    agent::newest_lines,
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        history::{History, Reader},
        markdown,
        memory::Remembered,
        notice,
        phrase::Phrase,
    },
    config::{ConversationConfig, Language},
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::History,
    english: &["history"],
    chinese: &["历史"],
    arguments_english: "[number]",
    arguments_chinese: "[条数]",
    needs: Role::Member,
    about_english: "shows the newest messages that I would read before an answer, 10 unless you say how many",
    about_chinese: "显示我回答前会读到的最近消息，默认 10 条",
    more_english: "At most 30 are shown, each cut to one line.",
    more_chinese: "最多显示 30 条，每条截为一行。",
};

const SHOWN: usize = 10;
const SHOWN_MAX: usize = 30;

/// How much of a message is shown.
const CHARS_MAX: usize = 120;

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (desk, language) = (&bot.0, request.language);
    let arguments = request.invocation.arguments.as_str();
    let wanted = match arguments {
        "" => Some(SHOWN),
        number => number.parse().ok(),
    };
    let (Some(wanted), Some(message)) = (wanted.filter(|wanted| *wanted > 0), &request.message)
    else {
        let text = Phrase::NumberNotUnderstood.text(language);
        return notice::send(bot, &request.place, "history", &text).await;
    };
    let config = desk.conversation_with(&request.settings);
    let reader = Reader {
        feishu: &desk.feishu,
        people: &desk.people,
        memory: &desk.memory,
        config: &config,
        files: &desk.files,
        zone: &desk.zone,
        me: &desk.me,
    };
    let remembered = desk
        .memory
        .recall(&request.session)
        .await
        .unwrap_or_default();
    let history = reader.read(message, &remembered).await;
    let lines = newest_lines(&history.said, &desk.zone, desk.budgets.history_tokens);
    let text = text(&lines, &history, &remembered, &config, wanted, language);
    let notice = Notice {
        title: Some(either(language, "What I would read", "我会读到的内容")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "history", &notice).await;
}

/// The newest lines, and what is to be said about the rest.
fn text(
    lines: &[String],
    history: &History,
    remembered: &Remembered,
    config: &ConversationConfig,
    wanted: usize,
    language: Language,
) -> String {
    let shown = &lines[lines.len() - lines.len().min(wanted).min(SHOWN_MAX)..];
    let mut text = String::new();
    for line in shown {
        let first = line.lines().next().unwrap_or_default();
        let short: String = first.chars().take(CHARS_MAX).collect();
        let is_cut = short.len() < line.len();
        text.push_str("- ");
        text.push_str(&markdown::escape(&short));
        text.push_str(if is_cut { "…\n" } else { "\n" });
    }
    let (read, unfit) = (lines.len(), history.said.len() - lines.len());
    let (most, kept) = (config.history_messages, remembered.exchanges.len());
    let mut notes = Vec::new();
    match language {
        Language::En => {
            notes.push(format!(
                "I would read {read} message(s), of at most {most}; {} of them are shown.",
                shown.len()
            ));
            if unfit > 0 {
                notes.push(format!("{unfit} older one(s) do not fit."));
            }
            if kept > 0 {
                notes.push(format!(
                    "Besides, I remember {kept} question(s) of this conversation with my answers; they are not listed again."
                ));
            }
        }
        Language::Zh => {
            notes.push(format!(
                "我会读取 {read} 条消息（最多 {most} 条），这里显示 {} 条。",
                shown.len()
            ));
            if unfit > 0 {
                notes.push(format!("更早的 {unfit} 条放不下。"));
            }
            if kept > 0 {
                notes.push(format!(
                    "此外我还记得本会话的 {kept} 个问题和回答，这里不再列出。"
                ));
            }
        }
    }
    if history.problem.is_some() {
        notes = vec![Phrase::NoHistory.text(language)];
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text + &notes.join(either(language, " ", ""))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn it_says_what_is_shown_and_what_is_not() {
        let lines = [
            "[11-21 10:00:00] Li: *down*".to_owned(),
            "[11-21 10:01:00] Han: yes\n    no".to_owned(),
        ];
        let config = ConversationConfig::default();
        let mut history = History::default();
        let remembered = Remembered::default();
        let said = |history: &History, lines: &[String], language| {
            text(lines, history, &remembered, &config, 1, language)
        };
        assert_snapshot!(said(&History { said: two(), ..History::default() }, &lines, Language::En), @r"
        - [11-21 10:01:00] Han: yes…

        I would read 2 message(s), of at most 50; 1 of them are shown.
        ");
        history.problem = Some("refused".into());
        assert_snapshot!(said(&history, &[], Language::Zh), @"没能读到这个会话之前的消息，所以这个回答不了解上文。");
    }

    fn two() -> Vec<crate::agent::Said> {
        let said = crate::agent::Said {
            author: "Li".into(),
            is_bot: false,
            at: jiff::Timestamp::UNIX_EPOCH,
            text: "x".into(),
            reply_to: None,
        };
        vec![said.clone(), said]
    }
}
