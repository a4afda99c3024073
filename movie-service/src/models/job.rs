//! A sync that runs in the background, as clients see it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    movie::{MovieId, MovieIdError},
    sync::SyncParameters,
};

/// Errors that a job keeps.
pub const MAX_ERRORS: i32 = 100;

/// The id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobId(i32);

/// Why a text is not the id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobIdError {
    /// It is not a decimal number.
    NotANumber,
    /// It is a number that no job has.
    NoSuchJob,
}

impl JobId {
    /// An id from the database.
    pub fn new(id: i32) -> Self {
        Self(id)
    }

    /// Parses a decimal number, in the form of a movie's id.
    ///
    /// # Errors
    /// [`JobIdError`], which tells texts from numbers out of range.
    pub fn parse(text: &str) -> Result<Self, JobIdError> {
        MovieId::parse(text).map(|id| Self(id.get())).map_err(|error| match error {
            MovieIdError::NotANumber => JobIdError::NotANumber,
            MovieIdError::NoSuchMovie => JobIdError::NoSuchJob,
        })
    }

    /// The number.
    pub fn get(self) -> i32 {
        self.0
    }
}

/// What has become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It is worked on, or a replica is about to go on with it.
    Running,
    /// Every page was tried, and at least one is stored.
    Completed,
    /// Nothing could be stored, or it could not go on; `errors` say why.
    Failed,
    /// It was asked to stop.
    Cancelled,
}

impl JobState {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Completed, Self::Failed, Self::Cancelled].into_iter().find(|state| state.as_str() == text)
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// Its id.
    #[schema(example = 1, minimum = 1)]
    pub id: i32,
    /// What has become of it.
    pub state: JobState,
    /// `tmdb`, or `sample` when no TMDB key was configured.
    #[schema(example = "tmdb")]
    pub source: String,
    /// Its pages.
    pub pages: JobPages,
    /// The movies on the pages stored.
    pub movies: JobMovies,
    /// Movies of the catalogue that wait for their runtime now.
    #[schema(example = 980, minimum = 0)]
    pub runtimes_left: i64,
    /// Since a replica last took it up.
    #[schema(example = 12.5, minimum = 0)]
    pub pages_per_second: f64,
    /// Until it ends at this rate; null while nothing can be said, 0 when it has ended.
    #[schema(example = 36, minimum = 0)]
    pub seconds_left: Option<i64>,
    /// What went wrong, the first hundred.
    #[schema(max_items = 100)]
    pub errors: Vec<JobError>,
    /// How many more there were.
    #[schema(example = 0, minimum = 0)]
    pub errors_omitted: i32,
    /// As they were given.
    // Shown as they are stored: another version of the service may know others.
    #[schema(value_type = SyncParameters)]
    pub parameters: serde_json::Value,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; null while it runs.
    pub finished_at: Option<DateTime<Utc>>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// Rows of its pages that could not be used.
    #[serde(default)]
    #[schema(example = 0, minimum = 0)]
    pub skipped: i64,
}

/// Pages of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobPages {
    /// To be fetched; an upper bound until the first page of every year has said how many there are.
    #[schema(example = 500, minimum = 0)]
    pub total: i32,
    /// Stored.
    #[schema(example = 50, minimum = 0)]
    pub done: i32,
    /// Not fetched or not stored; see `errors`.
    #[schema(example = 0, minimum = 0)]
    pub failed: i32,
}

/// Movies of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobMovies {
    /// Not in the catalogue before.
    #[schema(example = 800, minimum = 0)]
    pub new: i64,
    /// Different before, in a field or in their genres.
    #[schema(example = 150, minimum = 0)]
    pub changed: i64,
    /// The same before, or different in locked fields only.
    #[schema(example = 50, minimum = 0)]
    pub unchanged: i64,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobError {
    /// The year, when years were asked for.
    #[schema(example = 1994)]
    pub year: Option<i32>,
    /// The page, counted from 1; null for what concerns no single page.
    #[schema(example = 3, minimum = 1)]
    pub page: Option<i32>,
    /// Why, in short.
    #[schema(example = "TMDB answered 500")]
    pub error: String,
}

/// Jobs, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    /// The latest first.
    pub jobs: Vec<Job>,
}
