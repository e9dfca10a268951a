//! V17: the sections are those of the template, in its order, and none is empty.

use super::{Content, Finding, Subject, Verdict, whole};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let ours = |content: Content| matches!(content, Content::KeyFacts | Content::About);
    let sections = subject.document.sections.iter().enumerate();
    let (places, headings): (Vec<usize>, Vec<&str>) = sections
        .clone()
        .filter(|(_, section)| !ours(section.content))
        .map(|(at, section)| (at, section.heading.as_str()))
        .unzip();
    let expected: Vec<&str> = subject
        .template
        .sections
        .iter()
        .map(|section| section.heading.as_str())
        .collect();
    let mut findings = Vec::new();
    if headings != expected {
        let at = places.first().copied().unwrap_or(0);
        findings.push(whole(
            at,
            Verdict::Fail,
            "the sections are not those of the template",
            "章节与模板不一致",
        ));
    }
    for (at, section) in sections {
        if section.lines.iter().all(|line| line.text.trim().is_empty()) {
            findings.push(whole(
                at,
                Verdict::Fail,
                "it is empty and does not say that nothing is recorded",
                "内容为空，也没有写“没有记录”",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{
        Author, Content, Line, Section,
        testing::{Scene, template_section},
    };

    #[test]
    fn sections_that_are_missing_out_of_order_or_empty_fail() {
        let mut scene = Scene::new();
        scene.template.sections = vec![
            template_section("A", Content::Summary),
            template_section("B", Content::Impact),
        ];
        let section = |heading: &str, text: &str| Section {
            heading: heading.into(),
            content: Content::Free,
            guidance: String::new(),
            lines: vec![Line::note(text)],
            author: Author::Code,
        };
        let check = |sections: Vec<Section>, expected: usize| {
            assert_eq!(
                scene.findings_in(17, sections.clone()).len(),
                expected,
                "{sections:?}"
            );
        };
        check(
            vec![section("A", "x"), section("B", "Nothing recorded.")],
            0,
        );
        check(vec![section("B", "x"), section("A", "x")], 1);
        check(vec![section("A", "x")], 1);
        check(vec![section("A", "x"), section("B", " ")], 1);
    }
}
