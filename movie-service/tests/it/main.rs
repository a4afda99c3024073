//! The service as its clients meet it: the real router, PostgreSQL and Redis, and a stand-in for TMDB.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod cache;
mod catalogue;
mod conditional;
mod detail;
mod env_example;
mod faults;
mod filters;
mod genres;
mod http;
mod jobs;
mod jobs_cut_off;
mod jobs_failures;
mod jobs_followed;
mod list;
mod locks;
mod openapi;
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
