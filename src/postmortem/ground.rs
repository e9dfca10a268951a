//! What in a sentence can only come from a source: names of machines and programs, tickets, versions, numbers.
//!
//! A model writes fluent sentences about hosts that do not exist. So every token of a sentence that looks as
//! if it named or counted something has to occur in what the sentence cites.

use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

use regex::Regex;

use super::clock;

/// A token that has to come from a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it stands in the sentence.
    pub text: String,
    /// What it is.
    pub kind: TokenKind,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A count or a measurement.
    Number,
    /// A host, service, version, ticket, program, or another proper name.
    Name,
    /// A link.
    Link,
    /// Code between backticks.
    Code,
}

static LINK: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"(?i)\bhttps?://[^\s<>()\[\]"'，。；）】]+"#));
static CODE: LazyLock<Regex> = LazyLock::new(|| regex(r"`([^`\n]+)`"));
static CITATION: LazyLock<Regex> = LazyLock::new(|| regex(r"\[(?:[mr]\d+)\](?:\([^)\s]*\))?"));
static WORD: LazyLock<Regex> =
    LazyLock::new(|| regex(r"[A-Za-z0-9_](?:[A-Za-z0-9_.,:/@#+&-]*[A-Za-z0-9_])?%?"));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| regex(r"^[+-]?\d[\d,]*(?:\.\d+)?%?$"));
static COUNTED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(\d[\d,]*(?:\.\d+)?)([A-Za-zµ]{1,4})$"));
static FIGURES: LazyLock<Regex> = LazyLock::new(|| regex(r"\d[\d,]*(?:\.\d+)*"));

/// Counts in words.
static SPELLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:dozens|hundreds?|thousands?|millions?)\b|(?:数|几|上|成)[百千万亿]+|[一二两三四五六七八九][百千万]",
    )
});
static SCALED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)(\d[\d,]*(?:\.\d+)?)\s*(?:(k|m|thousand|million)\b|([百千万亿]))")
});

/// The pattern with `\b` for English words only. Chinese is written without spaces, so an English word in it
/// begins wherever its letters do; and what knows all alphabets is ten times slower in a Chinese text.
pub(super) fn ascii_words(pattern: &str) -> String {
    pattern.replace(r"\b", r"(?-u:\b)")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("every pattern is compiled by a test")
}

/// Words with capitals that name nothing.
const PLAIN_CAPITALS: [&str; 34] = [
    "UTC",
    "GMT",
    "TODO",
    "TBD",
    "AM",
    "PM",
    "OK",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "I",
    "Root",
    "Cause",
    "Summary",
    "Impact",
    "Timeline",
    "Nightjar",
    "None",
];

/// Parts of compound words that name nothing: `follow-up`, `on-call`.
const PLAIN_PARTS: [&str; 40] = [
    "on", "off", "up", "down", "back", "over", "out", "in", "self", "long", "short", "well",
    "high", "low", "non", "re", "pre", "post", "read", "write", "follow", "time", "end", "user",
    "customer", "first", "second", "one", "two", "full", "half", "real", "near", "so", "by", "to",
    "of", "run", "built", "wide",
];

/// Programs that everybody knows, which are names however they are written and wherever they stand.
const PROGRAMS: [&str; 36] = [
    "kafka",
    "redis",
    "mysql",
    "postgres",
    "postgresql",
    "mongodb",
    "nginx",
    "kubernetes",
    "k8s",
    "docker",
    "elasticsearch",
    "rabbitmq",
    "rocketmq",
    "zookeeper",
    "etcd",
    "cassandra",
    "envoy",
    "istio",
    "dns",
    "cdn",
    "aws",
    "gcp",
    "azure",
    "cloudflare",
    "memcached",
    "prometheus",
    "grafana",
    "jenkins",
    "hadoop",
    "clickhouse",
    "tomcat",
    "nacos",
    "dubbo",
    "tidb",
    "haproxy",
    "terraform",
];

/// Words that stand in Chinese sentences without naming anything.
const PLAIN_IN_CHINESE: [&str; 12] = [
    "ms", "min", "s", "h", "ok", "vs", "am", "pm", "utc", "gmt", "mb", "gb",
];

