//! What a room is called.

use crate::{feishu::GROUP_NAME_CHARS_MAX, incident::Incident};

use super::super::card::shorten;

/// The name of an incident's room by the template of the configuration, as long as the platform takes it.
pub(super) fn name(template: &str, incident: &Incident) -> String {
    let number = incident.number.to_string();
    let fill = |title: &str| {
        // The title comes last: it is somebody else's text, and a placeholder in it means nothing.
        let name = template
            .replace("{number}", &number)
            .replace("{severity}", incident.severity.as_str());
        let parts: Vec<&str> = name.split("{title}").collect();
        one_line(&parts.join(title))
    };
    let whole = fill(&incident.title);
    let excess = whole.chars().count().saturating_sub(GROUP_NAME_CHARS_MAX);
    if excess == 0 {
        return whole;
    }
    let title = one_line(&incident.title);
    let room = title.chars().count().saturating_sub(excess);
    shorten(&fill(&shorten(&title, room)), GROUP_NAME_CHARS_MAX)
}

/// Without line breaks and other characters that are not seen, and with single spaces.
fn one_line(text: &str) -> String {
    let plain = text.replace(|c: char| c.is_control(), " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::war_room::tests::incident;

    #[test]
    fn a_name_is_filled_and_cut_in_its_title() {
        let check = |template: &str, title: &str, expected: &str| {
            let mut incident = incident(42);
            incident.title = title.into();
            assert_eq!(name(template, &incident), expected);
        };
        let usual = "#{number} {severity} {title}";
        check(usual, "checkout\nis  slow", "#42 critical checkout is slow");
        check(
            usual,
            "{severity} {number}",
            "#42 critical {severity} {number}",
        );
        check(
            "{title} ({number})",
            &"数".repeat(80),
            &format!("{}… (42)", "数".repeat(54)),
        );
        check(usual, "", "#42 critical");
        let long = format!("{} {{number}}", "x".repeat(80));
        check(&long, "t", &format!("{}…", "x".repeat(59)));
    }
}
