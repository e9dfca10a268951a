//! Which template a draft follows, and what becomes of sections that it does not have.
//!
//! A report keeps its template. One that is gone or cannot be read is no reason to have no draft: another one is
//! used, and the draft says so.

use tokio::task::spawn_blocking;
use tracing::warn;

use crate::{
    bot::{
        Bot,
        handling::{Told, Tone},
        markdown::escape,
    },
    config::{Language, PostmortemConfig, TemplateFault},
    postmortem::{
        Document, Section, Template,
        write::{Content, Line},
    },
};

use super::{
    records::{Job, Report, Version},
    rework,
};

/// What a draft is made with.
pub(super) struct Chosen {
    /// The template.
    pub template: Template,
    /// Where it is not the one that was wanted: which was, and why not.
    pub instead: Option<Instead>,
}

/// A template that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instead {
    /// What was wanted.
    wanted: String,
    /// What was used.
    used: String,
    /// Why it cannot be read; none: it is not there.
    why: Option<String>,
}

/// The template that is wanted; none: that of the configuration.
pub(super) fn wanted<'a>(report: &'a Report, job: &'a Job) -> Option<&'a String> {
    job.template.as_ref().or(report.template.as_ref())
}

/// The template of a draft. One section is written anew within the sections that are there.
pub(super) async fn choose(
    bot: &Bot,
    report: &Report,
    job: &Job,
    last: Option<&Version>,
) -> Chosen {
    if job.only.is_some()
        && let Some(last) = last
    {
        return Chosen {
            template: rework::template_of(&last.document),
            instead: None,
        };
    }
    let config = bot.0.config.postmortem.clone();
    let (wanted, language) = (wanted(report, job).cloned(), report.language);
    let chosen = spawn_blocking(move || find(&config, wanted.as_deref(), language)).await;
    chosen.unwrap_or_else(|_| Chosen {
        template: usual(language),
        instead: None,
    })
}

/// The template of this name, or else that of the configuration, or else the one that comes with the program.
fn find(config: &PostmortemConfig, wanted: Option<&str>, language: Language) -> Chosen {
    let wanted = wanted.unwrap_or(&config.template);
    let found = match wanted == config.template {
        // Whoever made the configuration may name any file.
        true => Template::told(&config.folder(), wanted, language).map(Some),
        false => Template::named(&config.folder(), wanted, language),
    };
    let why = match found {
        Ok(Some(template)) => {
            return Chosen {
                template,
                instead: None,
            };
        }
        Ok(None) => None,
        Err(fault) => {
            warn!(%fault, "a template of reports cannot be read");
            Some(fault.why)
        }
    };
    let template = Template::told(&config.folder(), &config.template, language);
    let template = template.unwrap_or_else(|_| usual(language));
    let instead = Instead {
        wanted: wanted.to_owned(),
        used: template.name.clone(),
        why,
    };
    Chosen {
        template,
        instead: Some(instead),
    }
}

fn usual(language: Language) -> Template {
    Template::built_in("default", language)
        .expect("a test reads every template that comes with the program")
}

/// Has a draft say that another template was used.
pub(super) fn tell(document: &mut Document, instead: &Instead, language: Language) {
    let Instead { wanted, used, why } = instead;
    let text = match (language, why) {
        (Language::En, None) => {
            format!("The template {wanted} is not there any more, so {used} was used instead.")
        }
        (Language::En, Some(why)) => {
            format!("The template {wanted} cannot be read ({why}), so {used} was used instead.")
        }
        (Language::Zh, None) => format!("模板 {wanted} 已不存在，改用 {used}。"),
        (Language::Zh, Some(why)) => format!("模板 {wanted} 无法读取（{why}），改用 {used}。"),
    };
    let mut sections = document.sections.iter_mut();
    if let Some(about) = sections.find(|section| section.content == Content::About) {
        about.lines.push(Line::note(text));
    }
}

/// A template with what people wrote under headings that it does not have: that stands at the end.
pub(super) fn with_peoples(mut template: Template, human: &[Section]) -> Template {
    for section in human {
        let is_there = template
            .sections
            .iter()
            .any(|one| one.heading == section.heading);
        if !is_there {
            template.sections.push(rework::template_section(section));
        }
    }
    template
}

