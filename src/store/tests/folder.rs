//! What sled's folder must withstand, within one process.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Note, config_of, long_note, note, open};
use crate::store::{Error, Store};

/// A closed store with two megabytes in it, and the folder of its database.
async fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for seed in 0..20 {
        let key = format!("{seed:02}");
        store
            .collection()
            .put(&key, &long_note(seed, 100_000))
            .await
            .unwrap();
    }
    store.close().await.unwrap();
    let database = folder.path().join("db");
    (folder, database)
}

async fn count(store: &Store) -> usize {
    let notes = store.collection::<Note>();
    let found = notes.scan("", None, 100).await.unwrap();
    found
        .iter()
        .filter(|(key, found)| *found == long_note(key.parse().unwrap(), 100_000))
        .count()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Opens a damaged folder, and checks that it came up empty, usable, and with the old database beside it.
async fn opens_with_the_old_one_aside(folder: &TempDir) {
    let store = open(folder).await;
    let aside = store
        .opened_after_damage()
        .expect("it was noticed")
        .to_owned();
    assert!(aside.starts_with(folder.path()) && aside.join("db").is_file());
    assert_eq!(count(&store).await, 0);
    assert!(store.is_writable());
    store
        .collection()
        .put("00", &long_note(0, 100_000))
        .await
        .unwrap();
    store.close().await.unwrap();

    let store = open(folder).await;
    assert_eq!(store.opened_after_damage(), None, "told once");
    assert_eq!(count(&store).await, 1);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_start_that_was_killed_does_not_stop_the_next() {
    let (folder, database) = filled().await;
    let unfinished = database.join("snap.000000000FFFFFFF.generating");
    File::create(&unfinished).unwrap();
    // The trap is there: without our guard this database would never open again.
    assert!(::sled::open(&database).is_err());

    let store = open(&folder).await;
    assert_eq!(count(&store).await, 20);
    assert_eq!(store.opened_after_damage(), None);
    assert!(!unfinished.exists());
    assert!(
        names_in(&database)
            .iter()
            .any(|name| name.starts_with("snap.")),
        "finished ones stay"
    );
}

#[tokio::test]
async fn a_database_that_was_cut_short_is_moved_aside() {
    let (folder, database) = filled().await;
    open(&folder).await.close().await.unwrap();
    let log = File::options()
        .write(true)
        .open(database.join("db"))
        .unwrap();
    // What a snapshot tells of must be there. What came after the last start could be cut off unnoticed.
    log.set_len(log.metadata().unwrap().len() / 2).unwrap();
    opens_with_the_old_one_aside(&folder).await;
}

#[tokio::test]
async fn a_database_of_noise_is_moved_aside() {
    let (folder, database) = filled().await;
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
        .take(100_000)
        .collect();
    for name in names_in(&database) {
        if database.join(&name).is_file() {
            fs::write(database.join(name), &noise).unwrap();
        }
    }
    opens_with_the_old_one_aside(&folder).await;
}

#[tokio::test]
async fn a_database_that_lost_everything_in_silence_is_moved_aside() {
    let (folder, database) = filled().await;
    for name in names_in(&database) {
        if name.starts_with("snap.") {
            fs::remove_file(database.join(name)).unwrap();
        }
    }
    File::create(database.join("db")).unwrap();
    opens_with_the_old_one_aside(&folder).await;
}

#[tokio::test]
async fn a_database_that_someone_removed_is_simply_new() {
    let (folder, database) = filled().await;
    fs::remove_dir_all(&database).unwrap();
    let store = open(&folder).await;
    assert_eq!(store.opened_after_damage(), None);
    assert_eq!(count(&store).await, 0);
}

#[tokio::test]
async fn a_database_that_someone_put_back_is_taken() {
    let (folder, database) = filled().await;
    let (other, _) = filled().await;
    fs::remove_dir_all(&database).unwrap();
    fs::rename(other.path().join("db"), &database).unwrap();
    for _ in 0..2 {
        let store = open(&folder).await;
        assert_eq!(store.opened_after_damage(), None);
        assert_eq!(count(&store).await, 20);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_is_opened_once_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let Err(error) = Store::open(&config_of(&folder)).await else {
        panic!("opened twice");
    };
    assert!(matches!(&error, Error::InUse(path) if path == folder.path()));
    store.close().await.unwrap();
    for _ in 0..20 {
        open(&folder).await.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_store_that_is_dropped_closes_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.collection().put("a", &note("hello")).await.unwrap();
    drop(store);
    let found = open(&folder)
        .await
        .collection::<Note>()
        .get("a")
        .await
        .unwrap();
    assert_eq!(found, Some(note("hello")));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config_of(&folder);
    config.path = folder.path().join("file").join("below");
    File::create(folder.path().join("file")).unwrap();
    let Err(error) = Store::open(&config).await else {
        panic!("opened a folder below a file");
    };
    assert!(matches!(error, Error::Io(_)), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_folder_is_only_for_us() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config_of(&folder);
    config.path = folder.path().join("one").join("two");
    let store = Store::open(&config).await.unwrap();
    assert_eq!(
        fs::metadata(&config.path).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert!(store.size_bytes().await.unwrap() > 0);
    store.close().await.unwrap();
}

/// Overwriting must not pile up, in files of sled's own above all: it never frees those of large values.
#[tokio::test]
async fn overwritten_records_give_their_room_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for round in 0..30 {
        let mut batch = store.batch();
        for key in ["a", "b", "c"] {
            batch.put(key, &long_note(round, 300_000 + 5_000 * round as usize));
        }
        store.commit(batch).await.unwrap();
    }
    // 34 MB were written, 1.3 MB are alive.
    let size_mib = store.size_bytes().await.unwrap() >> 20;
    assert!(size_mib < 15, "{size_mib} MiB");
    let blobs = names_in(&folder.path().join("db").join("blobs"));
    assert_eq!(blobs, [""; 0], "sled writes those without syncing them");
    store.close().await.unwrap();
}
