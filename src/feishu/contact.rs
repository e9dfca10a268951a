//! People.
//!
//! A person whom the app may not see is an error when asked for alone and silently missing from a batch,
//! and one whom it may see without the scope for names has no name.

use std::collections::HashMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{
    Client, Error, OpenId,
    api::{Api, Call},
    wire::{PageData, Text, list},
};

static GET: Api = Api::get("user.get", "/open-apis/contact/v3/users/:user_id");
static IDS: Api = Api::new(
    "user.ids",
    Method::POST,
    "/open-apis/contact/v3/users/batch_get_id",
);
static BATCH: Api = Api::get("user.batch", "/open-apis/contact/v3/users/batch");

/// The most that one batch may ask for.
const BATCH_MAX: usize = 50;

/// What somebody logs in with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// An e-mail.
    Email(String),
    /// A mobile number: with `+` and the country's code, or 11 digits for mainland China.
    Mobile(String),
}

/// Whom to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// Those who are there.
    Present,
    /// Those who left the organisation, too.
    PresentAndGone,
}

/// Somebody who was found by what they log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// As the platform writes it, which may be otherwise than it was asked.
    pub address: Address,
    /// Who it is.
    pub open_id: OpenId,
    /// Whether they left. Without the scope `contact:user.employee:readonly` nobody says so.
    pub has_left: bool,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub open_id: OpenId,
    /// Their name; absent if the app lacks scope `contact:user.base:readonly`.
    pub name: Option<String>,
}

impl Client {
    /// Reads a person. [`Error::Forbidden`] (code 41050) if they are outside the app's contact range.
    pub async fn user(&self, id: &OpenId) -> Result<User, Error> {
        let call = Call::of(&GET)
            .arg(id.as_str())
            .query("user_id_type", "open_id");
        let one: One = self.call(&call).await?;
        // The answer is about whom we asked for, also where it does not repeat the id.
        Ok(User {
            open_id: one
                .user
                .open_id
                .id(OpenId::new)
                .unwrap_or_else(|| id.clone()),
            name: one.user.name.0,
        })
    }

    /// Reads those of the people whom the app may see, in as many batches of 50 as it takes.
    pub async fn users(&self, ids: &[OpenId]) -> Result<Vec<User>, Error> {
        let mut users = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH_MAX) {
            let mut call = Call::of(&BATCH).query("user_id_type", "open_id");
            for id in batch {
                call = call.query("user_ids", id.as_str());
            }
            let page: PageData<WireUser> = self.call(&call).await?;
            users.extend(page.items.into_iter().filter_map(WireUser::into_user));
        }
        Ok(users)
    }

    /// The people who log in with these e-mails, in as many batches of 50 as it takes. Addresses that
    /// belong to nobody the app may see are not in the answer. [`Error::Forbidden`] without the scope
    /// `contact:user.id:readonly`.
    pub async fn users_by_email(
        &self,
        emails: &[String],
    ) -> Result<HashMap<String, OpenId>, Error> {
        let addresses: Vec<_> = emails.iter().cloned().map(Address::Email).collect();
        let found = self.look_up(&addresses, Among::Present).await?;
        let emails = found.into_iter().filter_map(|one| match one.address {
            Address::Email(email) => Some((email, one.open_id)),
            Address::Mobile(_) => None,
        });
        Ok(emails.collect())
    }

    /// The people who log in with these, in as many batches of 50 e-mails and 50 mobile numbers as it takes.
    /// What belongs to nobody the app may see is not in the answer, and the platform does not say which of
    /// the two it is. [`Error::Forbidden`] without the scope `contact:user.id:readonly`.
    pub async fn look_up(
        &self,
        addresses: &[Address],
        among: Among,
    ) -> Result<Vec<LookedUp>, Error> {
        let (mut emails, mut mobiles) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                Address::Email(email) => emails.push(email.as_str()),
                Address::Mobile(mobile) => mobiles.push(mobile.as_str()),
            }
        }
        let mut found = Vec::new();
        for n in 0..emails.len().max(mobiles.len()).div_ceil(BATCH_MAX) {
            let call = Call::of(&IDS)
                .query("user_id_type", "open_id")
                .body(&Wanted {
                    emails: batch(&emails, n),
                    mobiles: batch(&mobiles, n),
                    include_resigned: among == Among::PresentAndGone,
                });
            let page: Ids = self.call(&call).await?;
            found.extend(
                page.user_list
                    .into_iter()
                    .filter_map(WireId::into_looked_up),
            );
        }
        Ok(found)
    }
}

