//! Stand-in until `wire` has the clock.
#[derive(Debug, Clone)]
pub(super) struct Clock;
impl Clock {
    pub(super) fn new() -> Self {
        Self
    }
    pub(super) fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
    pub(super) fn advance(&self, _ms: i64) {}
    pub(super) async fn reached(&self, _at_ms: i64) {}
}
