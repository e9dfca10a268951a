//! `/stop`: ends the answer that is being written here. It does not wait for it.

use super::{Command, Definition};
use crate::bot::{
    Bot, Entry,
    notice::{self, Place},
    phrase::Phrase,
    session::Stop,
};
use crate::feishu::OpenId;

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Stop,
    english: &["stop"],
    chinese: &["停止"],
    about_english: "ends the answer that is being written",
    about_chinese: "停止正在进行的回答",
};

pub(super) async fn run(bot: &Bot, entry: &Entry, place: &Place) {
    let by = OpenId::new(entry.message.sender.id.as_str());
    let phrase = match bot.0.sessions.stop(&entry.session, &entry.key, by) {
        (Stop::Begun(running), waiting) => {
            running.cancel.cancel();
            Phrase::Stopped { waiting }
        }
        (Stop::UnderWay(_), waiting) => Phrase::Stopped { waiting },
        (Stop::TooLate, _) => Phrase::NothingToStop,
    };
    notice::send(bot, place, "stop", &phrase.text(entry.language)).await;
}
