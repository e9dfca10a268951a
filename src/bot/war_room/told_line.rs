//! What happened to an incident, as one line for its room.
//!
//! People do a few things within seconds, and alerts come by the dozen: what comes together is told together,
//! alerts as numbers, and whoever was told as one list.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    bot::{card::shorten, markdown::escape},
    config::Language,
    incident::{Actor, Entry, PersonId, What},
};

use super::words::{mark_name, role_name, severity_name};

/// The most parts of one line.
const PARTS_MAX: usize = 12;
/// How much of a text that somebody wrote is repeated, in characters.
const QUOTE_CHARS_MAX: usize = 200;

/// What a line needs to know beside the entries.
pub(super) struct Telling<'a> {
    /// The room's language.
    pub language: Language,
    /// What people are called.
    pub names: &'a HashMap<PersonId, String>,
    /// What marked messages say.
    pub messages: &'a HashMap<String, String>,
    /// The zone of times.
    pub zone: &'a TimeZone,
}

/// Everybody who is named by these entries.
pub(super) fn people(entries: &[Entry]) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = Vec::new();
    for entry in entries {
        let actor = match &entry.by.actor {
            Actor::Person(person) => Some(person),
            Actor::Monitor(_) | Actor::Nightjar => None,
        };
        let named = match &entry.what {
            What::Assigned { to: who }
            | What::ResponderAdded { who }
            | What::Paged { who, .. }
            | What::PageFailed { who, .. }
            | What::RoleTaken { who, .. } => Some(who),
            _ => None,
        };
        for person in actor.into_iter().chain(named) {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
    }
    people
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
    for entry in entries {
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
                let name = self.name(who);
                if !self.paged.contains(&name) {
                    self.paged.push(name);
                }
            }
            what => {
                let who = match &entry.by.actor {
                    Actor::Person(person) => Some(self.name(person)),
                    Actor::Monitor(_) | Actor::Nightjar => None,
                };
                let part = match self.telling.language {
                    Language::En => self.english(what, who.as_deref(), &entry.by.actor),
                    Language::Zh => self.chinese(what, who.as_deref(), &entry.by.actor),
                };
                self.parts.extend(part);
            }
        }
    }

    fn finish(mut self) -> Option<String> {
        let language = self.telling.language;
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
                Language::En => format!("and {left_out} more, see the timeline"),
                Language::Zh => format!("另有 {left_out} 项，见时间线"),
            });
        }
        Some(parts.join(match language {
            Language::En => "; ",
            Language::Zh => "；",
        }))
    }

    fn name(&self, person: &PersonId) -> String {
        let known = self.telling.names.get(person);
        escape(known.map_or(person.0.as_str(), String::as_str))
    }

    fn time(&self, at: Timestamp) -> String {
        let at = at.to_zoned(self.telling.zone.clone());
        at.strftime("%m-%d %H:%M").to_string()
    }

    fn message(&self, id: &str) -> String {
        self.telling
            .messages
            .get(id)
            .map(|text| quote(text))
            .unwrap_or_default()
    }

    fn english(&self, what: &What, who: Option<&str>, actor: &Actor) -> Option<String> {
        let somebody = who.unwrap_or("Nightjar");
        Some(match what {
            What::Acknowledged => format!("{somebody} acknowledged it"),
            What::Unacknowledged => format!("{somebody} gave it back: nobody has it now"),
            What::Snoozed { until } => format!("{somebody} put it off until {}", self.time(*until)),
            What::Woke { worse: true } => "it is back, because it became worse".to_owned(),
            What::Woke { worse: false } => "it is back: the time is over".to_owned(),
            What::Resolved { firing } => match (who, firing) {
                (Some(who), 0) => format!("{who} closed it"),
                (Some(who), firing) => format!("{who} closed it, while {firing} alerts still fire"),
                (None, _) => "it is resolved: nothing fires any more".to_owned(),
            },
            What::Reopened { reason } => match who {
                Some(who) => format!("{who} reopened it: {}", quote(reason)),
                None => "it is open again: an alert of it fires again".to_owned(),
            },
            What::Recovering => {
                "nothing fires any more; it is resolved if that stays so".to_owned()
            }
            What::Relapsed => "something fires again".to_owned(),
            What::SeverityChanged { from, to } => match who {
                Some(who) => format!("{who} changed the severity from {from} to {to}"),
                None => format!("the severity went from {from} to {to}"),
            },
            What::Assigned { to } if is_actor(actor, to) => format!("{somebody} took it"),
            What::Assigned { to } => format!("{somebody} gave it to {}", self.name(to)),
            What::ResponderAdded { who } if is_actor(actor, who) => format!("{somebody} joined"),
            What::ResponderAdded { who } => format!("{somebody} added {}", self.name(who)),
            What::Commented { text } => format!("{somebody} noted {}", quote(text)),
            What::TitleChanged { to } => format!("{somebody} changed the title to {}", quote(to)),
            What::ImpactChanged { to } => format!("{somebody} wrote the impact: {}", quote(to)),
            What::Absorbed { number, .. } => format!("#{number} is part of this incident now"),
            What::MergedInto { number, .. } => format!("this incident is part of #{number} now"),
            What::Escalated { level } => match who {
                Some(who) => format!("{who} asked for level {level}"),
                None => format!("nobody answered, so level {level} is told"),
            },
            What::PageFailed { who, .. } => format!("{} could not be told", self.name(who)),
            What::ChangeSeen { title, .. } => format!("something was changed: {}", quote(title)),
            What::RoleTaken { role, who } => {
                format!(
                    "{} is {} now",
                    self.name(who),
                    role_name(role, Language::En)
                )
            }
            What::Marked { message, mark } => {
                let mark = mark_name(mark, Language::En);
                format!("{somebody} marked as {mark}: {}", self.message(message))
            }
            What::Unmarked { message, mark } => {
                let mark = mark_name(mark, Language::En);
                format!(
                    "{somebody} took the mark {mark} from {}",
                    self.message(message)
                )
            }
            _ => return None,
        })
    }

    fn chinese(&self, what: &What, who: Option<&str>, actor: &Actor) -> Option<String> {
        let somebody = who.unwrap_or("Nightjar");
        Some(match what {
            What::Acknowledged => format!("{somebody} 已确认"),
            What::Unacknowledged => format!("{somebody} 取消了确认，现在无人处理"),
            What::Snoozed { until } => format!("{somebody} 暂缓处理至 {}", self.time(*until)),
            What::Woke { worse: true } => "情况变严重，已结束暂缓".to_owned(),
            What::Woke { worse: false } => "暂缓时间已到，重新处理".to_owned(),
            What::Resolved { firing } => match (who, firing) {
                (Some(who), 0) => format!("{who} 关闭了故障"),
                (Some(who), firing) => format!("{who} 关闭了故障，仍有 {firing} 条告警在触发"),
                (None, _) => "故障已恢复：不再有告警触发".to_owned(),
            },
            What::Reopened { reason } => match who {
                Some(who) => format!("{who} 重新打开：{}", quote(reason)),
                None => "告警再次触发，故障重新打开".to_owned(),
            },
            What::Recovering => "不再有告警触发，保持一段时间后即视为恢复".to_owned(),
            What::Relapsed => "又有告警触发".to_owned(),
            What::SeverityChanged { from, to } => {
                let (from, to) = (
                    severity_name(*from, Language::Zh),
                    severity_name(*to, Language::Zh),
                );
                match who {
                    Some(who) => format!("{who} 将级别从{from}改为{to}"),
                    None => format!("级别从{from}变为{to}"),
                }
            }
            What::Assigned { to } if is_actor(actor, to) => format!("{somebody} 接手处理"),
            What::Assigned { to } => format!("{somebody} 指派给 {}", self.name(to)),
            What::ResponderAdded { who } if is_actor(actor, who) => format!("{somebody} 加入处理"),
            What::ResponderAdded { who } => format!("{somebody} 添加了处理人 {}", self.name(who)),
            What::Commented { text } => format!("{somebody} 记录：{}", quote(text)),
            What::TitleChanged { to } => format!("{somebody} 将标题改为 {}", quote(to)),
            What::ImpactChanged { to } => format!("{somebody} 填写影响：{}", quote(to)),
            What::Absorbed { number, .. } => format!("#{number} 已并入本故障"),
            What::MergedInto { number, .. } => format!("本故障已并入 #{number}"),
            What::Escalated { level } => match who {
                Some(who) => format!("{who} 升级到第 {level} 级"),
                None => format!("无人响应，升级到第 {level} 级"),
            },
            What::PageFailed { who, .. } => format!("未能通知 {}", self.name(who)),
            What::ChangeSeen { title, .. } => format!("有变更：{}", quote(title)),
            What::RoleTaken { role, who } => {
                format!("{} 现在是{}", self.name(who), role_name(role, Language::Zh))
            }
            What::Marked { message, mark } => {
                let mark = mark_name(mark, Language::Zh);
                format!("{somebody} 标记为{mark}：{}", self.message(message))
            }
            What::Unmarked { message, mark } => {
                let mark = mark_name(mark, Language::Zh);
                format!("{somebody} 取消了{mark}标记：{}", self.message(message))
            }
            _ => return None,
        })
    }
}

