//! Stand-in until `wire` has the faults.
#[derive(Debug, Clone)]
pub(super) struct Faults;
impl Faults {
    pub(super) fn new(_seed: u64) -> Self {
        Self
    }
}
