//! The catalogue built into the service, for those without a TMDB key: real movies in TMDB's own form.

use chrono::Datelike;
use serde::Deserialize;

use crate::models::{
    import::{GenreRecord, MoviePageRecord, MovieRecord},
    movie::parse_date,
    sync::Discover,
};

/// As many as on a page of TMDB.
const PAGE_SIZE: usize = 20;

/// Parsed when it is asked for and dropped after that: most processes never need it.
const CATALOGUE: &str = include_str!("../../data/sample-catalogue.json");

#[derive(Deserialize)]
struct Catalogue {
    genres: Vec<Genre>,
    movies: Vec<Movie>,
}

#[derive(Deserialize)]
struct Genre {
    id: i32,
    name: String,
}

#[derive(Deserialize)]
struct Movie {
    title: String,
    original_title: Option<String>,
    #[serde(default)]
    overview: String,
    release_date: Option<String>,
    #[serde(default)]
    genre_ids: Vec<i32>,
    original_language: Option<String>,
    runtime: Option<i32>,
    popularity: Option<f64>,
    vote_average: Option<f64>,
    vote_count: Option<i32>,
}

/// The sample, served in pages like TMDB's.
pub(super) struct Sample {
    pub(super) genres: Vec<GenreRecord>,
    movies: Vec<MovieRecord>,
}

impl Sample {
    pub(super) fn load() -> Self {
        let catalogue: Catalogue = serde_json::from_str(CATALOGUE).expect("a test reads this file");
        let genres = catalogue.genres.into_iter().map(|genre| GenreRecord { tmdb_id: genre.id, name: genre.name });
        Self { genres: genres.collect(), movies: catalogue.movies.into_iter().zip(1..).map(record).collect() }
    }

    /// Pages of a list, at least one: it may be empty.
    pub(super) fn pages(&self, list: &Discover) -> u32 {
        let movies = self.movies.iter().filter(|movie| is_listed(movie, list)).count();
        u32::try_from(movies.div_ceil(PAGE_SIZE).max(1)).unwrap_or(u32::MAX)
    }

    /// A page of a list, counted from 1.
    pub(super) fn page(&self, list: &Discover, page: u32) -> MoviePageRecord {
        let before = (page as usize).saturating_sub(1) * PAGE_SIZE;
        let movies = self.movies.iter().filter(|movie| is_listed(movie, list)).skip(before).take(PAGE_SIZE);
        MoviePageRecord { movies: movies.cloned().collect(), skipped: 0, total_pages: Some(self.pages(list)) }
    }
}

/// Whether TMDB would list it.
fn is_listed(movie: &MovieRecord, list: &Discover) -> bool {
    let has = |genre: &i32| movie.genre_ids.contains(genre);
    list.year.is_none_or(|year| movie.release_date.is_some_and(|date| date.year() == year))
        && list.language.as_ref().is_none_or(|language| movie.original_language.as_ref() == Some(language))
        && list.genres.as_ref().is_none_or(|genres| match genres.all {
            true => genres.ids.iter().all(has),
            false => genres.ids.iter().any(has),
        })
}

/// Ids at TMDB are positive; the sample's are the negated positions in the file.
fn record((movie, position): (Movie, i32)) -> MovieRecord {
    MovieRecord {
        tmdb_id: -position,
        title: movie.title,
        original_title: movie.original_title,
        overview: movie.overview,
        release_date: movie.release_date.as_deref().and_then(parse_date),
        popularity: movie.popularity,
        poster_path: None,
        backdrop_path: None,
        original_language: movie.original_language,
        vote_average: movie.vote_average,
        vote_count: movie.vote_count,
        runtime: movie.runtime,
        genre_ids: movie.genre_ids,
    }
}
