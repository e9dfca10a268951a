//! What becomes of groups and direct chats, and what the bot is told of it [doc: group events].

use serde_json::{Value, json};

use super::{BotRole, Settings, World};

/// Who is told of a group as a whole.
const GROUP: &[&str] = &["im:chat", "im:chat:read", "im:chat:readonly"];
/// Who is told that the bot came or went.
const BOT: &[&str] = &["im:chat", "im:chat:readonly", "im:chat.members:bot_access"];
/// Who is told that people came or went.
const PEOPLE: &[&str] = &["im:chat", "im:chat:readonly", "im:chat.members:read"];
/// Looking into a direct chat and pressing its menu need none (the vendor's own sources disagree on the
/// first; the documentation says none).
const NONE: &[&str] = &[];

/// Who comes into a group and who goes.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Membership {
    /// People, by open_id.
    pub(in crate::sandbox) add: Vec<String>,
    pub(in crate::sandbox) remove: Vec<String>,
    /// Lets the bot in, or throws it out.
    pub(in crate::sandbox) bot: Option<bool>,
}

/// What is to change about a group; what is `None` stays.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct GroupChange {
    pub(in crate::sandbox) name: Option<String>,
    pub(in crate::sandbox) description: Option<String>,
    /// A member, by open_id.
    pub(in crate::sandbox) owner: Option<String>,
    pub(in crate::sandbox) settings: Settings,
}

impl World {
    /// People come and go, and the bot with them; false when there is no such group. Without `operator` it is
    /// the group's owner who does it, here and below.
    pub(in crate::sandbox) fn change_members(
        &mut self,
        chat_id: &str,
        change: &Membership,
        operator: Option<&str>,
    ) -> bool {
        let Some(chat) = self.chats.get_mut(chat_id).filter(|chat| !chat.dissolved) else {
            return false;
        };
        let (before, had_bot) = (chat.members.clone(), chat.has_bot);
        chat.members
            .retain(|open_id| !change.remove.contains(open_id));
        for open_id in &change.add {
            if !chat.members.contains(open_id) {
                chat.members.push(open_id.clone());
            }
        }
        let members = &chat.members;
        chat.managers.retain(|open_id| members.contains(open_id));
        chat.has_bot = change.bot.unwrap_or(had_bot);
        let owner = chat.owner().is_none().then(|| self.app.open_id.clone());
        if !chat.has_bot {
            chat.bot_role = BotRole::Member;
        }
        let (after, has_bot) = (chat.members.clone(), chat.has_bot);
        let owner = owner.or_else(|| before.first().cloned());
        let operator = operator.or(owner.as_deref());
        let (added, removed) = (without(&after, &before), without(&before, &after));
        // Who is told of people was there when they came or went, which the bot is before it goes itself.
        for (kind, people) in [
            ("im.chat.member.user.added_v1", added),
            ("im.chat.member.user.deleted_v1", removed),
        ] {
            if had_bot && !people.is_empty() {
                let users: Vec<Value> = people.iter().map(|open_id| self.member(open_id)).collect();
                let mut body = self.group_event(chat_id, operator);
                body["users"] = json!(users);
                self.emit(kind, body, PEOPLE);
            }
        }
        let kind = match (had_bot, has_bot) {
            (false, true) => Some("im.chat.member.bot.added_v1"),
            (true, false) => Some("im.chat.member.bot.deleted_v1"),
            _ => None,
        };
        if let Some(kind) = kind {
            let body = self.group_event(chat_id, operator);
            self.emit(kind, body, BOT);
        }
        self.tell("chat", Some(chat_id), None);
        true
    }

