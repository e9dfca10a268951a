//! Everything is read, once, and within its budget.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::postmortem::{
    testing::{at, freeze, person, room},
    transcript::{Mark, MarkKind, Message},
};

fn chunked(transcript: &Transcript, chunk_tokens: usize) -> (Lines<'_>, Chunks) {
    let lines = Lines::new(transcript, &[]);
    let chunks = split(
        transcript,
        &lines,
        Budget {
            chunk_tokens,
            all_tokens: None,
        },
    );
    (lines, chunks)
}

#[test]
fn a_small_room_is_one_chunk() {
    let room = room(&[("14:00:00", "li", "slow"), ("14:01:00", "han", "looking")]);
    let (lines, chunks) = chunked(&room, 1000);
    assert_eq!(chunks.chunks.len(), 1);
    assert_eq!(
        lines.text(&chunks.chunks[0].pieces),
        "[m1] 2026-11-20 14:00:00 Li Lei: slow\n[m2] 14:01:00 Han Meimei: looking\n"
    );
}

#[test]
fn a_thread_stays_with_its_first_message_and_takes_it_along_when_torn() {
    let mut messages: Vec<Message> = (0..40)
        .map(|place| {
            let at = at("14:00:00") + SignedDuration::from_secs(place);
            Message::said(
                format!("om_{}", place + 1),
                at,
                &person("li"),
                "a message of about ten tokens or so",
            )
        })
        .collect();
    for place in [20, 30, 39] {
        messages[place].thread = Some(MessageId::new("om_2"));
    }
    let (_, chunks) = chunked(&freeze(messages), 600);
    let places: Vec<usize> = chunks.chunks[0]
        .pieces
        .iter()
        .map(|piece| piece.place)
        .collect();
    assert!(
        [1, 20, 30, 39].iter().all(|place| places.contains(place)),
        "{places:?}"
    );
    assert!(!chunks.chunks[1].before.is_empty());
}

proptest! {
    #[test]
    fn everything_is_read_once_within_the_budget_and_little_is_repeated(
        texts in prop::collection::vec("[a-z 结账慢]{0,200}", 1..60),
        threads in prop::collection::vec(prop::option::of(0_usize..20), 60),
        chunk_tokens in 200_usize..2000,
    ) {
        let messages = texts.iter().zip(&threads).enumerate().map(|(place, (text, thread))| {
            let at = at("14:00:00") + SignedDuration::from_secs(place as i64);
            let mut message = Message::said(format!("om_{}", place + 1), at, &person("li"), text);
            message.thread = thread.filter(|root| *root < place).map(|root| MessageId::new(format!("om_{}", root + 1)));
            message
        });
        let room = freeze(messages.collect());
        let (lines, chunks) = chunked(&room, chunk_tokens);
        let mut read: Vec<(usize, Range<usize>)> = Vec::new();
        for chunk in &chunks.chunks {
            prop_assert!(chunk.tokens <= chunk_tokens, "{} of {chunk_tokens}", chunk.tokens);
            read.extend(chunk.pieces.iter().map(|piece| (piece.place, piece.range.clone())));
        }
        read.sort_by_key(|(place, range)| (*place, range.start));
        let mut text = String::new();
        for (place, range) in read {
            text.push_str(&lines.line(place)[range]);
        }
        prop_assert_eq!(text, (0..room.messages.len()).map(|place| lines.line(place)).collect::<String>());
        prop_assert!(chunks.tokens() * 10 <= chunks.transcript_tokens * 13 + 10);
    }
}

#[test]
fn where_not_all_may_be_read_what_matters_is() {
    let mut messages: Vec<Message> = (0..300)
        .map(|place| {
            let at = at("08:00:00") + SignedDuration::from_mins(place);
            Message::said(
                format!("om_{}", place + 1),
                at,
                &person("li"),
                "nothing much to say here",
            )
        })
        .collect();
    messages[150].marks.push(Mark {
        kind: MarkKind::Mitigated,
        by: None,
    });
    messages[160].text = "rolled back payment-gw".to_owned();
    let room = freeze(messages);
    let lines = Lines::new(&room, &[]);
    let budget = Budget {
        chunk_tokens: 1000,
        all_tokens: Some(3000),
    };
    let chunks = split(&room, &lines, budget);
    let read: Vec<usize> = chunks
        .chunks
        .iter()
        .flat_map(|chunk| &chunk.pieces)
        .map(|piece| piece.place)
        .collect();
    assert!(!chunks.left_out.is_empty() && chunks.tokens() <= 3300);
    assert!(read.contains(&150) && read.contains(&160));
    assert!(
        (240..300).all(|place| read.contains(&place)),
        "the last hour"
    );
    assert!(chunks.left_out.iter().all(|place| !read.contains(place)));
}

#[test]
fn lines_of_one_alert_are_told_once() {
    let mut room = room(&[
        ("14:00:00", "bot", "x"),
        ("14:01:00", "bot", "x"),
        ("14:02:00", "li", "hm"),
    ]);
    for place in 0..2 {
        room.messages[place].alert = Some(crate::postmortem::transcript::AlertLine {
            title: "latency".into(),
            firing: true,
        });
    }
    let facts = crate::postmortem::facts::Facts::compute(
        &room,
        &crate::postmortem::testing::Story::opened().records(),
    );
    let lines = Lines::new(&room, &facts.alerts);
    assert!(
        lines
            .line(0)
            .contains("alert: latency (fired 2, recovered 0"),
        "{}",
        lines.line(0)
    );
    assert_eq!(lines.line(1), "");
}
