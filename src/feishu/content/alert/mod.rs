//! Alert cards as monitoring systems send them, read as labels and values.
//!
//! Every team has its own template, so nothing here knows a layout. A line that is a name and a value is a
//! pair, names are recognised in both languages, and a card with enough of them is an alert. What is not a
//! pair is kept as it stands, so that nothing gets lost by being recognised.

mod pairs;
mod words;

use pairs::{Line, Section};
use words::Field;

/// More alerts than these in one card are counted only.
const ALERTS_MAX: usize = 20;

/// One alert of a card.
#[derive(Debug, Default, PartialEq, Eq)]
struct Alert {
    /// What every alert has, under the names that Prometheus gives them.
    fields: Vec<(Field, String)>,
    /// Everything else that has a name.
    labels: Vec<(String, String)>,
}

/// A card, taken apart.
#[derive(Debug, Default)]
struct Read {
    alerts: Vec<Alert>,
    /// The status that stands above the alerts that follow.
    announced: Option<String>,
    links: Vec<String>,
    others: Vec<String>,
}

/// The text of an alert card, from the lines of a card; nothing where it is no such card.
pub(super) fn read(lines: &[String]) -> Option<String> {
    let mut read = Read::default();
    let mut section = Section::None;
    for line in pairs::lines(lines) {
        read.take(line, &mut section);
    }
    if let Some(last) = read.alerts.last()
        && last.is_empty()
    {
        read.alerts.pop();
    }
    let title = lines.first().map_or("", String::as_str);
    read.is_alert(title).then(|| read.text(title, lines))
}

impl Alert {
    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.labels.is_empty()
    }

    fn has(&self, field: Field) -> bool {
        self.fields.iter().any(|(known, _)| *known == field)
    }

    fn get(&self, field: Field) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(known, _)| *known == field);
        found.map(|(_, value)| value.as_str())
    }

    /// Adds a label, once.
    fn label(&mut self, name: &str, value: &str) {
        let label = (name.to_owned(), value.to_owned());
        if !self.labels.contains(&label) {
            self.labels.push(label);
        }
    }
}

impl Read {
    fn take(&mut self, line: Line, section: &mut Section) {
        match line {
            Line::Section(next) => *section = next,
            Line::Status(status) => {
                *section = Section::None;
                self.announced = Some(status.clone());
                match self.last().has(Field::Status) {
                    true => self.begin(),
                    false => self.last().fields.push((Field::Status, status)),
                }
            }
            Line::Links(links) => {
                self.links.extend(links);
            }
            Line::Pair(name, value) => self.pair(&name, value, section),
            Line::Other(text) => self.others.push(text),
        }
    }

    fn pair(&mut self, name: &str, value: String, section: &mut Section) {
        let known = words::field(name);
        if value.starts_with("http://") || value.starts_with("https://") {
            *section = Section::None;
            return self.links.push(format!("{name} {value}"));
        }
        match known {
            Some(Field::Labels) => {
                for (name, value) in pairs::list(&value) {
                    self.last().label(&name, &value);
                }
            }
            Some(Field::Level) => {
                let (severity, status) = words::level(&value);
                self.begin_where_repeated(Field::Severity, *section);
                let alert = self.last();
                alert.fields.push((Field::Severity, severity));
                if let Some(status) = status {
                    alert.fields.push((Field::Status, status));
                }
            }
            Some(field) => {
                let value = match field {
                    Field::Status => words::status(&value).unwrap_or(value),
                    _ => value,
                };
                self.begin_where_repeated(field, *section);
                self.last().fields.push((field, value));
            }
            None => self.last().label(name, &value),
        }
    }

    /// A value that the alert has already is the next alert's.
    fn begin_where_repeated(&mut self, field: Field, section: Section) {
        // Within its labels and annotations an alert may say again what it said before.
        if section == Section::None && self.last().has(field) {
            self.begin();
        }
    }

    /// The alert that is being read.
    fn last(&mut self) -> &mut Alert {
        if self.alerts.is_empty() {
            self.alerts.push(Alert::default());
        }
        let last = self.alerts.len() - 1;
        &mut self.alerts[last]
    }

    /// Another alert begins, of the status that was announced for those that follow.
    fn begin(&mut self) {
        let announced = self.announced.clone();
        let fields = announced.map(|status| (Field::Status, status));
        self.alerts.push(Alert {
            fields: fields.into_iter().collect(),
            labels: Vec::new(),
        });
    }

    /// Whether this is an alert and not a card that happens to have names and values.
    fn is_alert(&self, title: &str) -> bool {
        let has = |field: Field| self.alerts.iter().any(|alert| alert.has(field));
        let telling = [Field::Alertname, Field::Severity];
        let usual = [
            Field::Alertname,
            Field::Severity,
            Field::Status,
            Field::StartsAt,
            Field::EndsAt,
            Field::Value,
        ];
        let known = usual.into_iter().filter(|field| has(*field)).count();
        let labelled = self.alerts.iter().any(|alert| {
            let mut labels = alert.labels.iter();
            labels.any(|(name, _)| name == "alertname")
        });
        let named = labelled || telling.into_iter().any(has);
        named && known >= 2 || words::is_alert_title(title) && (known >= 1 || labelled)
    }

    fn text(mut self, title: &str, lines: &[String]) -> String {
        // Where only the title says how it stands, it says so for all.
        if let Some(status) = words::status_in_title(title)
            && !self.alerts.iter().any(|alert| alert.has(Field::Status))
        {
            for alert in &mut self.alerts {
                alert.fields.push((Field::Status, status.to_owned()));
            }
        }
        let count = self.alerts.len();
        self.alerts.truncate(ALERTS_MAX);
        let left_out = count - self.alerts.len();
        let source = words::source(lines).map_or_else(String::new, |source| format!(": {source}"));
        let mut text = format!("[alert card{source}]");
        let mut add = |line: &str| {
            text.push('\n');
            text.push_str(line);
        };
        for other in self.others.iter().take(1) {
            add(&format!("title: {other}"));
        }
        let many = count > 1;
        for (place, alert) in self.alerts.iter().enumerate() {
            if many {
                add(&format!("alert {} of {count}:", place + 1));
            }
            for field in Field::SHOWN {
                if let Some(value) = alert.get(field) {
                    add(&format!("{}: {value}", field.name()));
                }
            }
            for (name, value) in &alert.labels {
                add(&format!("{name}: {value}"));
            }
        }
        if left_out > 0 {
            add(&format!(
                "(alerts of this card that are left out: {left_out})"
            ));
        }
        for link in &self.links {
            add(&format!("link: {link}"));
        }
        for other in self.others.iter().skip(1) {
            add(other);
        }
        text
    }
}

#[cfg(test)]
mod tests;
