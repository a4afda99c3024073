//! SQL and Redis keys. Nothing here knows about HTTP.

pub mod cache;
pub mod rules;
pub mod snapshots;
