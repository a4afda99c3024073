//! The service as its clients see it, against a real PostgreSQL and a real Redis.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod common_routes;
mod durability;
mod env_example;
mod feed;
mod interaction_batches;
mod interactions;
mod openapi;
mod outages;
mod preference_cache;
mod preference_consistency;
mod preferences;
mod profiles;
mod ratings;
mod request_bodies;
mod revisions;
mod settings;
mod shutdown;
mod support;
mod upgrade;
mod users;
