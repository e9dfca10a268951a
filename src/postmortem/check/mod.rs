//! The checks of a draft: each a function of its own from a draft to what it finds, always the same.
//!
//! `docs/postmortem.md` has the list. What a check finds is first sent back for a repair where a model wrote
//! it; then the line is removed, or marked as unverified, as the check says.

mod cited;
mod outside;
mod report;
#[cfg(test)]
pub(in crate::postmortem) mod testing;
mod v01_citations;
mod v02_sources;
mod v03_times;
mod v04_order;
mod v05_window;
mod v06_durations;
mod v07_people;
mod v08_names_and_numbers;
mod v09_quotes;
mod v10_causes;
mod v11_refuted;
mod v12_action_items;
mod v13_blame;
mod v14_contradictions;
mod v15_coverage;
mod v16_gaps;
mod v17_sections;
mod v18_secrets;
mod v19_links;
mod v20_instructions;
mod v21_language;
mod v22_impact;
mod v23_human_text;

use serde::{Deserialize, Serialize};

use super::write::{Author, Content, Document, Form, Line, Material, Section, Template, Words};

pub use cited::Sources;
pub(super) use report::faults;
pub use report::{CheckLine, Found, Removed, Report, report, resolve};
pub(super) use v18_secrets::redacted;

/// What is checked, and against what.
pub struct Subject<'a> {
    /// What it was written from.
    pub material: &'a Material<'a>,
    /// The same, prepared for looking things up.
    pub sources: &'a Sources<'a>,
    /// The draft.
    pub document: &'a Document,
    /// The template that it follows.
    pub template: &'a Template,
    /// Hosts that may be linked to.
    pub hosts: &'a [String],
    /// Sections that people wrote, as they were before this draft.
    pub human: &'a [Section],
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is wrong.
    Pass,
    /// A person should look.
    Warn,
    /// It does not hold.
    Fail,
}

/// What becomes of a line that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It stays as it is, and the report tells of it.
    Kept,
    /// What must not be shown is taken out of it.
    Redacted,
    /// It stays, marked as unverified.
    Marked,
    /// It is taken out.
    Removed,
}

/// Something that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which section, by its place.
    pub section: usize,
    /// Which of its lines; none: the section as a whole.
    pub line: Option<usize>,
    /// How bad it is.
    pub verdict: Verdict,
    /// Why.
    pub reason: Words,
}

/// One of the checks.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its short name: `V1`.
    pub id: &'static str,
    /// What it looks for, in English and Chinese.
    pub title: (&'static str, &'static str),
    /// What becomes of a line that fails it.
    pub outcome: Outcome,
    run: fn(&Subject<'_>) -> Vec<Finding>,
}

