//! What stands in a room and is no part of what happened: our own cards and lines, and what we were told to do.
//!
//! Our answers to questions are none: people act upon them.

use crate::{
    bot::{
        Bot, command,
        war_room::{Trouble, record::Said},
    },
    postmortem::transcript::Aside,
};

/// Why a message is an aside, if it is one.
pub(super) async fn of(bot: &Bot, said: &Said) -> Result<Option<Aside>, Trouble> {
    if bot.me().is(&said.author.id) {
        let is_answer = bot.0.memory.answer(&said.id).await?.is_some();
        return Ok((!is_answer).then_some(Aside::Notice));
    }
    Ok(is_command(&said.text, &bot.me().name).then_some(Aside::Command))
}

/// Whether a text is a command to the bot of this name.
fn is_command(text: &str, name: &str) -> bool {
    let text = text.trim_start();
    let mention = format!("@{name}");
    let text = text.strip_prefix(&mention).unwrap_or(text);
    command::parse(text).is_some_and(|invocation| invocation.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_do_is_a_command() {
        let check = |text: &str, expected: bool| {
            assert_eq!(is_command(text, "Nightjar"), expected, "{text}");
        };
        check("@Nightjar /postmortem", true);
        check("  /timeline", true);
        check("@Nightjar ／复盘", true);
        check("@Nightjar why is it slow?", false);
        check("/var/log is full", false);
        check("send /ack to take it", false);
        check("/nosuchthing", false);
    }
}
