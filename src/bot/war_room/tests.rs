//! What the tests of this folder share.

use crate::incident::{By, Incident, IncidentId, severity::Severity};

/// An incident that was just declared.
pub(super) fn incident(number: u32) -> Incident {
    let at = "2026-11-21T08:00:00Z".parse().unwrap();
    let id = IncidentId(format!("{number}-0123456789ab"));
    let (by, title) = (By::clock(), "checkout is slow");
    Incident::declare(id, number, by, title, Severity::Critical, at).0
}
