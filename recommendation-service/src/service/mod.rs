//! Use cases: keeping copies of catalogue and rules fresh, making recommendations, recording them.

pub mod catalogue;
pub mod model;
pub mod pipeline;
pub mod recommendations;
pub mod rules;
pub mod snapshots;

use crate::{database::postgres::DatabaseError, repository::recommendation_cache::CacheUnavailable};

/// Why a request cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such user.
    #[error("no such user")]
    NoSuchUser,
    /// Redis does not answer.
    #[error(transparent)]
    Cache(#[from] CacheUnavailable),
    /// No copy of the catalogue yet.
    #[error("no copy of the catalogue yet")]
    NoCatalogue,
    /// PostgreSQL does not work.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
