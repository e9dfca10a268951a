//! Events as the platform sends them, and as it might.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::feishu::{ChatId, MessageId, OpenId, SenderKind};

/// The platform's own sample of `im.message.receive_v1`.
fn received() -> Value {
    json!({
        "schema": "2.0",
        "header": {
            "event_id": "5e3702a84e847582be8db7fb73283c02",
            "event_type": "im.message.receive_v1",
            "create_time": "1608725989000",
            "token": "rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV",
            "app_id": "cli_9f5343c580712544",
            "tenant_key": "2ca1d211f64f6438"
        },
        "event": {
            "sender": {
                "sender_id": {"union_id": "on_8ed6", "user_id": "e33ggbyz", "open_id": "ou_84aa"},
                "sender_type": "user",
                "tenant_key": "736588c9260f175e"
            },
            "message": {
                "message_id": "om_5ce6",
                "root_id": "om_root",
                "parent_id": "om_parent",
                "create_time": "1609073151345",
                "update_time": "1687343654666",
                "chat_id": "oc_5ce6",
                "thread_id": "omt_d4be",
                "chat_type": "group",
                "message_type": "text",
                "content": "{\"text\":\"@_user_1 hello\"}",
                "mentions": [{
                    "key": "@_user_1",
                    "id": {"union_id": "on_8ed6", "user_id": "", "open_id": "ou_bot"},
                    "mentioned_type": "bot",
                    "name": "Tom",
                    "tenant_key": "736588c9260f175e"
                }],
                "user_agent": "Mozilla/5.0"
            }
        }
    })
}

fn decode(event: &Value) -> Result<Event, EventError> {
    Event::decode(event.to_string().as_bytes())
}

#[test]
fn a_received_message_is_read_whole() {
    let event = decode(&received()).unwrap();
    assert_eq!(event.id.as_str(), "5e3702a84e847582be8db7fb73283c02");
    assert_eq!(event.app_id, "cli_9f5343c580712544");
    assert_eq!(
        event.created_at.unwrap().to_string(),
        "2020-12-23T12:19:49Z"
    );
    let EventBody::Message(message, ChatKind::Group) = event.body else {
        panic!("{:?}", event.body)
    };
    assert_eq!(message.id.as_str(), "om_5ce6");
    assert_eq!(message.thread_id.as_ref().unwrap().as_str(), "omt_d4be");
    assert_eq!(message.created_at.as_millisecond(), 1609073151345);
    assert_eq!(message.updated_at.unwrap().as_millisecond(), 1687343654666);
    assert_eq!(
        (message.sender.id.as_str(), message.sender.kind),
        ("ou_84aa", SenderKind::Person)
    );
    assert!(message.mentions_id(&["cli_x", "ou_bot"]));
    assert!(!message.mentions_id(&["ou_84aa"]));
    assert_eq!(message.text(), "@Tom hello");
}

#[test]
fn only_p2p_is_a_direct_chat() {
    for (chat_type, expected) in [
        (json!("p2p"), ChatKind::P2p),
        (json!("topic"), ChatKind::Group),
        (json!(null), ChatKind::Group),
    ] {
        let mut event = received();
        event["event"]["message"]["chat_type"] = chat_type;
        let body = decode(&event).unwrap().body;
        assert!(matches!(body, EventBody::Message(_, kind) if kind == expected));
    }
}

#[test]
fn bots_are_told_from_people_by_either_of_their_names() {
    for (name, kind) in [
        ("bot", SenderKind::App),
        ("app", SenderKind::App),
        ("?", SenderKind::Other),
    ] {
        let mut event = received();
        event["event"]["sender"]["sender_type"] = json!(name);
        let EventBody::Message(message, _) = decode(&event).unwrap().body else {
            panic!()
        };
        assert_eq!(message.sender.kind, kind);
    }
}

#[test]
fn odd_values_where_nothing_depends_on_them_do_no_harm() {
    let mut event = received();
    event["header"]["create_time"] = json!(1608725989000123_i64);
    event["event"]["message"]["mentions"] = json!(null);
    event["event"]["message"]["root_id"] = json!("");
    event["event"]["message"]["content"] = json!({"text": 1});
    event["event"]["sender"] = json!({"sender_id": null, "sender_type": 3});
    event["new"] = json!([{}]);
    let event = decode(&event).unwrap();
    assert_eq!(event.created_at.unwrap().as_microsecond(), 1608725989000123);
    let EventBody::Message(message, _) = event.body else {
        panic!()
    };
    assert_eq!((message.root_id, message.content), (None, String::new()));
    assert_eq!(
        (message.sender.id, message.sender.kind),
        (String::new(), SenderKind::Other)
    );
}

