//! A short sentence of ours, as a card.
use serde_json::Value;

/// A notice.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// The header's line; no header without it.
    pub title: Option<&'a str>,
    /// The sentence, as Markdown.
    pub text: &'a str,
    /// The header's colour.
    pub template: Template,
}

/// A header's colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Template {
    /// News.
    #[default]
    Blue,
    /// Good.
    Green,
    /// Take care.
    Orange,
    /// Bad.
    Red,
    /// Neither.
    Grey,
}

impl Notice<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        unimplemented!()
    }
}
