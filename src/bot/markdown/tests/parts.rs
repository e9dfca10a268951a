//! Texts that are too long for one card, or for one element of it.

use super::*;

#[test]
fn parts_end_where_a_reader_would_pause() {
    let text = format!("# A\n\n{}\n\n# B\n\n{}", "a".repeat(180), "b".repeat(180));
    let parts = split(&text, 256, 3);
    assert_eq!(
        parts,
        [
            format!("# A\n\n{}", "a".repeat(180)),
            format!("# B\n\n{}", "b".repeat(180))
        ]
    );
}

#[test]
fn a_cut_fence_is_opened_again_and_a_cut_table_has_its_header_again() {
    let code = format!("```sh\n{}```", "echo one two three\n".repeat(40));
    let parts = split(&code, 300, 3);
    assert!(parts.len() > 2);
    for part in &parts {
        assert!(
            part.starts_with("```sh\n") && part.ends_with("\n```"),
            "{part}"
        );
    }
    let table = format!("| a | b |\n| --- | --- |\n{}", "| one | two |\n".repeat(60));
    let parts = split(&table, 300, 3);
    assert!(parts.len() > 2);
    for part in &parts {
        assert!(
            part.starts_with("| a | b |\n| --- | --- |\n| one"),
            "{part}"
        );
    }
}

#[test]
fn a_part_that_begins_deep_in_a_list_is_no_code() {
    let item = format!("    - {}\n", "x".repeat(60));
    let parts = split(&format!("- top\n{}- last", item.repeat(12)), 300, 3);
    assert!(parts.len() > 2);
    for part in parts {
        assert!(!part.starts_with(' '), "{part}");
    }
}

#[test]
fn too_many_tables_make_parts() {
    let text = "| a |\n| --- |\n| 1 |\n\n".repeat(5);
    let parts = split(&text, 10_000, 2);
    assert_eq!(
        parts.iter().map(|part| tables(part)).collect::<Vec<_>>(),
        [2, 2, 1]
    );
}

#[test]
fn an_emoji_is_not_cut_and_a_character_counts_its_bytes() {
    let text = "🦀汉".repeat(500);
    let parts = split(&text, 256, 3);
    assert!(parts.iter().all(|part| part.len() <= 256));
    assert_eq!(parts.concat(), text);
}

#[test]
fn the_first_parts_of_a_growing_text_stay() {
    let text = to_dialect(&ANSWER.repeat(6));
    let mut before: Vec<String> = Vec::new();
    for end in (0..text.len())
        .step_by(7)
        .map(|end| text.floor_char_boundary(end))
    {
        let now = split(&text[..end], 1_000, 3);
        let settled = before.len().saturating_sub(1);
        assert!(now.len() >= before.len());
        assert_eq!(before[..settled], now[..settled]);
        before = now;
    }
}

#[test]
fn elements_have_a_length_that_is_shown_whole() {
    let text = to_dialect(&ANSWER.repeat(30));
    let elements = split_elements(&text);
    assert!(elements.len() > 1);
    assert!(
        elements
            .iter()
            .all(|element| element.chars().count() <= ELEMENT_CHARS_MAX)
    );
}
