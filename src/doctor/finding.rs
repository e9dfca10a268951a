//! What an examination finds: lines of one shape, each in both languages, and what they amount to.

use serde::Serialize;

use crate::config::Language;

/// A sentence in every language the bot speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Both {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Both {
    /// In one of them.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// The same in both languages.
pub(super) fn both(en: impl Into<String>, zh: impl Into<String>) -> Both {
    Both {
        en: en.into(),
        zh: zh.into(),
    }
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was seen to work.
    Works,
    /// It was seen not to work, or not to be there.
    Missing,
    /// It could not be seen from here.
    Unknown,
}

/// What depends on a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// The bot cannot do its job without it: take questions in groups and in direct chats, know what was said
    /// before, and write the model's answer into a card.
    Required,
    /// It does its job less well.
    Optional,
}

/// Something that is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) need: Need,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

impl Check {
    /// A check without which nothing goes.
    pub(super) const fn required(id: &'static str, en: &'static str, zh: &'static str) -> Self {
        let need = Need::Required;
        Self { id, need, en, zh }
    }

    /// A check without which it goes less well.
    pub(super) const fn optional(id: &'static str, en: &'static str, zh: &'static str) -> Self {
        let need = Need::Optional;
        Self { id, need, en, zh }
    }

    pub(super) fn works(&self, found: Both) -> Finding {
        self.finding(Verdict::Works, found)
    }

    pub(super) fn missing(&self, found: Both) -> Finding {
        self.finding(Verdict::Missing, found)
    }

    pub(super) fn unknown(&self, found: Both) -> Finding {
        self.finding(Verdict::Unknown, found)
    }

    fn finding(&self, verdict: Verdict, found: Both) -> Finding {
        Finding {
            check: self.id.to_owned(),
            verdict,
            need: self.need,
            name: both(self.en, self.zh),
            found,
            symptom: None,
            remedy: None,
            link: None,
            scopes: Vec::new(),
        }
    }
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its lasting name, such as `credentials` or `scope.im:message`.
    pub check: String,
    /// How it went.
    pub verdict: Verdict,
    /// What depends on it.
    pub need: Need,
    /// What was looked at.
    pub name: Both,
    /// What was seen. It holds no secret.
    pub found: Both,
    /// What people notice, where something is missing.
    pub symptom: Option<Both>,
    /// What mends it, or how to come to know.
    pub remedy: Option<Both>,
    /// The page on which it is mended.
    pub link: Option<String>,
    /// The scopes that are missing.
    pub scopes: Vec<String>,
}

impl Finding {
    pub(super) fn symptom(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.symptom = Some(both(en, zh));
        self
    }

    pub(super) fn remedy(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.remedy = Some(both(en, zh));
        self
    }

    pub(super) fn link(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }

    pub(super) fn need(mut self, need: Need) -> Self {
        self.need = need;
        self
    }

    /// Whether the bot cannot do its job before this works.
    pub fn blocks(&self) -> bool {
        self.need == Need::Required && self.verdict != Verdict::Works
    }
}

/// What an examination found, from what blocks all to what is nice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of this JSON. Members may be added without a new one.
    pub version: u32,
    /// Whether every required line works.
    pub can_work: bool,
    /// The app's id; empty where there is no configuration.
    pub app_id: String,
    /// Where the platform was asked.
    pub base_url: String,
    /// How many lines have which verdict.
    pub works: usize,
    /// See `works`.
    pub missing: usize,
    /// See `works`.
    pub unknown: usize,
    /// The lines.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(app_id: &str, base_url: &str, findings: Vec<Finding>) -> Self {
        let count = |verdict| {
            let of_it = findings.iter().filter(|finding| finding.verdict == verdict);
            of_it.count()
        };
        Self {
            version: 1,
            can_work: !findings.iter().any(Finding::blocks),
            app_id: app_id.to_owned(),
            base_url: base_url.to_owned(),
            works: count(Verdict::Works),
            missing: count(Verdict::Missing),
            unknown: count(Verdict::Unknown),
            findings,
        }
    }

    /// The line of this name.
    pub fn finding(&self, check: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Check = Check::required("a", "A", "甲");
    const B: Check = Check::optional("b", "B", "乙");

    #[test]
    fn the_bot_can_work_when_everything_that_is_required_works() {
        let seen = || both("seen", "见到");
        let can_work = |findings| Report::new("cli_a", "https://x", findings).can_work;
        assert!(can_work(vec![A.works(seen()), B.missing(seen())]));
        assert!(!can_work(vec![A.missing(seen())]));
        assert!(
            !can_work(vec![A.unknown(seen())]),
            "not known is not enough"
        );
        assert!(!can_work(vec![B.missing(seen()).need(Need::Required)]));
    }
}
