//! What a strict reader of the platform's page would find alive, and what people would see.

/// Panics if there is a tag other than `<br>`, an image, or a link to elsewhere than the web, outside of
/// code; or a mention anywhere.
pub(super) fn assert_harmless(dialect: &str) {
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

pub(super) fn tables(dialect: &str) -> usize {
    let text = without_code(dialect);
    let rows: Vec<bool> = text.lines().map(|line| line.starts_with('|')).collect();
    let starts = rows.windows(2).filter(|pair| !pair[0] && pair[1]).count();
    starts + usize::from(rows.first() == Some(&true))
}

/// The first two lines of each table, which may be repeated.
pub(super) fn table_headers(dialect: &str) -> Vec<String> {
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
pub(super) fn visible(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start_matches([' ', '>']).starts_with("```"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace() && *c != '>')
        .collect()
}
