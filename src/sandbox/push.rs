//! Stand-in until `wire` has the long connection.
use super::{app::App, clock::Clock, faults::Faults};
use std::sync::Arc;
#[derive(Debug, Clone)]
pub(super) struct Push;
impl Push {
    pub(super) fn new(_app: Arc<App>, _clock: Clock, _faults: Faults, _seed: u64) -> Self {
        Self
    }
    pub(super) fn router(&self) -> axum::Router {
        axum::Router::new()
    }
}
