//! How long we go on trying to say something one way before we try another.

use std::time::Duration;

use tokio::time::sleep;
use tracing::debug;

use crate::feishu::Error;

/// How often something is tried, and how long the first wait is; each further one is twice as long.
/// Together half a minute, on top of what the transport does by itself.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// A bounded number of further tries.
pub(in crate::bot) struct Patience {
    tries: u32,
    wait: Duration,
}

impl Patience {
    /// All of it.
    pub(in crate::bot) fn new() -> Self {
        Self {
            tries: TRIES,
            wait: FIRST_WAIT,
        }
    }

    /// Waits and says that it is worth another try, or that it is not.
    pub(in crate::bot) async fn allows(&mut self, error: &Error) -> bool {
        self.tries = self.tries.saturating_sub(1);
        if self.tries == 0 || !error.is_transient() {
            return false;
        }
        debug!(%error, "trying again");
        sleep(self.wait).await;
        self.wait *= 2;
        true
    }
}
