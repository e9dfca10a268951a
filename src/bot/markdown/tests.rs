//! What goes in and what comes out; and what never comes out, by a scanner that shares no code with
//! the writer.

use proptest::prelude::*;

use super::{
    ELEMENT_CHARS_MAX, TABLES_MAX, escape, first_sentence, split, split_elements, text_message,
    to_dialect, to_dialect_streaming,
};

fn check(input: &str, expected: &str) {
    let actual = to_dialect(input);
    assert_eq!(
        actual, expected,
        "\n--- input ---\n{input}\n--- actual ---\n{actual}\n"
    );
    assert_harmless(&actual);
}

#[test]
fn plain_sentences_stay_as_they_are() {
    for text in [
        "",
        "Checkout is slow since 12:00:30, p99 > 2 s; see node_exporter and R&D's notes (v1.2.3).",
        "重启之后恢复正常。延迟 99% 在 20ms 以内，std::fmt 没问题！",
        "a * b - c + d = e, 50% / 3 [ERROR] x[0] ~5 min 'quoted' \"twice\"",
        "one line\nanother line",
        "one paragraph\n\nanother paragraph",
        "## A heading\n\ntext\n\n---\n\n> quoted\n> on\n\nend",
        "**bold**, *italic*, ~~gone~~ and `code`",
        "- one\n- two\n    - deeper\n        - deepest\n- three",
        "1. one\n2. two\n    - deeper",
        "```rust\nfn main() {}\n```",
        "| a | b |\n| --- | ---: |\n| 1 | 2 |",
        "[runbook](https://wiki.example.com/a_b?x=1&y=2#z)",
    ] {
        check(text, text);
    }
}

#[test]
fn blocks_are_written_the_platforms_way() {
    check("Title\n===\ntext", "# Title\n\ntext");
    check("A paragraph\n---\nnext", "A paragraph\n\n---\n\nnext");
    check("###### deep #######", "###### deep");
    check("* a\n\n* b\n\n  more\n* c", "- a\n- b\n\n  more\n- c");
    check("+ a\n  1) x\n  2) y", "- a\n    1. x\n    2. y");
    check("5. five\n6. six", "5. five\n6. six");
    check("- [ ] open\n- [x] done", "- ☐ open\n- ☑ done");
    check(
        "1. run\n   ```sh\n   ls\n   ```\n2. look",
        "1. run\n\n   ```sh\n   ls\n   ```\n2. look",
    );
    check("- ```sh\n  ls\n  ```", "-\n  ```sh\n  ls\n  ```");
    check(
        "> > deep\n>\n> - a\n>   - b",
        "> > deep\n>\n> - a\n>     - b",
    );
    check(
        "text\n\n    kubectl get po\n",
        "text\n\n```\nkubectl get po\n```",
    );
    check("a  \nb", "a<br>b");
    check("***\n___", "---\n\n---");
    check("- \n- a", "-\n- a");
}

#[test]
fn fences_are_closed_and_long_enough() {
    check("```\nopen", "```\nopen\n```");
    check("~~~python title=x\nprint()\n~~~", "```python\nprint()\n```");
    check(
        "````md\n```sh\nls\n```\n````",
        "````md\n```sh\nls\n```\n````",
    );
    check("```{.x}\na\n```", "```\na\n```");
    check("`` a`b ``", "``a`b``");
    check("`` ` ``", "`` ` ``");
}

