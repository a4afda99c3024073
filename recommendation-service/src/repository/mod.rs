//! SQL and Redis keys. Nothing here knows about HTTP.

pub mod recommendation_cache;
pub mod rule_edits;
pub mod rules;
pub mod snapshots;
