//! `[access]`: who may use the bot, who may do more, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

use super::problems::Problems;

/// `[access]`: who may use the bot, who may do more, and how often.
///
/// People are named by open_id (`ou_…`), by e-mail, or by a chat (`oc_…`) that they are in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Who may use the bot; empty for everybody in the organisation.
    pub allow_users: Vec<String>,
    /// Who may not, whatever else says that they may.
    pub deny_users: Vec<String>,
    /// In which groups it may be used; empty for all. Direct chats are not groups.
    pub allow_chats: Vec<String>,
    /// In which groups it may not.
    pub deny_chats: Vec<String>,
    /// Who runs the bot: they are told what is wrong with it and may do everything.
    pub administrators: Vec<String>,
    /// Who answers for incidents.
    pub responders: Vec<String>,
    /// Other organisations whose people may use the bot, by tenant_key.
    pub tenants: Vec<String>,
    /// Whether it may be used in groups that hold people of other organisations.
    pub external_groups: bool,
    /// How many questions and commands one person may send in a minute; 0 for any number.
    pub requests_per_minute: u32,
    /// The same for an hour.
    pub requests_per_hour: u32,
    /// How long it is kept who asked for what.
    #[serde(with = "duration")]
    pub audit_kept: Duration,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            allow_users: Vec::new(),
            deny_users: Vec::new(),
            allow_chats: Vec::new(),
            deny_chats: Vec::new(),
            administrators: Vec::new(),
            responders: Vec::new(),
            tenants: Vec::new(),
            external_groups: false,
            requests_per_minute: 120,
            requests_per_hour: 1000,
            audit_kept: Duration::from_secs(90 * 24 * 3600),
        }
    }
}

impl AccessConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let people = [
            ("allow_users", &self.allow_users),
            ("deny_users", &self.deny_users),
            ("administrators", &self.administrators),
            ("responders", &self.responders),
        ];
        for (key, list) in people {
            let is_known = |one: &String| {
                one.starts_with("ou_") || one.starts_with("oc_") || one.contains('@')
            };
            problems.demand(
                list.iter().all(is_known),
                &format!("`access.{key}` names someone by neither an open_id (ou_…), an e-mail nor a chat (oc_…): send the bot /whoami to see yours"),
            );
        }
        for (key, list) in [
            ("allow_chats", &self.allow_chats),
            ("deny_chats", &self.deny_chats),
        ] {
            problems.demand(
                list.iter().all(|one| one.starts_with("oc_")),
                &format!("`access.{key}` holds something that is no chat (oc_…): send the bot /whoami in a group to see its id"),
            );
        }
    }
}