/// The tokens of a sentence that have to come from a source. Times, lengths of time and citations have checks
/// of their own and are left out.
pub fn tokens(sentence: &str) -> Vec<Token> {
    split(sentence).0
}

/// The other words of a sentence: all that is neither a token nor a time, a length of time or a citation.
pub fn plain(sentence: &str) -> String {
    split(sentence).1
}

fn split(sentence: &str) -> (Vec<Token>, String) {
    let sentence = &narrow(sentence);
    let mut rest = blank(sentence, &CITATION);
    let mut tokens = Vec::new();
    for found in LINK.find_iter(&rest.clone()) {
        push(
            &mut tokens,
            found
                .as_str()
                .trim_end_matches(['.', ',', ';', ':', '!', '?']),
            TokenKind::Link,
        );
    }
    rest = blank(&rest, &LINK);
    for captures in CODE.captures_iter(&rest.clone()) {
        push(
            &mut tokens,
            captures.get(1).map_or("", |code| code.as_str()),
            TokenKind::Code,
        );
    }
    rest = blank(&rest, &CODE);
    rest = without_times(&rest);
    for found in SPELLED.find_iter(&rest) {
        push(&mut tokens, found.as_str(), TokenKind::Number);
    }
    let is_chinese = is_chinese(sentence);
    let mut others = rest.clone();
    for found in WORD.find_iter(&rest) {
        let word = found.as_str().trim_end_matches([',', '.', ':', '/']);
        if NUMBER.is_match(word) {
            push(&mut tokens, word, TokenKind::Number);
        } else if let Some(captures) = COUNTED.captures(word) {
            push(&mut tokens, &captures[1], TokenKind::Number);
        } else if names_something(word, starts_sentence(&rest, found.start()), is_chinese) {
            push(&mut tokens, word, TokenKind::Name);
        } else {
            continue;
        }
        let span = found.start()..found.start() + word.len();
        others.replace_range(span.clone(), &" ".repeat(span.len()));
    }
    (tokens, others)
}

fn push(tokens: &mut Vec<Token>, text: &str, kind: TokenKind) {
    let token = Token {
        text: text.to_owned(),
        kind,
    };
    if !text.is_empty() && !tokens.contains(&token) {
        tokens.push(token);
    }
}

/// The text with every match replaced by blanks of the same length, so that places stay where they are.
fn blank(text: &str, pattern: &Regex) -> String {
    pattern
        .replace_all(text, |captures: &regex::Captures<'_>| {
            " ".repeat(captures[0].len())
        })
        .into_owned()
}

fn without_times(text: &str) -> String {
    let times = clock::times(text, jiff::Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
    let spans = times.into_iter().map(|time| time.span);
    let lengths = clock::lengths(text).into_iter().map(|length| length.span);
    let mut text = text.to_owned();
    for span in spans.chain(lengths) {
        text.replace_range(span.clone(), &" ".repeat(span.len()));
    }
    DATE.replace_all(&text, |captures: &regex::Captures<'_>| {
        " ".repeat(captures[0].len())
    })
    .into_owned()
}

static DATE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b\d{4}-\d{2}-\d{2}\b|\d{4}年\d{1,2}月\d{1,2}日|\d{1,2}月\d{1,2}日"));

/// Whether a text is Chinese: one character for eight letters is enough, since machines have Latin names.
pub fn is_chinese(text: &str) -> bool {
    let han = text
        .chars()
        .filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c))
        .count();
    let latin = text.chars().filter(char::is_ascii_alphabetic).count();
    han > 0 && han * 8 >= latin
}

