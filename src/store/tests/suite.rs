//! What every engine must do. Each test is a function of a freshly opened, empty place; the macro at the
//! end runs them all for one kind of place, so a second engine is one more line.

use std::{collections::BTreeMap, sync::Arc};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{NewNote, Note, Notebook, Shapeless, Votes, long_note, note, open};
use crate::store::{
    Change, Error, Record, Store, Write,
    record::{self, PART_BYTES, RECORD_BYTES_MAX},
};

/// Somewhere a store can be opened, closed and opened again.
trait Place {
    fn new() -> Self;
    async fn open(&self) -> Store;
}

struct SledPlace(TempDir);

impl Place for SledPlace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Store {
        open(&self.0).await
    }
}

async fn keys_of<T: Record>(
    store: &Store,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let found = store
        .collection::<T>()
        .scan(prefix, after, limit)
        .await
        .unwrap();
    found.into_iter().map(|(key, _)| key).collect()
}

/// How many parts of long records there are, whoever they belong to.
async fn count_parts(store: &Store) -> usize {
    store
        .engine()
        .scan(b"p".to_vec(), None, usize::MAX)
        .await
        .unwrap()
        .len()
}

async fn write_raw(store: &Store, changes: Vec<Change>) {
    let write = Write {
        changes,
        ..Write::default()
    };
    assert!(store.engine().write(write).await.unwrap());
}

