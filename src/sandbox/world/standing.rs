//! What becomes of people: they leave the company, are hidden from the app, will not be added to groups.

use super::{Membership, User, World};

/// What is to change about a person; what is `None` stays.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Standing {
    pub(in crate::sandbox) name: Option<String>,
    pub(in crate::sandbox) email: Option<String>,
    pub(in crate::sandbox) mobile: Option<String>,
    pub(in crate::sandbox) hidden: Option<bool>,
    pub(in crate::sandbox) left: Option<bool>,
    pub(in crate::sandbox) refuses_groups: Option<bool>,
}

impl World {
    /// Changes a person, who must be there. Whoever leaves the company leaves every group too.
    pub(in crate::sandbox) fn change_user(&mut self, open_id: &str, to: Standing) {
        let Some(user) = self.users.get_mut(open_id) else {
            return;
        };
        let leaves = to.left == Some(true) && !user.left;
        user.name = to.name.unwrap_or_else(|| user.name.clone());
        user.email = to.email.or_else(|| user.email.clone());
        user.mobile = to.mobile.or_else(|| user.mobile.clone());
        user.hidden = to.hidden.unwrap_or(user.hidden);
        user.left = to.left.unwrap_or(user.left);
        user.refuses_groups = to.refuses_groups.unwrap_or(user.refuses_groups);
        if leaves {
            self.leave_all(open_id);
        }
        self.tell("user", None, None);
    }

    fn leave_all(&mut self, open_id: &str) {
        let is_in = |chat: &&super::Chat| {
            chat.kind != super::ChatKind::P2p && chat.members.iter().any(|one| one == open_id)
        };
        let chats = self.chats.iter().filter(is_in);
        let chats: Vec<String> = chats.map(|chat| chat.chat_id.clone()).collect();
        for chat_id in chats {
            let change = Membership {
                remove: vec![open_id.to_owned()],
                ..Membership::default()
            };
            self.change_members(&chat_id, &change, Some(open_id));
        }
    }

    /// Whether the app finds this person: of its own organisation, within its contact range.
    pub(in crate::sandbox) fn is_within_range(&self, user: &User) -> bool {
        user.tenant_key.is_none() && !user.hidden
    }
}
