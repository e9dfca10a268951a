//! Small rooms and records for tests: `said("14:02:00", "li", "…")` on 2026-11-20 in Shanghai.

use jiff::{Timestamp, civil::Time, tz::TimeZone};

use super::{
    records::Records,
    transcript::{Mark, MarkKind, Message, MessageId, Person, Room, Transcript},
};
use crate::incident::{
    Action, By, Channel, Deed, Entry, Happening, Incident, IncidentId, PersonId, Rules,
    severity::Severity,
};

/// The people of every test's room. `zhao` never writes.
pub(crate) const PEOPLE: [(&str, &str, Option<&str>); 5] = [
    ("li", "Li Lei", Some("on call")),
    ("han", "Han Meimei", Some("commander")),
    ("wang", "王芳", None),
    ("zhao", "Zhao Yun", None),
    ("bot", "Nightjar", None),
];

/// A time of day on 2026-11-20 in Shanghai.
pub(crate) fn at(time: &str) -> Timestamp {
    let time: Time = time.parse().unwrap();
    let date = jiff::civil::date(2026, 11, 20);
    let zoned = date.to_datetime(time).to_zoned(zone()).unwrap();
    zoned.timestamp()
}

pub(crate) fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

pub(crate) fn person(id: &str) -> PersonId {
    PersonId(format!("ou_{id}"))
}

/// A room with these messages, `om_1` the first.
pub(crate) fn room(said: &[(&str, &str, &str)]) -> Transcript {
    let messages = said
        .iter()
        .enumerate()
        .map(|(place, (time, author, text))| {
            Message::said(
                format!("om_{}", place + 1),
                at(time),
                &person(author),
                *text,
            )
        });
    freeze(messages.collect())
}

pub(crate) fn freeze(messages: Vec<Message>) -> Transcript {
    let people = PEOPLE.iter().map(|(id, name, role)| Person {
        id: person(id),
        name: (*name).to_owned(),
        role: role.map(str::to_owned),
        is_bot: *id == "bot",
        is_us: *id == "bot",
    });
    let room = Room {
        id: "oc_room".into(),
        name: "checkout".into(),
        link: None,
    };
    Transcript::freeze(room, zone(), at("18:00:00"), people.collect(), messages)
}

/// The same room with a message marked.
pub(crate) fn marked(transcript: Transcript, place: usize, kind: MarkKind) -> Transcript {
    let mut messages = transcript.messages;
    messages[place - 1].marks.push(Mark { kind, by: None });
    freeze(messages)
}

pub(crate) fn id(place: usize) -> MessageId {
    MessageId::new(format!("om_{place}"))
}

/// An incident that a monitor told of at 14:00, and what then happened.
pub(crate) struct Story {
    incident: Incident,
    timeline: Vec<Entry>,
}

impl Story {
    pub(crate) fn opened() -> Self {
        let by = By::monitor("prometheus");
        let id = IncidentId("in_1".into());
        let (incident, actions) = Incident::declare(
            id,
            42,
            by,
            "Checkout is slow",
            Severity::Critical,
            at("14:00:00"),
        );
        let mut story = Self {
            incident,
            timeline: Vec::new(),
        };
        story.keep(actions);
        story
    }

    pub(crate) fn deed(mut self, time: &str, who: &str, deed: Deed) -> Self {
        let by = By::person(format!("ou_{who}"), Channel::Card);
        let actions = self
            .incident
            .observe(Happening::Deed(by, deed), &Rules::default(), at(time));
        self.keep(actions);
        self
    }

    fn keep(&mut self, actions: Vec<Action>) {
        self.timeline
            .extend(actions.into_iter().filter_map(|action| match action {
                Action::Enter(entry) => Some(entry),
                _ => None,
            }));
    }

    pub(crate) fn records(self) -> Records {
        Records {
            incident: self.incident,
            timeline: self.timeline,
            confirmed: Vec::new(),
            actions: Vec::new(),
        }
    }
}
