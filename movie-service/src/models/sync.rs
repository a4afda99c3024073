//! The result of a sync.

use serde::Serialize;
use utoipa::ToSchema;

/// Where movies come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceName {
    /// TMDB's API.
    Tmdb,
    /// The catalogue built into the service.
    Sample,
}

/// What a sync did.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncReport {
    /// Always `sync completed`.
    #[schema(example = "sync completed")]
    pub message: &'static str,
    /// Distinct movies stored, whether they were new, changed or the same as before.
    #[schema(example = 100, minimum = 0)]
    pub movies_synced: usize,
    /// Pages stored.
    #[schema(example = 5, minimum = 0)]
    pub pages: usize,
    /// `tmdb`, or `sample` when no TMDB key is configured.
    pub source: SourceName,
    /// Pages that could not be fetched or stored; the others are in the catalogue.
    pub failed_pages: Vec<FailedPage>,
}

/// A page that is missing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FailedPage {
    /// The page, counted from 1.
    #[schema(example = 3, minimum = 1)]
    pub page: u32,
    /// Why, in short.
    #[schema(example = "TMDB answered 500")]
    pub error: String,
}
