//! Somebody says that they are a member, and nothing but their word says so: it waits for an administrator.
//!
//! A claim has a short code, by which administrators confirm or decline it from wherever they read it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    feishu::{ChatId, OpenId},
    store::{self, Collection, Record, Store},
};

/// How long a claim waits.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long somebody has to wait before they say that they are somebody else: each claim is a message to
/// every administrator.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// How many may wait.
const WAITING_MAX: usize = 100;

/// What codes are made of: nothing that is taken for something else when it is read out.
const LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// Somebody who says that they are a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Claim {
    /// Who.
    pub person: OpenId,
    /// Which member, by name.
    pub member: String,
    /// Where they said it.
    pub chat: ChatId,
    /// When.
    pub at: Timestamp,
}

impl Record for Claim {
    const COLLECTION: &'static str = "member_claim";
    const VERSION: u8 = 1;
}

/// What an administrator says to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bot) enum Decision {
    /// It is so.
    Confirm,
    /// It is not.
    Decline,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) enum Kept {
    /// It waits, under this code.
    Code(String),
    /// The same person said something else a moment ago.
    TooSoon,
    /// Too many wait.
    NoRoom,
}

/// The store's side of it.
pub(in crate::bot) struct Claims(Collection<Claim>);

impl Claims {
    pub(super) fn new(store: &Store) -> Self {
        Self(store.collection())
    }

    /// Keeps a claim and gives its code; the same one for who says it again.
    pub(in crate::bot) async fn keep(&self, claim: &Claim) -> Result<Kept, store::Error> {
        let mut waiting = 0;
        for (code, other) in self.0.scan("", None, WAITING_MAX).await? {
            let is_same = other.person == claim.person && other.member == claim.member;
            if is_same && !is_over(&other, claim.at) {
                return Ok(Kept::Code(code));
            }
            let is_younger = age(&other, claim.at) < SAID_AGAIN_AFTER;
            if other.person == claim.person && is_younger {
                return Ok(Kept::TooSoon);
            }
            // Of one person only the last word counts.
            if other.person == claim.person || is_over(&other, claim.at) {
                self.0.delete(&code).await?;
            } else {
                waiting += 1;
            }
        }
        if waiting >= WAITING_MAX {
            return Ok(Kept::NoRoom);
        }
        loop {
            let code = code();
            if self.0.compare_and_swap(&code, None, Some(claim)).await? {
                return Ok(Kept::Code(code));
            }
        }
    }

    /// Takes a claim out, once: of two administrators one gets it. `None`: there is none, any more.
    pub(in crate::bot) async fn take(&self, code: &str) -> Result<Option<Claim>, store::Error> {
        let code = code.to_ascii_uppercase();
        let is_code = code.len() == 4 && code.bytes().all(|byte| LETTERS.contains(&byte));
        let found = match is_code {
            true => self.0.get(&code).await?,
            false => None,
        };
        let Some(claim) = found.filter(|claim| !is_over(claim, Timestamp::now())) else {
            return Ok(None);
        };
        let is_taken = self.0.compare_and_swap(&code, Some(&claim), None).await?;
        Ok(is_taken.then_some(claim))
    }
}

fn is_over(claim: &Claim, now: Timestamp) -> bool {
    age(claim, now) > KEPT
}

fn age(claim: &Claim, now: Timestamp) -> Duration {
    claim.at.duration_until(now).unsigned_abs()
}

fn code() -> String {
    (0..4)
        .map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::config::StoreConfig;

    fn claim(person: &str, member: &str) -> Claim {
        Claim {
            person: OpenId::new(person),
            member: member.into(),
            chat: ChatId::new("oc_a"),
            at: Timestamp::now(),
        }
    }

    #[tokio::test]
    async fn a_claim_is_taken_once_and_the_last_word_of_a_person_counts() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let claims = Claims::new(&Store::open(&config).await.unwrap());
        let keep = async |claim: &Claim| match claims.keep(claim).await.unwrap() {
            Kept::Code(code) => code,
            kept => panic!("{kept:?}"),
        };
        let first = keep(&claim("ou_a", "Li")).await;
        assert_eq!(keep(&claim("ou_a", "Li")).await, first, "said twice");
        let other = keep(&claim("ou_b", "Li")).await;
        let too_soon = claims.keep(&claim("ou_a", "Han")).await.unwrap();
        assert_eq!(too_soon, Kept::TooSoon);
        let later = Claim {
            at: Timestamp::now() + SAID_AGAIN_AFTER,
            ..claim("ou_a", "Han")
        };
        let second = keep(&later).await;
        assert_eq!(claims.take(&first).await.unwrap(), None, "taken back");
        let lower = second.to_lowercase();
        let taken = claims.take(&lower).await.unwrap().unwrap();
        assert_eq!(taken.member, "Han");
        assert_eq!(claims.take(&second).await.unwrap(), None);
        assert!(claims.take(&other).await.unwrap().is_some());
        for odd in ["", "0000", "../x", "2345678"] {
            assert_eq!(claims.take(odd).await.unwrap(), None, "{odd}");
        }
    }

    #[tokio::test]
    async fn a_claim_that_waited_too_long_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let claims = Claims::new(&Store::open(&config).await.unwrap());
        let old = Claim {
            at: Timestamp::UNIX_EPOCH,
            ..claim("ou_a", "Li")
        };
        let Kept::Code(code) = claims.keep(&old).await.unwrap() else {
            panic!("there is room");
        };
        assert_eq!(claims.take(&code).await.unwrap(), None);
    }

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let claim = Claim {
            at: Timestamp::UNIX_EPOCH,
            ..claim("ou_a", "Li")
        };
        assert_json_snapshot!(claim, @r#"
        {
          "person": "ou_a",
          "member": "Li",
          "chat": "oc_a",
          "at": "1970-01-01T00:00:00Z"
        }
        "#);
    }
}
