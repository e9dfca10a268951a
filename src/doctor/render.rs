//! A report for eyes: as text for a terminal, and as Markdown for a card.

use std::fmt::Write;

use super::finding::{Finding, Need, Report, Verdict};
use crate::config::Language;

/// The words around the findings.
struct Words {
    works: &'static str,
    missing: &'static str,
    unknown: &'static str,
    symptom: &'static str,
    mends: &'static str,
    to_know: &'static str,
    page: &'static str,
    optional: &'static str,
    can_work: &'static str,
    cannot_work: &'static str,
}

const ENGLISH: Words = Words {
    works: "works",
    missing: "missing",
    unknown: "unknown",
    symptom: "people see",
    mends: "mend it",
    to_know: "to know",
    page: "open the page",
    optional: "optional",
    can_work: "The bot can do its job.",
    cannot_work: "The bot cannot do its job yet.",
};

const CHINESE: Words = Words {
    works: "正常",
    missing: "缺失",
    unknown: "未知",
    symptom: "现象",
    mends: "解决办法",
    to_know: "如何确认",
    page: "打开页面",
    optional: "可选",
    can_work: "机器人可以正常工作。",
    cannot_work: "机器人还不能正常工作。",
};

impl Words {
    fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Zh => &CHINESE,
        }
    }

    fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Works => self.works,
            Verdict::Missing => self.missing,
            Verdict::Unknown => self.unknown,
        }
    }
}

impl Report {
    /// What it amounts to, in a sentence.
    pub fn conclusion(&self, language: Language) -> &'static str {
        let words = Words::of(language);
        match self.can_work {
            true => words.can_work,
            false => words.cannot_work,
        }
    }

    /// For a terminal, with its colours or without.
    pub fn to_text(&self, language: Language, colours: bool) -> String {
        let words = Words::of(language);
        let mut text = String::new();
        for finding in &self.findings {
            line(&mut text, finding, words, language, colours);
        }
        let _ = writeln!(text, "\n{}", tally(self, language));
        text.push_str(self.conclusion(language));
        text.push('\n');
        text
    }

    /// For a card: what is missing with its remedy, what is unknown, and what works in one line each.
    pub fn to_markdown(&self, language: Language) -> String {
        let words = Words::of(language);
        let mut text = format!("{}\n", tally(self, language));
        for verdict in [Verdict::Missing, Verdict::Unknown, Verdict::Works] {
            let of_it = self.findings.iter().filter(|one| one.verdict == verdict);
            for (place, finding) in of_it.enumerate() {
                if place == 0 {
                    let _ = write!(text, "\n**{}**\n", words.verdict(verdict));
                }
                item(&mut text, finding, words, language);
            }
        }
        text
    }
}

fn tally(report: &Report, language: Language) -> String {
    let Report {
        works,
        missing,
        unknown,
        ..
    } = report;
    match language {
        Language::En => format!("{missing} missing, {unknown} unknown, {works} work."),
        Language::Zh => format!("缺失 {missing} 项，未知 {unknown} 项，正常 {works} 项。"),
    }
}

fn line(text: &mut String, finding: &Finding, words: &Words, language: Language, colours: bool) {
    let word = words.verdict(finding.verdict);
    // Chinese characters are two columns wide.
    let width = match language {
        Language::En => 8,
        Language::Zh => 4,
    };
    let word = format!("{word:<width$}");
    let word = match (colours, finding.verdict) {
        (false, _) => word,
        (true, Verdict::Works) => format!("\x1b[32m{word}\x1b[0m"),
        (true, Verdict::Missing) => format!("\x1b[31m{word}\x1b[0m"),
        (true, Verdict::Unknown) => format!("\x1b[33m{word}\x1b[0m"),
    };
    let (name, found) = (finding.name.text(language), finding.found.text(language));
    let optional = optional(finding, words);
    let _ = writeln!(text, "{word} {name}{optional}: {found}");
    if finding.verdict == Verdict::Works {
        return;
    }
    if let Some(symptom) = &finding.symptom {
        let _ = writeln!(
            text,
            "         {}: {}",
            words.symptom,
            symptom.text(language)
        );
    }
    if let Some(remedy) = &finding.remedy {
        let label = remedy_label(finding, words);
        let _ = writeln!(text, "         {label}: {}", remedy.text(language));
    }
    if let Some(link) = &finding.link {
        let _ = writeln!(text, "         {link}");
    }
}

