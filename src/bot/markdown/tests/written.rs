//! Whole texts, and what stands on the card.

use super::*;

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
