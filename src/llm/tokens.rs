//! How many tokens a text may have, guessed from its characters.
//!
//! An exact count needs the vocabulary of the very model that is asked, and tens of megabytes of memory.
//! This guess is a little high for prose and about right for JSON and logs; `dependencies.md`, section
//! 3.2, has what it was measured against.

/// Guesses how many tokens `text` has; 0 only for an empty one.
pub fn estimate_tokens(text: &str) -> usize {
    text.split_inclusive('\n').map(tokens_of_line).sum()
}

/// A line is the unit, because a chat mixes prose with pasted logs.
fn tokens_of_line(line: &str) -> usize {
    let (mut dense, mut others, mut signs) = (0_usize, 0_usize, 0_usize);
    for c in line.chars() {
        if is_dense(c) {
            dense += 1;
        } else {
            others += 1;
            signs += usize::from(c.is_ascii_digit() || c.is_ascii_punctuation());
        }
    }
    // Digits and punctuation are cut into small tokens. Prose has about one in twenty of them, logs and
    // JSON have one in three.
    let looks_like_a_log = signs * 5 >= others;
    let others = if looks_like_a_log {
        (others * 10).div_ceil(23)
    } else {
        others.div_ceil(3)
    };
    dense + others
}

/// Whether a character is about a token by itself: Chinese, Japanese, Korean, and emoji.
fn is_dense(c: char) -> bool {
    matches!(u32::from(c), 0x2E80..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x1F000..)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guess has to lie between `low` and `high`, which surround a count by o200k.
    fn check(text: &str, low: usize, high: usize) {
        let guess = estimate_tokens(text);
        assert!((low..=high).contains(&guess), "{guess} tokens for {text:?}");
    }

    #[test]
    fn a_guess_is_near_the_count_and_rather_high() {
        check("", 0, 0);
        check("a", 1, 1);
        check("结账服务从十点开始变慢，请看一下日志。", 15, 20);
        check(
            "Checkout has been slow since ten; please look at the logs.",
            13,
            20,
        );
        check(
            "2026-11-20T10:01:22.123Z ERROR payment-gw timeout after=3000ms trace=4bf92f3577b34da6",
            35,
            45,
        );
        check(
            r#"{"status":503,"path":"/v1/pay","took_ms":3000,"retry":true}"#,
            20,
            30,
        );
        check("🔥🔥", 2, 6);
    }

    #[test]
    fn lines_are_judged_one_by_one() {
        let prose = "The payment gateway times out and nobody knows why\n";
        let log = "10:01:22.123 E gw 0x7f3a [503] {3000ms}\n";
        assert_eq!(
            estimate_tokens(&format!("{prose}{log}")),
            estimate_tokens(prose) + estimate_tokens(log)
        );
    }
}