fn names_something(word: &str, starts_sentence: bool, is_chinese: bool) -> bool {
    if PLAIN_CAPITALS.contains(&word) {
        return false;
    }
    if PROGRAMS.contains(&word.to_lowercase().as_str()) {
        return true;
    }
    let has = |test: fn(char) -> bool| word.chars().any(test);
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    if has(|c| c.is_ascii_digit()) || has(|c| matches!(c, '_' | '/' | '@' | '.' | ':' | '#')) {
        return true;
    }
    if word.contains('-') {
        let plain = word
            .split('-')
            .any(|part| PLAIN_PARTS.contains(&part.to_lowercase().as_str()));
        return !plain;
    }
    if is_chinese {
        return letters >= 2 && !PLAIN_IN_CHINESE.contains(&word.to_lowercase().as_str());
    }
    let inner_capital = word.chars().skip(1).any(|c| c.is_ascii_uppercase());
    let first_capital = word.starts_with(|c: char| c.is_ascii_uppercase());
    (inner_capital && letters >= 2) || (first_capital && letters >= 2 && !starts_sentence)
}

fn starts_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '*', '_', '"', '“', '(', '（', '`', '#']);
    before.is_empty()
        || before.ends_with([
            '.', '!', '?', ':', ';', '-', '|', '\n', '。', '：', '—', '>',
        ])
}

/// Texts that sentences may rest on.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    text: String,
    numbers: HashSet<String>,
}

impl Ground {
    /// These texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut ground = Self::default();
        texts.into_iter().for_each(|text| ground.add(text));
        ground
    }

    /// One more text.
    pub fn add(&mut self, text: &str) {
        let text = &narrow(text);
        self.text.push_str(&text.to_lowercase());
        self.text.push('\n');
        let figures = FIGURES
            .find_iter(text)
            .map(|found| plain_number(found.as_str()));
        self.numbers.extend(figures);
        let scaled = SCALED.captures_iter(text).filter_map(|found| {
            let number: f64 = found[1].replace(',', "").parse().ok()?;
            let scale = found.get(2).or_else(|| found.get(3))?;
            Some((number * scale_of(scale.as_str())).to_string())
        });
        self.numbers.extend(scaled);
    }

    /// All of it, in lower case.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether some number is of the size that a word tells of, or the word itself is there.
    fn holds_spelled(&self, word: &str) -> bool {
        let scale = scale_of(word);
        let digit = word
            .chars()
            .next()
            .and_then(|c| "一二三四五六七八九".find(c));
        let fits = |number: &String| {
            let number: f64 = number.parse().unwrap_or_default();
            match digit {
                Some(at) => number == (at / 3 + 1) as f64 * scale,
                None => number >= scale && number < scale * 1000.0,
            }
        };
        self.text
            .contains(word.to_lowercase().trim_end_matches('s'))
            || self.numbers.iter().any(fits)
    }

    /// Whether the token is in there, as a whole and in any case.
    pub fn holds(&self, token: &Token) -> bool {
        match token.kind {
            TokenKind::Number if SPELLED.is_match(&token.text) => self.holds_spelled(&token.text),
            TokenKind::Number => self.numbers.contains(&plain_number(&token.text)),
            TokenKind::Name | TokenKind::Link | TokenKind::Code => self.holds_word(&token.text),
        }
    }

    /// Whether these words stand there, not as a part of longer ones.
    pub fn holds_word(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.text.match_indices(&word).any(|(at, found)| {
            let before = self.text[..at].chars().next_back();
            let after = self.text[at + found.len()..].chars().next();
            let goes_on_before = before.is_some_and(is_part) && word.starts_with(is_part);
            let goes_on_after = after.is_some_and(is_part) && word.ends_with(is_part);
            !goes_on_before && !goes_on_after
        })
    }

    /// The tokens of a sentence that are not in there.
    pub fn missing(&self, sentence: &str) -> Vec<Token> {
        let mut missing = tokens(sentence);
        missing.retain(|token| !self.holds(token));
        missing
    }
}

/// What a word multiplies by.
fn scale_of(word: &str) -> f64 {
    let lower = word.to_lowercase();
    match lower.trim_end_matches('s') {
        "dozen" => 12.0,
        "hundred" => 100.0,
        "k" | "thousand" => 1e3,
        "m" | "million" => 1e6,
        han => match han.chars().last() {
            Some('百') => 100.0,
            Some('千') => 1e3,
            Some('万') => 1e4,
            _ => 1e8,
        },
    }
}

