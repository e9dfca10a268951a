//! All there is to know of an incident, as Markdown: what Details shows, and what the model is told.

use super::{Status, Telling, View, severity_word, without_echoes};
use crate::{
    bot::{markdown::escape, times},
    config::Language,
    incident::Tracked,
};

use super::super::shorten;

const ALERTS_SHOWN: usize = 25;
const ENTRIES_SHOWN: usize = 40;
const VALUES_SHOWN: usize = 3;
const TEXT_CHARS_MAX: usize = 160;
const LABEL_CHARS_MAX: usize = 100;

/// An incident with everything that belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// The incident.
    pub view: View<'a>,
    /// Its alerts.
    pub alerts: &'a [Tracked],
    /// The language.
    pub language: Language,
}

impl Story<'_> {
    /// The whole story.
    pub fn text(&self) -> String {
        let mut text = self.facts();
        if !self.alerts.is_empty() {
            text.push_str(&format!("\n\n{}", self.alerts()));
        }
        text.push_str("\n\n");
        text.push_str(&self.timeline());
        text
    }

    /// What happened, the newest last.
    pub fn timeline(&self) -> String {
        let telling = Telling {
            names: self.view.names,
            zone: self.view.zone,
            now: self.view.now,
            language: self.language,
        };
        let entries = self.view.tail;
        let newest = &entries[entries.len().saturating_sub(ENTRIES_SHOWN)..];
        let all = usize::try_from(self.view.case.incident.entries).unwrap_or(usize::MAX);
        let earlier = all.saturating_sub(newest.len());
        let shown = without_echoes(newest);
        let mut text = match self.language {
            Language::En => "**Timeline**".to_owned(),
            Language::Zh => "**时间线**".to_owned(),
        };
        if earlier > 0 {
            text.push_str(&self.both(
                format!(" ({earlier} earlier)"),
                format!("（更早的 {earlier} 条未列出）"),
            ));
        }
        text.push('\n');
        for entry in shown {
            text.push_str(&format!("\n- {}", escape(&telling.line(entry))));
        }
        text
    }

    fn facts(&self) -> String {
        let incident = &self.view.case.incident;
        let full = |at| times::in_full(at, self.view.zone);
        let status = Status::of(incident).words().in_language(self.language);
        let severity = severity_word(incident.severity, self.language);
        let worst = severity_word(incident.severity_max, self.language);
        let mut facts = vec![
            self.fact("Status", "状态", &status),
            match severity == worst {
                true => self.fact("Severity", "级别", severity),
                false => self.both(
                    format!("- **Severity:** {severity}, {worst} at its worst"),
                    format!("- **级别：**{severity}，最高{worst}"),
                ),
            },
            self.fact("Began", "开始", &full(incident.started_at)),
        ];
        let times = [
            (
                incident.first_acknowledged_at,
                "First acknowledged",
                "首次认领",
            ),
            (incident.resolved_at, "Resolved", "解决"),
        ];
        for (at, english, chinese) in times {
            if let Some(at) = at {
                let took = at.duration_since(incident.opened_at).unsigned_abs();
                let took = times::lasted(self.language, took);
                let text = self.both(
                    format!("{}, {took} after it was reported", full(at)),
                    format!("{}，报告后 {took}", full(at)),
                );
                facts.push(self.fact(english, chinese, &text));
            }
        }
        let people: Vec<String> = incident
            .responders
            .iter()
            .map(|person| escape(&shorten(&self.view.names.of(person), LABEL_CHARS_MAX)))
            .collect();
        if !people.is_empty() {
            facts.push(self.fact("On it", "处理人", &people.join(", ")));
        }
        if !incident.impact.is_empty() {
            facts.push(self.fact("Impact", "影响", &escape(&shorten(&incident.impact, 400))));
        }
        let labels: Vec<String> = incident
            .labels
            .iter()
            .take(20)
            .map(|(name, value)| escape(&shorten(&format!("{name}={value}"), LABEL_CHARS_MAX)))
            .collect();
        if !labels.is_empty() {
            facts.push(self.fact("Labels of all its alerts", "共同标签", &labels.join(", ")));
        }
        facts.join("\n")
    }

    fn alerts(&self) -> String {
        let incident = &self.view.case.incident;
        // What fires comes first, the newest of it first.
        let mut alerts: Vec<&Tracked> = self.alerts.iter().collect();
        alerts.sort_by_key(|alert| (!alert.is_firing(), std::cmp::Reverse(alert.received_at)));
        let (firing, total) = (incident.firing.total(), incident.alerts);
        let mut text = self.both(
            format!("**Alerts:** {firing} firing, {total} in all\n"),
            format!("**告警：**{firing} 条触发中，共 {total} 条\n"),
        );
        for alert in alerts.iter().take(ALERTS_SHOWN) {
            text.push_str(&format!("\n- {}", self.alert(alert)));
        }
        let more = usize::try_from(total)
            .unwrap_or(usize::MAX)
            .saturating_sub(alerts.len().min(ALERTS_SHOWN));
        if more > 0 {
            text.push_str(&self.both(
                format!("\n- and {more} more"),
                format!("\n- 另有 {more} 条"),
            ));
        }
        text
    }

    fn alert(&self, tracked: &Tracked) -> String {
        let alert = &tracked.alert;
        let severity = severity_word(alert.severity, self.language);
        let at = alert.starts_at.unwrap_or(tracked.received_at);
        let since = times::in_short(at, self.view.now, self.view.zone);
        let state = match tracked.is_firing() {
            true => self.both(
                format!("{severity}, since {since}"),
                format!("{severity}，{since} 起"),
            ),
            false => self.both(
                format!("{severity}, recovered"),
                format!("{severity}，已恢复"),
            ),
        };
        let mut words = vec![shorten(&alert.title, TEXT_CHARS_MAX)];
        let first_line = alert.description.lines().next().unwrap_or_default().trim();
        if !first_line.is_empty() && first_line != alert.title {
            words.push(shorten(first_line, TEXT_CHARS_MAX));
        }
        for (name, value) in alert.values.iter().take(VALUES_SHOWN) {
            words.push(shorten(&format!("{name} = {value}"), LABEL_CHARS_MAX));
        }
        let words = escape(&words.join(" · "));
        self.both(format!("{state}: {words}"), format!("{state}：{words}"))
    }

    fn fact(&self, english: &str, chinese: &str, text: &str) -> String {
        self.both(
            format!("- **{english}:** {text}"),
            format!("- **{chinese}：**{text}"),
        )
    }

    fn both(&self, english: String, chinese: String) -> String {
        match self.language {
            Language::En => english,
            Language::Zh => chinese,
        }
    }
}
