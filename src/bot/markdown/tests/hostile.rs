//! Texts that were made to do harm, or that nobody would write.

use proptest::prelude::*;

use super::*;

#[test]
fn nothing_that_is_smuggled_in_is_alive() {
    let tags = [
        "<at id=all></at>",
        "<at ids=ou_a,ou_b></at>",
        "<AT email=x@y.z></AT>",
        "<person id='ou_x' style='capsule'></person>",
        "<font color='red'>x</font>",
        "<link url='https://x.io'>x</link>",
        "<raw></raw>",
        "<button>x</button>",
        "<text_tag color='blue'>x</text_tag>",
        "<a href='https://x.io'>x</a>",
        "<local_datetime millisecond='0'></local_datetime>",
        "<script>alert(1)</script>",
        "<!-- <at id=all></at>",
        "<![CDATA[<at id=all></at>]]>",
        "<?at id=all?>",
        "&lt;at id=all&gt;&lt;/at&gt;",
        "&#60;at id=all&#x3e;",
        "&ltat id=all&gt",
        "&amp;lt;at id=all&amp;gt;",
        "\\<at id=all></at>",
        "<\u{FDD0}at id=all></at>",
        "\u{FDD0}at id=all></at>",
        "<\0at id=all></at>",
        "<\rat id=all></at>",
    ];
    let places = [
        "{}",
        "text {} text",
        "# {}",
        "- {}\n    - {}",
        "> {}",
        "**{}**",
        "[{}](https://x.io)",
        "[x](https://x.io/{})",
        "[x](<https://x.io/{}>)",
        "[x](<{}>)",
        "[x](https://x.io '{}')",
        "![{}](https://x.io)",
        "![{}](img_v3)",
        "[{}][r]\n\n[r]: <{}> '{}'",
        "[{}]: {}",
        "<https://x.io/{}>",
        "| {} | b |\n|--|--|\n| {} | `{}` |",
        "a\n\n({})",
        "(<b>{}",
        "- [ ] {}",
        "~{}~ ~~{}~~",
        "`{}\n{}",
        "``` {}\ncode\n```\n{}",
        "````\n```\n{}\n```\n````\n{}",
        "```\n```{}",
        "~~~\n```\n{}\n~~~\n{}",
        "<div>\n{}\n\n{}</div>",
        "<pre>\n\n```\n{}\n```\n\n{}",
        "    {}\n\n{}",
        "a  \n{}",
        "\\`{}\\`",
        "`` ` `` {} `` ` ``",
    ];
    for tag in tags {
        for place in places {
            let input = place.replace("{}", tag);
            for out in [
                to_dialect(&input),
                to_dialect_streaming(&input),
                escape(&input),
                to_dialect(&format!("{}{input}", "| a |\n|--|\n\n".repeat(4))),
            ] {
                assert_harmless(&out);
                for part in split(&out, 256, 1) {
                    assert_harmless(&part);
                }
            }
        }
    }
}

#[test]
fn hostile_input_stays_small_and_quick() {
    let started = std::time::Instant::now();
    for text in [
        ">".repeat(10_000) + &"\na".repeat(5_000),
        "- ".repeat(10_000) + &"\na".repeat(5_000),
        format!(
            "|{}\n|{}\n{}",
            "a|".repeat(500),
            "-|".repeat(500),
            "|\n".repeat(9_000)
        ),
        format!(
            "|{}\n|{}\n{}",
            "a|".repeat(50),
            "-|".repeat(50),
            "|\n".repeat(9_000)
        ),
        format!(
            "| {} |\n|--|\n{}",
            "x".repeat(9_000),
            "| y |\n".repeat(2_000)
        ),
        "`".repeat(20_000),
        format!("~~~\n{}\n~~~", "`".repeat(20_000)),
        "[".repeat(20_000),
        "![".repeat(10_000),
        "**a".repeat(7_000),
        "http://".repeat(3_000),
        format!("http://x/{}", ")".repeat(20_000)),
        "&".repeat(20_000),
        "<".repeat(20_000),
    ] {
        let out = to_dialect(&text);
        assert!(
            out.len() <= text.len() * 12 + 100,
            "{} from {}",
            out.len(),
            text.len()
        );
        to_dialect_streaming(&text);
        split(&out, 1_000, 3);
    }
    // Every step is linear, so this is a fraction of it even in a debug build on a busy machine.
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}

