//! `/help`: what one can do here, or how one command is used.

use super::{ALL, Command, Definition, Request, named};
use crate::{
    bot::{
        Bot,
        access::Role,
        card::notice::{Notice, Template},
        markdown, notice,
        phrase::Phrase,
    },
    config::Language,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Help,
    english: &["help"],
    chinese: &["帮助"],
    arguments_english: "[command]",
    arguments_chinese: "[命令]",
    needs: Role::Member,
    about_english: "lists the commands, or explains one",
    about_chinese: "列出全部命令，或说明某个命令",
    more_english: "",
    more_chinese: "",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let language = request.language;
    let about = request
        .invocation
        .arguments
        .trim_start_matches(['/', '／'])
        .trim();
    if let Some(definition) = named(&about.to_lowercase()) {
        let text = explain(definition, language);
        return notice::send(bot, &request.place, "help", &text).await;
    }
    let name = markdown::escape(&bot.0.me.name);
    let mut text = Phrase::HelpIntroduction { name: &name }.text(language);
    text.push('\n');
    // What somebody may not do is not offered to them.
    for definition in ALL.iter().filter(|one| one.needs <= request.role) {
        let (usage, about) = (definition.usage(language), definition.about(language));
        text.push_str(&format!("\n- `{usage}` {about}"));
    }
    let title = Phrase::HelpTitle.text(language);
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "help", &notice).await;
}

/// One command: how it is written, in both languages, and what it does.
fn explain(definition: &Definition, language: Language) -> String {
    let mut text = format!("`{}`", definition.usage(language));
    let names = definition.english.iter().chain(definition.chinese);
    let others = names.filter(|name| **name != definition.name(language));
    for name in others {
        text.push_str(&format!(" `/{name}`"));
    }
    text.push_str(&format!("\n\n{}", definition.about(language)));
    if definition.needs > Role::Member {
        let needs = crate::bot::access::Denied::Needs(definition.needs);
        text.push_str(&format!("\n\n{}", Phrase::Denied(&needs).text(language)));
    }
    let more = definition.more(language);
    if !more.is_empty() {
        text.push_str(&format!("\n\n{more}"));
    }
    text
}
