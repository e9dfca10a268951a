//! What people can tell the bot to do, by words that begin with a slash.
//!
//! A new command is a file here, a variant, and a line in [`ALL`]; the help is written from that list.

mod audit;
mod chats;
mod close;
mod doctor;
mod feedback;
mod help;
mod history;
mod incident;
mod language;
pub(super) mod link;
mod new;
mod oncall;
mod postmortem;
mod role;
mod settings;
mod silence;
mod status;
mod stop;
mod summary;
mod timeline;
mod unlink;
mod warroom;
mod whoami;
mod words;

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::{
    config::Language,
    feishu::{ChatKind, Message, OpenId},
};

use super::{
    Bot, Entry,
    access::{Denied, Name, Role},
    audit::{self as audit_trail, Deed},
    inbox::Kept,
    markdown,
    memory::SessionKey,
    notice::{self, Place},
    phrase::Phrase,
    settings::ChatSettings,
};

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Examines the bot itself.
    Doctor,
    /// Shows this list.
    Help,
    /// Forgets the session.
    New,
    /// Ends the turn that runs.
    Stop,
    /// Shows how the bot and the conversation are doing.
    Status,
    /// Shows what would be read before an answer.
    History,
    /// Shows whom we take somebody for.
    Whoami,
    /// Sets a language.
    Language,
    /// Shows or changes how a group wants things.
    Settings,
    /// Links members to people.
    Link,
    /// Undoes a link.
    Unlink,
    /// Tells those who run the bot something.
    Feedback,
    /// Shows who asked for what.
    Audit,
    /// Makes a war room, or shows one.
    WarRoom,
    /// Takes a job in a war room.
    Role,
    /// Tells what happened in a war room.
    Summary,
    /// Closes the incident of a war room.
    Close,
    /// Drafts the report about an incident.
    Postmortem,
    /// Lists the groups.
    Chats,
    /// Lists incidents, shows one, or does something with one.
    Incident,
    /// Shows who is on call.
    Oncall,
    /// Shows what happened to an incident.
    Timeline,
    /// Lists silences, sets or lifts one.
    Silence,
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
    /// What may stand behind the name; empty for nothing.
    pub arguments_english: &'static str,
    pub arguments_chinese: &'static str,
    /// Who may use it.
    pub needs: Role,
    /// One line of help.
    pub about_english: &'static str,
    pub about_chinese: &'static str,
    /// What else there is to know, for those who ask about this one; may be empty.
    pub more_english: &'static str,
    pub more_chinese: &'static str,
}

/// All commands, in the order of the help.
const ALL: &[Definition] = &[
    help::DEFINITION,
    incident::DEFINITION,
    oncall::DEFINITION,
    timeline::DEFINITION,
    silence::DEFINITION,
    new::DEFINITION,
    stop::DEFINITION,
    status::DEFINITION,
    history::DEFINITION,
    whoami::DEFINITION,
    language::DEFINITION,
    settings::DEFINITION,
    warroom::DEFINITION,
    role::DEFINITION,
    summary::DEFINITION,
    close::DEFINITION,
    postmortem::DEFINITION,
    link::DEFINITION,
    unlink::DEFINITION,
    feedback::DEFINITION,
    audit::DEFINITION,
    doctor::DEFINITION,
    chats::DEFINITION,
];

/// As many letters may be wrong in a name for another to be proposed.
const TYPOS_MAX: usize = 2;

