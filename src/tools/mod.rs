//! What the agent can do, a file each. A new tool is a file here and a line in [`built_in`], or in `app`
//! when it needs something that only `app` has.

mod clock_and_chat;

use std::sync::Arc;

pub use self::clock_and_chat::ClockAndChat;
use crate::agent::Toolbox;

/// The tools that need nothing from outside, which every bot has.
pub fn built_in() -> Toolbox {
    Toolbox::new([Arc::new(ClockAndChat) as _])
}
