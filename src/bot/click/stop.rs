//! Stop: ends the turn whose card was pressed.
//!
//! It is not kept: after a crash there is nothing left to stop.

use tracing::info;

use crate::{
    bot::{
        Bot,
        phrase::Phrase,
        session::{EndedBy, Stop},
    },
    feishu::{Click, OpenId},
};

use super::{Kind, Order, Outcome, name_of};

pub(super) async fn run(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    let turn = &order.about;
    match bot.sessions().press(turn, click.operator.clone()) {
        Stop::Begun(running) => Outcome::told(Kind::Success, &Phrase::Stopping).then(move |_| {
            info!(message.id = %running.question, "a turn is stopped by its button");
            running.cancel.cancel();
        }),
        Stop::UnderWay(EndedBy::Person(first)) => told_by(bot, order, &first).await,
        Stop::UnderWay(EndedBy::Recall) => Outcome::told(Kind::Info, &Phrase::StopTooLate),
        Stop::TooLate => {
            let past = bot.0.past.get(turn).await.ok().flatten();
            match past.and_then(|past| past.stopped_by) {
                Some(first) => told_by(bot, order, &first).await,
                None => Outcome::told(Kind::Info, &Phrase::StopTooLate),
            }
        }
    }
}

async fn told_by(bot: &Bot, order: &Order, first: &OpenId) -> Outcome {
    let name = name_of(bot, first, order).await;
    Outcome::told(Kind::Info, &Phrase::StoppedAlready { name: &name })
}
