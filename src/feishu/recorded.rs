//! What the vendor's own SDK and the platform's stand-in said to each other, read by our client.
//!
//! The recordings in `tests/data` were not made by us: the requests are the SDK's, so a call of ours
//! that says the same in the same words is right, and the frames are those that the SDK understood.

use std::path::PathBuf;

use bytes::Bytes;
use insta::assert_snapshot;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    CardId, ChatId, ChatKind, Client, Container, Error, Event, EventBody, ListMessages, MessageId,
    OpenId, Outgoing, ReactionId, Recipient,
    testing::{Platform, Reply, Seen},
    ws::{Fragments, Frame},
};

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The frames of a recording, in the order in which they were received.
fn frames(name: &str) -> Vec<Frame> {
    let bytes = |line: &str| -> Bytes {
        let digits = line.as_bytes().chunks(2);
        digits
            .map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    };
    file(name)
        .split_whitespace()
        .map(|line| Frame::read(bytes(line)).unwrap())
        .collect()
}

/// The events that the frames of a recording make.
fn events(name: &str) -> Vec<Event> {
    let mut fragments = Fragments::default();
    let number = |frame: &Frame, key| frame.header(key).unwrap().parse().unwrap();
    let whole = frames(name).into_iter().filter_map(|frame| {
        let id = frame.header("message_id").unwrap().to_owned();
        let (sum, seq) = (number(&frame, "sum"), number(&frame, "seq"));
        let part = frame.payload.clone().unwrap();
        fragments.add(&id, sum, seq, part, Instant::now()).unwrap()
    });
    whole
        .map(|payload| Event::decode(&payload).unwrap())
        .collect()
}

