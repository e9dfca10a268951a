//! The card of an incident: one in each place where it is shown, always of its present state.
//!
//! A pure function of that state. What alerts and people wrote stands on it as text and nothing else: it
//! mentions nobody, holds no picture, and leads to no address but one of the web. Only the line of those who
//! are on it mentions them, by ids that are ours.

mod body;
mod buttons;
mod form;
mod lines;
mod names;
mod story;
#[cfg(test)]
mod tests;
mod words;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{CARD_BYTES_MAX, shorten, size_bytes};
use crate::{
    bot::incidents::{Case, Place},
    config::Language,
    incident::{Entry, Incident, State, Tracked, severity::Severity},
};

pub use body::mention;
pub use buttons::Controls;
pub(in crate::bot) use buttons::OTHER_TIME;
pub use form::{Asks, FIELD, Form, said};
pub use lines::{Telling, without_echoes};
pub use names::{Names, open_id, people_of};
pub use story::Story;
pub use words::severity as severity_word;

use body::Body;
use words::Words;

/// How many of the newest entries of its timeline a card shows.
pub const TAIL: usize = 4;

/// How many characters of a title are shown; the platform draws at most four lines.
const TITLE_CHARS_MAX: usize = 120;

/// How many characters the line in the list of chats has.
const SUMMARY_CHARS_MAX: usize = 60;

/// What there is to show.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The incident, and what is done about it.
    pub case: &'a Case,
    /// The alert that was last told of.
    pub latest: Option<&'a Tracked>,
    /// Its newest entries, in order; at most [`TAIL`] are shown.
    pub tail: &'a [Entry],
    /// What people are called.
    pub names: &'a Names,
    /// The number of the incident that it turned out to be.
    pub merged_into: Option<u32>,
    /// Until when alerts like its own are silenced.
    pub silenced_until: Option<Timestamp>,
    /// Where it is shown, if in one place.
    pub place: Option<&'a Place>,
    /// The address that opens its war room.
    pub room_link: Option<&'a str>,
    /// Where times are meant.
    pub zone: &'a TimeZone,
    /// When it is shown.
    pub now: Timestamp,
}

/// How far an incident is, as people tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Triggered,
    Acknowledged,
    Snoozed,
    Resolved,
    Merged,
}

impl Status {
    fn of(incident: &Incident) -> Self {
        match incident.state {
            _ if incident.merged_into.is_some() => Self::Merged,
            State::Triggered => Self::Triggered,
            State::Acknowledged => Self::Acknowledged,
            State::Snoozed { .. } => Self::Snoozed,
            State::Resolved => Self::Resolved,
        }
    }

    fn words(self) -> Words {
        match self {
            Self::Triggered => Words::Triggered,
            Self::Acknowledged => Words::Acknowledged,
            Self::Snoozed => Words::Snoozed,
            Self::Resolved => Words::Resolved,
            Self::Merged => Words::Merged,
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Triggered => "red",
            Self::Acknowledged => "blue",
            Self::Snoozed | Self::Merged => "neutral",
            Self::Resolved => "green",
        }
    }

    /// What nobody has is in the colour of its severity; what somebody has, or what is over, is calm.
    fn template(self, severity: Severity) -> &'static str {
        match (self, severity) {
            (Self::Triggered, Severity::Critical) => "red",
            (Self::Triggered, Severity::Error) => "orange",
            (Self::Triggered, Severity::Warning) => "yellow",
            (Self::Triggered, Severity::Info) => "blue",
            (Self::Acknowledged, _) => "wathet",
            (Self::Snoozed | Self::Merged, _) => "grey",
            (Self::Resolved, _) => "green",
        }
    }
}

/// How far an incident is, in a word.
pub fn status_word(incident: &Incident, language: Language) -> String {
    Status::of(incident).words().in_language(language)
}

/// The whole card, JSON 2.0, at most [`CARD_BYTES_MAX`] bytes whatever the alerts hold.
pub fn render(view: &View<'_>, controls: &Controls, language: Language) -> Value {
    let whole = draw(view, controls, language, false);
    match size_bytes(&whole) <= CARD_BYTES_MAX {
        true => whole,
        false => draw(view, controls, language, true),
    }
}

/// `briefly`: without what somebody else wrote beyond the title.
fn draw(view: &View<'_>, controls: &Controls, language: Language, briefly: bool) -> Value {
    let incident = &view.case.incident;
    let status = Status::of(incident);
    let body = Body {
        view,
        language,
        briefly,
    };
    let mut elements = body.elements();
    elements.extend(buttons::rows(
        incident, status, view.case, controls, language,
    ));
    let title = format!("#{} {}", incident.number, incident.title);
    let word = status.words().in_language(language);
    json!({
        "schema": "2.0",
        "config": {
            "update_multi": true,
            "summary": {"content": shorten(&format!("{word} {title}"), SUMMARY_CHARS_MAX)},
        },
        "header": {
            "title": {"tag": "plain_text", "content": shorten(&title, TITLE_CHARS_MAX)},
            "text_tag_list": [
                tag(severity_word(incident.severity, language), severity_colour(incident.severity)),
                tag(&word, status.colour()),
            ],
            "template": status.template(incident.severity),
        },
        "body": {"elements": elements},
    })
}

fn severity_colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "carmine",
        Severity::Error => "orange",
        Severity::Warning => "yellow",
        Severity::Info => "blue",
    }
}

fn tag(text: &str, colour: &str) -> Value {
    json!({
        "tag": "text_tag",
        "text": {"tag": "plain_text", "content": text},
        "color": colour,
    })
}
