//! The cards of action items as people see them, and that they fit.

use insta::assert_snapshot;

use super::*;
use crate::{
    bot::card::{CARD_BYTES_MAX, size_bytes},
    feishu::OpenId,
    incident::PersonId,
    postmortem::{
        actions::{ActionItem, ActionState, Due, Owner},
        transcript::MessageId,
    },
};

fn item(text: &str, state: ActionState) -> ActionItem {
    ActionItem {
        state,
        message_ids: vec![MessageId::new("om_1")],
        ..ActionItem::added(text, PersonId("ou_li".into()))
    }
}

fn owned(text: &str) -> ActionItem {
    ActionItem {
        owner: Some(Owner {
            id: PersonId("ou_li".into()),
            name: "Li <Lei>".into(),
        }),
        due: Some(Due::Day(jiff::civil::date(2026, 12, 1))),
        ..item(text, ActionState::Accepted)
    }
}

fn view(item: ActionItem) -> ItemView {
    let button = || Some(json!("x".repeat(250)));
    ItemView {
        quote: Some("Han Meimei: TODO [m8]".into()),
        plan: button(),
        decline: item.is_open().then(button).flatten(),
        finish: item.is_open().then(button).flatten(),
        item,
    }
}

fn list(items: Vec<ItemView>, language: Language) -> ListCard<'static> {
    ListCard {
        number: 42,
        title: "checkout is slow",
        language,
        items,
        is_published: false,
        is_section_of_people: true,
        add: Some(json!("a")),
    }
}

/// What people read of a card, and what stands on its buttons.
fn read(card: &Value) -> String {
    let mut lines = Vec::new();
    collect(card, &mut lines);
    lines.join("\n")
}

fn collect(node: &Value, lines: &mut Vec<String>) {
    match node {
        Value::Array(all) => all.iter().for_each(|one| collect(one, lines)),
        Value::Object(members) => {
            if let Some(text) = node["content"].as_str() {
                lines.push(text.to_owned());
            }
            if node["tag"] == "button" {
                let label = node["text"]["content"].as_str().unwrap();
                return lines.push(format!("[{label}]"));
            }
            let parts = ["header", "title", "body", "elements", "columns"];
            let parts = parts.iter().filter_map(|name| members.get(*name));
            parts.for_each(|part| collect(part, lines));
        }
        _ => {}
    }
}

fn some() -> Vec<ItemView> {
    let declined = ActionState::Declined {
        reason: "too dear".into(),
    };
    let said = ActionItem {
        set_by: None,
        due: Some(Due::Told("by Friday".into())),
        ..item("write a *runbook*", ActionState::Proposed)
    };
    let alone = ActionItem {
        message_ids: Vec::new(),
        ..owned("call the vendor")
    };
    let mut alone = view(alone);
    alone.quote = None;
    vec![
        view(item("buy a mainframe", declined)),
        view(said),
        alone,
        view(item("raise the limit", ActionState::Done)),
    ]
}

#[test]
fn what_is_open_stands_first_with_its_buttons() {
    assert_snapshot!(read(&list(some(), Language::En).render()), @r"
    Action items of #42 · checkout is slow
    <font color='grey'>A person wrote or locked this section of the report, so it stays as they left it. This list follows what you decide here.</font>
    ☐ **write a &#42;runbook&#42;**
    <font color='grey'>no owner · due: by Friday · proposed by the draft</font>
    <font color='grey'>Han Meimei: TODO [m8]</font>
    [Owner and date…]
    [Decline…]
    [Done]
    ☐ **call the vendor**
    <font color='grey'>owner: Li &#60;Lei> · due: 2026-12-01 · to be done</font>
    <font color='grey'>added by a person</font>
    [Owner and date…]
    [Decline…]
    [Done]
    ~~buy a mainframe~~
    <font color='grey'>decided not to do: too dear</font>
    <font color='grey'>Han Meimei: TODO [m8]</font>
    [Owner and date…]
    ☑ raise the limit
    <font color='grey'>no owner · no date · done</font>
    <font color='grey'>Han Meimei: TODO [m8]</font>
    [Owner and date…]
    [Add…]
    ");
}

#[test]
fn the_list_of_a_published_report_in_chinese() {
    let mut card = list(some(), Language::Zh);
    card.is_published = true;
    card.add = None;
    for view in &mut card.items {
        view.plan = None;
        view.decline = None;
    }
    assert_snapshot!(read(&card.render()), @r"
    故障 #42 行动项 · checkout is slow
    <font color='grey'>报告已发布。标记完成不改动报告内容，其他修改需先重新打开报告。</font>
    ☐ **write a &#42;runbook&#42;**
    <font color='grey'>无负责人 · 期限：by Friday · 草稿提出，待确认</font>
    <font color='grey'>Han Meimei: TODO [m8]</font>
    [完成]
    ☐ **call the vendor**
    <font color='grey'>负责人：Li &#60;Lei> · 期限：2026-12-01 · 待完成</font>
    <font color='grey'>由人添加</font>
    [完成]
    ~~buy a mainframe~~
    <font color='grey'>决定不做：too dear</font>
    <font color='grey'>Han Meimei: TODO [m8]</font>
    ☑ raise the limit
    <font color='grey'>无负责人 · 无期限 · 已完成</font>
    <font color='grey'>Han Meimei: TODO [m8]</font>
    ");
}

#[test]
fn a_long_list_fits_and_counts_what_it_leaves_out() {
    let long = "一段很长的话".repeat(80);
    let items = (0..120).map(|_| view(owned(&long))).collect();
    let card = list(items, Language::Zh).render();
    assert!(size_bytes(&card) <= CARD_BYTES_MAX, "{}", size_bytes(&card));
    assert!(card.to_string().contains("见报告"));
}

#[test]
fn the_card_at_publishing_mentions_owners_and_names_what_nobody_has() {
    let items = [
        owned("add a <at id=all></at> stage"),
        item("write a runbook", ActionState::Proposed),
    ];
    let card = |language| {
        let card = TellingCard {
            number: 42,
            language,
            items: &items,
        };
        read(&card.render())
    };
    assert_snapshot!(card(Language::En), @r"
    Action items of #42
    - add a &#60;at id=all>&#60;/at> stage · due 2026-12-01 · <at id=ou_li></at>
    - write a runbook · **no owner yet**
    ");
    assert_snapshot!(card(Language::Zh), @r"
    故障 #42 行动项
    - add a &#60;at id=all>&#60;/at> stage · 期限 2026-12-01 · <at id=ou_li></at>
    - write a runbook · **暂无负责人**
    ");
}

#[test]
fn a_form_shows_what_is_known_and_comes_back_with_what_was_chosen() {
    let value = json!("v");
    let item = owned("add a stage");
    let form = Form {
        asks: Asks::Plan(&item),
        number: 42,
        language: Language::En,
        value: &value,
    };
    let form = form.render().to_string();
    assert!(form.contains(r#""initial_option":"ou_li""#), "{form}");
    assert!(form.contains(r#""initial_date":"2026-12-01""#), "{form}");
    let sent = json!({"owner": "ou_han", "due": "2026-12-02 +0800", "text": " why "});
    let sent = sent.as_object().unwrap();
    assert_eq!(chosen_owner(sent), Some(OpenId::new("ou_han")));
    assert_eq!(chosen_day(sent), Some(jiff::civil::date(2026, 12, 2)));
    assert_eq!(written(sent), "why");
    let nothing = serde_json::Map::new();
    assert_eq!((chosen_owner(&nothing), chosen_day(&nothing)), (None, None));
}
