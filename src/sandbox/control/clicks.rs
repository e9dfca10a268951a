//! Presses on cards: the callback to the bot, its answer, and what the client would show.
//!
//! While the bot has not answered, its changes of an entity are refused (200810), and those of a card that
//! was sent whole are not seen: the client goes back to the card that was pressed, unless the answer brings
//! another. Codes of the client are those of section 4.8 of the wire notes.

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Told, Wrong, bad, missing, nobody, read};
use crate::sandbox::{
    app,
    hub::Hub,
    press::{self, Use, Used},
    push::Callback,
    world::{Misfit, World},
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
    /// A part that is no button and stands in no form, and what was done to it.
    component: Option<String>,
    option: Option<String>,
    options: Option<Vec<String>>,
    checked: Option<bool>,
    input: Option<String>,
}

impl Click {
    fn how(&self) -> Use {
        Use {
            button: self.button.clone(),
            value: self.value.clone(),
            form: self.form.clone(),
            component: self.component.clone(),
            option: self.option.clone(),
            options: self.options.clone(),
            checked: self.checked,
            input: self.input.clone(),
        }
    }
}

/// `POST /sandbox/clicks`
pub(super) async fn click(State(hub): State<Hub>, body: Bytes) -> Told {
    let click: Click = read(&body)?;
    let shown = |outcome: Result<Value, i64>| match outcome {
        Ok(toast) => Json(json!({"toast": toast, "client_error": null})),
        Err(code) => Json(json!({"toast": null, "client_error": code})),
    };
    let (event, token) = match hub.act(|world, now_ms| press(world, &click, now_ms))? {
        Press::Told { event, token } => (event, token),
        // A link opens in the browser, and nobody is asked.
        Press::Local => return Ok(shown(Ok(Value::Null))),
        Press::ClientError(code) => return Ok(shown(Err(code))),
    };
    let message_id = &click.message_id;
    let before = hub.act(|world, _| world.plain_card(message_id));
    let held = Held::new(&hub, message_id);
    let callback = hub.push.callback("card.action.trigger", event).await;
    drop(held);
    hub.act(|world, now_ms| {
        world.press_answered(&token);
        restore(world, message_id, before, now_ms);
    });
    Ok(shown(outcome(&hub, message_id, callback)))
}

/// The client goes back to the card that was pressed, so what was changed meanwhile is not seen.
fn restore(world: &mut World, message_id: &str, before: Option<Value>, now_ms: i64) {
    if let Some(before) = before
        && world
            .plain_card(message_id)
            .is_some_and(|now| now != before)
    {
        world.replace_card_json(message_id, before, now_ms);
    }
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

/// A press that the bot is to be told of, or what the client makes of it by itself.
enum Press {
    Told { event: Value, token: String },
    Local,
    ClientError(i64),
}

fn press(world: &mut World, click: &Click, now_ms: i64) -> Result<Press, Wrong> {
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
    let action = match press::used(card, &click.how()).map_err(bad)? {
        Used::Action(action) => action,
        Used::Local => return Ok(Press::Local),
        Used::ClientError(code) => return Ok(Press::ClientError(code)),
    };
    let mut ids = world.ids(&operator);
    ids["tenant_key"] = json!(world.tenant_of(&operator));
    let token = format!("c-{}", app::hex(&mut world.random, 40));
    world.pressed(&token, &click.message_id, now_ms);
    let event = json!({
        "operator": ids,
        "token": token,
        "action": action,
        "host": "im_message",
        "context": {"open_message_id": click.message_id, "open_chat_id": chat_id},
    });
    Ok(Press::Told { event, token })
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
    world
        .put_in_place(message_id, data, now_ms)
        .map_err(|misfit| match misfit {
            Misfit::Invalid(_) => 200_673,
            Misfit::Older => 200_830,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Options, render, world::Target};

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
