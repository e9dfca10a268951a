//! The keeper over a real store: what is kept, what comes of it after another start, and what does not.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Case, Error, Follower, Incidents, PageOutcome, Place, Why,
    records::{KeptAlert, Page},
    sweep,
};
use crate::{
    config::Config,
    feishu::{ChatId, OpenId},
    incident::{
        By, Channel, Deed, Refusal, State, What,
        alert::{Batch, alertmanager},
        labels::Matchers,
        noise::Silence,
        severity::Severity,
    },
    store::Store,
    telemetry::Metrics,
};

/// A keeper at work, and what it works on.
struct Desk {
    incidents: Incidents,
    store: Store,
    follower: Follower,
    stop: CancellationToken,
    keeper: AbortOnDropHandle<()>,
}

const RULES: &str = r#"
[feishu]
app_id = "cli_a"
app_secret = "s"
[incidents]
quiet = "0s"
catch_all = "oc_all"
[[incidents.grouping]]
by = ["service"]
[[incidents.routes]]
name = "db"
matchers = "team=db"
chats = ["oc_db"]
policy = "db"
[[incidents.routes]]
name = "critical"
severity_min = "critical"
chats = ["oc_critical"]
[incidents.policies.db]
levels = [
  { tell = [{ person = "ou_li" }] },
  { after = "1h", tell = [{ schedule = "db" }, { person = "ou_han" }] },
]
[incidents.schedules.db]
layers = []
"#;

impl Desk {
    async fn at(folder: &Path) -> Self {
        Self::with(folder, "").await
    }

    async fn with(folder: &Path, more: &str) -> Self {
        let text = format!("{RULES}\n{more}\n[store]\npath = {folder:?}\n");
        let config = Config::parse("test", &text, []).unwrap();
        let store = Store::open(&config.store).await.unwrap();
        let opened = Incidents::open(&store, &config, Metrics::default()).await;
        let (incidents, keeper) = opened.unwrap();
        let stop = CancellationToken::new();
        let keeper = AbortOnDropHandle::new(tokio::spawn(keeper.run(stop.clone())));
        let follower = incidents.follow();
        Self {
            incidents,
            store,
            follower,
            stop,
            keeper,
        }
    }

    async fn close(self) {
        self.stop.cancel();
        self.keeper.await.unwrap();
        drop(self.incidents);
        self.store.close().await.unwrap();
    }

    async fn fires(&self, labels: &[(&str, &str)]) {
        self.sends("firing", labels).await;
    }

    async fn recovers(&self, labels: &[(&str, &str)]) {
        self.sends("resolved", labels).await;
    }

    async fn sends(&self, status: &str, labels: &[(&str, &str)]) {
        self.incidents
            .take("prom", batch(status, labels))
            .await
            .unwrap();
    }

    async fn case(&self, number: u32) -> Case {
        let case = self.incidents.numbered(number).await.unwrap();
        Case::clone(&case.expect("there is such an incident"))
    }

    async fn timeline(&self, number: u32) -> Vec<String> {
        let entries = self.incidents.timeline(number, 0, 100).await.unwrap();
        entries.into_iter().map(|entry| word(&entry.what)).collect()
    }

    async fn pages(&self) -> Vec<(String, Page)> {
        let mut pages = Vec::new();
        sweep::each::<Page>(&self.store, "", |key, page| pages.push((key, page)))
            .await
            .unwrap();
        pages
    }

    /// Waits until a case is as wanted.
    async fn until(&self, number: u32, wanted: impl Fn(&Case) -> bool) -> Case {
        let looked = async {
            loop {
                let case = self.case(number).await;
                if wanted(&case) {
                    return case;
                }
                self.follower.next().await;
            }
        };
        let looked = tokio::time::timeout(Duration::from_secs(30), looked).await;
        looked.expect("the case becomes as wanted")
    }
}

fn word(what: &What) -> String {
    let json = serde_json::to_value(what).unwrap();
    json["kind"].as_str().unwrap().to_owned()
}

/// What Alertmanager sends for one alert.
fn batch(status: &str, labels: &[(&str, &str)]) -> Batch {
    let labels: serde_json::Map<String, serde_json::Value> = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    // With the same beginning it would be taken for a late report of what is over.
    let (starts, ends) = match status {
        "resolved" => (
            "2026-03-01T08:00:00Z".to_owned(),
            Timestamp::now().to_string(),
        ),
        _ => (
            Timestamp::now().to_string(),
            "0001-01-01T00:00:00Z".to_owned(),
        ),
    };
    let body = serde_json::json!({
        "version": "4", "groupKey": "g", "status": status, "receiver": "r",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://a",
        "alerts": [{"status": status, "labels": labels, "annotations": {},
            "startsAt": starts, "endsAt": ends, "generatorURL": "http://p/g"}],
    });
    alertmanager::read(&serde_json::to_vec(&body).unwrap()).unwrap()
}

fn li() -> By {
    By::person("ou_li", Channel::Card)
}

