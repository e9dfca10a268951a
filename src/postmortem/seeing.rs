//! Has a model say what it sees in an image of the room.

use super::{
    asking::{Asker, Purpose},
    draft::DraftError,
};
use crate::{
    config::Language,
    llm::{ChatMessage, Image},
    prompt::{
        PostmortemImage, PostmortemImageName, Prompt,
        marks::{Marks, one_line},
    },
};

/// The longest description.
const DESCRIPTION_CHARS_MAX: usize = 2_000;

/// What a model sees in an image of this name, on one line. What is written in the image is data, and so is what
/// comes of it.
pub async fn describe(
    asker: &Asker,
    name: &str,
    image: Image,
    language: Language,
) -> Result<String, DraftError> {
    let marks = Marks::new();
    let system = PostmortemImage {
        nonce: marks.nonce(),
        language: match language {
            Language::En => "English",
            Language::Zh => "Chinese",
        },
    };
    let shown = PostmortemImageName {
        name: &marks.quote_name(name),
    };
    let messages = vec![
        ChatMessage::System(system.render()),
        ChatMessage::UserWithImages {
            text: shown.render(),
            images: vec![image],
        },
    ];
    let said = asker.ask(Purpose::Looking, messages).await?;
    Ok(one_line(&said.text, DESCRIPTION_CHARS_MAX))
}