/// One line for each event: what it is, and what matters of it.
fn told(name: &str) -> String {
    let line = |event: Event| match event.body {
        EventBody::Message(message, chat) => {
            let place = if chat == ChatKind::P2p {
                "direct"
            } else {
                "group"
            };
            let thread = if message.thread_id.is_some() {
                ", in a thread"
            } else {
                ""
            };
            let reply = if message.parent_id.is_some() {
                ", a reply"
            } else {
                ""
            };
            format!(
                "{place}{thread}{reply}: {:?} {}",
                message.sender.kind,
                message.text()
            )
        }
        EventBody::Recalled { .. } => "recalled".to_owned(),
        _ => event.kind,
    };
    events(name)
        .into_iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn events_are_read_as_the_sdk_received_them() {
    assert_snapshot!(told("event_group_mention.hex"), @"group: Person @Nightjar @Bob what is going on? 出了什么事?");
    assert_snapshot!(told("event_direct.hex"), @"direct: Person psst");
    assert_snapshot!(told("event_thread.hex"), @"group, in a thread, a reply: Person @Nightjar and now?");
    assert_snapshot!(told("event_quote.hex"), @"group, a reply: Person @Nightjar this one?");
    assert_snapshot!(told("event_mention_all.hex"), @"group: Person @all fire drill");
    assert_snapshot!(told("event_click.hex"), @"card.action.trigger");
    assert_snapshot!(told("event_post.hex"), @"
    group: Person Help
    @Nightjar the pool is full
    ");
    assert_snapshot!(told("event_reaction_and_recall.hex"), @"
    group: Person look at this
    im.message.reaction.created_v1
    recalled
    ");
}

#[test]
fn fragments_that_cut_characters_make_the_event_that_was_cut() {
    let sentence = "连接池已满，数据库没有空闲连接。";
    let whole = told("event_fragments.hex");
    let rest = whole.strip_prefix("group: Person @Nightjar ").unwrap();
    assert!(rest.contains(sentence), "{whole}");
    assert_eq!(rest.replace(sentence, "").trim(), "", "{whole}");
    assert!(frames("event_fragments.hex").len() > 10);
}

#[test]
fn an_event_that_is_sent_again_keeps_its_ids() {
    let again = events("event_redelivered.hex");
    assert!(again.len() > 1);
    assert!(again.windows(2).all(|two| two[0].id == two[1].id));
}

#[test]
fn pings_are_written_as_the_sdk_writes_them() {
    for theirs in frames("ping.hex") {
        let ours = Frame::ping(theirs.service);
        assert_eq!(
            (ours.method, &ours.headers),
            (theirs.method, &theirs.headers)
        );
    }
}

#[test]
fn acknowledgements_echo_what_the_sdks_echo() {
    let received = &frames("event_group_mention.hex")[0];
    let theirs = &frames("ack_group_mention.hex")[0];
    let ours = received
        .clone()
        .acknowledge(&super::Answer::Done, std::time::Duration::ZERO);
    assert_eq!((ours.seq_id, ours.log_id), (theirs.seq_id, theirs.log_id));
    assert_eq!((ours.service, ours.method), (theirs.service, theirs.method));
    let keys = |frame: &Frame| {
        let mut keys: Vec<String> = frame.headers.iter().map(|one| one.key.clone()).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&ours), keys(theirs));
    let code = |frame: &Frame| {
        let payload: Value = serde_json::from_slice(frame.payload.as_ref().unwrap()).unwrap();
        payload["code"].clone()
    };
    assert_eq!(code(&ours), code(theirs));
}

/// A platform that gives the recorded answer to the recorded request.
struct Replay {
    platform: Platform,
    client: Client,
    what: String,
    query: Vec<(String, String)>,
    body: Value,
}

impl Replay {
    async fn of(name: &str) -> Self {
        let recording: Value = serde_json::from_str(&file(name)).unwrap();
        let (request, response) = (&recording["request"], &recording["response"]);
        let path = request["path"].as_str().unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let what = format!("{} {path}", request["method"].as_str().unwrap());
        let platform = Platform::start().await;
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        // Calls that are worth another try get the same answer again.
        let answers = (0..8).map(|_| Reply::with_status(status, &response["body"]));
        platform.will(&what, answers);
        let client = platform.client();
        Self {
            client,
            platform,
            what,
            query: pairs(query),
            body: request["body"].clone(),
        }
    }

    /// The one request we made, after checking that it says what the SDK's said.
    fn same_request(&self) -> Seen {
        let seen = self.platform.seen(&self.what).remove(0);
        let asked = pairs(&seen.query);
        for pair in &self.query {
            assert!(
                asked.contains(pair),
                "{}: {pair:?} is not in {asked:?}",
                self.what
            );
        }
        assert_eq!(plain(&seen.body), plain(&self.body), "{}", self.what);
        seen
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (key.to_owned(), value.to_owned())
    };
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(pair)
        .collect()
}

/// A body without what differs from call to call, and with its texts of JSON read.
fn plain(body: &Value) -> Value {
    let Value::Object(fields) = body else {
        return body.clone();
    };
    let fields = fields
        .iter()
        .filter(|(key, _)| *key != "uuid")
        .map(|(key, value)| {
            let read = value
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok());
            (
                key.clone(),
                read.filter(Value::is_object)
                    .unwrap_or_else(|| plain(value)),
            )
        });
    Value::Object(fields.collect())
}

/// The last part of the recorded path but `back`.
fn in_path(what: &str, back: usize) -> String {
    what.rsplit('/').nth(back).unwrap().to_owned()
}

#[tokio::test]
async fn messages_are_sent_as_the_sdk_sends_them() {
    let replay = Replay::of("rest_send_text.json").await;
    let to = Recipient::Chat(ChatId::new(replay.body["receive_id"].as_str().unwrap()));
    let text = Outgoing::Text("hello from the SDK 你好".into());
    let sent = replay.client.send(&to, &text, "u-1").await.unwrap();
    replay.same_request();
    assert_eq!(sent.text(), "hello from the SDK 你好");

    let replay = Replay::of("rest_send_card.json").await;
    let content: Value = serde_json::from_str(replay.body["content"].as_str().unwrap()).unwrap();
    let card = Outgoing::Card(CardId::new(content["data"]["card_id"].as_str().unwrap()));
    let to = Recipient::Chat(ChatId::new(replay.body["receive_id"].as_str().unwrap()));
    replay.client.send(&to, &card, "u-1").await.unwrap();
    replay.same_request();

    for (name, in_thread) in [
        ("rest_reply.json", false),
        ("rest_reply_in_thread.json", true),
    ] {
        let replay = Replay::of(name).await;
        let to = MessageId::new(in_path(&replay.what, 1));
        let content: Value =
            serde_json::from_str(replay.body["content"].as_str().unwrap()).unwrap();
        let text = Outgoing::Text(content["text"].as_str().unwrap().into());
        let chat = ChatId::new("oc_a");
        let sent = replay
            .client
            .reply(&to, &chat, &text, in_thread, "u-1")
            .await
            .unwrap();
        replay.same_request();
        assert_eq!(sent.thread_id.is_some(), in_thread);
        assert_eq!(sent.parent_id, Some(to));
    }
}

#[tokio::test]
async fn lists_are_read_as_the_sdk_received_them() {
    for name in [
        "rest_list_messages.json",
        "rest_list_with_card.json",
        "rest_list_recalled.json",
    ] {
        let replay = Replay::of(name).await;
        let query = |key: &str| {
            replay
                .query
                .iter()
                .find(|pair| pair.0 == key)
                .map(|pair| pair.1.clone())
                .unwrap()
        };
        let list = ListMessages {
            container: Container::Chat(ChatId::new(query("container_id"))),
            since: None,
            until: None,
            newest_first: true,
            page_size: 3,
            page_token: replay
                .query
                .iter()
                .find(|one| one.0 == "page_token")
                .map(|one| one.1.clone()),
        };
        let page = replay.client.messages(&list).await.unwrap();
        replay.same_request();
        assert!(!page.items.is_empty(), "{name}");
        assert!(
            page.items.is_sorted_by(|a, b| a.created_at >= b.created_at),
            "{name}"
        );
        assert!(
            page.items
                .iter()
                .all(|one| one.created_at > Timestamp::UNIX_EPOCH),
            "{name}"
        );
        let recalled = page.items.iter().any(|one| one.deleted);
        assert!(recalled || name == "rest_list_messages.json", "{name}");
    }
}

#[tokio::test]
async fn reactions_cards_and_people_are_asked_for_as_the_sdk_asks() {
    let replay = Replay::of("rest_add_reaction.json").await;
    let message = MessageId::new(in_path(&replay.what, 1));
    let added = replay
        .client
        .add_reaction(&message, "Typing")
        .await
        .unwrap();
    replay.same_request();
    assert!(added.operator.is_app && added.emoji == "Typing");

    let replay = Replay::of("rest_list_reactions.json").await;
    let all = replay.client.reactions(&message).await.unwrap();
    assert!(all.iter().any(|one| one.id == added.id));

    let replay = Replay::of("rest_remove_reaction.json").await;
    let reaction = ReactionId::new(in_path(&replay.what, 0));
    replay
        .client
        .remove_reaction(&message, &reaction)
        .await
        .unwrap();

    let replay = Replay::of("rest_create_card.json").await;
    let json: Value = serde_json::from_str(replay.body["data"].as_str().unwrap()).unwrap();
    let card = replay.client.create_card(&json).await.unwrap();
    replay.same_request();

    let replay = Replay::of("rest_stream_text.json").await;
    let text = replay.body["content"].as_str().unwrap();
    let sequence = i32::try_from(replay.body["sequence"].as_i64().unwrap()).unwrap();
    let mut stream = replay.client.card_stream(card.clone(), sequence - 1);
    stream.show("answer", text);
    stream.written().await.unwrap();
    replay.same_request();

    let replay = Replay::of("rest_card_settings.json").await;
    let settings: Value = serde_json::from_str(replay.body["settings"].as_str().unwrap()).unwrap();
    let sequence = i32::try_from(replay.body["sequence"].as_i64().unwrap()).unwrap();
    replay
        .client
        .set_card_settings(&card, &settings["config"], sequence)
        .await
        .unwrap();
    replay.same_request();

    let replay = Replay::of("rest_get_user.json").await;
    let user = replay
        .client
        .user(&OpenId::new(in_path(&replay.what, 0)))
        .await
        .unwrap();
    assert!(user.name.is_some());
    let replay = Replay::of("rest_get_chat.json").await;
    let chat = replay
        .client
        .chat(&ChatId::new(in_path(&replay.what, 0)))
        .await
        .unwrap();
    assert!(!chat.name.is_empty() && chat.members.is_some());
    let replay = Replay::of("rest_bot_info.json").await;
    let bot = replay.client.bot_info().await.unwrap();
    assert_eq!((bot.name.as_str(), bot.activate_status), ("Nightjar", 2));
}

#[tokio::test]
async fn refusals_are_told_apart_as_they_were_recorded() {
    let card = CardId::new("7406610063021686601");
    for (name, element, sequence) in [
        ("rest_refused_closed.json", "answer", 6),
        ("rest_refused_timeout.json", "answer", 9),
        ("rest_refused_sequence.json", "answer", 7),
        ("rest_refused_element.json", "nowhere", 8),
    ] {
        let replay = Replay::of(name).await;
        let mut stream = replay.client.card_stream(card.clone(), sequence - 1);
        stream.show(element, "x");
        let error = stream.written().await.unwrap_err();
        let right = match name {
            "rest_refused_closed.json" | "rest_refused_timeout.json" => {
                matches!(error, Error::StreamClosed(_))
            }
            "rest_refused_sequence.json" => matches!(error, Error::OutOfSequence(_)),
            _ => matches!(error, Error::Refused(_)),
        };
        assert!(right, "{name}: {error:?}");
    }
    let replay = Replay::of("rest_refused_scope.json").await;
    let message = MessageId::new(in_path(&replay.what, 1));
    let Err(Error::Forbidden(refusal)) = replay.client.reactions(&message).await else {
        panic!("a missing scope is not told")
    };
    assert!(
        refusal
            .scopes
            .iter()
            .any(|scope| scope.contains("reactions")),
        "{refusal}"
    );

    let replay = Replay::of("rest_refused_property.json").await;
    let json: Value = serde_json::from_str(replay.body["data"].as_str().unwrap()).unwrap();
    assert!(matches!(
        replay.client.create_card(&json).await,
        Err(Error::Refused(_))
    ));
    let replay = Replay::of("rest_refused_emoji.json").await;
    let message = MessageId::new(in_path(&replay.what, 1));
    assert!(matches!(
        replay.client.add_reaction(&message, "EYES").await,
        Err(Error::Refused(_))
    ));
    let replay = Replay::of("rest_refused_secret.json").await;
    assert_eq!(replay.body["app_id"], json!("cli_f7cbe2011d315589"));
    assert!(matches!(
        replay.client.bot_info().await,
        Err(Error::Unauthorized(_))
    ));
}
