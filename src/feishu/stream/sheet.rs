//! What one card shows, what it should show, and what to send next. Knows no network.
//!
//! Text is a state: what was to be shown and is not any more is forgotten, and nothing is ever queued.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::super::scheduler::Supply;

/// The wait after a first failure; each further one is twice as long, up to the last.
const WAIT_MIN: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(10);

/// When calls run short: so many updates of one card at most, and so far apart.
const ECONOMY_UPDATES: u32 = 2;
const ECONOMY_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Sheet {
    elements: Vec<Element>,
    /// How many texts were shown.
    updates: u32,
    updated_at: Option<Instant>,
    /// Raised when everything is forgotten, so that a text under way does not come back.
    edition: u32,
    /// Nothing is sent: the platform said that it would be of no use.
    is_halted: bool,
    failures: u32,
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct Element {
    name: Arc<str>,
    text: Arc<str>,
    /// Since when `text` has been more than what is shown or under way.
    unshown_since: Option<Instant>,
}

/// That something is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Since when.
    pub(super) since: Instant,
    /// Not before that.
    pub(super) at: Instant,
    /// Whether the card has shown nothing yet.
    pub(super) is_first: bool,
}

/// One text, on its way.
#[derive(Debug, Clone)]
pub(super) struct Writing {
    pub(super) element: Arc<str>,
    pub(super) text: Arc<str>,
    pub(super) since: Instant,
    edition: u32,
}

impl Sheet {
    /// `element` shall show `text`.
    pub(super) fn show(&mut self, element: &str, text: &str, now: Instant) {
        let found = self.elements.iter_mut().find(|one| &*one.name == element);
        match found {
            Some(one) if *one.text == *text => {}
            Some(one) => {
                one.text = text.into();
                one.unshown_since.get_or_insert(now);
            }
            None => self.elements.push(Element {
                name: element.into(),
                text: text.into(),
                unshown_since: Some(now),
            }),
        }
    }

    /// Forgets what was to be shown.
    pub(super) fn forget(&mut self) {
        self.elements.clear();
        self.edition += 1;
    }

    /// The card takes text again.
    pub(super) fn resume(&mut self) {
        self.is_halted = false;
    }

    /// The card takes no text until further notice. What it should show is remembered.
    pub(super) fn halt(&mut self) {
        self.is_halted = true;
    }

    /// Whether and when something is to be sent.
    pub(super) fn due(&self, supply: Supply) -> Option<Due> {
        let since = self
            .elements
            .iter()
            .filter_map(|one| one.unshown_since)
            .min();
        let since = since.filter(|_| !self.is_halted)?;
        let thrift = match supply {
            Supply::Ample => None,
            Supply::Forecast | Supply::Low if self.updates < ECONOMY_UPDATES => {
                self.updated_at.map(|at| at + ECONOMY_EVERY)
            }
            _ => return None,
        };
        let at = [self.not_before, thrift].into_iter().flatten().max();
        Some(Due {
            since,
            at: at.unwrap_or(since),
            is_first: self.updates == 0,
        })
    }

    /// Takes the newest text of the element that has waited longest.
    pub(super) fn take(&mut self) -> Option<Writing> {
        if self.is_halted {
            return None;
        }
        let waiting = self
            .elements
            .iter_mut()
            .filter(|one| one.unshown_since.is_some());
        let longest = waiting.min_by_key(|one| one.unshown_since)?;
        Some(Writing {
            element: longest.name.clone(),
            text: longest.text.clone(),
            since: longest.unshown_since.take()?,
            edition: self.edition,
        })
    }

    /// Whether no other element has a longer text.
    pub(super) fn is_longest(&self, writing: &Writing) -> bool {
        let longest = self.elements.iter().max_by_key(|one| one.text.len());
        longest.is_some_and(|one| one.name == writing.element)
    }

    /// It is shown.
    pub(super) fn shown(&mut self, now: Instant) {
        self.updates += 1;
        self.updated_at = Some(now);
        self.failures = 0;
        self.not_before = None;
    }

