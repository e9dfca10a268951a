//! Who may call next: the decisions, as a function of what was asked and of the time. No clock, no network.
//!
//! Whoever wants to call asks ([`Schedule::ask`]) and is granted a [`Slot`] by some later
//! [`Schedule::poll`], which stands for one call in every limit that applies to it. Higher classes come
//! first; within a class, a stream that has shown nothing yet, then who has waited longest. Who has to wait
//! for a limit of its own (a chat, a card) is passed over, and nobody waits behind it.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::{
    super::{Class, api::Target, error::Limit},
    bucket::{Bucket, Free},
    limits::Key,
};

/// The least number of buckets at which idle ones are looked for.
const SWEEP_MIN: usize = 256;

/// "Too fast" for two APIs within this time is taken to be about the app, since the platform does not say.
const SAME_REFUSAL_WITHIN: Duration = Duration::from_secs(1);

/// One wish to call.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which API, or which APIs that are counted together.
    pub api: &'static str,
    /// What it writes to.
    pub target: Option<Target>,
    /// How urgent it is.
    pub class: Class,
    /// Since when it has been due.
    pub since: Instant,
    /// Whether it is a stream that has not shown anything yet.
    pub is_first: bool,
}

/// The name of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The right to make one call. It goes back by [`Schedule::answered`] or [`Schedule::unused`].
#[derive(Debug)]
#[must_use = "a slot that is not given back is used up for ever"]
pub struct Slot {
    api: &'static str,
    keys: Vec<Key>,
}

/// What can be done now.
#[derive(Debug)]
pub struct Polled {
    /// Who may call, in order.
    pub granted: Vec<(Ticket, Slot)>,
    /// When to poll again, if nothing is asked or answered before.
    pub wake: Option<Instant>,
}

/// The limits of one app, how far each is used, and who waits.
#[derive(Debug, Default)]
pub struct Schedule {
    buckets: HashMap<Key, Bucket>,
    sweep_at: usize,
    waiting: BTreeMap<Place, Ask>,
    places: HashMap<Ticket, Place>,
    tickets: u64,
    /// Only pages until then: the month's calls are used up.
    pages_only_until: Option<Instant>,
    api_refused: Option<(&'static str, Instant)>,
}

/// Where one stands in the queue: class, streams that show something already after those that do not, time
/// of waiting, order of asking.
type Place = (Class, bool, Instant, Ticket);

impl Schedule {
    /// Takes a wish in. It is granted by [`Schedule::poll`], perhaps at once.
    pub fn ask(&mut self, ask: Ask) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let place = (ask.class, !ask.is_first, ask.since, ticket);
        self.places.insert(ticket, place);
        self.waiting.insert(place, ask);
        ticket
    }

