//! The platform's answer around data, and the reading of what it was asked.

use axum::{
    Json,
    body::Bytes,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::refusal::Refusal;

/// What a handler gives back.
pub(super) type Answered = Result<Answer, Refusal>;

/// A success.
pub(super) enum Answer {
    /// In `data`.
    Data(Value),
    /// Beside `code`, as a few old endpoints have it.
    Flat(Value),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let body = match self {
            Self::Data(data) => json!({"code": 0, "msg": "success", "data": data}),
            Self::Flat(mut members) => {
                members["code"] = json!(0);
                members["msg"] = json!("ok");
                members
            }
        };
        Json(body).into_response()
    }
}

/// The gate writes the body, because it knows the log id.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self);
        response
    }
}

/// Reads a request body: 9499 for what is no JSON or of the wrong type, 99992402 for what is
/// missing.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let sentence = error.to_string();
        let missing = sentence
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        match missing {
            Some(field) => Refusal::field(field, format!("{field} is required")),
            None => Refusal::new(9499, format!("Bad Request, {sentence}")),
        }
    })
}

/// The query of a request; a name may stand in it more than once.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The first value of a name, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(key, _)| key == name);
        first
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// 99992402 when it is not there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .ok_or_else(|| Refusal::field(name, format!("{name} is required")))
    }

    /// A whole number within bounds, both included.
    pub(super) fn number(
        &self,
        name: &str,
        or: usize,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(or);
        };
        text.parse()
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                let (from, to) = bounds.into_inner();
                Refusal::field(name, format!("{name} must be between {from} and {to}"))
            })
    }
}

/// One page of a list whose token is the number of items before it.
pub(super) fn page_of<T>(
    items: Vec<T>,
    params: &Params,
    size: usize,
) -> Result<(Vec<T>, bool, String), Refusal> {
    let start = match params.get("page_token") {
        None => 0,
        Some(token) => token
            .strip_prefix("p")
            .and_then(|number| number.parse::<usize>().ok())
            .ok_or_else(|| Refusal::field("page_token", "page_token is invalid"))?,
    };
    let has_more = items.len() > start.saturating_add(size);
    let page: Vec<T> = items.into_iter().skip(start).take(size).collect();
    let next = if has_more {
        format!("p{}", start + size)
    } else {
        String::new()
    };
    Ok((page, has_more, next))
}