/// The `n`th batch of a list.
fn batch<'a>(list: &'a [&'a str], n: usize) -> &'a [&'a str] {
    list.chunks(BATCH_MAX).nth(n).unwrap_or_default()
}

#[derive(Serialize)]
struct Wanted<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    emails: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mobiles: &'a [&'a str],
    include_resigned: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ids {
    #[serde(deserialize_with = "list")]
    user_list: Vec<WireId>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireId {
    email: Text,
    mobile: Text,
    user_id: Text,
    status: Option<WireStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireStatus {
    is_resigned: bool,
    is_exited: bool,
}

impl WireId {
    /// Nothing for an address of nobody, which comes back without an id.
    fn into_looked_up(self) -> Option<LookedUp> {
        let email = self.email.0.map(Address::Email);
        Some(LookedUp {
            address: email.or_else(|| self.mobile.0.map(Address::Mobile))?,
            open_id: self.user_id.id(OpenId::new)?,
            has_left: self
                .status
                .is_some_and(|status| status.is_resigned || status.is_exited),
        })
    }
}

#[derive(Deserialize)]
struct One {
    user: WireUser,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireUser {
    open_id: Text,
    name: Text,
}

impl WireUser {
    fn into_user(self) -> Option<User> {
        Some(User {
            open_id: self.open_id.id(OpenId::new)?,
            name: self.name.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn a_person_without_a_readable_name_has_none() {
        let platform = Platform::start().await;
        let path = "GET /open-apis/contact/v3/users/ou_a";
        platform.will(
            path,
            [
                Reply::data(json!({"user": {"open_id": "ou_a", "name": "Li Lei", "en_name": ""}})),
                Reply::data(json!({"user": {"open_id": "ou_a", "union_id": "on_a"}})),
                Reply::refusal(400, 41050),
            ],
        );
        let (client, id) = (platform.client(), OpenId::new("ou_a"));
        assert_eq!(
            client.user(&id).await.unwrap().name.as_deref(),
            Some("Li Lei")
        );
        assert_eq!(client.user(&id).await.unwrap().name, None);
        let error = client.user(&id).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)), "{error}");
    }

    #[tokio::test]
    async fn people_are_found_by_the_e_mail_they_log_in_with() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/contact/v3/users/batch_get_id";
        let list = json!([{"email": "a@x.com", "user_id": "ou_a"}, {"email": "b@x.com"}]);
        platform.will(path, [Reply::data(json!({"user_list": list}))]);
        let emails = ["a@x.com".to_owned(), "b@x.com".to_owned()];
        let found = platform.client().users_by_email(&emails).await.unwrap();
        assert_eq!(
            found,
            HashMap::from([("a@x.com".into(), OpenId::new("ou_a"))])
        );
        assert_eq!(platform.seen(path)[0].query, "user_id_type=open_id");
    }

    #[tokio::test]
    async fn addresses_are_looked_up_fifty_of_each_kind_at_a_time() {
        let platform = Platform::start().await;
        let path = "POST /open-apis/contact/v3/users/batch_get_id";
        let first = json!([
            {"email": "0@x.com", "user_id": "ou_0"},
            {"mobile": "13800138000", "user_id": "ou_m", "status": {"is_resigned": true}},
            {"email": "1@x.com"},
        ]);
        platform.will(
            path,
            [
                Reply::data(json!({"user_list": first})),
                Reply::data(json!({"user_list": []})),
                Reply::data(json!({"user_list": null})),
            ],
        );
        let mut addresses: Vec<_> = (0..120)
            .map(|n| Address::Email(format!("{n}@x.com")))
            .collect();
        addresses.push(Address::Mobile("13800138000".into()));
        let client = platform.client();
        let found = client.look_up(&addresses, Among::PresentAndGone).await;
        let found: Vec<_> = found
            .unwrap()
            .into_iter()
            .map(|one| (one.address, one.open_id.to_string(), one.has_left))
            .collect();
        assert_eq!(
            found,
            [
                (Address::Email("0@x.com".into()), "ou_0".to_owned(), false),
                (
                    Address::Mobile("13800138000".into()),
                    "ou_m".to_owned(),
                    true
                ),
            ]
        );
        let asked: Vec<_> = platform
            .seen(path)
            .iter()
            .map(|seen| {
                let count = |key: &str| seen.body[key].as_array().map_or(0, Vec::len);
                (
                    count("emails"),
                    count("mobiles"),
                    seen.body["include_resigned"].clone(),
                )
            })
            .collect();
        let with_gone = || json!(true);
        assert_eq!(
            asked,
            [
                (50, 1, with_gone()),
                (50, 0, with_gone()),
                (20, 0, with_gone())
            ]
        );
        let nobody = client.look_up(&[], Among::Present).await.unwrap();
        assert!(nobody.is_empty(), "nobody is asked for nobody");
        assert_eq!(platform.seen(path).len(), 3);
    }

    #[tokio::test]
    async fn many_people_are_asked_for_in_batches_of_fifty() {
        let platform = Platform::start().await;
        let path = "GET /open-apis/contact/v3/users/batch";
        platform.will(
            path,
            [
                Reply::data(json!({"items": [{"open_id": "ou_0", "name": "A"}]})),
                Reply::data(json!({"items": [{"open_id": "ou_50", "name": "B"}]})),
            ],
        );
        let ids: Vec<_> = (0..51).map(|n| OpenId::new(format!("ou_{n}"))).collect();
        let users = platform.client().users(&ids).await.unwrap();
        assert_eq!(users.len(), 2, "those outside the range are not there");
        let seen = platform.seen(path);
        assert_eq!(seen[0].query.matches("user_ids=").count(), 50);
        assert_eq!(seen[1].query, "user_id_type=open_id&user_ids=ou_50");
        assert!(platform.client().users(&[]).await.unwrap().is_empty());
    }
}