    /// Changes a group's name, owner and settings; false when there is no such group.
    pub(in crate::sandbox) fn change_group(
        &mut self,
        chat_id: &str,
        change: GroupChange,
        operator: Option<&str>,
    ) -> bool {
        let Some(chat) = self.chats.get_mut(chat_id).filter(|chat| !chat.dissolved) else {
            return false;
        };
        let (mut before, mut after) = chat.settings.take_over(&change.settings);
        for (key, old, new) in [
            ("name", &mut chat.name, change.name),
            ("description", &mut chat.description, change.description),
        ] {
            if let Some(new) = new.filter(|new| new != old) {
                before.insert(key.to_owned(), json!(old));
                after.insert(key.to_owned(), json!(new));
                *old = new;
            }
        }
        let old_owner = chat.owner().map(str::to_owned);
        if let Some(owner) = change
            .owner
            .filter(|owner| Some(owner) != old_owner.as_ref())
        {
            // Whoever stands first owns it, and the bot does so no longer.
            chat.members.retain(|open_id| *open_id != owner);
            chat.members.insert(0, owner.clone());
            if chat.bot_role == BotRole::Owner {
                chat.bot_role = BotRole::Member;
            }
            let old_owner = old_owner.as_ref().unwrap_or(&self.app.open_id).clone();
            before.insert("owner_id".to_owned(), self.ids(&old_owner));
            after.insert("owner_id".to_owned(), self.ids(&owner));
        }
        let has_bot = self.chats.get(chat_id).is_some_and(|chat| chat.has_bot);
        if has_bot && !after.is_empty() {
            let mut body = self.group_event(chat_id, operator);
            // The new name stands in `after_change` only.
            if let Some(body) = body.as_object_mut() {
                body.remove("name");
                body.remove("i18n_names");
            }
            body["before_change"] = json!(before);
            body["after_change"] = json!(after);
            self.emit("im.chat.updated_v1", body, GROUP);
        }
        self.tell("chat", Some(chat_id), None);
        true
    }

    /// Ends a group for everybody; false when there is none. Nobody is told where its history is kept
    /// [doc: group disbanded].
    pub(in crate::sandbox) fn dissolve(
        &mut self,
        chat_id: &str,
        operator: Option<&str>,
        keeps_history: bool,
    ) -> bool {
        let Some(chat) = self.chats.get_mut(chat_id).filter(|chat| !chat.dissolved) else {
            return false;
        };
        chat.dissolved = true;
        if chat.has_bot && !keeps_history {
            let body = self.group_event(chat_id, operator);
            self.emit("im.chat.disbanded_v1", body, GROUP);
        }
        self.tell("chat", Some(chat_id), None);
        true
    }

    /// A person opens the direct chat with the bot, which is made if need be. Answers its id.
    pub(in crate::sandbox) fn enter(&mut self, open_id: &str) -> String {
        let chat_id = self.p2p_chat(open_id);
        let mut body = json!({"chat_id": chat_id, "operator_id": self.ids(open_id)});
        let places = self.chats.get(&chat_id).map(|chat| chat.places.as_slice());
        if let Some(place) = places.and_then(<[usize]>::last) {
            let last = self.messages.at(*place);
            body["last_message_id"] = json!(last.message_id);
            body["last_message_create_time"] = json!(last.created_ms.to_string());
        }
        self.emit("im.chat.access_event.bot_p2p_chat_entered_v1", body, NONE);
        chat_id
    }

    /// A person presses an entry of the bot's menu, which stands in the direct chat.
    pub(in crate::sandbox) fn press_menu(&mut self, open_id: &str, key: &str, now_ms: i64) {
        let body = json!({
            "operator": {"operator_name": self.name_of(open_id), "operator_id": self.ids(open_id)},
            "event_key": key,
            "timestamp": now_ms / 1000,
        });
        self.emit("application.bot.menu_v6", body, NONE);
    }

    fn group_event(&self, chat_id: &str, operator: Option<&str>) -> Value {
        let chat = self.chats.get(chat_id);
        let owner = chat.and_then(|chat| match chat.bot_role {
            BotRole::Owner => Some(self.app.open_id.as_str()),
            BotRole::Member | BotRole::Manager => chat.owner(),
        });
        let name = chat.map_or("", |chat| chat.name.as_str());
        json!({
            "chat_id": chat_id,
            "operator_id": operator.or(owner).map(|open_id| self.ids(open_id)),
            "external": chat.is_some_and(|chat| self.is_external(chat)),
            "operator_tenant_key": self.app.tenant_key,
            "name": name,
            "i18n_names": {"zh_cn": "", "en_us": "", "ja_jp": ""},
        })
    }

    fn member(&self, open_id: &str) -> Value {
        json!({
            "name": self.name_of(open_id),
            "tenant_key": self.tenant_of(open_id),
            "user_id": self.ids(open_id),
        })
    }
}

