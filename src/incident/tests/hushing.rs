//! Silences, and incidents that explain others.

use super::*;

#[test]
fn silences_hold_for_their_labels_and_their_time() {
    let alert = report("web-1", "warning", 0, None);
    let labels = grouping::labels_for_rules(&alert, "prometheus");
    let at = |minute: u64| start() + minutes(minute);
    let silence = noise::Silence {
        name: "works".into(),
        matchers: labels::Matchers::parse("instance=~\"web-.*\"").unwrap(),
        from: at(10),
        until: at(20),
        windows: Vec::new(),
        zone: window::Zone::default(),
        by: By::person("li", Channel::Command),
    };
    assert_eq!(silence.check(), Ok(()));
    let held: Vec<bool> = [9, 10, 19, 20]
        .map(|minute| {
            noise::hushed(
                &alert,
                &labels,
                std::slice::from_ref(&silence),
                &[],
                [],
                at(minute),
            )
        })
        .map(|hush| hush.is_some())
        .to_vec();
    assert_eq!(held, [false, true, true, false]);
    let recovered = report("web-1", "warning", 0, Some(5));
    assert_eq!(
        noise::hushed(
            &recovered,
            &labels,
            std::slice::from_ref(&silence),
            &[],
            [],
            at(15)
        ),
        None
    );

    let check = |matchers: &str, until: Timestamp, expected: noise::SilenceError| {
        let matchers = labels::Matchers::parse(matchers).unwrap();
        let silence = noise::Silence {
            matchers,
            until,
            ..silence.clone()
        };
        assert_eq!(silence.check(), Err(expected));
    };
    check("", at(20), noise::SilenceError::Everything);
    check("a=~\".*\"", at(20), noise::SilenceError::Everything);
    check("a=b", at(10), noise::SilenceError::Backwards);
    check("a=b", at(10 + 31 * 24 * 60), noise::SilenceError::TooLong);
}

#[test]
fn an_incident_explains_what_agrees_with_it() {
    let mut desk = Desk::new();
    desk.play("fire gateway critical");
    let incident = desk.root(&IncidentId("i1".into()));
    let rule: noise::Inhibition = toml::from_str(
        "source = \"severity=critical\"\ntarget = \"severity=~\\\"warning|info\\\"\"\nequal = [\"instance\"]",
    )
    .unwrap();
    let explains = |incident: &Incident, key: &str, severity: &str| {
        let alert = report(key, severity, 0, None);
        let labels = grouping::labels_for_rules(&alert, "prometheus");
        let rules = std::slice::from_ref(&rule);
        noise::hushed(&alert, &labels, &[], rules, [incident], start()).is_some()
    };
    assert!(explains(&incident, "gateway", "warning"));
    assert!(!explains(&incident, "gateway", "critical"));
    assert!(!explains(&incident, "web-1", "warning"));
    desk.play("li snooze 10");
    assert!(!explains(&desk.root(&incident.id), "gateway", "warning"));
    desk.play("li close");
    assert!(!explains(&desk.root(&incident.id), "gateway", "warning"));
    let again = noise::Silence::of_incident(
        &incident,
        By::person("li", Channel::Card),
        start(),
        minutes(60),
    );
    assert_eq!(
        again.matchers.to_string(),
        "{alertname=\"Slow\",instance=\"gateway\"}"
    );
}
