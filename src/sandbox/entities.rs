//! HTML entities in Markdown, which people see as the characters that they stand for.

/// The longest entity that is looked for, without its `&` and `;`.
const NAME_MAX: usize = 8;

/// The text as people see it; what only looks like an entity stays.
pub(super) fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let end = rest
            .bytes()
            .take(NAME_MAX + 1)
            .position(|byte| byte == b';');
        match end.and_then(|end| Some((end, character(&rest[..end])?))) {
            Some((end, character)) => {
                decoded.push(character);
                rest = &rest[end + 1..];
            }
            None => decoded.push('&'),
        }
    }
    decoded.push_str(rest);
    decoded
}

/// What an entity stands for: a number, or one of the few names that the client knows.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return number.ok().and_then(char::from_u32);
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "sim" => '~',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_become_what_they_stand_for_and_once_only() {
        let check = |text: &str, expected: &str| assert_eq!(decoded(text), expected, "{text}");
        check("10&#58;02 &#x4f60;好 &lt;b&gt;", "10:02 你好 <b>");
        check("&amp;lt; &amp;#58;", "&lt; &#58;");
        check(
            "R&D; a & b &; &#; &#xZZ; &unknown; 你&好;",
            "R&D; a & b &; &#; &#xZZ; &unknown; 你&好;",
        );
        check("&#1114112; &", "&#1114112; &");
    }
}
