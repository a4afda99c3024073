//! A training of the collaborative model, and a model that came of one.

use chrono::{DateTime, Utc};

/// A training that was asked for or began by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingJob {
    /// Its id.
    pub id: i64,
    /// `queued`, `running`, `succeeded` or `failed`.
    pub status: String,
    /// How much is done, 0 to 100.
    pub percent: i32,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The version of the model that came of it.
    pub version: Option<String>,
    /// Why none did.
    pub error: Option<String>,
}

/// A stored model, without its content.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    /// Its id: higher ones are newer.
    pub id: i64,
    /// Its version.
    pub version: String,
    /// What is said about it, as JSON.
    pub info: String,
    /// Its size in bytes.
    pub bytes: i64,
}
