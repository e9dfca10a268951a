//! Dialect as plain text, for the line in the list of chats.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// How much of an answer is looked at; its first sentence is not further away.
const LOOK_BYTES: usize = 2_000;

/// Dialect text for a text message, where the platform reads no Markdown and no entities but still its own
/// tags: entities become what they stand for, and nothing becomes a tag.
pub fn text_message(dialect: &str) -> String {
    let mut text = String::with_capacity(dialect.len());
    let mut rest = dialect;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match entity(rest) {
            Some((c, bytes)) => {
                text.push(c);
                rest = &rest[bytes..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    let text = text
        .replace("<font color='grey'>", "")
        .replace("</font>", "")
        .replace("<br>", "\n");
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        safe.push(c);
        if c == '<' && chars.peek().is_some_and(|c| c.is_alphabetic() || *c == '/') {
            safe.push('\u{200B}');
        }
    }
    safe
}

/// The character that `text` begins with as an entity, and how long that is written.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let c = match &text[1..end] {
        "sim" => '~',
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        name => {
            let number = name.strip_prefix('#')?.parse().ok()?;
            char::from_u32(number)?
        }
    };
    Some((c, end + 1))
}

/// The first sentence of a dialect text as plain text, at most `chars_max` characters with the `…` that
/// marks a cut. A heading counts only where there is nothing else. Empty when there is no text.
pub fn first_sentence(dialect: &str, chars_max: usize) -> String {
    let head = &dialect[..dialect.floor_char_boundary(LOOK_BYTES)];
    let mut heading = String::new();
    let mut text = String::new();
    for event in Parser::new_ext(head, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            Event::SoftBreak | Event::HardBreak | Event::InlineHtml(_) => text.push(' '),
            Event::End(TagEnd::TableCell) => text.push(' '),
            Event::End(TagEnd::Heading(_)) => {
                let ended = std::mem::take(&mut text);
                if heading.is_empty() {
                    heading = ended;
                }
            }
            // Any other block that ends, or a list that begins inside of an item.
            Event::End(
                TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::TableHead,
            )
            | Event::Start(Tag::List(_))
                if !text.trim().is_empty() =>
            {
                break;
            }
            _ => {}
        }
    }
    if text.trim().is_empty() {
        text = heading;
    }
    cut(&text, chars_max)
}

/// The text up to the end of its first sentence, on one line.
fn cut(text: &str, chars_max: usize) -> String {
    // `&sim;` stands for a tilde in the dialect, but is another character to everyone else.
    let text = text.replace('\u{223C}', "~");
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let end = line
        .char_indices()
        .find(|&(at, c)| match c {
            '。' | '！' | '？' => true,
            // `v1.2` and `e.g` go on; a sentence is followed by a space.
            '.' | '!' | '?' => line[at + 1..].starts_with(' ') && at >= 12,
            _ => false,
        })
        .map_or(line.len(), |(at, c)| at + c.len_utf8());
    let sentence = &line[..end];
    if sentence.chars().count() <= chars_max {
        return sentence.to_owned();
    }
    let mut short: String = sentence.chars().take(chars_max.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}
