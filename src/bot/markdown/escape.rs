//! Characters that the platform would take for markup, written so that it does not.
//!
//! Two forms of one text meet here: what [`prepare`] hands to the parser, in which [`LESS`] stands for
//! `<` so that nothing is ever parsed as HTML, and what is written, in which it is `&#60;`.

use std::borrow::Cow;

/// Stands for `<` between [`prepare`] and the writing. A noncharacter, so no text may contain it.
pub(super) const LESS: char = '\u{FDD0}';

/// How many bytes a link's address may have; a longer one (an inlined file, mostly) is not a link.
pub(super) const ADDRESS_BYTES_MAX: usize = 2_000;

/// Where a piece of text stands, as far as it matters for what must be escaped.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// It begins a line, where `#`, `-`, `1.` and their like have a meaning.
    pub(super) line_start: bool,
    /// It is inside a table's cell, where `|` has one.
    pub(super) cell: bool,
    /// Bare addresses become links.
    pub(super) links: bool,
}

/// The text without control characters, with one kind of line end, and with [`LESS`] for every `<` that
/// cannot belong to a link. HTML is thereby text, also the kind that would swallow all that follows it.
pub(super) fn prepare(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| match byte {
        b'<' | b'\r' | 0xEF | 0x7F => false,
        byte => byte >= 0x20 || byte == b'\n' || byte == b'\t',
    };
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run = rest.bytes().take_while(|&byte| plain(byte)).count();
        // A run of whole characters: continuation bytes are plain, and 0xEF is a first byte.
        if run > 0 && rest.is_char_boundary(run) {
            out.push_str(&rest[..run]);
            rest = &rest[run..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '<' if out.ends_with('(') || begins_address(rest) => out.push('<'),
            '<' => out.push(LESS),
            '\r' if rest.starts_with('\n') => {}
            '\r' => out.push('\n'),
            LESS => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Any text as dialect that shows just that text, on one line.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let place = Place {
        line_start: true,
        ..Place::default()
    };
    push_text(&mut out, &prepare(text), place);
    out
}

/// A link that shows just this text. `None` where the address is none of the web, or too long for one.
pub fn link(text: &str, address: &str) -> Option<String> {
    let target = link_target(address)?;
    Some(format!(
        "[{}]({target})",
        escape(text).replace(']', "&#93;")
    ))
}

/// Writes text so that it is shown as it is.
pub(super) fn push_text(out: &mut String, text: &str, place: Place) {
    let text = if place.line_start {
        push_line_start(out, text.trim_start_matches([' ', '\t', '\n']))
    } else {
        text
    };
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if !SPECIAL[usize::from(bytes[at])] {
            at += 1;
            continue;
        }
        let (before, after) = (&text[..at], &text[at..]);
        if place.links
            && after.starts_with("://")
            && let Some((start, end)) = bare_address(text, copied, at)
        {
            out.push_str(&text[copied..start]);
            push_bare_link(out, &text[start..end], place);
            (copied, at) = (end, end);
            continue;
        }
        let previous = before
            .chars()
            .next_back()
            .or_else(|| out.chars().next_back());
        if let Some((length, written)) = escaped(after, previous, place) {
            out.push_str(&text[copied..at]);
            out.push_str(written);
            at += length;
            copied = at;
        } else {
            at += 1;
        }
    }
    out.push_str(&text[copied..]);
}

/// The bytes at which [`escaped`] has something to say.
static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"<&*_~`]\\$|:!\n\t\xEF";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

/// What the first character of `text` is written as, and how many bytes that replaces; `None` to leave
/// it. `previous` is the character before it.
fn escaped(text: &str, previous: Option<char>, place: Place) -> Option<(usize, &'static str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    let rest = chars.as_str();
    let next = chars.next();
    let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let written = match c {
        LESS | '<' => match break_tag(rest) {
            Some(length) => return Some((c.len_utf8() + length, "<br>")),
            None => "&#60;",
        },
        '&' if begins_entity(rest) => "&#38;",
        '*' if !(space(previous) && next.is_some_and(char::is_whitespace)) => "&#42;",
        '_' if !(word(previous) && word(next) || space(previous) && space(next)) => "&#95;",
        // One that follows a space can begin a deletion but not end one.
        '~' if !space(previous) || next == Some('~') => "&sim;",
        '`' => "&#96;",
        // A pair of brackets alone is only text; what follows would make it a link.
        ']' if matches!(next, Some('(' | '[' | ':')) => "&#93;",
        '!' if next == Some('[') => "&#33;",
        // Before a letter a backslash is itself. At the end it may meet markup of ours.
        '\\' if next.is_none_or(|next| next.is_ascii_punctuation() || next == LESS) => "&#92;",
        '$' => "&#36;",
        '|' if place.cell => "&#124;",
        ':' if begins_emoji(rest) => "&#58;",
        '\n' | '\t' => " ",
        _ => return None,
    };
    Some((c.len_utf8(), written))
}

/// Writes what would give a line a meaning, escaped, and returns the rest.
fn push_line_start<'a>(out: &mut String, text: &'a str) -> &'a str {
    let Some(c) = text.chars().next() else {
        return text;
    };
    let rest = &text[c.len_utf8()..];
    let ends_word = |rest: &str| rest.chars().next().is_none_or(char::is_whitespace);
    let written = match c {
        '#' => "&#35;",
        '>' => "&#62;",
        '|' => "&#124;",
        '*' if ends_word(rest) => "&#42;",
        '-' if ends_word(rest) || rest.starts_with(['-', '|', ':']) => "&#45;",
        '+' if ends_word(rest) => "&#43;",
        '_' if ends_word(rest) => "&#95;",
        '=' if ends_word(rest) || rest.starts_with('=') => "&#61;",
        ':' if rest.starts_with('-') => "&#58;",
        '0'..='9' => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let after = &text[digits..];
            let written = match after.chars().next() {
                Some('.') => "&#46;",
                Some(')') => "&#41;",
                _ => return text,
            };
            if !ends_word(&after[1..]) {
                return text;
            }
            out.push_str(&text[..digits]);
            out.push_str(written);
            return &after[1..];
        }
        _ => return text,
    };
    out.push_str(written);
    rest
}

