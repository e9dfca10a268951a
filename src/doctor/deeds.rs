//! What the bot does all day, tried in earnest: permissions on a list are one thing, a call that is made
//! another.
//!
//! Nothing stays behind but the probe card in the chat that was named for it. A card entity is made and
//! sent to nobody, a picture of one pixel is uploaded, and a reaction is taken away again.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    finding::{Check, Finding, both},
    pages::Pages,
    refusal::{explain, lacking_scopes},
    scopes,
};
use crate::feishu::{
    ChatId, Client, Container, Error, Group, ListMessages, MessageId, OpenId, Outgoing, Recipient,
    UploadError,
};

const GROUPS: Check = Check::optional("try.groups", "Groups are known", "能看到所在的群");
const HISTORY: Check = Check::required(
    "try.history",
    "A group's history can be read",
    "能读取群历史",
);
const CARD: Check = Check::required("try.card", "A card is made and closed", "能创建并结束卡片");
const MESSAGE: Check = Check::required(
    "try.message",
    "A card is sent and changed",
    "能发送并更新卡片",
);
const REACTION: Check = Check::optional(
    "try.reaction",
    "A reaction is added, read and removed",
    "能添加、读取、移除表情",
);
const PERSON: Check = Check::optional("try.person", "A person has a name", "能查到用户姓名");
const LOOK_UP: Check = Check::optional(
    "try.lookup",
    "People are found by e-mail address",
    "能通过邮箱查找用户",
);
const UPLOAD: Check = Check::optional("try.upload", "A picture is uploaded", "能上传图片");

/// Nobody has an address there: `.invalid` is kept free for this (RFC 2606).
const NOBODY: &str = "nobody@nightjar.invalid";
/// A picture of one white pixel.
const PICTURE: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0x0f, 0x00, 0x01,
    0x01, 0x01, 0x00, 0xb1, 0x38, 0xf6, 0x14, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];
/// The reaction that is tried; it says that something is looked at.
const EMOJI: &str = "OnIt";

/// Where things may be tried that people could see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A card is sent there, and says that it is a probe.
    Card(Recipient),
    /// The bot was asked to examine itself by this message, and may put a reaction on it for a moment.
    Question {
        /// The chat it stands in.
        chat: ChatId,
        /// The message.
        message: MessageId,
        /// Who asked.
        asker: OpenId,
    },
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// A line for each deed.
    pub(super) findings: Vec<Finding>,
    /// What was learnt about permissions.
    pub(super) scopes: scopes::Seen,
    /// The probe card, if one was sent.
    pub(super) card: Option<MessageId>,
}

/// One deed and what it taught.
struct Deed {
    finding: Finding,
    proved: &'static [&'static str],
    refused: Option<Error>,
}

impl Deed {
    fn done(finding: Finding, proved: &'static [&'static str]) -> Self {
        Self {
            finding,
            proved,
            refused: None,
        }
    }

    fn failed(check: &Check, error: Error, pages: &Pages) -> Self {
        Self {
            finding: explain(check, &error, pages),
            proved: &[],
            refused: Some(error),
        }
    }
}

/// How things are tried.
pub(super) struct Trial<'a> {
    /// By whom.
    pub(super) client: &'a Client,
    /// Where people may see it.
    pub(super) place: Option<&'a Place>,
    /// What stands in the probe card's button.
    pub(super) mark: &'a str,
    /// Where things are mended.
    pub(super) pages: &'a Pages,
    /// How long one call may take, its admission included.
    pub(super) patience: Duration,
}

