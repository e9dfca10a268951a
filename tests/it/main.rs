//! Everything that is tested from outside, as one binary.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test binary has nobody to reach, and a failed `unwrap` is how a test says that it failed"
)]

mod access;
mod alerts;
mod alerts_many;
mod cli;
mod clicks;
mod clicks_in_time;
mod commands;
mod contract;
mod conversation;
mod corpus;
mod delivery;
mod doctor;
mod escalation;
mod events;
mod files;
mod fired_alerts;
mod flood;
mod imports;
mod incidents;
mod link;
mod on_call_night;
mod poster;
mod postmortem;
mod postmortem_actions;
mod postmortem_room;
mod postmortem_sources;
mod postmortem_versions;
mod process;
mod scheduler;
mod storm;
mod trouble;
mod war_room;
mod webhook;
mod world;
