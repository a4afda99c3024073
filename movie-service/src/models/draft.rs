//! What people write into the catalogue, checked, and laid over the movie that is stored.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::{
    genre::{GenreName, KnownGenres, UnknownGenre},
    locks::Locks,
    stored_movie::StoredMovie,
};

/// A field with a value that it cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidField {
    /// The field as it is called in JSON.
    pub name: &'static str,
    /// What it may be, to follow "expected".
    pub expected: &'static str,
}

/// Why a body cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyError {
    /// Not one JSON object with values of the right types.
    Malformed {
        /// The path of the value with the wrong type.
        field: Option<Cow<'static, str>>,
    },
    /// A value that a movie cannot have.
    Field(InvalidField),
}

impl From<InvalidField> for BodyError {
    fn from(field: InvalidField) -> Self {
        Self::Field(field)
    }
}

/// The fields that a body sets; the inner `None` stands for unknown.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "as in `StoredMovie`")]
pub struct Edit {
    pub title: Option<String>,
    pub original_title: Option<Option<String>>,
    pub overview: Option<String>,
    pub release_date: Option<Option<NaiveDate>>,
    pub genres: Option<Vec<GenreName>>,
    pub language: Option<Option<String>>,
    pub runtime: Option<Option<i32>>,
    pub popularity: Option<Option<f64>>,
    pub vote_average: Option<Option<f64>>,
    pub vote_count: Option<Option<i32>>,
    pub poster_path: Option<Option<String>>,
    pub backdrop_path: Option<Option<String>>,
    pub tmdb_id: Option<Option<i32>>,
    /// As the body lists them.
    pub listed: Option<Locks>,
    /// Lockable fields that the body sets.
    pub set: Locks,
}

/// A whole movie, which has a title: what is left out is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft(pub Edit);

/// A JSON merge patch (RFC 7396): what is left out stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch(pub Edit);

impl Edit {
    /// Lays what is set over `base`; what is locked is left to the caller.
    fn over(self, base: StoredMovie, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let genre_ids = match self.genres {
            Some(names) => known.ids("genres", &names)?,
            None => base.genre_ids,
        };
        Ok(StoredMovie {
            title: self.title.unwrap_or(base.title),
            original_title: self.original_title.unwrap_or(base.original_title),
            overview: self.overview.unwrap_or(base.overview),
            release_date: self.release_date.unwrap_or(base.release_date),
            genre_ids,
            language: self.language.unwrap_or(base.language),
            runtime: self.runtime.unwrap_or(base.runtime),
            popularity: self.popularity.unwrap_or(base.popularity),
            vote_average: self.vote_average.unwrap_or(base.vote_average),
            vote_count: self.vote_count.unwrap_or(base.vote_count),
            poster_path: self.poster_path.unwrap_or(base.poster_path),
            backdrop_path: self.backdrop_path.unwrap_or(base.backdrop_path),
            // Nobody sees the negative ids of the sample, so nobody means to reset one.
            tmdb_id: self.tmdb_id.map_or(base.tmdb_id, |id| id.or(base.tmdb_id.filter(|id| *id < 0))),
            locks: base.locks,
        })
    }
}

impl Draft {
    /// A new movie. What was set by hand is locked, unless the body says what is.
    ///
    /// # Errors
    /// [`UnknownGenre`] when it names a genre that there is not.
    pub fn create(self, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let locks = self.0.listed.unwrap_or(self.0.set);
        Ok(StoredMovie { locks, ..self.0.over(StoredMovie::default(), known)? })
    }

    /// The movie in place of `old`, of which only the id at TMDB stays. What is different then is locked too, unless the
    /// body says what is.
    ///
    /// # Errors
    /// [`UnknownGenre`] when it names a genre that there is not.
    pub fn replace(self, old: &StoredMovie, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let base = StoredMovie { tmdb_id: old.tmdb_id, ..StoredMovie::default() };
        let listed = self.0.listed;
        let movie = self.0.over(base, known)?.unless_shown(old);
        Ok(StoredMovie { locks: listed.unwrap_or(old.locks.with(movie.differences(old))), ..movie })
    }
}

impl Patch {
    /// The movie after the patch. What it sets is locked too, unless it says what is.
    ///
    /// # Errors
    /// [`UnknownGenre`] when it names a genre that there is not.
    pub fn apply(self, old: &StoredMovie, known: &KnownGenres) -> Result<StoredMovie, UnknownGenre> {
        let locks = self.0.listed.unwrap_or(old.locks.with(self.0.set));
        Ok(StoredMovie { locks, ..self.0.over(old.clone(), known)?.unless_shown(old) })
    }
}
