//! Presses on our cards: each is answered within the platform's three seconds, whatever the disk, the
//! network or the number of people do, and what it asks for is done all the same.
//!
//! ```text
//! delivery ─▶ sort ─▶ a task of its own ─▶ seal: is the value ours, and of this chat?
//!                                       ─▶ may: has this person the right?
//!                                       ─▶ the deed, alone with its turn
//!                                       ─▶ answered: a line for the one who pressed, and perhaps the card
//!                                       ─▶ what is to follow the answer
//! ```
//! - What a button carries names a [`Deed`] and what it is about, and is signed: see [`seal`]. Nothing else
//!   that a client sends is believed.
//! - Presses on the same turn wait for each other, so of two people the first one acts and the other is
//!   told by whom. A deed that must not be lost is in the store before its answer says that it is done.
//! - After [`ANSWER_WITHIN`] the one who pressed is told that it takes longer. The deed goes on, and its
//!   card follows by the press's token.
//!
//! A new kind of press is a variant of [`Deed`], a file here, and a line in `do_it`.

pub(super) mod incident;
pub(super) mod link;
mod outcome;
mod rate;
mod regenerate;
mod report;
mod room;
mod seal;
mod sort;
mod stop;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{OnceCell, Semaphore, oneshot},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::{
    config::Language,
    feishu::{Answer, ChatId, Class, Click, OpenId, Recipient},
    incident::IncidentId,
    store::{self, Store},
    telemetry::OutcomeLabels,
};

use super::{
    Bot,
    alone::Alone,
    audit,
    card::{self, Notice, answer::Controls, notice::Template},
    handling::{self, Right, Told},
    incidents::Place,
    members::{self, Decision},
    notice,
    people::stand_in,
    phrase::Phrase,
    reply::Patience,
};

use incident::Press;
use outcome::{Kind, Outcome};
use seal::Seal;

pub(super) use report::{ReportPress, question as publish_question, restore_question};
pub(super) use sort::sort_out;

/// The platform gives up on a press after three seconds, and the way there and back takes some of them.
const ANSWER_WITHIN: Duration = Duration::from_millis(2500);

/// How many presses are worked on at once; whoever comes on top of them is told so.
const AT_ONCE: usize = 64;

/// How long a press waits for a card that is being drawn.
const DRAWING_WITHIN: Duration = Duration::from_secs(1);

/// How long a toast may wait for a name.
const NAME_WITHIN: Duration = Duration::from_secs(1);

/// What can be asked for by a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// End a turn.
    Stop,
    /// Answer a question anew.
    Regenerate,
    /// An answer helped.
    Praise,
    /// An answer did not help.
    Complain,
    /// Why it did not: a form.
    Explain,
    /// Make the links that a preview shows.
    LinkAll,
    /// Somebody is the member that they say they are.
    ConfirmClaim,
    /// They are not.
    DeclineClaim,
    /// A war room stays.
    KeepRoom,
    /// A war room is dissolved.
    DissolveRoom,
    /// Something about an incident.
    Incident(Press),
    /// Something about a report.
    Report(ReportPress),
}

impl Deed {
    /// Those that are not about incidents.
    const OTHERS: [Deed; 10] = [
        Deed::Stop,
        Deed::Regenerate,
        Deed::Praise,
        Deed::Complain,
        Deed::Explain,
        Deed::KeepRoom,
        Deed::DissolveRoom,
        Deed::LinkAll,
        Deed::ConfirmClaim,
        Deed::DeclineClaim,
    ];

    fn all() -> impl Iterator<Item = Deed> {
        let of_incidents = Press::ALL.into_iter().map(Deed::Incident);
        let of_reports = ReportPress::ALL.into_iter().map(Deed::Report);
        let of_both = of_incidents.chain(of_reports);
        Deed::OTHERS.into_iter().chain(of_both)
    }

    /// What right it takes. On call it is often somebody else than the asker who sees that an answer goes
    /// the wrong way, and `/stop` has always been for all.
    fn takes(self) -> Right {
        match self {
            Deed::Stop | Deed::Regenerate => Right::Look,
            Deed::Praise | Deed::Complain | Deed::Explain => Right::Look,
            Deed::LinkAll | Deed::ConfirmClaim | Deed::DeclineClaim => Right::Administer,
            Deed::KeepRoom | Deed::DissolveRoom => Right::Act,
            Deed::Incident(press) => press.takes(),
            Deed::Report(press) => press.takes(),
        }
    }

    /// How values call it. Never changed once released: cards live for two weeks.
    fn name(self) -> &'static str {
        match self {
            Deed::Stop => "stop",
            Deed::Regenerate => "regenerate",
            Deed::Praise => "praise",
            Deed::Complain => "complain",
            Deed::Explain => "explain",
            Deed::KeepRoom => "keep_room",
            Deed::DissolveRoom => "dissolve_room",
            Deed::LinkAll => "link_all",
            Deed::ConfirmClaim => "confirm_claim",
            Deed::DeclineClaim => "decline_claim",
            Deed::Incident(press) => press.name(),
            Deed::Report(press) => press.name(),
        }
    }
}