impl Trial<'_> {
    /// Tries everything that may be tried there.
    pub(super) async fn try_all(&self) -> Done {
        let rooms = async {
            let (groups, deed) = self.groups().await;
            let room = match self.place {
                Some(Place::Card(Recipient::Chat(chat))) => Some(chat.clone()),
                _ => groups.first().map(|group| group.chat_id.clone()),
            };
            let (history, person) =
                tokio::join!(self.history(room.as_ref()), self.person(room.as_ref()),);
            [deed, history, person]
        };
        let seen_by_people = async {
            let (sent, deed) = self.message().await;
            let on = match self.place {
                Some(Place::Question { message, .. }) => Some(message.clone()),
                _ => sent.clone(),
            };
            let reaction = self.reaction(on.as_ref()).await;
            (sent, deed, reaction)
        };
        let (rooms, (sent, message, reaction), card, look_up, upload) = tokio::join!(
            rooms,
            seen_by_people,
            self.card(),
            self.look_up(),
            self.upload(),
        );
        let [groups, history, person] = rooms;
        let deeds = [
            Some(history),
            Some(card),
            message,
            Some(groups),
            Some(reaction),
        ];
        let deeds = deeds.into_iter().flatten().chain([person, look_up, upload]);
        let mut done = Done {
            card: sent,
            ..Done::default()
        };
        for deed in deeds {
            done.take(deed);
        }
        done
    }

    /// Makes a call; one that takes too long has not answered.
    async fn patiently<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Option<Error>> {
        match timeout(self.patience, call).await {
            Ok(answered) => answered.map_err(Some),
            Err(_) => Err(None),
        }
    }

    /// A deed whose call failed, or was not answered.
    fn not_done(&self, check: &Check, error: Option<Error>) -> Deed {
        match error {
            Some(error) => Deed::failed(check, error, self.pages),
            None => Deed::done(
                check.unknown(both("no answer in time", "未能及时应答")),
                &[],
            ),
        }
    }

    async fn groups(&self) -> (Vec<Group>, Deed) {
        match self.patiently(self.client.some_groups()).await {
            Ok(groups) => {
                let number = groups.len();
                let found = both(
                    format!("it is in {number} groups (at most 20 are counted)"),
                    format!("在 {number} 个群里（最多数 20 个）"),
                );
                (groups, Deed::done(GROUPS.works(found), &["im:chat"]))
            }
            Err(error) => (Vec::new(), self.not_done(&GROUPS, error)),
        }
    }

    async fn history(&self, room: Option<&ChatId>) -> Deed {
        let Some(room) = room else {
            let line = HISTORY
                .unknown(both("no group to try it in", "没有可供尝试的群"))
                .remedy(
                    "Add the bot to a group, or name one with --chat.",
                    "把机器人加入一个群，或用 --chat 指定一个。",
                );
            return Deed::done(line.need(super::finding::Need::Optional), &[]);
        };
        let list = ListMessages {
            container: Container::Chat(room.clone()),
            since: Some(Timestamp::now() - jiff::SignedDuration::from_hours(24)),
            until: None,
            newest_first: true,
            page_size: 1,
            page_token: None,
        };
        match self.patiently(self.client.messages(&list)).await {
            Ok(_) => Deed::done(
                HISTORY.works(both(
                    "a group's newest message was read",
                    "读到了一个群的最新消息",
                )),
                &["im:message", "im:message.group_msg"],
            ),
            Err(error) => self.not_done(&HISTORY, error),
        }
    }

    async fn card(&self) -> Deed {
        let text = "This card is sent to nobody.";
        let card = json!({
            "schema": "2.0",
            "config": {"update_multi": true, "streaming_mode": true},
            "body": {"elements": [{"tag": "markdown", "element_id": "probe", "content": text}]},
        });
        let made = async {
            let card = self.client.create_card(&card).await?;
            let closed = json!({"streaming_mode": false});
            self.client.set_card_settings(&card, &closed, 1).await
        };
        match self.patiently(made).await {
            Ok(()) => Deed::done(
                CARD.works(both(
                    "made, and streaming switched off",
                    "已创建并关闭流式状态",
                )),
                &["cardkit:card:write"],
            ),
            Err(error) => self.not_done(&CARD, error),
        }
    }

    /// Sends the probe card. From inside there is nothing to try: the answer that shows the report is proof.
    async fn message(&self) -> (Option<MessageId>, Option<Deed>) {
        let to = match self.place {
            Some(Place::Card(to)) => to,
            Some(Place::Question { .. }) => return (None, None),
            None => {
                let line = MESSAGE
                .unknown(both("not tried", "未尝试"))
                .remedy(
                    "Name a chat with --chat: a group's id (oc_…), or a person's (ou_…). A card is sent there.",
                    "用 --chat 指定一个会话：群的 ID（oc_…）或用户的 ID（ou_…），会往那里发一张卡片。",
                )
                .need(super::finding::Need::Optional);
                return (None, Some(Deed::done(line, &[])));
            }
        };
        let outgoing = Outgoing::CardJson(probe_card(self.mark, false));
        let sent = match self
            .patiently(self.client.send(to, &outgoing, self.mark))
            .await
        {
            Ok(sent) => sent.id,
            Err(error) => return (None, Some(self.not_done(&MESSAGE, error))),
        };
        // Nothing is different afterwards; what counts is that it may be done.
        let changed = self
            .patiently(self.client.patch_card(&sent, &probe_card(self.mark, false)))
            .await;
        let deed = match changed {
            Ok(()) => Deed::done(
                MESSAGE.works(both("sent, and changed", "已发送并更新")),
                &[],
            ),
            Err(error) => self.not_done(&MESSAGE, error),
        };
        (Some(sent), Some(deed))
    }

    async fn reaction(&self, on: Option<&MessageId>) -> Deed {
        let Some(on) = on else {
            let line = REACTION
                .unknown(both(
                    "no message of its own to try it on",
                    "没有可供尝试的自己的消息",
                ))
                .remedy("Name a chat with --chat.", "用 --chat 指定一个会话。");
            return Deed::done(line, &[]);
        };
        let added = match self.patiently(self.client.add_reaction(on, EMOJI)).await {
            Ok(added) => added,
            Err(error) => return self.not_done(&REACTION, error),
        };
        // Taken away before anything else is said, so that it does not stay.
        let read = self.patiently(self.client.reactions(on)).await;
        let removed = self
            .patiently(self.client.remove_reaction(on, &added.id))
            .await;
        match (read, removed) {
            (Ok(_), Ok(())) => Deed::done(
                REACTION.works(both("done", "已完成")),
                &["im:message.reactions:read"],
            ),
            (Err(error), _) | (_, Err(error)) => self.not_done(&REACTION, error),
        }
    }

    async fn person(&self, room: Option<&ChatId>) -> Deed {
        let id = match (self.place, room) {
            (Some(Place::Question { asker, .. }), _) => Some(asker.clone()),
            (Some(Place::Card(Recipient::Person(person))), _) => Some(person.clone()),
            (_, Some(room)) => match self.patiently(self.client.chat_members(room, None)).await {
                Ok(page) => page.items.into_iter().next().map(|member| member.open_id),
                Err(_) => None,
            },
            (_, None) => None,
        };
        let Some(id) = id else {
            let line = PERSON
                .unknown(both("nobody to look up", "没有可供查询的用户"))
                .remedy(
                    "Add the bot to a group, or name a person with --chat ou_….",
                    "把机器人加入一个群，或用 --chat ou_… 指定一位用户。",
                );
            return Deed::done(line, &[]);
        };
        match self.patiently(self.client.user(&id)).await {
            Ok(user) if user.name.is_some() => Deed::done(
                PERSON.works(both("looked up, with a name", "已查到，有姓名")),
                &[
                    "contact:contact.base:readonly",
                    "contact:user.base:readonly",
                ],
            ),
            // The platform leaves out what may not be read, and says nothing about it.
            Ok(_) => {
                let scope = "contact:user.base:readonly";
                let line = PERSON
                    .missing(both("looked up, without a name", "已查到，但没有姓名"))
                    .symptom(
                        "People are called \"someone (…a1b2)\".",
                        "人名显示为“某人（…a1b2）”。",
                    )
                    .remedy(
                        format!("Add {scope} under Permissions & Scopes, then publish a version."),
                        format!("在“权限管理”中开通 {scope}，然后发布版本。"),
                    )
                    .link(self.pages.scopes(&[scope]));
                let line = Finding {
                    scopes: vec![scope.to_owned()],
                    ..line
                };
                Deed::done(line, &["contact:contact.base:readonly"])
            }
            Err(error) => self.not_done(&PERSON, error),
        }
    }

    async fn look_up(&self) -> Deed {
        match self
            .patiently(self.client.users_by_email(&[NOBODY.to_owned()]))
            .await
        {
            Ok(_) => Deed::done(
                LOOK_UP.works(both("an address was looked up", "查询了一个邮箱")),
                &["contact:user.id:readonly"],
            ),
            Err(error) => self.not_done(&LOOK_UP, error),
        }
    }

    async fn upload(&self) -> Deed {
        let uploading = async {
            let uploaded = self.client.upload_image(Bytes::from_static(PICTURE)).await;
            uploaded.map(drop).or_else(|error| match error {
                UploadError::Refused(error) => Err(error),
                // One pixel is within every limit.
                UploadError::Size(_) => Ok(()),
            })
        };
        match self.patiently(uploading).await {
            Ok(()) => Deed::done(
                UPLOAD.works(both("one pixel was uploaded", "上传了一个像素")),
                &["im:resource"],
            ),
            Err(error) => self.not_done(&UPLOAD, error),
        }
    }
}

