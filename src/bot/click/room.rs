//! Presses on the card that asks what is to become of a war room.

use crate::{
    bot::{
        Bot,
        card::room::RoomControls,
        war_room::{self, Ending},
    },
    feishu::{ChatId, Click},
    incident::IncidentId,
};

use super::{Clicks, Deed, Kind, Order, Outcome, ReportPress, name_of, not_kept};
use crate::bot::phrase::Phrase;

impl Clicks {
    /// What the buttons carry. `room` is the key of its record. Nothing before [`Clicks::open`].
    pub(in crate::bot) fn room_controls(
        &self,
        room: &str,
        incident: &IncidentId,
        chat: &ChatId,
    ) -> RoomControls {
        let Some(seal) = self.seal.get() else {
            return RoomControls::default();
        };
        RoomControls {
            keep: seal.value(Deed::KeepRoom, room, chat.as_str()),
            dissolve: seal.value(Deed::DissolveRoom, room, chat.as_str()),
            postmortem: self.report_value(ReportPress::Draft, &incident.0, chat),
        }
    }
}

/// The room stays, or goes.
pub(super) async fn end(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let by = click.operator.clone();
    let ending = match order.deed {
        Deed::DissolveRoom => Ending::Dissolving { by },
        _ => Ending::Kept { by },
    };
    let name = name_of(bot, &click.operator, order).await;
    match war_room::decide_ending(bot, &order.about, ending.clone(), &name).await {
        Ok(Some((holds, card))) if holds == ending => {
            let phrase = match ending {
                Ending::Kept { .. } => Phrase::RoomStays,
                _ => Phrase::RoomGoes,
            };
            Outcome::told(Kind::Success, &phrase).showing(Some(card))
        }
        // Somebody was first.
        Ok(Some(_)) => Outcome::told(Kind::Info, &Phrase::RoomGoes),
        Ok(None) => Outcome::told(Kind::Warning, &Phrase::Stale),
        Err(error) => not_kept(&error),
    }
}
