//! Posting what was written, and what came back.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use serde::Serialize;

use super::Post;

/// How many posts are under way at once.
const AT_ONCE: usize = 8;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How much of an answer is shown, in characters.
const BODY_CHARS: usize = 400;

/// What came of one post.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    url: String,
    /// None where no answer came.
    status: Option<u16>,
    body: String,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

pub(super) fn client() -> reqwest::Client {
    // reqwest panics where no provider is installed; an error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        // A proxy that the environment names would look for the bot on its own machine.
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("nightjar-sandbox")
        .build()
        .expect("a client with plain settings can always be made")
}

/// Posts everything, in order and some at once; one after the other where the order is what matters.
pub(super) async fn all(
    http: &reqwest::Client,
    posts: &[Post],
    url: &impl Fn(&Post) -> String,
    one_by_one: bool,
) -> Vec<Answer> {
    let at_once = if one_by_one { 1 } else { AT_ONCE };
    let sending: Vec<_> = posts
        .iter()
        .map(|post| one(http, post, url(post)))
        .collect();
    stream::iter(sending).buffered(at_once).collect().await
}

async fn one(http: &reqwest::Client, post: &Post, url: String) -> Answer {
    let request = http
        .post(&url)
        .header("Content-Type", post.content_type)
        .body(post.body.to_string());
    let answered = async {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok::<_, reqwest::Error>((status, answer.text().await?))
    };
    let (status, body) = match answered.await {
        Ok((status, body)) => (Some(status), body),
        Err(error) => (None, error.to_string()),
    };
    let body = body.chars().take(BODY_CHARS).collect();
    Answer { url, status, body }
}
