//! Nightjar is an on-call teammate that lives in Feishu/Lark: an open, self-hosted AI SRE bot.
//!
//! People mention it in a group or write to it directly. It reads what was said before, thinks with a
//! language model and read-only tools, and writes its answer into a card while it thinks. What must never
//! happen is its specification: a question lost, a question answered twice, a card left "generating", a
//! reaction left "in progress", one room's words in another room's answer, a secret in a log.
//!
//! # The way of a message
//! ```text
//!  Feishu ──event──▶ feishu::ws ──▶ bot::intake ──▶ inbox (store, flushed) ──▶ acknowledged
//!                                       │
//!                                       ▼
//!                                    dispatch ── urgent command ──▶ bot::command
//!                                       │    └── no message at all ─▶ bot::happening
//!                                       │
//!                                       └─▶ session (one turn at a time, in order)
//!                                              │ 1 reaction    ┐
//!                                              │ 2 card        │ these start together
//!                                              │ 3 history     ┘
//!                                              ▼
//!                                   agent::run_turn ──TurnEvent──▶ bot::reply ──▶ Feishu
//!                                        │  ▲
//!                                        ▼  │
//!                                      model, tools
//! ```
//! - **Two ways in, one way on.** Events come over the long connection ([`feishu::ws`]) or are posted to us
//!   ([`web`], [`feishu::webhook`]); from the queue behind both of them there is no difference.
//! - **Kept before acknowledged.** An event is written and flushed before the platform is told that it
//!   arrived; many events share one flush. After that nothing depends on memory. The entry goes when the
//!   work it asked for has ended, and what is left at a start is taken up again, in the same card where
//!   that is possible.
//! - **At least once in, at most once out.** Ids are remembered for eight hours, longer than the
//!   platform's last repetition. Every send carries a `uuid` made from the question and the purpose, so
//!   that a repetition after a timeout, or after a crash, cannot post twice.
//! - **First sign fast.** Nothing waits for something it does not need.
//!
//! # The map
//! Arrows point one way: a module imports from those below it in this table only, and a test
//! (`tests/it/imports.rs`) holds it. A circle is why one change touches nine files.
//!
//! | module | may import | is |
//! |---|---|---|
//! | [`duration`] | nothing | how durations are written |
//! | [`config`] | `incident`, `duration` | plain data, one struct per section of `config.example.toml` |
//! | [`incident`] | `duration` | what alerts and incidents are: rules without I/O |
//! | [`prompt`] | nothing | one struct per file in `prompts/` |
//! | [`sandbox`] | nothing | a small Feishu to talk to |
//! | [`telemetry`] | `config` | the log subscriber, and every metric |
//! | [`feishu`] | `config` | the platform and nothing else |
//! | [`llm`] | `config` | the model and nothing else |
//! | [`store`] | `config` | state: bytes below, types above |
//! | [`agent`] | `llm`, `prompt`, `config` | one turn of thought; knows no screen |
//! | [`postmortem`] | `incident`, `llm`, `prompt`, `config` | from a frozen room to a checked draft of the report |
//! | [`tools`] | `agent`, `store`, `config` | what the agent can do, a file each |
//! | [`doctor`] | `feishu`, `llm`, `store`, `config` | what works and what is missing, with the remedy |
//! | [`bot`] | `agent`, `doctor`, `postmortem`, `incident`, `feishu`, `store`, `prompt`, `duration`, `config` | where it all meets the chat |
//! | [`web`] | `bot`, `incident`, `feishu`, `store`, `config` | the bot's own HTTP: health, metrics, posted events |
//! | [`app`], [`cli`], `main` | everything | build the parts and join them |
//!
//! Everything but the sandbox may also use [`telemetry`].
//!
//! # Where to make a change
//! - A command for people: a file in `bot/command/` and a line in its list.
//! - A format that alerts arrive in: a file in `incident/alert/`, its payloads in `tests/data/alerts/`.
//! - What an event other than a message or a click asks of us: a line in `bot/happening/mod.rs`, and a file
//!   beside it.
//! - Who is who: `bot/members/`; what their list may hold: `config/members/`.
//! - A tool for the agent: a file in `tools/` and a line in `tools/mod.rs`. The bot never names a tool.
//! - What a draft of a report is checked for: a file in `postmortem/check/` and a line in its list.
//! - What people do with a report: `bot/report/deeds.rs`, and a press in `bot/click/report.rs`.
//! - What a card looks like: `bot/card/`, state in, JSON out.
//! - What people can do with an incident: `bot/handling/`; its buttons are in `bot/click/incident/`.
//! - What is done in a war room: `bot/war_room/tend.rs`, and a file beside it for each thing.
//! - A call of the platform: `feishu/`; how often it may be made is known to `feishu::scheduler` alone.
//! - A sentence the bot says: `bot/phrase.rs`, in both languages or not at all.
//!
//! # What is deliberately absent
//! - A trait in front of the platform: it is replaced over HTTP, so the real client is what gets tested.
//! - A shared kernel between the client and the sandbox: a misreading of the protocol could then agree
//!   with itself. The sandbox's judge is the vendor's own SDK.
//! - Retries outside `feishu::transport`, but for the last word of an answer, which has its own patience.

pub mod agent;
pub mod app;
pub mod bot;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod duration;
pub mod feishu;
pub mod incident;
pub mod llm;
pub mod postmortem;
pub mod prompt;
pub mod sandbox;
pub mod store;
pub mod telemetry;
pub mod tools;
pub mod web;
