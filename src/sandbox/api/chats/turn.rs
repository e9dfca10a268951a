//! Deeds that take a moment: the same one begun again meanwhile is refused, as when members of one group are
//! changed by two calls at once.

use std::time::Duration;

use super::{Hub, Refusal};

/// How long such a deed takes. Real time, because the calls it keeps out come in real time.
const TAKES: Duration = Duration::from_millis(50);

/// One deed under way; it is over when this is dropped.
pub(super) struct Turn {
    hub: Hub,
    subject: String,
}

impl Turn {
    /// Begins, or refuses with `refusal` where the same is under way. Without limits nothing is kept out.
    pub(super) async fn begin(
        hub: &Hub,
        subject: String,
        refusal: Refusal,
    ) -> Result<Self, Refusal> {
        let (has_limits, is_free) = hub.act(|world, _| {
            let has_limits = world.limits.are_on();
            let is_free = !has_limits || world.under_way.insert(subject.clone());
            (has_limits, is_free)
        });
        if !is_free {
            return Err(refusal);
        }
        let turn = Self {
            hub: hub.clone(),
            subject,
        };
        if has_limits {
            tokio::time::sleep(TAKES).await;
        }
        Ok(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.hub
            .act(|world, _| world.under_way.remove(&self.subject));
    }
}
