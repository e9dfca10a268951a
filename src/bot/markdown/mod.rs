//! Markdown from a model, made into the dialect of the platform's `markdown` component.
//!
//! The text is parsed and written anew, never patched: what comes out was put there by this module,
//! so a tag, an image key or a mention that a model (or a log it quotes) smuggles in has no way
//! through. The rules, from the platform's "rich text" page (feishu-wire.md section 7.6):
//!
//! - The only tag that is ever written is `<br>`. Every other `<` becomes `&#60;`, wherever it came
//!   from: HTML, an entity, a link's text, a cell. Other characters are escaped only where the
//!   platform would read them as markup, so that an ordinary sentence stays as it is.
//! - Code is shown as it is. The page does not say whether a mention inside code is alive, and a
//!   wrong guess would wake a whole group, so `<at` in code gets a zero-width space after its `<`.
//!   Nothing else in code is touched.
//! - Links lead to http and https only, and bare addresses are made links; other targets are shown as
//!   text. Images become links, since the platform takes image keys only and refuses a card with an
//!   address in place of one (200570).
//! - A card may have few tables (11310), so after [`TABLES_MAX`] they become aligned code blocks, as
//!   do tables inside lists and quotes. Code blocks are always fenced.
//! - Lists are written tight with four spaces for each level, whatever the source had.
//! - `:DONE:` would be drawn as an emoji; a name between two colons gets its first colon escaped.
//!   `12:00:30` and `std::fmt` have no such name and stay.
//! - A line of dashes right under a paragraph is a rule here and not a heading, because that is what
//!   models mean by it. Formulas are left as text, with `$` escaped.
//!
//! While a text grows, [`to_dialect_streaming`] keeps back what could still turn into something else,
//! because the client types on only where the old text is the beginning of the new one.

mod escape;
mod plain;
mod render;
mod split;
mod streaming;
mod table;
#[cfg(test)]
mod tests;

pub use escape::{escape, link};
pub use plain::{first_sentence, text_message};
pub use split::{split, split_elements};

/// How many tables one card may have. The documents say 4 or 5, but refusals (230099 with 11310) were
/// seen from the fourth on: larksuite/openclaw-lark#46. Its fix, PR #65 there, stops at three as well.
pub const TABLES_MAX: usize = 3;

/// How many characters one `markdown` element is given. Longer ones were seen to be cut silently near
/// 10,000: openclaw/openclaw#88631.
pub const ELEMENT_CHARS_MAX: usize = 8_000;

/// Turns a finished text of the model into the platform's dialect. Any text will do.
pub fn to_dialect(markdown: &str) -> String {
    render::render(&table::keep_pipes(escape::prepare(markdown)))
}

/// As [`to_dialect`], for a text that is still being written: an open fence is closed, and a construct
/// that is only half there (a table's header, a link, the `**` before a word) waits until it is whole.
pub fn to_dialect_streaming(markdown: &str) -> String {
    to_dialect(streaming::settled(markdown))
}
