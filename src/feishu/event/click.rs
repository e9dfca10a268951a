//! A press of a button or the sending of a form on a card, in its present and in its old shape.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::EventError;
use crate::feishu::{ChatId, MessageId, OpenId, wire::Text};

/// Somebody used a part of a card that calls back. It wants an answer within three seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Click {
    /// Who it was, as the platform says.
    pub operator: OpenId,
    /// The message that shows the card.
    pub message_id: MessageId,
    /// The chat in which it stands. The old callback does not always say.
    pub chat_id: Option<ChatId>,
    /// What the card declared for that part: JSON of any form. It came by way of a client.
    pub value: Value,
    /// The name of the part, if it has one; parts of a form always do.
    pub name: Option<String>,
    /// What stood in the form whose button was pressed, by the names of its parts.
    pub form: Map<String, Value>,
    /// What was chosen in a menu outside of a form.
    pub option: Option<String>,
    /// Allows the card to be changed twice within thirty minutes, once the click was answered.
    pub token: Option<String>,
}

/// The body of `card.action.trigger`, and the whole of what the old callback posts: that one has the same
/// members, some of them at another place (feishu-wire 4.6, 4.7).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Pressed {
    operator: WireOperator,
    action: WireAction,
    context: WireContext,
    token: Text,
    open_id: Text,
    open_message_id: Text,
    open_chat_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireOperator {
    open_id: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAction {
    value: Value,
    name: Text,
    form_value: Option<Map<String, Value>>,
    option: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireContext {
    open_message_id: Text,
    open_chat_id: Text,
}

impl Click {
    /// Reads the body of a `card.action.trigger` event, or of the old `card.action.trigger_v1` callback.
    pub(in crate::feishu) fn decode(body: &str) -> Result<Self, EventError> {
        let pressed: Pressed = serde_json::from_str(body)?;
        let first = |new: Text, old: Text| Text(new.0.or(old.0));
        let operator = first(pressed.operator.open_id, pressed.open_id).id(OpenId::new);
        let context = pressed.context;
        let message = first(context.open_message_id, pressed.open_message_id).id(MessageId::new);
        Ok(Self {
            operator: operator.ok_or(EventError::Missing("operator.open_id"))?,
            message_id: message.ok_or(EventError::Missing("open_message_id"))?,
            chat_id: first(context.open_chat_id, pressed.open_chat_id).id(ChatId::new),
            value: pressed.action.value,
            name: pressed.action.name.0,
            form: pressed.action.form_value.unwrap_or_default(),
            option: pressed.action.option.0,
            token: pressed.token.0,
        })
    }
}
