//! Reading one movie.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::models::movie::{BOOKING_URL, MovieDetail, MovieId, TmdbId, backdrop_url, date_text, poster_url};

use super::limits;

#[derive(sqlx::FromRow)]
struct DetailRow {
    id: i32,
    title: String,
    overview: String,
    release_date: Option<NaiveDate>,
    popularity: Option<f64>,
    poster_path: Option<String>,
    backdrop_path: Option<String>,
    original_language: Option<String>,
    runtime: Option<i32>,
    genres: Vec<String>,
    tmdb_id: Option<i32>,
    original_title: Option<String>,
    rating: Option<f64>,
    vote_count: Option<i32>,
    locked_fields: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The details of the movie that fits a condition.
macro_rules! detail_where {
    ($condition:literal) => {
        concat!(
            r#"SELECT m.id, m.title, m.overview, m.release_date, m.popularity, m.poster_path, m.backdrop_path,
                      m.original_language, m.runtime, m.tmdb_id, m.original_title, m.rating, m.vote_count,
                      m.locked_fields, m.created_at, m.updated_at,
                      ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                            WHERE mg.movie_id = m.id ORDER BY g.name COLLATE "C") AS genres
               FROM movies m WHERE "#,
            $condition
        )
    };
}

/// One movie with the names of its genres.
///
/// # Errors
/// When the database does not answer.
pub async fn find(pool: &PgPool, id: MovieId) -> sqlx::Result<Option<MovieDetail>> {
    one(pool, detail_where!("m.id = $1"), id.get()).await
}

/// The same by its id at TMDB.
///
/// # Errors
/// As [`find`].
pub async fn find_by_tmdb_id(pool: &PgPool, id: TmdbId) -> sqlx::Result<Option<MovieDetail>> {
    one(pool, detail_where!("m.tmdb_id = $1"), id.get()).await
}

async fn one(pool: &PgPool, sql: &'static str, id: i32) -> sqlx::Result<Option<MovieDetail>> {
    limits::one_statement(pool, fetch(pool, sql, id)).await
}

/// As [`find`], within a transaction for example, and without a limit of its own.
pub(super) async fn find_in(executor: impl PgExecutor<'_>, id: i32) -> sqlx::Result<Option<MovieDetail>> {
    fetch(executor, detail_where!("m.id = $1"), id).await
}

async fn fetch(executor: impl PgExecutor<'_>, sql: &'static str, id: i32) -> sqlx::Result<Option<MovieDetail>> {
    let row: Option<DetailRow> = sqlx::query_as(sql).bind(id).fetch_optional(executor).await?;
    Ok(row.map(MovieDetail::from))
}

impl From<DetailRow> for MovieDetail {
    fn from(row: DetailRow) -> Self {
        Self {
            id: row.id,
            title: row.title,
            overview: row.overview,
            release_date: date_text(row.release_date),
            genres: row.genres,
            language: row.original_language.unwrap_or_default(),
            duration: row.runtime.unwrap_or_default(),
            popularity: row.popularity.unwrap_or_default(),
            poster_url: poster_url(row.poster_path.as_deref()),
            backdrop_url: backdrop_url(row.backdrop_path.as_deref()),
            booking_url: BOOKING_URL,
            // The sample's are negative: places in a file, not ids at TMDB.
            tmdb_id: row.tmdb_id.filter(|id| *id > 0),
            original_title: row.original_title.unwrap_or_default(),
            vote_average: row.rating.unwrap_or_default(),
            vote_count: row.vote_count.unwrap_or_default(),
            locked_fields: row.locked_fields,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