const fn check(
    id: &'static str,
    title: (&'static str, &'static str),
    outcome: Outcome,
    run: fn(&Subject<'_>) -> Vec<Finding>,
) -> Check {
    Check {
        id,
        title,
        outcome,
        run,
    }
}

/// All checks, in the order of their numbers.
pub const CHECKS: [Check; 23] = [
    check(
        "V1",
        ("every claim cites something", "每条陈述都有出处"),
        Outcome::Marked,
        v01_citations::check,
    ),
    check(
        "V2",
        (
            "what is cited exists and was not taken back",
            "出处存在且未撤回",
        ),
        Outcome::Removed,
        v02_sources::check,
    ),
    check(
        "V3",
        ("times are those of the sources", "时间与出处一致"),
        Outcome::Marked,
        v03_times::check,
    ),
    check(
        "V4",
        ("the timeline is in order", "时间线按顺序"),
        Outcome::Kept,
        v04_order::check,
    ),
    check(
        "V5",
        (
            "times lie within the incident, weekdays fit",
            "时间在故障范围内，星期正确",
        ),
        Outcome::Marked,
        v05_window::check,
    ),
    check(
        "V6",
        ("durations equal the computed ones", "时长与计算一致"),
        Outcome::Marked,
        v06_durations::check,
    ),
    check(
        "V7",
        ("people were there", "人员确实参与"),
        Outcome::Removed,
        v07_people::check,
    ),
    check(
        "V8",
        (
            "names and numbers occur in the sources",
            "名称和数字来自出处",
        ),
        Outcome::Removed,
        v08_names_and_numbers::check,
    ),
    check(
        "V9",
        ("quotes are verbatim", "引文逐字一致"),
        Outcome::Marked,
        v09_quotes::check,
    ),
    check(
        "V10",
        ("causes were stated by people", "原因由人说出"),
        Outcome::Marked,
        v10_causes::check,
    ),
    check(
        "V11",
        ("what was ruled out is no cause", "已排除的不作为原因"),
        Outcome::Removed,
        v11_refuted::check,
    ),
    check(
        "V12",
        (
            "action items have an owner and a date, or say that they have none",
            "行动项有负责人和期限或写明没有",
        ),
        Outcome::Marked,
        v12_action_items::check,
    ),
    check(
        "V13",
        ("nobody is blamed", "不指责个人"),
        Outcome::Removed,
        v13_blame::check,
    ),
    check(
        "V14",
        ("contradictions are listed", "列出矛盾"),
        Outcome::Kept,
        v14_contradictions::check,
    ),
    check(
        "V15",
        (
            "records and marked messages are there",
            "记录与标记消息都在",
        ),
        Outcome::Kept,
        v15_coverage::check,
    ),
    check(
        "V16",
        ("the timeline has no long gaps", "时间线没有大段空白"),
        Outcome::Kept,
        v16_gaps::check,
    ),
    check(
        "V17",
        ("the sections are those of the template", "章节符合模板"),
        Outcome::Kept,
        v17_sections::check,
    ),
    check(
        "V18",
        ("no secrets and no personal data", "没有密钥和个人信息"),
        Outcome::Redacted,
        v18_secrets::check,
    ),
    check(
        "V19",
        ("no links elsewhere and no images", "没有外部链接和图片"),
        Outcome::Removed,
        v19_links::check,
    ),
    check(
        "V20",
        ("no instructions to machines", "没有给机器的指令"),
        Outcome::Removed,
        v20_instructions::check,
    ),
    check(
        "V21",
        ("the language is the template's", "语言与模板一致"),
        Outcome::Marked,
        v21_language::check,
    ),
    check(
        "V22",
        ("impact numbers agree with each other", "影响数字彼此相符"),
        Outcome::Kept,
        v22_impact::check,
    ),
    check(
        "V23",
        ("what people wrote is unchanged", "人写的内容没有改动"),
        Outcome::Kept,
        v23_human_text::check,
    ),
];

impl Check {
    /// Looks at a draft.
    pub fn run(&self, subject: &Subject<'_>) -> Vec<Finding> {
        let mut findings = (self.run)(subject);
        // What people wrote is theirs: it is told of, and never touched.
        for finding in &mut findings {
            let author = subject
                .document
                .sections
                .get(finding.section)
                .map(|section| section.author);
            // So is an item that they decided about, but for the secrets that the room's words may hold.
            let is_decided = subject.is_decided(finding) && self.id != "V18";
            if (author == Some(Author::Person) || is_decided) && self.id != "V23" {
                finding.verdict = finding.verdict.min(Verdict::Warn);
            }
        }
        findings
    }
}

/// A line with its place.
struct Placed<'a> {
    section: usize,
    place: usize,
    line: &'a Line,
    content: Content,
    author: Author,
}

impl Placed<'_> {
    fn finding(&self, verdict: Verdict, en: impl Into<String>, zh: impl Into<String>) -> Finding {
        Finding {
            section: self.section,
            line: Some(self.place),
            verdict,
            reason: Words::new(en, zh),
        }
    }

    fn fails(&self, en: impl Into<String>, zh: impl Into<String>) -> Finding {
        self.finding(Verdict::Fail, en, zh)
    }
}

impl<'a> Subject<'a> {
    /// Every line of the draft.
    fn lines(&self) -> impl Iterator<Item = Placed<'a>> {
        let document: &'a Document = self.document;
        document
            .sections
            .iter()
            .enumerate()
            .flat_map(|(at, section)| {
                section
                    .lines
                    .iter()
                    .enumerate()
                    .map(move |(place, line)| Placed {
                        section: at,
                        place,
                        line,
                        content: section.content,
                        author: match (section.author, line.form) {
                            // What code quotes in a model's section is code's.
                            (Author::Model, Form::Quote) => Author::Code,
                            (author, _) => author,
                        },
                    })
            })
    }

    /// Whether a finding is about an action item that a person decided about.
    fn is_decided(&self, finding: &Finding) -> bool {
        let section = self.document.sections.get(finding.section);
        let line = section.zip(finding.line);
        let line = line.and_then(|(section, line)| section.lines.get(line));
        line.is_some_and(|line| line.decided.is_some())
    }

    /// Every line that claims something about the incident.
    fn claims(&self) -> impl Iterator<Item = Placed<'a>> {
        self.lines()
            .filter(|placed| placed.line.is_claim() && placed.content != Content::About)
    }

    /// The sections of a kind, with their places.
    fn sections(&self, content: Content) -> impl Iterator<Item = (usize, &'a Section)> {
        let document: &'a Document = self.document;
        document
            .sections
            .iter()
            .enumerate()
            .filter(move |(_, section)| section.content == content)
    }
}

fn whole(
    section: usize,
    verdict: Verdict,
    en: impl Into<String>,
    zh: impl Into<String>,
) -> Finding {
    Finding {
        section,
        line: None,
        verdict,
        reason: Words::new(en, zh),
    }
}