    /// Forgets a wish that has not been granted.
    pub fn withdraw(&mut self, ticket: Ticket) {
        if let Some(place) = self.places.remove(&ticket) {
            self.waiting.remove(&place);
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Grants all that may be granted.
    pub fn poll(&mut self, now: Instant) -> Polled {
        let mut polled = Polled {
            granted: Vec::new(),
            wake: None,
        };
        self.sweep(now);
        let pages_only = self.pages_only(now);
        let mut granted = Vec::new();
        for (place, ask) in &self.waiting {
            if pages_only.is_some() && ask.class != Class::Page {
                polled.wake = earlier(polled.wake, pages_only);
                break;
            }
            let keys = keys(ask);
            // No lower class is allowed more of the app than this one, so here it ends for all.
            let app = free(&self.buckets, &[Key::App], ask.class, now);
            if app != Free::Now {
                polled.wake = earlier(polled.wake, app.at());
                break;
            }
            let own = free(&self.buckets, &keys, ask.class, now);
            if own != Free::Now {
                polled.wake = earlier(polled.wake, own.at());
                continue;
            }
            for key in &keys {
                bucket(&mut self.buckets, key).leave(now);
            }
            let slot = Slot { api: ask.api, keys };
            polled.granted.push((place.3, slot));
            granted.push(*place);
        }
        for place in granted {
            self.waiting.remove(&place);
            self.places.remove(&place.3);
        }
        polled
    }

    /// The answer to a call is here, or nobody waits for it any longer.
    pub fn answered(&mut self, slot: Slot, now: Instant) {
        for key in &slot.keys {
            bucket(&mut self.buckets, key).answer(now);
        }
    }

    /// The call was never made.
    pub fn unused(&mut self, slot: Slot) {
        for key in &slot.keys {
            bucket(&mut self.buckets, key).take_back();
        }
    }

    /// The platform refused a call for `limit`: what stands under it waits.
    pub fn refused(&mut self, slot: &Slot, limit: Limit, wait: Duration, now: Instant) {
        let mut limit = limit;
        if limit == Limit::Api {
            let other = self.api_refused.replace((slot.api, now));
            let is_app = other.is_some_and(|(api, at)| {
                api != slot.api && now.saturating_duration_since(at) < SAME_REFUSAL_WITHIN
            });
            if is_app {
                limit = Limit::App;
            }
        }
        let named = slot.keys.iter().find(|key| key.limit() == limit);
        // A refusal "for the chat" of a call that names none can only be about the API.
        let key = named.cloned().unwrap_or(Key::Api(slot.api));
        bucket(&mut self.buckets, &key).close(now + wait, now);
    }

    /// The month's calls are used up: until then only pages go out.
    pub fn only_pages_until(&mut self, until: Option<Instant>) {
        self.pages_only_until = until;
    }

    /// Whether only pages go out, and until when.
    pub fn pages_only(&self, now: Instant) -> Option<Instant> {
        self.pages_only_until.filter(|until| *until > now)
    }

    /// The limit by which `ask` is shut out, and until when: there is no point in asking for less patience.
    pub fn closed(&self, ask: &Ask, now: Instant) -> Option<(Limit, Instant)> {
        let closed = keys(ask).into_iter().filter_map(|key| {
            let until = self.buckets.get(&key)?.closed_until(now)?;
            Some((key.limit(), until))
        });
        closed.max_by_key(|(_, until)| *until)
    }

    /// For each kind of limit, how much of its fullest window is used.
    pub fn used(&self, now: Instant) -> Vec<(Limit, f64)> {
        let limits = [
            Limit::App,
            Limit::Api,
            Limit::Chat,
            Limit::Message,
            Limit::Card,
        ];
        let mut used = limits.map(|limit| (limit, 0.0));
        for (key, bucket) in &self.buckets {
            let ratio = bucket.used_ratio(now);
            if let Some((_, most)) = used.iter_mut().find(|(limit, _)| *limit == key.limit()) {
                *most = f64::max(*most, ratio);
            }
        }
        used.to_vec()
    }

    fn sweep(&mut self, now: Instant) {
        if self.buckets.len() < self.sweep_at.max(SWEEP_MIN) {
            return;
        }
        self.buckets.retain(|_, bucket| !bucket.is_idle(now));
        // Twice as many must come before the next look, so a look costs each newcomer little.
        self.sweep_at = self.buckets.len() * 2;
    }

    #[cfg(test)]
    pub(super) fn buckets(&self) -> usize {
        self.buckets.len()
    }
}

/// Most particular first: there is least to wait for.
fn keys(ask: &Ask) -> Vec<Key> {
    let target = ask.target.clone().map(Key::Target);
    target
        .into_iter()
        .chain([Key::Api(ask.api), Key::App])
        .collect()
}

fn bucket<'a>(buckets: &'a mut HashMap<Key, Bucket>, key: &Key) -> &'a mut Bucket {
    if !buckets.contains_key(key) {
        buckets.insert(key.clone(), Bucket::new(key.rules()));
    }
    buckets.get_mut(key).expect("it was put there just now")
}

/// When all of `keys` are free. Only those that exist can be anything else.
fn free(buckets: &HashMap<Key, Bucket>, keys: &[Key], class: Class, now: Instant) -> Free {
    let mut free = Free::Now;
    for key in keys {
        let Some(bucket) = buckets.get(key) else {
            continue;
        };
        free = match (free, bucket.free(class, now)) {
            (Free::AfterAnswer, _) | (_, Free::AfterAnswer) => return Free::AfterAnswer,
            (Free::Now, other) | (other, Free::Now) => other,
            (Free::At(one), Free::At(other)) => Free::At(one.max(other)),
        };
    }
    free
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
