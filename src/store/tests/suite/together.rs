//! Several records at once, and several who write and read at the same time.

use super::*;

pub(super) async fn a_batch_reaches_over_collections_in_its_order(place: impl Place) {
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

pub(super) async fn everything_that_was_committed_at_once_is_there(place: impl Place) {
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

pub(super) async fn a_swap_happens_only_on_what_was_expected(place: impl Place) {
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

pub(super) async fn equal_maps_are_equal_in_whatever_order_they_were_written(place: impl Place) {
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

pub(super) async fn many_who_count_with_swaps_lose_no_count(place: impl Place) {
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

pub(super) async fn a_reader_never_sees_a_record_half_written(place: impl Place) {
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