#[test]
fn what_an_event_cannot_be_without_is_named() {
    for (path, name) in [
        ("/header/event_id", "event_id"),
        ("/header/event_type", "event_type"),
        ("/event/message/message_id", "message_id"),
        ("/event/message/chat_id", "chat_id"),
    ] {
        let mut event = received();
        *event.pointer_mut(path).unwrap() = Value::Null;
        let error = decode(&event).unwrap_err();
        assert!(
            matches!(error, EventError::Missing(missing) if missing == name),
            "{error}"
        );
    }
    // A message without a time of its own happened when its event did.
    let mut event = received();
    event["event"]["message"]["create_time"] = Value::Null;
    let EventBody::Message(message, _) = decode(&event).unwrap().body else {
        panic!()
    };
    assert_eq!(message.created_at.as_millisecond(), 1608725989000);
}

#[test]
fn a_recall_names_message_and_chat() {
    let mut event = received();
    event["header"]["event_type"] = json!("im.message.recalled_v1");
    event["event"] =
        json!({"message_id": "om_a", "chat_id": "oc_a", "recall_type": "message_owner"});
    let expected = EventBody::Recalled {
        message_id: MessageId::new("om_a"),
        chat_id: ChatId::new("oc_a"),
    };
    assert_eq!(decode(&event).unwrap().body, expected);
}

#[test]
fn a_click_names_who_pressed_what_and_where() {
    let mut event = received();
    event["header"]["event_type"] = json!("card.action.trigger");
    for value in [json!({"stop": "a"}), json!("a"), json!(null)] {
        event["event"] = json!({
            "operator": {"tenant_key": "t", "open_id": "ou_a", "union_id": "on_a"},
            "token": "c-1",
            "action": {
                "value": value, "tag": "button", "timezone": "Asia/Shanghai", "name": "send",
                "form_value": {"reason": ["a", "b"]}
            },
            "host": "im_message",
            "context": {"open_message_id": "om_a", "open_chat_id": "oc_a"}
        });
        let expected = EventBody::Clicked(Click {
            operator: OpenId::new("ou_a"),
            message_id: MessageId::new("om_a"),
            chat_id: Some(ChatId::new("oc_a")),
            value,
            name: Some("send".into()),
            form: Map::from_iter([("reason".into(), json!(["a", "b"]))]),
            option: None,
            token: Some("c-1".into()),
        });
        assert_eq!(decode(&event).unwrap().body, expected);
    }
    event["event"]["operator"] = json!({});
    let error = decode(&event).unwrap_err();
    assert!(matches!(error, EventError::Missing("operator.open_id")));
}

#[test]
fn the_old_callback_is_read_as_a_click() {
    let posted = json!({
        "open_id": "ou_a", "user_id": "u", "open_message_id": "om_a", "tenant_key": "t", "token": "c-1",
        "action": {"value": {"stop": "a"}, "tag": "button", "option": "2"}
    });
    let click = Click::decode(&posted.to_string()).unwrap();
    assert_eq!(
        (click.operator.as_str(), click.message_id.as_str()),
        ("ou_a", "om_a")
    );
    assert_eq!((click.chat_id, click.option.as_deref()), (None, Some("2")));
}

/// An event of another kind, as it is understood.
fn understood(kind: &str, body: Value) -> EventBody {
    let mut event = received();
    event["header"]["event_type"] = json!(kind);
    event["event"] = body;
    decode(&event).unwrap().body
}

#[test]
fn a_reaction_says_whose_it_is() {
    let kind = "im.message.reaction.created_v1";
    let body = json!({
        "message_id": "om_a", "reaction_type": {"emoji_type": "Pin"}, "operator_type": "user",
        "user_id": {"open_id": "ou_a", "union_id": "on_a"}, "app_id": "", "action_time": "1627641418803"
    });
    let EventBody::ReactionAdded(reacted) = understood(kind, body.clone()) else {
        panic!()
    };
    assert_eq!(reacted.emoji_type, "Pin");
    assert_eq!(
        (reacted.operator.id.as_str(), reacted.operator.is_app),
        ("ou_a", false)
    );
    assert_eq!(reacted.at.unwrap().as_millisecond(), 1627641418803);
    let kind = "im.message.reaction.deleted_v1";
    let by_app = json!({
        "message_id": "om_a", "reaction_type": {"emoji_type": "OK"}, "operator_type": "app", "app_id": "cli_a"
    });
    let EventBody::ReactionRemoved(reacted) = understood(kind, by_app) else {
        panic!()
    };
    assert_eq!(
        (reacted.operator.id.as_str(), reacted.operator.is_app),
        ("cli_a", true)
    );
}

