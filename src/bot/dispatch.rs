//! Hands what was kept to whoever does what it asks, and sees each entry to its end.

use futures::FutureExt;
use tracing::{Instrument, error, info_span};

use crate::feishu::MessageId;

use super::{
    Bot, Entry,
    access::Denied,
    administrators, admission,
    command::{self, Invocation},
    inbox::Said,
    notice,
    phrase::Phrase,
    session::Running,
    sign::Sign,
    turn,
};

impl Bot {
    /// Hands an entry to whoever does what it asks. Never waits.
    pub(super) fn dispatch(&self, mut entry: Entry) {
        let command = command::parse(&entry.text);
        let is_stop = command.as_ref().is_some_and(Invocation::is_stop);
        if !entry.is_left_over && !is_stop && !self.0.pace.may(&entry.asker()) {
            return self.refuse(entry, Denied::TooOften);
        }
        // What has been answered already is only tidied up.
        if entry.kept.said.is_none() && entry.kept.last.is_none() {
            let admission = admission::begin(self, &entry);
            if let Some(Err(denied)) = admission.clone().now_or_never() {
                return self.refuse(entry, denied);
            }
            entry.admission = Some(admission);
        }
        let is_question = command.is_none();
        if let Some(invocation) = command.filter(Invocation::is_urgent) {
            let bot = self.clone();
            self.0.sessions.beside(async move {
                if let Some(entry) = admission::admitted(&bot, entry).await {
                    command::answer(&bot, invocation, &entry).await;
                }
            });
            return;
        }
        if is_question && entry.kept.said.is_none() && !entry.text.is_empty() {
            let (feishu, reactions) = (&self.0.feishu, &self.0.reply.reactions);
            let sign = match entry.kept.again {
                Some(_) => Sign::seen_again,
                None => Sign::seen,
            };
            let admission = entry.admission.clone();
            entry.sign = Some(sign(feishu, &entry.message.id, reactions, admission));
        }
        if let Some(entry) = self.0.sessions.line_up(self, entry) {
            let bot = self.clone();
            self.0
                .sessions
                .beside(async move { bot.turn_away(entry).await });
        }
    }

    /// Sends someone away who may not ask. Never waits.
    fn refuse(&self, entry: Entry, denied: Denied) {
        let bot = self.clone();
        self.0
            .sessions
            .beside(async move { admission::turn_away(&bot, entry, &denied).await });
    }

    /// Does what an entry asks, when its turn has come.
    pub(super) async fn serve(&self, entry: Entry, running: Running) {
        let span = info_span!(
            "turn",
            chat.id = %entry.message.chat_id,
            message.id = %entry.message.id,
            attempt = entry.kept.attempts + 1,
            last_words = tracing::field::Empty,
        );
        let key = entry.key.clone();
        let turn = running.clone();
        let work = async {
            let Some(entry) = admission::admitted(self, entry).await else {
                return;
            };
            match command::parse(&entry.text) {
                Some(invocation) => command::answer(self, invocation, &entry).await,
                None => turn::answer(self, entry, running).await,
            }
        };
        // Caught here, so that a panic ends this turn and not the session's line.
        let work = std::panic::AssertUnwindSafe(work).catch_unwind();
        if work.instrument(span.clone()).await.is_err() {
            turn.cancel.cancel();
            error!(
                message.id = %turn.question,
                "a turn panicked; the panic itself is logged above"
            );
            self.break_off(key, turn).instrument(span).await;
        }
    }

    /// Brings an entry to its end whose work broke in the middle.
    async fn break_off(&self, key: String, running: Running) {
        match self.0.inbox.get(&key).await {
            Ok(Some(kept)) => {
                if let Some(entry) = Entry::left_over(self, key, kept).await {
                    turn::break_off(self, entry, running).await;
                }
            }
            Ok(None) => {}
            Err(error) => error!(%error, "an entry that broke cannot be read"),
        }
    }

    /// Says that a line is full.
    async fn turn_away(&self, mut entry: Entry) {
        let phrase = Phrase::LineFull {
            waiting: self.0.conversation.waiting_max,
        };
        let text = phrase.text(entry.language);
        notice::send(self, &notice::Place::of(&entry), "full", &text).await;
        entry.kept.said = Some(Said::Failed);
        if let Err(error) = self.0.inbox.update(&entry.key, &entry.kept).await {
            error!(%error, "someone was turned away and a crash now would let them in");
        }
        let is_settled = match entry.sign.take() {
            Some(sign) => sign.settle(Said::Failed, &self.0.reply.reactions).await,
            None => true,
        };
        if is_settled {
            self.forget(&entry.key).await;
        }
    }

    /// Says that a message could not be kept, once a minute in each chat. It was not acknowledged either, so
    /// the platform sends it again.
    pub(super) fn say_not_kept(&self, entry: Entry) {
        if !self.0.complaints.may(&entry.message.chat_id) {
            return;
        }
        let bot = self.clone();
        self.0.sessions.beside(async move {
            let text = Phrase::NotKept.text(entry.language);
            notice::send(&bot, &notice::Place::of(&entry), "not-kept", &text).await;
            administrators::tell_store_is_full(&bot).await;
        });
    }

    /// A question was recalled: nobody wants its answer any more.
    pub(super) async fn withdraw(&self, question: &MessageId) {
        if let Some(waiting) = self.0.sessions.withdraw(question) {
            self.forget(&waiting.key).await;
        }
    }

    /// Removes an entry whose work has ended.
    pub(super) async fn forget(&self, key: &str) {
        if let Err(error) = self.0.inbox.remove(key).await {
            error!(%error, "a finished entry stays in the inbox and will be looked at again");
        }
    }

    /// As [`Bot::forget`], for work that is not to be done once more after a crash.
    pub(super) async fn forget_for_good(&self, key: &str) {
        if let Err(error) = self.0.inbox.finish(key).await {
            error!(%error, "a finished entry stays in the inbox and will be done again at the next start");
        }
    }
}
