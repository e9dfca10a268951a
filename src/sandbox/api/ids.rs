//! The kinds of id under which a request may name people: `user_id_type`, `member_id_type`.

use super::{
    super::{
        refusal::Refusal,
        world::{User, World},
    },
    envelope::Params,
};

/// Which of a person's ids is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdType {
    Open,
    Union,
    User,
}

impl IdType {
    /// What the query says under `name`; the open_id where it says nothing.
    pub(super) fn read(params: &Params, name: &str) -> Result<Self, Refusal> {
        match params.get(name).unwrap_or("open_id") {
            "open_id" => Ok(Self::Open),
            "union_id" => Ok(Self::Union),
            "user_id" => Ok(Self::User),
            _ => Err(Refusal::field(
                name,
                format!("{name} must be open_id, union_id or user_id"),
            )),
        }
    }

    /// The word that stands in answers.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "open_id",
            Self::Union => "union_id",
            Self::User => "user_id",
        }
    }

    /// The person with this id.
    pub(super) fn find<'a>(self, world: &'a World, id: &str) -> Option<&'a User> {
        match self {
            Self::Open => world.users.get(id),
            Self::Union => world.users.iter().find(|user| user.union_id == id),
            Self::User => world.users.iter().find(|user| user.user_id == id),
        }
    }

    /// This id of a person.
    pub(super) fn of(self, user: &User) -> &str {
        match self {
            Self::Open => &user.open_id,
            Self::Union => &user.union_id,
            Self::User => &user.user_id,
        }
    }

    /// This id of the person with that open_id.
    pub(super) fn translated<'a>(self, world: &'a World, open_id: &'a str) -> &'a str {
        world
            .users
            .get(open_id)
            .map_or(open_id, |user| self.of(user))
    }

    /// What is said of an id that nobody has.
    pub(super) fn unknown(self) -> Refusal {
        match self {
            Self::Open => Refusal::no_such_open_id(),
            Self::Union => Refusal::new(99_992_364, "The union_id does not exist"),
            Self::User => Refusal::new(99_992_360, "The user_id does not exist"),
        }
    }
}
