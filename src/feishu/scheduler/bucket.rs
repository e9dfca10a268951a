//! How much of one limit is in use.
//!
//! The platform counts a call at some moment between our sending it and our reading the answer, and we
//! never learn which. So a call is counted from when it leaves until a whole span after its answer: however
//! the network delays calls and pushes them together, no span on the platform's side can hold too many.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    super::Class,
    limits::{Rules, Window, share},
};

/// After a refusal for a shared limit we ask for one call less; so long without another, for one more.
const FORGET_AFTER: Duration = Duration::from_secs(30);

/// One limit for one thing.
#[derive(Debug)]
pub(super) struct Bucket {
    rules: &'static Rules,
    /// Calls whose answer is not here yet.
    under_way: usize,
    /// When answers came, in order, as far back as the widest window looks.
    answered: VecDeque<Instant>,
    /// Where the pace stands: when the calls made so far would have ended, had they been made evenly.
    paced_to: Option<Instant>,
    closed_until: Option<Instant>,
    /// How many calls of a window others seem to use, and since when we believe that.
    taken_by_others: (usize, Option<Instant>),
}

/// When a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Free {
    /// At once.
    Now,
    /// Then, if nothing else is done before.
    At(Instant),
    /// Not before an answer has come.
    AfterAnswer,
}

impl Free {
    /// The time to look again, where it is known.
    pub(super) fn at(self) -> Option<Instant> {
        match self {
            Free::At(at) => Some(at),
            Free::Now | Free::AfterAnswer => None,
        }
    }
}

impl Bucket {
    pub(super) fn new(rules: &'static Rules) -> Self {
        Self {
            rules,
            under_way: 0,
            answered: VecDeque::new(),
            paced_to: None,
            closed_until: None,
            taken_by_others: (0, None),
        }
    }

    /// When a call of this class may be made.
    pub(super) fn free(&self, class: Class, now: Instant) -> Free {
        let mut at = self.closed_until.map_or(now, |closed| closed.max(now));
        if let (Some(pace), Some(paced_to)) = (&self.rules.pace, self.paced_to) {
            let ahead = pace.every * (pace.at_once[class as usize] - 1);
            at = at.max(paced_to.checked_sub(ahead).unwrap_or(now));
        }
        for window in self.rules.windows {
            let answered = self.answered_within(window, now);
            let allowed = self.allowed(window, class, now);
            let used = self.under_way + answered;
            if used < allowed {
                continue;
            }
            let too_many = used + 1 - allowed;
            if too_many > answered {
                return Free::AfterAnswer;
            }
            let last = self.answered[self.answered.len() - answered + too_many - 1];
            at = at.max(last + window.span);
        }
        if at <= now { Free::Now } else { Free::At(at) }
    }

    /// A call leaves.
    pub(super) fn leave(&mut self, now: Instant) {
        self.under_way += 1;
        if let Some(pace) = &self.rules.pace {
            let from = self.paced_to.map_or(now, |paced_to| paced_to.max(now));
            self.paced_to = Some(from + pace.every);
        }
    }

    /// It never left.
    pub(super) fn take_back(&mut self) {
        self.under_way -= 1;
        if let Some(pace) = &self.rules.pace {
            self.paced_to = self.paced_to.and_then(|at| at.checked_sub(pace.every));
        }
    }

    /// Its answer is here, or will not come any more.
    pub(super) fn answer(&mut self, now: Instant) {
        self.under_way -= 1;
        self.answered.push_back(now);
        while self
            .answered
            .front()
            .is_some_and(|at| *at + self.span_max() <= now)
        {
            self.answered.pop_front();
        }
    }

    /// The platform refused: nothing before `until`.
    pub(super) fn close(&mut self, until: Instant, now: Instant) {
        self.closed_until = self.closed_until.max(Some(until));
        if self.rules.is_shared {
            self.taken_by_others = (self.by_others(now) + 1, Some(until));
        }
    }

    /// Until when it is closed, if it is.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|closed| *closed > now)
    }

    /// How much of the fullest window is used, of all that the platform allows.
    pub(super) fn used_ratio(&self, now: Instant) -> f64 {
        let ratio = |window| {
            let used = self.under_way + self.answered_within(window, now);
            used as f64 / share(&window.calls, Class::Page) as f64
        };
        self.rules.windows.iter().map(ratio).fold(0.0, f64::max)
    }

    /// Whether a new bucket would behave the same.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let span = self.span_max();
        self.under_way == 0
            && self.closed_until(now).is_none()
            && self.by_others(now) == 0
            && self.answered.back().is_none_or(|at| *at + span <= now)
    }

    fn allowed(&self, window: &Window, class: Class, now: Instant) -> usize {
        let share = share(&window.calls, class);
        share.saturating_sub(self.by_others(now)).max(1)
    }

    fn by_others(&self, now: Instant) -> usize {
        let (calls, since) = self.taken_by_others;
        let quiet = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let forgotten = quiet.as_secs() / FORGET_AFTER.as_secs();
        let most = share(&self.rules.windows[0].calls, Class::Page) - 1;
        calls
            .min(most)
            .saturating_sub(usize::try_from(forgotten).unwrap_or(usize::MAX))
    }

    fn answered_within(&self, window: &Window, now: Instant) -> usize {
        let old = self.answered.partition_point(|at| *at + window.span <= now);
        self.answered.len() - old
    }

    fn span_max(&self) -> Duration {
        let spans = self.rules.windows.iter().map(|window| window.span);
        spans.max().unwrap_or_default()
    }
}
