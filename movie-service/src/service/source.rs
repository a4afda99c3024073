//! Where a sync takes its movies from: TMDB, or the sample when there is no key. Both deliver pages.

use std::sync::Arc;

use crate::models::{
    import::{GenreRecord, MoviePageRecord},
    sync::{Discover, SourceName},
};

use super::{
    sample::Sample,
    tmdb::{Tmdb, TmdbError},
};

/// One sync's source. Clones are cheap.
#[derive(Clone)]
pub(super) enum Source {
    Tmdb(Tmdb),
    Sample(Arc<Sample>),
}

impl Source {
    pub(super) fn new(tmdb: Option<&Tmdb>) -> Self {
        tmdb.map_or_else(|| Self::Sample(Arc::new(Sample::load())), |tmdb| Self::Tmdb(tmdb.clone()))
    }

    pub(super) fn name(&self) -> SourceName {
        match self {
            Self::Tmdb(_) => SourceName::Tmdb,
            Self::Sample(_) => SourceName::Sample,
        }
    }

    /// Pages of a list to ask for when `wanted` are wanted: the sample is always loaded whole.
    pub(super) fn pages(&self, list: &Discover, wanted: u32) -> u32 {
        match self {
            Self::Tmdb(_) => wanted,
            Self::Sample(sample) => sample.pages(list),
        }
    }

    pub(super) async fn genres(&self) -> Result<Vec<GenreRecord>, TmdbError> {
        match self {
            Self::Tmdb(tmdb) => tmdb.genres().await,
            Self::Sample(sample) => Ok(sample.genres.clone()),
        }
    }

    /// A page of a list, counted from 1.
    pub(super) async fn page(&self, list: &Discover, page: u32) -> Result<MoviePageRecord, TmdbError> {
        match self {
            Self::Tmdb(tmdb) => tmdb.discover(list, page).await,
            Self::Sample(sample) => Ok(sample.page(list, page)),
        }
    }
}
