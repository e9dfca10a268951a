//! One card whose text grows: what it should show is a state, and everything done to it is in order.
//!
//! [`CardStream::show`] does not wait. A task of the card's own sends the newest text whenever the
//! scheduler says that it is this card's turn, and what was between is forgotten. The platform wants every
//! change of a card to carry a higher number than the last, over all kinds of changes (feishu-wire 7.1), so
//! each change takes the card's one pen, and gets its number when it leaves.

mod sheet;
mod typing;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::{CardId, Class, Client, Error, scheduler::Supply};
use sheet::{Sheet, Writing};
use typing::Typing;

/// How far the numbers jump when the platform says that one was too low, and how far when it says so
/// again: there may be changes of an earlier process that we do not know of.
///
/// The first is more than the changes that one process can have made since it last wrote down how far it was,
/// the second more than any attempt at a question has for itself (`bot::reply::card`), so a third refusal
/// is not about the number. Numbers are int32: at most five attempts of a million each and these jumps stay a
/// hundred times below that, while a larger jump would use up in a few rounds what the card can count.
///
/// The same holds for a conflict of `uuid`s (200770), since a change's `uuid` is made from its number: the number
/// was used, by a change that was carried out and whose answer was lost with the process that waited for it.
const SEQUENCE_JUMPS: [i32; 2] = [1_000, 1_000_000];

/// So many times in a row a number may be too low before that is somebody else's to decide about.
const JUMPS_MAX: u32 = 3;

/// How often a card looks whether calls are still short.
const SUPPLY_CHECK: Duration = Duration::from_secs(60);

/// The one writer of a card. Dropping it ends its writing at once.
pub struct CardStream {
    card: Arc<Shared>,
    written: watch::Receiver<Written>,
    _writer: AbortOnDropHandle<()>,
}

/// What came of the last text that was sent: the element that shows it, or why it does not.
type Written = Option<Result<Arc<str>, Error>>;

struct Shared {
    client: Client,
    id: CardId,
    sheet: Mutex<Sheet>,
    /// Rung when the sheet changed.
    changed: Notify,
    pen: tokio::sync::Mutex<Pen>,
    /// The number of the last change. Only the pen's holder makes it higher.
    sequence: AtomicI32,
    written: watch::Sender<Written>,
}

/// Whoever holds it may change the card.
struct Pen {
    typing: Typing,
}

