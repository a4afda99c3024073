//! SQL and Redis keys. Nothing here knows about HTTP.

pub mod experiments;
pub mod leases;
pub mod list_events;
pub mod models;
pub mod recommendation_cache;
pub mod recorded_lists;
pub mod rule_edits;
pub mod rules;
pub mod snapshots;
pub mod training_jobs;
