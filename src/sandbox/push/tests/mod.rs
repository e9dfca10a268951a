//! The long connection as a client sees it: a raw WebSocket, and frames written by hand.

mod callbacks;
mod connecting;
mod delivery;
mod trouble;
mod world;