const SLOW: &[(&str, &str)] = &[
    ("alertname", "Slow"),
    ("service", "shop"),
    ("team", "db"),
    ("severity", "error"),
];

#[tokio::test]
async fn what_was_kept_is_there_after_another_start() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    desk.fires(SLOW).await;
    let before = desk.case(1).await;
    assert_eq!(before.places, [Place::Chat(ChatId::new("oc_db"))]);
    assert!(!before.unrouted);
    desk.close().await;

    let desk = Desk::at(folder.path()).await;
    assert_eq!(desk.case(1).await, before);
    assert_eq!(desk.incidents.list_open().len(), 1);
    // The same alert again is the same alert, and another one of its group joins.
    desk.fires(SLOW).await;
    desk.fires(&[("alertname", "Errors"), ("service", "shop")])
        .await;
    let case = desk.case(1).await;
    assert_eq!((case.incident.alerts, case.incident.firing.total()), (2, 2));
    assert_eq!(desk.incidents.alerts(1, 10).await.unwrap().len(), 2);
    // One that agrees with nothing is another, and the number counts up.
    desk.fires(&[("alertname", "Disk"), ("service", "files")])
        .await;
    let other = desk.case(2).await;
    assert!(other.unrouted);
    assert_eq!(other.places, [Place::Chat(ChatId::new("oc_all"))]);
    desk.close().await;
}

#[tokio::test]
async fn recovery_resolves_and_a_relapse_reopens() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    desk.fires(SLOW).await;
    desk.recovers(SLOW).await;
    let case = desk.case(1).await;
    assert_eq!(case.incident.state, State::Resolved);
    assert!(case.pagers.is_empty());
    assert!(desk.incidents.list_open().is_empty());
    desk.fires(SLOW).await;
    let case = desk.case(1).await;
    assert_eq!(
        (case.incident.state, case.incident.reopened),
        (State::Triggered, 1)
    );
    insta::assert_snapshot!(desk.timeline(1).await.join(" "), @"opened alert_fired alert_recovered recovering resolved reopened alert_fired");
    desk.close().await;
}

#[tokio::test]
async fn the_first_who_acknowledges_has_it_and_nobody_further_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    desk.fires(SLOW).await;
    let id = desk.case(1).await.incident.id;
    let done = desk
        .incidents
        .act(li(), &id, Deed::Acknowledge)
        .await
        .unwrap();
    assert!(done.case.pagers.is_empty());
    let han = By::person("ou_han", Channel::DirectMessage);
    let refused = desk.incidents.act(han, &id, Deed::Acknowledge).await;
    let Err(Error::Refused(Refusal::AlreadyAcknowledged(had))) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(had.by, li());
    desk.close().await;
}

#[tokio::test]
async fn a_page_stays_until_it_is_dealt_with_and_the_timer_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let quick = "[incidents.policies.quick]\nlevels = [{ tell = [{ person = \"ou_li\" }] }, { after = \"1s\", tell = [{ person = \"ou_han\" }] }]\n[[incidents.routes]]\nname = \"quick\"\nmatchers = \"team=quick\"\npolicy = \"quick\"\n";
    // The route stands behind the others, which do not take it.
    let desk = Desk::with(folder.path(), quick).await;
    desk.fires(&[("alertname", "A"), ("team", "quick")]).await;
    let pages = desk.pages().await;
    assert_eq!(pages.len(), 1);
    desk.close().await;

    let desk = Desk::with(folder.path(), quick).await;
    assert_eq!(desk.pages().await, pages);
    let place = Place::Person(OpenId::new("ou_li"));
    let told = PageOutcome::Told {
        place: place.clone(),
    };
    desk.incidents
        .paged(&pages[0].0, told.clone())
        .await
        .unwrap();
    // Told twice is told once.
    desk.incidents.paged(&pages[0].0, told).await.unwrap();
    let case = desk.until(1, |case| case.pagers[0].paging.steps == 2).await;
    assert!(case.places.contains(&place));
    let whom: Vec<u32> = desk
        .pages()
        .await
        .iter()
        .map(|(_, page)| page.level)
        .collect();
    assert_eq!(whom, [2]);
    insta::assert_snapshot!(desk.timeline(1).await.join(" "), @"opened alert_fired paged escalated");
    desk.close().await;
}

#[tokio::test]
async fn when_nobody_of_a_level_can_be_told_the_next_one_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    desk.fires(SLOW).await;
    let (first, _) = desk.pages().await.remove(0);
    let why = Why::Unlinked;
    desk.incidents
        .paged(&first, PageOutcome::Failed { why })
        .await
        .unwrap();
    // The second level would be an hour off. Its schedule has nobody.
    let pages = desk.pages().await;
    assert_eq!(pages.len(), 1);
    assert_eq!((pages[0].1.level, pages[0].1.step), (2, 1));
    let case = desk.case(1).await;
    let unreached: Vec<_> = case
        .unreached
        .iter()
        .map(|one| (one.who.as_str(), one.why))
        .collect();
    assert_eq!(
        unreached,
        [("ou_li", Why::Unlinked), ("db", Why::NobodyOnCall)]
    );
    // Nobody is left, and the first level is not told again for that.
    desk.incidents
        .paged(&pages[0].0, PageOutcome::Failed { why })
        .await
        .unwrap();
    assert!(desk.pages().await.is_empty());
    let id = desk.case(1).await.incident.id;
    let further = desk.incidents.escalate(li(), &id).await;
    assert!(matches!(further, Err(Error::NobodyFurther)), "{further:?}");
    desk.close().await;
}

