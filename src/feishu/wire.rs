//! Reading the platform's JSON without falling over its habits: numbers that come as text, ids that are
//! objects in one place and text in another, times in four units.

use std::fmt;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::Page;

/// A text, whatever it came as. Nothing, `null`, an empty text, a list and an object are no text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<String>);

impl Text {
    /// The text, or an empty one.
    pub(super) fn or_empty(self) -> String {
        self.0.unwrap_or_default()
    }

    /// The text as an id of some type.
    pub(super) fn id<T>(self, new: impl FnOnce(String) -> T) -> Option<T> {
        self.0.map(new)
    }

    /// The text as a point in time.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.0.as_deref().and_then(time)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                self.visit_string(text.to_owned())
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
                Ok(Text(Some(text).filter(|text| !text.is_empty())))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
                self.visit_string(value.to_string())
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
                self.visit_string(number.to_string())
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
                self.visit_string(number.to_string())
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Text, E> {
                self.visit_string(number.to_string())
            }
            fn visit_unit<E: Error>(self) -> Result<Text, E> {
                Ok(Text(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        from.deserialize_any(Anything)
    }
}

/// Somebody's id: a text over REST, an object with several kinds of ids in events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct AnyId(pub(super) Option<String>);

impl<'de> Deserialize<'de> for AnyId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Ids {
                open_id: Option<String>,
                app_id: Option<String>,
                union_id: Option<String>,
                user_id: Option<String>,
            },
            Plain(Text),
        }
        Ok(AnyId(match Shape::deserialize(from)? {
            Shape::Plain(text) => text.0,
            // The open id is the one that REST gives too, so it comes first.
            Shape::Ids {
                open_id,
                app_id,
                union_id,
                user_id,
            } => [open_id, app_id, union_id, user_id]
                .into_iter()
                .flatten()
                .find(|id| !id.is_empty()),
        }))
    }
}

/// One page of a list, under `data`.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct PageData<T> {
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub(super) items: Vec<T>,
    #[serde(default)]
    has_more: bool,
    #[serde(default)]
    page_token: Text,
}

impl<T> PageData<T> {
    /// The page, with its items read by `read`. The last page may carry a token too; it is not used.
    pub(super) fn into_page<U>(self, read: impl FnOnce(Vec<T>) -> Vec<U>) -> Page<U> {
        Page {
            items: read(self.items),
            next: self.page_token.0.filter(|_| self.has_more),
        }
    }
}

/// A list; `null` is an empty one.
pub(super) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Reads a time by its size: seconds (also with a fraction), milliseconds, microseconds or nanoseconds.
/// What is meant differs between fields of the same name, and every sensible date falls in one range.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number: i64 = whole.parse().ok()?;
    if !fraction.is_empty() {
        let digits: String = fraction
            .chars()
            .chain("000000000".chars())
            .take(9)
            .collect();
        return Timestamp::new(number, digits.parse().ok()?).ok();
    }
    match number.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_second(number),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(number),
        _ => Timestamp::from_nanosecond(number.into()),
    }
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_size() {
        for (text, expected) in [
            ("1608725989", Some("2020-12-23T12:19:49Z")),
            ("1608725989000", Some("2020-12-23T12:19:49Z")),
            ("1608725989000123", Some("2020-12-23T12:19:49.000123Z")),
            (
                "1608725989000123456",
                Some("2020-12-23T12:19:49.000123456Z"),
            ),
            ("1502199207.7171419", Some("2017-08-08T13:33:27.7171419Z")),
            (
                "1502199207.99999999999",
                Some("2017-08-08T13:33:27.999999999Z"),
            ),
            ("", None),
            ("soon", None),
            ("1.x", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(
                time(text).map(|time| time.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_may_come_as_anything() {
        for (json, expected) in [
            ("\"a\"", Some("a")),
            ("12", Some("12")),
            ("-1.5", Some("-1.5")),
            ("true", Some("true")),
            ("\"\"", None),
            ("null", None),
            ("[1,[2]]", None),
            ("{\"a\":{}}", None),
        ] {
            let text: Text = serde_json::from_str(json).unwrap();
            assert_eq!(text.0.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn an_id_is_a_text_or_the_first_of_an_objects_ids() {
        for (json, expected) in [
            (r#""ou_a""#, Some("ou_a")),
            (
                r#"{"union_id":"on_a","open_id":"ou_a","user_id":"u"}"#,
                Some("ou_a"),
            ),
            (
                r#"{"union_id":"","open_id":null,"user_id":"all"}"#,
                Some("all"),
            ),
            (r#"{"open_id":{}}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let id: AnyId = serde_json::from_str(json).unwrap();
            assert_eq!(id.0.as_deref(), expected, "{json}");
        }
    }
}
