//! Connections to PostgreSQL and Redis. Queries live in `repository`.

pub mod postgres;
pub mod redis;
