//! The connection to Redis. Commands live in `service::limiter`.

pub mod redis;
pub mod redis_connection;
