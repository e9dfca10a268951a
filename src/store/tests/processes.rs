//! What the store must withstand with real processes: being killed at any moment, a second one on the same
//! folder, and a disk that takes no more.
//!
//! A child is this test binary again, told by its environment which part to play (see [`child`]). It says
//! on standard output what it did; what it said before it was killed must be there afterwards.
#![cfg(unix)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::{Note, Notebook, config_of, long_note, open};
use crate::{
    config::StoreConfig,
    store::{Error, Store},
};

const PART_TO_PLAY: &str = "NIGHTJAR_TEST_STORE_CHILD";
const FOLDER: &str = "NIGHTJAR_TEST_STORE_FOLDER";
/// How many tasks of a child commit at the same time.
const WRITERS: usize = 4;

/// A process that plays a part, and what it says. Killed when dropped.
struct Actor {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Actor {
    fn start(part: &str, folder: &Path) -> Self {
        let binary = std::env::current_exe().unwrap();
        Self::run(Command::new(binary), part, folder)
    }

    /// As [`Self::start`], but no file may grow over this size. Only the soft limit, so that it can be lifted.
    fn start_with_files_up_to(size_bytes: usize, part: &str, folder: &Path) -> Self {
        let mut shell = Command::new("sh");
        // Counted in blocks of 512 bytes. The signal ignored, a write over the limit is an error.
        let script = format!(
            "trap '' XFSZ; ulimit -S -f {}; exec \"$@\"",
            size_bytes / 512
        );
        shell
            .args(["-c", &script, "sh"])
            .arg(std::env::current_exe().unwrap());
        Self::run(shell, part, folder)
    }

    fn run(mut command: Command, part: &str, folder: &Path) -> Self {
        let mut process = command
            .args(["--exact", "store::tests::processes::child", "--nocapture"])
            .env(PART_TO_PLAY, part)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// The next thing it says. `None` when it has ended.
    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The test harness talks too, and a line may have been cut by the kill.
            if let Some((_, said)) = line.split_once("says: ")
                && let Some(said) = said.strip_suffix('\n')
            {
                return Some(said.to_owned());
            }
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn say(what: impl std::fmt::Display) {
    // One write, so that several tasks do not mix their lines.
    std::io::stdout()
        .lock()
        .write_all(format!("says: {what}\n").as_bytes())
        .unwrap();
}

/// Not a test by itself: what a child does. Without the environment it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(part) = std::env::var(PART_TO_PLAY) else {
        return;
    };
    let config = StoreConfig {
        path: std::env::var_os(FOLDER).unwrap().into(),
        ..StoreConfig::default()
    };
    // Held open by the test: when the test is gone, so is the child.
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    say("opening");
    let store = match Store::open(&config).await {
        Ok(store) => store,
        Err(error) => return say(error),
    };
    say("opened");
    match part.as_str() {
        "write" => write_for_ever(store).await,
        "wait" => std::future::pending().await,
        "fill" => fill_the_disk(store).await,
        other => panic!("no such part: {other}"),
    }
}

/// What a writer writes as its nth: mostly small, now and then over many values.
fn nth_note(writer: usize, number: usize) -> Note {
    let seed = (writer * 1_000_000 + number) as u64;
    let size_bytes = match number % 16 {
        15 => 200_000,
        7 => 15_000,
        _ => 300,
    };
    long_note(seed, size_bytes)
}

fn key_of(writer: usize, number: usize) -> String {
    format!("{writer}/{number:08}")
}

async fn write_for_ever(store: Store) {
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            // The last one is written again: it may have been cut off.
            let books = store.collection::<Notebook>();
            let before = books.get(&writer.to_string()).await.unwrap();
            for number in before.map_or(0, |book| book.notes).. {
                let mut batch = store.batch();
                batch
                    .put(&key_of(writer, number), &nth_note(writer, number))
                    .put(&writer.to_string(), &Notebook { notes: number + 1 });
                store.commit(batch).await.unwrap();
                say(format_args!("{writer} {number}"));
            }
        });
    }
    tasks.join_all().await;
}

