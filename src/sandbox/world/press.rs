//! Presses on cards as the platform remembers them: which card waits for its answer, and which token
//! may change which card.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    super::{card, refusal::Refusal},
    Card, World,
};

/// How long a token is good for, and for how many updates. The older Lark page says three.
const TOKEN_MS: i64 = 30 * 60 * 1000;
const USES: u32 = 2;

/// What a press allows once it was answered.
#[derive(Debug)]
struct Pass {
    message_id: String,
    pressed_ms: i64,
    uses_left: u32,
    answered: bool,
}

/// Every token that was given out and is not long over.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Passes(HashMap<String, Pass>);

/// Why a card cannot take the place of another. The codes are those of the client (section 4.8).
pub(in crate::sandbox) enum Misfit {
    /// 200673
    Invalid(String),
    /// 200830
    Older,
}

impl World {
    /// Notes a press, whose token is worth nothing before it is answered.
    pub(in crate::sandbox) fn pressed(&mut self, token: &str, message_id: &str, now_ms: i64) {
        let is_recent = |pass: &Pass| now_ms - pass.pressed_ms <= 2 * TOKEN_MS;
        self.passes.0.retain(|_, pass| is_recent(pass));
        let pass = Pass {
            message_id: message_id.to_owned(),
            pressed_ms: now_ms,
            uses_left: USES,
            answered: false,
        };
        self.passes.0.insert(token.to_owned(), pass);
    }

    /// Notes that the bot has answered a press, or that the client gave up on it.
    pub(in crate::sandbox) fn press_answered(&mut self, token: &str) {
        if let Some(pass) = self.passes.0.get_mut(token) {
            pass.answered = true;
        }
    }

    /// The card that a message shows, where it is no entity and so no other call could have changed it
    /// rightly while a press was under way.
    pub(in crate::sandbox) fn plain_card(&self, message_id: &str) -> Option<Value> {
        match self.messages.get(message_id)?.card.as_ref()? {
            Card::Json(json) => Some(json.clone()),
            Card::Entity(_) => None,
        }
    }

    /// Changes the card that was pressed, as the delayed update does.
    pub(in crate::sandbox) fn update_pressed(
        &mut self,
        token: &str,
        new: &Value,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        if !token.starts_with("c-") {
            return Err(Refusal::new(300_020, "the format of the token is wrong"));
        }
        let pass = self
            .passes
            .0
            .get(token)
            .ok_or_else(|| Refusal::new(300_020, "the token is not one that was given out"))?;
        if now_ms - pass.pressed_ms > TOKEN_MS {
            return Err(Refusal::new(300_030, "the token has expired"));
        }
        if pass.uses_left == 0 {
            return Err(Refusal::new(300_040, "the token was used too often"));
        }
        if !pass.answered {
            return Err(Refusal::new(
                200_810,
                "card is in an ongoing interaction and cannot be updated",
            ));
        }
        let message_id = pass.message_id.clone();
        let is_gone = |message: &super::Message| message.recalled;
        if self.messages.get(&message_id).is_none_or(is_gone) {
            return Err(Refusal::new(200_000, "the message was recalled"));
        }
        let new = self.for_all_viewers(&message_id, new)?;
        self.put_in_place(&message_id, &new, now_ms)
            .map_err(|misfit| match misfit {
                Misfit::Invalid(why) => Refusal::new(11_311, format!("card format error: {why}")),
                Misfit::Older => Refusal::new(200_830, "a card of schema 2.0 cannot become 1.0"),
            })?;
        if let Some(pass) = self.passes.0.get_mut(token) {
            pass.uses_left -= 1;
        }
        Ok(())
    }

    /// The card without `open_ids`, which only an exclusive card of schema 1.0 has, and must have.
    fn for_all_viewers(&self, message_id: &str, new: &Value) -> Result<Value, Refusal> {
        let mut new = new.clone();
        let open_ids = new.as_object_mut().and_then(|card| card.remove("open_ids"));
        let old = self.messages.get(message_id);
        let old = old.and_then(|message| self.card_json(message));
        let is_exclusive = old.is_some_and(|old| !card::is_shared(old));
        match (is_exclusive, open_ids) {
            (true, None) => Err(Refusal::new(300_090, "open_ids is required")),
            (_, Some(ids)) if !self.are_people(&ids) => {
                Err(Refusal::new(200_320, "open_ids are not valid"))
            }
            _ => Ok(new),
        }
    }

