//! Labels, and matchers that choose by them, as people know them from Alertmanager.
//!
//! A label that is not there equals the empty text. Regular expressions match the whole value. They run in
//! linear time, and one that would need too much memory is refused when it is read.

use std::{collections::BTreeMap, fmt};

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// Names and values, in the order of the names.
pub type Labels = BTreeMap<String, String>;

/// The longest regular expression, in bytes.
const PATTERN_BYTES_MAX: usize = 1024;
/// The memory that one compiled regular expression may take, in bytes.
const COMPILED_BYTES_MAX: usize = 512 * 1024;
/// How many matchers one text may have.
const MATCHERS_MAX: usize = 64;

/// A condition on one label: `severity=critical`, `service=~"api|web"`.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    value: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal,
    NotEqual,
    Match(Regex),
    NoMatch(Regex),
}

impl Matcher {
    /// The label it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether labels satisfy it.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        match &self.test {
            Test::Equal => value == self.value,
            Test::NotEqual => value != self.value,
            Test::Match(regex) => regex.is_match(value),
            Test::NoMatch(regex) => !regex.is_match(value),
        }
    }

    fn operator(&self) -> &'static str {
        match self.test {
            Test::Equal => "=",
            Test::NotEqual => "!=",
            Test::Match(_) => "=~",
            Test::NoMatch(_) => "!~",
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain_name(&self.name) {
            f.write_str(&self.name)?;
        } else {
            quoted(f, &self.name)?;
        }
        f.write_str(self.operator())?;
        quoted(f, &self.value)
    }
}

/// Conditions that must all hold. None at all hold always.
///
/// In configuration a text such as `{team="db", severity=~"critical|error"}`; the braces may be left out.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// Reads what people write in configuration and commands.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        Parser { text, at: 0 }.matchers().map(Self)
    }

    /// The condition that the labels of `names` are as in `labels`.
    pub fn like(labels: &Labels, names: &[String]) -> Self {
        let equal = |name: &String| Matcher {
            name: name.clone(),
            value: labels.get(name).cloned().unwrap_or_default(),
            test: Test::Equal,
        };
        Self(names.iter().map(equal).collect())
    }

    /// Whether labels satisfy all of them.
    pub fn match_all(&self, labels: &Labels) -> bool {
        self.0.iter().all(|matcher| matcher.matches(labels))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, matcher) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{matcher}")?;
        }
        f.write_str("}")
    }
}

impl PartialEq for Matchers {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl TryFrom<String> for Matchers {
    type Error = MatcherError;

    fn try_from(text: String) -> Result<Self, MatcherError> {
        Self::parse(&text)
    }
}

impl From<Matchers> for String {
    fn from(matchers: Matchers) -> Self {
        matchers.to_string()
    }
}

/// Why matchers cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {problem}")]
pub struct MatcherError {
    /// Where, counted in characters from 1.
    pub position: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes, always between two characters.
    at: usize,
}

impl Parser<'_> {
    fn matchers(mut self) -> Result<Vec<Matcher>, MatcherError> {
        self.skip_spaces();
        let braced = self.take("{");
        let mut matchers = Vec::new();
        loop {
            self.skip_spaces();
            if self.ends(braced) {
                break;
            }
            if matchers.len() == MATCHERS_MAX {
                return Err(self.wrong(format!("more than {MATCHERS_MAX} matchers")));
            }
            matchers.push(self.matcher(braced)?);
            self.skip_spaces();
            // A comma after the last one is allowed, as it is in Prometheus.
            if !self.take(",") && !self.ends(braced) {
                let end = if braced { "`,` or `}`" } else { "`,`" };
                return Err(self.wrong(format!(
                    "expected {end}; put a value with spaces or commas in double quotes"
                )));
            }
        }
        if braced {
            if !self.take("}") {
                return Err(self.wrong("the `{` at the beginning is never closed"));
            }
            self.skip_spaces();
            if !self.rest().is_empty() {
                return Err(self.wrong("nothing may follow the `}`"));
            }
        }
        Ok(matchers)
    }

    fn ends(&self, braced: bool) -> bool {
        self.rest().is_empty() || (braced && self.rest().starts_with('}'))
    }

    fn matcher(&mut self, braced: bool) -> Result<Matcher, MatcherError> {
        let name = match self.rest().starts_with('"') {
            true => self.quoted()?,
            false => {
                self.word(|c| c == '_' || c == ':' || c == '.' || c == '-' || c.is_alphanumeric())
            }
        };
        if name.is_empty() {
            return Err(self.wrong("expected the name of a label"));
        }
        self.skip_spaces();
        let operator = ["=~", "!~", "!=", "="]
            .into_iter()
            .find(|operator| self.take(operator));
        let Some(operator) = operator else {
            return Err(self.wrong(format!("expected =, !=, =~ or !~ after `{}`", short(&name))));
        };
        self.skip_spaces();
        let start = self.at;
        let value = match self.rest().starts_with('"') {
            true => self.quoted()?,
            false => self.word(|c| {
                !c.is_whitespace() && c != ',' && c != '"' && !(braced && (c == '{' || c == '}'))
            }),
        };
        let test = match operator {
            "=" => Test::Equal,
            "!=" => Test::NotEqual,
            "=~" => Test::Match(self.regex(&value, start)?),
            _ => Test::NoMatch(self.regex(&value, start)?),
        };
        Ok(Matcher { name, value, test })
    }

