//! The platform's limits, as a table. Everything else in this folder is the same for all of them.
//!
//! Each number stands four times, once for each class: what a lower class leaves unused is the head-room
//! in which a higher one never waits. The first of them is the platform's own.

use std::time::Duration;

use super::super::{Class, api::Target, error::Limit};

/// What is counted separately.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// All calls.
    App,
    /// All calls of one API, or of several that the platform counts together.
    Api(&'static str),
    /// All calls about one chat, person, message or card.
    Target(Target),
}

/// What holds for one key, all of it at once.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) windows: &'static [Window],
    pub(super) pace: Option<Pace>,
    /// Others may be counted with us, so that a refusal teaches how much is left to us.
    pub(super) is_shared: bool,
}

/// At most so many calls in any span of this length.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) span: Duration,
    pub(super) calls: PerClass,
}

/// Evenly apart, but for the first few. It keeps a minute's calls from being used up in its first seconds.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) every: Duration,
    pub(super) at_once: PerClass,
}

/// In the order of [`Class`].
pub(super) type PerClass = [u32; 4];

/// Our second is a little longer than the platform's, whose clock is not ours.
const SECOND: Duration = Duration::from_millis(1010);
const MINUTE: Duration = Duration::from_millis(60_010);

const EACH_SECOND: Window = Window {
    span: SECOND,
    calls: [50, 48, 45, 40],
};

static APP: Rules = Rules {
    windows: &[EACH_SECOND],
    pace: None,
    is_shared: false,
};
/// 972 a minute and ten at once, and half a minute's worth of answers under way, stay below the window's
/// 988, so that text flows evenly at 97 % of the budget and the window itself hardly ever has to stop it.
static API: Rules = Rules {
    windows: &[
        EACH_SECOND,
        Window {
            span: MINUTE,
            calls: [1000, 996, 992, 988],
        },
    ],
    pace: Some(Pace {
        every: Duration::from_nanos(60_000_000_000 / 972),
        at_once: [1000, 100, 100, 10],
    }),
    is_shared: false,
};
static CHAT: Rules = Rules {
    windows: &[Window {
        span: SECOND,
        calls: [5, 4, 4, 3],
    }],
    pace: None,
    is_shared: true,
};
static MESSAGE: Rules = Rules {
    windows: &[Window {
        span: SECOND,
        calls: [5, 4, 4, 3],
    }],
    pace: None,
    is_shared: false,
};
static CARD: Rules = Rules {
    windows: &[Window {
        span: SECOND,
        calls: [10, 9, 9, 7],
    }],
    pace: None,
    is_shared: false,
};

impl Key {
    pub(super) fn rules(&self) -> &'static Rules {
        match self {
            Key::App => &APP,
            Key::Api(_) => &API,
            Key::Target(Target::Chat(_) | Target::Person(_)) => &CHAT,
            Key::Target(Target::Message(_)) => &MESSAGE,
            Key::Target(Target::Card(_)) => &CARD,
        }
    }

    pub(super) fn limit(&self) -> Limit {
        match self {
            Key::App => Limit::App,
            Key::Api(_) => Limit::Api,
            Key::Target(target) => target.limit(),
        }
    }
}

/// What a class may use of a number.
pub(super) fn share(numbers: &PerClass, class: Class) -> usize {
    numbers[class as usize] as usize
}
