//! Connections to PostgreSQL and Redis. Queries live in `repository`.

pub mod pool;
pub mod pool_metrics;
pub mod postgres;
pub mod redis;
pub mod redis_connection;