    fn regex(&self, pattern: &str, start: usize) -> Result<Regex, MatcherError> {
        let wrong = |problem: String| self.wrong_at(start, problem);
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(wrong(format!(
                "a regular expression may have {PATTERN_BYTES_MAX} bytes"
            )));
        }
        // Checked alone first, so that `a)|(b` cannot reach out of the group around it.
        let build = |pattern: &str| {
            RegexBuilder::new(pattern)
                .size_limit(COMPILED_BYTES_MAX)
                .dfa_size_limit(COMPILED_BYTES_MAX)
                .dot_matches_new_line(true)
                .build()
        };
        build(pattern)
            .and_then(|_| build(&format!("^(?:{pattern})$")))
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    wrong("this regular expression needs too much memory; make it simpler".into())
                }
                error => {
                    let said = error.to_string();
                    let cause = said.lines().last().unwrap_or_default();
                    let cause = cause.trim_start_matches("error: ");
                    wrong(format!("not a regular expression: {cause}"))
                }
            })
    }

    fn quoted(&mut self) -> Result<String, MatcherError> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = characters.next() {
            match c {
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    // Anything else belongs to a regular expression, such as `\d`.
                    Some((_, c)) => text.extend(['\\', c]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(self.wrong_at(start, "this `\"` is never closed"))
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn wrong(&self, problem: impl Into<String>) -> MatcherError {
        self.wrong_at(self.at, problem)
    }

    fn wrong_at(&self, at: usize, problem: impl Into<String>) -> MatcherError {
        MatcherError {
            position: self.text[..at].chars().count() + 1,
            problem: problem.into(),
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '"' | '\\' => write!(f, "\\{c}")?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn matchers_choose_as_in_alertmanager() {
        let checkout = labels(&[
            ("service", "checkout"),
            ("severity", "critical"),
            ("路径", "a b"),
        ]);
        let check = |text: &str, expected: bool| {
            let matchers = Matchers::parse(text).unwrap();
            assert_eq!(matchers.match_all(&checkout), expected, "{text}");
            // What is written out reads back as the same.
            let again = Matchers::parse(&matchers.to_string()).unwrap();
            assert_eq!(again.match_all(&checkout), expected, "{matchers}");
            assert_eq!(again, matchers);
        };
        check("", true);
        check("{}", true);
        check("service=checkout", true);
        check("service = \"checkout\" , severity=critical", true);
        check("{service=\"checkout\",severity!=\"info\",}", true);
        check("service=check", false);
        // A regular expression matches the whole value, alternatives too.
        check("service=~check", false);
        check("service=~\"check.*\"", true);
        check("service=~check|out", false);
        check("service=~a|checkout", true);
        check("service!~\"pay.*\"", true);
        check("severity!~critical", false);
        // What is not there is empty.
        check("team=\"\"", true);
        check("team!=\"\"", false);
        check("team=", true);
        check("team=~\".+\"", false);
        check("team!~\".+\"", true);
        check("路径=\"a b\"", true);
        check("\"路径\"=~\"a\\\\sb\"", true);
        check("service=~\"\\w+\"", true);
    }

    #[test]
    fn an_error_says_where_it_is_and_what_would_be_right() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Matchers::parse(text).unwrap_err().to_string(), expected);
        };
        check(
            "service",
            "at character 8: expected =, !=, =~ or !~ after `service`",
        );
        check(
            "服务 ~ a",
            "at character 4: expected =, !=, =~ or !~ after `服务`",
        );
        check("=a", "at character 1: expected the name of a label");
        check(
            "a=b c=d",
            "at character 5: expected `,`; put a value with spaces or commas in double quotes",
        );
        check(
            "{a=b",
            "at character 5: the `{` at the beginning is never closed",
        );
        check("{a=b} x", "at character 7: nothing may follow the `}`");
        check("a=\"b", "at character 3: this `\"` is never closed");
        check(
            "a=b, c=~\"(\"",
            "at character 9: not a regular expression: unclosed group",
        );
        check(
            "a=~\"a)|(b\"",
            "at character 4: not a regular expression: unopened group",
        );
        check(
            "a=~\"(\\w{200}){200}\"",
            "at character 4: this regular expression needs too much memory; make it simpler",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c=~!{},\" \\\\(é恢]{0,40}") {
            if let Ok(matchers) = Matchers::parse(&text) {
                let again = Matchers::parse(&matchers.to_string()).unwrap();
                prop_assert_eq!(again, matchers);
            }
        }
    }
}
