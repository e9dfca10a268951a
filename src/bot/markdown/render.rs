//! Parses Markdown and writes it anew as dialect: the blocks here, what is inside of a line in [`inline`].
//!
//! One pass over the parser's events. `out` is always the text written last: while a cell or an image's
//! description is read, the text around it waits on a stack.

mod inline;

use std::ops::Range;

use pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeWithOffset,
};

use super::{
    TABLES_MAX,
    escape::{self, Place},
    table::{COLUMNS_MAX, Table},
};

use inline::LinkEnd;

/// Quotes and lists deeper than this are drawn at this depth: every line repeats its indent, so depth
/// without a bound would make a short text a huge one.
const INDENT_BYTES_MAX: usize = 32;

/// The longest fence. Code with longer runs of backticks gets a zero-width space before them.
const FENCE_MAX: usize = 12;

/// Writes prepared Markdown as dialect.
pub(super) fn render(source: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(source, options).into_offset_iter();
    let mut writer = Writer {
        source,
        out: String::with_capacity(source.len() + source.len() / 8),
        unlinked: unlinked_definitions(&events),
        ..Writer::default()
    };
    for (event, range) in TextMergeWithOffset::new(events) {
        writer.event(event, range);
    }
    writer.definitions_before(usize::MAX);
    writer.out.truncate(writer.out.trim_end().len());
    writer.out
}

/// Lines like `[ERROR]: timeout` are definitions of link targets to the parser, which drops them. Those
/// whose target is no address were meant as text. The last comes first, to be popped.
fn unlinked_definitions(events: &pulldown_cmark::OffsetIter<'_>) -> Vec<Range<usize>> {
    let mut spans: Vec<_> = events
        .reference_definitions()
        .iter()
        .filter(|(_, definition)| escape::link_target(&definition.dest).is_none())
        .map(|(_, definition)| definition.span.clone())
        .collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    spans
}

/// What separates the next block from the text before it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Gap {
    #[default]
    None,
    Line,
    Blank,
}

/// Something that gives its lines a prefix.
#[derive(Debug)]
struct Container {
    /// The prefix's length outside of it.
    outer: usize,
    /// For a list's item, the width of its marker.
    marker: Option<usize>,
}

#[derive(Debug, Default)]
struct Writer<'a> {
    source: &'a str,
    out: String,
    /// What each line begins with.
    prefix: String,
    containers: Vec<Container>,
    /// Per open list, its next number.
    lists: Vec<Option<u64>>,
    gap: Gap,
    /// Nothing was written on this line but its prefix and markers.
    line_start: bool,
    /// A paragraph, heading or tight item's text is being written.
    inline: bool,
    /// An item's marker was just written.
    after_marker: bool,
    /// A heading is being written.
    one_line: bool,
    /// The paragraph is underlined with dashes.
    rule_follows: bool,
    /// Text within cells and descriptions that shall be code or a label: no markup at all.
    plain: usize,
    links: Vec<LinkEnd>,
    /// Per open deletion, whether it has two tildes.
    strikes: Vec<bool>,
    /// A `**` that the parser left as text, by its place in `out`.
    open_strong: Option<usize>,
    code: Option<Fence>,
    table: Option<Table>,
    tables_kept: usize,
    /// Texts that wait until the cell or description inside them is read.
    waiting: Vec<String>,
    unlinked: Vec<Range<usize>>,
}

