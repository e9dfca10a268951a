//! Tells people. A page is kept from the moment at which it is decided until somebody was told, so a crash
//! neither loses nor doubles it: what is sent again is sent under the same purpose, by which the platform
//! knows it.
//!
//! The first page of an incident to a person is its card. Later ones are a line under that card, since a card
//! that changes makes no sound.

use std::{collections::BTreeSet, time::Duration};

use tokio::{task::JoinSet, time::sleep};
use tracing::{Instrument, debug, info, info_span, warn};

use crate::{
    config::Language,
    feishu::{self, Class, MessageId, OpenId, Outgoing},
    incident::{PersonId, routing::Target, severity::Severity},
};

use super::{
    Case, PageOutcome, Place, Why,
    cards::{self, Later},
    records::{DrawnCard, Page, digits},
    sweep,
};
use crate::bot::{
    Bot, administrators,
    card::notice::{Notice, Template},
    handling, markdown, notice,
    phrase::Phrase,
};

/// How long to wait before a page is tried again, at first and at last.
const WAIT_FIRST: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(15);

/// Tells people for ever.
pub(in crate::bot) async fn run(bot: Bot) {
    let follower = bot.incidents().follow();
    let mut telling: JoinSet<String> = JoinSet::new();
    let mut busy: BTreeSet<String> = BTreeSet::new();
    // Whoever was to be told when an earlier process ended.
    let mut looked_at = String::new();
    loop {
        let mut pages = Vec::new();
        let read =
            sweep::each::<Page>(bot.store(), &looked_at, |key, page| pages.push((key, page)));
        if let Err(error) = read.await {
            warn!(%error, "pages cannot be read; trying again");
            sleep(WAIT_FIRST).await;
            continue;
        }
        for (key, page) in pages {
            if busy.insert(key.clone()) {
                telling.spawn(tell(bot.clone(), key, page));
            }
        }
        tokio::select! {
            changed = follower.next() => {
                // Several changed: their pages are few, all of them are read.
                looked_at = match changed.first() {
                    Some(number) if changed.len() == 1 => format!("{}/", digits(*number)),
                    _ => String::new(),
                };
            }
            Some(ended) = telling.join_next() => match ended {
                Ok(key) => {
                    busy.remove(&key);
                    // Nothing new can be under a key that never was.
                    looked_at = key;
                }
                Err(error) => warn!(%error, "somebody may not have been told"),
            },
        }
    }
}

