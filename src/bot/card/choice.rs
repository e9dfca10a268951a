//! Buttons under a notice, for what somebody may decide.

use serde_json::{Value, json};

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What most people want.
    Primary,
    /// Anything else.
    Plain,
}

/// A button.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its name within the card: a letter, then letters and digits.
    pub id: &'static str,
    /// What stands on it.
    pub label: String,
    /// How it looks.
    pub weight: Weight,
    /// What it carries. Made and read by `bot::click` alone.
    pub value: Value,
}

/// Puts buttons side by side under a card. None changes nothing.
pub fn put_under(card: &mut Value, choices: &[Choice]) {
    let Some(elements) = card["body"]["elements"].as_array_mut() else {
        return;
    };
    if choices.is_empty() {
        return;
    }
    let column =
        |choice: &Choice| json!({"tag": "column", "width": "auto", "elements": [button(choice)]});
    elements.push(json!({
        "tag": "column_set",
        "element_id": "choices",
        "flex_mode": "flow",
        "horizontal_spacing": "small",
        "columns": choices.iter().map(column).collect::<Vec<_>>(),
    }));
}

fn button(choice: &Choice) -> Value {
    json!({
        "tag": "button",
        "element_id": choice.id,
        "type": match choice.weight {
            Weight::Primary => "primary",
            Weight::Plain => "default",
        },
        "text": {"tag": "plain_text", "content": choice.label},
        "behaviors": [{"type": "callback", "value": choice.value}],
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::bot::card::notice::{Notice, Template};

    #[test]
    fn buttons_stand_side_by_side_under_the_text() {
        let notice = Notice {
            title: None,
            text: "Shall I?",
            template: Template::Blue,
        };
        let plain = notice.render();
        let mut card = plain.clone();
        put_under(&mut card, &[]);
        assert_eq!(card, plain);
        let choice = Choice {
            id: "apply",
            label: "Yes".into(),
            weight: Weight::Primary,
            value: json!({"deed": "x"}),
        };
        put_under(&mut card, &[choice]);
        assert_json_snapshot!(card["body"]["elements"][1], @r#"
        {
          "columns": [
            {
              "elements": [
                {
                  "behaviors": [
                    {
                      "type": "callback",
                      "value": {
                        "deed": "x"
                      }
                    }
                  ],
                  "element_id": "apply",
                  "tag": "button",
                  "text": {
                    "content": "Yes",
                    "tag": "plain_text"
                  },
                  "type": "primary"
                }
              ],
              "tag": "column",
              "width": "auto"
            }
          ],
          "element_id": "choices",
          "flex_mode": "flow",
          "horizontal_spacing": "small",
          "tag": "column_set"
        }
        "#);
    }
}