/// Writes the inside of code. See the module's head for the one change that is made to it.
pub(super) fn push_code(out: &mut String, code: &str) {
    let mut rest = code;
    while let Some(at) = rest.find(['<', LESS]) {
        out.push_str(&rest[..at]);
        out.push('<');
        let less = if rest[at..].starts_with('<') {
            1
        } else {
            LESS.len_utf8()
        };
        rest = &rest[at + less..];
        if names_mention(rest) {
            out.push('\u{200B}');
        }
    }
    out.push_str(rest);
}

/// Whether this, after a `<`, begins or ends a mention.
fn names_mention(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    name.get(..2)
        .is_some_and(|name| name.eq_ignore_ascii_case("at"))
        && !name[2..].starts_with(char::is_alphanumeric)
}

/// Writes an address as a link's target. `None`, and nothing written, where it is not an http address.
pub(super) fn link_target(address: &str) -> Option<String> {
    let address = address.trim();
    if !begins_address(address) || address.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let mut out = String::with_capacity(address.len() + 8);
    // The square brackets of an IPv6 host stay.
    let host = if address.contains("://[") {
        address.find(']').map_or(0, |at| at + 1)
    } else {
        0
    };
    out.push_str(&address[..host]);
    let mut chars = address[host..].chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => out.push_str("%21"),
            '[' => out.push_str("%5B"),
            ']' => out.push_str("%5D"),
            LESS | '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '"' => out.push_str("%22"),
            '\'' => out.push_str("%27"),
            '`' => out.push_str("%60"),
            '|' => out.push_str("%7C"),
            '\\' => out.push_str("%5C"),
            '$' => out.push_str("%24"),
            '*' => out.push_str("%2A"),
            '&' if begins_entity(chars.as_str()) => out.push_str("&amp;"),
            c if c.is_whitespace() || c.is_control() => out.push_str("%20"),
            c => out.push(c),
        }
    }
    Some(out)
}

