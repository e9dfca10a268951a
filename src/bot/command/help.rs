//! `/help`: what one can do here.

use super::{ALL, Command, Definition, Request};
use crate::bot::{
    Bot,
    access::Role,
    card::notice::{Notice, Template},
    markdown, notice,
    phrase::Phrase,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Help,
    english: &["help"],
    chinese: &["帮助"],
    needs: Role::Member,
    about_english: "shows this",
    about_chinese: "显示本帮助",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let language = request.language;
    let name = markdown::escape(&bot.0.me.name);
    let mut text = Phrase::HelpIntroduction { name: &name }.text(language);
    text.push('\n');
    for definition in ALL {
        text.push_str(&format!(
            "\n- `/{}` {}",
            definition.name(language),
            definition.about(language)
        ));
    }
    let title = Phrase::HelpTitle.text(language);
    let notice = Notice {
        title: Some(&title),
        text: &text,
        template: Template::Blue,
    };
    notice::send_card(bot, &request.place, "help", &notice).await;
}
