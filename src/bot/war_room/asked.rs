//! What whoever asked for a room is told.

use super::Opened;
use crate::bot::{
    handling::{Told, Tone},
    incidents::Case,
};

/// What became of the wish for the room of a case.
pub(in crate::bot) fn told(case: &Case, opened: &Opened) -> Told {
    let number = case.number();
    let name = case.room.as_ref().map_or("", |room| room.name.as_str());
    match opened {
        Opened::Wanted => Told::new(
            Tone::Done,
            format!("The war room of #{number} is being made. You are invited to it."),
            format!("正在创建故障 #{number} 的作战室，稍后会邀请你加入。"),
        ),
        Opened::UnderWay => Told::new(
            Tone::Nothing,
            format!("The war room of #{number} is being made already."),
            format!("故障 #{number} 的作战室正在创建中。"),
        ),
        Opened::There(_) => Told::new(
            Tone::Nothing,
            format!("There is a war room already: {name}. You are invited to it."),
            format!("作战室已存在：{name}，已邀请你加入。"),
        ),
        Opened::Over => Told::new(
            Tone::Refused,
            format!("#{number} is over. Reopen it before you make a room for it."),
            format!("故障 #{number} 已结束，重新打开后才能创建作战室。"),
        ),
    }
}
