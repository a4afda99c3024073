//! recommendation-service from outside: the real router (and, in one file, the real process) with real PostgreSQL and
//! Redis, and stand-ins for the two services it asks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod cache;
mod config;
mod contract;
mod env_example;
mod freshness;
mod http;
mod openapi;
mod peers;
mod process;
mod rules;
mod snapshots;
mod support;
