//! The catalogue built into the service, for those without a TMDB key: real movies in TMDB's own form.

use serde::Deserialize;

use crate::models::{
    import::{GenreRecord, MoviePageRecord, MovieRecord},
    movie::parse_date,
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

/// The sample, cut into pages like TMDB's.
pub(super) struct Sample {
    pub(super) genres: Vec<GenreRecord>,
    pub(super) pages: Vec<MoviePageRecord>,
}

impl Sample {
    pub(super) fn load() -> Self {
        let catalogue: Catalogue = serde_json::from_str(CATALOGUE).expect("a test reads this file");
        let genres = catalogue.genres.into_iter().map(|genre| GenreRecord { tmdb_id: genre.id, name: genre.name });
        let movies: Vec<MovieRecord> = catalogue.movies.into_iter().zip(1..).map(record).collect();
        let total_pages = u32::try_from(movies.len().div_ceil(PAGE_SIZE)).ok();
        let page = |movies: &[MovieRecord]| MoviePageRecord { movies: movies.to_vec(), skipped: 0, total_pages };
        Self { genres: genres.collect(), pages: movies.chunks(PAGE_SIZE).map(page).collect() }
    }
}

/// Ids at TMDB are positive; the sample's are the negative places in the file.
fn record((movie, place): (Movie, i32)) -> MovieRecord {
    MovieRecord {
        tmdb_id: -place,
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
