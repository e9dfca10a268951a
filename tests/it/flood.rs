//! Thousands of requests that nobody should believe, and people who are answered all the same.

use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    poster::{Post, Poster},
    process::Process,
    world::World,
};

/// What is thrown at the bot, and how many hands throw it.
const REQUESTS: usize = 10_000;
const HANDS: usize = 16;
/// Every so many requests, a good one that is new.
const GOOD_EVERY: usize = 50;
/// What the process may grow by, in KiB. The memory of 65,536 requests would be some 10 MiB.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

/// One request of the flood, and the status it should get.
fn request(number: usize, poster: &Poster, forger: &Poster, accepted: &Post) -> (Post, u16) {
    let now = Timestamp::now().as_second();
    if number.is_multiple_of(GOOD_EVERY) {
        return (poster.post(&poster.event()), 200);
    }
    let event = poster.event();
    let mut post = poster.post(&event);
    match number % 11 {
        // Nobody's signature, another key's, none.
        0 => post.signature = "0".repeat(64),
        1 => post = forger.post(&event),
        2 => post.signature.clear(),
        // A byte, a time, a nonce that was not signed.
        3 => {
            let at = fastrand::usize(..post.body.len());
            post.body[at] ^= 1;
        }
        4 => post.timestamp -= 1,
        5 => post.nonce.push('0'),
        // Too old, or of the future.
        6 => post = poster.post_at(&event, now - 3600),
        7 => post = poster.post_at(&event, now + 3600),
        // Signed, and nothing that can be decrypted or read.
        8 => return (poster.sign(now, br#"{"encrypt":"AAAA"}"#.to_vec()), 400),
        9 if number % 100 < 5 => {
            post.body = vec![b' '; (1 << 20) + 1];
            return (post, 413);
        }
        9 => {
            let half = post.body.len() / 2;
            post.body.truncate(half);
            return (poster.sign(now, post.body), 400);
        }
        // Accepted long ago, byte for byte: it is answered and goes nowhere.
        _ => return (accepted.clone(), 200),
    }
    (post, 401)
}

#[tokio::test]
async fn ten_thousand_bad_requests_get_nowhere_and_keep_nobody_waiting() {
    let world = World::without_bot_to_post_to(json!({})).await;
    let bot = Process::start_with_health(&world);
    world.posts_to(bot.web()).await;
    let (chat, user) = world.room().await;
    let (token, key) = world.webhook_keys();
    let (poster, forger) = (Poster::new(token, key), Poster::new(token, "another key"));
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(HANDS)
        .build()
        .unwrap();
    let url = format!("http://{}/feishu/events", bot.web());
    let accepted = poster.post(&poster.event());
    assert_eq!(accepted.send(&http, &url).await, 200);
    let first = world.asks(&chat, &user, "are you there?").await;
    world.answer_to(&first).await;
    let before = bot.resident_kib();

    let throw = async |number: usize| {
        let (post, expected) = request(number, &poster, &forger, &accepted);
        let got = post.send(&http, &url).await;
        assert_eq!(got, expected, "request {number}, of kind {}", number % 11);
    };
    let flood = stream::iter(0..REQUESTS).for_each_concurrent(HANDS, throw);
    let people = async {
        for number in 0..3 {
            let question = world
                .asks(&chat, &user, &format!("question {number}"))
                .await;
            world.answer_to(&question).await;
        }
    };
    let both = futures::future::join(flood, people);
    timeout(Duration::from_secs(120), both)
        .await
        .expect("the flood ends");

    let metrics = http.get(format!("http://{}/metrics", bot.web()));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let taken = "nightjar_events_total{type=\"im.message.recalled_v1\"";
    let taken: usize = metrics
        .lines()
        .filter(|line| line.starts_with(taken))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
        .sum();
    let good = 1 + REQUESTS / GOOD_EVERY;
    assert_eq!(taken, good, "exactly the good ones arrived");
    for reason in [
        "unsigned",
        "bad_signature",
        "stale",
        "undecryptable",
        "malformed",
        "too_large",
    ] {
        assert!(
            metrics.contains(&format!("reason=\"{reason}\"")),
            "{reason} is not counted"
        );
    }
    if let (Some(before), Some(after)) = (before, bot.resident_kib()) {
        assert!(
            after < before + GROWTH_KIB_MAX,
            "grew from {before} KiB to {after} KiB"
        );
    }
    bot.terminate().await;
    world.finish().await;
}
