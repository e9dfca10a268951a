//! The forms of a report: a section's words, a remark for a section that is written anew, when something was.
//!
//! A field takes a thousand characters, so a longer section stands in several, cut between lines. What has no
//! room in the form is not touched by it, and the form says so.

use serde_json::{Value, json};

use super::{
    super::{
        choice::{self, Choice},
        markdown, shorten, small_markdown,
    },
    either, title,
};
use crate::{
    bot::markdown::escape,
    config::Language,
    postmortem::{facts::Milestone, write::milestone_words},
};

/// The most characters of one field; a person may add a few.
const FIELD_CHARS: usize = 800;
/// How many fields a form has at most.
const FIELDS_MAX: usize = 10;
/// What the platform takes in a field.
const CHARS_MAX: usize = 1000;
/// The longest line that a field shows.
const LINE_CHARS_MAX: usize = 950;

/// What is asked for.
#[derive(Debug)]
pub enum Asks<'a> {
    /// A section's words.
    Words {
        /// Its heading.
        heading: &'a str,
        /// Its words, as [`fields`] cuts them.
        fields: Vec<String>,
        /// How many of its lines have no room.
        left: usize,
    },
    /// What is to be heeded when a section is written anew.
    Remark {
        /// Its heading.
        heading: &'a str,
    },
    /// When something was.
    Time {
        /// What it can be.
        moments: &'a [Moment],
    },
}

/// A moment, as it is known now.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Which.
    pub milestone: Milestone,
    /// When, in words.
    pub at: Option<String>,
}

/// A form about a report.
#[derive(Debug)]
pub struct Form<'a> {
    /// What is asked for.
    pub asks: Asks<'a>,
    /// The incident's number.
    pub number: u32,
    /// The language.
    pub language: Language,
    /// What sending it carries.
    pub value: &'a Value,
    /// What else can be done there.
    pub choices: &'a [Choice],
}

/// Puts as many lines into fields as have room, and says how many those are. Where all have, there is an empty
/// field behind them, since a person may have more to say.
pub fn fields(lines: &[String]) -> (Vec<String>, usize) {
    let mut fields: Vec<String> = vec![String::new()];
    for (at, line) in lines.iter().enumerate() {
        let length = line.chars().count();
        let room = fields.last().map_or(0, |last| match last.chars().count() {
            0 => LINE_CHARS_MAX,
            taken => FIELD_CHARS.saturating_sub(taken + 1),
        });
        if length > room && (length > LINE_CHARS_MAX || fields.len() == FIELDS_MAX) {
            return (fields, at);
        }
        match fields.last_mut() {
            Some(last) if last.is_empty() => last.push_str(line),
            Some(last) if length <= room => {
                last.push('\n');
                last.push_str(line);
            }
            _ => fields.push(line.clone()),
        }
    }
    if fields.len() < FIELDS_MAX && !lines.is_empty() {
        fields.push(String::new());
    }
    (fields, lines.len())
}

/// The words that a form came back with.
pub fn words(form: &serde_json::Map<String, Value>) -> String {
    let fields = (0..FIELDS_MAX).filter_map(|at| form.get(&field_name(at))?.as_str());
    fields.collect::<Vec<_>>().join("\n")
}

/// The moment that a form came back with, and the time.
pub fn moment(form: &serde_json::Map<String, Value>) -> Option<(Milestone, &str)> {
    let milestone = serde_json::from_value(form.get("moment")?.clone()).ok()?;
    let time = form.get("time").and_then(Value::as_str);
    Some((milestone, time.unwrap_or_default()))
}

/// Whether a form was sent, and not a button of the report's card pressed.
pub fn is_sent(form: &serde_json::Map<String, Value>, button: Option<&str>) -> bool {
    !form.is_empty() || button == Some("send")
}

fn field_name(at: usize) -> String {
    format!("words{at}")
}