/// Checks that a writer's records are there up to the count that was committed with them, and no further.
async fn check_writer(store: &Store, writer: usize, acknowledged: usize) {
    let book = store
        .collection::<Notebook>()
        .get(&writer.to_string())
        .await
        .unwrap();
    let count = book.map_or(0, |book| book.notes);
    assert!(
        count >= acknowledged,
        "writer {writer}: {count} of {acknowledged} acknowledged"
    );
    let notes = store.collection::<Note>();
    let found = notes
        .scan(&format!("{writer}/"), None, usize::MAX)
        .await
        .unwrap();
    assert_eq!(found.len(), count, "writer {writer}: a batch came apart");
    for (number, (key, found)) in found.into_iter().enumerate() {
        assert_eq!(key, key_of(writer, number));
        assert!(
            found == nth_note(writer, number),
            "{key} is not what was written"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut acknowledged = [0; WRITERS];
    for _ in 0..10 {
        let mut actor = Actor::start("write", folder.path());
        // Killed after some acknowledgement, which is at any point of the next commits.
        let mut left: i32 = random.i32(1..120);
        while let Some(said) = actor.next() {
            if let Some((writer, number)) = said.split_once(' ') {
                let writer: usize = writer.parse().unwrap();
                acknowledged[writer] = number.parse::<usize>().unwrap() + 1;
                left -= 1;
                if left == 0 {
                    // What it has said by now is still in the pipe, and is read to its end.
                    actor.kill();
                }
            }
        }
        let store = open(&folder).await;
        assert_eq!(store.opened_after_damage(), None);
        for (writer, acknowledged) in acknowledged.into_iter().enumerate() {
            check_writer(&store, writer, acknowledged).await;
        }
        assert_eq!(
            store.collection::<Note>().count_set_aside(1).await.unwrap(),
            0
        );
        store.close().await.unwrap();
    }
    assert!(acknowledged.iter().sum::<usize>() > 100);
}

#[tokio::test]
async fn a_start_may_be_killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for seed in 0..30 {
        let key = seed.to_string();
        store
            .collection()
            .put(&key, &long_note(seed, 50_000))
            .await
            .unwrap();
    }
    store.close().await.unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..40 {
        let mut actor = Actor::start("wait", folder.path());
        assert_eq!(actor.next().as_deref(), Some("opening"));
        thread::sleep(Duration::from_micros(random.u64(0..8_000)));
        actor.kill();
    }
    let store = open(&folder).await;
    assert_eq!(store.opened_after_damage(), None);
    for seed in 0..30 {
        let found = store
            .collection::<Note>()
            .get(&seed.to_string())
            .await
            .unwrap();
        assert!(found == Some(long_note(seed, 50_000)));
    }
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_dies() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Actor::start("wait", folder.path());
    assert_eq!(first.next().as_deref(), Some("opening"));
    assert_eq!(first.next().as_deref(), Some("opened"));

    let mut second = Actor::start("wait", folder.path());
    assert_eq!(second.next().as_deref(), Some("opening"));
    let sentence = format!(
        "another nightjar process is using {}; stop it, or give this one a folder of its own with path \
         under [store]",
        folder.path().display()
    );
    assert_eq!(second.next(), Some(sentence));
    let refused = Store::open(&config_of(&folder)).await;
    assert!(matches!(refused, Err(Error::InUse(_))));

    first.kill();
    open(&folder).await.close().await.unwrap();
}

async fn fill_the_disk(store: Store) {
    let notes = store.collection::<Note>();
    let commit = async |number: usize| {
        let mut batch = store.batch();
        batch.put(&key_of(0, number), &nth_note(0, number));
        store.commit(batch).await
    };
    let mut number = 0;
    let error = loop {
        match commit(number).await {
            Ok(()) => say(format_args!("0 {number}")),
            Err(error) => break error,
        }
        number += 1;
    };
    assert!(matches!(error, Error::Full(_)), "{error}");
    assert!(!store.is_writable());
    commit(number).await.unwrap_err();
    // Until it is mended a read may fail, but never with a wrong answer.
    for number in 0..number {
        match notes.get(&key_of(0, number)).await {
            Ok(found) => assert!(found == Some(nth_note(0, number))),
            Err(error) => assert!(matches!(error, Error::Full(_)), "{error}"),
        }
    }
    say("full");
    let mended = async {
        while !store.is_writable() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), mended)
        .await
        .unwrap();
    commit(number).await.unwrap();
    for number in 0..=number {
        assert!(notes.get(&key_of(0, number)).await.unwrap() == Some(nth_note(0, number)));
    }
    store.close().await.unwrap();
    say(format_args!("0 {number}"));
    say("closed");
}

/// Starts a child that fills its disk, and gives back how many records it had acknowledged by then.
fn fill(folder: &TempDir) -> (Actor, usize) {
    let mut actor = Actor::start_with_files_up_to(3 << 20, "fill", folder.path());
    let mut acknowledged = 0;
    loop {
        let said = actor.next().expect("it ended before its disk was full");
        match said.split_once(' ') {
            Some((_, number)) => acknowledged = number.parse::<usize>().unwrap() + 1,
            None if said == "full" => return (actor, acknowledged),
            None => {}
        }
    }
}

async fn check_filled(folder: &TempDir, count: usize) {
    let store = open(folder).await;
    assert_eq!(store.opened_after_damage(), None);
    for number in 0..count {
        let found = store
            .collection::<Note>()
            .get(&key_of(0, number))
            .await
            .unwrap();
        assert!(found == Some(nth_note(0, number)), "{number} of {count}");
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (mut actor, acknowledged) = fill(&folder);
    assert!(acknowledged > 10);
    actor.kill();
    check_filled(&folder, acknowledged).await;
}

#[tokio::test]
async fn a_disk_that_has_room_again_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut actor, acknowledged) = fill(&folder);
    let pid = actor.process.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status();
    if !lifted.is_ok_and(|status| status.success()) {
        return; // No prlimit here (it is of util-linux), and no way to lift a limit without it.
    }
    assert_eq!(actor.next(), Some(format!("0 {acknowledged}")));
    assert_eq!(actor.next().as_deref(), Some("closed"));
    check_filled(&folder, acknowledged + 1).await;
}