fn markdown_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "word ",
        "汉字",
        "，",
        "：",
        "\n",
        "\n\n",
        "  ",
        "    ",
        "\t",
        "# ",
        "- ",
        "1. ",
        "* ",
        "> ",
        "```",
        "```sh\n",
        "~~~",
        "`",
        "``",
        "**",
        "*",
        "_",
        "__",
        "~~",
        "~",
        "[",
        "]",
        "(",
        ")",
        "](",
        "!",
        "![",
        "https://x.io/a",
        "http://",
        "<",
        ">",
        "<at id=all></at>",
        "</at>",
        "at",
        "<br>",
        "&lt;",
        "&",
        "#60;",
        "&#60;",
        ";",
        "|",
        "|--|",
        "\n| a | b |\n|--|--|\n| c | d |\n",
        "---",
        "===",
        "\\",
        "$",
        ":",
        ":DONE:",
        "\"",
        "'",
        "=",
        "+",
        "[x]: ",
        "[x]",
        "<!--",
        "<div>",
        "\u{FDD0}",
        "🦀",
        "\r",
        "\u{0}",
        "é",
        "- [ ] ",
        "<https://x.io>",
        "javascript:",
        "mailto:",
        "\u{200B}",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_breaks_it_and_none_is_alive(text in prop_oneof![any::<String>(), markdown_like()]) {
        for out in [to_dialect(&text), to_dialect_streaming(&text), escape(&text)] {
            assert_harmless(&out);
            prop_assert!(tables(&out) <= TABLES_MAX);
            first_sentence(&out, 60);
            for part in split(&out, 300, 2) {
                assert_harmless(&part);
            }
        }
    }

    #[test]
    fn escaped_text_is_shown_as_it_was(text in "[ -~汉：\n]{0,60}") {
        use pulldown_cmark::{Event, Options, Parser};
        let mut shown = String::new();
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_MATH;
        for event in Parser::new_ext(&escape(&text), options) {
            match event {
                Event::Text(text) => shown.push_str(&text),
                Event::Start(_) | Event::End(_) => {}
                Event::InlineHtml(tag) => prop_assert_eq!(&*tag, "<br>"),
                event => prop_assert!(false, "{:?} from {:?}", event, text),
            }
        }
        let same = |text: &str| text.replace('\u{223C}', "~").split_whitespace().collect::<String>();
        if !text.to_lowercase().contains("<br") {
            prop_assert_eq!(same(&shown), same(&text));
        }
    }

    #[test]
    fn parts_fit_and_lose_nothing(
        text in prop::collection::vec(markdown_like(), 1..12),
        bytes_max in 256_usize..2_000,
    ) {
        let dialect = to_dialect(&text.join("\n\n"));
        let parts = split(&dialect, bytes_max, 2);
        for part in &parts {
            prop_assert!(!part.trim().is_empty());
            let bytes = serde_json::to_string(part).unwrap().len() - 2;
            prop_assert!(bytes <= bytes_max, "{} of {}", bytes, bytes_max);
            prop_assert!(tables(part) <= 2);
        }
        let headers = table_headers(&dialect);
        let without = |text: &str| {
            headers.iter().fold(format!("{text}\n"), |text, header| text.replace(header, ""))
        };
        prop_assert_eq!(visible(&without(&parts.join("\n"))), visible(&without(&dialect)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_beginning_of_a_text_breaks_it(text in markdown_like()) {
        for (end, _) in text.char_indices() {
            assert_harmless(&to_dialect_streaming(&text[..end]));
        }
    }
}
