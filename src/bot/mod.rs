//! Where it all meets the chat.
pub mod card;
pub mod markdown;
