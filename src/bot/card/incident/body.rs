//! What an incident's card says, above its buttons.

use serde_json::{Value, json};

use super::{
    super::{grey, markdown, shorten, small_markdown},
    Status, TAIL, Telling, View, open_id, severity_word, without_echoes,
    words::Words,
};
use crate::{
    bot::{
        incidents::{Place, RoomState, Unreached, Why},
        markdown::{escape, link},
        times,
    },
    config::Language,
    incident::{
        Incident, PersonId, State, Tracked, alert::Links, labels::Labels, severity::Severity,
    },
};

const ON_IT_SHOWN: usize = 10;
const LABELS_SHOWN: usize = 8;
const LABEL_CHARS_MAX: usize = 80;
const IMPACT_CHARS_MAX: usize = 300;
const DESCRIPTION_LINES_MAX: usize = 6;
const DESCRIPTION_CHARS_MAX: usize = 200;
const VALUES_SHOWN: usize = 6;
const LINKS_SHOWN: usize = 8;
/// All addresses together: a monitor's can be long, and a card has little room.
const LINKS_BYTES_MAX: usize = 6_000;
const UNREACHED_SHOWN: usize = 5;

/// Labels that say where something is, in the order in which people ask.
const FIRST_LABELS: &[&str] = &[
    "service",
    "app",
    "application",
    "job",
    "team",
    "env",
    "environment",
    "cluster",
    "region",
    "zone",
    "namespace",
    "host",
    "instance",
    "pod",
];

/// Labels that the card says otherwise.
const HIDDEN_LABELS: &[&str] = &["alertname", "severity", "priority", "level"];

/// What stands above the buttons.
pub(super) struct Body<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) language: Language,
    pub(super) briefly: bool,
}

