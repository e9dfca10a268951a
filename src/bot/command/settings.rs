//! `/settings`: how a group wants to be answered. Everybody may look; the group's owner and managers, and
//! our administrators, may change it.

use tracing::error;

use super::{
    Command, Definition, Request,
    words::{either, language as read_language, name_of, on_or_off, switch},
};
use crate::{
    bot::{
        Bot,
        access::Role,
        audit::{self, Deed},
        card::notice::{Notice, Template},
        notice,
        phrase::Phrase,
        settings::ChatSettings,
    },
    config::Language,
    feishu::ChatKind,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Settings,
    english: &["settings"],
    chinese: &["设置"],
    arguments_english: "[name value]",
    arguments_chinese: "[名称 值]",
    needs: Role::Member,
    about_english: "shows how this group wants to be answered; its owner and managers can change it",
    about_chinese: "显示本群的设置；群主和群管理员可以修改",
    more_english: "\n- `/settings threads on|off`: whether a question is answered in a thread of its own\
        \n- `/settings history 20|default`: how many messages I read before I answer; 0 for none\
        \n- `/settings quiet on|off`: whether I say nothing here that nobody asked for, such as a hint to somebody who may not ask. Answers still come\
        \n- `/settings language en|zh|auto`: the language of everything I say here",
    more_chinese: "\n- `/设置 话题 开|关`：是否在话题中回复\
        \n- `/设置 上文 20|默认`：回答前读取多少条消息，0 为不读\
        \n- `/设置 安静 开|关`：是否不说没人问的话，例如无权限提示；回答照常\
        \n- `/设置 语言 中文|英文|自动`：我在这里说话的语言",
};

/// The most that a group can ask to be read.
const HISTORY_MAX: usize = 200;

/// Changes `settings` as the words say. Gives the setting's name for the audit; `None` where they say
/// nothing that can be done.
fn change(settings: &mut ChatSettings, words: &str) -> Option<&'static str> {
    let mut words = words.split_whitespace();
    let (name, value) = (words.next()?.to_lowercase(), words.next()?);
    if words.next().is_some() {
        return None;
    }
    match name.as_str() {
        "threads" | "thread" | "话题" => {
            settings.threads = switch(value)?;
            Some("threads")
        }
        "history" | "上文" | "历史" => {
            settings.history = match value.to_lowercase().as_str() {
                "default" | "默认" => None,
                number => Some(
                    number
                        .parse()
                        .ok()
                        .filter(|number| *number <= HISTORY_MAX)?,
                ),
            };
            Some("history")
        }
        "quiet" | "安静" => {
            settings.quiet = switch(value)?;
            Some("quiet")
        }
        "language" | "语言" => {
            settings.language = read_language(value)?;
            Some("language")
        }
        _ => None,
    }
}

/// The settings as `/status` shows them; `default` is how many messages are read without a setting.
pub(super) fn in_one_line(settings: &ChatSettings, default: usize, language: Language) -> String {
    let (threads, quiet) = (
        on_or_off(language, settings.threads),
        on_or_off(language, settings.quiet),
    );
    let (history, spoken) = (
        settings.history.unwrap_or(default),
        name_of(language, settings.language),
    );
    match language {
        Language::En => format!(
            "threads {threads}; history {history} messages; quiet {quiet}; language {spoken}"
        ),
        Language::Zh => {
            format!("话题回复 {threads}；上文 {history} 条；安静 {quiet}；语言 {spoken}")
        }
    }
}

pub(super) async fn run(bot: &Bot, request: &Request) {
    let language = request.language;
    if request.chat_kind == ChatKind::P2p {
        return say(bot, request, Phrase::OnlyInGroups).await;
    }
    if request.invocation.arguments.is_empty() {
        return show(bot, request, &request.settings, language).await;
    }
    if !may_change(bot, request).await {
        return say(bot, request, Phrase::OnlyGroupAdministrators).await;
    }
    let mut settings = request.settings.clone();
    if change(&mut settings, &request.invocation.arguments).is_none() {
        return say(bot, request, Phrase::SettingNotUnderstood).await;
    }
    keep(bot, request, &settings).await;
}

