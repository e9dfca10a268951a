//! Everything that is tested from outside, as one binary.

mod conversation;
mod delivery;
mod imports;
mod world;