/// The text with its full-width letters and digits as plain ones, and without characters that nobody sees:
/// neither hides anything from a check.
pub fn narrow(text: &str) -> Cow<'_, str> {
    let is_wide = |c: char| matches!(c, '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}');
    if !text.chars().any(|c| is_wide(c) || is_hidden(c)) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| match is_wide(c) {
        true => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        false => c,
    };
    text.chars().filter(|c| !is_hidden(*c)).map(plain).collect()
}

/// A character that nobody sees: of no width, turning the direction of writing, or a tag.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// `1,200.50%` is 1200.5.
fn plain_number(text: &str) -> String {
    let plain = text.replace(',', "");
    let plain = plain.trim_matches(|c: char| matches!(c, '%' | '+' | '-' | '.'));
    match plain.parse::<f64>() {
        Ok(number) if plain.len() <= 15 => number.to_string(),
        _ => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sentence: &str, expected: &[&str]) {
        let found: Vec<String> = tokens(sentence)
            .into_iter()
            .map(|token| token.text)
            .collect();
        assert_eq!(found, expected, "{sentence}");
    }

    #[test]
    fn what_names_or_counts_something_is_a_token() {
        check(
            "Li rolled back payment-gw to 1.8.2 on node-7.",
            &["payment-gw", "1.8.2", "node-7"],
        );
        check("About 1,200 orders (3.5%) failed.", &["1,200", "3.5%"]);
        check(
            "The cause was Redis, see OPS-17 and https://x.io/a.",
            &["https://x.io/a", "Redis", "OPS-17"],
        );
        check(
            "连接池 HikariCP 耗尽，p99 升到 3000ms",
            &["HikariCP", "p99", "3000"],
        );
        check("run `kubectl get po` on it", &["kubectl get po"]);
        check(
            "NullPointer in order_service and CPU",
            &["NullPointer", "order_service", "CPU"],
        );
    }

    #[test]
    fn times_citations_and_plain_words_are_no_tokens() {
        check(
            "At 14:02 UTC the follow-up began [m12], 18 minutes later it ended. Then all was well.",
            &[],
        );
        check("持续18分钟，14:20恢复 [r3]", &[]);
        check("2026-11-20 was a Friday", &[]);
    }

    #[test]
    fn a_token_has_to_stand_in_the_ground_as_a_whole() {
        let ground = Ground::of(["payment-gw took 1300 ms, 1,200 orders, host db-12"]);
        let missing = |sentence: &str| -> Vec<String> {
            ground
                .missing(sentence)
                .into_iter()
                .map(|token| token.text)
                .collect()
        };
        assert_eq!(
            missing("payment-gw: 1200 of 1300 on db-12"),
            Vec::<String>::new()
        );
        assert_eq!(
            missing("payment-gw2 lost 300 orders on db-1"),
            ["payment-gw2", "300", "db-1"]
        );
        assert_eq!(missing("db-12.internal is slow"), ["db-12.internal"]);
    }

    #[test]
    fn counts_in_words_and_in_wide_digits_are_held_against_numbers() {
        let ground = Ground::of(["about 1,200 orders, 3k requests, 15万 rows"]);
        let check = |sentence: &str, expected: &[&str]| {
            let missing: Vec<String> = ground
                .missing(sentence)
                .into_iter()
                .map(|token| token.text)
                .collect();
            assert_eq!(missing, expected, "{sentence}");
        };
        check("more than a thousand orders, １２００ in all", &[]);
        check("3000 requests, 上千笔, 十几万行", &[]);
        check("millions of orders", &["millions"]);
        check("约９９９９笔", &["9999"]);
        check("五千笔", &["五千"]);
        check("三千次", &[]);
    }

    #[test]
    fn what_everybody_knows_is_a_name_wherever_it_stands() {
        check("Kafka was restarted, then redis", &["Kafka", "redis"]);
    }

    #[test]
    fn chinese_is_told_by_its_letters() {
        assert!(is_chinese("回滚 payment-gw"));
        assert!(!is_chinese(
            "rolled back payment-gw in 上海 because of a very long English sentence"
        ));
    }
}