/// Something that somebody wrote, on one line.
fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("“{}”", escape(&shorten(&line, QUOTE_CHARS_MAX)))
}

fn is_actor(actor: &Actor, person: &PersonId) -> bool {
    matches!(actor, Actor::Person(who) if who == person)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::incident::{By, Channel, alert::AlertKey, severity::Severity};

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
        let names = people(&entries).into_iter();
        let names = names
            .map(|id| (id.clone(), format!("*{}*", id.0)))
            .collect();
        let messages = HashMap::from([("om_a".to_owned(), "roll\nback".to_owned())]);
        let telling = Telling {
            language,
            names: &names,
            messages: &messages,
            zone: &TimeZone::UTC,
        };
        line(&entries, &telling).unwrap_or_default()
    }

    fn lei() -> By {
        By::person("lei", Channel::Card)
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
        vec![
            (By::monitor("prom"), fired()),
            (By::clock(), paged("mei")),
            (By::monitor("prom"), fired()),
            (By::clock(), paged("tao")),
            (By::clock(), paged("mei")),
            (lei(), What::Acknowledged),
            (
                lei(),
                What::Assigned {
                    to: PersonId("lei".into()),
                },
            ),
            (
                lei(),
                What::Marked {
                    message: "om_a".into(),
                    mark: "decision".into(),
                },
            ),
            (
                lei(),
                What::RoleTaken {
                    role: "scribe".into(),
                    who: PersonId("mei".into()),
                },
            ),
        ]
    }

    #[test]
    fn what_comes_together_is_one_line() {
        assert_snapshot!(told(Language::En, some()), @"2 alerts fired; told &#42;mei&#42;, &#42;tao&#42;; &#42;lei&#42; acknowledged it; &#42;lei&#42; took it; &#42;lei&#42; marked as decision: “roll back”; &#42;mei&#42; is scribe now");
        assert_snapshot!(told(Language::Zh, some()), @"2 条告警触发；已通知 &#42;mei&#42;、&#42;tao&#42;；&#42;lei&#42; 已确认；&#42;lei&#42; 接手处理；&#42;lei&#42; 标记为决定：“roll back”；&#42;mei&#42; 现在是记录员");
    }

    #[test]
    fn what_is_not_for_the_room_is_not_told_and_a_long_line_is_cut() {
        let opened = What::RoomOpened {
            chat: "oc_a".into(),
            name: "n".into(),
        };
        assert_eq!(told(Language::En, vec![(By::clock(), opened)]), "");
        let many = vec![(lei(), What::Acknowledged); 20];
        assert!(told(Language::En, many).ends_with("and 8 more, see the timeline"));
    }
}
