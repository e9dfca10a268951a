//! Versions and templates of a report: an older version is seen and restored, a team's own template is used.

use insta::assert_snapshot;
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    postmortem_room::{Room, TALK},
    world::{Seen, World},
};

/// What is said in the room, where that does not matter.
const SHORT: &[(&str, &str)] = &[
    ("lei", "Orders fail with HTTP 502"),
    ("mei", "rolled back to v2.3.0"),
];

/// A card's text without what is another at each time.
fn steady(seen: &Seen) -> String {
    let times = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    times.replace_all(&seen.text, "(time)").into_owned()
}

/// What stands in the newest file of the room, and its name.
async fn file(world: &World, room: &Room, count: usize) -> (String, String) {
    let files = room.files(world, count).await;
    let content: Value =
        serde_json::from_str(files[count - 1]["content"].as_str().unwrap()).unwrap();
    let key = content["file_key"].as_str().unwrap();
    let answer = reqwest::get(world.sandbox_url(&format!("/sandbox/files/{key}"))).await;
    let text = answer.unwrap().text().await.unwrap();
    (files[count - 1]["text"].as_str().unwrap().to_owned(), text)
}

/// Chooses a section in the menu of a card.
async fn chooses(world: &World, room: &Room, card: &Seen, place: &str) -> String {
    let used = json!({
        "message_id": card.message_id, "operator": room.lei, "component": "sections", "option": place,
    });
    let shown = world.post("/sandbox/clicks", used).await;
    assert_eq!(shown["client_error"], Value::Null, "{shown}");
    shown["toast"]["content"].as_str().unwrap().to_owned()
}

/// The headings of a card, in their order. A label within a section stands alone between empty lines.
fn headings(card: &Seen) -> Vec<&str> {
    let all: Vec<&str> = card.text.lines().collect();
    let is_label = |place: usize| all.get(place + 1).is_some_and(|next| next.is_empty());
    let lines = all
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_label(*place));
    let lines = lines
        .map(|(_, line)| *line)
        .filter(|line| line.starts_with("**"));
    let lines = lines.filter(|line| !line.starts_with("**Draft") && !line.starts_with("**草稿"));
    lines.collect()
}