/// What a press asks for, once its value was found to be ours.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    deed: Deed,
    /// What it is about, such as a turn by its `past::turn_id`.
    about: String,
    /// The chat in which the card stands, and for which it was made.
    chat: ChatId,
    /// Whether it was made for the direct chat with whoever pressed.
    is_direct: bool,
}

/// What all presses share.
pub(super) struct Clicks {
    store: Store,
    seal: OnceCell<Seal>,
    places: Arc<Semaphore>,
    alone: Alone,
}

impl Clicks {
    /// Not open yet.
    pub(super) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            seal: OnceCell::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            alone: Alone::default(),
        }
    }

    /// Reads the key by which we know our own buttons; the first time it is made.
    pub(super) async fn open(&self) -> Result<(), store::Error> {
        self.seal.get_or_try_init(|| Seal::of(&self.store)).await?;
        Ok(())
    }

    /// What the buttons of a turn's answer carry. Nothing before [`Clicks::open`].
    pub(super) fn controls(&self, turn: &str, chat: &ChatId) -> Controls {
        let Some(seal) = self.seal.get() else {
            return Controls::default();
        };
        let value = |deed| seal.value(deed, turn, chat.as_str());
        Controls {
            stop: value(Deed::Stop),
            regenerate: value(Deed::Regenerate),
            praise: value(Deed::Praise),
            complain: value(Deed::Complain),
            explain: value(Deed::Explain),
        }
    }

    /// What one button carries. Nothing before [`Clicks::open`].
    pub(super) fn value(&self, deed: Deed, about: &str, chat: &ChatId) -> Value {
        let seal = self.seal.get();
        seal.map_or(Value::Null, |seal| seal.value(deed, about, chat.as_str()))
    }

    /// What the buttons of an incident's card carry. Nothing before [`Clicks::open`].
    pub(super) fn controls_of_incident(
        &self,
        incident: &IncidentId,
        place: &Place,
    ) -> card::incident::Controls {
        incident::controls(|press| self.value_of_incident(press, incident, place))
    }

    /// What one of them carries. A card for a person is sealed for that person, since their direct chat may
    /// not be known before the card is sent.
    pub(super) fn value_of_incident(
        &self,
        press: Press,
        incident: &IncidentId,
        place: &Place,
    ) -> Value {
        let seal = self.seal.get();
        let value = |seal: &Seal| seal.value(Deed::Incident(press), &incident.0, place.as_str());
        seal.map(value).unwrap_or_default()
    }

    fn read(&self, click: &Click) -> Option<Order> {
        self.seal.get()?.open(click)
    }
}

/// Takes a press, and answers it in time. Never waits.
fn take(bot: &Bot, click: Click, received_at: Instant, answer: oneshot::Sender<Answer>) {
    let Ok(place) = bot.0.clicks.places.clone().try_acquire_owned() else {
        warn!("more presses at once than can be worked on");
        count(bot, "turned_away");
        let outcome = Outcome::told(Kind::Warning, &Phrase::TooManyPresses);
        return respond(answer, outcome.reply());
    };
    let span = info_span!("click", message.id = %click.message_id);
    let desk = bot.clone();
    let work = async move {
        let _place = place;
        press(&desk, click, received_at + ANSWER_WITHIN, answer).await;
    };
    bot.sessions().beside(work.instrument(span));
}

/// Has a press carried out, and answers it by `until`.
async fn press(bot: &Bot, click: Click, until: Instant, answer: oneshot::Sender<Answer>) {
    let (desk, pressed) = (bot.clone(), click.clone());
    // A task of its own, so that a panic is an answer too. It is waited for in every case.
    let deed = async move { carry_out(&desk, &pressed).await };
    let mut deed = tokio::spawn(deed.in_current_span());
    match timeout_at(until, &mut deed).await {
        Ok(done) => {
            let outcome = done.unwrap_or_else(|_| Outcome::broken());
            count(bot, "answered");
            respond(answer, outcome.reply());
            follow(bot, &click, outcome).await;
        }
        Err(_) => {
            count(bot, "late");
            let meanwhile = Outcome::told(Kind::Info, &Phrase::PressTakesLonger);
            respond(answer, meanwhile.reply());
            catch_up(bot, &click, deed).await;
        }
    }
}

/// Brings a press to its end whose answer is out already.
async fn catch_up(bot: &Bot, click: &Click, deed: JoinHandle<Outcome>) {
    let outcome = deed.await.unwrap_or_else(|_| Outcome::broken());
    info!("a press was carried out after it was answered");
    if let (Some(card), Some(token)) = (outcome.card(), &click.token) {
        let mut patience = Patience::new();
        let feishu = bot.0.feishu.at(Class::Click);
        loop {
            match feishu.update_pressed_card(token, card).await {
                Err(error) if patience.allows(&error).await => {}
                Err(error) => break warn!(%error, "the card does not show what was pressed"),
                Ok(()) => break,
            }
        }
    }
    if outcome.is_failure() {
        tell_directly(bot, click, &outcome).await;
    }
    follow(bot, click, outcome).await;
}