impl Form<'_> {
    /// The card with the form.
    pub fn render(&self) -> Value {
        let language = self.language;
        let (head, mut elements) = match &self.asks {
            Asks::Words {
                heading,
                fields,
                left,
            } => {
                let hint = either(
                    language,
                    "Keep citations such as [m12]. A line that begins with \"- \" is an item.",
                    "请保留 [m12] 这样的出处；以“- ”开头的行为列表项。",
                );
                let fields = fields.iter().enumerate();
                let fields =
                    fields.map(|(at, text)| self.field(&field_name(at), &hint, text, at == 0));
                let mut elements: Vec<Value> = fields.collect();
                if *left > 0 {
                    let left = either(
                        language,
                        format!("Its last lines have no room here and stay as they are: {left}"),
                        format!("末尾 {left} 行放不下，保持不变"),
                    );
                    elements.push(small_markdown("left", &left));
                }
                (escape(heading), elements)
            }
            Asks::Remark { heading } => {
                let hint = either(
                    language,
                    "What should be heeded? May be left empty.",
                    "希望如何调整？可不填。",
                );
                (
                    escape(heading),
                    vec![self.field("words0", &hint, "", false)],
                )
            }
            Asks::Time { moments } => (
                either(language, "When was it?", "修正时间"),
                self.moment_fields(moments),
            ),
        };
        elements.push(json!({
            "tag": "button",
            "element_id": "send",
            "name": "send",
            "form_action_type": "submit",
            "type": "primary",
            "size": "small",
            "text": {"tag": "plain_text", "content": either(language, "Send", "提交")},
            "behaviors": [{"type": "callback", "value": self.value}],
        }));
        let title = title(self.number, language);
        let mut card = json!({
            "schema": "2.0",
            "config": {"update_multi": true, "summary": {"content": shorten(&title, 60)}},
            "body": {"elements": [
                markdown("head", &format!("**{title}** · {head}")),
                {"tag": "form", "element_id": "form", "name": "form", "elements": elements},
            ]},
        });
        choice::put_under(&mut card, self.choices);
        card
    }

    fn field(&self, name: &str, hint: &str, text: &str, is_needed: bool) -> Value {
        let mut field = json!({
            "tag": "input",
            "element_id": name,
            "name": name,
            "required": is_needed,
            "width": "fill",
            "input_type": "multiline_text",
            "rows": 5,
            "max_length": CHARS_MAX,
            "placeholder": {"tag": "plain_text", "content": hint},
        });
        if !text.is_empty() {
            field["default_value"] = json!(text);
        }
        field
    }

    fn moment_fields(&self, moments: &[Moment]) -> Vec<Value> {
        let language = self.language;
        let unknown = either(language, "unknown", "未知");
        let option = |moment: &Moment| {
            let word = milestone_words(moment.milestone, language);
            let at = moment.at.as_ref().unwrap_or(&unknown);
            json!({
                "text": {"tag": "plain_text", "content": format!("{word} · {at}")},
                "value": serde_json::to_value(moment.milestone).unwrap_or_default(),
            })
        };
        let hint = either(
            language,
            "14:05 or 2026-11-21 14:05; empty: it is right as it is",
            "14:05 或 2026-11-21 14:05；留空表示确认现有时间",
        );
        let select = json!({
            "tag": "select_static",
            "element_id": "moment",
            "name": "moment",
            "required": true,
            "placeholder": {"tag": "plain_text", "content": either(language, "What", "时刻")},
            "options": moments.iter().map(option).collect::<Vec<_>>(),
        });
        let input = json!({
            "tag": "input",
            "element_id": "time",
            "name": "time",
            "width": "fill",
            "max_length": 40,
            "placeholder": {"tag": "plain_text", "content": hint},
        });
        vec![select, input]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_stands_in_several_fields_and_comes_back_as_one() {
        let line = "字".repeat(300);
        let lines = vec![line.clone(); 6];
        let (cut, taken) = fields(&lines);
        assert_eq!((cut.len(), taken), (4, 6));
        let form = cut.into_iter().enumerate();
        let form = form
            .map(|(at, text)| (field_name(at), json!(text)))
            .collect();
        assert_eq!(words(&form).trim_end(), lines.join("\n"));
        assert_eq!(fields(&[]), (vec![String::new()], 0));
    }

    #[test]
    fn what_has_no_room_is_left_where_it_is() {
        let check = |lines: &[usize], expected: (usize, usize)| {
            let lines: Vec<String> = lines.iter().map(|length| "字".repeat(*length)).collect();
            let (cut, taken) = fields(&lines);
            assert_eq!((cut.len(), taken), expected, "{lines:?}");
            assert!(cut.iter().all(|field| field.chars().count() <= CHARS_MAX));
            let form = cut.into_iter().enumerate();
            let form = form
                .map(|(at, text)| (field_name(at), json!(text)))
                .collect();
            assert_eq!(words(&form).trim_end(), lines[..taken].join("\n"));
        };
        check(&[300; 40], (FIELDS_MAX, 20));
        check(&[900, 10, 950], (4, 3));
        check(&[10, 951, 10], (1, 1));
        check(&[951], (1, 0));
    }
}