    fn are_people(&self, ids: &Value) -> bool {
        let is_person = |id: &Value| id.as_str().is_some_and(|id| self.users.get(id).is_some());
        ids.as_array()
            .is_some_and(|ids| !ids.is_empty() && ids.iter().all(is_person))
    }

    /// Puts a card in the place of the one that was pressed. While an entity streams, it is silently not
    /// shown.
    pub(in crate::sandbox) fn put_in_place(
        &mut self,
        message_id: &str,
        new: &Value,
        now_ms: i64,
    ) -> Result<(), Misfit> {
        let invalid = |why: &str| Misfit::Invalid(why.to_owned());
        let new = card::parse(&new.to_string()).map_err(|fault| Misfit::Invalid(fault.why()))?;
        let message = self.messages.get(message_id);
        let message = message.ok_or_else(|| invalid("there is no such message"))?;
        let old = self.card_json(message);
        let old = old.ok_or_else(|| invalid("the message shows no card"))?;
        if card::schema_of(old) == 2 && card::schema_of(&new) == 1 {
            return Err(Misfit::Older);
        }
        let card_id = match &message.card {
            Some(Card::Entity(card_id)) => card_id.clone(),
            _ => {
                self.replace_card_json(message_id, new, now_ms);
                return Ok(());
            }
        };
        let entity = self.cards.get_mut(&card_id);
        let entity = entity.ok_or_else(|| invalid("there is no such card"))?;
        if !entity.is_streaming(now_ms) {
            entity.take_json(new, now_ms);
            self.card_happened(&card_id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::{Options, world::Target};

    #[tokio::test]
    async fn a_token_changes_its_card_twice_once_the_press_was_answered() {
        let options = Options {
            scene: false,
            ..Options::default()
        };
        let hub = crate::sandbox::hub(&options, String::new());
        let card = |text: &str| {
            json!({"schema": "2.0", "config": {"update_multi": true},
                "body": {"elements": [{"tag": "markdown", "content": text}]}})
        };
        hub.act(|world, now_ms| {
            let user = world.add_user("Alice", None, None);
            let chat = world.p2p_chat(&user.open_id);
            let content = card("before").to_string();
            let said = world.say_as_bot(Target::Chat(&chat), "interactive", &content, None, now_ms);
            let id = said.unwrap().message_id.clone();
            let code = |world: &mut World, token: &str, new: &Value, at_ms: i64| {
                let done = world.update_pressed(token, new, at_ms);
                done.map_or_else(|refusal| refusal.code, |()| 0)
            };
            world.pressed("c-1", &id, now_ms);
            assert_eq!(code(world, "c-1", &card("early"), now_ms), 200_810);
            world.press_answered("c-1");
            assert_eq!(code(world, "x-1", &card("x"), now_ms), 300_020);
            assert_eq!(code(world, "c-2", &card("x"), now_ms), 300_020);
            assert_eq!(
                code(world, "c-1", &json!({"schema": "2.0", "boddy": 1}), now_ms),
                11_311
            );
            assert_eq!(
                code(world, "c-1", &json!({"elements": []}), now_ms),
                200_830
            );
            let mut shown = card("x");
            shown["open_ids"] = json!(["ou_nobody"]);
            assert_eq!(code(world, "c-1", &shown, now_ms), 200_320);
            // What was refused used up nothing.
            assert_eq!(code(world, "c-1", &card("one"), now_ms), 0);
            assert_eq!(code(world, "c-1", &card("two"), now_ms), 0);
            assert_eq!(code(world, "c-1", &card("three"), now_ms), 300_040);
            assert_eq!(world.plain_card(&id), Some(card("two")));

            world.pressed("c-3", &id, now_ms);
            world.press_answered("c-3");
            assert_eq!(
                code(world, "c-3", &card("x"), now_ms + TOKEN_MS + 1),
                300_030
            );
            world.recall_as_bot(&id, now_ms).unwrap();
            assert_eq!(code(world, "c-3", &card("x"), now_ms), 200_000);
        });
    }
}