/// Those of `all` who are not among `others`.
fn without(all: &[String], others: &[String]) -> Vec<String> {
    let is_other = |open_id: &&String| !others.contains(open_id);
    all.iter().filter(is_other).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sandbox::{app::App, limits::Limits, world::ChatKind};

    /// A world with two people and a group of the first of them.
    fn world() -> (World, String, String, String) {
        let mut world = World::new(Arc::new(App::seeded(1)), 1, Limits::new(true));
        let [li, han] =
            ["Li Lei", "Han Meimei"].map(|name| world.add_user(name, None, None).open_id);
        let members = vec![li.clone()];
        let chat = world
            .add_chat("ops", ChatKind::Group, members, true)
            .chat_id;
        (world, chat, li, han)
    }

    fn renamed(world: &mut World, chat: &str, name: &str) -> bool {
        let change = GroupChange {
            name: Some(name.to_owned()),
            ..GroupChange::default()
        };
        world.change_group(chat, change, None)
    }

    fn told(world: &mut World) -> Vec<(&'static str, Value)> {
        let events = world.take_outbox().events.into_iter();
        events.map(|event| (event.kind, event.body)).collect()
    }

    #[test]
    fn who_comes_and_goes_is_told_by_name_and_the_bots_own_going_is_the_last() {
        let (mut world, chat, li, han) = world();
        let mut change = Membership {
            add: vec![li.clone(), han.clone()],
            ..Membership::default()
        };
        assert!(world.change_members(&chat, &change, None));
        let events = told(&mut world);
        let [(kind, body)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(*kind, "im.chat.member.user.added_v1");
        assert_eq!(body["operator_id"]["open_id"], json!(li));
        let users = body["users"].as_array().unwrap();
        assert_eq!(
            users.len(),
            1,
            "who is there already does not come: {users:?}"
        );
        assert_eq!(
            (&users[0]["name"], &users[0]["user_id"]["open_id"]),
            (&json!("Han Meimei"), &json!(han))
        );

        change = Membership {
            remove: vec![han.clone()],
            bot: Some(false),
            ..Membership::default()
        };
        assert!(world.change_members(&chat, &change, Some(&han)));
        let kinds: Vec<&str> = told(&mut world).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(
            kinds,
            [
                "im.chat.member.user.deleted_v1",
                "im.chat.member.bot.deleted_v1"
            ]
        );

        // From here on it is not there to be told.
        assert!(renamed(&mut world, &chat, "new") && world.dissolve(&chat, None, false));
        assert_eq!(told(&mut world), []);
        assert!(!world.dissolve(&chat, None, false) && !renamed(&mut world, &chat, "x"));
    }

    #[test]
    fn a_new_name_comes_with_the_old_one() {
        let (mut world, chat, ..) = world();
        renamed(&mut world, &chat, "payments");
        // The same name is no change.
        renamed(&mut world, &chat, "payments");
        let events = told(&mut world);
        let [("im.chat.updated_v1", body)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(body["before_change"], json!({"name": "ops"}));
        assert_eq!(body["after_change"], json!({"name": "payments"}));
        assert_eq!(body.get("name"), None);
    }

    #[test]
    fn an_owner_who_hands_over_or_goes_is_followed_by_another() {
        let (mut world, chat, li, han) = world();
        let change = Membership {
            add: vec![han.clone()],
            ..Membership::default()
        };
        world.change_members(&chat, &change, None);
        let hand_over = GroupChange {
            owner: Some(han.clone()),
            ..GroupChange::default()
        };
        assert!(world.change_group(&chat, hand_over, None));
        let events = told(&mut world);
        assert_eq!(
            events[1].1["after_change"]["owner_id"]["open_id"],
            json!(han)
        );
        assert_eq!(world.chats.get(&chat).unwrap().role_of(&han), "owner");
        let change = Membership {
            remove: vec![han],
            ..Membership::default()
        };
        world.change_members(&chat, &change, None);
        assert_eq!(world.chats.get(&chat).unwrap().role_of(&li), "owner");
    }

    #[test]
    fn a_group_whose_history_is_kept_ends_without_a_word() {
        let (mut world, chat, ..) = world();
        assert!(world.dissolve(&chat, None, true));
        assert_eq!(told(&mut world), []);
    }

    #[test]
    fn a_direct_chat_is_entered_and_its_menu_pressed() {
        let (mut world, _, li, _) = world();
        let chat = world.enter(&li);
        assert_eq!(world.enter(&li), chat);
        world.press_menu(&li, "help", 1_669_364_458_123);
        let events = told(&mut world);
        let kinds: Vec<&str> = events.iter().map(|(kind, _)| *kind).collect();
        let entered = "im.chat.access_event.bot_p2p_chat_entered_v1";
        assert_eq!(kinds, [entered, entered, "application.bot.menu_v6"]);
        assert_eq!(events[0].1["operator_id"]["open_id"], json!(li));
        let menu = &events[2].1;
        assert_eq!(menu["operator"]["operator_id"]["open_id"], json!(li));
        assert_eq!(
            (&menu["event_key"], &menu["timestamp"]),
            (&json!("help"), &json!(1_669_364_458))
        );
    }
}
