//! What the agent can do, a file each. A new tool is a file here and a line in `app`.

mod clock_and_chat;

pub use clock_and_chat::ClockAndChat;
