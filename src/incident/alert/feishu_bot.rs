//! What is sent to a custom robot of a Feishu or Lark group, so that a sender only changes an address.
//!
//! Such a message is made for people and says in prose what other formats say in members, so status,
//! severity and labels are read from its words and colours. What was guessed is noted in the alert. The
//! identity of the alert is its title without the words and numbers that change between its reports.

mod prose;
mod sign;
mod text;

use serde_json::{Value, json};

use super::{
    Alert, AlertError, AlertKey, Batch, Format, Link,
    fields::{self, Fields},
};

pub use sign::{VALID_FOR, check_sign};

const REMEDY: &str =
    "send the body of a message to a custom robot, with `msg_type` and its content";

/// What a message says, whatever its type.
#[derive(Debug, Default)]
struct Message {
    title: String,
    body: String,
    /// The colour of a card's head.
    colour: Option<String>,
    links: Vec<Link>,
}

/// Reads a message. Its signature is checked apart, by [`check_sign`].
pub fn read(body: &[u8]) -> Result<Batch, AlertError> {
    let mut robot = fields::object(body, REMEDY)?;
    robot.take("timestamp");
    robot.take("sign");
    let kind = robot.text("msg_type").unwrap_or_default();
    let message = match kind.as_str() {
        "text" => robot
            .object("content")
            .and_then(|mut content| content.text("text"))
            .map(text::of_text),
        "post" => robot
            .object("content")
            .and_then(|mut content| content.object("post"))
            .and_then(text::of_post),
        "interactive" => robot.take("card").and_then(text::of_card),
        "image" | "share_chat" => {
            return Err(AlertError::Unreadable(format!(
                "`msg_type` {kind} says nothing that could be an alert: send text, post or interactive"
            )));
        }
        _ => {
            return Err(AlertError::Unreadable(
                "`msg_type` must be one of text, post, interactive".to_owned(),
            ));
        }
    };
    let message = message.filter(|message| !(message.title.is_empty() && message.body.is_empty()));
    let Some(message) = message else {
        return Err(AlertError::Unreadable(format!(
            "there is no text in this message of type {kind}"
        )));
    };
    let mut batch = Batch::default();
    batch.push(alert(message, robot));
    batch.finish()
}

/// The body of the answer 200, as the platform writes it.
pub fn accepted() -> Value {
    json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})
}

/// The body of an answer that refuses. The platform answers these with 200; the code is what senders look at.
pub fn refused(error: &AlertError) -> Value {
    let code = match error {
        AlertError::Unsigned(_) => 19021,
        AlertError::Unreadable(_) | AlertError::Unsupported(_) => 9499,
    };
    json!({"code": code, "data": {}, "msg": error.to_string()})
}

fn alert(message: Message, mut robot: Fields) -> Alert {
    let labels = prose::labels(&message.body);
    let read = prose::read(&message.title, &labels, message.colour.as_deref());
    // Labels tell apart what a title alone does not, and keep still between the reports of one alert.
    let identity: Vec<&str> = [
        "instance",
        "host",
        "ident",
        "主机",
        "实例",
        "告警对象",
        "对象",
    ]
    .into_iter()
    .filter_map(|name| labels.get(name).map(String::as_str))
    .collect();
    let stem = prose::stem(&message.title);
    let parts = [vec!["feishu-bot", &stem], identity].concat();
    let mut alert = Alert::new(Format::FeishuBot, AlertKey::digest(&parts));
    alert.status = read.status;
    alert.severity = read.severity;
    alert.notes = read.notes;
    alert.title = message.title;
    alert.description = message.body;
    alert.labels = labels;
    alert.links.others = message.links;
    alert.notes.append(&mut robot.notes);
    alert.unknown = robot.rest();
    alert
}
