//! The one place where the state meets the wires: handlers act on the world through here, and what
//! came of it goes out as events and news.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    alerts::Alerts, app::App, calls::Calls, clock::Clock, faults::Faults, live::Live, push::Push,
    scopes::Scopes, world::World,
};

/// A handle to everything a handler needs; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Hub(Arc<Parts>);

/// What is behind it.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) app: Arc<App>,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) push: Push,
    pub(super) live: Live,
    pub(super) calls: Calls,
    pub(super) alerts: Alerts,
    /// Without a slash at the end.
    pub(super) base_url: String,
    pub(super) world: Mutex<World>,
}

impl std::ops::Deref for Hub {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Hub {
    pub(super) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Does something in the world, at the present time. What came of it is sent before anyone else
    /// can act, so events leave in the order in which things happened.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut World, i64) -> T) -> T {
        let now_ms = self.clock.now_ms();
        // A handler that panicked half-way leaves at worst a half-done message behind.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut world, now_ms);
        let outbox = world.take_outbox();
        if !outbox.events.is_empty() {
            let scopes = self.scopes();
            let console = self.faults.get().console;
            for event in outbox
                .events
                .into_iter()
                .filter(|event| scopes.any(event.scopes) && console.is_subscribed(event.kind))
            {
                self.push.event(event.kind, event.body);
            }
        }
        for news in outbox.news {
            self.live.tell(news);
        }
        result
    }

    /// What the app may do at this moment.
    pub(super) fn scopes(&self) -> Scopes {
        let faults = self.faults.get();
        let extra = &faults.console.grant_scopes;
        Scopes::of(&self.app.app_id, extra, &faults.refuse_scopes)
    }
}
