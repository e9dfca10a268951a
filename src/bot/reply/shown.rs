//! A card in a chat, of either kind: an entity that is typed into, or a message that is patched.
//!
//! Entities need the scope `cardkit:card:write`. An app without it still answers in a card, which is sent
//! as a message and replaced whole, at the slower pace that messages allow.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tracing::{error, info};

use crate::{
    bot::inbox::LiveCard,
    feishu::{Class, Client, Error, MessageId},
};

use super::{card::Card, patience::Patience};

/// The least time between two patches of a message. The platform allows five a second, but each is drawn
/// anew from its beginning on every screen.
pub(super) const PATCH_EVERY: Duration = Duration::from_millis(1500);

/// How long we go without entities before we look whether the scope was given.
const FORBIDDEN_FOR: Duration = Duration::from_secs(600);

/// A card that people can see.
pub(super) enum Shown {
    /// An entity.
    Entity(Card),
    /// A message that is a card.
    Message(MessageCard),
}

/// A card that was sent as a message.
pub(super) struct MessageCard {
    message: MessageId,
    feishu: Client,
    patch_at: Instant,
}

/// The last word of one card, ready to be sent.
pub(super) struct Finished {
    /// What switches streaming off.
    pub config: Value,
    /// The card as it shall stay.
    pub json: Value,
}

impl MessageCard {
    /// A card that was just sent.
    pub(super) fn new(feishu: Client, message: MessageId) -> Self {
        Self {
            message,
            feishu,
            patch_at: Instant::now() + PATCH_EVERY,
        }
    }

    /// Replaces it while its turn runs, which is progress.
    pub(super) async fn redraw(&mut self, json: &Value) -> Result<(), Error> {
        self.patch_at(Class::Progress, json).await
    }

    /// Replaces it, when it is time for that.
    pub(super) async fn patch(&mut self, json: &Value) -> Result<(), Error> {
        self.patch_at(Class::Sign, json).await
    }

    async fn patch_at(&mut self, class: Class, json: &Value) -> Result<(), Error> {
        sleep_until(self.patch_at).await;
        let feishu = self.feishu.at(class);
        let patched = feishu.patch_card(&self.message, json).await;
        self.patch_at = Instant::now() + PATCH_EVERY;
        patched
    }
}

impl Shown {
    /// The message that shows it.
    pub(super) fn message(&self) -> &MessageId {
        match self {
            Shown::Entity(card) => &card.message,
            Shown::Message(card) => &card.message,
        }
    }

    /// As the store keeps it.
    pub(super) fn live(&self) -> LiveCard {
        LiveCard {
            id: match self {
                Shown::Entity(card) => Some(card.id.clone()),
                Shown::Message(_) => None,
            },
            message: Some(self.message().clone()),
        }
    }

    /// The number its last change carried.
    pub(super) fn sequence(&self) -> i32 {
        match self {
            Shown::Entity(card) => card.sequence(),
            Shown::Message(_) => 0,
        }
    }

    /// When streaming has to be renewed.
    pub(super) fn renew_at(&self) -> Option<Instant> {
        match self {
            Shown::Entity(card) => Some(card.renew_at()),
            Shown::Message(_) => None,
        }
    }

    /// Ends it: streaming off, and the whole card as it shall stay. Says by which way it was accepted.
    ///
    /// Where the settings are refused the whole card still says that it does not stream, and the platform
    /// goes by that.
    pub(super) async fn close(&mut self, last: &Finished) -> Result<&'static str, Error> {
        let card = match self {
            Shown::Entity(card) => card,
            Shown::Message(card) => {
                let mut patience = Patience::new();
                return loop {
                    match card.patch(&last.json).await {
                        Ok(()) => break Ok("patch"),
                        Err(error) if patience.allows(&error).await => {}
                        Err(error) => break Err(error),
                    }
                };
            }
        };
        let mut patience = Patience::new();
        let off = loop {
            match card.configure(&last.config).await {
                Err(error) if patience.allows(&error).await => {}
                off => break off,
            }
        };
        if let Err(error @ Error::Gone(_)) = off {
            return Err(error);
        }
        let mut patience = Patience::new();
        let whole = loop {
            match card.replace(&last.json).await {
                Err(error) if patience.allows(&error).await => {}
                whole => break whole,
            }
        };
        whole.map(|()| if off.is_ok() { "card" } else { "update" })
    }
}

/// Whether the app may make card entities, as far as we know. Shared by all turns.
#[derive(Default)]
pub(in crate::bot) struct CardKit {
    forbidden_until: Mutex<Option<Instant>>,
    is_forbidden: watch::Sender<bool>,
}

impl CardKit {
    /// Whether the app may not, as it shows.
    pub(in crate::bot) fn forbidden(&self) -> watch::Receiver<bool> {
        self.is_forbidden.subscribe()
    }

    /// Whether it is worth a try.
    pub(super) fn is_worth_a_try(&self) -> bool {
        self.lock().is_none_or(|until| until <= Instant::now())
    }

    /// Takes note of how a try went. Whoever runs the bot is told once, and not with every question.
    pub(super) fn note(&self, refusal: Option<&Error>) {
        self.is_forbidden.send_if_modified(|before| {
            let is_forbidden = refusal.is_some();
            std::mem::replace(before, is_forbidden) != is_forbidden
        });
        let mut forbidden = self.lock();
        match (refusal, forbidden.is_some()) {
            (Some(error), was_known) => {
                *forbidden = Some(Instant::now() + FORBIDDEN_FOR);
                if !was_known {
                    error!(
                        %error,
                        "answers do not stream: the app lacks the scope cardkit:card:write; grant it in the \
                         developer console and publish a version. Until then answers are shown in cards \
                         that are replaced now and then"
                    );
                }
            }
            (None, true) => {
                *forbidden = None;
                info!("answers stream again");
            }
            (None, false) => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.forbidden_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
