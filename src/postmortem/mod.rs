//! From a frozen room and an incident's records to a checked draft of the report.
//!
//! Facts are computed, words are written, claims are checked. Nothing here fetches or sends anything of a
//! chat: a [`Transcript`] and [`Records`] go in, a [`Draft`] and the report of its checks come out.
//!
//! ```text
//!  Transcript ──facts──▶ Facts ─────────────────────────────┐
//!      │                                                    ▼
//!      ├─chunks──▶ model ──events::check──▶ merge ──▶ write (section by section) ──▶ check ──▶ Draft
//!      └─phrases (without a model) ─────────▲
//! ```

pub mod actions;
pub mod asking;
pub mod changed;
pub mod check;
pub mod chunks;
pub mod clock;
pub mod draft;
pub mod events;
pub mod facts;
pub mod ground;
pub mod merge;
pub mod phrases;
pub mod records;
pub mod seeing;
pub mod support;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod transcript;
pub mod write;

pub use draft::{Draft, DraftError, Only, Order, Progress, draft};
pub use records::{Confirmed, Records};
pub use transcript::Transcript;
pub use write::{Document, Section, Template};
