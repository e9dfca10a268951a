//! `/stop`: ends the answer that is being written here. It does not wait for it.

use super::{Command, Definition, Request};
use crate::bot::{Bot, access::Role, notice, phrase::Phrase, session::Stop};

pub(super) const DEFINITION: Definition = Definition {
    command: Command::Stop,
    english: &["stop"],
    chinese: &["停止"],
    arguments_english: "",
    arguments_chinese: "",
    needs: Role::Member,
    about_english: "ends the answer that is being written",
    about_chinese: "停止正在进行的回答",
    more_english: "",
    more_chinese: "",
};

pub(super) async fn run(bot: &Bot, request: &Request) {
    let (sessions, by) = (&bot.0.sessions, &request.asker);
    let (mut stop, waiting) = sessions.stop(&request.session, &request.arrival, by.clone());
    // In a thread that we opened with the answer, the question stands above and in the chat's session.
    let root = request
        .message
        .as_ref()
        .and_then(|message| message.root_id.as_ref());
    if let (Stop::TooLate, Some(root)) = (&stop, root) {
        stop = sessions.stop_answer_to(root, by.clone());
    }
    let phrase = match stop {
        Stop::Begun(running) => {
            running.cancel.cancel();
            Phrase::Stopped { waiting }
        }
        Stop::UnderWay => Phrase::Stopped { waiting },
        Stop::TooLate => Phrase::NothingToStop,
    };
    notice::send(bot, &request.place, "stop", &phrase.text(request.language)).await;
}
