//! The record of several rooms at once, in every order in which things can be heard.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    bot::Me,
    config::StoreConfig,
    feishu::{Message, Sender, SenderKind},
};

fn me() -> Me {
    Me {
        open_id: OpenId::new("ou_me"),
        app_id: "cli_me".into(),
        name: "Nightjar".into(),
    }
}

fn message(room: usize, number: usize, second: i64, text: &str) -> Message {
    Message {
        id: MessageId::new(format!("om_{room}_{number}")),
        chat_id: ChatId::new(format!("oc_{room}")),
        root_id: None,
        parent_id: None,
        thread_id: None,
        created_at: Timestamp::from_second(1_700_000_000 + second).unwrap(),
        updated_at: None,
        kind: "text".into(),
        content: serde_json::json!({ "text": text }).to_string(),
        mentions: Vec::new(),
        sender: Sender {
            id: format!("ou_{room}"),
            kind: SenderKind::Person,
            tenant_key: None,
            name: None,
        },
        deleted: false,
        upper_message_id: None,
        link: None,
    }
}

async fn open(folder: &tempfile::TempDir) -> Transcripts {
    let config = StoreConfig {
        path: folder.path().join("store"),
        ..StoreConfig::default()
    };
    Transcripts::new(&Store::open(&config).await.unwrap())
}

async fn all(transcripts: &Transcripts, room: usize) -> Vec<Said> {
    let mut all = Vec::new();
    let room = ChatId::new(format!("oc_{room}"));
    transcripts
        .each(&room, None, |said| all.push(said))
        .await
        .unwrap();
    all
}

