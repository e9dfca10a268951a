//! Takes the members one by one out of a JSON object, forgiving what can be forgiven.
//!
//! A number where a text belongs is a text; what has another shape is noted and left out. What nobody has
//! taken in the end is unknown, and kept as it came.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use super::{
    AlertError,
    time::{self, Reading},
};

/// The members that are still there, and what was noted while taking.
pub(super) struct Fields {
    map: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

/// Reads a body as JSON, or says that it is none. `remedy` says what should be sent instead.
pub(super) fn json(body: &[u8], remedy: &str) -> Result<Value, AlertError> {
    // Some senders on Windows begin with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(AlertError::Unreadable(format!(
            "the body is empty: {remedy}"
        )));
    }
    serde_json::from_slice(body).map_err(|error| {
        // serde's own words can quote the text around the mistake; the place is enough.
        AlertError::Unreadable(format!(
            "the body is not JSON (line {}, column {}): {remedy}",
            error.line(),
            error.column()
        ))
    })
}

/// Reads a body as a JSON object.
pub(super) fn object(body: &[u8], remedy: &str) -> Result<Fields, AlertError> {
    match json(body, remedy)? {
        Value::Object(map) => Ok(Fields::of(map)),
        other => Err(AlertError::Unreadable(format!(
            "the body is {}, not an object: {remedy}",
            kind(&other)
        ))),
    }
}

impl Fields {
    pub(super) fn of(map: Map<String, Value>) -> Self {
        Self {
            map,
            notes: Vec::new(),
        }
    }

    /// Whether there is such a member, of whatever shape, that is not null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        match plain(&value) {
            Some(text) => Some(text).filter(|text| !text.trim().is_empty()),
            None => {
                self.wrong(name, "a text", &value);
                None
            }
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Option<i64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.wrong(name, "a whole number", &value);
        }
        number
    }

    /// A yes or no, also as 0 and 1 and as words.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?;
        let flag = match &value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "1" | "yes" => Some(true),
                "false" | "0" | "no" | "" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if flag.is_none() {
            self.wrong(name, "true or false", &value);
        }
        flag
    }

    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let value = self.take(name)?;
        match time::read(&value, &TimeZone::UTC) {
            Reading::At(at) => Some(at),
            Reading::None => None,
            Reading::Unreadable => {
                self.notes
                    .push(format!("`{name}` is not a time that we can read"));
                None
            }
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Option<Self> {
        match self.take(name)? {
            Value::Object(map) => Some(Self::of(map)),
            other => {
                self.wrong(name, "an object", &other);
                None
            }
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.wrong(name, "a list", &other);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// An object of texts. Values of other shapes are written as JSON.
    pub(super) fn texts(&mut self, name: &str) -> BTreeMap<String, String> {
        match self.take(name) {
            Some(Value::Object(map)) => texts(map),
            Some(other) => {
                self.wrong(name, "an object", &other);
                BTreeMap::new()
            }
            None => BTreeMap::new(),
        }
    }

    /// What nobody has taken.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.map
    }

    fn wrong(&mut self, name: &str, expected: &str, value: &Value) {
        self.notes.push(format!(
            "`{name}` was left out: expected {expected}, got {}",
            kind(value)
        ));
    }
}

/// Every value as text: texts as they are, what is nested as JSON, null not at all.
pub(super) fn texts(map: Map<String, Value>) -> BTreeMap<String, String> {
    map.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let text = plain(&value).unwrap_or_else(|| value.to_string());
            (name, text)
        })
        .collect()
}

/// The text of a value that is not nested.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a value is, for a note.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
