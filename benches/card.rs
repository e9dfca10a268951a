//! How long it takes to make an answer's card and write it as JSON.

use std::time::Duration;

use nightjar::{
    bot::card::{
        AnswerCard,
        answer::{AnswerState, Footer, Step, StepState},
    },
    config::Language,
};

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 10, 20])]
fn encode_kb(bencher: divan::Bencher<'_, '_>, size_kb: usize) {
    let line = "- the pool of `checkout` is full; p99 is **2 s**，连接池用尽\n";
    let text = line.repeat(size_kb * 1024 / line.len() + 1);
    let steps = [Step {
        title: "read the clock".into(),
        state: StepState::Done,
        took: Some(Duration::from_millis(3)),
    }];
    let card = AnswerCard {
        language: Language::En,
        state: AnswerState::Done,
        steps: &steps,
        text: &text,
        footer: Footer {
            model: Some("gpt-4.1-mini"),
            took: Some(Duration::from_secs(4)),
            note: None,
        },
        continues: false,
        stop: None,
        silent: None,
    };
    bencher.bench(|| divan::black_box(card).render().to_string());
}
