//! Stand-in for the sandbox's own `mod.rs`, so that this branch compiles: it only declares the two parts built here.

#[allow(dead_code, reason = "the sandbox branch calls the routers")]
mod model;
#[allow(dead_code, reason = "the sandbox branch calls the routers")]
mod page;
