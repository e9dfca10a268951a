//! What happened to an incident, as one line for its room.
//!
//! People do a few things within seconds, and alerts come by the dozen: what comes together is told together,
//! alerts as numbers, and whoever was told as one list. The sentences are those of the incident's card.

use std::collections::HashMap;

use crate::{
    bot::{
        card::{incident, shorten},
        markdown::escape,
    },
    config::Language,
    incident::{Entry, What},
};

use super::words::{either, mark_name};

/// The most parts of one line.
const PARTS_MAX: usize = 12;
/// How much of a marked message is repeated, in characters.
const QUOTE_CHARS_MAX: usize = 200;

/// What a line needs to know beside the entries.
pub(super) struct Telling<'a> {
    /// How single entries are told.
    pub sentences: incident::Telling<'a>,
    /// What marked messages say.
    pub messages: &'a HashMap<String, String>,
}

/// The line, or nothing where nothing in it is for the room.
pub(super) fn line(entries: &[Entry], telling: &Telling<'_>) -> Option<String> {
    let mut line = Line {
        telling,
        parts: Vec::new(),
        fired: 0,
        recovered: 0,
        paged: Vec::new(),
    };
    for entry in incident::without_echoes(entries) {
        line.add(entry);
    }
    line.finish()
}

struct Line<'a> {
    telling: &'a Telling<'a>,
    parts: Vec<String>,
    fired: u32,
    recovered: u32,
    paged: Vec<String>,
}

impl Line<'_> {
    fn add(&mut self, entry: &Entry) {
        match &entry.what {
            What::AlertFired { .. } => self.fired += 1,
            What::AlertRecovered { .. } => self.recovered += 1,
            What::Paged { who, .. } => {
                let name = self.telling.sentences.names.of(who);
                if !self.paged.contains(&name) {
                    self.paged.push(name);
                }
            }
            // The first message, the card, the group itself or the answer to the command says it.
            What::Opened { .. }
            | What::AlertAcknowledged { .. }
            | What::AlertLate { .. }
            | What::AlertsCounted { .. }
            | What::ChatTold { .. }
            | What::RoomOpened { .. }
            | What::RoomGone { .. }
            | What::RoleTaken { .. } => {}
            What::Marked { message, mark } => {
                let part = self.mark(entry, mark, message, "marked as", "标记为");
                self.parts.push(part);
            }
            What::Unmarked { message, mark } => {
                let part = self.mark(entry, mark, message, "no longer marks as", "不再标记为");
                self.parts.push(part);
            }
            _ => self.parts.push(self.telling.sentences.sentence(entry)),
        }
    }

    /// A message was marked, or is not any more.
    fn mark(
        &self,
        entry: &Entry,
        mark: &str,
        message: &str,
        english: &str,
        chinese: &str,
    ) -> String {
        let sentences = &self.telling.sentences;
        let (who, language) = (
            sentences.names.of_actor(&entry.by, sentences.language),
            sentences.language,
        );
        let (verb, mark) = (
            either(language, english, chinese),
            mark_name(mark, language),
        );
        let colon = either(language, ": ", "：");
        let space = either(language, " ", "");
        match self.telling.messages.get(message) {
            Some(text) => format!("{who} {verb}{space}{mark}{colon}{}", quote(text)),
            None => format!("{who} {verb}{space}{mark}"),
        }
    }

    fn finish(mut self) -> Option<String> {
        let language = self.telling.sentences.language;
        let count = |number: u32, english: &str, chinese: &str| match (number, language) {
            (0, _) => None,
            (1, Language::En) => Some(format!("1 alert {english}")),
            (number, Language::En) => Some(format!("{number} alerts {english}")),
            (number, Language::Zh) => Some(format!("{number} 条告警{chinese}")),
        };
        let alerts = [
            count(self.fired, "fired", "触发"),
            count(self.recovered, "recovered", "恢复"),
        ];
        let mut parts: Vec<String> = alerts.into_iter().flatten().collect();
        if !self.paged.is_empty() {
            parts.push(match language {
                Language::En => format!("told {}", self.paged.join(", ")),
                Language::Zh => format!("已通知 {}", self.paged.join("、")),
            });
        }
        parts.append(&mut self.parts);
        if parts.is_empty() {
            return None;
        }
        let left_out = parts.len().saturating_sub(PARTS_MAX);
        parts.truncate(PARTS_MAX);
        if left_out > 0 {
            parts.push(match language {
                Language::En => format!("and {left_out} more, see /timeline"),
                Language::Zh => format!("另有 {left_out} 项，见 /时间线"),
            });
        }
        let line = parts.join(either(language, "; ", "；"));
        Some(escape(&line))
    }
}

/// Something that somebody wrote, on one line.
fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("“{}”", shorten(&line, QUOTE_CHARS_MAX))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;
    use crate::incident::{By, Channel, PersonId, alert::AlertKey, severity::Severity};

    fn told(language: Language, entries: Vec<(By, What)>) -> String {
        let at: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        let entries: Vec<Entry> = (1..)
            .zip(entries)
            .map(|(number, (by, what))| Entry {
                number,
                at,
                noted_at: at,
                by,
                what,
            })
            .collect();
        let messages = HashMap::from([("om_a".to_owned(), "roll\nback".to_owned())]);
        let names = incident::Names::default();
        let telling = Telling {
            sentences: incident::Telling {
                names: &names,
                zone: &TimeZone::UTC,
                now: at,
                language,
            },
            messages: &messages,
        };
        line(&entries, &telling).unwrap_or_default()
    }

    fn lei() -> By {
        By::person("*lei*", Channel::Card)
    }

    fn some() -> Vec<(By, What)> {
        let fired = || What::AlertFired {
            key: AlertKey::digest(&["a"]),
            title: "t".into(),
            severity: Severity::Error,
            again: false,
        };
        let paged = |who: &str| What::Paged {
            who: PersonId(who.into()),
            level: 1,
        };
        let mark = "decision".to_owned();
        vec![
            (By::monitor("prom"), fired()),
            (By::clock(), paged("mei")),
            (By::monitor("prom"), fired()),
            (By::clock(), paged("tao")),
            (By::clock(), paged("mei")),
            (lei(), What::Acknowledged),
            (
                lei(),
                What::Marked {
                    message: "om_a".into(),
                    mark,
                },
            ),
        ]
    }

    #[test]
    fn what_comes_together_is_one_line() {
        assert_snapshot!(told(Language::En, some()), @"2 alerts fired; told mei, tao; &#42;lei&#42; acknowledged it; &#42;lei&#42; marked as decision: “roll back”");
        assert_snapshot!(told(Language::Zh, some()), @"2 条告警触发；已通知 mei、tao；&#42;lei&#42; 已认领；&#42;lei&#42; 标记为决定：“roll back”");
    }

    #[test]
    fn what_is_not_for_the_room_is_not_told_and_a_long_line_is_cut() {
        let opened = What::RoomOpened {
            chat: "oc_a".into(),
            name: "n".into(),
        };
        assert_eq!(told(Language::En, vec![(By::clock(), opened)]), "");
        let many = vec![(lei(), What::Acknowledged); 20];
        assert!(told(Language::En, many).ends_with("and 8 more, see /timeline"));
    }
}