#[test]
fn what_happens_to_a_group_names_it_and_who_did_it() {
    let body = json!({
        "chat_id": "oc_a", "operator_id": {"open_id": "ou_a"}, "external": true, "name": "Ops",
        "users": [{"name": "Li", "tenant_key": "t", "user_id": {"open_id": "ou_b"}}]
    });
    let change = ChatChange {
        chat_id: ChatId::new("oc_a"),
        operator: Some(OpenId::new("ou_a")),
        name: Some("Ops".into()),
        is_external: true,
    };
    let check = |kind: &str, expected: EventBody| {
        assert_eq!(understood(kind, body.clone()), expected, "{kind}");
    };
    check(
        "im.chat.member.bot.added_v1",
        EventBody::BotAdded(change.clone()),
    );
    check(
        "im.chat.member.bot.deleted_v1",
        EventBody::BotRemoved(change.clone()),
    );
    check("im.chat.disbanded_v1", EventBody::ChatDisbanded(change));
    let came = Membership {
        chat_id: ChatId::new("oc_a"),
        operator: Some(OpenId::new("ou_a")),
        people: vec![(OpenId::new("ou_b"), "Li".into())],
    };
    check(
        "im.chat.member.user.added_v1",
        EventBody::MembersAdded(came.clone()),
    );
    check(
        "im.chat.member.user.withdrawn_v1",
        EventBody::MembersRemoved(came),
    );
    let entered = EventBody::DirectChatEntered {
        person: OpenId::new("ou_a"),
        chat_id: ChatId::new("oc_a"),
    };
    check("im.chat.access_event.bot_p2p_chat_entered_v1", entered);
    let renamed = json!({"chat_id": "oc_a", "after_change": {"name": "New"}, "before_change": {"name": "Old"}});
    let EventBody::ChatUpdated(change) = understood("im.chat.updated_v1", renamed) else {
        panic!()
    };
    assert_eq!(change.name.as_deref(), Some("New"));
}

#[test]
fn a_menu_entry_is_known_by_its_key() {
    let body = json!({
        "operator": {"operator_name": "Li", "operator_id": {"open_id": "ou_a"}},
        "event_key": "status", "timestamp": 1669364458
    });
    let expected = EventBody::MenuPressed {
        person: OpenId::new("ou_a"),
        key: "status".into(),
    };
    assert_eq!(understood("application.bot.menu_v6", body), expected);
}

#[test]
fn an_event_of_schema_1_is_read_too() {
    let event = decode(&json!({
        "ts": "1502199207.7171419", "uuid": "bc447199585340d1f3728d26b1c0297a", "token": "t",
        "type": "event_callback",
        "event": {"type": "p2p_chat_create", "app_id": "cli_a", "tenant_key": "2ca1", "chat_id": "oc_a",
                  "operator": {"open_id": "ou_bot"}, "user": {"open_id": "ou_a", "name": "Li"}}
    }))
    .unwrap();
    assert_eq!(
        (event.kind.as_str(), event.id.as_str()),
        ("p2p_chat_create", "bc447199585340d1f3728d26b1c0297a")
    );
    assert_eq!(
        (event.app_id.as_str(), event.tenant_key.as_str()),
        ("cli_a", "2ca1")
    );
    assert_eq!(
        event.created_at.unwrap().to_string(),
        "2017-08-08T13:33:27.7171419Z"
    );
    let expected = EventBody::DirectChatEntered {
        person: OpenId::new("ou_a"),
        chat_id: ChatId::new("oc_a"),
    };
    assert_eq!(event.body, expected);
}

#[test]
fn an_unknown_event_is_read_whatever_its_body_is() {
    for body in [json!(null), json!([1]), json!("x"), json!({"message": 7})] {
        let mut event = received();
        event["header"]["event_type"] = json!("im.something.new_v9");
        event["event"] = body;
        assert_eq!(decode(&event).unwrap().body, EventBody::Other);
    }
}

proptest! {
    #[test]
    fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::decode(&bytes);
    }

    #[test]
    fn decoding_a_broken_event_never_panics(at in 0..900_usize, byte: u8) {
        let mut bytes = received().to_string().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Event::decode(&bytes);
    }
}
