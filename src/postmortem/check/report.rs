//! What the checks found, and what became of it.
//!
//! The shape of `checks.json` is described in `docs/postmortem.md`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CHECKS, Finding, Outcome, Sources, Subject, Verdict, v18_secrets::redacted};
use crate::{
    config::Language,
    postmortem::write::{Author, Document, Line, Section, Template},
};

/// The report of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The transcript that was read.
    pub transcript: String,
    /// The worst verdict.
    pub verdict: Verdict,
    /// One for each check.
    pub checks: Vec<CheckLine>,
    /// Lines that were taken out.
    pub removed: Vec<Removed>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// Its short name.
    pub id: &'static str,
    /// What it looks for, in the language of the report.
    pub title: &'static str,
    /// The worst of what is still in the draft; what was taken out is worth a look and no more.
    pub verdict: Verdict,
    /// What it found.
    pub findings: Vec<Found>,
}

/// Something that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The heading of its section.
    pub section: String,
    /// How bad it was.
    pub verdict: Verdict,
    /// Why, in the language of the report.
    pub reason: String,
    /// What became of the line.
    pub outcome: Outcome,
}

/// A line that was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The heading of its section.
    pub section: String,
    /// What it said, without secrets.
    pub text: String,
    /// The checks that it failed.
    pub checks: Vec<&'static str>,
}

/// Runs all checks on a draft.
pub fn report(subject: &Subject<'_>) -> Vec<(&'static str, Finding)> {
    let found = CHECKS.iter().flat_map(|check| {
        check
            .run(subject)
            .into_iter()
            .map(|finding| (check.id, finding))
    });
    found.collect()
}

/// Takes out or marks the lines that fail, and says so.
pub fn resolve(subject: &Subject<'_>) -> (Document, Report) {
    let language = subject.material.language;
    let found = report(subject);
    let mut document = subject.document.clone();
    let mut removed = Vec::new();
    let verdicts = outcomes(&found, &document);
    for (at, section) in document.sections.iter_mut().enumerate() {
        let before = std::mem::take(&mut section.lines);
        for (place, mut line) in before.into_iter().enumerate() {
            match verdicts.get(&(at, place)) {
                Some((Outcome::Removed, checks)) => removed.push(Removed {
                    section: section.heading.clone(),
                    text: redacted(&line.text, hidden(language)),
                    checks: checks.clone(),
                }),
                Some((Outcome::Marked, _)) => {
                    line.is_unverified = true;
                    line.text = redacted(&line.text, hidden(language));
                    section.lines.push(line);
                }
                Some((Outcome::Redacted, _)) => {
                    line.text = redacted(&line.text, hidden(language));
                    section.lines.push(line);
                }
                _ => section.lines.push(line),
            }
        }
        if section.lines.is_empty() {
            section.lines.push(Line::note(nothing_left(language)));
        }
    }
    let report = summed(found, &verdicts, subject, removed);
    (document, report)
}

fn hidden(language: Language) -> &'static str {
    match language {
        Language::En => "(redacted)",
        Language::Zh => "（已隐去）",
    }
}

fn nothing_left(language: Language) -> &'static str {
    match language {
        Language::En => "Nothing that was written here held against its sources.",
        Language::Zh => "这里写下的内容均未通过核对。",
    }
}

type Verdicts = BTreeMap<(usize, usize), (Outcome, Vec<&'static str>)>;

/// What becomes of each line that fails: the strongest that any of its checks asks for. What people wrote is
/// left alone.
fn outcomes(found: &[(&'static str, Finding)], document: &Document) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for (id, finding) in found {
        let author = document
            .sections
            .get(finding.section)
            .map(|section| section.author);
        let (Some(line), Verdict::Fail) = (finding.line, finding.verdict) else {
            continue;
        };
        if author == Some(Author::Person) {
            continue;
        }
        let entry = verdicts
            .entry((finding.section, line))
            .or_insert((Outcome::Kept, Vec::new()));
        entry.0 = entry.0.max(outcome_of(id));
        if !entry.1.contains(id) {
            entry.1.push(id);
        }
    }
    verdicts
}

fn outcome_of(id: &str) -> Outcome {
    CHECKS
        .iter()
        .find(|check| check.id == id)
        .map_or(Outcome::Kept, |check| check.outcome)
}

fn summed(
    found: Vec<(&'static str, Finding)>,
    verdicts: &Verdicts,
    subject: &Subject<'_>,
    removed: Vec<Removed>,
) -> Report {
    let language = subject.material.language;
    let became = |finding: &Finding| -> Outcome {
        let line = finding
            .line
            .and_then(|line| verdicts.get(&(finding.section, line)));
        match finding.verdict {
            Verdict::Fail => line.map_or(Outcome::Kept, |(outcome, _)| *outcome),
            _ => Outcome::Kept,
        }
    };
    let checks: Vec<CheckLine> = CHECKS
        .iter()
        .map(|check| {
            let findings: Vec<Found> = found
                .iter()
                .filter(|(id, _)| *id == check.id)
                .map(|(_, finding)| Found {
                    section: subject
                        .document
                        .sections
                        .get(finding.section)
                        .map(|section| section.heading.clone())
                        .unwrap_or_default(),
                    verdict: finding.verdict,
                    reason: finding.reason.text(language).to_owned(),
                    outcome: became(finding),
                })
                .collect();
            let left = findings.iter().map(|found| match found.outcome {
                Outcome::Removed | Outcome::Redacted => found.verdict.min(Verdict::Warn),
                Outcome::Kept | Outcome::Marked => found.verdict,
            });
            CheckLine {
                id: check.id,
                title: match language {
                    Language::En => check.title.0,
                    Language::Zh => check.title.1,
                },
                verdict: left.max().unwrap_or(Verdict::Pass),
                findings,
            }
        })
        .collect();
    Report {
        transcript: subject.material.transcript.hash.clone(),
        verdict: checks
            .iter()
            .map(|check| check.verdict)
            .max()
            .unwrap_or(Verdict::Pass),
        checks,
        removed,
    }
}

/// The lines of one section that fail, each with the reasons, for whoever is to put them right.
pub(in crate::postmortem) fn faults(
    section: &Section,
    material: &super::Material<'_>,
    sources: &Sources<'_>,
    template: &Template,
    hosts: &[String],
) -> Vec<(String, String)> {
    let document = Document {
        title: String::new(),
        sections: vec![section.clone()],
    };
    let subject = Subject {
        material,
        sources,
        document: &document,
        template,
        hosts,
        human: &[],
    };
    let mut faults: Vec<(usize, String, String)> = Vec::new();
    for (_, finding) in report(&subject) {
        let (Some(place), Verdict::Fail) = (finding.line, finding.verdict) else {
            continue;
        };
        match faults.iter_mut().find(|(at, _, _)| *at == place) {
            Some((_, _, why)) => {
                why.push_str("; ");
                why.push_str(&finding.reason.en);
            }
            None => faults.push((place, section.lines[place].text.clone(), finding.reason.en)),
        }
    }
    faults
        .into_iter()
        .map(|(_, line, why)| (line, why))
        .collect()
}
