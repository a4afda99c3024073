//! Rows of the list.

use sqlx::{FromRow, Row as _, postgres::PgRow};

use crate::models::{
    cursor::{Fit, Key, Position},
    includes::Include,
    movie::ListedMovie,
    query::SortBy,
};

/// A part of the list, and the state of the catalogue that it is of.
#[derive(Debug)]
pub struct Slice {
    /// What was counted under the same revision is right for this answer.
    pub revision: i64,
    /// All movies, whatever the filters.
    pub movies: i64,
    /// In their order.
    pub rows: Vec<SliceRow>,
    /// Whether more follow.
    pub more: bool,
}

/// A movie of the list, and where it stands.
#[derive(Debug)]
pub struct SliceRow {
    /// The movie.
    pub movie: ListedMovie,
    /// Of this row; how many are before is for the reader to say.
    pub position: Position,
}

/// What PostgreSQL answers.
pub(super) struct Row {
    pub(super) revision: i64,
    pub(super) movies: i64,
    /// `None` in the one row that carries nothing but the state of the catalogue.
    movie: Option<ListedMovie>,
    fit: Option<Fit>,
}

/// What a row needs of a movie `m`: what only `include` asks for is not read without it.
pub(super) fn columns(include: &[Include]) -> String {
    let optional = [
        (Include::Overview, "m.overview", "NULL::text AS overview"),
        (Include::OriginalTitle, "m.original_title", "NULL::text AS original_title"),
        (Include::Language, "m.original_language", "NULL::text AS original_language"),
        (Include::BackdropUrl, "m.backdrop_path", "NULL::text AS backdrop_path"),
        (Include::TmdbId, "m.tmdb_id", "NULL::int AS tmdb_id"),
        (Include::LockedFields, "m.locked_fields", "NULL::text[] AS locked_fields"),
        (Include::UpdatedAt, "m.updated_at", "NULL::timestamptz AS updated_at"),
        (
            Include::Genres,
            r#"ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                     WHERE mg.movie_id = m.id ORDER BY g.name COLLATE "C") AS genres"#,
            "NULL::text[] AS genres",
        ),
    ];
    let chosen = optional.map(|(extra, column, nothing)| if include.contains(&extra) { column } else { nothing });
    let always =
        "m.title, m.release_date, m.popularity, m.poster_path, m.rating, m.vote_count, m.runtime, m.created_at";
    format!("{always}, {}", chosen.join(", "))
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let id: Option<i32> = row.try_get("id")?;
        let (tier, distance): (Option<i32>, Option<f32>) = (row.try_get("tier")?, row.try_get("distance")?);
        Ok(Self {
            revision: row.try_get("revision")?,
            movies: row.try_get("movies")?,
            movie: id.map(|id| listed_movie(row, id)).transpose()?,
            fit: tier.zip(distance).map(|(tier, distance)| Fit { tier, distance }),
        })
    }
}

fn listed_movie(row: &PgRow, id: i32) -> sqlx::Result<ListedMovie> {
    Ok(ListedMovie {
        id,
        title: row.try_get("title")?,
        original_title: row.try_get("original_title")?,
        overview: row.try_get("overview")?,
        release_date: row.try_get("release_date")?,
        genres: row.try_get("genres")?,
        original_language: row.try_get("original_language")?,
        runtime: row.try_get("runtime")?,
        popularity: row.try_get("popularity")?,
        rating: row.try_get("rating")?,
        vote_count: row.try_get("vote_count")?,
        poster_path: row.try_get("poster_path")?,
        backdrop_path: row.try_get("backdrop_path")?,
        tmdb_id: row.try_get("tmdb_id")?,
        locked_fields: row.try_get("locked_fields")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

impl Row {
    pub(super) fn seen(self, sort_by: SortBy) -> Option<SliceRow> {
        let movie = self.movie?;
        let position = Position { before: 0, id: movie.id, key: key(&movie, sort_by), fit: self.fit };
        Some(SliceRow { movie, position })
    }
}

fn key(movie: &ListedMovie, sort_by: SortBy) -> Key {
    match sort_by {
        SortBy::Popularity | SortBy::Relevance => movie.popularity.map(Key::Float),
        SortBy::ReleaseDate => movie.release_date.map(Key::Date),
        SortBy::VoteAverage => movie.rating.map(Key::Float),
        SortBy::VoteCount => movie.vote_count.map(Key::Int),
        SortBy::Runtime => movie.runtime.map(Key::Int),
        SortBy::Title => Some(Key::Text(movie.title.clone())),
        SortBy::CreatedAt => Some(Key::Time(movie.created_at)),
    }
    .unwrap_or(Key::Unknown)
}