/// Whether somebody may ask for a template, or why not.
pub(super) async fn is_there(bot: &Bot, name: &str, language: Language) -> Result<(), Told> {
    let (folder, wanted) = (bot.0.config.postmortem.folder(), name.to_owned());
    let look = move || {
        let found = Template::named(&folder, &wanted, language);
        (found, Template::names(&folder).join(", "))
    };
    match spawn_blocking(look).await {
        Ok((Ok(Some(_)), _)) => Ok(()),
        Ok((Ok(None), names)) => Err(Told::new(
            Tone::Refused,
            format!("There is no such template. There are: {names}."),
            format!("没有这个模板。现有模板：{names}。"),
        )),
        Ok((Err(fault), _)) => Err(not_readable(&fault)),
        Err(_) => Err(Told::not_read()),
    }
}

fn not_readable(fault: &TemplateFault) -> Told {
    let file = file_name(fault);
    let why = &fault.why;
    Told::new(
        Tone::Refused,
        format!("The template cannot be read: {file}: {why}."),
        format!("模板无法读取：{file}：{why}。"),
    )
}

/// Where the folder is concerns nobody in a chat.
fn file_name(fault: &TemplateFault) -> String {
    let name = fault.file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What `/postmortem templates` tells, as Markdown: the names, each with its headings.
pub(in crate::bot) async fn list(bot: &Bot, language: Language) -> String {
    let config = bot.0.config.postmortem.clone();
    let lines = spawn_blocking(move || lines(&config, language)).await;
    lines.unwrap_or_default().join("\n")
}

fn lines(config: &PostmortemConfig, language: Language) -> Vec<String> {
    let folder = config.folder();
    let names = Template::names(&folder).into_iter();
    let mut lines: Vec<String> = names
        .map(|name| {
            let usual = match (name == config.template, language) {
                (false, _) => "",
                (true, Language::En) => " (unless another is asked for)",
                (true, Language::Zh) => "（默认）",
            };
            let what = match Template::named(&folder, &name, language) {
                Ok(template) => headings(template),
                Err(fault) => not_readable(&fault).text(language).to_owned(),
            };
            format!("- **{}**{usual}: {}", escape(&name), escape(&what))
        })
        .collect();
    lines.push(match language {
        Language::En => "\n`/postmortem template NAME` drafts with one of them.".to_owned(),
        Language::Zh => "\n发送 `/复盘 模板 名称` 使用指定模板起草。".to_owned(),
    });
    lines
}

fn headings(template: Option<Template>) -> String {
    let sections = template.map(|template| template.sections);
    let headings = sections.unwrap_or_default().into_iter();
    let headings: Vec<String> = headings.map(|section| section.heading).collect();
    headings.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::write::Author;

    #[test]
    fn a_template_that_is_gone_or_broken_is_replaced_and_named() {
        let kept = tempfile::tempdir().unwrap();
        std::fs::write(kept.path().join("team.md"), "## Impact").unwrap();
        std::fs::write(kept.path().join("broken.md"), "nothing").unwrap();
        let config = PostmortemConfig {
            templates: kept.path().display().to_string(),
            template: "team".into(),
            ..PostmortemConfig::default()
        };
        let check = |wanted: Option<&str>, used: &str, why: Option<Option<&str>>| {
            let chosen = find(&config, wanted, Language::En);
            assert_eq!(chosen.template.name, used, "{wanted:?}");
            let told = chosen.instead.map(|instead| instead.why);
            assert_eq!(told.as_ref().map(Option::as_deref), why, "{wanted:?}");
        };
        check(None, "team", None);
        check(Some("full"), "full", None);
        check(Some("gone"), "team", Some(None));
        check(Some("../team"), "team", Some(None));
        let why = "there is no heading: a section begins with `## `";
        check(Some("broken"), "team", Some(Some(why)));
    }

    #[test]
    fn what_people_wrote_under_a_heading_that_is_gone_stands_at_the_end() {
        let section = |heading: &str| Section {
            heading: heading.into(),
            content: Content::Free,
            guidance: String::new(),
            lines: vec![Line::item("ours")],
            author: Author::Person,
        };
        let template = Template::parse("team", "## Impact\n## Timeline").unwrap();
        let template = with_peoples(template, &[section("Customers"), section("Impact")]);
        let headings: Vec<&str> = template.sections.iter().map(|one| &*one.heading).collect();
        assert_eq!(headings, ["Impact", "Timeline", "Customers"]);
    }
}
