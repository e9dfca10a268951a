//! Single records: from put to delete, over restarts, in scans, short and long.

use super::*;

pub(super) async fn a_record_is_there_from_put_to_delete(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    assert_eq!(notes.get("a").await.unwrap(), None);
    notes.put("a", &note("first")).await.unwrap();
    notes.put("a", &note("second")).await.unwrap();
    assert_eq!(notes.get("a").await.unwrap(), Some(note("second")));
    notes.delete("a").await.unwrap();
    notes.delete("a").await.unwrap();
    assert_eq!(notes.get("a").await.unwrap(), None);
}

pub(super) async fn what_was_committed_or_closed_is_there_after_opening_again(place: impl Place) {
    let store = place.open().await;
    store
        .collection::<Note>()
        .put("put", &note("1"))
        .await
        .unwrap();
    let mut batch = store.batch();
    batch.put("committed", &long_note(1, 100_000));
    store.commit(batch).await.unwrap();
    store.close().await.unwrap();

    let store = place.open().await;
    let notes = store.collection::<Note>();
    assert_eq!(notes.get("put").await.unwrap(), Some(note("1")));
    assert_eq!(
        notes.get("committed").await.unwrap(),
        Some(long_note(1, 100_000))
    );
    assert_eq!(store.opened_after_damage(), None);
}

pub(super) async fn a_closed_store_refuses_every_clone(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    store.close().await.unwrap();
    assert!(matches!(notes.get("a").await, Err(Error::Closed)));
    assert!(matches!(
        notes.put("a", &note("")).await,
        Err(Error::Closed)
    ));
    assert!(matches!(notes.scan("", None, 1).await, Err(Error::Closed)));
}

pub(super) async fn a_scan_goes_by_prefix_in_order_from_after_to_limit(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    for key in [
        "b/2", "a/1", "b/10", "b", "b/1", "c/1", "b/汉字", "", "b/1/x",
    ] {
        notes.put(key, &note(key)).await.unwrap();
    }
    store
        .collection::<Notebook>()
        .put("b/3", &Notebook { notes: 3 })
        .await
        .unwrap();

    let all = ["b/1", "b/1/x", "b/10", "b/2", "b/汉字"];
    assert_eq!(keys_of::<Note>(&store, "b/", None, 100).await, all);
    assert_eq!(keys_of::<Note>(&store, "b/", None, 2).await, all[..2]);
    assert_eq!(
        keys_of::<Note>(&store, "b/", Some("b/1/x"), 2).await,
        all[2..4]
    );
    assert_eq!(
        keys_of::<Note>(&store, "b/", Some("b/1/y"), 100).await,
        all[2..]
    );
    assert_eq!(keys_of::<Note>(&store, "b/", Some("a"), 100).await, all);
    assert_eq!(keys_of::<Note>(&store, "b/", Some("c"), 100).await, [""; 0]);
    assert_eq!(keys_of::<Note>(&store, "", None, 0).await, [""; 0]);
    assert_eq!(keys_of::<Note>(&store, "", None, 100).await.len(), 9);
    assert_eq!(keys_of::<Notebook>(&store, "", None, 100).await, ["b/3"]);
}

pub(super) async fn long_records_are_one_record_and_leave_nothing_behind(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    let sizes = [
        PART_BYTES - 1,
        PART_BYTES,
        PART_BYTES + 1,
        2 * PART_BYTES,
        RECORD_BYTES_MAX,
        3 * PART_BYTES + 7,
        100,
    ];
    // A neighbour whose key begins with the other's, and whose parts must stay.
    notes.put("k\0\0", &long_note(9, 50_000)).await.unwrap();
    let others = count_parts(&store).await;
    for (seed, size_bytes) in (1..).zip(sizes) {
        let long = long_note(seed, size_bytes);
        notes.put("k", &long).await.unwrap();
        assert!(
            notes.get("k").await.unwrap() == Some(long),
            "{size_bytes} bytes"
        );
        let parts = if size_bytes > PART_BYTES {
            size_bytes.div_ceil(PART_BYTES)
        } else {
            0
        };
        assert_eq!(
            count_parts(&store).await,
            others + parts,
            "{size_bytes} bytes"
        );
        assert_eq!(keys_of::<Note>(&store, "k", None, 10).await, ["k", "k\0\0"]);
    }
    notes.put("k", &long_note(1, 50_000)).await.unwrap();
    notes.delete("k").await.unwrap();
    assert_eq!(count_parts(&store).await, others);
    assert_eq!(
        notes.get("k\0\0").await.unwrap(),
        Some(long_note(9, 50_000))
    );
}

