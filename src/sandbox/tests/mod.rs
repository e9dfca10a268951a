//! The sandbox from outside, over HTTP, as bots and people use it.

mod access;
mod cards;
mod control;
mod events;
mod groups;
mod history;
mod limits;
mod marks;
mod messages;
mod people;
mod world;