/// A code block that is being read.
#[derive(Debug, Default)]
struct Fence {
    language: String,
    text: String,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range.end),
            Event::Text(text) if self.code.is_some() => {
                if let Some(code) = &mut self.code {
                    code.text.push_str(&text);
                }
            }
            Event::Text(text) => self.text(&text, range.len() == text.len()),
            Event::Code(code) => self.code_span(&code),
            Event::SoftBreak if self.plain > 0 || self.one_line => self.out.push(' '),
            Event::SoftBreak => self.new_line(),
            Event::HardBreak if self.plain > 0 => self.out.push(' '),
            Event::HardBreak => self.markup("<br>"),
            Event::Rule => {
                self.start_block(range.start);
                self.out.push_str("---");
                self.gap = Gap::Blank;
            }
            Event::TaskListMarker(done) => self.markup(if done { "☑ " } else { "☐ " }),
            // Switched off or made impossible by `prepare`, all but inline HTML after a round bracket.
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::FootnoteReference(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => self.text(&text, false),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => self.start_inline(range.start),
            Tag::Heading { level, .. } => self.start_heading(level, range),
            Tag::BlockQuote(_) => {
                self.definitions_before(range.start);
                self.leave_marker();
                self.begin();
                self.push_container("> ", None);
                if self.containers_grew() {
                    self.out.push_str("> ");
                }
            }
            Tag::CodeBlock(kind) => {
                self.definitions_before(range.start);
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => language(info),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(Fence {
                    language,
                    text: String::new(),
                });
            }
            Tag::List(first) => self.start_list(first, range.start),
            Tag::Item => self.start_item(range.start),
            Tag::Table(alignments) => self.start_table(alignments, range.start),
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::TableCell => {
                self.open_strong = None;
                self.set_aside();
            }
            Tag::Emphasis => self.markup("*"),
            Tag::Strong => self.strong(),
            Tag::Strikethrough => self.strike(&range, true),
            Tag::Link {
                link_type,
                dest_url,
                ..
            } => self.start_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => {
                self.ensure_inline();
                let target = escape::link_target(&dest_url);
                self.links
                    .push(target.map_or(LinkEnd::Nothing, LinkEnd::Target));
                self.set_aside();
                self.plain += 1;
            }
            _ => self.definitions_before(range.start),
        }
    }

    fn end(&mut self, tag: TagEnd, end: usize) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) => self.end_inline(),
            TagEnd::BlockQuote(_) => {
                self.pop_container();
                self.gap = Gap::Blank;
            }
            TagEnd::CodeBlock => {
                if let Some(code) = self.code.take() {
                    self.write_fence(&code);
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.pop_container();
                self.gap = Gap::Blank;
            }
            TagEnd::Item => {
                self.end_inline();
                self.leave_marker();
                self.pop_container();
                self.gap = Gap::Line;
            }
            TagEnd::Table => self.end_table(),
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(table) = &mut self.table {
                    table.end_row();
                }
            }
            TagEnd::TableCell => {
                let cell = self.take_back();
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell.trim().to_owned());
                }
                self.open_strong = None;
            }
            TagEnd::Emphasis => self.markup("*"),
            TagEnd::Strong => self.strong(),
            TagEnd::Strikethrough => self.strike(&(0..0), false),
            TagEnd::Link => self.end_link(end),
            TagEnd::Image => self.end_image(),
            _ => {}
        }
    }

    /// Leaves the text before and begins a line for a block that stands at `start` in the source.
    fn start_block(&mut self, start: usize) {
        self.definitions_before(start);
        self.begin();
    }

    fn begin(&mut self) {
        if self.inline {
            self.end_inline();
        }
        match self.gap {
            Gap::None => {}
            Gap::Line => self.line_end(),
            Gap::Blank => {
                self.line_end();
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.line_end();
            }
        }
        self.gap = Gap::None;
        self.after_marker = false;
        self.line_start = true;
    }

    fn start_inline(&mut self, start: usize) {
        self.start_block(start);
        self.inline = true;
    }

    /// Text in a tight list's item has no paragraph around it.
    fn ensure_inline(&mut self) {
        if !self.inline && self.waiting.is_empty() {
            self.begin();
            self.inline = true;
        }
    }

    fn end_inline(&mut self) {
        self.open_strong = None;
        if !self.inline {
            return;
        }
        self.inline = false;
        self.one_line = false;
        self.gap = Gap::Blank;
        if std::mem::take(&mut self.rule_follows) {
            self.begin();
            self.out.push_str("---");
            self.gap = Gap::Blank;
        }
    }

    fn start_heading(&mut self, level: HeadingLevel, range: Range<usize>) {
        self.start_inline(range.start);
        let underlined = !self.source[range].trim_start().starts_with('#');
        if underlined && level == HeadingLevel::H2 {
            self.rule_follows = true;
            return;
        }
        for _ in 0..level as usize {
            self.out.push('#');
        }
        self.one_line = true;
        self.out.push(' ');
        self.line_start = false;
    }

    fn start_list(&mut self, first: Option<u64>, start: usize) {
        self.definitions_before(start);
        if self.inline {
            self.end_inline();
        }
        self.leave_marker();
        let marker = self
            .containers
            .last()
            .and_then(|container| container.marker);
        // A list that counts from elsewhere than 1 needs a blank line to be one.
        if marker.is_some() && self.gap == Gap::Blank && matches!(first, None | Some(1)) {
            self.gap = Gap::Line;
        }
        // Inside an item the prefix is as wide as its marker; the platform wants four for a list.
        let missing = marker.map_or(0, |width| 4usize.saturating_sub(width));
        self.push_container(&"    "[..missing], None);
        self.lists.push(first);
    }

    fn start_item(&mut self, start: usize) {
        self.start_block(start);
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number += 1;
                marker
            }
            _ => "- ".to_owned(),
        };
        self.out.push_str(&marker);
        let width = marker.len();
        self.push_container(&" ".repeat(width), Some(width));
        self.after_marker = true;
        self.line_start = true;
    }

    fn write_fence(&mut self, code: &Fence) {
        self.leave_marker();
        self.begin();
        let longest = code.text.split(|c| c != '`').map(str::len).max();
        let length = longest.map_or(3, |run| (run + 1).clamp(3, FENCE_MAX));
        let fence = "`".repeat(length);
        self.out.push_str(&fence);
        self.out.push_str(&code.language);
        for line in code
            .text
            .strip_suffix('\n')
            .unwrap_or(&code.text)
            .split('\n')
        {
            self.line_end();
            if line.is_empty() {
                self.out.truncate(self.out.trim_end_matches(' ').len());
            }
            if line.trim_start().starts_with(&fence) {
                self.out.push('\u{200B}');
            }
            escape::push_code(&mut self.out, line);
        }
        self.line_end();
        self.out.push_str(&fence);
        self.gap = Gap::Blank;
    }

    /// A block that begins an item goes below the marker: on the marker's own line only strict parsers
    /// would know it.
    fn leave_marker(&mut self) {
        if self.after_marker {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.gap = Gap::Line;
            self.after_marker = false;
        }
    }

    fn start_table(&mut self, alignments: Vec<pulldown_cmark::Alignment>, start: usize) {
        self.definitions_before(start);
        let as_code = !self.prefix.is_empty()
            || self.tables_kept >= TABLES_MAX
            || alignments.len() > COLUMNS_MAX;
        self.tables_kept += usize::from(!as_code);
        self.plain += usize::from(as_code);
        self.table = Some(Table {
            alignments,
            rows: Vec::new(),
            as_code,
        });
    }

    fn end_table(&mut self) {
        let Some(table) = self.table.take() else {
            return;
        };
        if table.as_code {
            self.plain -= 1;
            let text = table.to_code();
            self.write_fence(&Fence {
                language: String::new(),
                text,
            });
        } else {
            self.begin();
            self.out.push_str(&table.to_lines());
            self.gap = Gap::Blank;
        }
    }

    fn definitions_before(&mut self, start: usize) {
        while let Some(span) = self.unlinked.pop_if(|span| span.start < start) {
            self.begin();
            let place = Place {
                line_start: true,
                ..Place::default()
            };
            escape::push_text(&mut self.out, self.source[span].trim(), place);
            self.gap = Gap::Blank;
        }
    }

    fn push_container(&mut self, prefix: &str, marker: Option<usize>) {
        let outer = self.prefix.len();
        if outer + prefix.len() <= INDENT_BYTES_MAX {
            self.prefix.push_str(prefix);
        }
        self.containers.push(Container { outer, marker });
    }

    fn containers_grew(&self) -> bool {
        self.containers
            .last()
            .is_some_and(|container| container.outer < self.prefix.len())
    }

    fn pop_container(&mut self) {
        if let Some(container) = self.containers.pop() {
            self.prefix.truncate(container.outer);
        }
    }

    fn line_end(&mut self) {
        self.out.push('\n');
        self.out.push_str(&self.prefix);
    }

    fn new_line(&mut self) {
        self.line_end();
        self.line_start = true;
    }
}

/// The first word after a fence, if it could be the name of a language.
fn language(info: &str) -> String {
    let word = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '_' | '.');
    if word.len() <= 32 && word.chars().all(named) {
        word.to_owned()
    } else {
        String::new()
    }
}
