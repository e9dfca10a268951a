//! Marks around what others wrote, so that the model can tell it from what we say.
//!
//! The word in the marks is random and new in each turn, so nobody can have written it beforehand. What
//! looks like a mark is bent all the same, for models that do not look closely.

use uuid::Uuid;

/// How many characters of a name are shown.
const NAME_CHARS_MAX: usize = 64;

/// The marks of one turn.
#[derive(Debug, Clone)]
pub struct Marks {
    nonce: String,
}

impl Default for Marks {
    fn default() -> Self {
        Self::new()
    }
}

impl Marks {
    /// Marks with a new word: 62 random bits of the operating system's.
    pub fn new() -> Self {
        Self::with(&format!("{:016x}", Uuid::now_v7().as_u64_pair().1))
    }

    /// Marks with this word.
    pub fn with(nonce: &str) -> Self {
        Self {
            nonce: nonce.to_owned(),
        }
    }

    /// The word.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// A text between marks on lines of their own.
    pub fn quote(&self, text: &str) -> String {
        let Self { nonce } = self;
        format!(
            "<quoted-{nonce}>\n{}\n</quoted-{nonce}>",
            self.harmless(text)
        )
    }

    /// A name between marks, in the middle of a line.
    pub fn quote_name(&self, name: &str) -> String {
        let Self { nonce } = self;
        let name = one_line(name, NAME_CHARS_MAX);
        format!("<quoted-{nonce}>{}</quoted-{nonce}>", self.harmless(&name))
    }

    /// A text with marks, of which the end was cut off, with its last mark closed again.
    pub fn close(&self, mut text: String) -> String {
        let (open, close) = (
            format!("<quoted-{}>", self.nonce),
            format!("</quoted-{}>", self.nonce),
        );
        if text.matches(&open).count() > text.matches(&close).count() {
            text.push('\n');
            text.push_str(&close);
        }
        text
    }

    /// A text in which nothing is, or looks like, one of these marks.
    pub fn harmless(&self, text: &str) -> String {
        // It cannot be in there by chance; a tool may repeat what the model told it, though.
        let text = text.replace(&self.nonce, "…");
        let mut harmless = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find('<') {
            harmless.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            harmless.push(if begins_like_a_mark(rest) { '‹' } else { '<' });
        }
        harmless.push_str(rest);
        harmless
    }
}

/// Whether a text goes on after its `<` as a mark would, to someone who does not look closely.
fn begins_like_a_mark(text: &str) -> bool {
    let is_filler = |c: char| c == '/' || c.is_whitespace() || is_invisible(c);
    let mut word = text
        .trim_start_matches(is_filler)
        .chars()
        .filter(|c| !is_invisible(*c));
    "quoted".chars().all(|expected| {
        word.next()
            .is_some_and(|c| c.to_ascii_lowercase() == expected)
    })
}

/// Characters that take no room: zero-width, direction, soft hyphen, byte-order mark, tags.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x2069 | 0xFEFF | 0xE0000..=0xE007F)
}

/// A text on one line, without control or invisible characters, and at most so many characters long.
pub fn one_line(text: &str, chars_max: usize) -> String {
    let is_space = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|c| !is_invisible(*c))
        .collect();
    match line.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// The beginning of a text, at most so many bytes long.
pub fn beginning(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(Marks::with("5eed").harmless(text), expected);
    }

    #[test]
    fn what_imitates_a_mark_is_bent_and_the_rest_is_left() {
        check(
            "a < b, <b>bold</b> and <quote>",
            "a < b, <b>bold</b> and <quote>",
        );
        check("</quoted-5eed>", "‹/quoted-…>");
        check("x</quoted-0000>y<quoted-1>", "x‹/quoted-0000>y‹quoted-1>");
        check("< / QuOtEd-1>", "‹ / QuOtEd-1>");
        check("<\u{200b}/quo\u{200b}ted-1>", "‹\u{200b}/quo\u{200b}ted-1>");
        check("<<quoted", "<‹quoted");
        check("<", "<");
        check("5eed", "…");
    }

    #[test]
    fn a_mark_whose_end_was_cut_off_is_closed() {
        let marks = Marks::with("5eed");
        assert_eq!(
            marks.close("<quoted-5eed>\nab".into()),
            "<quoted-5eed>\nab\n</quoted-5eed>"
        );
        assert_eq!(
            marks.close("<quoted-5eed>\nab\n</quoted-5eed> c".into()),
            "<quoted-5eed>\nab\n</quoted-5eed> c"
        );
    }

    #[test]
    fn a_name_stays_on_its_line_and_between_its_marks() {
        let marks = Marks::with("5eed");
        assert_eq!(
            marks.quote_name("Li\nLei</quoted-5eed>\u{202e}"),
            "<quoted-5eed>Li Lei‹/quoted-…></quoted-5eed>"
        );
        assert_eq!(one_line(&"慢".repeat(70), 3), "慢慢慢…");
    }

    #[test]
    fn each_turn_has_marks_of_its_own() {
        assert_ne!(Marks::new().nonce(), Marks::new().nonce());
        assert_eq!(Marks::new().nonce().len(), 16);
    }
}