/// What can be done to a card beside showing text.
#[derive(Clone, Copy)]
enum Change<'a> {
    Config(&'a Value),
    Whole(&'a Value),
}

impl Client {
    /// Takes up the writing of a card, whose changes so far had numbers up to `sequence`.
    pub fn card_stream(&self, id: CardId, sequence: i32) -> CardStream {
        let (sender, written) = watch::channel(None);
        let card = Arc::new(Shared {
            client: self.clone(),
            id,
            sheet: Mutex::default(),
            changed: Notify::new(),
            pen: tokio::sync::Mutex::new(Pen {
                typing: Typing::new(),
            }),
            sequence: AtomicI32::new(sequence),
            written: sender,
        });
        let writer = tokio::spawn(write(card.clone()));
        CardStream {
            card,
            written,
            _writer: AbortOnDropHandle::new(writer),
        }
    }
}

impl CardStream {
    /// From now on `element` shall show `text`, all of it and never empty. Does not wait.
    pub fn show(&self, element: &str, text: &str) {
        let now = Instant::now().into_std();
        self.card.sheet().show(element, text, now);
        self.card.changed.notify_one();
    }

    /// Waits until another text was sent, and says which element shows it, or why it does not. What time
    /// can mend is tried again and not told.
    ///
    /// After an error no more text is sent until the card was changed in another way. What it should show
    /// is remembered, so after [`Error::StreamClosed`] switching streaming on is enough.
    ///
    /// Dropping this before it is ready loses nothing.
    pub async fn written(&mut self) -> Result<Arc<str>, Error> {
        loop {
            if self.written.changed().await.is_err() {
                // The writer lives as long as we do.
                std::future::pending::<()>().await;
            }
            if let Some(written) = self.written.borrow_and_update().clone() {
                return written;
            }
        }
    }

    /// The number that the last change carried.
    pub fn sequence(&self) -> i32 {
        self.card.sequence.load(Ordering::Relaxed)
    }

    /// Forgets text that was to be shown and is not. One that is under way still arrives.
    pub fn forget(&self) {
        self.card.sheet().forget();
    }

    /// Changes the card's `config`, after the write that is under way.
    pub async fn configure(&self, config: &Value) -> Result<(), Error> {
        let pen = self.card.pen.lock().await;
        let client = &self.card.client;
        self.card
            .change(client, &pen, Change::Config(config))
            .await?;
        self.card.resume();
        Ok(())
    }

    /// Replaces the whole card, after the write that is under way, and forgets what was to be shown.
    pub async fn replace(&self, json: &Value) -> Result<(), Error> {
        self.replace_by(&self.card.client, json).await
    }

    /// As [`CardStream::replace`], as progress: it stands back behind what is more urgent, and is tried once.
    pub async fn redraw(&self, json: &Value) -> Result<(), Error> {
        let client = self.card.client.at(Class::Progress);
        self.replace_by(&client, json).await
    }

    async fn replace_by(&self, client: &Client, json: &Value) -> Result<(), Error> {
        self.forget();
        let pen = self.card.pen.lock().await;
        self.card.change(client, &pen, Change::Whole(json)).await?;
        self.card.resume();
        Ok(())
    }

    /// Switches streaming off and on, which starts the platform's ten minutes anew. Text waits meanwhile.
    pub async fn renew(&self) -> Result<(), Error> {
        let pen = self.card.pen.lock().await;
        for on in [false, true] {
            let config = json!({ "streaming_mode": on });
            let client = &self.card.client;
            self.card
                .change(client, &pen, Change::Config(&config))
                .await?;
        }
        self.card.resume();
        Ok(())
    }
}

impl Shared {
    fn sheet(&self) -> MutexGuard<'_, Sheet> {
        // Nothing in here can panic half-way, so a poisoned lock holds sound text.
        self.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supply(&self) -> Supply {
        self.client.meter().now()
    }

    fn resume(&self) {
        self.sheet().resume();
        self.changed.notify_one();
    }

    /// The next change's number, for the holder of the pen.
    fn next_number(&self, _pen: &Pen) -> i32 {
        self.jump(1)
    }

    fn jump(&self, by: i32) -> i32 {
        let next = self.sequence.load(Ordering::Relaxed).saturating_add(by);
        self.sequence.store(next, Ordering::Relaxed);
        next
    }

    /// Makes a change with the next number, and again with much higher ones if that was too low.
    async fn change(&self, client: &Client, pen: &Pen, change: Change<'_>) -> Result<(), Error> {
        let mut outcome = self.try_change(client, pen, change).await;
        for by in SEQUENCE_JUMPS {
            if !matches!(outcome, Err(Error::OutOfSequence(_))) {
                break;
            }
            warn!(card.id = %self.id, "a change came with too low a number");
            self.jump(by);
            outcome = self.try_change(client, pen, change).await;
        }
        outcome
    }

    /// Every repetition of this try, which the transport makes, carries the same number and the same `uuid`.
    async fn try_change(
        &self,
        client: &Client,
        pen: &Pen,
        change: Change<'_>,
    ) -> Result<(), Error> {
        let (id, sequence) = (&self.id, self.next_number(pen));
        match change {
            Change::Config(config) => client.set_card_settings(id, config, sequence).await,
            Change::Whole(json) => client.replace_card(id, json, sequence).await,
        }
    }

    /// Waits until there is text to send, and gives since when, and whether it is the card's first.
    async fn due(&self) -> (std::time::Instant, bool) {
        loop {
            let due = self.sheet().due(self.supply());
            let now = Instant::now();
            let at = match due.map(|due| (due, Instant::from_std(due.at))) {
                Some((due, at)) if at <= now => return (due.since, due.is_first),
                Some((_, at)) => at,
                None => now + SUPPLY_CHECK,
            };
            tokio::select! {
                // There is a text, or it may be sent again.
                () = self.changed.notified() => {}
                // The wait after a failure is over, or calls may be less short.
                () = sleep_until(at) => {}
            }
        }
    }

    /// Sends one text and deals with what comes of it.
    async fn put(&self, pen: &mut Pen, writing: &Writing, outcome: Result<(), Error>) {
        let now = Instant::now().into_std();
        let error = match outcome {
            Ok(()) => {
                let stale = now.saturating_duration_since(writing.since);
                let metrics = self.client.metrics();
                metrics
                    .stream_staleness_seconds
                    .observe(stale.as_secs_f64());
                self.sheet().shown(now);
                self.written.send_replace(Some(Ok(writing.element.clone())));
                self.tune(pen, writing, now).await;
                return;
            }
            Err(error) => error,
        };
        let failures = self.sheet().not_shown(writing, now);
        let is_sequence = matches!(error, Error::OutOfSequence(_));
        if is_sequence {
            self.jump(SEQUENCE_JUMPS[0]);
        }
        let is_token = error.is_stale_token();
        if error.is_transient() || (is_sequence || is_token) && failures < JUMPS_MAX {
            debug!(card.id = %self.id, %error, "an update was not shown; a later one will be");
            return;
        }
        self.sheet().halt();
        self.written.send_replace(Some(Err(error)));
    }

    /// Sets how fast clients type, where that is far from what arrives.
    async fn tune(&self, pen: &mut Pen, writing: &Writing, now: std::time::Instant) {
        // What is longest is what people see being typed.
        if !self.sheet().is_longest(writing) || self.supply() != Supply::Ample {
            return;
        }
        let chars = writing.text.chars().count();
        let Some(config) = pen.typing.updated(chars, now) else {
            return;
        };
        let client = self.client.at(Class::Progress);
        let set = client.set_card_settings(&self.id, &config, self.next_number(pen));
        if let Err(error) = set.await {
            debug!(card.id = %self.id, %error, "clients go on typing at their old speed");
        }
    }
}

/// Sends the newest text whenever it is this card's turn.
async fn write(card: Arc<Shared>) {
    loop {
        let (since, is_first) = card.due().await;
        let permit = card.client.stream_permit(&card.id, since, is_first).await;
        let Ok(permit) = permit else {
            continue;
        };
        // Somebody changes the card in another way. That is no reason to keep a turn that others can use.
        let Ok(mut pen) = card.pen.try_lock() else {
            drop(permit);
            drop(card.pen.lock().await);
            continue;
        };
        let Some(writing) = card.sheet().take() else {
            continue;
        };
        let (client, sequence) = (&card.client, card.next_number(&pen));
        let (element, text) = (&writing.element, &writing.text);
        let outcome = client
            .write_text(permit, &card.id, element, text, sequence)
            .await;
        card.put(&mut pen, &writing, outcome).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feishu::testing::{Platform, Reply, Seen};

    const TEXT: &str = "PUT /open-apis/cardkit/v1/cards/735/elements/answer/content";
    const SETTINGS: &str = "PATCH /open-apis/cardkit/v1/cards/735/settings";
    const WHOLE: &str = "PUT /open-apis/cardkit/v1/cards/735";

    fn done() -> Reply {
        Reply::data(json!({}))
    }

    fn stream(platform: &Platform) -> CardStream {
        platform.client().card_stream(CardId::new("735"), 10)
    }

    fn contents(seen: &[Seen]) -> Vec<(&str, i64)> {
        let content = |one: &Seen| one.body["sequence"].as_i64().unwrap();
        seen.iter()
            .map(|one| (one.body["content"].as_str().unwrap(), content(one)))
            .collect()
    }

    #[tokio::test]
    async fn only_the_newest_text_is_sent() {
        let platform = Platform::start().await;
        platform.will(TEXT, [done(), done()]);
        let mut card = stream(&platform);
        for text in ["a", "ab", "abc"] {
            card.show("answer", text);
        }
        assert_eq!(&*card.written().await.unwrap(), "answer");
        card.show("answer", "abcd");
        card.written().await.unwrap();
        let seen = platform.seen(TEXT);
        assert_eq!(contents(&seen), [("abc", 11), ("abcd", 12)]);
    }

    #[tokio::test]
    async fn a_closed_stream_is_told_and_its_text_is_sent_when_it_is_open_again() {
        let platform = Platform::start().await;
        platform.will(TEXT, [Reply::refusal(400, 300309), done()]);
        platform.will(SETTINGS, [done()]);
        let mut card = stream(&platform);
        card.show("answer", "a");
        let error = card.written().await.unwrap_err();
        assert!(matches!(error, Error::StreamClosed(_)), "{error}");
        card.show("answer", "ab");
        card.configure(&json!({"streaming_mode": true}))
            .await
            .unwrap();
        card.written().await.unwrap();
        assert_eq!(contents(&platform.seen(TEXT)), [("a", 11), ("ab", 13)]);
    }

    #[tokio::test]
    async fn trouble_that_time_mends_is_not_told() {
        let platform = Platform::start().await;
        let trouble = [
            Reply::refusal(503, 2200),
            Reply::refusal(400, 300317),
            done(),
        ];
        platform.will(TEXT, trouble);
        let mut card = stream(&platform);
        card.show("answer", "a");
        card.written().await.unwrap();
        let seen = platform.seen(TEXT);
        assert_eq!(contents(&seen), [("a", 11), ("a", 12), ("a", 1013)]);
    }

    #[tokio::test]
    async fn what_was_to_be_shown_does_not_overwrite_a_new_card() {
        let platform = Platform::start().await;
        platform.will(TEXT, [Reply::refusal(503, 2200)]);
        platform.will(WHOLE, [Reply::refusal(400, 300317), done()]);
        let card = stream(&platform);
        card.show("answer", "a");
        card.replace(&json!({"schema": "2.0"})).await.unwrap();
        let sequence = |one: &Seen| one.body["sequence"].as_i64().unwrap();
        let (texts, wholes) = (platform.seen(TEXT), platform.seen(WHOLE));
        // The text may have been under way; then the replacement came after it.
        let before = 10 + texts.len() as i64;
        let wholes: Vec<i64> = wholes.iter().map(sequence).collect();
        assert_eq!(
            wholes,
            [before + 1, before + 2 + i64::from(SEQUENCE_JUMPS[0])]
        );
        assert_eq!(card.card.sheet().due(Supply::Ample), None);
    }

    #[tokio::test]
    async fn a_drawing_is_not_repeated_but_a_last_word_is() {
        let platform = Platform::start().await;
        let too_fast = || Reply::refusal(400, 99991400);
        platform.will(WHOLE, [too_fast(), too_fast(), done()]);
        let card = stream(&platform);
        let whole = json!({"schema": "2.0"});
        let error = card.redraw(&whole).await.unwrap_err();
        assert!(matches!(error, Error::TooFast { .. }), "{error}");
        assert_eq!(platform.seen(WHOLE).len(), 1);
        card.replace(&whole).await.unwrap();
        let seen = platform.seen(WHOLE);
        let same = |member: &str| seen[1].body[member] == seen[2].body[member];
        assert!(same("sequence") && same("uuid"), "one try, however often");
        assert_eq!(seen[2].body["sequence"], 12);
    }

    #[tokio::test]
    async fn renewing_is_off_and_on() {
        let platform = Platform::start().await;
        platform.will(SETTINGS, [done(), done()]);
        stream(&platform).renew().await.unwrap();
        let seen = platform.seen(SETTINGS);
        let config = |on| json!({"config": {"streaming_mode": on}}).to_string();
        assert_eq!(seen[0].body["settings"], config(false));
        assert_eq!(seen[1].body["settings"], config(true));
    }
}
