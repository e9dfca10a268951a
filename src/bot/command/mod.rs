//! What people can tell the bot to do, by words that begin with a slash.
//!
//! A new command is a file here, a variant, and a line in [`ALL`]; the help is written from that list.

mod help;
mod new;
mod stop;

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::{config::Language, feishu::OpenId};

use super::{
    Bot, Entry,
    access::{Denied, Role},
    inbox::Kept,
    markdown,
    memory::SessionKey,
    notice::{self, Place},
    phrase::Phrase,
};

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

/// A command as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    /// Which.
    pub command: Command,
    /// The name that was written, in lower case and without the slash. Untrusted.
    pub name: String,
    /// What stands behind it, without spaces around. Untrusted.
    pub arguments: String,
}

/// How a command is written, and what it does.
pub(super) struct Definition {
    /// Which.
    pub command: Command,
    /// The names people type, English and Chinese; the first of each is shown.
    pub english: &'static [&'static str],
    pub chinese: &'static [&'static str],
    /// Who may use it.
    pub needs: Role,
    /// One line of help.
    pub about_english: &'static str,
    pub about_chinese: &'static str,
}

const ALL: &[Definition] = &[help::DEFINITION, new::DEFINITION, stop::DEFINITION];

/// Somebody who wants a command carried out. Not bound to a message, since a menu has commands too.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// What.
    pub invocation: Invocation,
    /// Who.
    pub asker: OpenId,
    /// What they may do.
    pub role: Role,
    /// Where the answer goes.
    pub place: Place,
    /// The session that is spoken of.
    pub session: SessionKey,
    /// The language of the answer.
    pub language: Language,
    /// When it arrived: sorts among the keys of the inbox.
    pub arrival: String,
    /// Its entry in the inbox, under that key.
    pub kept: Kept,
    /// By which the log can be searched.
    pub trace: String,
    /// How old it was when its turn came.
    pub age: Duration,
}

impl Invocation {
    /// Whether it is done at once, beside what runs, instead of after it.
    pub(super) fn is_urgent(&self) -> bool {
        self.command == Command::Stop
    }
}

impl Command {
    /// How it is written and what it does; none for one that does not exist.
    pub(super) fn definition(self) -> Option<&'static Definition> {
        ALL.iter().find(|definition| definition.command == self)
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
pub(super) fn parse(text: &str) -> Option<Invocation> {
    let rest = text.trim_start().strip_prefix(['/', '／'])?;
    let has_space = rest.starts_with(char::is_whitespace);
    let rest = rest.trim();
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = name.trim_end_matches(['.', '。', '!', '！', ',', '，']);
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let name = is_name.then(|| name.to_lowercase())?;
    let found = ALL.iter().find(|definition| definition.is_called(&name));
    // "/ something" is a command only where there is one of that name.
    let command = match found {
        Some(definition) => definition.command,
        None if has_space => return None,
        None => Command::Unknown,
    };
    Some(Invocation {
        command,
        name,
        arguments: arguments.trim().to_owned(),
    })
}

/// Carries out the command of a message, and lets its entry go.
pub(super) async fn answer(bot: &Bot, invocation: Invocation, entry: &Entry) {
    let asker = OpenId::new(entry.message.sender.id.as_str());
    let place = Place::of(entry);
    let age = entry.message.created_at.duration_until(Timestamp::now());
    // Where a menu is pressed there is no chat that could be allowed or denied.
    let chat = place.person.is_none().then_some(&place.chat);
    match bot.access().role(&asker, chat).await {
        Ok(role) => {
            let request = Request {
                invocation,
                asker,
                role,
                place,
                session: entry.session.clone(),
                language: entry.language,
                arrival: entry.key.clone(),
                kept: entry.kept.clone(),
                trace: entry.message.id.to_string(),
                age: age.unsigned_abs(),
            };
            carry_out(bot, &request).await;
        }
        Err(denied) => {
            let text = Phrase::Denied(&denied).text(entry.language);
            notice::send(bot, &place, "denied", &text).await;
        }
    }
    // Flushed, since it would be done again after a crash.
    bot.forget_for_good(&entry.key).await;
}

/// Does what a command says and answers it, where the asker may. A command that arrives late is not
/// carried out: whoever wrote it has long seen that nothing happened.
pub(super) async fn carry_out(bot: &Bot, request: &Request) {
    let invocation = &request.invocation;
    let (command, language) = (invocation.command, request.language);
    let say = async |purpose: &str, phrase: Phrase<'_>| {
        notice::send(bot, &request.place, purpose, &phrase.text(language)).await;
    };
    // What an earlier process did already is not late, and is still to be told.
    if request.age > bot.0.conversation.command_age_max && request.kept.last.is_none() {
        info!(?command, "a command came too late");
        return say("late", Phrase::TooLate { age: request.age }).await;
    }
    let needs = command.definition().map_or(Role::Member, |one| one.needs);
    if request.role < needs {
        info!(?command, role = request.role.name(), "a command is refused");
        return say("denied", Phrase::Denied(&Denied::Needs(needs))).await;
    }
    info!(?command, "carrying out a command");
    match command {
        Command::Help => help::run(bot, request).await,
        Command::New => new::run(bot, request).await,
        Command::Stop => stop::run(bot, request).await,
        Command::Unknown => {
            let name = markdown::escape(&invocation.name);
            say(
                "unknown",
                Phrase::UnknownCommand {
                    name: &format!("/{name}"),
                },
            )
            .await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_by_their_names_in_both_languages() {
        let check = |text: &str, expected: Option<Command>| {
            assert_eq!(parse(text).map(|one| one.command), expected, "{text}")
        };
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
