//! One message of a room as its transcript has it. Pure: what had to be fetched is handed in.

use crate::{
    bot::{
        Me,
        report::pictures::{Pictures, picture_key},
        war_room::record::Said,
    },
    incident::PersonId,
    postmortem::transcript::{
        Aside, Attachment, Card, Edit, Mark, MarkKind, Message, MessageId, Reaction,
    },
};

use super::{alert_line, bundles::Opened};

/// What stands for a card of which the platform gives nothing.
const UNREADABLE_CARD: &str = "[card that cannot be read]";

/// What is known beside the messages themselves.
pub(super) struct Known<'a> {
    /// What a model saw in images.
    pub(super) pictures: &'a Pictures,
    /// What was forwarded.
    pub(super) bundles: &'a Opened,
    /// What links begin with that open a message in the client.
    pub(super) applink: &'a str,
}

/// A message as it was heard. Of one that was taken back only that it was there.
pub(super) fn of(said: &Said, aside: Option<Aside>, me: &Me, known: &Known<'_>) -> Message {
    let id = |id: &crate::feishu::MessageId| MessageId::new(id.as_str());
    let author = person(&said.author.id);
    let mut message = Message::said(said.id.as_str(), said.at, &author, "");
    message.parent = said.parent.as_ref().map(id);
    message.thread = said.thread.as_ref().and(said.root.as_ref()).map(id);
    message.aside = aside;
    message.link = said.link.clone().filter(|link| opens(link, known.applink));
    message.recalled_at = said.recalled_at;
    if said.recalled_at.is_some() {
        return message;
    }
    let is_other_bot = said.author.is_bot && !me.is(&said.author.id);
    match said.kind.as_str() {
        "interactive" if said.text == UNREADABLE_CARD && aside.is_none() => {
            message.unreadable = Some("card".to_owned());
        }
        "interactive" if is_other_bot => message.card = Some(card(&said.text)),
        "merge_forward" => forward(&mut message, said, known.bundles),
        _ => message.text.clone_from(&said.text),
    }
    if is_other_bot {
        message.alert = alert_line::read(&said.text);
    }
    if said.text.trim().is_empty() && said.attachments.is_empty() {
        message.unreadable = Some(said.kind.clone());
    }
    message.attachments = attachments(said, known.pictures);
    happened(&mut message, said);
    message
}

/// What became of it: mentions, edits, reactions, pins and marks.
fn happened(message: &mut Message, said: &Said) {
    message.mentions = said.mentions.iter().map(|one| person(&one.id)).collect();
    let edits = said.edits.iter().map(|edit| Edit {
        at: edit.at,
        before: edit.before.clone(),
    });
    message.edits = edits.collect();
    let reactions = said.reactions.iter().map(|one| Reaction {
        emoji: one.emoji.clone(),
        by: one.by.iter().map(|who| person(who)).collect(),
    });
    message.reactions = reactions.collect();
    message.pinned = said.is_pinned;
    let marks = said.marks.iter().map(|mark| Mark {
        kind: mark_kind(&mark.mark),
        by: Some(person(mark.by.as_str())),
    });
    message.marks = marks.collect();
}

fn person(id: &str) -> PersonId {
    PersonId(id.to_owned())
}

fn attachments(said: &Said, pictures: &Pictures) -> Vec<Attachment> {
    let attached = said.attachments.iter().map(|one| {
        let kind = if one.is_image { "image" } else { &said.kind };
        let name = one.name.clone().filter(|name| !name.is_empty());
        Attachment {
            name: name.unwrap_or_else(|| kind.to_owned()),
            is_image: one.is_image,
            description: pictures.get(&picture_key(&said.id, &one.key)).cloned(),
        }
    });
    attached.collect()
}

/// What was forwarded, or why nobody knows.
fn forward(message: &mut Message, said: &Said, bundles: &Opened) {
    match bundles.get(&said.id) {
        Some(Ok(bundle)) => {
            message.forwarded.clone_from(&bundle.forwarded);
            if bundle.left_out > 0 {
                let count = bundle.left_out;
                message.text = format!("[forwarded messages that are left out: {count}]");
            }
        }
        Some(Err(why)) => message.unreadable = Some(format!("forwarded messages: {why}")),
        None => message.unreadable = Some("forwarded messages".to_owned()),
    }
}

/// A card as its words are kept: a line that says that it is one, then its title, then the rest.
fn card(text: &str) -> Card {
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    let is_alert = head.starts_with("[alert card");
    let (title, words) = match (head, is_alert) {
        (_, true) => (alert_line::title(rest).unwrap_or(head), rest),
        ("[card]", _) => rest.split_once('\n').unwrap_or((rest, "")),
        _ => (head, rest),
    };
    Card {
        title: title.trim().to_owned(),
        text: words.trim().to_owned(),
    }
}

/// Whether a link opens a message in the client. The platform documents no such link, so only its own host
/// is believed.
fn opens(link: &str, applink: &str) -> bool {
    let path = link.strip_prefix(applink);
    applink.starts_with("https://") && path.is_some_and(|path| path.starts_with('/'))
}

/// What a mark means; `action` is how rooms call something that is to be done.
fn mark_kind(word: &str) -> MarkKind {
    match word {
        "action" => MarkKind::ActionItem,
        word => MarkKind::from_word(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_the_platforms_own_host_are_taken() {
        let check = |link: &str, expected: bool| {
            let applink = "https://applink.feishu.cn";
            assert_eq!(opens(link, applink), expected, "{link}");
        };
        check(
            "https://applink.feishu.cn/client/message/link/open?token=x",
            true,
        );
        check("http://applink.feishu.cn/client/message/link/open", false);
        check("https://applink.feishu.cn.example.com/client", false);
        check("https://applink.feishu.cn@example.com/client", false);
        check("lark://client/message", false);
        assert!(!opens("http://x/client", "http://x"));
    }

    #[test]
    fn a_card_has_its_title_and_its_words() {
        let check = |text: &str, title: &str, words: &str| {
            let Card { title: t, text: w } = card(text);
            assert_eq!((t.as_str(), w.as_str()), (title, words));
        };
        check(
            "[card]\nDeploy finished\nversion: 4.18",
            "Deploy finished",
            "version: 4.18",
        );
        check("[card]", "", "");
        check(
            "[alert card: Grafana]\ntitle: [FIRING:1] X\nalertname: X",
            "[FIRING:1] X",
            "title: [FIRING:1] X\nalertname: X",
        );
    }
}
