//! What our buttons carry, and how we know it again.
//!
//! A value goes out with a card and comes back by way of somebody's client. It says in the clear what it
//! asks for, what that is about and in which chat, and a signature over the three says that it was us who
//! wrote it. The key never leaves the store; a store that is lost takes it along, and with it all that
//! the old cards were about.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    feishu::{ChatId, Click},
    store::{self, Record, Store},
};

use super::{Deed, Order};

/// How many bytes of a signature a value carries: more than anyone can guess, and half as long.
const TAG_BYTES: usize = 16;

/// Where the one key lies.
const KEY: &str = "cards";

/// What signatures are made with.
#[derive(Clone, Serialize, Deserialize)]
struct SealKey {
    /// Two random numbers of 122 bits.
    secret: [Uuid; 2],
}

impl Record for SealKey {
    const COLLECTION: &'static str = "seal_key";
    const VERSION: u8 = 1;
}

/// Signs values and knows them again.
pub(super) struct Seal(Hmac<Sha256>);

impl Seal {
    /// The seal of this store, which is made the first time.
    pub(super) async fn of(store: &Store) -> Result<Self, store::Error> {
        let keys = store.collection::<SealKey>();
        loop {
            if let Some(key) = keys.get(KEY).await? {
                return Ok(Self::with(&key));
            }
            let key = SealKey {
                secret: [Uuid::new_v4(), Uuid::new_v4()],
            };
            // Where somebody else was first, theirs is read.
            keys.compare_and_swap(KEY, None, Some(&key)).await?;
        }
    }

    fn with(key: &SealKey) -> Self {
        let secret = key.secret.map(Uuid::into_bytes).concat();
        Self(Hmac::new_from_slice(&secret).expect("a key may have any length"))
    }

    /// What a button carries, on a card for a chat, or for the direct chat with a person.
    pub(super) fn value(&self, deed: Deed, about: &str, chat: &str) -> Value {
        let tag = self.signing(deed.name(), about, chat).finalize();
        let seal = hex(&tag.into_bytes()[..TAG_BYTES]);
        json!({"deed": deed.name(), "about": about, "chat": chat, "seal": seal})
    }

    /// What a press asks for, if we wrote its value, and for a card of its chat or for whoever pressed. The
    /// old callback does not always say in which chat it was pressed; the value then speaks for itself.
    pub(super) fn open(&self, click: &Click) -> Option<Order> {
        let value = &click.value;
        // Values come back as objects or as text.
        let parsed;
        let value = match value {
            Value::String(text) => {
                parsed = serde_json::from_str::<Value>(text).ok()?;
                &parsed
            }
            value => value,
        };
        let member = |name: &str| value.get(name)?.as_str();
        let (name, about, written_for) = (member("deed")?, member("about")?, member("chat")?);
        let tag = unhex(member("seal")?)?;
        let signed = self.signing(name, about, written_for);
        signed.verify_truncated_left(&tag).ok()?;
        let is_direct = written_for.starts_with("ou_");
        let chat = match &click.chat_id {
            _ if is_direct && click.operator.as_str() != written_for => return None,
            Some(chat) if !is_direct && chat.as_str() != written_for => return None,
            Some(chat) => chat.clone(),
            None => ChatId::new(written_for),
        };
        Some(Order {
            deed: Deed::all().find(|deed| deed.name() == name)?,
            about: about.to_owned(),
            chat,
            is_direct,
        })
    }

    fn signing(&self, deed: &str, about: &str, chat: &str) -> Hmac<Sha256> {
        let mut signing = self.0.clone();
        for part in [deed, about, chat] {
            // With the lengths, no other three parts can make the same bytes.
            signing.update(&(part.len() as u64).to_le_bytes());
            signing.update(part.as_bytes());
        }
        signing
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exactly a tag, or nothing.
fn unhex(text: &str) -> Option<[u8; TAG_BYTES]> {
    let is_hex = text.len() == 2 * TAG_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    let mut bytes = [0; TAG_BYTES];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::feishu::{MessageId, OpenId};

    fn seal(n: u128) -> Seal {
        let secret = [Uuid::from_u128(n), Uuid::from_u128(n + 1)];
        Seal::with(&SealKey { secret })
    }

    fn press(value: Value, operator: &str, chat: Option<&str>) -> Click {
        Click {
            operator: OpenId::new(operator),
            message_id: MessageId::new("om_1"),
            chat_id: chat.map(ChatId::new),
            value,
            name: None,
            form: Map::new(),
            option: None,
            token: None,
        }
    }

    #[test]
    fn a_value_is_known_again_as_an_object_or_as_text() {
        let seal = seal(1);
        for deed in Deed::all() {
            let value = seal.value(deed, "om_1/2", "oc_a");
            let order = Some(Order {
                deed,
                about: "om_1/2".to_owned(),
                chat: ChatId::new("oc_a"),
                is_direct: false,
            });
            let opened = |value: Value, chat| seal.open(&press(value, "ou_li", chat));
            assert_eq!(opened(value.clone(), Some("oc_a")), order);
            assert_eq!(opened(json!(value.to_string()), Some("oc_a")), order);
            assert_eq!(opened(value, None), order);
        }
    }

    #[test]
    fn a_card_for_a_person_is_pressed_by_that_person_in_whatever_chat_it_stands() {
        let seal = seal(1);
        let value = seal.value(Deed::Praise, "42-a", "ou_li");
        let opened = |operator| seal.open(&press(value.clone(), operator, Some("oc_direct")));
        let order = opened("ou_li").unwrap();
        assert_eq!((order.chat.as_str(), order.is_direct), ("oc_direct", true));
        assert_eq!(opened("ou_han"), None);
    }

    #[test]
    fn what_is_changed_copied_or_made_up_is_not_ours() {
        let ours = seal(1);
        let value = ours.value(Deed::Praise, "om_1/2", "oc_a");
        let with = |name: &str, new: Value| {
            let mut value = value.clone();
            value[name] = new;
            value
        };
        let tag = value["seal"].as_str().unwrap_or_default();
        let forged = [
            with("deed", json!("regenerate")),
            with("about", json!("om_9/2")),
            with("chat", json!("oc_b")),
            with("chat", json!("ou_li")),
            with(
                "seal",
                json!(tag.replace(|c: char| c.is_ascii_digit(), "a")),
            ),
            with("seal", json!(&tag[..8])),
            with("seal", json!("é".repeat(16))),
            with("seal", json!(null)),
            seal(7).value(Deed::Praise, "om_1/2", "oc_a"),
            json!({"deed": "praise", "about": "om_1/2"}),
            json!("praise"),
            json!(["praise"]),
            json!(null),
        ];
        for forged in forged {
            let opened = ours.open(&press(forged.clone(), "ou_li", Some("oc_a")));
            assert_eq!(opened, None, "{forged}");
        }
        assert_eq!(ours.open(&press(value, "ou_li", Some("oc_b"))), None);
    }
}
