//! The lines of a card as pairs of a name and a value, which every template writes in another way.

/// A longer name is a sentence with a colon in it.
const NAME_CHARS_MAX: usize = 32;

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A name and its value.
    Pair(String, String),
    /// A list begins.
    Section(Section),
    /// Nothing but a status: what follows is of alerts that have it.
    Status(String),
    /// Links, each a text and an address.
    Links(Vec<String>),
    /// Anything else.
    Other(String),
}

/// A list under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    None,
    Labels,
    Annotations,
}

/// Reads the lines of a card. One that is only a name has its value on the next.
pub(super) fn lines(lines: &[String]) -> Vec<Line> {
    let plain: Vec<(String, bool)> = lines
        .iter()
        .flat_map(|line| line.lines())
        .map(|line| (bare(line), is_bold(line)))
        .filter(|(line, _)| !line.is_empty() && line != "---")
        .collect();
    let mut read = Vec::with_capacity(plain.len());
    let mut rest = plain.iter().peekable();
    while let Some((line, bold)) = rest.next() {
        let one = read_one(line);
        let is_name =
            *bold && matches!(one, Line::Other(_)) && super::words::field(name_of(line)).is_some();
        let value = rest
            .peek()
            .filter(|(next, _)| matches!(read_one(next), Line::Other(_)));
        match value {
            Some((value, _)) if is_name => {
                read.push(Line::Pair(name_of(line).to_owned(), value.clone()));
                rest.next();
            }
            _ => read.push(one),
        }
    }
    read
}

/// The pairs in a value that holds many: `a=b,c=d`, `[a=b c=d]`, `{"a":"b"}`, `["a=b","c=d"]`.
pub(super) fn list(value: &str) -> Vec<(String, String)> {
    let inner =
        value.trim_matches(|c: char| matches!(c, '[' | ']' | '{' | '}') || c.is_whitespace());
    let parts = inner
        .split([',', ' ', ';'])
        .map(|part| part.trim_matches(['"', ' ']));
    let mut found: Vec<(String, String)> = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let pair = part.split_once('=').or_else(|| part.split_once(':'));
        match (pair, found.last_mut()) {
            (Some((name, value)), _) if !name.is_empty() => {
                let value = value.trim_matches(['"', ' ']);
                found.push((name.trim_matches(['"', ' ']).to_owned(), value.to_owned()));
            }
            // A value with a space in it.
            (_, Some((_, value))) => {
                value.push(' ');
                value.push_str(part);
            }
            (_, None) => found.push(("labels".to_owned(), part.to_owned())),
        }
    }
    found
}

fn read_one(line: &str) -> Line {
    let section = match line
        .trim_end_matches([':', '：'])
        .trim()
        .to_lowercase()
        .as_str()
    {
        "labels" | "标签" | "事件标签" | "告警标签" => Some(Section::Labels),
        "annotations" | "附加信息" | "注解" => Some(Section::Annotations),
        _ => None,
    };
    if let Some(section) = section {
        return Line::Section(section);
    }
    if let Some(status) = super::words::status(line) {
        return Line::Status(status);
    }
    let links = links(line);
    if !links.is_empty() {
        return Line::Links(links);
    }
    match pair(line) {
        Some((name, value)) => Line::Pair(name, value),
        None => Line::Other(line.to_owned()),
    }
}

/// A name, a colon or an equals sign, and a value.
fn pair(line: &str) -> Option<(String, String)> {
    let at = line.find([':', '：', '='])?;
    let (name, rest) = line.split_at(at);
    let sign = rest.chars().next()?;
    let value = rest[sign.len_utf8()..].trim();
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && name.chars().any(char::is_alphabetic)
        && name.split_whitespace().count() <= 3
        && !name.contains(['(', '[', '/', '.', '"', '，', '。']);
    // `http://…`, and `==` of an expression, are no pairs.
    let is_value = !value.is_empty() && !value.starts_with("//") && !value.starts_with('=');
    (is_name && is_value).then(|| (name.to_owned(), value.to_owned()))
}

fn name_of(line: &str) -> &str {
    line.trim().trim_end_matches([':', '：']).trim()
}

/// The links in a line that holds nothing else but separators: `[text](url) | [text](url)`.
fn links(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    let mut between = String::new();
    while let Some(open) = rest.find('[') {
        let after = &rest[open + 1..];
        let Some((text, tail)) = after.split_once(']') else {
            break;
        };
        let Some((url, tail)) = tail.strip_prefix('(').and_then(|tail| tail.split_once(')')) else {
            between.push_str(&rest[..=open]);
            rest = after;
            continue;
        };
        between.push_str(&rest[..open]);
        let text = text.strip_prefix("button: ").unwrap_or(text);
        found.push(format!("{text} {url}"));
        rest = tail;
    }
    between.push_str(rest);
    match between.chars().any(char::is_alphanumeric) {
        true => Vec::new(),
        false => found,
    }
}

/// A line without what only makes it look better: bullets, emphasis, colours, emoji.
fn bare(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest
        .find("<font")
        .into_iter()
        .chain(rest.find("</font"))
        .min()
    {
        text.push_str(&rest[..at]);
        rest = rest[at..].split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let text = text.replace("**", "").replace("~~", "");
    let is_ornament = |c: char| {
        c.is_whitespace()
            || matches!(c, '-' | '*' | '•' | '·' | '>' | '#' | '\u{fe0f}')
            || u32::from(c) >= 0x1F000
            || matches!(u32::from(c), 0x2600..=0x27BF)
    };
    let text = text.trim_start_matches(is_ornament).trim_end();
    // An image or a button is no line of the alert, unless the button leads somewhere.
    match text.starts_with("[button") && !text.contains("](") || text == "[image]" {
        true => String::new(),
        false => text.to_owned(),
    }
}

fn is_bold(line: &str) -> bool {
    let line = line.trim();
    line.len() > 4 && line.starts_with("**") && line.trim_end_matches([':', '：']).ends_with("**")
}