    /// It is not shown, and is to be tried again. Gives how many times in a row that was so.
    pub(super) fn not_shown(&mut self, writing: &Writing, now: Instant) -> u32 {
        let wait = WAIT_MIN * 2_u32.saturating_pow(self.failures.min(8));
        self.not_before = Some(now + wait.min(WAIT_MAX));
        self.failures += 1;
        let element = self
            .elements
            .iter_mut()
            .find(|one| one.name == writing.element);
        if let Some(element) = element.filter(|_| writing.edition == self.edition) {
            element.unshown_since = Some(writing.since);
        }
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn only_the_newest_text_is_sent_and_the_wait_counts_from_the_oldest() {
        let start = Instant::now();
        let mut sheet = Sheet::default();
        assert_eq!(sheet.due(Supply::Ample), None);
        for (second, text) in [(0, "a"), (1, "ab"), (2, "abc")] {
            sheet.show("answer", text, start + seconds(second));
        }
        let due = sheet.due(Supply::Ample).unwrap();
        assert_eq!((due.since, due.is_first), (start, true));
        let writing = sheet.take().unwrap();
        assert_eq!((&*writing.text, writing.since), ("abc", start));
        assert_eq!(sheet.due(Supply::Ample), None);
        sheet.shown(start);
        sheet.show("answer", "abc", start);
        assert_eq!(sheet.due(Supply::Ample), None, "it is shown already");
    }

    #[test]
    fn what_failed_comes_back_unless_it_was_forgotten() {
        let start = Instant::now();
        let mut sheet = Sheet::default();
        sheet.show("answer", "a", start);
        let writing = sheet.take().unwrap();
        sheet.show("answer", "ab", start + seconds(1));
        assert_eq!(sheet.not_shown(&writing, start + seconds(2)), 1);
        let due = sheet.due(Supply::Ample).unwrap();
        assert_eq!((due.since, due.at), (start, start + seconds(2) + WAIT_MIN));
        let writing = sheet.take().unwrap();
        assert_eq!(&*writing.text, "ab");
        sheet.forget();
        sheet.show("answer", "b", start);
        let newer = sheet.take().unwrap();
        sheet.shown(start);
        assert_eq!(&*newer.text, "b");
        let _ = sheet.not_shown(&writing, start);
        assert_eq!(sheet.due(Supply::Ample), None);
    }

    #[test]
    fn the_element_that_waited_longest_comes_first() {
        let start = Instant::now();
        let mut sheet = Sheet::default();
        sheet.show("status", "reading", start + seconds(1));
        sheet.show("answer", "a", start);
        assert_eq!(&*sheet.take().unwrap().element, "answer");
        sheet.show("answer", "ab", start + seconds(2));
        assert_eq!(&*sheet.take().unwrap().element, "status");
    }

    #[test]
    fn when_calls_run_short_a_card_is_updated_twice_and_then_at_its_end() {
        let start = Instant::now();
        let mut sheet = Sheet::default();
        sheet.show("answer", "a", start);
        assert_eq!(sheet.due(Supply::Scarce), None);
        assert_eq!(sheet.due(Supply::Low).unwrap().at, start);
        let _ = sheet.take();
        sheet.shown(start);
        sheet.show("answer", "ab", start + seconds(1));
        assert_eq!(sheet.due(Supply::Low).unwrap().at, start + ECONOMY_EVERY);
        let _ = sheet.take();
        sheet.shown(start + ECONOMY_EVERY);
        sheet.show("answer", "abc", start + seconds(60));
        assert_eq!(sheet.due(Supply::Low), None);
        assert!(sheet.due(Supply::Ample).is_some(), "a new month");
    }

    #[test]
    fn a_halted_sheet_remembers_what_it_should_show() {
        let start = Instant::now();
        let mut sheet = Sheet::default();
        sheet.show("answer", "a", start);
        let writing = sheet.take().unwrap();
        let _ = sheet.not_shown(&writing, start);
        sheet.halt();
        sheet.show("answer", "ab", start);
        assert!(sheet.due(Supply::Ample).is_none() && sheet.take().is_none());
        sheet.resume();
        assert_eq!(&*sheet.take().unwrap().text, "ab");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever fails in between, once things go well the card shows the last text of each element.
        #[test]
        fn the_last_text_of_each_element_is_sent(steps in prop::collection::vec((0..2_usize, 0..50_u8, 0..3_u8), 1..80)) {
            let names = ["answer", "status"];
            let mut now = Instant::now();
            let mut sheet = Sheet::default();
            let mut shown = [None, None];
            let mut wanted = [None, None];
            let mut under_way: Option<Writing> = None;
            let mut settle = |sheet: &mut Sheet, writing: Writing, ok: bool, now| {
                let which = names.iter().position(|name| **name == *writing.element).unwrap();
                if ok {
                    sheet.shown(now);
                    shown[which] = Some(writing.text.to_string());
                } else {
                    let _ = sheet.not_shown(&writing, now);
                }
                shown.clone()
            };
            for (element, text, what) in steps {
                now += Duration::from_millis(50);
                match (what, under_way.take()) {
                    (0, writing) => {
                        under_way = writing;
                        sheet.show(names[element], &text.to_string(), now);
                        wanted[element] = Some(text.to_string());
                    }
                    (ok, Some(writing)) => drop(settle(&mut sheet, writing, ok == 1, now)),
                    (_, None) => under_way = sheet.take(),
                }
            }
            if let Some(writing) = under_way {
                settle(&mut sheet, writing, false, now);
            }
            let mut last = [None, None];
            while sheet.due(Supply::Ample).is_some() {
                let writing = sheet.take().unwrap();
                last = settle(&mut sheet, writing, true, now);
            }
            for which in 0..2 {
                prop_assert!(last[which].is_none() || last[which] == wanted[which]);
            }
            prop_assert!(sheet.take().is_none());
        }
    }
}
