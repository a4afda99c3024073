//! What a source of movies (TMDB or the built-in sample) delivers, cleaned: it can be stored as it is.

use chrono::NaiveDate;

/// A genre under its source's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenreRecord {
    /// Id at TMDB.
    pub tmdb_id: i32,
    /// Not empty, without NUL.
    pub name: String,
}

/// A movie under its source's id. Texts hold no NUL.
#[derive(Debug, Clone, PartialEq)]
pub struct MovieRecord {
    /// Id at TMDB; negative for the built-in sample.
    pub tmdb_id: i32,
    /// Not empty.
    pub title: String,
    /// In the language of the movie.
    pub original_title: Option<String>,
    /// Empty when unknown.
    pub overview: String,
    /// The first release.
    pub release_date: Option<NaiveDate>,
    /// Finite, not negative.
    pub popularity: Option<f64>,
    /// Begins with `/`.
    pub poster_path: Option<String>,
    /// Begins with `/`.
    pub backdrop_path: Option<String>,
    /// ISO 639-1.
    pub original_language: Option<String>,
    /// 0 to 10.
    pub vote_average: Option<f64>,
    /// Not negative.
    pub vote_count: Option<i32>,
    /// Minutes, above 0; discover pages have none.
    pub runtime: Option<i32>,
    /// Genres under their source's ids; those the platform does not know are ignored.
    pub genre_ids: Vec<i32>,
}

/// One page of movies.
#[derive(Debug, Default, PartialEq)]
pub struct MoviePageRecord {
    /// In the order of the source.
    pub movies: Vec<MovieRecord>,
    /// Rows that could not be used.
    pub skipped: usize,
    /// Pages the source has, when it says so.
    pub total_pages: Option<u32>,
}
