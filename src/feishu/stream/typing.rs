//! How fast clients type, so that the typing of one update lasts until the next.
//!
//! A card starts with the speed its JSON names, which suits one that is updated twice a second. When many
//! stream, each is updated every few seconds, and would be typed in jerks: then the speed is set to what
//! arrives. That costs a call, and the platform wants the numbers left alone, so it is done seldom.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What `bot::card` starts with: 6 characters every 40 ms.
const AT_START: f64 = 150.0;

/// Typing is a little faster than what arrives, so that it never falls behind.
const AHEAD: f64 = 1.1;
/// A change by less is not worth a call.
const WORTH: f64 = 2.0;
/// Who is updated more often than this has nothing to wait for between two updates.
const SLOW: Duration = Duration::from_millis(1500);
/// No two changes are closer than this.
const APART: Duration = Duration::from_secs(20);
/// How many updates must have been seen.
const UPDATES_MIN: u32 = 3;
/// How much an update counts against all before.
const WEIGHT: f64 = 0.3;

/// Clients draw no more often than this, and a step that takes longer looks broken.
const STEP_MS: (f64, f64) = (40.0, 200.0);

#[derive(Debug)]
pub(super) struct Typing {
    /// Characters a second, as set at the client.
    speed: f64,
    set_at: Option<Instant>,
    chars_shown: usize,
    updated_at: Option<Instant>,
    updates: u32,
    /// Of one update, on average.
    chars: f64,
    seconds: f64,
}

impl Typing {
    pub(super) fn new() -> Self {
        Self {
            speed: AT_START,
            set_at: None,
            chars_shown: 0,
            updated_at: None,
            updates: 0,
            chars: 0.0,
            seconds: 0.0,
        }
    }

    /// The longest text of a card has now so many characters. Gives the `config` to set, when it is time to.
    pub(super) fn updated(&mut self, chars: usize, now: Instant) -> Option<Value> {
        let before = std::mem::replace(&mut self.chars_shown, chars);
        let last = self.updated_at.replace(now)?;
        // A text that got shorter is another one.
        let more = chars.checked_sub(before)?;
        let seconds = now.saturating_duration_since(last).as_secs_f64();
        let weight = if self.updates == 0 { 1.0 } else { WEIGHT };
        self.chars += weight * (more as f64 - self.chars);
        self.seconds += weight * (seconds - self.seconds);
        self.updates += 1;
        if self.updates < UPDATES_MIN || self.chars < 1.0 || self.seconds <= 0.0 {
            return None;
        }
        let wanted = self.chars / self.seconds * AHEAD;
        let too_fast = wanted * WORTH <= self.speed && self.seconds >= SLOW.as_secs_f64();
        let too_slow = wanted >= self.speed * WORTH;
        let is_early = self
            .set_at
            .is_some_and(|at| now.saturating_duration_since(at) < APART);
        if is_early || !(too_fast || too_slow) {
            return None;
        }
        self.set_at = Some(now);
        self.speed = wanted;
        Some(config(wanted))
    }
}

/// Steps as small as can be, which looks smoothest.
fn config(speed: f64) -> Value {
    let step = (speed * STEP_MS.0 / 1000.0).ceil().max(1.0);
    let every_ms = (step * 1000.0 / speed).clamp(STEP_MS.0, STEP_MS.1);
    let on_all = |value: f64| {
        let value = value.round() as u64;
        json!({"default": value, "android": value, "ios": value, "pc": value})
    };
    json!({"streaming_config": {
        "print_frequency_ms": on_all(every_ms),
        "print_step": on_all(step),
        "print_strategy": "fast",
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters a second that each change of the speed sets, and when.
    fn changes(updates: impl Iterator<Item = (u64, usize)>) -> Vec<(u64, u64)> {
        let start = Instant::now();
        let mut typing = Typing::new();
        let mut chars = 0;
        updates
            .filter_map(|(at_ms, more)| {
                chars += more;
                let config = typing.updated(chars, start + Duration::from_millis(at_ms))?;
                let config = &config["streaming_config"];
                let number = |name: &str| config[name]["default"].as_u64().unwrap();
                Some((
                    at_ms,
                    number("print_step") * 1000 / number("print_frequency_ms"),
                ))
            })
            .collect()
    }

    #[test]
    fn a_lively_stream_is_left_alone() {
        assert_eq!(changes((0..100).map(|n| (n * 400, 20))), []);
    }

    #[test]
    fn a_slow_stream_types_until_its_next_update() {
        // 240 characters every six seconds are 40 a second, and a tenth for good measure.
        assert_eq!(changes((0..20).map(|n| (n * 6000, 240))), [(18_000, 44)]);
    }

    #[test]
    fn a_fast_model_is_kept_up_with_and_changes_are_seldom() {
        let changes = changes((0..100).map(|n| (n * 400, if n < 50 { 400 } else { 4000 })));
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(changes[0].1 > 1000 && changes[1].1 > 3000, "{changes:?}");
    }

    #[test]
    fn a_text_that_starts_anew_says_nothing_about_speed() {
        let start = Instant::now();
        let mut typing = Typing::new();
        for n in 0..50_u64 {
            let chars = if n % 2 == 0 { 5000 } else { 10 };
            let at = start + Duration::from_secs(n * 6);
            if let Some(config) = typing.updated(chars, at) {
                assert!(config["streaming_config"]["print_step"]["pc"].as_u64() > Some(6));
            }
        }
    }
}
