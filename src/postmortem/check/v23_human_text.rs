//! V23: what people wrote is as they left it.

use super::{Author, Finding, Subject, Verdict, whole};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for before in subject
        .human
        .iter()
        .filter(|section| section.author == Author::Person)
    {
        let now = subject
            .document
            .sections
            .iter()
            .position(|section| section.heading == before.heading);
        let changed = now.is_none_or(|at| subject.document.sections[at].lines != before.lines);
        if changed {
            let heading = &before.heading;
            findings.push(whole(
                now.unwrap_or(0),
                Verdict::Fail,
                format!("what people wrote in {heading} was changed"),
                format!("{heading} 中人写的内容被改动"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Author, Content, Line, Section, testing::Scene};

    #[test]
    fn a_change_of_what_people_wrote_fails() {
        let section = |text: &str, author| Section {
            heading: "A".into(),
            content: Content::Summary,
            guidance: String::new(),
            lines: vec![Line::paragraph(text)],
            author,
        };
        let mut scene = Scene::new();
        scene.human = vec![section("ours", Author::Person)];
        let check = |sections: Vec<Section>, expected: usize| {
            assert_eq!(scene.findings_in(23, sections).len(), expected)
        };
        check(vec![section("ours", Author::Person)], 0);
        check(vec![section("theirs", Author::Model)], 1);
        check(vec![], 1);
    }
}
