//! A transcript survives its file, and what is no transcript is refused with its line.

use super::*;

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
    assert_eq!(message.evidence(), "secret\ncpu.png\nCPU at 97 %");
    message.recalled_at = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(message.evidence(), "");
}

#[test]
fn a_mark_that_nobody_knows_still_says_that_it_matters() {
    assert_eq!(MarkKind::from_word("Impact start"), MarkKind::ImpactStart);
    assert_eq!(MarkKind::from_word("action"), MarkKind::ActionItem);
    assert_eq!(MarkKind::from_word("已缓解"), MarkKind::Mitigated);
    assert_eq!(MarkKind::from_word("📌"), MarkKind::Important);
}