/// Does what is to be done after the answer, and notes who asked for what.
async fn follow(bot: &Bot, click: &Click, outcome: Outcome) {
    let deed = audit::Deed {
        who: click.operator.clone(),
        what: match outcome.deed() {
            Some(deed) => format!("click {}", deed.name()),
            None => "click".to_owned(),
        },
        chat: click.chat_id.clone(),
        message: Some(click.message_id.clone()),
        outcome: outcome.label().to_owned(),
    };
    outcome.follow(bot);
    audit::note(bot, deed).await;
}

/// They were told that we are on it, so that it came to nothing must reach them as well.
async fn tell_directly(bot: &Bot, click: &Click, outcome: &Outcome) {
    let language = bot.0.conversation.language;
    let why = match language {
        Language::En => outcome.english(),
        Language::Zh => outcome.chinese(),
    };
    let text = Phrase::PressFailed { why }.text(language);
    let told = Notice {
        title: None,
        text: &text,
        template: Template::Orange,
    };
    let person = Recipient::Person(click.operator.clone());
    let token = click.token.as_deref().unwrap_or_default();
    let purpose = format!("press/{}/{token}", click.message_id);
    if let Err(error) = notice::tell(bot, Class::Click, &person, &purpose, &told).await {
        warn!(%error, "a press came to nothing, and whoever pressed does not know");
    }
}

/// Does what a press asks, if it is ours and they may.
async fn carry_out(bot: &Bot, click: &Click) -> Outcome {
    let Some(order) = bot.0.clicks.read(click) else {
        info!("a press carries nothing that we know");
        return Outcome::told(Kind::Warning, &Phrase::Stale);
    };
    let alone = bot.0.clicks.alone.with(&order.about).await;
    let outcome = match may(bot, click, &order).await {
        Ok(()) => {
            members::meet(bot, &click.operator);
            do_it(bot, click, &order).await
        }
        Err(told) => Outcome::from(&told),
    };
    outcome.of(order.deed).holding(alone)
}

async fn do_it(bot: &Bot, click: &Click, order: &Order) -> Outcome {
    debug!(deed = order.deed.name(), "carrying out a press");
    match order.deed {
        Deed::Stop => stop::run(bot, click, order).await,
        Deed::Regenerate => regenerate::run(bot, click, order).await,
        Deed::Praise => rate::praise(bot, click, order).await,
        Deed::Complain => rate::complain(bot, click, order).await,
        Deed::Explain => rate::explain(bot, click, order).await,
        Deed::KeepRoom | Deed::DissolveRoom => room::end(bot, click, order).await,
        Deed::LinkAll => link::all(bot, click, order).await,
        Deed::ConfirmClaim => link::claim(bot, click, order, Decision::Confirm).await,
        Deed::DeclineClaim => link::claim(bot, click, order, Decision::Decline).await,
        Deed::Incident(press) => incident::run(bot, click, order, press).await,
        Deed::Report(press) => report::run(bot, click, order, press).await,
    }
}

/// Whether they have the right, or why not. The one place where presses ask.
///
/// That whoever presses is of the chat needs no question: the platform shows a card to its members only
/// and says where it stands, and the seal is of that chat.
async fn may(bot: &Bot, click: &Click, order: &Order) -> Result<(), Told> {
    let group = (!order.is_direct).then_some(&order.chat);
    handling::may(bot, &click.operator, group, order.deed.takes()).await
}

/// What is said of something that is not kept: not yet, or not any more.
async fn not_there(bot: &Bot, turn: &str) -> Outcome {
    let key = turn.rsplit('/').next().unwrap_or_default();
    match bot.inbox().get(key).await {
        Ok(Some(_)) => Outcome::told(Kind::Info, &Phrase::NotFinished),
        Ok(None) => Outcome::told(Kind::Warning, &Phrase::Stale),
        Err(error) => not_kept(&error),
    }
}

/// What is said where the store fails. Nothing was done.
fn not_kept(error: &store::Error) -> Outcome {
    error!(%error, "a press could not be kept, and was not carried out");
    Outcome::told(Kind::Error, &Phrase::PressNotKept)
}

/// What somebody is called, as far as that is known soon.
async fn name_of(bot: &Bot, person: &OpenId, order: &Order) -> String {
    timeout(NAME_WITHIN, bot.0.people.name(person, &order.chat))
        .await
        .unwrap_or_else(|_| stand_in(person.as_str()))
}

fn respond(answer: oneshot::Sender<Answer>, reply: Value) {
    // The connection may be gone by now; then their client says that nothing answered.
    let _ = answer.send(Answer::DoneWith(reply));
}

fn count(bot: &Bot, outcome: &'static str) {
    let labels = OutcomeLabels { outcome };
    bot.metrics().clicks.get_or_create(&labels).inc();
}
