//! A transcript survives its file, and what is no transcript is refused with its line.

use super::*;
use crate::postmortem::{
    chunks::{Budget, Lines, split},
    facts::{Facts, MetricName},
    phrases,
    testing::{Story, at, freeze, person},
};

const SMALL: &str = r#"{"nightjar_transcript":1,"room":{"id":"oc_1"},"time_zone":"Asia/Shanghai","frozen_at":"2026-11-20T09:00:00Z","people":[{"id":"ou_1","name":"Li Lei"}]}
{"id":"om_1","at":"2026-11-20T08:00:00Z","author":"ou_1","text":"checkout is slow"}
{"id":"om_2","at":"2026-11-20T08:00:01Z","author":"ou_1","marks":[{"mark":"mitigated"}],"text":"rolled back"}
"#;

fn check_refused(text: &str, expected: &str) {
    let error = Transcript::from_ndjson(text).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_transcript_survives_its_file() {
    let read = Transcript::from_ndjson(SMALL).unwrap();
    assert_eq!(read.messages.len(), 2);
    assert!(read.messages[1].is_marked() && !read.messages[0].is_marked());
    let again = Transcript::from_ndjson(&read.to_ndjson()).unwrap();
    assert_eq!(again, read);
    assert_eq!(read.alias(&MessageId::new("om_2")).as_deref(), Some("m2"));
    assert_eq!(read.by_alias("m2").unwrap().id, MessageId::new("om_2"));
    assert!(read.by_alias("m0").is_none() && read.by_alias("m3").is_none());
}

#[test]
fn what_is_no_transcript_is_refused_with_its_line() {
    check_refused("", "line 1: the file is empty");
    check_refused("hello", "line 1: ");
    check_refused(&SMALL.replace("pt\":1", "pt\":9"), "version 9");
    check_refused(
        &SMALL.replace("Asia/Shanghai", "Mars/Base"),
        "`Mars/Base` is not a time zone",
    );
    check_refused(
        &SMALL.replace("om_2", "om_1"),
        "line 3: the message `om_1` is there twice",
    );
    check_refused(
        &SMALL.replace("08:00:01", "07:00:01"),
        "line 3: the message is older",
    );
    check_refused(
        &SMALL.replace(
            "\"author\":\"ou_1\",\"text\"",
            "\"author\":\"ou_2\",\"text\"",
        ),
        "line 2: the author `ou_2`",
    );
    check_refused(
        &SMALL.replace("mitigated", "finished"),
        "line 3: marks[0].mark",
    );
    check_refused(&SMALL.replace("\"text\"", "\"txt\""), "line 2: txt");
}

#[test]
fn a_file_that_was_changed_or_cut_is_refused() {
    let file = Transcript::from_ndjson(SMALL).unwrap().to_ndjson();
    check_refused(
        &file.replace("rolled back", "restarted"),
        "the hash does not agree",
    );
    let cut = file.lines().take(2).collect::<Vec<_>>().join("\n");
    check_refused(&cut, "2 messages should follow, 1 do");
}

#[test]
fn what_was_taken_back_is_no_evidence() {
    let mut message = Message::said(
        "om_1",
        Timestamp::UNIX_EPOCH,
        &PersonId("ou_1".into()),
        "secret",
    );
    message.attachments.push(Attachment {
        name: "cpu.png".into(),
        is_image: true,
        description: Some("CPU at 97 %".into()),
    });
    assert_eq!(
        message.evidence(),
        "secret\n(image cpu.png, as a model sees it: CPU at 97 %)"
    );
    message.recalled_at = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(message.evidence(), "");
}

#[test]
fn an_image_that_nobody_looked_at_is_counted_but_for_asides_and_what_was_taken_back() {
    let mut message = said("14:00:00", "li", "look");
    let image = |description: Option<&str>| Attachment {
        name: "cpu.png".into(),
        is_image: true,
        description: description.map(str::to_owned),
    };
    message.attachments = vec![image(None), image(Some("flat"))];
    assert_eq!(message.images_not_seen(), 1);
    message.aside = Some(Aside::Command);
    assert_eq!(message.images_not_seen(), 0);
}

fn said(time: &str, author: &str, text: &str) -> Message {
    Message::said(format!("om_{time}"), at(time), &person(author), text)
}

#[test]
fn an_aside_is_kept_and_neither_named_read_counted_nor_cited() {
    let mut command = said(
        "14:01:00",
        "han",
        "@Nightjar /ack the root cause is the cache",
    );
    command.aside = Some(Aside::Command);
    command.pinned = true;
    let mut notice = said("14:01:01", "bot", "Han Meimei took it");
    notice.aside = Some(Aside::Notice);
    notice.unreadable = Some("card".into());
    let talk = freeze(vec![
        command,
        notice,
        said("14:02:00", "li", "rolled back"),
        said("14:03:00", "wang", "back to normal"),
    ]);
    assert_eq!(talk.alias(&MessageId::new("om_14:01:00")), None);
    let first = talk.by_alias("m1").unwrap();
    assert_eq!(first.text, "rolled back");
    assert_eq!(talk.alias(&first.id).as_deref(), Some("m1"));
    assert!(talk.by_alias("m3").is_none());

    let facts = Facts::compute(&talk, &Story::opened().records());
    assert!(facts.marked.is_empty() && facts.missing.is_empty());
    let messages = facts.participants.iter().map(|one| one.messages);
    assert_eq!(messages.sum::<usize>(), 2);
    assert_eq!(facts.metric(MetricName::Messages), Some(2));
    assert_eq!(facts.at(Milestone::FirstResponder), Some(at("14:02:00")));

    let lines = Lines::new(&talk, &facts.alerts);
    let budget = Budget {
        chunk_tokens: 1000,
        all_tokens: None,
    };
    let chunks = split(&talk, &lines, budget).chunks;
    let read: String = chunks
        .iter()
        .map(|chunk| lines.text(&chunk.pieces))
        .collect();
    assert!(
        read.starts_with("[m1] 2026-11-20 14:02:00 Li Lei: rolled back"),
        "{read}"
    );
    assert!(
        !read.contains("cache") && !read.contains("took it"),
        "{read}"
    );
    let by_phrase = talk
        .messages
        .iter()
        .flat_map(|one| phrases::extract(one, &talk));
    assert!(
        by_phrase
            .flat_map(|event| event.message_ids)
            .all(|id| talk.alias(&id).is_some())
    );
    assert_eq!(Transcript::from_ndjson(&talk.to_ndjson()).unwrap(), talk);
}

#[test]
fn a_mark_that_nobody_knows_still_says_that_it_matters() {
    assert_eq!(MarkKind::from_word("Impact start"), MarkKind::ImpactStart);
    assert_eq!(MarkKind::from_word("action"), MarkKind::ActionItem);
    assert_eq!(MarkKind::from_word("已缓解"), MarkKind::Mitigated);
    assert_eq!(MarkKind::from_word("📌"), MarkKind::Important);
}
