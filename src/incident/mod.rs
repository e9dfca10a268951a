//! What alerts and incidents are, and the rules they follow, without I/O.
//!
//! What happens goes in, and what should be done about it comes out; `bot` does it. Three kinds of records
//! are kept, all of them small: an [`Incident`], a [`Tracked`] for each alert, an [`Entry`] for each thing
//! that happened.
//!
//! ```text
//!  body ──alert::*::read──▶ Alert ──receive──▶ Tracked, Incident, Vec<Action> ──▶ one batch, then cards and pages
//!                                                 ▲
//!  click, command, clock ──Happening──▶ Incident::observe
//! ```

pub mod alert;
pub mod grouping;
pub mod labels;
pub mod noise;
mod receive;
pub mod routing;
pub mod schedule;
pub mod severity;
mod state;
pub mod timeline;
mod tracking;
pub mod window;

#[cfg(test)]
mod tests;

pub use receive::{Known, NewIncident, Received, receive};
pub use state::{
    Acknowledgement, Action, AlertHappening, Cause, Deed, Happening, Incident, IncidentId, Refusal,
    Rules, SNOOZE_MAX, State, merge,
};
pub use timeline::{Actor, By, Channel, Entry, PersonId, What};
pub use tracking::{Home, Tracked};
