//! The card of a draft as people see it, and that it fits.

use serde_json::{Value, json};

use super::{draft::components, *};
use crate::{
    bot::card::{CARD_BYTES_MAX, size_bytes},
    config::Language,
    postmortem::{Progress, asking::Cost},
};

fn card(sections: &[SectionView]) -> Value {
    DraftCard {
        number: 42,
        title: "checkout is slow",
        language: Language::En,
        version: 2,
        by: "Li Lei",
        sections,
        section: Some(json!({"about": "x"})),
        counts: [20, 2, 1],
        checks: vec!["❌ V1 Impact: why".into()],
        removed: 0,
        changed: vec!["m3 was edited".into()],
        model: None,
        cost: Cost::default(),
        seconds: 3,
        published: None,
        publish: Some(json!("p")),
        redraft: Some(json!("r")),
        reopen: None,
        actions: None,
    }
    .render()
}

fn section(heading: &str, text: &str) -> SectionView {
    SectionView {
        heading: heading.into(),
        text: text.into(),
        is_summary: heading == "Summary",
        edit: Some(json!("x".repeat(200))),
        lock: Some(json!("x".repeat(200))),
        again: Some(json!("x".repeat(200))),
        ..SectionView::default()
    }
}

#[test]
fn every_stage_of_a_draft_is_shown_with_its_counts() {
    let check = |language: Language, stage: Stage, expected: &str| {
        let cancel = json!("c");
        let card = ProgressCard {
            number: 42,
            language,
            stage,
            cancel: &cancel,
        };
        let card = card.render().to_string();
        assert!(card.contains(expected), "{card}");
    };
    let heard = Stage::Heard { messages: 350 };
    check(Language::En, heard, "history of the room: 350 messages…");
    check(Language::Zh, heard, "正在读取群聊记录：350 条消息……");
    let looking = Stage::Looking { done: 3, of: 12 };
    check(Language::En, looking, "Looking at images: 3 of 12");
    check(Language::Zh, looking, "正在查看图片：3 / 12 张");
    let reading = Stage::Drafting(Progress::Reading { done: 1, of: 4 });
    check(Language::En, reading, "Reading the room: 1 of 4 parts");
}

#[test]
fn the_summary_stands_first_and_open_and_the_rest_is_folded() {
    let card = card(&[section("Key facts", "a"), section("Summary", "b")]);
    let elements = card["body"]["elements"].as_array().unwrap();
    let panels: Vec<_> = elements
        .iter()
        .filter(|one| one["tag"] == "collapsible_panel")
        .map(|one| {
            (
                one["header"]["title"]["content"].as_str().unwrap(),
                one["expanded"].as_bool().unwrap(),
            )
        })
        .collect();
    let checks = "**Checks**: 20 passed, 2 to look at, 1 failed";
    assert_eq!(
        panels,
        [
            ("**Summary**", true),
            ("**Key facts**", false),
            (checks, false)
        ]
    );
}

#[test]
fn a_long_report_fits_and_says_where_the_rest_is() {
    let long = "一段很长的话。\n\n".repeat(2000);
    let sections: Vec<_> = (0..14)
        .map(|at| section(&format!("Part {at}"), &long))
        .collect();
    let card = card(&sections);
    assert!(size_bytes(&card) <= CARD_BYTES_MAX, "{}", size_bytes(&card));
    assert!(card.to_string().contains("the file has the rest"));
}

#[test]
fn each_section_has_its_buttons_or_stands_in_the_menu_however_many_there_are() {
    let check = |count: usize, has_menu: bool| {
        let sections: Vec<_> = (0..count)
            .map(|at| section(&format!("Part {at}"), &"words and more ".repeat(90)))
            .collect();
        let card = card(&sections);
        assert!(components(&card) <= 190, "{count}: {}", components(&card));
        assert!(size_bytes(&card) <= CARD_BYTES_MAX, "{count}");
        let elements = card["body"]["elements"].as_array().unwrap();
        let menu = elements.iter().find(|one| one["tag"] == "select_static");
        let options = menu.map(|menu| menu["options"].as_array().unwrap().len());
        assert_eq!(options, has_menu.then_some(count), "{count}");
        let rows = card.to_string().matches("\"Edit…\"").count();
        assert_eq!(rows, if has_menu { 0 } else { count });
    };
    check(8, false);
    check(9, true);
    check(16, true);
    check(40, true);
    check(80, true);
}
