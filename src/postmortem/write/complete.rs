//! What code adds to a section that a model wrote, because it must not depend on a model.
//!
//! Whether a cause is established, and what people really said of it, stands in the section in any case; so
//! does the warning above what is meant for people outside. Only sections that a model wrote come here: what a
//! person wrote or locked is never touched.

use super::{
    Author, Content, Line, Material, Section, TemplateSection, outside, plain,
    plain::{in_own_words, not_established, stated_triggers},
    words::pick,
};

/// The section with what code has to say in it.
pub fn completed(
    mut section: Section,
    template: &TemplateSection,
    material: &Material<'_>,
) -> Section {
    let language = material.language;
    let is_why = matches!(section.content, Content::Causes | Content::Trigger);
    if section.author == Author::Code && is_why {
        // The model found nothing to say; people may well have.
        return plain(template, material);
    }
    if section.author != Author::Model {
        return section;
    }
    let unknown = || Line::note(not_established(language));
    match section.content {
        Content::Causes => {
            let said = in_own_words(material);
            if said.is_empty() {
                section.lines.insert(0, unknown());
            } else {
                let label = pick(language, "In people's own words", "原话");
                section.lines.push(Line::label(label));
                section.lines.extend(said);
            }
        }
        Content::Trigger if stated_triggers(material).is_empty() => {
            section.lines.insert(0, unknown());
        }
        Content::Outside => section.lines.insert(0, outside::to_be_reviewed(language)),
        _ => {}
    }
    section
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::{
        config::Language,
        postmortem::{
            check::{Verdict, testing::Scene},
            testing::{Story, room},
            write::{Template, render_section},
        },
    };

    /// The section as people read it, when a model wrote this line.
    fn shown(scene: &Scene, heading: &str, by_model: &str) -> String {
        let material = scene.material();
        let template = Template::parse("t", &format!("## {heading}"))
            .unwrap()
            .sections
            .remove(0);
        let section = Section {
            heading: heading.to_owned(),
            content: template.content,
            guidance: String::new(),
            lines: vec![Line::item(by_model)],
            author: Author::Model,
        };
        let section = completed(section, &template, &material);
        for number in 1..=23 {
            // A single section has no whole report around it.
            let lines = (!matches!(number, 14 | 15 | 17))
                .then_some(&section.lines)
                .into_iter()
                .flatten();
            let quotes = lines
                .enumerate()
                .filter(|(_, line)| line.form == super::super::Form::Quote);
            let findings = scene.findings_in(number, vec![section.clone()]);
            for (place, line) in quotes {
                let failed = findings
                    .iter()
                    .find(|one| one.line == Some(place) && one.verdict == Verdict::Fail);
                assert!(
                    failed.is_none(),
                    "V{number} fails {}: {failed:?}",
                    line.text
                );
            }
        }
        render_section(&section, &scene.transcript, scene.language)
    }

    #[test]
    fn a_stated_cause_is_quoted_below_what_a_model_made_of_it() {
        let mut scene = Scene::new();
        let english = shown(
            &scene,
            "Root Cause",
            "The pool size of payment-gw was set to 5 [m7]",
        );
        assert_snapshot!(english, @"
        - The pool size of payment-gw was set to 5 [m7]

        **In people's own words**

        - 11-20 14:30:00 Li Lei (on call) · stated: “The root cause was the pool size of payment-gw, we set it to 5” [m7]
        ");
        scene.language = Language::Zh;
        assert_snapshot!(shown(&scene, "根本原因", "payment-gw 的连接池被设为 5 [m7]"), @"
        - payment-gw 的连接池被设为 5 [m7]

        **原话**

        - 11-20 14:30:00 Li Lei (on call) · 陈述：“The root cause was the pool size of payment-gw, we set it to 5” [m7]
        ");
    }

    #[test]
    fn a_chinese_statement_is_quoted_in_an_english_report_without_its_link() {
        let talk = room(&[
            (
                "14:05:00",
                "li",
                "看了下 https://wiki.example.com/a 。根因是“连接池”被改成了 5 [见图]，密码：hunter2x",
            ),
            ("14:06:00", "bot", "The root cause was the network"),
        ]);
        let scene = Scene::of(talk, Story::opened().records());
        assert_snapshot!(shown(&scene, "Root Cause", "The pool was set to 5 [m1]"), @"
        - The pool was set to 5 [m1]

        **In people's own words**

        - 11-20 14:05:00 Li Lei (on call) · stated: “根因是‘连接池’被改成了 5 ［见图］，” [m1]
        ");
    }

    #[test]
    fn where_no_person_stated_a_cause_or_a_trigger_it_is_not_established() {
        let talk = room(&[
            ("14:05:00", "li", "maybe the pool is exhausted"),
            (
                "14:06:00",
                "bot",
                "The root cause was the release of payment-gw",
            ),
        ]);
        let scene = Scene::of(talk, Story::opened().records());
        for heading in ["Root Cause", "Trigger"] {
            let shown = shown(&scene, heading, "Perhaps the pool was exhausted [m1]");
            assert!(shown.starts_with("> Not established.\n"), "{shown}");
        }
    }
}
