//! Queries and Redis keys. A lookup that finds nothing is `None`; a conflict is the name of a constraint.

pub mod cache;
pub mod feed;
pub mod interactions;
pub mod preferences;
pub mod profiles;
pub mod revisions;
pub mod users;
