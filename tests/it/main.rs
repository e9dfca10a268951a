//! Everything that is tested from outside, as one binary.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test binary has nobody to reach, and a failed `unwrap` is how a test says that it failed"
)]

mod cli;
mod contract;
mod conversation;
mod delivery;
mod events;
mod imports;
mod process;
mod scheduler;
mod storm;
mod trouble;
mod world;
