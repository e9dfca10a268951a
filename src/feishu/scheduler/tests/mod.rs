//! What must hold of every schedule, whatever is asked and however slowly it is answered; what refusals
//! teach; and that those who wait are woken.

mod fairness;
mod refusals;
mod storm;
mod waiting;

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::{limits::Key, *};
use crate::feishu::{CardId, ChatId, MessageId};

const CLASSES: [Class; 4] = [Class::Page, Class::Click, Class::Sign, Class::Progress];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn target(number: u8) -> Option<Target> {
    match number {
        0 | 1 => Some(Target::Chat(ChatId::new(format!("oc_{number}")))),
        2 => Some(Target::Message(MessageId::new("om_2"))),
        3..=5 => Some(Target::Card(CardId::new(format!("{number}")))),
        _ => None,
    }
}
