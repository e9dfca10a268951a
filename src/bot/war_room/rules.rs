//! Which incidents get a room without anybody asking.

use jiff::Timestamp;

use crate::{
    config::RoomsConfig,
    incident::{Incident, State, grouping::Storm, labels::Labels},
};

/// What the rules want of an incident that has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// A room.
    Room,
    /// To be asked again then.
    Later(Timestamp),
    /// Nothing.
    Nothing,
}

/// What the rules want. `labels` are those that routes see, and `integration` opened it.
pub(super) fn wants(
    config: &RoomsConfig,
    incident: &Incident,
    labels: &Labels,
    integration: Option<&str>,
    now: Timestamp,
) -> Wants {
    if !incident.is_open() || incident.merged_into.is_some() {
        return Wants::Nothing;
    }
    let is_bad = config
        .severity_min
        .is_some_and(|least| incident.severity >= least);
    let is_named = !config.matchers.is_empty() && config.matchers.match_all(labels);
    let is_storm = || integration.is_some_and(|name| incident.group == Storm::group(name));
    if is_bad || is_named || config.storm && is_storm() {
        return Wants::Room;
    }
    if config.unacknowledged_after.is_zero() || incident.state != State::Triggered {
        return Wants::Nothing;
    }
    let due = incident.opened_at.checked_add(config.unacknowledged_after);
    match due {
        Ok(due) if due <= now => Wants::Room,
        Ok(due) => Wants::Later(due),
        Err(_) => Wants::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{bot::war_room::tests::incident, incident::severity::Severity};

    #[test]
    fn without_a_rule_no_incident_gets_a_room_and_each_rule_gives_one() {
        let check = |config: &str, change: fn(&mut Incident), expected: Wants| {
            let config: RoomsConfig = toml::from_str(config).unwrap();
            let mut incident = incident(42);
            change(&mut incident);
            let labels = Labels::from([("team".to_owned(), "db".to_owned())]);
            let now = incident.opened_at + Duration::from_secs(300);
            let wanted = wants(&config, &incident, &labels, Some("prom"), now);
            assert_eq!(wanted, expected, "{config:?}");
        };
        let unchanged: fn(&mut Incident) = |_| {};
        let later = incident(42).opened_at + Duration::from_secs(600);
        check("", unchanged, Wants::Nothing);
        check("severity_min = \"error\"", unchanged, Wants::Room);
        check(
            "severity_min = \"error\"",
            |it| it.severity = Severity::Info,
            Wants::Nothing,
        );
        check(
            "severity_min = \"error\"",
            |it| it.state = State::Resolved,
            Wants::Nothing,
        );
        check("matchers = \"team=db\"", unchanged, Wants::Room);
        check("matchers = \"team=web\"", unchanged, Wants::Nothing);
        check("unacknowledged_after = \"5m\"", unchanged, Wants::Room);
        check(
            "unacknowledged_after = \"10m\"",
            unchanged,
            Wants::Later(later),
        );
        check(
            "unacknowledged_after = \"5m\"",
            |it| it.state = State::Acknowledged,
            Wants::Nothing,
        );
        check("storm = true", unchanged, Wants::Nothing);
        check(
            "storm = true",
            |it| it.group = Storm::group("prom"),
            Wants::Room,
        );
    }
}
