//! What another version of the program wrote, and what nobody can read.

use super::*;

pub(super) async fn an_older_version_is_read_and_a_newer_one_is_left_alone(place: impl Place) {
    let store = place.open().await;
    let (old, new) = (store.collection::<Note>(), store.collection::<NewNote>());
    old.put("a", &note("hello")).await.unwrap();
    let upgraded = NewNote {
        lines: vec!["hello".into()],
    };
    assert_eq!(new.get("a").await.unwrap(), Some(upgraded.clone()));
    assert_eq!(
        new.scan("", None, 9).await.unwrap(),
        [("a".into(), upgraded.clone())]
    );
    let longer = NewNote {
        lines: vec!["hello".into(), "again".into()],
    };
    assert!(
        new.compare_and_swap("a", Some(&upgraded), Some(&longer))
            .await
            .unwrap()
    );

    let error = old.get("a").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "note/a was written by a newer nightjar (version 2, this one knows 1)"
    );
    assert!(matches!(
        old.scan("", None, 9).await,
        Err(Error::NewerVersion { .. })
    ));
    let swap = old.compare_and_swap("a", None, Some(&note(""))).await;
    assert!(matches!(swap, Err(Error::NewerVersion { .. })));
    assert_eq!(new.get("a").await.unwrap(), Some(longer));
}

pub(super) async fn a_form_that_only_a_newer_version_knows_is_left_alone(place: impl Place) {
    let store = place.open().await;
    store.collection().put("a", &note("hello")).await.unwrap();
    let key = record::head_key::<Note>("a");
    let mut head = store.engine().get(key.clone()).await.unwrap().unwrap();
    head[8] = 77;
    let sum = record::checksum(&head[8..]);
    head[..8].copy_from_slice(&sum.to_le_bytes());
    write_raw(&store, vec![Change::Put(key, head)]).await;
    let read = store.collection::<Note>().get("a").await;
    assert!(matches!(read, Err(Error::NewerVersion { .. })));
}

pub(super) async fn what_cannot_be_read_is_set_aside_and_stops_nobody(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    for key in ["a", "b", "c", "d", "e", "f", "g"] {
        notes.put(key, &long_note(3, 20_000)).await.unwrap();
    }
    // Each of these is damaged in its own way.
    let head_of = |key| record::head_key::<Note>(key);
    let part_of = |key, number| [&record::parts_prefix::<Note>(key)[..], &[0, number]].concat();
    let mut flipped = store.engine().get(head_of("b")).await.unwrap().unwrap();
    flipped[12] ^= 1;
    let part = store.engine().get(part_of("c", 1)).await.unwrap().unwrap();
    let short = store.engine().get(head_of("d")).await.unwrap().unwrap()[..9].to_vec();
    let damage = vec![
        Change::Put(head_of("b"), flipped.clone()),
        Change::Put(part_of("c", 1), part.to_ascii_lowercase()),
        Change::Put(head_of("d"), short),
        Change::Delete(part_of("e", 3)),
    ];
    write_raw(&store, damage).await;
    let changes = record::put("f", &Untyped(serde_json::json!({"txet": "hello"}))).unwrap();
    write_raw(&store, changes).await;

    // The page is filled up from behind what was left out.
    assert_eq!(keys_of::<Note>(&store, "", None, 2).await, ["a", "g"]);
    assert_eq!(notes.get("b").await.unwrap(), None);
    assert_eq!(notes.count_set_aside(99).await.unwrap(), 5);
    assert_eq!(count_parts(&store).await, 8, "of the two that are left");
    let aside = store
        .engine()
        .scan(b"anote\0b".to_vec(), None, 9)
        .await
        .unwrap();
    assert_eq!(aside[0].1, flipped, "as it was");
    let parts = store.engine().scan(b"b".to_vec(), None, 99).await.unwrap();
    assert_eq!(parts.len(), 4 + 4 + 4 + 3);

    // The place is free again.
    assert!(
        notes
            .compare_and_swap("b", None, Some(&note("new")))
            .await
            .unwrap()
    );
    write_raw(&store, vec![Change::Put(head_of("c"), b"?".to_vec())]).await;
    assert!(
        notes
            .compare_and_swap("c", None, Some(&note("new")))
            .await
            .unwrap()
    );
    assert_eq!(
        keys_of::<Note>(&store, "", None, 9).await,
        ["a", "b", "c", "g"]
    );
}

pub(super) async fn an_older_version_that_nobody_can_upgrade_is_set_aside(place: impl Place) {
    let store = place.open().await;
    store
        .collection()
        .put("a", &note("unwanted"))
        .await
        .unwrap();
    let new = store.collection::<NewNote>();
    assert_eq!(new.get("a").await.unwrap(), None);
    assert_eq!(new.count_set_aside(9).await.unwrap(), 1);
}

/// Any JSON under the name of [`Note`].
#[derive(serde::Serialize, serde::Deserialize)]
struct Untyped(serde_json::Value);

impl Record for Untyped {
    const COLLECTION: &'static str = Note::COLLECTION;
    const VERSION: u8 = Note::VERSION;
}
