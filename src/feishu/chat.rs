//! Chats and who is in them.

use serde::Deserialize;

use super::{
    ChatId, Client, Error, OpenId, Page, TenantKey,
    api::{Api, Call},
    wire::{PageData, Text},
};

static GET: Api = Api::get("chat.get", "/open-apis/im/v1/chats/:chat_id");
static GROUPS: Api = Api::get("chat.list", "/open-apis/im/v1/chats");
static MEMBERS: Api = Api::get("chat.members", "/open-apis/im/v1/chats/:chat_id/members");

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its name; empty for direct chats.
    pub name: String,
    /// Its description.
    pub description: String,
    /// What kind of chat it is.
    pub kind: ChatMode,
    /// Whether every message that is no reply opens a topic.
    pub is_topic: bool,
    /// How many people are in it; bots do not count.
    pub members: Option<u32>,
    /// Whether people of other organisations can be in it.
    pub external: bool,
    /// Whose group it is; nobody's where the bot itself owns it.
    pub owner: Option<OpenId>,
    /// Who manages it besides.
    pub managers: Vec<OpenId>,
}

/// What kind of chat it is, as the chat itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatMode {
    /// An ordinary group.
    Group,
    /// A group of topics.
    Topic,
    /// A direct chat.
    P2p,
}

/// A group that the bot is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub chat_id: ChatId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
}

/// A person in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Their id.
    pub open_id: OpenId,
    /// Their name, which here needs no contact scope.
    pub name: String,
    /// Their organisation.
    pub tenant_key: Option<TenantKey>,
}

impl Client {
    /// Some of the groups that the bot is in, those with news first.
    ///
    /// Needs scope `im:chat`, `im:chat:read` or `im:chat:readonly`.
    pub async fn some_groups(&self) -> Result<Vec<Group>, Error> {
        let call = Call::of(&GROUPS)
            .query("sort_type", "ByActiveTimeDesc")
            .query("page_size", "20");
        let page: PageData<WireGroup> = self.call(&call).await?;
        Ok(groups(page.items))
    }

    /// Reads one page, of up to 100, of the groups that the bot is in, the oldest first: that order neither
    /// repeats nor skips one between pages.
    pub async fn groups(&self, page_token: Option<&str>) -> Result<Page<Group>, Error> {
        let call = Call::of(&GROUPS)
            .query("sort_type", "ByCreateTimeAsc")
            .query("page_size", "100")
            .query_if("page_token", page_token);
        let page: PageData<WireGroup> = self.call(&call).await?;
        Ok(page.into_page(groups))
    }

    /// Reads a chat. One that the bot is not in shows little more than its name.
    pub async fn chat(&self, id: &ChatId) -> Result<Chat, Error> {
        let call = Call::of(&GET)
            .arg(id.as_str())
            .query("user_id_type", "open_id");
        let chat: WireChat = self.call(&call).await?;
        Ok(chat.into_chat())
    }

    /// Reads one page, of up to 100, of the people in a chat. Bots are never listed.
    pub async fn chat_members(
        &self,
        id: &ChatId,
        page_token: Option<&str>,
    ) -> Result<Page<Member>, Error> {
        let call = Call::of(&MEMBERS)
            .arg(id.as_str())
            .query("member_id_type", "open_id")
            .query("page_size", "100")
            .query_if("page_token", page_token);
        let page: PageData<WireMember> = self.call(&call).await?;
        Ok(page.into_page(|items| {
            items
                .into_iter()
                .filter_map(WireMember::into_member)
                .collect()
        }))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireChat {
    name: Text,
    description: Text,
    chat_mode: Text,
    group_message_type: Text,
    /// A number as text.
    user_count: Text,
    external: bool,
    owner_id: Text,
    user_manager_id_list: Option<Vec<String>>,
}

impl WireChat {
    fn into_chat(self) -> Chat {
        let kind = match self.chat_mode.0.as_deref() {
            Some("p2p") => ChatMode::P2p,
            Some("topic") => ChatMode::Topic,
            _ => ChatMode::Group,
        };
        // A group can be switched to topics without becoming a "topic group".
        let in_topics = self.group_message_type.0.as_deref() == Some("thread");
        Chat {
            name: self.name.or_empty(),
            description: self.description.or_empty(),
            kind,
            is_topic: kind == ChatMode::Topic || in_topics,
            members: self.user_count.0.and_then(|count| count.parse().ok()),
            external: self.external,
            owner: self.owner_id.id(OpenId::new),
            managers: self
                .user_manager_id_list
                .unwrap_or_default()
                .into_iter()
                .map(OpenId::new)
                .collect(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireGroup {
    chat_id: Text,
    name: Text,
    description: Text,
}

fn groups(items: Vec<WireGroup>) -> Vec<Group> {
    let group = |group: WireGroup| {
        Some(Group {
            chat_id: group.chat_id.id(ChatId::new)?,
            name: group.name.or_empty(),
            description: group.description.or_empty(),
        })
    };
    items.into_iter().filter_map(group).collect()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireMember {
    member_id: Text,
    name: Text,
    tenant_key: Text,
}

impl WireMember {
    fn into_member(self) -> Option<Member> {
        Some(Member {
            open_id: self.member_id.id(OpenId::new)?,
            name: self.name.or_empty(),
            tenant_key: self.tenant_key.id(TenantKey::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feishu::testing::{Platform, Reply};

    #[tokio::test]
    async fn a_chat_is_read_with_its_numbers_as_text() {
        let platform = Platform::start().await;
        let chat = json!({"name": "Checkout", "description": "d", "chat_mode": "group",
            "group_message_type": "thread", "user_count": "12", "bot_count": "3", "external": true,
            "owner_id": "ou_a", "user_manager_id_list": ["ou_b"]});
        platform.will(
            "GET /open-apis/im/v1/chats/oc_a",
            [Reply::data(chat), Reply::data(json!({"name": "x"}))],
        );
        let (client, id) = (platform.client(), ChatId::new("oc_a"));
        let expected = Chat {
            name: "Checkout".into(),
            description: "d".into(),
            kind: ChatMode::Group,
            is_topic: true,
            members: Some(12),
            external: true,
            owner: Some(OpenId::new("ou_a")),
            managers: vec![OpenId::new("ou_b")],
        };
        assert_eq!(client.chat(&id).await.unwrap(), expected);
        // What a stranger to the chat gets.
        assert_eq!(client.chat(&id).await.unwrap().members, None);
    }

    #[tokio::test]
    async fn members_come_page_by_page() {
        let platform = Platform::start().await;
        let path = "GET /open-apis/im/v1/chats/oc_a/members";
        let member = json!({"member_id_type": "open_id", "member_id": "ou_a", "name": "Li Lei", "tenant_key": "t"});
        platform.will(path, [Reply::data(json!({"items": [member, {}], "has_more": true, "page_token": "p", "member_total": 2}))]);
        let client = platform.client();
        let page = client
            .chat_members(&ChatId::new("oc_a"), Some("o"))
            .await
            .unwrap();
        let expected = Member {
            open_id: OpenId::new("ou_a"),
            name: "Li Lei".into(),
            tenant_key: Some(TenantKey::new("t")),
        };
        assert_eq!(
            (page.items, page.next.as_deref()),
            (vec![expected], Some("p"))
        );
        assert_eq!(
            platform.seen(path)[0].query,
            "member_id_type=open_id&page_size=100&page_token=o"
        );
    }
}
