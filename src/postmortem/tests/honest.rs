//! A model that tells the truth in its own words: nothing of it is dropped, marked or taken out.

use super::*;

async fn written(
    talk: &Transcript,
    language: Language,
    found: &[Value],
    sections: &[&str],
) -> Draft {
    let records = records();
    let template = match language {
        Language::En => "## Summary\n## Impact\n## Root Cause\n## Lessons Learned",
        Language::Zh => "## 概要\n## 影响\n## 根因\n## 经验教训",
    };
    let template = Template::parse("t", template).unwrap();
    let mut replies = vec![events(found)];
    replies.extend(sections.iter().map(|section| Reply::says(&[*section])));
    let server = FakeModel::start(replies).await;
    let model = model(&server, server.config());
    let mut order = order(talk, &records, &template, Some(&model));
    order.language = language;
    let draft = draft(&order, &NothingKept, &|_| {}).await.unwrap();
    assert_eq!(
        server.requests().len(),
        1 + sections.len(),
        "nothing was sent back: {:#?}",
        draft.checks
    );
    draft
}

fn nothing_is_wrong(draft: &Draft) {
    assert_eq!(draft.events.dropped, Vec::<Vec<String>>::new());
    assert_eq!(draft.checks.removed, []);
    let lines = draft
        .document
        .sections
        .iter()
        .flat_map(|section| &section.lines);
    let marked: Vec<&Line> = lines.filter(|line| line.is_unverified).collect();
    assert!(marked.is_empty(), "{marked:#?}");
}

#[tokio::test]
async fn an_honest_draft_in_english_has_no_line_marked() {
    let talk = room(&[
        (
            "14:05:00",
            "li",
            "payment-gw times out since 13:52, maybe the pool is exhausted",
        ),
        ("14:06:00", "han", "I'm on it"),
        (
            "14:12:00",
            "han",
            "Redis is not the cause, its latency is flat",
        ),
        ("14:20:10", "han", "rolled back payment-gw to 1.8.2"),
        (
            "14:21:00",
            "li",
            "about 1,200 orders failed, customers in the EU only",
        ),
        (
            "14:30:00",
            "li",
            "The root cause was the pool size of payment-gw, we set it to 5",
        ),
        ("14:35:00", "li", "all clear, checkout is back to normal"),
        (
            "14:40:00",
            "wang",
            "we had no alert for the pool, lesson learned",
        ),
    ]);
    let found = [
        item(
            "observation",
            "payment-gw has timed out since 13:52",
            &["m1"],
        ),
        item("acknowledgement", "Han Meimei took it", &["m2"]),
        item(
            "ruled_out",
            "Redis was ruled out, since its latency was flat",
            &["m3"],
        ),
        item("mitigation", "payment-gw was reverted to 1.8.2", &["m4"]),
        item(
            "impact",
            "About 1,200 orders of EU customers failed",
            &["m5"],
        ),
        item(
            "cause",
            "The pool size of payment-gw had been set to 5",
            &["m6"],
        ),
        item("resolution", "Checkout recovered", &["m7"]),
        item("lesson", "There was no alert on the pool", &["m8"]),
    ];
    let sections = [
        "payment-gw timed out from 13:52 on [m1]\nHan Meimei acknowledged it and reverted payment-gw to 1.8.2 [m2][m4]\nCheckout returned to normal [m7]",
        "- Roughly 1,200 orders failed [m5]\n- Only customers in the EU were affected [m5]",
        "- The root cause was the pool size of payment-gw, which had been set to 5 [m6]\n- Redis was ruled out as a cause [m3]",
        "- The pool had no alert [m8]",
    ];
    nothing_is_wrong(&written(&talk, Language::En, &found, &sections).await);
}

#[tokio::test]
async fn an_honest_draft_in_chinese_has_no_line_marked_whatever_the_room_speaks() {
    let talk = room(&[
        (
            "14:05:00",
            "li",
            "payment-gw 从 13:52 开始超时，怀疑连接池打满了",
        ),
        ("14:06:00", "han", "我来看"),
        (
            "14:12:00",
            "han",
            "Redis is not the cause, its latency is flat",
        ),
        ("14:20:10", "han", "把 payment-gw 回滚到 1.8.2 了"),
        ("14:21:00", "li", "大概 1200 笔订单失败了"),
        (
            "14:30:00",
            "li",
            "根因是 payment-gw 的连接池配置太小，只有 5",
        ),
        ("14:35:00", "li", "all clear, checkout is back to normal"),
        ("14:40:00", "wang", "教训：连接池没有告警"),
    ]);
    let found = [
        item("observation", "payment-gw 自 13:52 起超时", &["m1"]),
        item("acknowledgement", "Han Meimei 认领了故障", &["m2"]),
        item("ruled_out", "Redis 延迟平稳，已排除", &["m3"]),
        item("mitigation", "payment-gw 已回滚至 1.8.2", &["m4"]),
        item("impact", "约 1200 笔订单失败", &["m5"]),
        item("cause", "根因是 payment-gw 连接池配置过小，仅为 5", &["m6"]),
        item("resolution", "服务恢复正常", &["m7"]),
        item("lesson", "连接池缺少告警", &["m8"]),
    ];
    let sections = [
        "payment-gw 自 13:52 起出现超时 [m1]\nHan Meimei 认领后将 payment-gw 回滚至 1.8.2 [m2][m4]\n随后服务恢复正常 [m7]",
        "- 约 1200 笔订单失败 [m5]",
        "- 根因是 payment-gw 连接池配置过小，仅为 5 [m6]\n- Redis 已被排除 [m3]",
        "- 连接池没有配置告警 [m8]",
    ];
    nothing_is_wrong(&written(&talk, Language::Zh, &found, &sections).await);
}
