//! Kinds of calls: what a caller names, so that it need not know any limit.
//!
//! Each endpoint declares its [`Api`] beside the function that uses it. A [`Call`] is one use of it, with
//! the chat, message or card it is about; which limits follow from that is the scheduler's business.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;

use super::{CardId, ChatId, MessageId, OpenId, error::Limit};

/// One API of the platform.
#[derive(Debug)]
pub(super) struct Api {
    /// Our name for it, in metrics, spans and errors.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Its path; a segment that begins with a colon is filled from [`Call::args`], in order.
    pub(super) path: &'static str,
    /// The platform's limits count APIs of the same budget together.
    pub(super) budget: &'static str,
    /// Whether carrying the call out twice leaves the same as carrying it out once.
    pub(super) repeatable: bool,
    /// Whether the result stands beside `code` and not under `data`.
    pub(super) flat: bool,
}

impl Api {
    /// An API that reads.
    pub(super) const fn get(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::GET, path)
    }

    /// An API that may be repeated: reading, or writing with a uuid, or setting a state.
    pub(super) const fn new(name: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            name,
            method,
            path,
            budget: name,
            repeatable: true,
            flat: false,
        }
    }

    /// The same, counted together with other APIs.
    pub(super) const fn budget(mut self, budget: &'static str) -> Self {
        self.budget = budget;
        self
    }

    /// The same, but carrying it out twice does a thing twice.
    pub(super) const fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// The same, with a flat answer.
    pub(super) const fn flat(mut self) -> Self {
        self.flat = true;
        self
    }
}

/// What a call writes to, where the platform counts that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A chat; what other bots write to it counts too.
    Chat(ChatId),
    /// A person, in the direct chat with them.
    Person(OpenId),
    /// A message that is changed.
    Message(MessageId),
    /// A card entity.
    Card(CardId),
}

impl Target {
    /// The limit it stands under.
    pub(super) fn limit(&self) -> Limit {
        match self {
            Target::Chat(_) | Target::Person(_) => Limit::Chat,
            Target::Message(_) => Limit::Message,
            Target::Card(_) => Limit::Card,
        }
    }
}

/// One call, ready to be made any number of times.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) api: &'static Api,
    pub(super) args: Vec<&'a str>,
    pub(super) query: Vec<(&'static str, Cow<'a, str>)>,
    pub(super) body: Option<Body>,
    pub(super) target: Option<Target>,
    /// How long it may take in all, where that is not what is usual.
    pub(super) within: Option<Duration>,
}

/// What a call carries. A clone shares the bytes, so that every try can be given a body of its own.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Json(Bytes),
    /// A form with one file in it.
    Form(Form),
}

/// A `multipart/form-data` body.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) fields: Vec<(&'static str, String)>,
    /// What the file's part is called.
    pub(super) part: &'static str,
    pub(super) file_name: String,
    pub(super) bytes: Bytes,
}

impl<'a> Call<'a> {
    /// A call of `api`.
    pub(super) fn of(api: &'static Api) -> Self {
        Self {
            api,
            args: Vec::new(),
            query: Vec::new(),
            body: None,
            target: None,
            within: None,
        }
    }

    /// Fills the next open place of the path.
    pub(super) fn arg(mut self, arg: &'a str) -> Self {
        self.args.push(arg);
        self
    }

    /// Adds a query parameter. A repeated name is sent repeatedly, as the platform wants lists.
    pub(super) fn query(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a query parameter if there is a value.
    pub(super) fn query_if(
        self,
        name: &'static str,
        value: Option<impl Into<Cow<'a, str>>>,
    ) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets the JSON body.
    pub(super) fn body(mut self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("plain data can always be written as JSON");
        self.body = Some(Body::Json(body.into()));
        self
    }

    /// Sets a form as the body.
    pub(super) fn form(mut self, form: Form) -> Self {
        self.body = Some(Body::Form(form));
        self
    }

    /// Says how long the call may take in all, its body and its answer's included.
    pub(super) fn within(mut self, within: Duration) -> Self {
        self.within = Some(within);
        self
    }

    /// Says what the call writes to.
    pub(super) fn about(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The limit that a refusal "for this target" speaks of.
    pub(super) fn target_limit(&self) -> Limit {
        self.target.as_ref().map_or(Limit::Api, Target::limit)
    }
}
