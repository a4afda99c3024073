//! Reading one movie.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::movie::{BOOKING_URL, MovieDetail, MovieId, TmdbId, backdrop_url, date_text, poster_url},
};

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

/// The query for the movie that a condition on `$1` names.
macro_rules! detail_where {
    ($condition:literal, $id:expr) => {
        sqlx::query_as!(
            DetailRow,
            r#"SELECT m.id, m.title, m.overview, m.release_date, m.popularity, m.poster_path, m.backdrop_path,
                      m.original_language, m.runtime, m.tmdb_id, m.original_title, m.rating, m.vote_count,
                      m.locked_fields, m.created_at, m.updated_at,
                      ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                            WHERE mg.movie_id = m.id ORDER BY g.name COLLATE "C") AS "genres!"
               FROM movies m WHERE "#
                + $condition,
            $id
        )
    };
}

/// One movie with the names of its genres.
///
/// # Errors
/// When the database does not answer.
pub async fn find(database: &Database, id: MovieId) -> Result<Option<MovieDetail>, DatabaseError> {
    database.read("read a movie", async |connection: &mut PgConnection| find_in(connection, id.get()).await).await
}

/// The same by its id at TMDB.
///
/// # Errors
/// As [`find`].
pub async fn find_by_tmdb_id(database: &Database, id: TmdbId) -> Result<Option<MovieDetail>, DatabaseError> {
    let find = async |connection: &mut PgConnection| {
        let row = detail_where!("m.tmdb_id = $1", id.get()).fetch_optional(connection).await?;
        Ok(row.map(MovieDetail::from))
    };
    database.read("read a movie by its id at TMDB", find).await
}

/// As [`find`], on a connection whose owner limits the time.
///
/// # Errors
/// When the database does not answer.
pub async fn find_in(connection: &mut PgConnection, id: i32) -> sqlx::Result<Option<MovieDetail>> {
    let row = detail_where!("m.id = $1", id).fetch_optional(connection).await?;
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