/// Somebody who wants a command carried out. Not bound to a message, since a menu has commands too.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// What.
    pub invocation: Invocation,
    /// Who.
    pub asker: OpenId,
    /// What they may do.
    pub role: Role,
    /// How the configuration names them where it gives them that.
    pub by: Option<Name>,
    /// Where the answer goes.
    pub place: Place,
    /// The session that is spoken of.
    pub session: SessionKey,
    /// What kind of chat it is asked in.
    pub chat_kind: ChatKind,
    /// How that chat wants things.
    pub settings: ChatSettings,
    /// The message that it is, where it is one.
    pub message: Option<Message>,
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
    /// Whether it is done at once, beside what runs, instead of after it. Only what changes what a running
    /// turn relies on waits for its turn.
    pub(super) fn is_urgent(&self) -> bool {
        self.command != Command::New
    }

    /// Whether there is such a command.
    pub(super) fn is_known(&self) -> bool {
        self.command != Command::Unknown
    }

    /// Whether it ends a turn: that must always be possible.
    pub(super) fn is_stop(&self) -> bool {
        self.command == Command::Stop
    }

    /// What it is, in our words and not in those of whoever wrote it.
    pub(super) fn what(&self) -> String {
        let definition = self.command.definition();
        format!("/{}", definition.map_or("unknown", |one| one.english[0]))
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

    fn more(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.more_english,
            Language::Zh => self.more_chinese,
        }
    }

    /// How it is written, with what may stand behind it.
    fn usage(&self, language: Language) -> String {
        let arguments = match language {
            Language::En => self.arguments_english,
            Language::Zh => self.arguments_chinese,
        };
        format!("/{} {arguments}", self.name(language))
            .trim_end()
            .to_owned()
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
    let found = named(&name);
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

/// The command of this name.
fn named(name: &str) -> Option<&'static Definition> {
    ALL.iter().find(|definition| definition.is_called(name))
}

