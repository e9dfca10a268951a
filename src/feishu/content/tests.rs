//! What each kind of message reads as.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::feishu::{ChatId, Mention, MessageId, Sender, SenderKind};

fn message(kind: &str, content: impl ToString, mentions: &[(&str, &str, &str)]) -> Message {
    let mention = |(key, id, name): &(&str, &str, &str)| Mention {
        key: key.to_string(),
        id: Some(id.to_string()),
        name: name.to_string(),
    };
    Message {
        id: MessageId::new("om_a"),
        chat_id: ChatId::new("oc_a"),
        root_id: None,
        parent_id: None,
        thread_id: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: None,
        kind: kind.into(),
        content: content.to_string(),
        mentions: mentions.iter().map(mention).collect(),
        sender: Sender {
            id: "ou_a".into(),
            kind: SenderKind::Person,
            tenant_key: None,
            name: None,
        },
        deleted: false,
        upper_message_id: None,
        link: None,
    }
}

#[test]
fn every_kind_has_a_text() {
    for (kind, content, expected) in [
        (
            "text",
            json!({"text": "hi [x](https://x)"}),
            "hi [x](https://x)",
        ),
        ("image", json!({"image_key": "img_a"}), "[image]"),
        (
            "file",
            json!({"file_key": "f", "file_name": "a.txt"}),
            "[file: a.txt]",
        ),
        ("folder", json!({"file_name": "logs"}), "[folder: logs]"),
        (
            "audio",
            json!({"file_key": "f", "duration": 2000}),
            "[voice message: 2 s]",
        ),
        ("audio", json!({"duration": "1500"}), "[voice message: 2 s]"),
        ("media", json!({"file_name": "a.mp4"}), "[video: a.mp4]"),
        ("sticker", json!({"file_key": "f"}), "[sticker]"),
        ("share_chat", json!({"chat_id": "oc_b"}), "[shared group]"),
        ("share_user", json!({"user_id": "ou_b"}), "[shared contact]"),
        (
            "system",
            json!({"template": "{from_user} invited {to_chatters}.", "from_user": ["Li Lei"], "to_chatters": ["Han", "Tom"]}),
            "[system: Li Lei invited Han, Tom.]",
        ),
        (
            "system",
            json!({"divider_text": {"text": "New day"}}),
            "[system: New day]",
        ),
        (
            "location",
            json!({"name": "Office", "longitude": "1"}),
            "[location: Office]",
        ),
        (
            "video_chat",
            json!({"topic": "Standup"}),
            "[video meeting: Standup]",
        ),
        (
            "todo",
            json!({"task_id": "t", "summary": {"title": "", "content": [[{"tag": "text", "text": "Call them"}]]}}),
            "[task: Call them]",
        ),
        (
            "vote",
            json!({"topic": "Lunch?", "options": ["A", "B"]}),
            "[vote: Lunch? (A | B)]",
        ),
        ("hongbao", json!({"text": "[红包]"}), "[red packet: [红包]]"),
        (
            "calendar",
            json!({"summary": "Review"}),
            "[calendar event: Review]",
        ),
        (
            "merge_forward",
            json!({"content": "Merged and Forwarded Message"}),
            "[forwarded messages]",
        ),
        ("hologram", json!({}), "[message of kind hologram]"),
    ] {
        assert_eq!(message(kind, content, &[]).text(), expected, "{kind}");
    }
}

#[test]
fn content_that_is_not_json_is_shown_as_it_is() {
    assert_eq!(message("text", "This message", &[]).text(), "This message");
    assert_eq!(
        message("merge_forward", "Merged and Forwarded Message", &[]).text(),
        "[forwarded messages]"
    );
    assert_eq!(message("file", "{", &[]).text(), "[file]");
}

#[test]
fn a_recalled_message_says_so_whatever_it_was() {
    let mut message = message("text", "This message was recalled", &[]);
    message.deleted = true;
    assert_eq!(message.text(), "[recalled]");
}

#[test]
fn mention_keys_become_names_longest_first_and_once() {
    let mentions = [
        ("@_user_1", "ou_1", "@_user_2"),
        ("@_user_10", "ou_10", "Ten"),
        ("@_user_2", "ou_2", "Two"),
    ];
    let content = json!({"text": "@_user_10 @_user_1 @_user_2 @_user_27 @_all a@_b @"});
    assert_eq!(
        message("text", content, &mentions).text(),
        "@Ten @@_user_2 @Two @_user_27 @all a@_b @"
    );
}

#[test]
fn at_all_is_no_mention_of_anybody() {
    let message = message(
        "text",
        json!({"text": "@_all look"}),
        &[("@_all", "all", "Everyone")],
    );
    assert_eq!(message.text(), "@all look");
    assert!(!message.mentions_id(&["ou_bot", "cli_bot"]));
}

