//! What people can tell the bot to do, by words that begin with a slash.
//!
//! A new command is a file here, a variant, and a line in [`ALL`]; the help is written from that list.

mod help;
mod new;
mod stop;

use jiff::Timestamp;
use tracing::info;

use crate::config::Language;

use super::{Bot, Entry, markdown, notice, phrase::Phrase};

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Shows this list.
    Help,
    /// Forgets the session.
    New,
    /// Ends the turn that runs.
    Stop,
    /// A slash and a word that is no command.
    Unknown,
}

/// How a command is written, and what it does.
struct Definition {
    command: Command,
    /// The names people type, English and Chinese; the first of each is shown.
    english: &'static [&'static str],
    chinese: &'static [&'static str],
    about_english: &'static str,
    about_chinese: &'static str,
}

const ALL: &[Definition] = &[help::DEFINITION, new::DEFINITION, stop::DEFINITION];

impl Command {
    /// Whether it is done at once, beside what runs, instead of after it.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self, Command::Stop)
    }
}

impl Definition {
    fn name(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.english[0],
            Language::Zh => self.chinese[0],
        }
    }

    fn about(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.about_english,
            Language::Zh => self.about_chinese,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.english
            .iter()
            .chain(self.chinese)
            .any(|one| *one == name)
    }
}

/// The command that `text` is, if it is one. A path such as `/var/log` is not.
pub(super) fn parse(text: &str) -> Option<Command> {
    let name = name_of(text)?;
    let found = ALL.iter().find(|definition| definition.is_called(&name));
    Some(found.map_or(Command::Unknown, |definition| definition.command))
}

/// The word behind the slash, in lower case. Chinese keyboards write a full-width slash.
fn name_of(text: &str) -> Option<String> {
    let rest = text.trim_start().strip_prefix(['/', '／'])?;
    let word = rest.split_whitespace().next()?;
    let is_name = word
        .chars()
        .all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    is_name.then(|| word.to_lowercase())
}

/// Does what a command says and answers it. A command that arrives late is not carried out: whoever
/// wrote it has long seen that nothing happened.
pub(super) async fn carry_out(bot: &Bot, command: Command, entry: &Entry) {
    let age = entry.message.created_at.duration_until(Timestamp::now());
    let too_late = age
        > jiff::SignedDuration::try_from(bot.0.conversation.command_age_max)
            .unwrap_or(jiff::SignedDuration::MAX);
    let place = notice::Place::of(entry);
    // What an earlier process did already is not late, and is still to be told.
    if too_late && entry.kept.last.is_none() {
        info!(?command, "a command came too late");
        let phrase = Phrase::TooLate {
            age: age.unsigned_abs(),
        };
        notice::send(bot, &place, "late", &phrase.text(entry.language)).await;
    } else {
        info!(?command, "carrying out a command");
        match command {
            Command::Help => help::run(bot, entry, &place).await,
            Command::New => new::run(bot, entry, &place).await,
            Command::Stop => stop::run(bot, entry, &place).await,
            Command::Unknown => {
                let name = markdown::escape(entry.text.split_whitespace().next().unwrap_or("/"));
                let phrase = Phrase::UnknownCommand { name: &name };
                notice::send(bot, &place, "unknown", &phrase.text(entry.language)).await;
            }
        }
    }
    // Flushed, since it would be done again after a crash.
    bot.forget_for_good(&entry.key).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_by_their_names_in_both_languages() {
        let check =
            |text: &str, expected: Option<Command>| assert_eq!(parse(text), expected, "{text}");
        check("/help", Some(Command::Help));
        check("/帮助", Some(Command::Help));
        check("／帮助", Some(Command::Help));
        check("/New please", Some(Command::New));
        check("/新会话", Some(Command::New));
        check(" /stop", Some(Command::Stop));
        check("／停止", Some(Command::Stop));
        check("/hlep", Some(Command::Unknown));
        check("/var/log/syslog is full", None);
        check("/", None);
        check("what does /help do?", None);
        check("", None);
    }

    #[test]
    fn no_name_means_two_commands() {
        let mut names: Vec<_> = ALL
            .iter()
            .flat_map(|one| one.english.iter().chain(one.chinese))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
