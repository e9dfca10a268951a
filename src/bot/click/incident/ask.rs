//! Ask AI: puts a question about an incident to the bot, in the chat in which the card stands.
//!
//! The question is a message under the card, so that everybody sees who asked and what is answered. From
//! there it goes the way of every question; what is known of the incident goes with it as quoted data.

use jiff::Timestamp;
use serde_json::json;
use tracing::info;
use uuid::Uuid;

use crate::{
    bot::{
        Entry,
        access::Denied,
        handling::{self, Told},
        markdown,
        phrase::Phrase,
    },
    config::Language,
    feishu::{Message, Outgoing},
    incident::PersonId,
};

use super::{super::not_kept, Kind, Outcome, Scene};

pub(super) async fn run(scene: &Scene<'_>) -> Outcome {
    let (bot, case) = (scene.bot, scene.case);
    // A question is work, whoever asks it and however.
    if !bot.0.pace.may(&scene.click.operator) {
        return Outcome::denied(&Denied::TooOften);
    }
    let language = handling::language(bot, &scene.place).await;
    let question = question(case.number(), language);
    let token = scene.click.token.as_deref().unwrap_or_default();
    let shown = Outgoing::Text(format!("{}{question}", asker(scene, language).await));
    let sent = match scene.reply(&shown, &format!("ask/{token}")).await {
        Ok(sent) => sent,
        Err(outcome) => return outcome,
    };
    let payload = event(scene, &sent, &question);
    let mut batch = bot.0.store.batch();
    let inbox = &bot.0.inbox;
    let about = Some(case.id().clone());
    let (key, kept) = inbox.put_about(sent.id.as_str(), payload, about, &mut batch);
    let Some(entry) = Entry::left_over(bot, key, kept).await else {
        return Outcome::told(Kind::Warning, &Phrase::Stale);
    };
    if !bot.0.sessions.has_room(&entry.session) {
        return Outcome::told(Kind::Warning, &Phrase::LineFullToPress);
    }
    if let Err(error) = inbox.commit(batch, 1).await {
        return not_kept(&error);
    }
    info!(message.id = %entry.message.id, "a question about an incident is answered");
    Outcome::from(&Told::asking()).then(|bot| bot.dispatch(entry))
}

/// What is asked, in our words and not in those of an alert.
fn question(number: u32, language: Language) -> String {
    match language {
        Language::En => format!(
            "What is going on with incident #{number}? Say what is known, what the likely cause is and how sure that is, and what to look at next."
        ),
        Language::Zh => format!(
            "故障 #{number} 是怎么回事？请说明已知情况、可能原因及把握程度，以及下一步该查什么。"
        ),
    }
}

async fn asker(scene: &Scene<'_>, language: Language) -> String {
    let person = &scene.click.operator;
    let names = handling::names(scene.bot, std::slice::from_ref(person), &scene.order.chat).await;
    let name = names.of(&PersonId(person.as_str().to_owned()));
    let name = markdown::text_message(&markdown::escape(&name));
    match language {
        Language::En => format!("{name} asks: "),
        Language::Zh => format!("{name} 提问："),
    }
}

/// The event that the question would have been, had its asker typed it under the card.
fn event(scene: &Scene<'_>, sent: &Message, question: &str) -> String {
    let chat_type = match scene.order.is_direct {
        true => "p2p",
        false => "group",
    };
    let tenant = scene.bot.access().own().map(|own| own.as_str().to_owned());
    let tenant = tenant.unwrap_or_default();
    let now = Timestamp::now().as_millisecond().to_string();
    json!({
        "schema": "2.0",
        "header": {
            "event_id": Uuid::new_v4().to_string(),
            "event_type": "im.message.receive_v1",
            "create_time": now,
            "app_id": scene.bot.me().app_id,
            "tenant_key": tenant,
        },
        "event": {
            "sender": {
                "sender_id": {"open_id": scene.click.operator},
                "sender_type": "user",
                "tenant_key": tenant,
            },
            "message": {
                "message_id": sent.id,
                "root_id": sent.root_id,
                "parent_id": scene.click.message_id,
                "thread_id": sent.thread_id,
                "create_time": sent.created_at.as_millisecond().to_string(),
                "chat_id": sent.chat_id,
                "chat_type": chat_type,
                "message_type": "text",
                "content": json!({"text": question}).to_string(),
            },
        },
    })
    .to_string()
}