impl Body<'_> {
    pub(super) fn elements(&self) -> Vec<Value> {
        let mut elements = vec![markdown("facts", &self.facts().join("\n"))];
        let notes = self.notes();
        if !notes.is_empty() {
            elements.push(small_markdown("notes", &notes.join("\n")));
        }
        if !self.briefly
            && let Some(latest) = self.view.latest
        {
            elements.push(markdown("latest", &self.latest(latest).join("\n")));
            let links = self.links(&latest.alert.links);
            if !links.is_empty() {
                elements.push(small_markdown("links", &links.join(" · ")));
            }
        }
        let tail = self.tail();
        if !tail.is_empty() && !self.briefly {
            elements.push(json!({"tag": "hr"}));
            elements.push(small_markdown("timeline", &tail.join("\n")));
        }
        elements
    }

    fn facts(&self) -> Vec<String> {
        let incident = self.incident();
        let mut facts = vec![self.since(), self.state()];
        if !incident.responders.is_empty() {
            let (english, chinese) = match Status::of(incident) {
                // Who gave it back, or was asked for help, does not have it.
                Status::Triggered => ("Involved", "参与人"),
                _ => ("On it", "处理人"),
            };
            facts.push(self.fact(english, chinese, &self.on_it()));
        }
        if incident.alerts > 0 {
            facts.push(self.fact("Alerts", "告警", &self.counts()));
        }
        let labels = self.labels(&incident.labels);
        if !labels.is_empty() && !self.briefly {
            facts.push(self.fact("Labels", "标签", &labels));
        }
        if !incident.impact.is_empty() && !self.briefly {
            let impact = escape(&shorten(&incident.impact, IMPACT_CHARS_MAX));
            facts.push(self.fact("Impact", "影响", &impact));
        }
        facts.extend(self.room());
        facts
    }

    fn since(&self) -> String {
        let at = self.incident().started_at;
        self.fact("Since", "开始时间", &times::in_full(at, self.view.zone))
    }

    fn state(&self) -> String {
        let incident = self.incident();
        let short = |at| times::in_short(at, self.view.now, self.view.zone);
        match (Status::of(incident), &incident.state) {
            (Status::Merged, _) => match self.view.merged_into {
                Some(number) => self.both(
                    format!("Turned out to be **#{number}**, which goes on."),
                    format!("已合并到 **#{number}**，请到该故障处理。"),
                ),
                None => self.both(
                    "Turned out to be another incident.".to_owned(),
                    "已合并到其他故障。".to_owned(),
                ),
            },
            (_, State::Snoozed { until, .. }) => {
                self.fact("Snoozed until", "暂缓至", &short(*until))
            }
            (Status::Resolved, _) => self.resolved(),
            _ if incident.recovering_since.is_some() => self.recovering(),
            _ => match &incident.acknowledged {
                Some(had) => {
                    let name = escape(&self.view.names.of_actor(&had.by, self.language));
                    let at = short(had.at);
                    self.both(
                        format!("**Acknowledged** by {name}, {at}"),
                        format!("**已认领**　{name}，{at}"),
                    )
                }
                None => self.both("**Nobody has it yet.**".into(), "**尚无人认领。**".into()),
            },
        }
    }

    fn recovering(&self) -> String {
        let since = self.incident().recovering_since.unwrap_or(self.view.now);
        let at = times::in_short(since, self.view.now, self.view.zone);
        self.both(
            format!("Nothing fires since {at}. It is resolved when that stays so."),
            format!("{at} 起告警已全部恢复，持续无告警后自动解决。"),
        )
    }

    fn resolved(&self) -> String {
        let incident = self.incident();
        let at = incident.resolved_at.unwrap_or(incident.started_at);
        let lasted = at.duration_since(incident.started_at).unsigned_abs();
        let (at, lasted) = (
            times::in_short(at, self.view.now, self.view.zone),
            times::lasted(self.language, lasted),
        );
        let (by_hand, by_hand_zh) = match incident.closed_by_hand {
            true => (", closed by hand", "，人工关闭"),
            false => ("", ""),
        };
        self.both(
            format!("**Resolved** {at}, after {lasted}{by_hand}"),
            format!("**已解决**　{at}，历时 {lasted}{by_hand_zh}"),
        )
    }

    fn on_it(&self) -> String {
        let responders = &self.incident().responders;
        let shown = responders.iter().take(ON_IT_SHOWN).map(mention);
        let mut names: Vec<String> = shown.collect();
        if let Some(more) = responders
            .len()
            .checked_sub(ON_IT_SHOWN)
            .filter(|more| *more > 0)
        {
            names.push(format!("+{more}"));
        }
        names.join(" ")
    }

    fn counts(&self) -> String {
        let incident = self.incident();
        let (firing, total) = (incident.firing.total(), incident.alerts);
        let of_each = Severity::ALL.into_iter().rev().filter_map(|severity| {
            let count = incident.firing.of(severity);
            let word = severity_word(severity, self.language);
            (count > 0).then(|| match self.language {
                Language::En => format!("{count} {}", word.to_lowercase()),
                Language::Zh => format!("{word} {count}"),
            })
        });
        let of_each: Vec<String> = of_each.collect();
        let of_each = match of_each.is_empty() {
            true => String::new(),
            false => self.both(
                format!(" ({})", of_each.join(", ")),
                format!("（{}）", of_each.join("，")),
            ),
        };
        self.both(
            format!("{firing} firing{of_each}, {total} in all"),
            format!("{firing} 条触发中{of_each}，共 {total} 条"),
        )
    }

    fn labels(&self, labels: &Labels) -> String {
        let rank = |name: &str| {
            let known = FIRST_LABELS.iter().position(|first| *first == name);
            known.unwrap_or(FIRST_LABELS.len())
        };
        let matters = |(name, _): &(&String, &String)| {
            !HIDDEN_LABELS.contains(&name.as_str()) && !name.starts_with("__")
        };
        let mut chosen: Vec<(&String, &String)> = labels.iter().filter(matters).collect();
        chosen.sort_by_key(|(name, _)| rank(name));
        let more = chosen.len().saturating_sub(LABELS_SHOWN);
        let mut shown: Vec<String> = chosen
            .iter()
            .take(LABELS_SHOWN)
            .map(|(name, value)| escape(&shorten(&format!("{name}={value}"), LABEL_CHARS_MAX)))
            .collect();
        if more > 0 {
            shown.push(format!("+{more}"));
        }
        shown.join(" · ")
    }

    fn room(&self) -> Option<String> {
        if self.is_in_room() {
            return None;
        }
        let room = self.view.case.room.as_ref()?;
        let name = match room.name.is_empty() {
            true => Words::WarRoom.in_language(self.language),
            false => shorten(&room.name, LABEL_CHARS_MAX),
        };
        let shown = match room.state {
            RoomState::Wanted => self.both("being opened".into(), "创建中".into()),
            RoomState::Open => {
                let linked = self.view.room_link.and_then(|address| link(&name, address));
                linked.unwrap_or_else(|| escape(&name))
            }
            RoomState::Gone => self.both(
                "dissolved; what was said there is kept".into(),
                "已解散，聊天记录已保留".into(),
            ),
        };
        Some(self.fact("War room", "作战室", &shown))
    }

    fn is_in_room(&self) -> bool {
        self.view
            .place
            .is_some_and(|place| self.view.case.is_room(place))
    }

    /// What is not as it should be.
    fn notes(&self) -> Vec<String> {
        let case = self.view.case;
        let mut notes = Vec::new();
        let is_group = matches!(self.view.place, Some(Place::Chat(_)));
        if case.unrouted && is_group && !self.is_in_room() {
            notes.push(self.both(
                "No route takes this incident, so it is shown in this group.".into(),
                "没有路由规则匹配此故障，因此发送到本群。".into(),
            ));
        }
        if let Some(until) = self.view.silenced_until {
            let at = times::in_short(until, self.view.now, self.view.zone);
            notes.push(self.both(
                format!("Alerts like these are silenced until {at}."),
                format!("同类告警已静默至 {at}。"),
            ));
        }
        if !case.unreached.is_empty() && case.incident.is_open() {
            let list = case.unreached.iter().rev().take(UNREACHED_SHOWN);
            let list: Vec<String> = list.map(|one| self.unreached(one)).collect();
            notes.push(self.both(
                format!("Could not be told: {}.", list.join("; ")),
                format!("未能通知：{}。", list.join("；")),
            ));
        }
        let orange = |note: String| format!("<font color='orange'>{note}</font>");
        notes.into_iter().map(orange).collect()
    }

    fn unreached(&self, one: &Unreached) -> String {
        let who = PersonId(one.who.clone());
        let who = escape(&shorten(&self.view.names.of(&who), LABEL_CHARS_MAX));
        match one.why {
            Why::Unlinked => self.both(
                format!("{who} (no account is linked: they can send me /link me)"),
                format!("{who}（未绑定账号，请本人发送 /绑定 我）"),
            ),
            Why::NobodyOnCall => self.both(
                format!("{who} (nobody is on call)"),
                format!("{who}（无人值班）"),
            ),
            Why::Refused => self.both(
                format!("{who} (the platform does not let me write to them)"),
                format!("{who}（平台不允许我发消息）"),
            ),
        }
    }

    fn latest(&self, latest: &Tracked) -> Vec<String> {
        let alert = &latest.alert;
        let at = times::in_short(latest.received_at, self.view.now, self.view.zone);
        let ended = match latest.is_firing() {
            true => String::new(),
            false => self.both(", recovered".into(), "，已恢复".into()),
        };
        let mut lines = vec![self.both(
            format!("**Latest alert**, {at}{ended}"),
            format!("**最新告警**　{at}{ended}"),
        )];
        if alert.title != self.incident().title {
            lines.push(escape(&shorten(&alert.title, DESCRIPTION_CHARS_MAX)));
        }
        let words = alert.description.lines().map(str::trim);
        let words = words.filter(|line| !line.is_empty() && *line != alert.title);
        let words = words.take(DESCRIPTION_LINES_MAX);
        lines.extend(words.map(|line| escape(&shorten(line, DESCRIPTION_CHARS_MAX))));
        let values = alert.values.iter().take(VALUES_SHOWN);
        let values: Vec<String> = values
            .map(|(name, value)| escape(&shorten(&format!("{name} = {value}"), LABEL_CHARS_MAX)))
            .collect();
        if !values.is_empty() {
            lines.push(values.join(" · "));
        }
        lines
    }

    fn links(&self, links: &Links) -> Vec<String> {
        let ours = [
            (&links.runbook, Words::Runbook),
            (&links.dashboard, Words::Dashboard),
            (&links.panel, Words::Panel),
            (&links.source, Words::Source),
            (&links.silence, Words::SilenceThere),
            (&links.image, Words::Image),
        ];
        let ours = ours.into_iter().filter_map(|(address, words)| {
            let address = address.as_deref()?;
            link(&words.in_language(self.language), address)
        });
        let others = links.others.iter().filter_map(|other| {
            let text = match other.text.trim() {
                "" => &other.url,
                text => text,
            };
            link(&shorten(text, 40), &other.url)
        });
        let mut room = LINKS_BYTES_MAX;
        let fits = |shown: &String| match room.checked_sub(shown.len()) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        };
        ours.chain(others).filter(fits).take(LINKS_SHOWN).collect()
    }

    fn tail(&self) -> Vec<String> {
        let entries = without_echoes(self.view.tail);
        let telling = Telling {
            names: self.view.names,
            zone: self.view.zone,
            now: self.view.now,
            language: self.language,
        };
        let newest = &entries[entries.len().saturating_sub(TAIL)..];
        let lines = newest.iter().copied().map(|entry| telling.line(entry));
        lines.map(|line| grey(&escape(&line))).collect()
    }

    fn incident(&self) -> &Incident {
        &self.view.case.incident
    }

    fn fact(&self, english: &str, chinese: &str, text: &str) -> String {
        self.both(
            format!("**{english}:** {text}"),
            format!("**{chinese}**　{text}"),
        )
    }

    fn both(&self, english: String, chinese: String) -> String {
        match self.language {
            Language::En => english,
            Language::Zh => chinese,
        }
    }
}

/// Somebody by a mention, which tells them. Only an id that looks like one is written into a tag.
pub fn mention(person: &PersonId) -> String {
    let is_id = |id: &str| {
        id.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    match open_id(person).filter(|id| is_id(id.as_str())) {
        Some(id) => format!("<at id={id}></at>"),
        None => escape(&shorten(&person.0, LABEL_CHARS_MAX)),
    }
}
