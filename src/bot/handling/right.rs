//! Who may do what with incidents.
//!
//! Where the configuration names responders, it takes one of them, or an administrator, to change what
//! becomes of an incident. Everybody may look, say something, and report one: who sees a fire should not need
//! a role to cry.

use crate::{
    bot::{
        Bot,
        access::{Denied, Role},
    },
    config::Language,
    feishu::{ChatId, OpenId},
};

use super::{Told, told, told::Tone};

/// What kind of thing somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Right {
    /// See what there is, or have the model look at it.
    Look,
    /// Say something for the record: a comment, a new incident.
    Speak,
    /// Change what becomes of it, and who is told.
    Act,
    /// Run the bot.
    Administer,
}

impl Right {
    /// The role that it takes.
    pub(in crate::bot) fn needs(self, bot: &Bot) -> Role {
        match self {
            Self::Act if bot.access().has_responders() => Role::Responder,
            Self::Administer => Role::Administrator,
            Self::Act | Self::Look | Self::Speak => Role::Member,
        }
    }
}

/// Whether they may, or what they are told. `chat`: the group in which they ask; none for a direct chat.
pub(in crate::bot) async fn may(
    bot: &Bot,
    person: &OpenId,
    chat: Option<&ChatId>,
    right: Right,
) -> Result<(), Told> {
    let needs = right.needs(bot);
    let role = bot.access().role(person, chat).await;
    let role = role.map_err(|denied| told::denied(&denied))?;
    if role < needs {
        return Err(told::denied(&Denied::Needs(needs)));
    }
    match right {
        Right::Look | Right::Administer => Ok(()),
        Right::Speak | Right::Act => may_act(bot, person).await,
    }
}

/// Whether somebody is known well enough to stand in a timeline. Where there is a list of members, they are
/// linked on the way if the list knows what they log in with.
async fn may_act(bot: &Bot, person: &OpenId) -> Result<(), Told> {
    match bot.members().may_act(person).await {
        Ok(_) => Ok(()),
        Err(unlinked) => Err(Told::new(
            Tone::Refused,
            unlinked.text(Language::En),
            unlinked.text(Language::Zh),
        )),
    }
}
