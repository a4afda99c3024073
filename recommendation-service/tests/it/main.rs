//! recommendation-service from outside: the real router (and, in one file, the real process) with real PostgreSQL and
//! Redis, and stand-ins for the two services it asks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod anonymous;
mod cache;
mod catalogue_refresh;
mod common_routes;
mod config;
mod env_example;
mod experiments;
mod freshness;
mod group;
mod list_events;
mod list_history;
mod list_parameters;
mod models;
mod openapi;
mod peer_failures;
mod process;
mod recommendations;
mod revisions;
mod rule_edits;
mod rules;
mod snapshots;
mod support;
mod upgrade;
