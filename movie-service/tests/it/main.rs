//! The service as its clients meet it: the real router, PostgreSQL and Redis, and a stand-in for TMDB.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod bulk;
mod bulk_faults;
mod cache;
mod catalogue;
mod conditional;
mod cursor;
mod detail;
mod env_example;
mod extras;
mod faults;
mod filters;
mod genres;
mod http;
mod list;
mod locks;
mod manage;
mod manage_bodies;
mod manage_faults;
mod openapi;
mod random;
mod reading;
mod related;
mod runtimes;
mod sample;
mod schema;
mod search;
mod settings;
mod silence;
mod store;
mod support;
mod sync;
mod tmdb;
mod tmdb_failures;
mod words;
