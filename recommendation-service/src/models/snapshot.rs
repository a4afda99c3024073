//! What was recommended to a user, for the record.

use chrono::{DateTime, Utc};

use super::user_id::UserId;

/// One list as it was recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// To whom.
    pub user: UserId,
    /// When, in whole microseconds, as PostgreSQL keeps it.
    pub generated_at: DateTime<Utc>,
    /// Movie ids and scores; each movie once, possibly none.
    pub movies: Vec<(i32, f64)>,
}
