//! A short sentence of ours as a card: a command's answer, a refusal, help.

use serde_json::{Value, json};

use super::{CARD_BYTES_MAX, markdown, shorten};
use crate::bot::markdown::{TABLES_MAX, first_sentence, split, to_dialect};

/// How many characters of a title are shown; the platform draws at most four lines.
const TITLE_CHARS_MAX: usize = 100;

/// How many characters the line in the list of chats has.
const SUMMARY_CHARS_MAX: usize = 60;

/// A notice.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// The header's line; no header without it.
    pub title: Option<&'a str>,
    /// What is said, as Markdown. What a card cannot hold is left out.
    pub text: &'a str,
    /// The header's colour.
    pub template: Template,
}

/// A header's colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Template {
    /// News.
    #[default]
    Blue,
    /// It went well.
    Green,
    /// Take care.
    Orange,
    /// It went badly.
    Red,
    /// Nothing to be coloured about.
    Grey,
}

impl Template {
    fn name(self) -> &'static str {
        match self {
            Template::Blue => "blue",
            Template::Green => "green",
            Template::Orange => "orange",
            Template::Red => "red",
            Template::Grey => "grey",
        }
    }
}

impl Notice<'_> {
    /// The whole card, JSON 2.0, at most [`CARD_BYTES_MAX`] bytes.
    pub fn render(&self) -> Value {
        let dialect = to_dialect(self.text);
        let text = split(&dialect, CARD_BYTES_MAX - 2_000, TABLES_MAX);
        let text = text.first().map_or("", String::as_str);
        let sentence = first_sentence(text, SUMMARY_CHARS_MAX);
        let mut card = json!({
            "schema": "2.0",
            "config": {
                "update_multi": true,
                "summary": {"content": self.title.map_or(sentence, |title| shorten(title, SUMMARY_CHARS_MAX))},
            },
            "body": {"elements": [markdown("notice", text)]},
        });
        if let Some(title) = self.title {
            card["header"] = json!({
                "title": {"tag": "plain_text", "content": shorten(title, TITLE_CHARS_MAX)},
                "template": self.template.name(),
            });
        }
        card
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::bot::card::size_bytes;

    #[test]
    fn a_notice_with_a_title_has_a_header() {
        let notice = Notice {
            title: Some("New session"),
            text: "What was said before is *forgotten*.",
            template: Template::Green,
        };
        assert_json_snapshot!(notice.render(), @r#"
        {
          "body": {
            "elements": [
              {
                "content": "What was said before is *forgotten*.",
                "element_id": "notice",
                "tag": "markdown"
              }
            ]
          },
          "config": {
            "summary": {
              "content": "New session"
            },
            "update_multi": true
          },
          "header": {
            "template": "green",
            "title": {
              "content": "New session",
              "tag": "plain_text"
            }
          },
          "schema": "2.0"
        }
        "#);
    }

    #[test]
    fn a_notice_without_a_title_has_none() {
        let notice = Notice {
            title: None,
            text: "好的。已停止。",
            template: Template::Grey,
        };
        let card = notice.render();
        assert!(card.get("header").is_none());
        assert_eq!(card["config"]["summary"]["content"], "好的。");
    }

    #[test]
    fn a_long_notice_still_fits() {
        let text = "一段很长的话。\n\n".repeat(5_000);
        let title = "题".repeat(5_000);
        let notice = Notice {
            title: Some(&title),
            text: &text,
            template: Template::Red,
        };
        let size = size_bytes(&notice.render());
        assert!(size <= CARD_BYTES_MAX, "{size}");
    }
}