async fn a_record_is_there_from_put_to_delete(place: impl Place) {
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

async fn what_was_committed_or_closed_is_there_after_opening_again(place: impl Place) {
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

async fn a_closed_store_refuses_every_clone(place: impl Place) {
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

async fn a_scan_goes_by_prefix_in_order_from_after_to_limit(place: impl Place) {
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

async fn long_records_are_one_record_and_leave_nothing_behind(place: impl Place) {
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

async fn what_is_too_large_is_refused_whole(place: impl Place) {
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

async fn what_has_no_json_is_refused(place: impl Place) {
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

async fn a_batch_reaches_over_collections_in_its_order(place: impl Place) {
    let store = place.open().await;
    store.commit(store.batch()).await.unwrap();
    let mut batch = store.batch();
    batch
        .put("a", &long_note(1, 40_000))
        .put("book", &Notebook { notes: 1 })
        .delete::<Note>("a")
        .put("b", &long_note(2, 40_000))
        .put("b", &note("last"));
    store.commit(batch).await.unwrap();
    assert_eq!(store.collection::<Note>().get("a").await.unwrap(), None);
    assert_eq!(
        store.collection::<Note>().get("b").await.unwrap(),
        Some(note("last"))
    );
    let book = store.collection::<Notebook>().get("book").await.unwrap();
    assert_eq!(book, Some(Notebook { notes: 1 }));
    assert_eq!(count_parts(&store).await, 0);
}

async fn everything_that_was_committed_at_once_is_there(place: impl Place) {
    let store = place.open().await;
    let mut tasks = JoinSet::new();
    for number in 0..300 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut batch = store.batch();
            batch.put(&format!("{number:03}"), &note(number.to_string()));
            store.commit(batch).await
        });
    }
    for outcome in tasks.join_all().await {
        outcome.unwrap();
    }
    store.close().await.unwrap();
    let found = place
        .open()
        .await
        .collection::<Note>()
        .scan("", None, 1000)
        .await
        .unwrap();
    let expected = (0..300).map(|number| (format!("{number:03}"), note(number.to_string())));
    assert!(found.into_iter().eq(expected));
}

async fn a_swap_happens_only_on_what_was_expected(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    let (one, two) = (note("1"), long_note(2, 20_000));
    assert!(
        !notes
            .compare_and_swap("a", Some(&one), Some(&two))
            .await
            .unwrap()
    );
    assert!(notes.compare_and_swap("a", None, Some(&one)).await.unwrap());
    assert!(!notes.compare_and_swap("a", None, Some(&two)).await.unwrap());
    assert!(
        notes
            .compare_and_swap("a", Some(&one), Some(&two))
            .await
            .unwrap()
    );
    assert_eq!(notes.get("a").await.unwrap(), Some(two.clone()));
    assert!(!notes.compare_and_swap("a", Some(&one), None).await.unwrap());
    assert!(notes.compare_and_swap("a", Some(&two), None).await.unwrap());
    assert_eq!(notes.get("a").await.unwrap(), None);
    assert_eq!(count_parts(&store).await, 0);
}

async fn equal_maps_are_equal_in_whatever_order_they_were_written(place: impl Place) {
    let store = place.open().await;
    let votes = store.collection::<Votes>();
    // Each has a hash seed of its own, so that these come out in different orders.
    let same = || Votes {
        by_name: (0..50).map(|n| (n.to_string(), n)).collect(),
    };
    votes.put("a", &same()).await.unwrap();
    assert!(
        votes
            .compare_and_swap("a", Some(&same()), None)
            .await
            .unwrap()
    );
}

async fn many_who_count_with_swaps_lose_no_count(place: impl Place) {
    let store = place.open().await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let books = store.collection::<Notebook>();
        tasks.spawn(async move {
            for _ in 0..10 {
                loop {
                    let old = books.get("a").await.unwrap();
                    let notes = old.as_ref().map_or(0, |old| old.notes) + 1;
                    let new = Notebook { notes };
                    if books
                        .compare_and_swap("a", old.as_ref(), Some(&new))
                        .await
                        .unwrap()
                    {
                        break;
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    let book = store.collection::<Notebook>().get("a").await.unwrap();
    assert_eq!(book, Some(Notebook { notes: 80 }));
}

async fn a_reader_never_sees_a_record_half_written(place: impl Place) {
    let store = place.open().await;
    let notes = store.collection::<Note>();
    let versions: Arc<Vec<Note>> = Arc::new(
        (0..4)
            .map(|seed| long_note(seed, 2 * PART_BYTES + seed as usize * PART_BYTES))
            .collect(),
    );
    notes.put("a", &versions[0]).await.unwrap();
    let writer = tokio::spawn({
        let (notes, versions) = (notes.clone(), Arc::clone(&versions));
        async move {
            for version in versions.iter().cycle().take(200) {
                notes.put("a", version).await.unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let seen = notes.get("a").await.unwrap().expect("it is never deleted");
        assert!(versions.contains(&seen));
        let scanned = notes.scan("", None, 10).await.unwrap();
        assert!(scanned.len() == 1 && versions.contains(&scanned[0].1));
    }
    writer.await.unwrap();
    assert_eq!(notes.count_set_aside(10).await.unwrap(), 0);
}

async fn an_older_version_is_read_and_a_newer_one_is_left_alone(place: impl Place) {
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

async fn a_form_that_only_a_newer_version_knows_is_left_alone(place: impl Place) {
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

async fn what_cannot_be_read_is_set_aside_and_stops_nobody(place: impl Place) {
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

async fn an_older_version_that_nobody_can_upgrade_is_set_aside(place: impl Place) {
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

async fn the_store_does_what_a_sorted_map_does(place: impl Place) {
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

/// Any JSON under the name of [`Note`].
#[derive(serde::Serialize, serde::Deserialize)]
struct Untyped(serde_json::Value);

impl Record for Untyped {
    const COLLECTION: &'static str = Note::COLLECTION;
    const VERSION: u8 = Note::VERSION;
}

/// Runs the tests above for one kind of place.
macro_rules! suite {
    ($engine:ident, $place:ty: $($test:ident),* $(,)?) => {
        mod $engine {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(<$place>::new()).await;
                }
            )*
        }
    };
    ($engine:ident, $place:ty) => {
        suite! {
            $engine, $place:
            a_record_is_there_from_put_to_delete,
            what_was_committed_or_closed_is_there_after_opening_again,
            a_closed_store_refuses_every_clone,
            a_scan_goes_by_prefix_in_order_from_after_to_limit,
            long_records_are_one_record_and_leave_nothing_behind,
            what_is_too_large_is_refused_whole,
            what_has_no_json_is_refused,
            a_batch_reaches_over_collections_in_its_order,
            everything_that_was_committed_at_once_is_there,
            a_swap_happens_only_on_what_was_expected,
            equal_maps_are_equal_in_whatever_order_they_were_written,
            many_who_count_with_swaps_lose_no_count,
            a_reader_never_sees_a_record_half_written,
            an_older_version_is_read_and_a_newer_one_is_left_alone,
            a_form_that_only_a_newer_version_knows_is_left_alone,
            what_cannot_be_read_is_set_aside_and_stops_nobody,
            an_older_version_that_nobody_can_upgrade_is_set_aside,
            the_store_does_what_a_sorted_map_does,
        }
    };
}

suite!(sled, SledPlace);
