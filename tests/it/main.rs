//! Everything that is tested from outside, as one binary.

#![expect(unreachable_pub, reason = "a test binary has nobody to reach")]

mod contract;
mod conversation;
mod delivery;
mod imports;
mod process;
mod world;
