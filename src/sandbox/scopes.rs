//! What the app is allowed to do.
//!
//! Granted are the twelve scopes of the permission list that the documentation of this project
//! starts from, and the two without which direct messages and mentions are never delivered.

use std::collections::BTreeSet;

use super::refusal::Refusal;

/// What the app has been granted unless `refuse_scopes` takes it away.
pub(super) const GRANTED: &[&str] = &[
    "im:chat",
    "im:message",
    "im:message:send_as_bot",
    "im:message:update",
    "im:message.group_msg",
    "im:message.reactions:read",
    "im:message.reactions:write_only",
    "im:resource",
    "cardkit:card:write",
    "contact:user.id:readonly",
    "contact:contact.base:readonly",
    "contact:user.base:readonly",
    "im:message.p2p_msg:readonly",
    "im:message.group_at_msg:readonly",
];

/// The scopes that hold at one moment.
#[derive(Debug, Clone)]
pub(super) struct Scopes {
    app_id: String,
    held: BTreeSet<String>,
}

impl Scopes {
    /// What is left of [`GRANTED`] and `extra` without `refused`.
    pub(super) fn of(app_id: &str, extra: &[String], refused: &[String]) -> Self {
        let granted = GRANTED.iter().copied().map(str::to_owned);
        Self {
            app_id: app_id.to_owned(),
            held: granted
                .chain(extra.iter().cloned())
                .filter(|scope| !refused.contains(scope))
                .collect(),
        }
    }

    /// Whether one of them is held. An empty list needs none.
    pub(super) fn any(&self, of: &[&str]) -> bool {
        of.is_empty() || of.iter().any(|scope| self.held.contains(*scope))
    }

    /// 99991672 when none of them is held.
    pub(super) fn require(&self, any_of: &[&str]) -> Result<(), Refusal> {
        if self.any(any_of) {
            Ok(())
        } else {
            Err(Refusal::scope(&self.app_id, any_of))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_scope_is_named_with_a_link_to_grant_it() {
        let scopes = Scopes::of("cli_1", &[], &["cardkit:card:write".to_owned()]);
        assert!(scopes.require(&["im:message"]).is_ok());
        let refusal = scopes.require(&["cardkit:card:write"]).unwrap_err();
        assert_eq!(refusal.code, 99_991_672);
        assert_eq!(
            refusal.detail["permission_violations"][0]["subject"],
            "cardkit:card:write"
        );
        assert!(
            refusal.detail["helps"][0]["url"]
                .as_str()
                .unwrap()
                .contains("cli_1")
        );
    }
}
