//! Presses of buttons: the callback to the bot, its answer, and what the client would show.
//!
//! While the bot has not answered, its changes of the card are refused (200810). The card changes
//! only by what the answer brings; codes of the client are those of section 4.8 of the wire notes.

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Told, Wrong, bad, missing, nobody, read};
use crate::sandbox::{
    app, card,
    hub::Hub,
    push::Callback,
    render::{self, Button},
    world::{Card, World},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Click {
    message_id: String,
    /// An open_id, or a name that only one person has.
    operator: String,
    /// The text or the name of the button, or a value that is a string.
    button: Option<String>,
    /// The value of the button.
    value: Option<Value>,
    /// What was filled in, by the names of the inputs.
    form: Option<Value>,
}

/// `POST /sandbox/clicks`
pub(super) async fn click(State(hub): State<Hub>, body: Bytes) -> Told {
    let click: Click = read(&body)?;
    let event = hub.act(|world, _| press(world, &click))?;
    // A link opens in the browser, and nobody is asked.
    let Some(event) = event else {
        return Ok(Json(json!({"toast": null, "client_error": null})));
    };
    let held = Held::new(&hub, &click.message_id);
    let callback = hub.push.callback("card.action.trigger", event).await;
    drop(held);
    Ok(Json(match outcome(&hub, &click.message_id, callback) {
        Ok(toast) => json!({"toast": toast, "client_error": null}),
        Err(code) => json!({"toast": null, "client_error": code}),
    }))
}

/// Keeps the card from being changed while the bot thinks about a click, also when the one who
/// clicked goes away meanwhile.
struct Held<'a> {
    hub: &'a Hub,
    message_id: &'a str,
}

impl<'a> Held<'a> {
    fn new(hub: &'a Hub, message_id: &'a str) -> Self {
        hub.act(|world, _| world.hold_card(message_id, true));
        Self { hub, message_id }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.hub
            .act(|world, _| world.hold_card(self.message_id, false));
    }
}

/// The event of a press, or none when the button calls nobody.
fn press(world: &mut World, click: &Click) -> Result<Option<Value>, Wrong> {
    let operator = world
        .find_user(&click.operator)
        .ok_or_else(|| nobody(world, &click.operator))?;
    let operator = operator.open_id.clone();
    let message = world
        .messages
        .get(&click.message_id)
        .ok_or_else(|| missing("message", &click.message_id))?;
    if message.recalled {
        return Err(bad("the message was recalled"));
    }
    let chat_id = message.chat_id.clone();
    let card = world
        .card_json(message)
        .ok_or_else(|| bad("the message shows no card"))?;
    let button = find(card, click)?;
    if button.disabled {
        return Err(bad("the button is disabled"));
    }
    if !button.calls_back {
        return Ok(None);
    }
    let mut action = json!({"tag": "button"});
    if !button.value.is_null() {
        action["value"] = button.value.clone();
    }
    if let Some(name) = &button.name {
        action["name"] = json!(name);
    }
    if button.form.is_some() {
        action["form_value"] = click.form.clone().unwrap_or_else(|| json!({}));
    }
    let mut ids = world.ids(&operator);
    ids["tenant_key"] = json!(world.tenant_of(&operator));
    let token = format!("c-{}", app::hex(&mut world.random, 40));
    Ok(Some(json!({
        "operator": ids,
        "token": token,
        "action": action,
        "host": "im_message",
        "context": {"open_message_id": click.message_id, "open_chat_id": chat_id},
    })))
}

fn find(card: &Value, click: &Click) -> Result<Button, Wrong> {
    let buttons = render::buttons(card);
    let fits = |button: &&Button| {
        let is_called = |name: &String| {
            button.text == *name || button.name.as_ref() == Some(name) || button.value == *name
        };
        let by_text = click.button.as_ref().is_none_or(is_called);
        let by_value = click
            .value
            .as_ref()
            .is_none_or(|value| button.value == *value);
        let by_form = click.form.is_none() || click.button.is_some() || button.form.is_some();
        by_text && by_value && by_form
    };
    if click.button.is_none() && click.value.is_none() && click.form.is_none() {
        return Err(bad("button, value or form is missing"));
    }
    buttons.iter().find(fits).cloned().ok_or_else(|| {
        let names: Vec<&str> = buttons.iter().map(|button| button.text.as_str()).collect();
        bad(format!("the card has no such button, it has {names:?}"))
    })
}

/// The toast that people see, or the code of the client's own complaint.
fn outcome(hub: &Hub, message_id: &str, callback: Callback) -> Result<Value, i64> {
    let answer = match callback {
        Callback::Answer(answer) => answer.unwrap_or(Value::Null),
        Callback::NotConnected => return Err(200_340),
        Callback::Late => return Err(200_341),
        Callback::Refused { .. } => return Err(200_671),
        Callback::Unreadable => return Err(200_672),
        Callback::NotReached => return Err(200_342),
        Callback::NoSuchHost => return Err(200_343),
    };
    if answer.is_null() {
        return Ok(Value::Null);
    }
    let answer = answer.as_object().ok_or(200_672)?;
    let toast = match answer.get("toast") {
        None | Some(Value::Null) => Value::Null,
        Some(toast) => checked_toast(toast)?,
    };
    match answer.get("card") {
        None | Some(Value::Null) => {}
        Some(card) => hub.act(|world, now_ms| replace(world, message_id, card, now_ms))?,
    }
    Ok(toast)
}

