//! How much of a growing text can be shown already.
//!
//! Works on lines and bytes, without a parser: a wrong guess costs one redraw of a card, never a wrong
//! text, because the finished text does not pass through here.

/// How much of a line may wait for its end. What is longer is probably no markup.
const WAIT_BYTES_MAX: usize = 240;

/// The beginning of the text that will not turn into something else.
pub(super) fn settled(markdown: &str) -> &str {
    let scan = Scan::of(markdown);
    let line = &markdown[scan.last_line..];
    let content = line.trim_start_matches([' ', '\t', '>']);
    let content_start = markdown.len() - content.len();
    if scan.fence.is_some() {
        // Perhaps the closing fence, not yet whole.
        let closing = !content.is_empty() && content.chars().all(|c| matches!(c, '`' | '~' | ' '));
        return &markdown[..if closing {
            scan.last_line
        } else {
            markdown.len()
        }];
    }
    let is_marker = |c: char| "-=*_+#>~`|:.) \t".contains(c) || c.is_ascii_digit();
    let is_marker_only = content.chars().all(is_marker)
        || matches!(after_list_marker(content).trim_end(), "[ ]" | "[x]" | "[X]");
    let in_table =
        scan.table_open || content.starts_with('|') || is_marker_only && scan.table_start.is_some();
    let end = if in_table {
        // A row is shown when it is whole, a table when its second line is.
        scan.table_start.unwrap_or(scan.last_line)
    } else if is_marker_only || content.starts_with("```") || content.starts_with("~~~") {
        scan.last_line
    } else {
        let open = open_inline(content).map(|at| content_start + at);
        let end = open
            .filter(|at| markdown.len() - at <= WAIT_BYTES_MAX)
            .unwrap_or(markdown.len());
        // A list's marker whose item waits is no more than a marker.
        let is_bare = markdown[scan.last_line..end].chars().all(is_marker);
        if is_bare { scan.last_line } else { end }
    };
    markdown[..end].trim_end_matches(['\n', ' '])
}

/// What the whole lines of a text say about the line that is still being written.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The fence that is open: its character and length.
    fence: Option<(char, usize)>,
    /// Where the last line starts, which may be empty.
    last_line: usize,
    /// The last whole line belongs to a table.
    table_open: bool,
    /// Where a table starts of which only the header is there.
    table_start: Option<usize>,
}

impl Scan {
    fn of(markdown: &str) -> Self {
        let mut scan = Self::default();
        for line in markdown.split_inclusive('\n') {
            if !line.ends_with('\n') {
                break;
            }
            let start = scan.last_line;
            scan.last_line += line.len();
            scan.line(line, start);
        }
        scan
    }

    /// Whether the next line is code.
    pub(super) fn is_in_fence(&self) -> bool {
        self.fence.is_some()
    }

    /// Takes note of a whole line, which starts at `start`.
    pub(super) fn line(&mut self, line: &str, start: usize) {
        let content = line.trim_start_matches([' ', '\t', '>']);
        let content = after_list_marker(content).trim_end();
        let mark = content
            .chars()
            .next()
            .filter(|mark| matches!(mark, '`' | '~'));
        let run = mark.map_or(0, |mark| {
            content.len() - content.trim_start_matches(mark).len()
        });
        match (self.fence, mark) {
            (Some((open, length)), Some(mark)) if mark == open && run >= length => {
                if content.len() == run {
                    self.fence = None;
                }
            }
            (Some(_), _) => {}
            (None, Some(mark)) if run >= 3 && (mark == '~' || !content[run..].contains('`')) => {
                self.fence = Some((mark, run));
                (self.table_open, self.table_start) = (false, None);
            }
            (None, _) => self.table_line(content, start),
        }
    }

    fn table_line(&mut self, content: &str, start: usize) {
        let is_delimiter = content.contains('-')
            && content.contains('|')
            && content.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
        if content.is_empty() {
            (self.table_open, self.table_start) = (false, None);
        } else if is_delimiter {
            (self.table_open, self.table_start) = (true, None);
        } else if !self.table_open {
            self.table_start = content.starts_with('|').then_some(start);
        }
    }
}

fn after_list_marker(content: &str) -> &str {
    let digits = content.bytes().take_while(u8::is_ascii_digit).count();
    let marker = match content.as_bytes().get(digits) {
        Some(b'-' | b'*' | b'+') if digits == 0 => 1,
        Some(b'.' | b')') if (1..10).contains(&digits) => digits + 1,
        _ => return content,
    };
    match content[marker..].strip_prefix(' ') {
        Some(rest) => rest.trim_start_matches(' '),
        None => content,
    }
}

