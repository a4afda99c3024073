//! TMDB's JSON, read row by row: one that cannot be used is left out, and the others stay.
//!
//! Rows and fields are taken as raw text first. So neither a number that fits no type, nor half a surrogate pair, nor
//! nesting of any depth in one field can spoil more than that field.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, Error, Visitor},
};
use serde_json::value::RawValue;

use crate::models::{
    import::{GenreRecord, MoviePageRecord, MovieRecord},
    movie::parse_date,
    text::is_blank,
};

use super::TmdbError;

/// Longest title in characters; the longest real one has about 200. A row of an index must fit into a third of a page of
/// PostgreSQL, 2,704 bytes, and a character may have four.
const MAX_TITLE: usize = 500;
/// Longest overview in characters; TMDB allows 1,000.
const MAX_OVERVIEW: usize = 20_000;
const MAX_GENRE_NAME: usize = 100;
const MAX_PATH: usize = 500;
const MAX_LANGUAGE: usize = 20;
/// Longest runtime in minutes: some works take weeks.
const MAX_RUNTIME: i32 = 100_000;

type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct GenreList<'a> {
    #[serde(borrow)]
    genres: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Genre<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    name: Text,
}

#[derive(Deserialize)]
struct DiscoverPage<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    total_pages: Raw<'a>,
}

#[derive(Deserialize)]
struct Movie<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(default)]
    title: Option<Text>,
    #[serde(default)]
    original_title: Option<Text>,
    #[serde(default)]
    overview: Option<Text>,
    #[serde(default)]
    release_date: Option<Text>,
    #[serde(borrow, default)]
    popularity: Raw<'a>,
    #[serde(default)]
    poster_path: Option<Text>,
    #[serde(default)]
    backdrop_path: Option<Text>,
    #[serde(default)]
    original_language: Option<Text>,
    #[serde(borrow, default)]
    vote_average: Raw<'a>,
    #[serde(borrow, default)]
    vote_count: Raw<'a>,
    #[serde(borrow, default)]
    genre_ids: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct MovieDetails<'a> {
    #[serde(borrow, default)]
    runtime: Raw<'a>,
}

/// The genres of `/genre/movie/list`.
///
/// # Errors
/// [`TmdbError::CutOff`] when the text ends too early, [`TmdbError::NotUnderstood`] when it is something else.
pub fn genres(body: &str) -> Result<Vec<GenreRecord>, TmdbError> {
    let list: GenreList<'_> = object(body)?;
    let records: Vec<GenreRecord> = list.genres.iter().filter_map(|raw| genre(raw)).collect();
    let skipped = list.genres.len() - records.len();
    if skipped > 0 {
        tracing::warn!(skipped, "genres that cannot be used");
    }
    Ok(unique(records, |genre| genre.tmdb_id))
}

fn genre(raw: &RawValue) -> Option<GenreRecord> {
    let genre: Genre<'_> = object(raw.get()).ok()?;
    Some(GenreRecord { tmdb_id: positive(genre.id)?, name: genre.name.filled(MAX_GENRE_NAME)? })
}

/// A page of `/discover/movie`.
///
/// # Errors
/// [`TmdbError::CutOff`] when the text ends too early, [`TmdbError::NotUnderstood`] when it is something else.
pub fn movies(body: &str) -> Result<MoviePageRecord, TmdbError> {
    let page: DiscoverPage<'_> = object(body)?;
    let records: Vec<MovieRecord> = page.results.iter().filter_map(|raw| movie(raw)).collect();
    let skipped = page.results.len() - records.len();
    if skipped > 0 {
        tracing::warn!(skipped, "movies that cannot be used");
    }
    Ok(MoviePageRecord {
        movies: unique(records, |movie| movie.tmdb_id),
        skipped,
        total_pages: page.total_pages.and_then(|pages| pages.get().parse().ok()),
    })
}

/// A movie needs an id and a title; anything else that is missing or out of range counts as unknown.
fn movie(raw: &RawValue) -> Option<MovieRecord> {
    let movie: Movie<'_> = object(raw.get()).ok()?;
    let filled = |text: Option<Text>, longest| text.and_then(|text| text.filled(longest));
    let original_title = filled(movie.original_title, MAX_TITLE);
    // A title that is too long is broken; one that is empty has the original one in its place.
    let title = match movie.title.filter(|title| !title.is_blank()) {
        Some(title) => title.filled(MAX_TITLE)?,
        None => original_title.clone()?,
    };
    Some(MovieRecord {
        tmdb_id: positive(movie.id)?,
        title,
        original_title,
        overview: filled(movie.overview, MAX_OVERVIEW).unwrap_or_default(),
        release_date: movie.release_date.and_then(|date| parse_date(&date.0)),
        popularity: number(movie.popularity, 0.0..=f64::MAX),
        poster_path: filled(movie.poster_path, MAX_PATH).filter(|path| path.starts_with('/')),
        backdrop_path: filled(movie.backdrop_path, MAX_PATH).filter(|path| path.starts_with('/')),
        original_language: filled(movie.original_language, MAX_LANGUAGE),
        vote_average: number(movie.vote_average, 0.0..=10.0),
        vote_count: movie.vote_count.and_then(|count| count.get().parse().ok()).filter(|count| *count >= 0),
        runtime: None,
        genre_ids: movie.genre_ids.unwrap_or_default().into_iter().filter_map(positive).collect(),
    })
}

/// The runtime in `/movie/{id}`.
///
/// # Errors
/// [`TmdbError::CutOff`] when the text ends too early, [`TmdbError::NotUnderstood`] when it is something else.
pub fn runtime(body: &str) -> Result<Option<i32>, TmdbError> {
    let details: MovieDetails<'_> = object(body)?;
    Ok(details.runtime.and_then(positive).filter(|minutes| *minutes <= MAX_RUNTIME))
}

/// Parses an object, and nothing else: an array would be taken for its fields in their order. JSON that simply ends is an
/// answer that was cut off, which may be whole the next time.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, TmdbError> {
    let text = text.trim_start();
    if !text.is_empty() && !text.starts_with('{') {
        return Err(TmdbError::NotUnderstood);
    }
    serde_json::from_str(text)
        .map_err(|error| if error.is_eof() { TmdbError::CutOff } else { TmdbError::NotUnderstood })
}

/// The first of rows with the same id.
fn unique<T>(mut rows: Vec<T>, id: impl Fn(&T) -> i32) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    rows.retain(|row| seen.insert(id(row)));
    rows
}

fn positive(raw: &RawValue) -> Option<i32> {
    raw.get().parse().ok().filter(|number| *number > 0)
}

fn number(raw: Raw<'_>, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    // Adding zero turns -0 into 0.
    raw?.get().parse::<f64>().ok().filter(|number| range.contains(number)).map(|number| number + 0.0)
}

/// A JSON string without NUL, which PostgreSQL cannot store; half a surrogate pair becomes the replacement character.
struct Text(String);

impl Text {
    fn is_blank(&self) -> bool {
        is_blank(&self.0)
    }

    /// The text, unless it is blank or longer than so many characters.
    fn filled(self, longest: usize) -> Option<String> {
        (!self.is_blank() && self.0.chars().nth(longest).is_none()).then_some(self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(bytes).replace('\0', "")))
            }
        }

        // As bytes: as a string, half a surrogate pair would be an error.
        deserializer.deserialize_bytes(TextVisitor)
    }
}
