//! Connections to PostgreSQL and Redis. Queries live in `repository`.

pub mod pool;
pub mod postgres;
pub mod redis;
