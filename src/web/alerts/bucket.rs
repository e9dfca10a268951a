//! How often one sender may come: a bucket of requests that fills evenly.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Requests that may still be made. Full, it holds what a minute brings.
#[derive(Debug)]
pub(super) struct Bucket {
    per_minute: f64,
    /// How many are left, and when that was so.
    left: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(per_minute: u32, now: Instant) -> Self {
        let per_minute = f64::from(per_minute);
        Self {
            per_minute,
            left: Mutex::new((per_minute, now)),
        }
    }

    /// Takes one request out, or says after how long there will be one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        // Both numbers are written together, so a poisoned lock still holds good ones.
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, at) = *left;
        let minutes = now.saturating_duration_since(at).as_secs_f64() / 60.0;
        let filled = (before + minutes * self.per_minute).min(self.per_minute);
        let enough = filled >= 1.0;
        *left = (if enough { filled - 1.0 } else { filled }, now.max(at));
        match enough {
            true => Ok(()),
            false => Err(Duration::from_secs_f64(
                (1.0 - filled) * 60.0 / self.per_minute,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_s_worth_can_come_at_once_and_then_evenly() {
        let now = Instant::now();
        let bucket = Bucket::new(60, now);
        for _ in 0..60 {
            assert_eq!(bucket.take(now), Ok(()));
        }
        assert_eq!(bucket.take(now), Err(Duration::from_secs(1)));
        let half = now + Duration::from_millis(500);
        assert_eq!(bucket.take(half), Err(Duration::from_millis(500)));
        let second = now + Duration::from_secs(1);
        assert_eq!(bucket.take(second), Ok(()));
        assert!(bucket.take(second).is_err());
        // However long nobody comes, it holds no more than a minute's worth.
        let much_later = now + Duration::from_secs(3600);
        let taken = (0..100).filter(|_| bucket.take(much_later).is_ok());
        assert_eq!(taken.count(), 60);
    }
}