#[tokio::test]
async fn who_wants_the_next_level_told_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    desk.fires(SLOW).await;
    let id = desk.case(1).await.incident.id;
    desk.incidents.escalate(li(), &id).await.unwrap();
    let levels: Vec<u32> = desk
        .pages()
        .await
        .iter()
        .map(|(_, page)| page.level)
        .collect();
    assert_eq!(levels, [1, 2]);
    desk.close().await;
}

#[tokio::test]
async fn what_becomes_worse_is_shown_to_those_who_want_to_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    desk.fires(&[("alertname", "A"), ("service", "web")]).await;
    assert_eq!(
        desk.case(1).await.places,
        [Place::Chat(ChatId::new("oc_all"))]
    );
    desk.fires(&[
        ("alertname", "B"),
        ("service", "web"),
        ("severity", "critical"),
    ])
    .await;
    let case = desk.case(1).await;
    assert_eq!(case.incident.severity, Severity::Critical);
    assert!(
        case.places
            .contains(&Place::Chat(ChatId::new("oc_critical")))
    );
    desk.close().await;
}

#[tokio::test]
async fn what_a_silence_hushed_is_told_when_the_silence_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    let now = Timestamp::now();
    let silence = Silence {
        name: "night work".to_owned(),
        matchers: Matchers::parse("service=shop").unwrap(),
        from: now,
        until: now + Duration::from_secs(3600),
        windows: Vec::new(),
        zone: Default::default(),
        by: li(),
    };
    desk.incidents.silence(silence).await.unwrap();
    let taken = desk
        .incidents
        .take("prom", batch("firing", SLOW))
        .await
        .unwrap();
    assert_eq!((taken.hushed, taken.opened), (1, 0));
    desk.close().await;

    // Both the silence and what it hushed outlive the process.
    let desk = Desk::at(folder.path()).await;
    assert_eq!(desk.incidents.silences().len(), 1);
    assert!(desk.incidents.list_open().is_empty());
    desk.incidents.lift("night work").await.unwrap();
    assert_eq!(desk.case(1).await.incident.firing.total(), 1);
    let again = desk.incidents.lift("night work").await;
    assert!(matches!(again, Err(Error::NoSuchSilence)), "{again:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_storm_is_one_incident() {
    let folder = tempfile::tempdir().unwrap();
    let storm = "[incidents.storm]\nincidents = 3\nwithin = \"1m\"\n";
    let desk = Desk::with(folder.path(), storm).await;
    for at in 0..50 {
        let service = format!("service-{at}");
        desk.fires(&[("alertname", "Down"), ("service", &service)])
            .await;
    }
    let open = desk.incidents.list_open();
    let counts: Vec<u32> = open
        .iter()
        .map(|case| case.incident.firing.total())
        .collect();
    assert_eq!(counts, [1, 1, 1, 47]);
    assert_eq!(open[3].incident.title, "Alert storm from prom");
    desk.close().await;
}

#[tokio::test]
async fn two_that_are_one_are_merged_and_the_alerts_of_both_are_counted_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::at(folder.path()).await;
    let disk: &[(&str, &str)] = &[("alertname", "Disk"), ("service", "files")];
    desk.fires(SLOW).await;
    desk.fires(disk).await;
    let (one, two) = (
        desk.case(1).await.incident.id,
        desk.case(2).await.incident.id,
    );
    desk.incidents.merge(li(), &one, &two).await.unwrap();
    assert_eq!(desk.incidents.list_open().len(), 1);
    assert_eq!(desk.case(1).await.incident.firing.total(), 2);
    desk.recovers(disk).await;
    desk.recovers(SLOW).await;
    assert_eq!(desk.case(1).await.incident.state, State::Resolved);
    desk.close().await;
}

#[tokio::test]
async fn an_alert_whose_sender_has_fallen_silent_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let stale = "[[alerts.integrations]]\nname = \"prom\"\nkey = \"0123456789abcdef\"\nstale_after = \"1s\"\n";
    let desk = Desk::at(folder.path()).await;
    desk.fires(SLOW).await;
    // As if it had come a while ago.
    let alerts = desk.store.collection::<KeptAlert>();
    let (key, mut kept) = alerts.scan("", None, 1).await.unwrap().remove(0);
    kept.0.received_at -= Duration::from_secs(3600);
    alerts.put(&key, &kept).await.unwrap();
    desk.close().await;

    let desk = Desk::with(folder.path(), stale).await;
    desk.until(1, |case| !case.incident.is_open()).await;
    desk.close().await;
}