#[derive(Debug, Clone)]
enum Step {
    Said {
        room: usize,
        number: usize,
    },
    Edited {
        room: usize,
        number: usize,
        version: u8,
    },
    Recalled {
        room: usize,
        number: usize,
    },
    Reacted {
        room: usize,
        number: usize,
        is_there: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0..3usize, 0..6usize);
    prop_oneof![
        3 => place.clone().prop_map(|(room, number)| Step::Said { room, number }),
        1 => (place.clone(), any::<u8>())
            .prop_map(|((room, number), version)| Step::Edited { room, number, version }),
        1 => place.clone().prop_map(|(room, number)| Step::Recalled { room, number }),
        1 => (place, any::<bool>())
            .prop_map(|((room, number), is_there)| Step::Reacted { room, number, is_there }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is heard in whatever order, a room's record has that room's messages, each once, in order of
    /// time, and no other room's word.
    #[test]
    fn rooms_never_see_each_others_words(steps in prop::collection::vec(step(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let transcripts = open(&folder).await;
            let mut expected: BTreeMap<(usize, usize), ()> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Said { room, number } => {
                        expected.insert((room, number), ());
                        let said = message(room, number, number as i64, &format!("word of {room}"));
                        transcripts.hear(&[(said, None)], &me()).await.unwrap();
                    }
                    Step::Edited { room, number, version } => {
                        expected.insert((room, number), ());
                        let text = format!("word of {room}, version {version}");
                        let said = message(room, number, number as i64, &text);
                        transcripts.hear(&[(said, None)], &me()).await.unwrap();
                    }
                    Step::Recalled { room, number } => {
                        let id = message(room, number, 0, "").id;
                        transcripts.recall(&id, Timestamp::UNIX_EPOCH).await.unwrap();
                    }
                    Step::Reacted { room, number, is_there } => {
                        let id = message(room, number, 0, "").id;
                        transcripts.react(&id, "Pin", &format!("ou_{room}"), is_there).await.unwrap();
                    }
                }
            }
            for room in 0..3 {
                let said = all(&transcripts, room).await;
                let numbers: Vec<_> = expected.keys().filter(|(of, _)| *of == room).collect();
                prop_assert_eq!(said.len(), numbers.len());
                prop_assert!(said.is_sorted_by_key(|one| one.at));
                for one in said {
                    let own = format!("word of {room}");
                    prop_assert!(one.text.starts_with(&own), "{}", one.text);
                    prop_assert!(one.edits.iter().all(|edit| edit.before.starts_with(&own)));
                    let reacted = [format!("ou_{room}")];
                    prop_assert!(one.reactions.iter().all(|it| it.by == reacted));
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn what_was_edited_and_recalled_stays_known() {
    let folder = tempfile::tempdir().unwrap();
    let transcripts = open(&folder).await;
    let first = message(1, 1, 0, "it is the cache");
    let mut edited = message(1, 1, 0, "it is the queue");
    edited.updated_at = Some(edited.created_at + std::time::Duration::from_secs(9));
    for heard in [&first, &edited, &edited] {
        transcripts
            .hear(&[(heard.clone(), None)], &me())
            .await
            .unwrap();
    }
    let mut recalled = edited.clone();
    recalled.deleted = true;
    recalled.content = String::new();
    transcripts.hear(&[(recalled, None)], &me()).await.unwrap();
    let said = all(&transcripts, 1).await.remove(0);
    let edit = Edit {
        at: edited.updated_at.unwrap(),
        before: "it is the cache".into(),
    };
    assert_eq!(
        (said.text.as_str(), said.edits.as_slice()),
        ("it is the queue", [edit].as_slice())
    );
    assert_eq!(
        (said.recalled_at, said.shown()),
        (edited.updated_at, "[recalled]")
    );
}

#[tokio::test]
async fn reactions_and_pins_are_as_they_were_last_read() {
    let folder = tempfile::tempdir().unwrap();
    let transcripts = open(&folder).await;
    let heard: Vec<_> = (0..3)
        .map(|number| (message(1, number, number as i64, "x"), None))
        .collect();
    transcripts.hear(&heard, &me()).await.unwrap();
    let (a, b) = (&heard[0].0.id, &heard[1].0.id);
    transcripts.react(a, "Pin", "ou_a", true).await.unwrap();
    transcripts.react(a, "Pin", "ou_b", true).await.unwrap();
    let pairs = [("Pin", "ou_b"), ("OK", "ou_c")].map(|(emoji, who)| (emoji.into(), who.into()));
    let (_, said) = transcripts.set_reactions(a, &pairs).await.unwrap().unwrap();
    assert_eq!(said.reacted("Pin", |_| true), Some("ou_b"));
    assert_eq!(said.reacted("Pin", |who| who == "ou_a"), None);
    assert_eq!(said.reacted("OK", |_| true), Some("ou_c"));
    let room = ChatId::new("oc_1");
    let pinned = async || -> Vec<bool> {
        all(&transcripts, 1)
            .await
            .iter()
            .map(|said| said.is_pinned)
            .collect()
    };
    transcripts
        .set_pins(&room, &[a.clone(), b.clone()])
        .await
        .unwrap();
    assert_eq!(pinned().await, [true, true, false]);
    transcripts
        .set_pins(&room, std::slice::from_ref(b))
        .await
        .unwrap();
    assert_eq!(pinned().await, [false, true, false]);
}

#[tokio::test]
async fn who_came_and_went_is_kept_in_its_order_and_forgotten_with_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let transcripts = open(&folder).await;
    let (room, other) = (ChatId::new("oc_1"), ChatId::new("oc_2"));
    let coming = |second: i64, came: bool| Coming {
        at: Timestamp::from_second(second).unwrap(),
        person: OpenId::new("ou_a"),
        name: "Li Lei".into(),
        came,
        by: None,
    };
    for one in [coming(20, false), coming(10, true), coming(10, true)] {
        transcripts.note_coming(&room, &[one]).await.unwrap();
    }
    transcripts
        .note_coming(&other, &[coming(15, true)])
        .await
        .unwrap();
    let came: Vec<bool> = transcripts
        .comings(&room, 10)
        .await
        .unwrap()
        .iter()
        .map(|one| one.came)
        .collect();
    assert_eq!(came, [true, false]);
    let person = OpenId::new("ou_a");
    let has_come = async |second: i64| {
        let at = Timestamp::from_second(second).unwrap();
        transcripts.has_come(&room, &person, at).await.unwrap()
    };
    assert!(has_come(10).await && !has_come(15).await);
    transcripts
        .hear(&[(message(1, 1, 0, "x"), None)], &me())
        .await
        .unwrap();
    assert_eq!(transcripts.forget(&room).await.unwrap(), 1);
    assert!(all(&transcripts, 1).await.is_empty());
    assert!(transcripts.comings(&room, 10).await.unwrap().is_empty());
    assert_eq!(transcripts.comings(&other, 10).await.unwrap().len(), 1);
}

#[test]
fn what_is_kept_is_readable_by_who_comes_later() {
    let said = Said::new(&message(1, 1, 0, "x"), &me(), None);
    insta::assert_json_snapshot!(said, @r#"
    {
      "id": "om_1_1",
      "at": "2023-11-14T22:13:20Z",
      "author": {
        "id": "ou_1",
        "is_bot": false,
        "name": null
      },
      "kind": "text",
      "text": "x",
      "parent": null,
      "root": null,
      "thread": null,
      "link": null,
      "mentions": [],
      "attachments": [],
      "edits": [],
      "recalled_at": null,
      "reactions": [],
      "is_pinned": false,
      "marks": []
    }
    "#);
}
