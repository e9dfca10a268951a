//! What can be pressed on an incident's card: what its state allows, and no more.

use serde_json::{Value, json};

use super::{Status, words::Words};
use crate::{bot::incidents::Case, config::Language, incident::Incident};

/// What the buttons of one card carry. Made and read by `bot::click` alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Controls {
    /// I have it.
    pub acknowledge: Value,
    /// I do not have it any more.
    pub unacknowledge: Value,
    /// I have it, whoever had it before.
    pub assign: Value,
    /// Somebody should help.
    pub add: Value,
    /// The next level should be told now.
    pub escalate: Value,
    /// Not now.
    pub snooze: Value,
    /// Say nothing of alerts like these.
    pub silence: Value,
    /// It is over.
    pub close: Value,
    /// It is not over.
    pub reopen: Value,
    /// This should be known.
    pub comment: Value,
    /// A room for it, where rooms can be made.
    pub room: Option<Value>,
    /// What the model makes of it.
    pub ask: Value,
    /// All of it.
    pub details: Value,
}

/// The times for which an incident can be put off, as they are chosen.
const SNOOZES: [(&str, Words); 3] = [
    ("2h", Words::Hours(2)),
    ("4h", Words::Hours(4)),
    ("12h", Words::Hours(12)),
];

/// What stands for a time that is still to be said.
pub(in crate::bot) const OTHER_TIME: &str = "other";

/// The times for which alerts can be silenced.
const SILENCES: [(&str, Words); 6] = [
    ("30m", Words::Minutes(30)),
    ("2h", Words::Hours(2)),
    ("8h", Words::Hours(8)),
    ("1d", Words::Days(1)),
    ("3d", Words::Days(3)),
    ("7d", Words::Days(7)),
];

/// Everything that can be pressed now.
pub(super) fn rows(
    incident: &Incident,
    status: Status,
    case: &Case,
    controls: &Controls,
    language: Language,
) -> Vec<Value> {
    let row = Row { controls, language };
    match status {
        Status::Merged => vec![side_by_side("look", vec![row.details()])],
        Status::Resolved => vec![side_by_side("look", row.when_over())],
        _ => vec![
            side_by_side("act", row.act(status)),
            side_by_side("choose", row.choose(incident)),
            side_by_side("look", row.look(case)),
        ],
    }
}

struct Row<'a> {
    controls: &'a Controls,
    language: Language,
}

impl Row<'_> {
    fn act(&self, status: Status) -> Vec<Value> {
        let controls = self.controls;
        let mut buttons = match status {
            Status::Acknowledged => {
                vec![self.button(
                    "unack",
                    Words::Unacknowledge,
                    "default",
                    &controls.unacknowledge,
                )]
            }
            _ => vec![self.button("ack", Words::Acknowledge, "primary", &controls.acknowledge)],
        };
        buttons.push(self.button("assign", Words::AssignToMe, "default", &controls.assign));
        if status != Status::Snoozed {
            buttons.push(self.button("escalate", Words::Escalate, "default", &controls.escalate));
        }
        let mut close = self.button("close", Words::Close, "danger", &controls.close);
        close["confirm"] = json!({
            "title": Words::CloseTitle.node(self.language),
            "text": Words::CloseText.node(self.language),
        });
        buttons.push(close);
        buttons
    }

    fn choose(&self, incident: &Incident) -> Vec<Value> {
        let controls = self.controls;
        let mut snoozes = SNOOZES.to_vec();
        snoozes.push((OTHER_TIME, Words::OtherTime));
        let mut menus = vec![self.menu("snooze", Words::Snooze, &snoozes, &controls.snooze)];
        // Without a label that its alerts share there is nothing to tell alerts like these by.
        if !incident.labels.is_empty() {
            menus.push(self.menu("silence", Words::Silence, &SILENCES, &controls.silence));
        }
        menus.push(json!({
            "tag": "select_person",
            "element_id": "add",
            "placeholder": Words::AddResponder.node(self.language),
            "behaviors": [{"type": "callback", "value": controls.add}],
        }));
        menus
    }

    fn look(&self, case: &Case) -> Vec<Value> {
        let mut buttons = vec![self.comment()];
        if let Some(room) = &self.controls.room
            && case.open_room().is_none()
        {
            buttons.push(self.button("room", Words::WarRoom, "text", room));
        }
        buttons.extend([self.ask(), self.details()]);
        buttons
    }

    fn when_over(&self) -> Vec<Value> {
        let reopen = self.button("reopen", Words::Reopen, "default", &self.controls.reopen);
        vec![reopen, self.comment(), self.ask(), self.details()]
    }

    fn comment(&self) -> Value {
        self.button("comment", Words::Comment, "text", &self.controls.comment)
    }

    fn ask(&self) -> Value {
        self.button("ask", Words::AskAi, "text", &self.controls.ask)
    }

    fn details(&self) -> Value {
        self.button("details", Words::Details, "text", &self.controls.details)
    }

    fn button(&self, id: &str, words: Words, look: &str, value: &Value) -> Value {
        json!({
            "tag": "button",
            "element_id": id,
            "type": look,
            "size": "small",
            "text": words.node(self.language),
            "behaviors": [{"type": "callback", "value": value}],
        })
    }

    fn menu(&self, id: &str, words: Words, options: &[(&str, Words)], value: &Value) -> Value {
        let options: Vec<Value> = options
            .iter()
            .map(|(value, words)| json!({"text": words.node(self.language), "value": value}))
            .collect();
        json!({
            "tag": "select_static",
            "element_id": id,
            "placeholder": words.node(self.language),
            "options": options,
            "behaviors": [{"type": "callback", "value": value}],
        })
    }
}

/// Things side by side, each as wide as it needs to be, in as many lines as they need.
fn side_by_side(id: &str, things: Vec<Value>) -> Value {
    let columns: Vec<Value> = things
        .into_iter()
        .map(|thing| json!({"tag": "column", "width": "auto", "elements": [thing]}))
        .collect();
    json!({
        "tag": "column_set",
        "element_id": id,
        "flex_mode": "flow",
        "horizontal_spacing": "small",
        "columns": columns,
    })
}
