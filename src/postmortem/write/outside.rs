//! The section for people outside: a summary, what happened, and what is done about it, without a name.
//!
//! A model numbers its lines by these three parts, since it is to write no headings; code makes the labels.

use super::{Line, Material, words::pick};
use crate::config::Language;

/// What a model is told of the form.
pub(super) const FORM: &str = "Write three to eight lines, each holding one sentence. Begin each line with 1, 2 or 3 and a dot: 1 sums it up, 2 says what happened, 3 says what is being done about it. People outside of the company read this section: name no person, host, service, version or ticket.";

/// What stands above it, whoever wrote it.
pub(super) fn to_be_reviewed(language: Language) -> Line {
    Line::note(pick(
        language,
        "A person must review this section before it leaves the company.",
        "本节对外发布前必须由人审核。",
    ))
}

/// Numbered lines under the labels of their parts. A line without a number goes on where the last one was.
pub(super) fn grouped(lines: Vec<Line>, material: &Material<'_>) -> Vec<Line> {
    let mut parts: [Vec<Line>; 3] = Default::default();
    let mut current = 0;
    for mut line in lines {
        if let Some((part, rest)) = numbered(&line.text) {
            current = part;
            line.text = rest.to_owned();
        }
        parts[current].push(Line::paragraph(line.text));
    }
    let labels = [
        pick(material.language, "Summary", "概述"),
        pick(material.language, "What happened", "发生了什么"),
        pick(material.language, "What we do about it", "我们的措施"),
    ];
    let mut grouped = Vec::new();
    for (label, part) in labels.into_iter().zip(parts) {
        if !part.is_empty() {
            grouped.push(Line::label(label));
            grouped.extend(part);
        }
    }
    grouped
}

/// The part, counted from 0, and the words after it.
fn numbered(text: &str) -> Option<(usize, &str)> {
    let part = match text.chars().next()? {
        '1' => 0,
        '2' => 1,
        '3' => 2,
        _ => return None,
    };
    let rest = text[1..].strip_prefix(['.', ')', ':', '、', '：', '．'])?;
    // `1.5 % of the orders` is no numbered line.
    let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
    (!is_number).then(|| (part, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postmortem::check::testing::Scene;

    #[test]
    fn numbered_lines_stand_under_the_labels_of_their_parts() {
        let scene = Scene::new();
        let lines = [
            "1. Orders failed. [m6]",
            "1.5 % of them [m6]",
            "3. It is mended. [m5]",
        ];
        let lines = lines.map(Line::item).to_vec();
        let found: Vec<String> = grouped(lines, &scene.material())
            .into_iter()
            .map(|line| line.text)
            .collect();
        let expected = [
            "Summary",
            "Orders failed. [m6]",
            "1.5 % of them [m6]",
            "What we do about it",
            "It is mended. [m5]",
        ];
        assert_eq!(found, expected);
    }
}