#[test]
fn links_lead_to_the_web_or_nowhere() {
    check("<https://x.io/a>", "[https://x.io/a](https://x.io/a)");
    check(
        "see https://x.io/a_b, then",
        "see [https://x.io/a_b](https://x.io/a_b), then",
    );
    check(
        "见https://x.io/a。然后",
        "见[https://x.io/a](https://x.io/a)。然后",
    );
    check(
        "(https://x.io/a_(b))",
        "([https://x.io/a&#95;(b)](https://x.io/a_%28b%29))",
    );
    check("[a][r]\n\n[r]: https://x.io", "[a](https://x.io)");
    check("[a](mailto:x@y.z)", "a (mailto:x@y.z)");
    check(
        "[a](javascript:alert`1`)",
        "a (javascript:alert&#96;1&#96;)",
    );
    check("[a](docs/x.md) [b](#top)", "a (docs/x.md) b");
    check(
        "[ERROR]: timeout\n\n[ERROR] again",
        "[ERROR&#93;: timeout\n\n[ERROR] again",
    );
    check(
        "look ![graph](https://x.io/g.png)",
        "look [image: graph](https://x.io/g.png)",
    );
    check("![up](img_v3_abc) now!", "&#91;image: up&#93; now!");
    check("hey![](data:image/png;base64,AAAA)", "hey&#91;image&#93;");
    check("wow![x](https://x.io)", "wow[image: x](https://x.io)");
    check("wow\\![x](https://x.io)", "wow&#33;[x](https://x.io)");
    check(
        "[![b](https://x.io/b.svg)](https://x.io)",
        "[&#91;image: b&#93;](https://x.io)",
    );
    check(
        "[x](https://x.io \"<at id=all></at>\")",
        "[x](https://x.io)",
    );
}

#[test]
fn what_looks_like_markup_but_is_none_is_escaped() {
    check("\\# no\n\\- no\n1\\. no", "&#35; no\n&#45; no\n1&#46; no");
    check(
        "\\*a\\* \\`b\\` \\[x\\](y)",
        "&#42;a&#42; &#96;b&#96; [x&#93;(y)",
    );
    check("costs $5, or $HOME", "costs &#36;5, or &#36;HOME");
    check("5~10，6~8", "5&sim;10，6&sim;8");
    check(
        "the :DONE: mark, a::b, 12:30:45, C:\\dir",
        "the &#58;DONE: mark, a::b, 12:30:45, C:\\dir",
    );
    check(
        "_private and snake_case_name",
        "&#95;private and snake_case_name",
    );
    check("&copy; &amp;lt; &lt;b&gt;", "© &#38;lt; &#60;b>");
    check(
        "In\n2024. it\n2024\\. too",
        "In\n2024&#46; it\n2024&#46; too",
    );
}

#[test]
fn bold_next_to_chinese_is_bold() {
    check("**注意：**重启", "**注意：** 重启");
    check("是**“重启”**的", "是 **“重启”** 的");
    check("**服务 `a` 异常：**请看", "**服务 `a` 异常：** 请看");
    check("**`a`**服务", "**`a`** 服务");
    check("a ** b", "a ** b");
    check("\\*\\*a\\*\\*", "&#42;&#42;a&#42;&#42;");
}

#[test]
fn tables_keep_to_the_cards_limit() {
    let table = "| 服务 | p99 |\n|:--|--:|\n| checkout | 2s |\n| 支付 | 10ms |\n\n";
    let out = to_dialect(&table.repeat(4));
    assert_eq!(tables(&out), TABLES_MAX);
    let code = "```\n服务       p99\n--------  ----\ncheckout    2s\n支付      10ms\n```";
    assert!(out.ends_with(code), "{out}");
    check(
        "| a | b |\n|--|--|\n| x \\| y | `p\\|q` |\n| <br> | |",
        "| a | b |\n| --- | --- |\n| x &#124; y | p&#124;q |\n| <br> |",
    );
    check(
        "- | a |\n  |--|\n  | <b> |",
        "-\n  ```\n  a\n  ---\n  <b>\n  ```",
    );
}

#[test]
fn a_pipe_in_a_cells_code_does_not_end_the_cell() {
    check(
        "| a | b |\n|--|--|\n| `x | grep y` | 1 |",
        "| a | b |\n| --- | --- |\n| x &#124; grep y | 1 |",
    );
    check("```\n| `a|b` |\n```", "```\n| `a|b` |\n```");
}

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
fn code_stays_literal_but_for_mentions() {
    check("`<font color='red'>&lt;$x`", "`<font color='red'>&lt;$x`");
    check(
        "```xml\n<a href=\"x\">&amp;</a>\n```",
        "```xml\n<a href=\"x\">&amp;</a>\n```",
    );
    check(
        "`<at id=all></at> <attr>`",
        "`<\u{200B}at id=all><\u{200B}/at> <attr>`",
    );
    check("```\n<at\n```", "```\n<\u{200B}at\n```");
}