/// Tells somebody, however long it takes, unless they need not be told any more.
async fn tell(bot: Bot, key: String, page: Page) -> String {
    let span = info_span!("page", incident.number = page.incident, level = page.level);
    async {
        let mut wait = WAIT_FIRST;
        loop {
            let done = match try_to_tell(&bot, &key, &page).await {
                Ok(outcome) => bot.incidents().paged(&key, outcome).await.is_ok(),
                Err(error) => {
                    warn!(%error, ?wait, "somebody is not told yet; trying again");
                    false
                }
            };
            if done {
                break;
            }
            sleep(wait).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
    }
    .instrument(span)
    .await;
    key
}

async fn try_to_tell(bot: &Bot, key: &str, page: &Page) -> Result<PageOutcome, Later> {
    let Some(case) = bot.incidents().numbered(page.incident).await? else {
        return Ok(PageOutcome::Moot);
    };
    let mut pagers = case.pagers.iter();
    let is_wanted =
        pagers.any(|pager| pager.policy == page.policy && pager.paging.began_at == page.began_at);
    if !is_wanted {
        debug!("somebody need not be told any more");
        return Ok(PageOutcome::Moot);
    }
    let place = match &page.whom {
        Target::Chat(chat) => Place::Chat(feishu::ChatId::new(chat.as_str())),
        Target::Person(person) => match account(bot, person).await? {
            Some(account) => Place::Person(account),
            None => return Ok(PageOutcome::Failed { why: Why::Unlinked }),
        },
        // Looked up before the page was kept.
        Target::Schedule(_) => {
            let why = Why::NobodyOnCall;
            return Ok(PageOutcome::Failed { why });
        }
    };
    let _alone = bot.0.drawing.with(&cards::key(page.incident, &place)).await;
    let drawn = cards::drawn(bot, page.incident, &place).await?;
    let told = match (&drawn.message, &place) {
        (Some(message), _) => remind(bot, &case, &place, &drawn, message, key, page).await?,
        // Its card is sent by whoever keeps the cards of groups.
        (None, Place::Chat(_)) => return Ok(PageOutcome::Told { place }),
        (None, Place::Person(_)) => {
            let purpose = format!("incident/{}/page/{key}", case.id());
            let sent = cards::send(bot, &case, &place, &drawn, &purpose).await?;
            sent.map(|message| message.id)
        }
    };
    let Some(message) = told else {
        return Ok(PageOutcome::Failed { why: Why::Refused });
    };
    info!(place = place.as_str(), "somebody was told");
    if let Place::Person(person) = &place {
        urge(bot, &case, &message, person).await;
    }
    Ok(PageOutcome::Told { place })
}

/// As [`account`], for who can look again: nobody, where that cannot be found out now.
pub(in crate::bot) async fn known_account(bot: &Bot, person: &PersonId) -> Option<OpenId> {
    account(bot, person).await.ok().flatten()
}

/// The account of somebody whom the configuration names: by open_id, by e-mail, or as a member.
async fn account(bot: &Bot, person: &PersonId) -> Result<Option<OpenId>, Later> {
    let name = person.0.as_str();
    if name.starts_with("ou_") {
        return Ok(Some(OpenId::new(name)));
    }
    if bot.members().get(name).is_none() && name.contains('@') {
        return Ok(bot.access().by_address(name).await);
    }
    let reached = bot.members().reach(name).await;
    reached.map_err(|_| Later::NobodyAnswers)
}

/// Says under the card that they are needed.
async fn remind(
    bot: &Bot,
    case: &Case,
    place: &Place,
    drawn: &DrawnCard,
    card: &MessageId,
    key: &str,
    page: &Page,
) -> Result<Option<MessageId>, Later> {
    let (number, level) = (case.number(), page.level);
    let title = markdown::escape(&case.incident.title);
    let text = match handling::language(bot, place).await {
        Language::En => format!(
            "Nobody has acknowledged **#{number}** {title} yet. You are told as level {level}."
        ),
        Language::Zh => format!("**#{number}** {title} 仍无人认领，现按第 {level} 级通知你。"),
    };
    let notice = Notice {
        title: None,
        text: &text,
        template: Template::Red,
    };
    let Some(chat) = &drawn.chat else {
        return Ok(None);
    };
    let card_json = Outgoing::CardJson(notice.render());
    let purpose = notice::purpose_id(&format!("incident/{}/page/{key}", case.id()));
    let feishu = bot.0.feishu.at(Class::Page);
    match feishu.reply(card, chat, &card_json, false, &purpose).await {
        Ok(message) => Ok(Some(message.id)),
        // The card was recalled; the next redraw sends another, and this page is a message of its own.
        Err(feishu::Error::Gone(_)) => {
            let to = match place {
                Place::Chat(chat) => feishu::Recipient::Chat(chat.clone()),
                Place::Person(person) => feishu::Recipient::Person(person.clone()),
            };
            match feishu.send(&to, &card_json, &purpose).await {
                Ok(message) => Ok(Some(message.id)),
                Err(error) if error.is_transient() => Err(Later::Platform(error)),
                Err(error) => {
                    warn!(%error, "somebody cannot be told");
                    Ok(None)
                }
            }
        }
        Err(error) if error.is_transient() => Err(Later::Platform(error)),
        Err(error) => {
            warn!(%error, "somebody cannot be told");
            Ok(None)
        }
    }
}

/// Has the message ring, if that is wanted. People were told already, so what fails here is only logged.
async fn urge(bot: &Bot, case: &Case, message: &MessageId, person: &OpenId) {
    let is_wanted = bot.0.config.incidents.urgent && case.incident.severity == Severity::Critical;
    if !is_wanted {
        return;
    }
    match bot.0.feishu.at(Class::Page).urge(message, person).await {
        Ok(true) => {}
        Ok(false) => warn!("the platform does not ring for somebody"),
        Err(error @ feishu::Error::Forbidden(_)) => {
            warn!(%error, "urgent notifications need the scope im:message.urgent:app_send");
            administrators::tell(bot, "urgent", Phrase::UrgentIsMissing).await;
        }
        Err(error) => warn!(%error, "an urgent notification could not be sent"),
    }
}
