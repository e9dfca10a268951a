//! How bad something is: one scale for every sender.
//!
//! Four steps, as in PagerDuty's common event format, so that no sender in wide use loses a step that it
//! tells apart. What a sender calls its steps is read here and nowhere else.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad something is. Ordered: the worst is the greatest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know. Nobody needs to do anything now.
    Info,
    /// Will become a problem, or is a small one.
    #[default]
    Warning,
    /// Something is broken, though not for everyone.
    Error,
    /// People are hurt by it now.
    Critical,
}

impl Severity {
    /// Every step, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word that configuration, records and matchers use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// Reads a sender's word, in English or Chinese, in any case. `None`: a word that says nothing to us.
    ///
    /// Numbers are not read here: what `1` means differs from sender to sender.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_lowercase().as_str() {
            "critical" | "crit" | "page" | "fatal" | "disaster" | "emergency" | "emerg"
            | "alert" | "blocker" | "urgent" | "severe" | "sev0" | "sev1" | "sev-0" | "sev-1"
            | "p0" | "p1" | "紧急" | "致命" | "严重" | "灾难" | "特别严重" => {
                Self::Critical
            }
            "error" | "err" | "major" | "high" | "sev2" | "sev-2" | "p2" | "错误" | "重要"
            | "高" | "主要" => Self::Error,
            "warning" | "warn" | "minor" | "average" | "medium" | "ticket" | "moderate"
            | "sev3" | "sev-3" | "p3" | "警告" | "预警" | "告警" | "次要" | "中" | "一般" => {
                Self::Warning
            }
            "info" | "information" | "informational" | "notice" | "low" | "none" | "debug"
            | "sev4" | "sev5" | "sev-4" | "sev-5" | "p4" | "p5" | "提示" | "通知" | "信息"
            | "低" => Self::Info,
            _ => return None,
        })
    }

    /// Nightingale's number: 1 is the worst, 3 the mildest.
    pub fn from_nightingale(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Critical),
            2 => Some(Self::Warning),
            3 => Some(Self::Info),
            _ => None,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many there are of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Of [`Severity::Info`].
    pub info: u32,
    /// Of [`Severity::Warning`].
    pub warning: u32,
    /// Of [`Severity::Error`].
    pub error: u32,
    /// Of [`Severity::Critical`].
    pub critical: u32,
}

impl Tally {
    /// One more of it.
    pub fn add(&mut self, severity: Severity) {
        let count = self.of_mut(severity);
        *count = count.saturating_add(1);
    }

    /// One less of it; never below none.
    pub fn take(&mut self, severity: Severity) {
        let count = self.of_mut(severity);
        *count = count.saturating_sub(1);
    }

    /// As many more as the other has.
    pub fn add_all(&mut self, other: &Self) {
        for severity in Severity::ALL {
            let count = self.of_mut(severity);
            *count = count.saturating_add(other.of(severity));
        }
    }

    /// How many there are of this severity.
    pub fn of(&self, severity: Severity) -> u32 {
        match severity {
            Severity::Info => self.info,
            Severity::Warning => self.warning,
            Severity::Error => self.error,
            Severity::Critical => self.critical,
        }
    }

    /// How many there are.
    pub fn total(&self) -> u32 {
        Severity::ALL
            .into_iter()
            .fold(0, |sum, severity| sum.saturating_add(self.of(severity)))
    }

    /// The worst of which there is one.
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL
            .into_iter()
            .rev()
            .find(|severity| self.of(*severity) > 0)
    }

    fn of_mut(&mut self, severity: Severity) -> &mut u32 {
        match severity {
            Severity::Info => &mut self.info,
            Severity::Warning => &mut self.warning,
            Severity::Error => &mut self.error,
            Severity::Critical => &mut self.critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_field_are_read() {
        let check = |words: &[&str], expected: Option<Severity>| {
            for word in words {
                assert_eq!(Severity::from_word(word), expected, "{word}");
            }
        };
        check(
            &["critical", "Critical", " CRITICAL ", "page", "P1", "严重"],
            Some(Severity::Critical),
        );
        check(&["error", "major", "High", "P2"], Some(Severity::Error));
        check(
            &["warning", "Warn", "ticket", "P3", "警告"],
            Some(Severity::Warning),
        );
        check(
            &["info", "none", "Notice", "P5", "提示"],
            Some(Severity::Info),
        );
        check(&["", "1", "purple", "ok"], None);
        for severity in Severity::ALL {
            check(&[severity.as_str()], Some(severity));
        }
    }

    #[test]
    fn nightingale_counts_from_the_worst() {
        let read = [0, 1, 2, 3, 4].map(Severity::from_nightingale);
        assert_eq!(
            read,
            [
                None,
                Some(Severity::Critical),
                Some(Severity::Warning),
                Some(Severity::Info),
                None
            ]
        );
    }

    #[test]
    fn a_tally_knows_its_worst() {
        let mut tally = Tally::default();
        assert_eq!(tally.worst(), None);
        tally.add(Severity::Info);
        tally.add(Severity::Error);
        assert_eq!((tally.worst(), tally.total()), (Some(Severity::Error), 2));
        tally.take(Severity::Error);
        tally.take(Severity::Error);
        assert_eq!((tally.worst(), tally.total()), (Some(Severity::Info), 1));
    }
}