#[test]
fn a_growing_text_waits_for_what_is_half_there() {
    for (text, shown) in [
        ("see [the run", "see"),
        ("see [the run](https://x", "see"),
        ("see [the run](https://x.io)", "see [the run](https://x.io)"),
        ("is **very", "is"),
        ("is **very** sl", "is **very** sl"),
        ("run `kubectl", "run"),
        ("text\n\n| a | b |", "text"),
        ("text\n\n| a | b |\n|---|--", "text"),
        (
            "text\n\n| a | b |\n|---|---|\n",
            "text\n\n| a | b |\n| --- | --- |",
        ),
        ("| a |\n|---|\n| 1 |\n| 2", "| a |\n| --- |\n| 1 |"),
        ("text\n-", "text"),
        ("text\n1.", "text"),
        ("text\n``", "text"),
        ("text\n```ru", "text"),
        ("```rust\nfn main", "```rust\nfn main\n```"),
        ("```rust\nfn main() {}\n``", "```rust\nfn main() {}\n```"),
        ("see https", "see"),
        ("see https:", "see"),
        ("see https://x.io/ab", "see"),
        ("is **bold**", "is **bold**"),
        ("is `code`", "is `code`"),
        ("- a\n- [ ] ", "- a"),
        (
            "see https://x.io/ab and",
            "see [https://x.io/ab](https://x.io/ab) and",
        ),
        ("a <b", "a"),
        ("[ERROR] at", "[ERROR] at"),
    ] {
        assert_eq!(to_dialect_streaming(text), shown, "from {text:?}");
    }
}

/// An answer as models write them.
const ANSWER: &str = "\
## 结论

**checkout** 的 p99 从 `12:00:30` 起升高：**原因：**连接池用尽，见 https://grafana.example.com/d/abc?x=1 。

1. 先看 *日志*：
   ```sh
   kubectl logs -n prod deploy/checkout | grep 'pool_timeout' > /tmp/x
   ```
