//! `[web]`: the bot's own HTTP server.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// `[web]`: the bot's own HTTP server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Where it listens: health, readiness, metrics.
    pub listen: SocketAddr,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7780)),
        }
    }
}
