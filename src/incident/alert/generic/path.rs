//! Paths into JSON, as people write them: `alert.labels["k8s.pod"]`, `items[0].name`, `$.data[-1]`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest path, in steps.
const STEPS_MAX: usize = 32;

/// A way from a JSON value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    /// From the beginning, or from the end where negative.
    Index(i32),
}

impl Path {
    /// Reads a path. The `$` at its beginning may be left out; `$` alone is the whole.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("a path cannot be empty; write `$` for the whole".to_owned());
        }
        rest = rest.strip_prefix('$').unwrap_or(rest);
        while !rest.is_empty() {
            let (step, after) = match rest.strip_prefix('[') {
                Some(inner) => bracket(inner)?,
                None => member(rest.strip_prefix('.').unwrap_or(rest))?,
            };
            steps.push(step);
            rest = after;
            if steps.len() > STEPS_MAX {
                return Err(format!("a path may have {STEPS_MAX} steps"));
            }
        }
        Ok(Self { steps })
    }

    /// What is there, if anything is.
    pub fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(value, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Index(at) => {
                let list = value.as_array()?;
                let at = i64::from(*at);
                let at = match at < 0 {
                    true => at + i64::try_from(list.len()).ok()?,
                    false => at,
                };
                list.get(usize::try_from(at).ok()?)
            }
        })
    }

    /// The member of the whole that it begins with.
    pub(super) fn first_member(&self) -> Option<&str> {
        match self.steps.first()? {
            Step::Member(name) => Some(name),
            Step::Index(_) => None,
        }
    }
}

fn member(rest: &str) -> Result<(Step, &str), String> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    match name.trim() {
        "" => Err("there is a dot too many in the path".to_owned()),
        "*" => Err("`*` is not supported; give the path of the list in `alerts`".to_owned()),
        name => Ok((Step::Member(name.to_owned()), after)),
    }
}

fn bracket(inner: &str) -> Result<(Step, &str), String> {
    let unclosed = || "a `[` in the path is never closed".to_owned();
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let (name, after) = inner[1..].split_once(quote).ok_or_else(unclosed)?;
        let after = after.strip_prefix(']').ok_or_else(unclosed)?;
        return Ok((Step::Member(name.to_owned()), after));
    }
    let (index, after) = inner.split_once(']').ok_or_else(unclosed)?;
    match index.trim().parse() {
        Ok(index) => Ok((Step::Index(index), after)),
        Err(_) => Err("between `[` and `]` goes a number, or a name in quotes".to_owned()),
    }
}

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.steps {
            match step {
                Step::Index(at) => write!(f, "[{at}]")?,
                Step::Member(name)
                    if name.contains(['.', '[', '"', '\'', ' ', '*']) || name.is_empty() =>
                {
                    let quote = if name.contains('"') { '\'' } else { '"' };
                    write!(f, "[{quote}{name}{quote}]")?;
                }
                Step::Member(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_what_is_there() {
        let value = json!({"a": {"b.c": [1, {"d": 2}]}, "e": null, "中": 3});
        let check = |path: &str, expected: Option<Value>| {
            let path = Path::parse(path).unwrap();
            assert_eq!(path.find(&value), expected.as_ref(), "{path}");
            assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
        };
        check("$", Some(value.clone()));
        check("a[\"b.c\"][0]", Some(json!(1)));
        check("$.a['b.c'][-1].d", Some(json!(2)));
        check("中", Some(json!(3)));
        check("e", Some(json!(null)));
        check("a.b", None);
        check("a[\"b.c\"][9]", None);
        check("a[\"b.c\"][-9]", None);
        check("a[0]", None);
    }

    #[test]
    fn a_wrong_path_is_refused_with_what_would_be_right() {
        let check =
            |path: &str, expected: &str| assert_eq!(Path::parse(path).unwrap_err(), expected);
        check("", "a path cannot be empty; write `$` for the whole");
        check("a..b", "there is a dot too many in the path");
        check("a[0", "a `[` in the path is never closed");
        check(
            "a[x]",
            "between `[` and `]` goes a number, or a name in quotes",
        );
        check(
            "items[*]",
            "between `[` and `]` goes a number, or a name in quotes",
        );
        check(
            "items.*",
            "`*` is not supported; give the path of the list in `alerts`",
        );
    }
}
