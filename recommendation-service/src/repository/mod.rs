//! SQL and Redis keys. Nothing here knows about HTTP.

pub mod recommendation_cache;
pub mod rules;
pub mod snapshots;
