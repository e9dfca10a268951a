//! From a frozen room and an incident's records to a checked draft of the report.
//!
//! Facts are computed, words are written, claims are checked. Nothing here fetches or sends: a
//! [`transcript::Transcript`] and [`records::Records`] go in, a draft and the report of its checks come out.

pub mod clock;
pub mod facts;
pub mod records;
#[cfg(test)]
pub(crate) mod testing;
pub mod transcript;