/// The name, of a command that `role` may use, that was most likely meant by one that does not exist.
fn nearest(name: &str, role: Role) -> Option<&'static str> {
    let allowed = ALL.iter().filter(|one| one.needs <= role);
    let names = allowed.flat_map(|one| one.english.iter().chain(one.chinese));
    let distances = names.map(|one| (strsim::osa_distance(name, one), *one));
    // Two wrong letters of three, or one of two characters, are another word.
    let near = distances.filter(|(distance, one)| {
        *distance <= TYPOS_MAX && distance * 2 <= one.chars().count().max(name.chars().count())
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// Carries out the command of a message, and lets its entry go.
pub(super) async fn answer(bot: &Bot, invocation: Invocation, entry: &Entry) {
    let age = entry.message.created_at.duration_until(Timestamp::now());
    let request = Request {
        invocation,
        asker: entry.asker(),
        role: entry.standing.role,
        by: entry.standing.by.clone(),
        place: Place::of(entry),
        session: entry.session.clone(),
        chat_kind: entry.chat_kind,
        settings: entry.settings.clone(),
        message: Some(entry.message.clone()),
        language: entry.language,
        arrival: entry.key.clone(),
        kept: entry.kept.clone(),
        trace: entry.message.id.to_string(),
        // By a clock of ours that is behind, it comes from the future, and is as new as can be.
        age: Duration::try_from(age).unwrap_or_default(),
    };
    carry_out(bot, &request).await;
    // Flushed, since it would be done again after a crash.
    bot.forget_for_good(&entry.key).await;
}

/// Does what a command says and answers it, where the asker may, and notes it. A command that arrives
/// late is not carried out: whoever wrote it has long seen that nothing happened.
pub(super) async fn carry_out(bot: &Bot, request: &Request) {
    let outcome = dispatch(bot, request).await;
    let deed = Deed {
        who: request.asker.clone(),
        what: request.invocation.what(),
        chat: Some(request.place.chat.clone()),
        message: Some(request.place.question.clone()),
        outcome: outcome.to_owned(),
    };
    audit_trail::note(bot, deed).await;
}

async fn dispatch(bot: &Bot, request: &Request) -> &'static str {
    let invocation = &request.invocation;
    let (command, language) = (invocation.command, request.language);
    let say = async |purpose: &str, phrase: Phrase<'_>| {
        notice::send(bot, &request.place, purpose, &phrase.text(language)).await;
    };
    // What an earlier process did already is not late, and is still to be told.
    if request.age > bot.0.conversation.command_age_max && request.kept.last.is_none() {
        info!(?command, "a command came too late");
        say("late", Phrase::TooLate { age: request.age }).await;
        return "too_late";
    }
    let needs = command.definition().map_or(Role::Member, |one| one.needs);
    if request.role < needs {
        info!(?command, role = request.role.name(), "a command is refused");
        let denied = Denied::Needs(needs);
        say("denied", Phrase::Denied(&denied)).await;
        return denied.name();
    }
    info!(?command, "carrying out a command");
    match command {
        Command::Doctor => doctor::run(bot, request).await,
        Command::Help => help::run(bot, request).await,
        Command::New => new::run(bot, request).await,
        Command::Stop => stop::run(bot, request).await,
        Command::Status => status::run(bot, request).await,
        Command::History => history::run(bot, request).await,
        Command::Whoami => whoami::run(bot, request).await,
        Command::Language => language::run(bot, request).await,
        Command::Settings => settings::run(bot, request).await,
        Command::Link => return link::run(bot, request).await,
        Command::Unlink => return unlink::run(bot, request).await,
        Command::Feedback => feedback::run(bot, request).await,
        Command::Audit => audit::run(bot, request).await,
        Command::WarRoom => warroom::run(bot, request).await,
        Command::Role => role::run(bot, request).await,
        Command::Summary => summary::run(bot, request).await,
        Command::Close => close::run(bot, request).await,
        Command::Postmortem => postmortem::run(bot, request).await,
        Command::Chats => chats::run(bot, request).await,
        Command::Incident => incident::run(bot, request).await,
        Command::Oncall => oncall::run(bot, request).await,
        Command::Timeline => timeline::run(bot, request).await,
        Command::Silence => silence::run(bot, request).await,
        Command::Unknown => {
            let name = markdown::escape(&format!("/{}", invocation.name));
            let nearest = nearest(&invocation.name, request.role);
            say(
                "unknown",
                Phrase::UnknownCommand {
                    name: &name,
                    nearest,
                },
            )
            .await;
            return "unknown";
        }
    }
    "done"
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
        check("/doctor", Some(Command::Doctor));
        check("/诊断", Some(Command::Doctor));
        check("/ help", Some(Command::Help));
        check("／　帮助", Some(Command::Help));
        check("/停止。", Some(Command::Stop));
        check("/lang zh", Some(Command::Language));
        check("/hlep", Some(Command::Unknown));
        check("/ of the two which is slower?", None);
        check("/var/log/syslog is full", None);
        check("/", None);
        check("what does /help do?", None);
        check("", None);
    }

    #[test]
    fn what_stands_behind_a_name_is_its_arguments() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse(text).unwrap().arguments, expected, "{text}");
        };
        check("/history 5", "5");
        check("/反馈　答得很好 ", "答得很好");
        check("/feedback\ntwo\nlines", "two\nlines");
        check("/stop", "");
    }

    #[test]
    fn the_nearest_name_is_proposed_where_one_is_near() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(nearest(name, Role::Member), expected, "{name}");
        };
        check("hlep", Some("help"));
        check("statsu", Some("status"));
        check("停", Some("停止"));
        check("新对话", Some("新会话"));
        check("deploy", None);
        check("audti", None);
        assert_eq!(nearest("audti", Role::Administrator), Some("audit"));
    }

    /// `README.md` lists the commands; this is the list as it should be.
    #[test]
    fn the_readme_lists_the_commands_as_they_are() {
        let readme = include_str!("../../../README.md");
        for definition in ALL {
            let (english, chinese) = (
                definition.usage(Language::En),
                definition.name(Language::Zh),
            );
            let role = match definition.needs {
                Role::Member => String::new(),
                role => format!(" ({}s)", role.name()),
            };
            let english = english.replace('|', "\\|");
            let row = format!(
                "| `{english}` `/{chinese}` | {}{role} |",
                definition.about_english
            );
            assert!(readme.contains(&row), "README.md lacks the line\n{row}");
        }
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
