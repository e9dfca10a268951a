//! The corpus of the fuzz targets, and a few thousand seeded changes of it, through the same functions that
//! `cargo fuzz` runs on a nightly compiler.

#[path = "../../fuzz/src/inputs.rs"]
mod inputs;

use std::{fs, path::Path};

/// How many changed copies of each file are tried.
const CHANGES: usize = 60;

fn run(target: &str, input: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{target} has hardly any corpus");
    let mut random = fastrand::Rng::with_seed(7);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        input(&bytes);
        for _ in 0..CHANGES {
            let changed = change(&bytes, &mut random);
            // What failed is shown, so that it can be put into the corpus.
            let outcome = std::panic::catch_unwind(|| input(&changed));
            assert!(
                outcome.is_ok(),
                "{target} on a change of {}: {changed:?}",
                file.display()
            );
        }
    }
}

/// A copy with a few bytes changed, cut out or doubled.
fn change(bytes: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=changed.len());
        let until = (at + random.usize(..8)).min(changed.len());
        match random.u8(..4) {
            0 => changed.truncate(at),
            1 => drop(changed.drain(at..until)),
            2 => {
                let doubled = changed[at..until].to_vec();
                changed.splice(at..at, doubled);
            }
            _ => changed
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|byte| *byte = random.u8(..)),
        }
    }
    changed
}

#[test]
fn frames() {
    run("frames", inputs::frames);
}

#[test]
fn posted_bodies() {
    run("webhook", inputs::webhook);
}

#[test]
fn events() {
    run("events", inputs::events);
}

#[test]
fn presses_of_buttons() {
    run("cards", inputs::cards);
}

#[test]
fn what_a_model_may_write() {
    run("markdown", inputs::markdown);
}
