use insta::assert_json_snapshot;

use super::{small_print::STEPS_SHOWN, *};
use crate::bot::{
    card::{CARD_BYTES_MAX, size_bytes},
    markdown::{TABLES_MAX, split, to_dialect},
};

const EMPTY: AnswerCard<'_> = AnswerCard {
    language: Language::En,
    state: AnswerState::Streaming,
    steps: &[],
    text: "",
    footer: Footer {
        model: None,
        took: None,
        note: None,
    },
    continues: false,
    stop: None,
    silent: None,
};

fn step(title: &str, state: StepState) -> Step {
    let took = (state != StepState::Running).then(|| Duration::from_millis(1_240));
    Step {
        title: title.into(),
        state,
        took,
    }
}

#[test]
fn a_card_that_has_just_begun_streams_and_says_so() {
    assert_json_snapshot!(EMPTY.render(), @r#"
    {
      "body": {
        "elements": [
          {
            "content": "<font color='grey'>Thinking…</font>",
            "element_id": "status",
            "tag": "markdown",
            "text_size": "notation"
          },
          {
            "content": "",
            "element_id": "answer",
            "tag": "markdown"
          }
        ]
      },
      "config": {
        "streaming_config": {
          "print_frequency_ms": {
            "android": 40,
            "default": 40,
            "ios": 40,
            "pc": 40
          },
          "print_step": {
            "android": 6,
            "default": 6,
            "ios": 6,
            "pc": 6
          },
          "print_strategy": "fast"
        },
        "streaming_mode": true,
        "summary": {
          "content": "Thinking…",
          "i18n_content": {
            "en_us": "Thinking…",
            "zh_cn": "正在思考…"
          }
        },
        "update_multi": true
      },
      "schema": "2.0"
    }
    "#);
}

#[test]
fn a_finished_card_has_its_steps_its_answer_and_the_small_print() {
    let steps = [step("read the clock", StepState::Done)];
    let card = AnswerCard {
        state: AnswerState::Done,
        steps: &steps,
        text: "It is **12:00:30**. Anything else?",
        footer: Footer {
            model: Some("gpt-4.1-mini"),
            took: Some(Duration::from_secs(125)),
            note: None,
        },
        ..EMPTY
    };
    assert_json_snapshot!(card.render(), @r#"
    {
      "body": {
        "elements": [
          {
            "content": "<font color='grey'>✓ read the clock · 1.2 s</font>",
            "element_id": "status",
            "tag": "markdown",
            "text_size": "notation"
          },
          {
            "content": "It is **12:00:30**. Anything else?",
            "element_id": "answer",
            "tag": "markdown"
          },
          {
            "tag": "hr"
          },
          {
            "content": "<font color='grey'>gpt-4.1-mini · 2 min 5 s</font>",
            "element_id": "footer",
            "tag": "markdown",
            "text_size": "notation"
          }
        ]
      },
      "config": {
        "streaming_mode": false,
        "summary": {
          "content": "It is 12:00:30."
        },
        "update_multi": true
      },
      "schema": "2.0"
    }
    "#);
}

/// The contents of a card's elements, in order.
fn contents(card: &AnswerCard<'_>) -> Vec<String> {
    let card = card.render();
    let elements = card["body"]["elements"].as_array().unwrap();
    elements
        .iter()
        .filter_map(|element| element["content"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn every_ending_says_how_it_ended_in_both_languages() {
    for (state, en, zh) in [
        (
            AnswerState::Done,
            "The model ended without saying anything.",
            "模型没有给出任何内容。",
        ),
        (AnswerState::Stopped, "**Stopped.** why", "**已停止。** why"),
        (
            AnswerState::Failed,
            "**This could not be answered.** why",
            "**未能完成回答。** why",
        ),
        (
            AnswerState::Interrupted,
            "**Interrupted by a restart of the bot.** why",
            "**机器人重启，回答中断。** why",
        ),
        (
            AnswerState::CutShort,
            "**The answer was cut short.** why",
            "**回答不完整，已提前结束。** why",
        ),
    ] {
        for (language, expected) in [(Language::En, en), (Language::Zh, zh)] {
            let footer = Footer {
                note: Some("why"),
                ..Footer::default()
            };
            let card = AnswerCard {
                language,
                state,
                footer,
                ..EMPTY
            };
            assert_eq!(contents(&card)[0], expected);
            assert_eq!(card.closing_config()["streaming_mode"], false);
        }
    }
}

#[test]
fn a_title_or_a_note_cannot_mention_anyone() {
    let steps = [step("query <at id=all></at> `x`\n# y", StepState::Failed)];
    let card = AnswerCard {
        state: AnswerState::Failed,
        steps: &steps,
        footer: Footer {
            note: Some("<at id=all></at>"),
            ..Footer::default()
        },
        ..EMPTY
    };
    for content in contents(&card) {
        assert!(!content.contains("<at"), "{content}");
    }
    assert_eq!(
        card.status(),
        "<font color='grey'>✗ query &#60;at id=all>&#60;/at> &#96;x&#96; # y · 1.2 s</font>"
    );
}

#[test]
fn many_steps_are_counted_and_only_the_latest_shown() {
    let mut steps = vec![step("a", StepState::Done); 8];
    steps.push(step("b", StepState::Running));
    let card = AnswerCard {
        steps: &steps,
        ..EMPTY
    };
    let lines: Vec<String> = card.status().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), STEPS_SHOWN + 1);
    assert!(lines[0].contains("5 earlier steps"));
    assert!(lines[4].contains("→ b<"));
}

#[test]
fn a_card_that_is_not_the_last_points_to_the_next() {
    let footer = Footer {
        model: Some("m"),
        ..Footer::default()
    };
    let card = AnswerCard {
        state: AnswerState::Done,
        text: "a",
        footer,
        continues: true,
        ..EMPTY
    };
    assert_eq!(
        contents(&card)[1],
        "<font color='grey'>Continued in the next message ↓</font>"
    );
}

#[test]
fn a_long_answer_has_settled_elements_and_a_last_one() {
    let text = "word ".repeat(3_000);
    let card = AnswerCard {
        text: &text,
        ..EMPTY
    }
    .render();
    let ids: Vec<&str> = card["body"]["elements"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|element| element["element_id"].as_str())
        .collect();
    assert_eq!(ids, ["status", "answer_1", "answer"]);
}

#[test]
fn the_fullest_card_fits() {
    let steps = vec![step(&"<步".repeat(200), StepState::Failed); 30];
    // As long as what `bot::click` puts in.
    let value = json!({"deed": "regenerate", "about": "o".repeat(72), "chat": "o".repeat(35), "seal": "0".repeat(32)});
    let controls = Controls {
        stop: value.clone(),
        regenerate: value.clone(),
        praise: value.clone(),
        complain: value.clone(),
        explain: value,
    };
    for text in [
        "汉字，".repeat(20_000),
        "a\n".repeat(40_000),
        "\"<$".repeat(9_000),
    ] {
        for part in split(&to_dialect(&text), TEXT_BYTES_MAX, TABLES_MAX) {
            let card = AnswerCard {
                state: AnswerState::CutShort,
                steps: &steps,
                text: &part,
                footer: Footer {
                    model: Some(&"`".repeat(500)),
                    took: Some(Duration::from_secs(60_000)),
                    note: Some(&"$".repeat(500)),
                },
                ..EMPTY
            };
            let streaming = AnswerCard {
                state: AnswerState::Streaming,
                stop: Some(&controls.stop),
                ..card
            };
            let mut ended = card.render();
            let row = ControlRow {
                controls: &controls,
                language: Language::Zh,
                is_answer: true,
                can_regenerate: true,
                note: Some(&"<".repeat(500)),
                has_form: true,
            };
            row.put_under(&mut ended);
            let sizes = [size_bytes(&ended), size_bytes(&streaming.render())];
            assert!(
                sizes.iter().all(|&size| size <= CARD_BYTES_MAX),
                "{sizes:?}"
            );
            assert!(card.elements().len() < 100);
        }
    }
}
