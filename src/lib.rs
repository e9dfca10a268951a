//! Nightjar: an on-call teammate that lives in Feishu/Lark.

pub mod agent;
pub mod bot;
pub mod config;
pub mod feishu;
pub mod llm;
pub mod prompt;
pub mod sandbox;
pub mod store;
pub mod telemetry;
pub mod tools;
