//! The cards of a report: how far a draft is, the draft itself, and what is left of a card that is over.

pub mod actions;
mod draft;
pub mod form;
mod progress;
mod small;
#[cfg(test)]
mod tests;

use crate::config::Language;

pub use draft::{DraftCard, SectionView};
pub use progress::{ProgressCard, Stage};
pub use small::{Over, Small};

/// One of two texts.
fn either(language: Language, english: impl Into<String>, chinese: impl Into<String>) -> String {
    match language {
        Language::En => english.into(),
        Language::Zh => chinese.into(),
    }
}

/// What the cards of a report are called.
fn title(number: u32, language: Language) -> String {
    either(
        language,
        format!("Post-mortem of #{number}"),
        format!("故障 #{number} 复盘报告"),
    )
}
