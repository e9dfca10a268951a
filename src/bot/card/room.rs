//! What a war room is asked when its incident is over.

use serde_json::{Value, json};

use super::{
    markdown,
    notice::{Notice, Template},
};
use crate::config::Language;

/// What the buttons of the card carry. Made and read by `bot::click` alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoomControls {
    /// The room stays.
    pub keep: Value,
    /// The room is dissolved.
    pub dissolve: Value,
    /// The report is drafted.
    pub postmortem: Value,
}

/// The card with the choice.
#[derive(Debug, Clone, Copy)]
pub struct EndingCard<'a> {
    /// What people call the incident.
    pub number: u32,
    /// The language of the room.
    pub language: Language,
    /// What the buttons carry; without them there is nothing to choose any more.
    pub controls: Option<&'a RoomControls>,
    /// What was chosen and by whom, as Markdown.
    pub chosen: Option<&'a str>,
}

impl EndingCard<'_> {
    /// The whole card, JSON 2.0.
    pub fn render(&self) -> Value {
        let number = self.number;
        let (title, text) = match self.language {
            Language::En => (
                format!("#{number} is over"),
                "What was said here is kept, whatever becomes of the room. A room that is dissolved cannot be opened again; its words stay in the record.",
            ),
            Language::Zh => (
                format!("故障 #{number} 已结束"),
                "无论群聊是否保留，这里的发言都已存档。解散后群聊无法恢复，记录仍会保留。",
            ),
        };
        let notice = Notice {
            title: Some(&title),
            text,
            template: Template::Green,
        };
        let mut card = notice.render();
        let Some(elements) = card["body"]["elements"].as_array_mut() else {
            return card;
        };
        if let Some(chosen) = self.chosen {
            elements.push(markdown("chosen", chosen));
        }
        if let Some(controls) = self.controls {
            elements.push(self.button(
                "postmortem",
                ("Draft the post-mortem", "起草复盘报告"),
                "primary",
                &controls.postmortem,
            ));
            if self.chosen.is_none() {
                elements.push(self.button(
                    "keep",
                    ("Keep the room", "保留群聊"),
                    "default",
                    &controls.keep,
                ));
            }
            elements.push(self.button(
                "dissolve",
                ("Dissolve the room", "解散群聊"),
                "danger",
                &controls.dissolve,
            ));
        }
        card
    }

    fn button(&self, id: &str, label: (&str, &str), kind: &str, value: &Value) -> Value {
        let text = match self.language {
            Language::En => label.0,
            Language::Zh => label.1,
        };
        json!({
            "tag": "button",
            "element_id": id,
            "type": kind,
            "text": {"tag": "plain_text", "content": text},
            "behaviors": [{"type": "callback", "value": value}],
        })
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;

    #[test]
    fn a_choice_that_was_made_leaves_only_what_can_still_be_chosen() {
        let controls = RoomControls {
            keep: json!("k"),
            dissolve: json!("d"),
            postmortem: json!("p"),
        };
        let labels = |controls: Option<&RoomControls>, chosen: Option<&str>| {
            let card = EndingCard {
                number: 42,
                language: Language::En,
                controls,
                chosen,
            };
            let elements = card.render()["body"]["elements"].take();
            let elements = elements.as_array().unwrap().clone();
            let labels = elements
                .iter()
                .filter_map(|it| it["text"]["content"].as_str());
            labels.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            labels(Some(&controls), None),
            [
                "Draft the post-mortem",
                "Keep the room",
                "Dissolve the room"
            ]
        );
        assert_eq!(
            labels(Some(&controls), Some("kept")),
            ["Draft the post-mortem", "Dissolve the room"]
        );
        assert_eq!(labels(None, Some("dissolved")), Vec::<String>::new());
        let card = EndingCard {
            number: 42,
            language: Language::Zh,
            controls: Some(&controls),
            chosen: None,
        };
        assert_json_snapshot!(card.render(), @r#"
        {
          "body": {
            "elements": [
              {
                "content": "无论群聊是否保留，这里的发言都已存档。解散后群聊无法恢复，记录仍会保留。",
                "element_id": "notice",
                "tag": "markdown"
              },
              {
                "behaviors": [
                  {
                    "type": "callback",
                    "value": "p"
                  }
                ],
                "element_id": "postmortem",
                "tag": "button",
                "text": {
                  "content": "起草复盘报告",
                  "tag": "plain_text"
                },
                "type": "primary"
              },
              {
                "behaviors": [
                  {
                    "type": "callback",
                    "value": "k"
                  }
                ],
                "element_id": "keep",
                "tag": "button",
                "text": {
                  "content": "保留群聊",
                  "tag": "plain_text"
                },
                "type": "default"
              },
              {
                "behaviors": [
                  {
                    "type": "callback",
                    "value": "d"
                  }
                ],
                "element_id": "dissolve",
                "tag": "button",
                "text": {
                  "content": "解散群聊",
                  "tag": "plain_text"
                },
                "type": "danger"
              }
            ]
          },
          "config": {
            "summary": {
              "content": "故障 #42 已结束"
            },
            "update_multi": true
          },
          "header": {
            "template": "green",
            "title": {
              "content": "故障 #42 已结束",
              "tag": "plain_text"
            }
          },
          "schema": "2.0"
        }
        "#);
    }
}