/// Changes the group's language, for `/language`.
pub(super) async fn set_language(bot: &Bot, request: &Request, language: Option<Language>) {
    if !may_change(bot, request).await {
        return say(bot, request, Phrase::OnlyGroupAdministrators).await;
    }
    let settings = ChatSettings {
        language,
        ..request.settings.clone()
    };
    keep(bot, request, &settings).await;
}

async fn keep(bot: &Bot, request: &Request, settings: &ChatSettings) {
    let chat = &request.place.chat;
    if let Err(error) = bot.0.settings.set_chat(chat, settings).await {
        error!(%error, "the settings of a group could not be kept");
        let trace = &request.trace;
        return say(bot, request, Phrase::Broken { trace }).await;
    }
    let default = bot.0.conversation.history_messages;
    let deed = Deed {
        who: request.asker.clone(),
        what: "group settings".into(),
        chat: Some(chat.clone()),
        message: Some(request.place.question.clone()),
        outcome: in_one_line(settings, default, Language::En),
    };
    audit::note(bot, deed).await;
    // Said in the language that now holds.
    let language = settings.language.unwrap_or(request.language);
    show(bot, request, settings, language).await;
}

/// Whether the asker runs this group, or us. Where the platform does not say who runs it, nobody does. A war
/// room is run by all who are in it, since we own it and nobody else does.
async fn may_change(bot: &Bot, request: &Request) -> bool {
    let chat = &request.place.chat;
    if request.role >= Role::Administrator || bot.rooms().is_room(chat) {
        return true;
    }
    let Some(chat) = bot.0.chats.get(chat).await else {
        return false;
    };
    chat.owner.as_ref() == Some(&request.asker) || chat.managers.contains(&request.asker)
}

async fn show(bot: &Bot, request: &Request, settings: &ChatSettings, language: Language) {
    let now = in_one_line(settings, bot.0.conversation.history_messages, language);
    let how = DEFINITION.more(language);
    let text = format!("{now}\n{how}");
    let notice = Notice {
        title: Some(either(language, "Settings of this group", "本群设置")),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "settings", &notice).await;
}

async fn say(bot: &Bot, request: &Request, phrase: Phrase<'_>) {
    let text = phrase.text(request.language);
    notice::send(bot, &request.place, "settings", &text).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(words: &str) -> Option<ChatSettings> {
        let mut settings = ChatSettings::default();
        change(&mut settings, words).map(|_| settings)
    }

    #[test]
    fn settings_are_changed_in_the_words_of_both_languages() {
        let check = |words: &str, expected: ChatSettings| {
            assert_eq!(changed(words), Some(expected), "{words}");
        };
        let plain = ChatSettings::default;
        let threads = ChatSettings {
            threads: true,
            ..plain()
        };
        check("threads on", threads.clone());
        check("话题 开", threads);
        check(
            "history 20",
            ChatSettings {
                history: Some(20),
                ..plain()
            },
        );
        check(
            "上文 0",
            ChatSettings {
                history: Some(0),
                ..plain()
            },
        );
        check("History DEFAULT", plain());
        check(
            "quiet on",
            ChatSettings {
                quiet: true,
                ..plain()
            },
        );
        let chinese = ChatSettings {
            language: Some(Language::Zh),
            ..plain()
        };
        check("语言 中文", chinese);
        check("language auto", plain());
    }

    #[test]
    fn what_says_nothing_changes_nothing() {
        for words in [
            "",
            "threads",
            "threads maybe",
            "history -1",
            "history 201",
            "quiet on now",
            "x on",
        ] {
            assert_eq!(changed(words), None, "{words}");
        }
    }
}
