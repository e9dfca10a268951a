//! Keeps the count of the month's calls over restarts, and says when they run short.
//!
//! Whoever runs the bot is told too. The count itself is the scheduler's, which knows no store. At most the calls of the last
//! `KEEP_EVERY` are lost when the process is killed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    feishu::scheduler::{Meter, Supply, Tally},
    store::{Collection, Record, Store},
};

use super::{Bot, administrators, phrase::Phrase};

/// How often the count is written, if it changed.
const KEEP_EVERY: Duration = Duration::from_secs(10);

/// There is one record, of the month that counts.
const KEY: &str = "month";

/// The calls of one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    month: String,
    used: u64,
}

impl Record for Kept {
    const COLLECTION: &'static str = "quota";
    const VERSION: u8 = 1;
}

/// Takes up the count that was kept, and keeps it until `stop`. Without a quota there is nothing to do.
pub async fn keep(store: &Store, meter: &Meter, stop: &CancellationToken) {
    if meter.quota() == 0 {
        return stop.cancelled().await;
    }
    let records = store.collection::<Kept>();
    match records.get(KEY).await {
        Ok(Some(kept)) => meter.restore(&Tally {
            month: kept.month,
            used: kept.used,
        }),
        Ok(None) => {}
        Err(error) => warn!(%error, "the month's calls are counted from nothing"),
    }
    let mut supply = meter.supply();
    supply.mark_changed();
    let mut clock = interval(KEEP_EVERY);
    let mut written = Tally::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return write(&records, meter, &mut written).await,
            _ = clock.tick() => write(&records, meter, &mut written).await,
            changed = supply.changed() => match changed {
                Ok(()) => tell(&mut supply, meter.quota()),
                // The client is gone, and with it all calls.
                Err(_) => return write(&records, meter, &mut written).await,
            },
        }
    }
}

async fn write(records: &Collection<Kept>, meter: &Meter, written: &mut Tally) {
    let tally = meter.tally();
    if tally == *written {
        return;
    }
    let kept = Kept {
        month: tally.month.clone(),
        used: tally.used,
    };
    match records.put(KEY, &kept).await {
        Ok(()) => *written = tally,
        Err(error) => warn!(%error, "the count of the month's calls could not be kept"),
    }
}

fn tell(supply: &mut watch::Receiver<(Tally, Supply)>, quota: u64) {
    let (tally, supply) = supply.borrow_and_update().clone();
    let (used, month) = (tally.used, tally.month);
    match supply {
        Supply::Ample => info!(used, quota, month, "there are enough calls for the month"),
        Supply::Forecast => {
            warn!(
                used,
                quota,
                month,
                "at this speed the month's calls will not last; answers are updated less often"
            );
        }
        Supply::Low => warn!(
            used,
            quota, month, "80 % of the month's calls are used; answers are updated less often"
        ),
        Supply::Scarce => warn!(
            used,
            quota, month, "95 % of the month's calls are used; answers come when they are whole"
        ),
        Supply::PagesOnly => {
            warn!(
                used,
                quota, month, "the month's calls are used up; what is left is for pages"
            );
        }
    }
}

/// Tells administrators, for ever, when the month's calls run short; each stage once a month.
pub(super) async fn watch(bot: &Bot) {
    let meter = bot.0.feishu.meter().clone();
    let mut supply = meter.supply();
    supply.mark_changed();
    while supply.changed().await.is_ok() {
        let (tally, supply) = supply.borrow_and_update().clone();
        let stage = match supply {
            Supply::Ample | Supply::Forecast => continue,
            Supply::Low => "low",
            Supply::Scarce => "scarce",
            Supply::PagesOnly => "pages-only",
        };
        let phrase = Phrase::Quota {
            supply,
            used: tally.used,
            quota: meter.quota(),
        };
        let purpose = format!("quota-{stage}/{}", tally.month);
        administrators::tell(bot, &purpose, phrase).await;
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;
    use crate::config::StoreConfig;

    #[tokio::test]
    async fn the_count_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: folder.path().join("store"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let count = async |calls: u64| {
            let meter = Meter::new(1000);
            meter.restore(&Tally::default());
            let month = meter.tally().month;
            meter.restore(&Tally { month, used: calls });
            keep(&store, &meter, &stop).await;
            (meter.tally().used, meter.now() >= Supply::Low)
        };
        assert_eq!(count(700).await, (700, false));
        assert_eq!(count(100).await, (800, true));
        assert_eq!(count(0).await, (800, true));
    }

    #[test]
    fn what_is_kept_is_readable_by_who_comes_later() {
        let kept = Kept {
            month: "2026-11".into(),
            used: 7,
        };
        assert_json_snapshot!(kept, @r#"
        {
          "month": "2026-11",
          "used": 7
        }
        "#);
    }
}
