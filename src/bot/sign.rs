//! The reaction on a question that shows where it stands.
//!
//! One question carries one reaction of ours. The last one is put on before the others are taken off, so
//! that there is never none, and the others are found by reading the reactions back, so that one that an
//! earlier process left, or whose answer was lost on the way, goes too.

use tokio::task::JoinHandle;
use tracing::{Instrument, debug, warn};

use crate::{
    config::ReactionsConfig,
    feishu::{Client, Error, MessageId, Reaction},
};

use super::{admission::Admission, inbox::Said, reply::Patience};

/// The first sign on its way to a question.
pub(super) struct Sign {
    question: MessageId,
    feishu: Client,
    /// Joined before anything else is done with the question's reactions, so that they keep their order.
    first: Option<JoinHandle<Option<Reaction>>>,
}

impl Sign {
    /// Puts the "seen" reaction on `question`, without waiting for it, when its asker is admitted.
    pub(super) fn seen(
        feishu: &Client,
        question: &MessageId,
        reactions: &ReactionsConfig,
        admission: Option<Admission>,
    ) -> Self {
        let (client, id, emoji) = (feishu.clone(), question.clone(), reactions.seen.clone());
        let first = async move {
            if let Some(admission) = admission
                && admission.await.is_err()
            {
                return None;
            }
            client
                .add_reaction(&id, &emoji)
                .await
                .inspect_err(|error| warn!(%error, "the question carries no first sign"))
                .ok()
        };
        let first = tokio::spawn(first.in_current_span());
        Self {
            question: question.clone(),
            feishu: feishu.clone(),
            first: Some(first),
        }
    }

    /// As [`Sign::seen`], on a question that was answered before: what said so is taken off.
    pub(super) fn seen_again(
        feishu: &Client,
        question: &MessageId,
        reactions: &ReactionsConfig,
        admission: Option<Admission>,
    ) -> Self {
        let mut sign = Self::seen(feishu, question, reactions, admission);
        let first = sign.first.take();
        let before = Self::none(feishu, question);
        let clearing = async move {
            let seen = match first {
                Some(first) => first.await.ok().flatten(),
                None => None,
            };
            if let Some(seen) = &seen {
                before.clear(None, seen).await;
            }
            seen
        };
        sign.first = Some(tokio::spawn(clearing.in_current_span()));
        sign
    }

    /// A sign that this process has not put on; an earlier one may have.
    pub(super) fn none(feishu: &Client, question: &MessageId) -> Self {
        Self {
            question: question.clone(),
            feishu: feishu.clone(),
            first: None,
        }
    }

    /// Makes the reaction that `said` calls for the only one of ours. Says whether there is nothing left to
    /// do; otherwise it is worth another try at another time.
    pub(super) async fn settle(mut self, said: Said, reactions: &ReactionsConfig) -> bool {
        let seen = match self.first.take() {
            Some(first) => first.await.ok().flatten(),
            None => None,
        };
        let emoji = match said {
            Said::Answered => &reactions.done,
            Said::Stopped => &reactions.stopped,
            Said::Failed => &reactions.failed,
        };
        let mut patience = Patience::new();
        loop {
            match self.feishu.add_reaction(&self.question, emoji).await {
                Ok(last) => return self.clear(seen, &last).await,
                Err(error) if patience.allows(&error).await => {}
                Err(Error::Gone(_)) => {
                    debug!("the question is gone, and its reactions with it");
                    return true;
                }
                // The first sign stays: it says less than it should, but nothing wrong.
                Err(error) => {
                    warn!(%error, "the question keeps its first sign");
                    let may_pass = matches!(error, Error::Unauthorized(_) | Error::QuotaUsedUp(_));
                    return !error.is_transient() && !may_pass;
                }
            }
        }
    }

    /// Takes off every reaction of ours but `last`.
    async fn clear(&self, seen: Option<Reaction>, last: &Reaction) -> bool {
        let mut patience = Patience::new();
        let ours: Vec<Reaction> = loop {
            match self.feishu.reactions(&self.question).await {
                Ok(all) => break all.into_iter().filter(|one| self.is_ours(one)).collect(),
                Err(error) if patience.allows(&error).await => {}
                // Without the permission to read them we still know the one we put there.
                Err(error) => {
                    warn!(%error, "cannot read reactions back");
                    break Vec::from_iter(seen);
                }
            }
        };
        let mut is_clear = true;
        for reaction in ours.iter().filter(|one| one.id != last.id) {
            let mut patience = Patience::new();
            loop {
                let id = &reaction.id;
                match self.feishu.remove_reaction(&self.question, id).await {
                    Ok(()) | Err(Error::Gone(_)) => break,
                    Err(error) if patience.allows(&error).await => {}
                    Err(error) => {
                        warn!(%error, "an old reaction stays");
                        is_clear &= !error.is_transient();
                        break;
                    }
                }
            }
        }
        is_clear
    }

    fn is_ours(&self, reaction: &Reaction) -> bool {
        reaction.operator.is_app && reaction.operator.id == self.feishu.app_id()
    }
}