/// Where a construct starts that is not closed on this line.
fn open_inline(line: &str) -> Option<usize> {
    let mut open = Open::default();
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let step = match byte {
            b'`' | b'*' | b'_' | b'~' => run_length(&bytes[at..]),
            b'[' | b']' | b')' => 1,
            // What it stands before is a character and no mark.
            b'\\' => {
                let next = line[at + 1..].chars().next();
                at += 1 + next.map_or(0, char::len_utf8);
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        open.see(line, at, byte, step);
        at += step;
    }
    let opened = [
        open.code.map(|(at, _)| at),
        open.strong,
        open.emphasis,
        open.strike,
        open.bracket,
        open_word(line),
        // Marks at the end are whole if they close something.
        (open.closed_at < line.len())
            .then(|| open_marks(line))
            .flatten(),
    ];
    opened.into_iter().flatten().min()
}

fn run_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == bytes[0]).count()
}

#[derive(Debug, Default)]
struct Open {
    code: Option<(usize, usize)>,
    strong: Option<usize>,
    emphasis: Option<usize>,
    strike: Option<usize>,
    bracket: Option<usize>,
    /// Inside the address of a link.
    in_address: bool,
    /// The end of what was closed last.
    closed_at: usize,
}

impl Open {
    fn see(&mut self, line: &str, at: usize, byte: u8, length: usize) {
        if let Some((_, opened)) = self.code {
            if byte == b'`' && length == opened {
                self.code = None;
                self.closed_at = at + length;
            }
            return;
        }
        let before = line[..at].chars().next_back();
        let after = line.get(at + length..).and_then(|rest| rest.chars().next());
        let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let mut closed_at = self.closed_at;
        let mut toggle = |mark: &mut Option<usize>| match mark {
            Some(_) if !is_space(before) => {
                *mark = None;
                closed_at = at + length;
            }
            None if after.is_none() || !is_space(after) => *mark = Some(at),
            _ => {}
        };
        match byte {
            b'`' => self.code = Some((at, length)),
            b'~' if length == 2 => toggle(&mut self.strike),
            b'_' if before.is_some_and(char::is_alphanumeric)
                && after.is_some_and(char::is_alphanumeric) => {}
            b'*' | b'_' => {
                if length >= 2 {
                    toggle(&mut self.strong);
                }
                if length % 2 == 1 {
                    toggle(&mut self.emphasis);
                }
            }
            b'[' if self.bracket.is_none() => {
                self.bracket = Some(at - usize::from(before == Some('!')))
            }
            b']' if !self.in_address => match after {
                Some('(') => self.in_address = self.bracket.is_some(),
                // A bracket may follow that makes it a link.
                None => {}
                Some(_) => self.bracket = None,
            },
            b')' if self.in_address => {
                (self.in_address, self.bracket) = (false, None);
                closed_at = at + length;
            }
            _ => {}
        }
        self.closed_at = closed_at;
    }
}

/// Where the marks start that a line ends with.
fn open_marks(line: &str) -> Option<usize> {
    let marks = ['*', '_', '~', '`', '!', '[', ']', '<', '&', '\\', ':'];
    let end = line.trim_end_matches(marks).len();
    (end < line.len()).then_some(end)
}

/// Where an address, an entity, an emoji's name or a tag starts, if the line's last word may become one.
fn open_word(line: &str) -> Option<usize> {
    let word = line.rfind(|c: char| c.is_whitespace() || !c.is_ascii());
    let start = word.map_or(0, |at| {
        at + line[at..].chars().next().map_or(0, char::len_utf8)
    });
    let word = &line[start..];
    let address = word.char_indices().rev().find(|&(at, c)| {
        let end = &word[at..];
        // A link's own address has its bracket to tell whether it is whole.
        c == 'h'
            && !word[..at].ends_with("](")
            && (end.starts_with("http://")
                || end.starts_with("https://")
                || "https://".starts_with(end)
                || "http://".starts_with(end))
    });
    let mark = word.rfind(['&', ':', '<']).filter(|&at| {
        word[at + 1..].len() <= 32
            && word[at + 1..].bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'#' | b'/' | b'-' | b'+')
            })
    });
    let address = address.map(|(at, _)| at);
    [address, mark]
        .into_iter()
        .flatten()
        .min()
        .map(|at| start + at)
}