fn item(text: &mut String, finding: &Finding, words: &Words, language: Language) {
    let (name, found) = (finding.name.text(language), finding.found.text(language));
    if finding.verdict == Verdict::Works {
        let _ = writeln!(text, "- {}: {}", escape(name), escape(found));
        return;
    }
    let optional = optional(finding, words);
    let _ = write!(text, "- **{}**{optional}: {}", escape(name), escape(found));
    // What is merely unknown says how to come to know, and no more.
    let symptom = finding.symptom.as_ref();
    if let Some(symptom) = symptom.filter(|_| finding.verdict == Verdict::Missing) {
        let _ = write!(
            text,
            " · *{}:* {}",
            words.symptom,
            escape(symptom.text(language))
        );
    }
    if let Some(remedy) = &finding.remedy {
        let label = remedy_label(finding, words);
        let _ = write!(text, " · *{label}:* {}", escape(remedy.text(language)));
    }
    if let Some(link) = &finding.link {
        let _ = write!(text, " [{}]({link})", words.page);
    }
    text.push('\n');
}

fn optional(finding: &Finding, words: &Words) -> String {
    match finding.need == Need::Optional && finding.verdict != Verdict::Works {
        true => format!(" ({})", words.optional),
        false => String::new(),
    }
}

fn remedy_label(finding: &Finding, words: &Words) -> &'static str {
    match finding.verdict {
        Verdict::Unknown => words.to_know,
        _ => words.mends,
    }
}

/// What was found may hold other people's words, such as the bot's name.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' | '~' | '#'
        ) {
            escaped.push('\\');
        }
        escaped.push(match c.is_control() {
            true => ' ',
            false => c,
        });
    }
    escaped
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::doctor::finding::{Check, both};

    fn report() -> Report {
        const A: Check = Check::required("a", "The platform can be reached", "平台可达");
        const B: Check = Check::optional("b", "Events arrive", "事件能送达");
        Report::new(
            "cli_a",
            "https://open.feishu.cn",
            vec![
                A.missing(both("no answer", "没有应答"))
                    .symptom("It is silent.", "它不作声。")
                    .remedy("Check the network.", "请检查网络。")
                    .link("https://open.feishu.cn/app/cli_a/auth?q=im:message"),
                B.unknown(both("none came", "没有收到"))
                    .symptom("If nothing comes.", "如果收不到。")
                    .remedy("Write to it.", "给它发消息。"),
                B.works(both("a *bold* name", "名字")),
            ],
        )
    }

    #[test]
    fn a_report_reads_well_on_a_terminal() {
        assert_snapshot!(report().to_text(Language::En, false), @r"
        missing  The platform can be reached: no answer
                 people see: It is silent.
                 mend it: Check the network.
                 https://open.feishu.cn/app/cli_a/auth?q=im:message
        unknown  Events arrive (optional): none came
                 people see: If nothing comes.
                 to know: Write to it.
        works    Events arrive: a *bold* name

        1 missing, 1 unknown, 1 work.
        The bot cannot do its job yet.
        ");
        assert!(
            report()
                .to_text(Language::En, true)
                .contains("\x1b[31mmissing")
        );
        assert_snapshot!(report().to_text(Language::Zh, false).lines().next().unwrap(), @"缺失   平台可达: 没有应答");
    }

    #[test]
    fn a_report_reads_well_on_a_card() {
        assert_snapshot!(report().to_markdown(Language::En), @r"
        1 missing, 1 unknown, 1 work.

        **missing**
        - **The platform can be reached**: no answer · *people see:* It is silent. · *mend it:* Check the network. [open the page](https://open.feishu.cn/app/cli_a/auth?q=im:message)

        **unknown**
        - **Events arrive** (optional): none came · *to know:* Write to it.

        **works**
        - Events arrive: a \*bold\* name
        ");
    }
}