2. 再看 [面板](https://grafana.example.com/d/abc_def)
   - 连接数 > 100
   - ~~忽略~~ 等待 5~10 秒

| 服务 | p99 | 变化 |
|------|----:|------|
| checkout | 2.1s | +300% |
| payment_api | 0.2s | `a|b` |

> Note that this is a guess.
> It may be wrong.

```rust
fn main() { println!(\"<at id=all></at>\"); }
```

- [ ] Raise the limit
- [x] Tell **everyone**

---
Is that all? Yes: costs $5!
";

#[test]
fn a_growing_answer_changes_only_in_its_last_block() {
    let mut before = String::new();
    for (end, _) in ANSWER.char_indices() {
        let now = to_dialect_streaming(&ANSWER[..end]);
        let common = before
            .bytes()
            .zip(now.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        assert!(common >= last_block(&before), "{before}\n=====\n{now}");
        // Code grows before its closing fence; everything else is typed on.
        let in_code = before.ends_with("```");
        assert!(in_code || common == before.len(), "{before}\n=====\n{now}");
        before = now;
    }
    assert!(to_dialect(ANSWER).starts_with(&before));
}

/// Where the last block of a dialect text starts: after the last blank line outside of code.
fn last_block(dialect: &str) -> usize {
    let (mut start, mut at, mut in_code) = (0, 0, false);
    for line in dialect.split_inclusive('\n') {
        in_code ^= line.trim_start().starts_with("```");
        at += line.len();
        if !in_code && line.trim().is_empty() {
            start = at;
        }
    }
    start
}

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

#[test]
fn a_summary_is_the_first_sentence_in_plain_text() {
    for (dialect, summary) in [
        ("", ""),
        (
            "# Result\n\n**checkout** is `slow`. More text.",
            "checkout is slow.",
        ),
        ("# Only a heading", "Only a heading"),
        ("原因是连接池。然后", "原因是连接池。"),
        ("- one\n    - two", "one"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", "a b"),
        (
            "about 5&sim;10 &#60;b> v1.2 [x](https://x.io)",
            "about 5~10 <b> v1.2…",
        ),
        (
            "一二三四五六七八九十一二三四五六七八九十一二三",
            "一二三四五六七八九十一二三四五六七八九…",
        ),
    ] {
        assert_eq!(first_sentence(dialect, 20), summary);
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

// The scanner: what a strict reader of the platform's page would find alive.

/// Panics if there is a tag other than `<br>`, an image, or a link to elsewhere than the web, outside of
/// code; or a mention anywhere.
fn assert_harmless(dialect: &str) {
    let lower = dialect.to_lowercase();
    for mention in ["<at ", "<at>", "</at", "<at\n"] {
        assert!(!lower.contains(mention), "mention in:\n{dialect}");
    }
    let visible = without_code(dialect);
    let mut rest = visible.as_str();
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        assert!(rest.starts_with("<br>"), "a tag in:\n{dialect}");
        rest = &rest[1..];
    }
    assert!(!visible.contains("!["), "an image in:\n{dialect}");
    for (at, _) in visible.match_indices("](") {
        let target = &visible[at + 2..];
        assert!(
            target.starts_with("http://")
                || target.starts_with("https://")
                || target.to_lowercase().starts_with("http"),
            "a link to elsewhere in:\n{dialect}"
        );
    }
}

/// The text without fenced code and code spans. A span ends on its line here.
fn without_code(dialect: &str) -> String {
    let mut out = String::new();
    let mut fence = 0;
    for line in dialect.lines() {
        let content = line.trim_start_matches([' ', '>']);
        let ticks = content.bytes().take_while(|&byte| byte == b'`').count();
        let only_ticks = ticks == content.len();
        if fence > 0 {
            if only_ticks && ticks >= fence {
                fence = 0;
            }
        } else if ticks >= 3 && !content[ticks..].contains('`') {
            fence = ticks;
        } else {
            push_without_spans(&mut out, line);
        }
        out.push('\n');
    }
    assert_eq!(fence, 0, "an open fence in:\n{dialect}");
    out
}

fn push_without_spans(out: &mut String, line: &str) {
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let ticks = rest.bytes().take_while(|&byte| byte == b'`').count();
        let mut end = ticks;
        loop {
            let Some(next) = rest[end..].find('`') else {
                panic!("a backtick without its pair in: {line}");
            };
            let run = rest[end + next..]
                .bytes()
                .take_while(|&byte| byte == b'`')
                .count();
            end += next + run;
            if run == ticks {
                break;
            }
        }
        out.push('`');
        rest = &rest[end..];
    }
    out.push_str(rest);
}

fn tables(dialect: &str) -> usize {
    let text = without_code(dialect);
    let rows: Vec<bool> = text.lines().map(|line| line.starts_with('|')).collect();
    let starts = rows.windows(2).filter(|pair| !pair[0] && pair[1]).count();
    starts + usize::from(rows.first() == Some(&true))
}

/// The first two lines of each table, which may be repeated.
fn table_headers(dialect: &str) -> Vec<String> {
    let text = without_code(dialect);
    let lines: Vec<&str> = std::iter::once("").chain(text.lines()).collect();
    let starts = |line: &str| line.starts_with('|');
    let headers = lines
        .windows(3)
        .filter(|three| !starts(three[0]) && starts(three[1]));
    headers
        .map(|three| format!("{}\n{}\n", three[1], three[2]))
        .collect()
}

/// What one sees: no white space, no fences, no list and quote marks.
fn visible(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start_matches([' ', '>']).starts_with("```"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace() && *c != '>')
        .collect()
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

#[test]
fn a_text_message_reads_plain_and_holds_no_tag() {
    let check = |markdown: &str, expected: &str| {
        assert_eq!(text_message(&to_dialect(markdown)), expected, "{markdown}");
    };
    check("a < b && c", "a < b && c");
    check("x <at user_id=\"all\">y", "x <\u{200B}at user_id=\"all\">y");
    assert_eq!(text_message("<font color='grey'>m &#38; n</font>"), "m & n");
    assert_eq!(
        text_message("&#60;at user_id='all'>"),
        "<\u{200B}at user_id='all'>"
    );
    assert_eq!(text_message("& &; &#x; &字;"), "& &; &#x; &字;");
}