#[test]
fn a_post_is_its_title_and_its_lines() {
    let content = json!({"title": "Report", "content": [
        [{"tag": "text", "text": "see "}, {"tag": "a", "text": "this", "href": "https://x"},
         {"tag": "at", "user_id": "@_user_1", "user_name": "Tom"}],
        [{"tag": "img", "image_key": "k"}],
        [{"tag": "code_block", "language": "GO", "text": "x := 1\n"}],
        [{"tag": "emotion", "emoji_type": "SMILE"}, {"tag": "at", "user_id": "all"}, {"tag": "new", "text": "!"}],
        [{"tag": "hr"}]
    ]});
    let expected =
        "Report\nsee [this](https://x)@Tommy\n[image]\n```go\nx := 1\n```\n[SMILE]@all!\n---";
    let mentions = [("@_user_1", "ou_1", "Tommy")];
    assert_eq!(message("post", &content, &mentions).text(), expected);
    let wrapped = json!({"zh_cn": content});
    assert_eq!(message("post", wrapped, &mentions).text(), expected);
}

#[test]
fn a_card_is_read_in_its_reduced_form_and_whole() {
    let reduced = json!({"title": "Alert", "elements": [
        [{"tag": "text", "text": "CPU is "}, {"tag": "text", "text": "high"}],
        [{"tag": "button", "text": "Ack", "type": "primary"}],
        [{"tag": "img", "image_key": "k"}]
    ]});
    assert_eq!(
        message("interactive", reduced, &[]).text(),
        "[card]\nAlert\nCPU is high\n[button: Ack]\n[image]"
    );
    let whole = json!({"schema": "2.0", "header": {"title": {"tag": "plain_text", "content": "Alert"}},
        "body": {"elements": [{"tag": "markdown", "content": "**CPU** is high"},
            {"tag": "column_set", "columns": [{"tag": "column", "elements": [
                {"tag": "button", "text": {"tag": "plain_text", "content": "Ack"}}]}]}]}});
    assert_eq!(
        message("interactive", whole, &[]).text(),
        "[card]\nAlert\n**CPU** is high\n[button: Ack]"
    );
}

#[test]
fn a_card_without_text_is_still_a_card() {
    assert_eq!(message("interactive", "{}", &[]).text(), "[card]");
    let hint =
        json!({"elements": [[{"tag": "text", "text": "请升级至最新版本客户端，以查看内容"}]]});
    assert_eq!(
        message("interactive", hint, &[]).text(),
        "[card that cannot be read]"
    );
}

#[test]
fn a_command_is_read_without_the_bots_own_mention_and_odd_spaces() {
    let mentions = [
        ("@_user_1", "ou_bot", "Nightjar"),
        ("@_user_2", "ou_2", "Tom"),
    ];
    for (text, expected) in [
        ("@_user_1\u{a0}/stop", "/stop"),
        ("@_user_1 ／新会话", "/新会话"),
        (
            "\u{200b}/page\u{3000} @_user_2 @_user_1 now\u{feff}",
            "/page @Tom now",
        ),
        ("@_user_1 first \n  second", "first \n  second"),
        ("@_user_1", ""),
    ] {
        let message = message("text", json!({"text": text}), &mentions);
        assert_eq!(
            message.command_text(&["ou_bot", "cli_bot"]),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn what_can_be_fetched_is_found_in_every_kind() {
    let found = |kind: &str, content: Value| {
        let all = message(kind, content, &[]).attachments();
        let short = |one: &Attachment| {
            let name = one.name.as_deref().unwrap_or("-");
            format!("{:?} {} {name}", one.kind, one.key)
        };
        all.iter().map(short).collect::<Vec<_>>().join(", ")
    };
    let file = json!({"file_key": "f", "file_name": "a.txt"});
    assert_eq!(found("file", file.clone()), "File f a.txt");
    assert_eq!(found("image", json!({"image_key": "i"})), "Image i -");
    assert_eq!(found("audio", json!({"file_key": "f"})), "Audio f -");
    let video = json!({"file_key": "f", "image_key": "cover", "file_name": "a.mp4"});
    assert_eq!(found("media", video), "Video f a.mp4");
    let post = json!({"content": [[{"tag": "img", "image_key": "i"}, {"tag": "text", "text": "x"}],
        [{"tag": "media", "file_key": "f", "image_key": "cover"}]]});
    assert_eq!(found("post", post.clone()), "Image i -, Video f -");
    assert_eq!(
        found("post", json!({"en_us": post})),
        "Image i -, Video f -"
    );
    for kind in ["folder", "sticker", "text", "interactive", "merge_forward"] {
        assert_eq!(found(kind, file.clone()), "", "{kind}");
    }
}

#[test]
fn code_with_a_fence_in_it_stands_in_a_longer_one() {
    let code = json!({"content": [[{"tag": "code_block", "language": "MARKDOWN", "text": "```\nx\n```"}]]});
    assert_eq!(
        message("post", code, &[]).text(),
        "````markdown\n```\nx\n```\n````"
    );
}

const KINDS: &str = "text|post|image|file|folder|audio|media|sticker|interactive|share_chat|system|\
    location|video_chat|todo|vote|hongbao|calendar|merge_forward|x";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[@_user1{} é红]{0,12}".prop_map(Value::from),
    ];
    let key =
        "tag|text|content|title|elements|template|summary|options|duration|user_id|zh_cn|header";
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn text_never_panics_on_any_json(kind in KINDS, json in any_json(), key in "[@_user1é]{0,9}") {
        let message = message(&kind, json, &[(&key, "ou_1", "Tom")]);
        let _ = (message.text(), message.command_text(&["ou_1"]), message.attachments());
    }

    #[test]
    fn text_never_panics_on_any_content(kind in KINDS, content: String) {
        let _ = message(&kind, content, &[]).command_text(&[]);
    }
}