impl Done {
    fn take(&mut self, deed: Deed) {
        self.scopes.proved.extend(deed.proved);
        if let Some(refusal) = deed.refused.as_ref().and_then(Error::refusal) {
            for scope in lacking_scopes(refusal) {
                let page = (refusal.code, refusal.help.clone());
                self.scopes.refused.insert(scope, page);
            }
        }
        self.findings.push(deed.finding);
    }
}

/// The member of a button's value by which its press is known.
pub(super) const MARK: &str = "doctor";

/// The card that people see. Afterwards it has no button any more.
pub(super) fn probe_card(mark: &str, is_over: bool) -> Value {
    let text = match is_over {
        false => {
            "**nightjar doctor** is examining this bot. Please press the button, and mention the bot here.\n\n**nightjar doctor** 正在检查机器人。请点击按钮，并在这里 @ 一下机器人。"
        }
        true => {
            "**nightjar doctor** has examined this bot here. There is nothing to do.\n\n**nightjar doctor** 在这里检查过机器人，无需处理。"
        }
    };
    let mut elements = vec![json!({"tag": "markdown", "element_id": "probe", "content": text})];
    if !is_over {
        elements.push(json!({
            "tag": "button",
            "element_id": "press",
            "type": "primary",
            "text": {"tag": "plain_text", "content": "Press me · 请点击"},
            "behaviors": [{"type": "callback", "value": {MARK: mark}}],
        }));
    }
    json!({
        "schema": "2.0",
        "config": {"update_multi": true, "summary": {"content": "nightjar doctor"}},
        "body": {"elements": elements},
    })
}
