//! `/language`: in which language somebody is answered; in a group, in which language the group is.

use tracing::error;

use super::{
    Command, Definition, Request, settings,
    words::{language as read_language, name_of},
};
use crate::{
    bot::{Bot, access::Role, notice, phrase::Phrase, settings::PersonSettings},
    feishu::ChatKind,
};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Language,
    english: &["language", "lang"],
    chinese: &["语言"],
    arguments_english: "en|zh|auto",
    arguments_chinese: "中文|英文|自动",
    needs: Role::Member,
    about_english: "sets the language you are answered in; in a group its own, by its owner or managers",
    about_chinese: "设置回答你的语言；在群里由群主或群管理员设置本群的语言",
    more_english: "`auto` is the language of whoever asks. A group's setting comes before yours.",
    more_chinese: "`自动` 即跟随提问者的语言。群的设置优先于个人设置。",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let language = request.language;
    let say = async |text: String| notice::send(bot, &request.place, "language", &text).await;
    let Some(wanted) = read_language(&request.invocation.arguments) else {
        let set = match request.chat_kind {
            ChatKind::Group => request.settings.language,
            ChatKind::P2p => bot.0.settings.of_person(&request.asker).await.language,
        };
        let set = name_of(language, set);
        return say(Phrase::LanguageIs { set }.text(language)).await;
    };
    if request.chat_kind == ChatKind::Group {
        return settings::set_language(bot, request, wanted).await;
    }
    let settings = PersonSettings { language: wanted };
    if let Err(error) = bot.0.settings.set_person(&request.asker, &settings).await {
        error!(%error, "the language of a person could not be kept");
        let trace = &request.trace;
        return say(Phrase::Broken { trace }.text(language)).await;
    }
    // Said in the language that now holds.
    let language = wanted.unwrap_or(language);
    let set = name_of(language, wanted);
    say(Phrase::LanguageSet { set }.text(language)).await;
}