fn begins_address(text: &str) -> bool {
    let starts = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && text[scheme.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '[')
    };
    starts("http://") || starts("https://")
}

/// Where the address around the `:` at `colon` starts and ends, if it is one. Looks back to `from` only.
fn bare_address(text: &str, from: usize, colon: usize) -> Option<(usize, usize)> {
    let before = &text[from..colon];
    let scheme = ["https", "http"].into_iter().find(|scheme| {
        before
            .len()
            .checked_sub(scheme.len())
            .and_then(|start| before.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    })?;
    let start = colon - scheme.len();
    let follows_word = text[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
    if follows_word || !begins_address(&text[start..]) {
        return None;
    }
    // Chinese runs on after an address without a space, so only ASCII belongs to it.
    let length = text[start..]
        .bytes()
        .take(ADDRESS_BYTES_MAX + 1)
        .take_while(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'|')
        })
        .count();
    let mut address = &text[start..start + length];
    let count = |which| address.bytes().filter(|&byte| byte == which).count();
    // A closing bracket belongs to the address if its opening one does.
    let mut unopened = count(b')').saturating_sub(count(b'('));
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if unopened > 0 => unopened -= 1,
            '.' | ',' | ';' | ':' | '!' | '?' | '*' | '_' | '~' | '\'' | ']' | '}' | '\\' => {}
            _ => break,
        }
        address = &address[..address.len() - 1];
    }
    (address.len() <= ADDRESS_BYTES_MAX && begins_address(address))
        .then_some((start, start + address.len()))
}

fn push_bare_link(out: &mut String, address: &str, place: Place) {
    let Some(target) = link_target(address) else {
        return;
    };
    open_bracket(out);
    let place = Place {
        line_start: false,
        links: false,
        ..place
    };
    push_text(out, address, place);
    out.push_str("](");
    out.push_str(&target);
    out.push(')');
}

/// Begins a link, and keeps a `!` that happens to stand before it from making it an image.
pub(super) fn open_bracket(out: &mut String) {
    if out.ends_with('!') {
        out.pop();
        out.push_str("&#33;");
    }
    out.push('[');
}

/// The length of `br>`, `br/>` or `br />` at the start.
fn break_tag(rest: &str) -> Option<usize> {
    let name = rest
        .get(..2)
        .filter(|name| name.eq_ignore_ascii_case("br"))?;
    let inside = &rest[name.len()..];
    let end = inside.trim_start_matches([' ', '/']);
    let spread = inside.len() - end.len();
    (spread <= 2 && end.starts_with('>')).then_some(name.len() + spread + 1)
}

/// Whether an `&` before this would be read as a character's name or number, also without its `;`.
fn begins_entity(rest: &str) -> bool {
    if rest.starts_with('#') {
        return true;
    }
    let name = rest
        .bytes()
        .take(32)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    // A noncharacter or a `;` cannot be part of a name, so the slices are whole.
    let name = &rest[..name];
    let known = ["lt", "gt", "amp", "quot"];
    !name.is_empty() && rest[name.len()..].starts_with(';')
        || known.iter().any(|known| {
            name.get(..known.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(known))
        })
}

/// Whether a `:` before this would begin an emoji's name, `DONE:`.
fn begins_emoji(rest: &str) -> bool {
    let name = rest
        .bytes()
        .take(40)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
        .count();
    rest[name..].starts_with(':') && rest[..name].bytes().any(|byte| byte.is_ascii_alphabetic())
}
