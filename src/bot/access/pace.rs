//! How much one person may ask for.
//!
//! A guard against scripts and stuck keys. It counts in memory only, from a person's first request on; a
//! restart begins anew.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{config::AccessConfig, feishu::OpenId};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// How many people are counted at once; above it the count begins anew.
const PEOPLE_MAX: usize = 20_000;

/// Counts what people ask for.
pub(in crate::bot) struct Pace {
    /// 0 for any number.
    per_minute: u32,
    per_hour: u32,
    people: Mutex<HashMap<OpenId, Counts>>,
}

/// What one person asked for, since when.
struct Counts {
    minute: (Instant, u32),
    hour: (Instant, u32),
}

impl Pace {
    /// With the limits of the configuration.
    pub(in crate::bot) fn new(config: &AccessConfig) -> Self {
        Self {
            per_minute: config.requests_per_minute,
            per_hour: config.requests_per_hour,
            people: Mutex::default(),
        }
    }

    /// Whether they may ask for one thing more. Counts it if so.
    pub(in crate::bot) fn may(&self, person: &OpenId) -> bool {
        if self.per_minute == 0 && self.per_hour == 0 {
            return true;
        }
        let now = Instant::now();
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= PEOPLE_MAX {
            people.retain(|_, counts| now - counts.hour.0 < HOUR);
            if people.len() >= PEOPLE_MAX {
                people.clear();
            }
        }
        let counts = people.entry(person.clone()).or_insert(Counts {
            minute: (now, 0),
            hour: (now, 0),
        });
        let in_minute = within(&mut counts.minute, MINUTE, self.per_minute, now);
        let in_hour = within(&mut counts.hour, HOUR, self.per_hour, now);
        if in_minute && in_hour {
            counts.minute.1 += 1;
            counts.hour.1 += 1;
        }
        in_minute && in_hour
    }
}

fn within(count: &mut (Instant, u32), period: Duration, most: u32, now: Instant) -> bool {
    if now - count.0 >= period {
        *count = (now, 0);
    }
    most == 0 || count.1 < most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_minute: u32, per_hour: u32) -> Pace {
        Pace::new(&AccessConfig {
            requests_per_minute: per_minute,
            requests_per_hour: per_hour,
            ..AccessConfig::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn each_person_has_their_own_minute_and_hour() {
        let (pace, li, han) = (pace(2, 3), OpenId::new("ou_li"), OpenId::new("ou_han"));
        assert!(pace.may(&li) && pace.may(&li) && !pace.may(&li));
        assert!(pace.may(&han));
        tokio::time::advance(MINUTE).await;
        assert!(pace.may(&li) && !pace.may(&li), "the hour is used up");
        tokio::time::advance(HOUR).await;
        assert!(pace.may(&li));
    }

    #[test]
    fn nought_is_any_number() {
        let (pace, li) = (pace(0, 0), OpenId::new("ou_li"));
        assert!((0..10_000).all(|_| pace.may(&li)));
    }
}
