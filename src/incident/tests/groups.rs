//! Which alerts are one incident, also when a thousand come.

use super::*;

#[test]
fn a_storm_of_a_thousand_alerts_is_one_incident_that_counts() {
    let mut desk = Desk::new();
    for number in 0..1000 {
        desk.now += Duration::from_millis(10);
        let severity = if number == 700 { "critical" } else { "warning" };
        desk.receive(report(&format!("host-{number}"), severity, 0, None));
    }
    assert_eq!(desk.incidents.len(), 1);
    let incident = desk.root(&IncidentId("i1".into()));
    assert_eq!((incident.firing.total(), incident.alerts), (1000, 1000));
    assert_eq!(incident.severity, Severity::Critical);
    assert_eq!(incident.labels.keys().collect::<Vec<_>>(), ["alertname"]);
    // Fifty in full, then when their number has doubled, and the change of severity.
    assert_eq!(incident.entries, 1 + 50 + 4 + 1);
}

#[test]
fn groups_are_made_by_labels_and_the_first_rule_that_matches() {
    let alert = |labels: &str| {
        let mut alert = report("k", "warning", 0, None);
        alert.labels = labels::Matchers::parse(labels)
            .unwrap()
            .iter()
            .map(|matcher| {
                let text = matcher.to_string();
                let (name, value) = text.split_once('=').unwrap();
                (name.to_owned(), value.trim_matches('"').to_owned())
            })
            .collect();
        alert
    };
    let rules = [
        Grouping {
            matchers: labels::Matchers::parse("team=db, severity=warning").unwrap(),
            by: vec!["cluster".into()],
            window: minutes(5),
        },
        Grouping {
            by: vec!["alertname".into()],
            ..Grouping::default()
        },
    ];
    let same = |left: &str, right: &str| {
        let [left, right] = [left, right].map(|labels| group_of(&alert(labels), "i", &rules));
        left == right
    };
    assert!(same("team=db,cluster=a,x=1", "team=db,cluster=a,x=2"));
    assert!(!same("team=db,cluster=a", "team=db,cluster=b"));
    assert!(same("alertname=A,cluster=a", "alertname=A,cluster=b"));
    assert!(!same("team=db,cluster=a", "cluster=a"));
    let labels = alert("alertname=A");
    assert_ne!(
        group_of(&labels, "i", &rules),
        group_of(&labels, "j", &rules)
    );
    assert_eq!(group_of(&alert("team=db"), "i", &rules).1, minutes(5));

    // Without any of the labels an alert is alone.
    let mut other = alert("x=1");
    other.key = AlertKey::new("other");
    assert_ne!(
        group_of(&alert("x=1"), "i", &rules),
        group_of(&other, "i", &rules)
    );
    let all = [Grouping {
        by: Vec::new(),
        ..Grouping::default()
    }];
    assert_eq!(
        group_of(&alert("x=1"), "i", &all),
        group_of(&other, "i", &all)
    );
}

#[test]
fn a_group_takes_alerts_while_they_keep_coming() {
    let mut desk = Desk::new();
    desk.groupings = vec![Grouping {
        by: vec!["alertname".into()],
        window: minutes(10),
        ..Grouping::default()
    }];
    desk.play("fire a warning");
    desk.play("wait 10");
    desk.play("fire b warning");
    desk.play("wait 10");
    desk.play("fire c warning");
    assert_eq!(desk.incidents.len(), 1);
    desk.play("wait 11");
    desk.play("fire d warning");
    assert_eq!(desk.incidents.len(), 2);
}

#[test]
fn too_many_openings_are_a_storm() {
    let mut storm = grouping::Storm::default();
    let rule = grouping::StormRule {
        incidents: 2,
        within: Duration::from_secs(60),
    };
    let at = |seconds: u64| start() + Duration::from_secs(seconds);
    let rages = [0, 30, 60, 61, 91].map(|seconds| storm.rages(rule, at(seconds)));
    assert_eq!(rages, [false, false, true, false, false]);
    assert_ne!(grouping::Storm::group("a"), grouping::Storm::group("b"));
}
