//! The platform's rate limits, as sliding windows on the sandbox's clock.
//!
//! A refused call does not count against a window: the documentation is silent, and this way a
//! client that waits as long as it is told to always gets through.

use std::collections::{HashMap, VecDeque};

use super::refusal::{Limit, Refusal};

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Windows are swept when there are more than this, so that a year of chats does not pile up.
const WINDOWS_MAX: usize = 4096;

/// One window: so many in so long, for one subject.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// `app`, `api`, `chat`, `message`, `card`, `pin` or `ephemeral`: what the call log names.
    pub(super) name: &'static str,
    /// Which API, chat, message or card.
    pub(super) subject: String,
    allowed: usize,
    span_ms: i64,
    http: u16,
    code: i64,
}

impl Rule {
    /// 50 a second over all APIs.
    pub(super) fn app() -> Self {
        Self::gateway("app", String::new(), 50, SECOND_MS)
    }

    /// 50 a second and 1000 a minute on one API, named by method and route.
    pub(super) fn api(api: &str) -> [Self; 2] {
        [
            Self::gateway("api", format!("{api} /s"), 50, SECOND_MS),
            Self::gateway("api", format!("{api} /min"), 1000, MINUTE_MS),
        ]
    }

    /// 10 operations a second on one card entity, over all card APIs.
    pub(super) fn card(card_id: &str) -> Self {
        Self::gateway("card", card_id.to_owned(), 10, SECOND_MS)
    }

    /// 5 messages a second into one chat, which is also one person.
    pub(super) fn chat(chat_id: &str) -> Self {
        Self::message_limit("chat", chat_id)
    }

    /// 5 updates a second of one message.
    pub(super) fn message(message_id: &str) -> Self {
        Self::message_limit("message", message_id)
    }

    /// 5 pins a second of one message.
    pub(super) fn pin(message_id: &str) -> Self {
        Self {
            code: 230_047,
            ..Self::message_limit("pin", message_id)
        }
    }

    /// 40 ephemeral cards a second in one group.
    pub(super) fn ephemeral(chat_id: &str) -> Self {
        Self {
            allowed: 40,
            ..Self::message_limit("ephemeral", chat_id)
        }
    }

    fn gateway(name: &'static str, subject: String, allowed: usize, span_ms: i64) -> Self {
        Self {
            name,
            subject,
            allowed,
            span_ms,
            http: 429,
            code: 99_991_400,
        }
    }

    fn message_limit(name: &'static str, subject: &str) -> Self {
        Self {
            name,
            subject: subject.to_owned(),
            allowed: 5,
            span_ms: SECOND_MS,
            http: 400,
            code: 230_020,
        }
    }

    fn refusal(&self, wait_ms: i64) -> Refusal {
        let msg = match self.code {
            230_020 | 230_047 => "This operation triggers the frequency limit.",
            _ => "request trigger frequency limit",
        };
        let limit = Limit {
            name: self.name,
            allowed: self.allowed,
            // Whole seconds, rounded up: waiting less would be refused again.
            wait_s: ((wait_ms + SECOND_MS - 1) / SECOND_MS).max(1),
        };
        Refusal::limited(self.http, self.code, msg, limit)
    }
}

/// When what was done, as far back as the rules look.
#[derive(Debug)]
pub(super) struct Limits {
    on: bool,
    windows: HashMap<(&'static str, String), VecDeque<i64>>,
}

impl Limits {
    /// With `on` false everything is allowed.
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            windows: HashMap::new(),
        }
    }

    /// Whether anything is ever refused.
    pub(super) fn are_on(&self) -> bool {
        self.on
    }

    /// Counts one call against all `rules`, or against none when one of them refuses.
    pub(super) fn take(&mut self, rules: &[Rule], now_ms: i64) -> Result<(), Refusal> {
        if !self.on {
            return Ok(());
        }
        for rule in rules {
            self.check(rule, now_ms)?;
        }
        for rule in rules {
            let key = (rule.name, rule.subject.clone());
            self.windows.entry(key).or_default().push_back(now_ms);
        }
        if self.windows.len() > WINDOWS_MAX {
            self.windows
                .retain(|_, times| times.back().is_some_and(|at_ms| now_ms - at_ms < MINUTE_MS));
        }
        Ok(())
    }

    fn check(&mut self, rule: &Rule, now_ms: i64) -> Result<(), Refusal> {
        let key = (rule.name, rule.subject.clone());
        let Some(times) = self.windows.get_mut(&key) else {
            return Ok(());
        };
        while times
            .front()
            .is_some_and(|at_ms| now_ms - at_ms >= rule.span_ms)
        {
            times.pop_front();
        }
        match times.front() {
            Some(oldest_ms) if times.len() >= rule.allowed => {
                Err(rule.refusal(oldest_ms + rule.span_ms - now_ms))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_message_in_a_second_is_refused_and_the_window_slides() {
        let mut limits = Limits::new(true);
        let rules = [Rule::chat("oc_1")];
        for at_ms in [0, 10, 20, 30, 40] {
            limits.take(&rules, at_ms).unwrap();
        }
        let refusal = limits.take(&rules, 999).unwrap_err();
        assert_eq!((refusal.code, refusal.http), (230_020, 400));
        assert_eq!(refusal.limit.unwrap().wait_s, 1);
        limits.take(&rules, 1000).unwrap();
        assert!(limits.take(&rules, 1005).is_err());
        limits.take(&[Rule::chat("oc_2")], 1005).unwrap();
    }

    #[test]
    fn a_thousand_a_minute_is_a_limit_of_its_own_and_says_how_long_to_wait() {
        let mut limits = Limits::new(true);
        let rules = Rule::api("PUT /x");
        for call in 0..1000 {
            limits.take(&rules, call * 25).unwrap();
        }
        let refusal = limits.take(&rules, 30_000).unwrap_err();
        assert_eq!((refusal.code, refusal.http), (99_991_400, 429));
        assert_eq!(refusal.limit.unwrap().wait_s, 30);
        limits.take(&rules, 60_000).unwrap();
    }

    #[test]
    fn a_call_that_one_rule_refuses_counts_against_none() {
        let mut limits = Limits::new(true);
        let both = [Rule::app(), Rule::card("7")];
        for _ in 0..10 {
            limits.take(&both, 0).unwrap();
        }
        for _ in 0..100 {
            assert!(limits.take(&both, 0).is_err());
        }
        for _ in 0..40 {
            limits.take(&[Rule::app()], 0).unwrap();
        }
        assert!(limits.take(&[Rule::app()], 0).is_err());
    }
}
