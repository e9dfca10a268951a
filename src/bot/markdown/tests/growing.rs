//! Texts that grow: what is half there waits, and what was shown stays.

use super::*;

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
