//! Where a sync takes its movies from: TMDB, or the sample when there is no key. Both deliver pages.

use crate::models::{
    import::{GenreRecord, MoviePageRecord},
    sync::SourceName,
};

use super::{
    sample::Sample,
    tmdb::{Tmdb, TmdbError},
};

/// One sync's source.
pub(super) enum Source {
    Tmdb(Tmdb),
    Sample(Sample),
}

impl Source {
    pub(super) fn new(tmdb: Option<&Tmdb>) -> Self {
        tmdb.map_or_else(|| Self::Sample(Sample::load()), |tmdb| Self::Tmdb(tmdb.clone()))
    }

    pub(super) fn name(&self) -> SourceName {
        match self {
            Self::Tmdb(_) => SourceName::Tmdb,
            Self::Sample(_) => SourceName::Sample,
        }
    }

    /// Pages to ask for when `wanted` are wanted: the sample is always loaded whole.
    pub(super) fn pages(&self, wanted: u32) -> u32 {
        match self {
            Self::Tmdb(_) => wanted,
            Self::Sample(sample) => u32::try_from(sample.pages.len()).unwrap_or(u32::MAX),
        }
    }

    pub(super) async fn genres(&self) -> Result<Vec<GenreRecord>, TmdbError> {
        match self {
            Self::Tmdb(tmdb) => tmdb.genres().await,
            Self::Sample(sample) => Ok(sample.genres.clone()),
        }
    }

    /// A page, counted from 1.
    pub(super) async fn page(&self, page: u32) -> Result<MoviePageRecord, TmdbError> {
        match self {
            Self::Tmdb(tmdb) => tmdb.discover(page).await,
            Self::Sample(sample) => {
                let found = sample.pages.get(page as usize - 1).ok_or(TmdbError::NotFound)?;
                let movies = found.movies.clone();
                Ok(MoviePageRecord { movies, skipped: found.skipped, total_pages: found.total_pages })
            }
        }
    }
}
