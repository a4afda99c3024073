//! The gateway as its clients and the services behind it see it: the real server against stand-ins and a real Redis.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod access_log;
mod auth;
mod canonical_paths;
mod connection_limits;
mod copies;
mod env_example;
mod environment;
mod gcra_script;
mod headers;
mod http2;
mod lifecycle;
mod memory;
mod message_validation;
mod metrics;
mod openapi;
mod order_of_phases;
mod process;
mod rate_limit;
mod rate_limit_choices;
mod redis_down;
mod request_bodies;
mod routes;
mod shutdown;
mod slow_readers;
mod status;
mod streaming;
mod support;
mod unauthenticated;
mod untrusted_headers;
mod upstream_addresses;
mod upstream_connections;
mod upstream_failures;
mod upstream_protection;
mod upstream_restarts;
mod web_page;