fn checked_toast(toast: &Value) -> Result<Value, i64> {
    let kind = toast["type"].as_str().unwrap_or("info");
    let is_good = toast.is_object()
        && matches!(kind, "info" | "success" | "error" | "warning")
        && (toast["content"].is_string() || toast["i18n"].is_object());
    if !is_good {
        return Err(200_672);
    }
    Ok(json!({"type": kind, "content": toast["content"], "i18n": toast["i18n"]}))
}

/// Puts the card of the answer in the place of the one that was pressed.
fn replace(world: &mut World, message_id: &str, card: &Value, now_ms: i64) -> Result<(), i64> {
    let data = match (card["type"].as_str(), &card["data"]) {
        (Some("raw"), data @ Value::Object(_)) => data,
        // There are no templates here, so one cannot be found.
        (Some("template"), Value::Object(_)) => return Err(200_673),
        _ => return Err(200_672),
    };
    let new = card::parse(&data.to_string()).map_err(|_| 200_673)?;
    let message = world.messages.get(message_id).ok_or(200_673)?;
    let old = world.card_json(message).ok_or(200_673)?;
    if card::schema_of(old) == 2 && card::schema_of(&new) == 1 {
        return Err(200_830);
    }
    let entity = match &message.card {
        Some(Card::Entity(card_id)) => Some(card_id.clone()),
        _ => None,
    };
    match entity {
        None => world.replace_card_json(message_id, new, now_ms),
        Some(card_id) => {
            let Some(entity) = world.cards.get_mut(&card_id) else {
                return Err(200_673);
            };
            // While it streams, the card of an answer is silently not shown.
            if !entity.is_streaming(now_ms) {
                entity.take_json(new, now_ms);
                world.card_happened(&card_id);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Options, world::Target};

    const OLD: &str = "before";

    /// What becomes of one answer: the client's code or 0, and what the card says then.
    fn check(callback: Callback, streaming: bool, code: i64, text: &str) {
        let options = Options {
            scene: false,
            ..Options::default()
        };
        let hub = crate::sandbox::hub(&options, String::new());
        let message_id = hub.act(|world, now_ms| {
            let card = json!({"schema": "2.0", "config": {"streaming_mode": streaming},
                "body": {"elements": [{"tag": "markdown", "content": OLD}]}});
            let card_id = world.create_card(&card.to_string(), now_ms).unwrap();
            let user = world.add_user("Alice", None, None);
            let chat_id = world.p2p_chat(&user.open_id);
            let content = json!({"type": "card", "data": {"card_id": card_id}}).to_string();
            let said = world.say_as_bot(
                Target::Chat(&chat_id),
                "interactive",
                &content,
                None,
                now_ms,
            );
            said.unwrap().message_id.clone()
        });
        let answer = callback.clone();
        let got = outcome(&hub, &message_id, callback).err().unwrap_or(0);
        let shown = hub
            .act(|world, _| render::message_text(world, world.messages.get(&message_id).unwrap()));
        assert_eq!((got, shown.as_str()), (code, text), "{answer:?}");
    }

    fn answer(value: Value) -> Callback {
        Callback::Answer(Some(value))
    }

    fn raw(card: Value) -> Callback {
        answer(json!({"card": {"type": "raw", "data": card}}))
    }

    #[tokio::test]
    async fn the_client_shows_the_code_of_what_the_bot_did_wrong() {
        check(Callback::NotConnected, false, 200_340, OLD);
        check(Callback::Late, false, 200_341, OLD);
        check(Callback::Refused { code: 500 }, false, 200_671, OLD);
        check(Callback::Unreadable, false, 200_672, OLD);
        check(answer(json!([])), false, 200_672, OLD);
        check(answer(json!({"toast": "saved"})), false, 200_672, OLD);
        check(answer(json!({"card": "{}"})), false, 200_672, OLD);
        check(
            raw(json!({"schema": "2.0", "boddy": {}})),
            false,
            200_673,
            OLD,
        );
        check(raw(json!({"elements": []})), false, 200_830, OLD);
    }

    #[tokio::test]
    async fn a_good_answer_changes_the_card_unless_it_streams() {
        let new = json!({"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "after"}]}});
        check(Callback::Answer(None), false, 0, OLD);
        check(answer(json!({})), false, 0, OLD);
        check(
            answer(json!({"toast": {"type": "success", "content": "ok"}})),
            false,
            0,
            OLD,
        );
        check(raw(new.clone()), false, 0, "after");
        check(raw(new), true, 0, OLD);
    }
}
