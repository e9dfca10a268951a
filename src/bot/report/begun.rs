//! How often drafts are begun: so many within a minute, counted in the store, so that a restart gives none back.
//!
//! A process serves one app, an app of a company's own belongs to one organisation (the platform's tenant), and
//! a store belongs to one process. So what is counted here is counted for the tenant.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    bot::Bot,
    store::{self, Record},
};

/// There is one record.
const KEY: &str = "all";
/// For how long a draft counts.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// When drafts were begun lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    at: Vec<Timestamp>,
}

impl Record for Begun {
    const COLLECTION: &'static str = "report_begun";
    const VERSION: u8 = 1;
}

impl Begun {
    /// With another draft that begins now, if one may.
    fn with_another(&self, now: Timestamp, per_minute: usize) -> Option<Self> {
        let lately = |at: &Timestamp| now.duration_since(*at).abs() < MINUTE;
        let mut at: Vec<Timestamp> = self.at.iter().copied().filter(lately).collect();
        (at.len() < per_minute).then(|| {
            at.push(now);
            Self { at }
        })
    }
}

/// Whether another draft may begin now, which then counts.
pub(super) async fn may_begin(bot: &Bot) -> Result<bool, store::Error> {
    let records = bot.store().collection::<Begun>();
    let per_minute = bot.0.config.postmortem.per_minute;
    loop {
        let known = records.get(KEY).await?;
        let begun = known.clone().unwrap_or_default();
        let Some(next) = begun.with_another(Timestamp::now(), per_minute) else {
            return Ok(false);
        };
        // Somebody else may have begun one at this moment; then it is counted anew.
        if records
            .compare_and_swap(KEY, known.as_ref(), Some(&next))
            .await?
        {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_begin_in_a_minute_and_then_no_more() {
        let now: Timestamp = "2026-11-21T06:00:00Z".parse().unwrap();
        let check = |seconds_ago: &[i64], may: bool| {
            let at = seconds_ago.iter();
            let at = at.map(|ago| now - SignedDuration::from_secs(*ago));
            let begun = Begun { at: at.collect() };
            let next = begun.with_another(now, 2);
            assert_eq!(next.is_some(), may, "{seconds_ago:?}");
            // What does not count any more is forgotten.
            assert!(next.is_none_or(|next| next.at.len() <= 2));
        };
        check(&[], true);
        check(&[59], true);
        check(&[59, 1], false);
        check(&[60, 1], true);
        check(&[300, 200, 100], true);
        // A clock that was put back must not stop drafts for a day.
        check(&[-86_400, -86_400], true);
    }
}
