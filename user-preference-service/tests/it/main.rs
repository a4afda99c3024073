//! The service as its clients see it, against a real PostgreSQL and a real Redis.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod bodies;
mod cache;
mod common;
mod durability;
mod env_example;
mod faults;
mod interactions;
mod openapi;
mod preferences;
mod profile;
mod settings;
mod shutdown;
mod support;
mod unconfirmed;
mod users;
