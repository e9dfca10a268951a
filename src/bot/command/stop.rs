//! `/stop`: ends the answer that is being written here. It does not wait for it.

use super::{Command, Definition, Request};
use crate::bot::{Bot, access::Role, notice, phrase::Phrase, session::Stop};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Stop,
    english: &["stop"],
    chinese: &["停止"],
    needs: Role::Member,
    about_english: "ends the answer that is being written",
    about_chinese: "停止正在进行的回答",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let phrase =
        match bot
            .0
            .sessions
            .stop(&request.session, &request.arrival, request.asker.clone())
        {
            (Stop::Begun(running), waiting) => {
                running.cancel.cancel();
                Phrase::Stopped { waiting }
            }
            (Stop::UnderWay, waiting) => Phrase::Stopped { waiting },
            (Stop::TooLate, _) => Phrase::NothingToStop,
        };
    notice::send(bot, &request.place, "stop", &phrase.text(request.language)).await;
}
