//! What a group allows whom, by the names that the platform has for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Each setting with what it may be; the first is what a new group has.
const KNOWN: &[(&str, &[&str])] = &[
    ("add_member_permission", &["all_members", "only_owner"]),
    ("at_all_permission", &["all_members", "only_owner"]),
    ("edit_permission", &["all_members", "only_owner"]),
    ("hide_member_count_setting", &["all_members", "only_owner"]),
    (
        "join_message_visibility",
        &["all_members", "only_owner", "not_anyone"],
    ),
    (
        "leave_message_visibility",
        &["all_members", "only_owner", "not_anyone"],
    ),
    (
        "membership_approval",
        &["no_approval_required", "approval_required"],
    ),
    ("pin_manage_setting", &["all_members", "only_owner"]),
    ("share_card_permission", &["allowed", "not_allowed"]),
    ("urgent_setting", &["all_members", "only_owner"]),
    ("video_conference_setting", &["all_members", "only_owner"]),
];

/// A group's settings; what is not in the map is as in a new group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sandbox) struct Settings(BTreeMap<&'static str, &'static str>);

impl Settings {
    /// The settings among the members of a request, or the sentence about the one that is wrong.
    pub(in crate::sandbox) fn read(members: &Map<String, Value>) -> Result<Self, String> {
        let mut settings = BTreeMap::new();
        for (name, allowed) in KNOWN {
            let Some(value) = members.get(*name).filter(|value| !value.is_null()) else {
                continue;
            };
            let known = allowed.iter().find(|known| value == **known);
            let known = known.ok_or_else(|| format!("{name} must be one of {allowed:?}"))?;
            settings.insert(*name, *known);
        }
        Ok(Self(settings))
    }

    /// Whether nothing is set.
    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a setting of this name is among them.
    pub(in crate::sandbox) fn names(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether only those who run the group may do this.
    pub(in crate::sandbox) fn is_for_owners(&self, name: &str) -> bool {
        self.0.get(name) == Some(&"only_owner")
    }

    /// Whether who is added has to wait until somebody agrees.
    pub(in crate::sandbox) fn needs_approval(&self) -> bool {
        self.0.get("membership_approval") == Some(&"approval_required")
    }

    /// Takes over `others`, and answers what changed as the two halves of an event: before and after.
    pub(super) fn take_over(&mut self, others: &Self) -> (Map<String, Value>, Map<String, Value>) {
        let (mut before, mut after) = (Map::new(), Map::new());
        for (name, value) in &others.0 {
            let old = self.value(name);
            if old != *value {
                before.insert((*name).to_owned(), json!(old));
                after.insert((*name).to_owned(), json!(value));
                self.0.insert(*name, *value);
            }
        }
        (before, after)
    }

    /// All of them, as Get chat has them.
    pub(in crate::sandbox) fn all(&self) -> Map<String, Value> {
        let value = |(name, _): &(&str, _)| ((*name).to_owned(), json!(self.value(name)));
        KNOWN.iter().map(value).collect()
    }

    fn value(&self, name: &str) -> &'static str {
        let default = KNOWN.iter().find(|(known, _)| *known == name);
        let default = default.map_or("", |(_, allowed)| allowed[0]);
        self.0.get(name).copied().unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_with_what_it_was() {
        let read = |value: Value| Settings::read(value.as_object().unwrap());
        let mut settings = Settings::default();
        let new = read(json!({"edit_permission": "only_owner", "urgent_setting": "all_members"}));
        let (before, after) = settings.take_over(&new.unwrap());
        assert_eq!(json!(before), json!({"edit_permission": "all_members"}));
        assert_eq!(json!(after), json!({"edit_permission": "only_owner"}));
        assert!(settings.is_for_owners("edit_permission"));
        assert!(read(json!({"edit_permission": "nobody"})).is_err());
        assert_eq!(settings.all().len(), KNOWN.len());
    }
}