#[tokio::test]
async fn older_versions_are_listed_shown_and_restored_by_a_second_word() {
    let world = World::start().await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    let none = room.asks(&world, "/postmortem versions").await;
    world.showing(&none, "There is no post-mortem").await;
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "Draft").await;
    room.presses_edit(&world, &card, 3, "- One in three orders failed. [m1]")
        .await;
    let card = room.says(&world, "**Draft**, version 2").await;
    world.presses(&room.lei, &card, "Correct a time…").await;
    let form = room.says(&world, "[Send]").await;
    let set = json!({ "moment": "impact_start", "time": "2026-01-02 03:04" });
    world.fills_in(&room.mei, &form, set).await;
    let card = room.says(&world, "Impact start: 2026-01-02 03:04:00").await;
    world.presses(&room.lei, &card, "New draft").await;
    let card = room.says(&world, "**Draft**, version 4").await;

    let listed = room.asks(&world, "/postmortem versions").await;
    let listed = world.showing(&listed, "**4**").await;
    assert_snapshot!(steady(&listed), @r"
    - **4** · (time) · Li Lei · draft · checks: 23 passed, 0 to look at, 0 failed
    - **3** · (time) · Han Meimei · time set: impact start · checks: 23 passed, 0 to look at, 0 failed
    - **2** · (time) · Li Lei · section edited: Impact · checks: 23 passed, 0 to look at, 0 failed
    - **1** · (time) · Li Lei · draft · checks: 23 passed, 0 to look at, 0 failed

    `/postmortem show 2` sends the file of version 2; `/postmortem restore 2` has it back.
    ");

    // The file of the first version, and what has become of each of its sections.
    let shown = room.asks(&world, "/postmortem show 1").await;
    let shown = world.showing(&shown, "the newest").await;
    assert_snapshot!(steady(&shown), @r"
    - **1** · (time) · Li Lei · draft · checks: 23 passed, 0 to look at, 0 failed

    In version 4, the newest:

    - **Key facts**: changed by Han Meimei (version 3)
    - **Summary**: unchanged
    - **Root Cause**: unchanged
    - **Impact**: changed by Li Lei (version 2)
    - **Timeline**: unchanged
    - **Corrective Actions**: unchanged
    - **Lessons Learned**: unchanged
    ");
    // Two drafts sent a file each, and this is the third.
    let (name, text) = file(&world, &room, 3).await;
    assert!(name.contains("postmortem-1-v1.md"), "{name}");
    assert!(!text.contains("One in three"), "{text}");
    assert!(
        text.contains("Orders fail with HTTP 502 since 14:02"),
        "{text}"
    );
    let refused = room.asks(&world, "/postmortem show 9").await;
    world.showing(&refused, "There is no version 9").await;

    // Two people ask for different versions: the second word of the slower one does not hold any more.
    room.asks(&world, "/postmortem restore 1").await;
    let first = room.says(&world, "Restore version 1 of").await;
    assert_snapshot!(first.text, @r"
    Restore version 1 of the post-mortem of #1?
    It becomes the newest version; version 4 is kept. These sections are not the same: Key facts, Impact.
    [Restore version 1]
    ");
    room.asks(&world, "/postmortem restore 2").await;
    let second = room.says(&world, "Restore version 2 of").await;
    let told = world.presses(&room.lei, &first, "Restore version 1").await;
    assert_eq!(told, "Version 1 is back, as version 5.");
    let restored = room.says(&world, "**Draft**, version 5").await;
    assert_eq!(restored.message_id, card.message_id);
    assert!(!restored.text.contains("One in three"), "{}", restored.text);
    assert!(
        restored.text.contains("Impact start: unknown"),
        "moments come back as well: {}",
        restored.text
    );
    let told = world.presses(&room.mei, &second, "Restore version 2").await;
    assert!(
        told.starts_with("The report was changed meanwhile"),
        "{told}"
    );

    // What a person wrote in that version is a person's again.
    room.asks(&world, "/postmortem restore 2").await;
    let again = world
        .until("the question stands there once more", async || {
            let all = world.messages(Some(&room.chat)).await;
            let newest = all
                .into_iter()
                .rev()
                .find(|one| one.text.contains("Restore version 2 of"));
            newest.filter(|one| one.message_id != second.message_id)
        })
        .await;
    world.presses(&room.mei, &again, "Restore version 2").await;
    let restored = room.says(&world, "**Draft**, version 6").await;
    assert!(
        restored.text.contains("**Impact** · by a person"),
        "{}",
        restored.text
    );
    assert!(restored.text.contains("One in three"), "{}", restored.text);
    let timeline = room.asks(&world, "/timeline").await;
    world
        .showing(
            &timeline,
            "restored version 2 of the post-mortem (as version 6)",
        )
        .await;
    world.presses(&room.lei, &restored, "Publish").await;
    room.says(&world, "**Published** by Li Lei").await;
    let listed = room.asks(&world, "/postmortem versions").await;
    let listed = world.showing(&listed, "**6**").await;
    assert!(
        listed.text.contains("version 2 restored"),
        "{}",
        listed.text
    );
    assert!(listed.text.contains("**published**"), "{}", listed.text);
    let refused = room.asks(&world, "/postmortem restore 1").await;
    world
        .showing(&refused, "is published. Reopen it first")
        .await;
    world.finish().await;
}

/// A folder with templates, and the configuration that names it.
fn templates(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let settings = format!(
        "[postmortem]\nmodel = \"none\"\ntemplates = {:?}\n",
        folder.path()
    );
    (folder, settings)
}

#[tokio::test]
async fn a_teams_own_template_is_asked_for_by_its_name_and_stays_until_it_is_gone() {
    let (folder, settings) = templates(&[
        (
            "team.en.md",
            "## What happened\n> In short.\n## Customers\n> Who noticed?\n## Follow-up actions",
        ),
        ("team.zh.md", "## 概述\n## 客户"),
        ("broken.md", "nothing"),
    ]);
    let world = World::start_with(&settings).await;
    let room = Room::open(&world, "checkout is slow", SHORT, "What is known").await;
    let listed = room.asks(&world, "/postmortem templates").await;
    let listed = world.showing(&listed, "team").await;
    assert_snapshot!(listed.text, @"
    - **default** (unless another is asked for): Summary · Root Cause · Impact · Timeline · Corrective Actions · Lessons Learned
    - **full**: Summary · Impact · Detection · Trigger · Contributing Factors and Root Cause · Hypotheses Ruled Out · Response · Communication · Mitigation and Recovery · Timeline · What Went Well, What Went Badly, Where We Were Lucky · Action Items · Lessons Learned · Open Questions · For People Outside · Appendix
    - **broken**: The template cannot be read: broken.md: there is no heading: a section begins with `## `.
    - **team**: What happened · Customers · Follow-up actions

    `/postmortem template NAME` drafts with one of them.
    ");
    for (name, told) in [
        (
            "broken",
            "The template cannot be read: broken.md: there is no heading",
        ),
        (
            "../team",
            "There is no such template. There are: default, full, broken, team.",
        ),
        ("team.en", "There is no such template."),
    ] {
        let asked = room
            .asks(&world, &format!("/postmortem template {name}"))
            .await;
        world.showing(&asked, told).await;
    }
    room.asks(&world, "/postmortem template team").await;
    let card = room.says(&world, "Draft").await;
    assert_snapshot!(headings(&card).join("\n"), @"
    **What happened**
    **Key facts**
    **Customers**
    **Follow-up actions**
    **About this draft**
    **Action items**: 0
    **Checks**: 23 passed, 0 to look at, 0 failed
    ");

    // A draft without a name keeps it; what a person wrote stays also where another one has no such heading.
    room.presses_edit(&world, &card, 2, "- Our two largest shops noticed. [m1]")
        .await;
    let card = room.says(&world, "**Draft**, version 2").await;
    world.presses(&room.lei, &card, "New draft").await;
    let card = room.says(&world, "**Draft**, version 3").await;
    assert!(
        headings(&card).contains(&"**Customers** · by a person"),
        "{}",
        card.text
    );
    room.asks(&world, "/postmortem template default").await;
    let card = room.says(&world, "**Draft**, version 4").await;
    assert_snapshot!(headings(&card).join("\n"), @"
    **Summary**
    **Key facts**
    **Root Cause**
    **Impact**
    **Timeline**
    **Corrective Actions**
    **Lessons Learned**
    **Customers** · by a person
    **About this draft**
    **Action items**: 0
    **Checks**: 23 passed, 0 to look at, 0 failed
    ");
    assert!(
        card.text.contains("Our two largest shops noticed. [m1]"),
        "{}",
        card.text
    );

    room.asks(&world, "/postmortem template team").await;
    room.says(&world, "**Draft**, version 5").await;
    for name in ["team.en.md", "team.zh.md"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "**Draft**, version 6").await;
    let told = "The template team is not there any more, so default was used instead.";
    assert!(card.text.contains(told), "{}", card.text);
    assert!(
        card.text.contains("Our two largest shops noticed. [m1]"),
        "{}",
        card.text
    );
    world.finish().await;
}

#[tokio::test]
async fn a_chinese_report_has_the_chinese_headings_of_the_template() {
    let (_folder, settings) = templates(&[
        ("team.en.md", "## What happened"),
        ("team.zh.md", "## 概述\n## 客户\n## 改进措施"),
    ]);
    let settings = format!("{settings}template = \"team\"\n[conversation]\nlanguage = \"zh\"");
    let world = World::start_with(&settings).await;
    let talk = [("lei", "下单失败，报 502"), ("mei", "已回滚到 v2.3.0")];
    let room = Room::open(&world, "下单变慢", &talk, "**未知**").await;
    let listed = room.asks(&world, "/复盘 模板").await;
    let listed = world.showing(&listed, "team").await;
    assert!(
        listed
            .text
            .contains("**team**（默认）: 概述 · 客户 · 改进措施"),
        "{}",
        listed.text
    );
    room.asks(&world, "/复盘").await;
    let card = room.says(&world, "草稿").await;
    assert_snapshot!(headings(&card).join("\n"), @"
    **概述**
    **关键数据**
    **客户**
    **改进措施**
    **关于本草稿**
    **行动项**：0
    **核对**：通过 23，需留意 0，未通过 0
    ");
    room.asks(&world, "/复盘 模板 full").await;
    room.says(&world, "第 2 版").await;
    let listed = room.asks(&world, "/复盘 版本").await;
    let listed = world.showing(&listed, "**2**").await;
    assert_snapshot!(steady(&listed), @"
    - **2** · (time) · Li Lei · 起草 · 核对：通过 23，需留意 0，未通过 0
    - **1** · (time) · Li Lei · 起草 · 核对：通过 23，需留意 0，未通过 0

    发送 `/复盘 查看 2` 获取第 2 版的文件，`/复盘 恢复 2` 恢复第 2 版。
    ");
    let shown = room.asks(&world, "/复盘 查看 1").await;
    world.showing(&shown, "与最新的第 2 版相比").await;
    room.asks(&world, "/复盘 恢复 1").await;
    let question = room.says(&world, "恢复故障 #1 复盘报告的第 1 版").await;
    world.presses(&room.lei, &question, "恢复第 1 版").await;
    let card = room.says(&world, "**草稿**，第 3 版").await;
    assert!(headings(&card).contains(&"**客户**"), "{}", card.text);
    world.finish().await;
}

#[tokio::test]
async fn all_sections_of_the_full_template_can_be_edited_locked_and_written_anew_by_a_menu() {
    let world = World::start_with("[postmortem]\ntemplate = \"full\"").await;
    let room = Room::open(&world, "checkout is slow", TALK, "What is known").await;
    room.asks(&world, "/postmortem").await;
    let card = room.says(&world, "Draft").await;
    let labels = card.card.as_ref().unwrap().labels();
    assert_eq!(
        labels,
        ["Correct a time…", "Action items…", "Publish", "New draft"]
    );
    // Key facts, the sixteen of the template, and what is to be known of the draft.
    let count = 18;

    // Every section of people's opens a form.
    for place in 1..count - 1 {
        let told = chooses(&world, &room, &card, &place.to_string()).await;
        assert_eq!(told, "Write it into the form below.");
    }
    let forms = world
        .until("every section has its form", async || {
            let all = world.messages(Some(&room.chat)).await;
            let forms = all.into_iter().filter(|one| one.text.contains("[Send]"));
            let forms: Vec<Seen> = forms.collect();
            (forms.len() == count - 2).then_some(forms)
        })
        .await;
    let form = forms
        .iter()
        .find(|form| form.text.contains("· Impact"))
        .unwrap();
    assert_eq!(
        form.card.as_ref().unwrap().labels(),
        ["Send", "Lock", "Write anew…"]
    );

    let told = world.presses(&room.lei, form, "Lock").await;
    assert_eq!(
        told,
        "\"Impact\" is locked: a new draft leaves it as it is."
    );
    let card = room.says(&world, "**Impact** · locked").await;
    let said = world.message(&form.message_id).await;
    assert!(
        said.text.contains("is locked"),
        "the form is over: {}",
        said.text
    );

    // A line that is too long for the form stays as it is.
    let last = count - 2;
    chooses(&world, &room, &card, &last.to_string()).await;
    let newest = async |text: &str| {
        world
            .until("a form stands below", async || {
                let all = world.messages(Some(&room.chat)).await;
                let newest = all
                    .into_iter()
                    .rev()
                    .find(|one| one.text.contains("[Send]"));
                newest.filter(|one| one.text.contains(text))
            })
            .await
    };
    let form = newest("[Send]").await;
    let long = format!("- {}", "long ".repeat(195));
    let words = json!({ "words0": "- First. [m1]", "words1": long });
    world.fills_in(&room.lei, &form, words).await;
    let card = room.says(&world, "**Draft**, version 2").await;
    chooses(&world, &room, &card, &last.to_string()).await;
    let form = newest("Its last lines have no room here and stay as they are: 1").await;
    world
        .fills_in(&room.lei, &form, json!({ "words0": "- Second. [m1]" }))
        .await;
    let card = room.says(&world, "**Draft**, version 3").await;
    assert!(card.text.contains("Second. [m1]"), "{}", card.text);
    assert!(card.text.contains("long long long"), "{}", card.text);
    assert!(!card.text.contains("First. [m1]"), "{}", card.text);
    world.finish().await;
}

#[tokio::test]
async fn so_many_drafts_begin_in_a_minute_also_over_a_restart() {
    // Three and not five, so that a slow machine has begun them all within the minute.
    let settings = "[postmortem]\nmodel = \"none\"\nper_minute = 3";
    let mut world = World::start_with(settings).await;
    let room = Room::open(&world, "checkout is slow", SHORT, "What is known").await;
    for version in 1..=3 {
        room.asks(&world, "/postmortem").await;
        room.says(&world, &format!("**Draft**, version {version}"))
            .await;
    }
    let refused = room.asks(&world, "/postmortem").await;
    world.showing(&refused, "Many drafts were begun").await;
    world.stop_bot().await.unwrap();
    world.start_bot().await;
    let refused = room.asks(&world, "/postmortem").await;
    world.showing(&refused, "Many drafts were begun").await;
    world.finish().await;
}