pub(super) async fn what_is_too_large_is_refused_whole(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    let too_long = long_note(1, RECORD_BYTES_MAX + 1);
    let error = notes.put("a", &too_long).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the record note/a has 4194305 bytes, over the limit of 4194304"
    );
    let error = notes.put(&"k".repeat(513), &note("")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a key has 513 bytes, over the limit of 512"
    );

    let mut batch = store.batch();
    batch
        .put("b", &note("fine"))
        .put("a", &too_long)
        .delete::<Note>("c");
    assert!(matches!(
        store.commit(batch).await,
        Err(Error::TooLarge { .. })
    ));
    let mut batch = store.batch();
    for key in ["b", "c", "d"] {
        batch.put(key, &long_note(1, RECORD_BYTES_MAX - 10));
    }
    assert!(matches!(
        store.commit(batch).await,
        Err(Error::TooLarge { .. })
    ));
    let raw = Write {
        changes: vec![Change::Put(b"x".to_vec(), vec![0; 64 * 1024 + 1])],
        ..Write::default()
    };
    assert!(matches!(
        store.engine().write(raw).await,
        Err(Error::TooLarge { .. })
    ));
    assert_eq!(keys_of::<Note>(&store, "", None, 10).await, [""; 0]);
    assert!(store.is_writable());
}

pub(super) async fn what_has_no_json_is_refused(place: impl Place) {
    let store = place.open().await;
    let shapeless = Shapeless {
        by_place: BTreeMap::from([((0, 0), 0)]),
    };
    let outcome = store.collection().put("a", &shapeless).await;
    assert!(matches!(
        outcome,
        Err(Error::Unencodable {
            collection: "shapeless",
            ..
        })
    ));
}

pub(super) async fn the_store_does_what_a_sorted_map_does(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    let mut random = fastrand::Rng::with_seed(2024);
    let mut model: BTreeMap<String, Note> = BTreeMap::new();
    for step in 0..400 {
        let key = random.u8(0..40).to_string();
        let size_bytes = *random.choice(&[30, 30, 5_000, 15_000]).unwrap();
        let value = long_note(step, size_bytes);
        match random.u8(0..6) {
            0 | 1 => {
                notes.put(&key, &value).await.unwrap();
                model.insert(key, value);
            }
            2 => {
                notes.delete(&key).await.unwrap();
                model.remove(&key);
            }
            3 => {
                let other = random.u8(0..40).to_string();
                let mut batch = store.batch();
                batch.delete::<Note>(&other).put(&key, &value);
                store.commit(batch).await.unwrap();
                model.remove(&other);
                model.insert(key, value);
            }
            4 => {
                let old = model.get(&key).filter(|_| random.bool());
                let expected = old == model.get(&key);
                let swapped = notes
                    .compare_and_swap(&key, old, Some(&value))
                    .await
                    .unwrap();
                assert_eq!(swapped, expected, "step {step}");
                if swapped {
                    model.insert(key, value);
                }
            }
            _ => {
                let found = notes.scan("1", Some(&key), 5).await.unwrap();
                let expected = model
                    .iter()
                    .filter(|(k, _)| k.starts_with('1') && **k > key);
                assert!(
                    found.iter().map(|(k, v)| (k, v)).eq(expected.take(5)),
                    "step {step}"
                );
            }
        }
    }
    store.close().await.unwrap();
    let found = place
        .open()
        .await
        .collection::<Note>()
        .scan("", None, 100)
        .await
        .unwrap();
    assert!(found.into_iter().eq(model));
}
