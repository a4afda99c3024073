//! Rows of the list as PostgreSQL has them, and as clients see them.

use chrono::{DateTime, NaiveDate, Utc};

use crate::models::{
    cursor::{Fit, Key, Position},
    includes::Include,
    movie::{Included, MovieSummary, backdrop_url, date_text, poster_url},
    query::{ListQuery, SortBy},
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
    /// What clients see.
    pub summary: MovieSummary,
    /// Of this row; how many are before is for the reader to say.
    pub position: Position,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) revision: i64,
    pub(super) movies: i64,
    id: Option<i32>,
    tier: Option<i32>,
    distance: Option<f32>,
    title: Option<String>,
    release_date: Option<NaiveDate>,
    popularity: Option<f64>,
    poster_path: Option<String>,
    rating: Option<f64>,
    vote_count: Option<i32>,
    runtime: Option<i32>,
    created_at: Option<DateTime<Utc>>,
    overview: Option<String>,
    original_title: Option<String>,
    original_language: Option<String>,
    backdrop_path: Option<String>,
    tmdb_id: Option<i32>,
    locked_fields: Option<Vec<String>>,
    updated_at: Option<DateTime<Utc>>,
    genres: Option<Vec<String>>,
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

impl Row {
    /// `None` for the one row that carries nothing but the state.
    pub(super) fn seen(self, query: &ListQuery) -> Option<SliceRow> {
        let id = self.id?;
        let fit = self.tier.zip(self.distance).map(|(tier, distance)| Fit { tier, distance });
        let position = Position { before: 0, id, key: self.key(query.sort_by), fit };
        let wants = |extra| query.include.contains(&extra);
        let included = Included {
            genres: self.genres,
            overview: self.overview,
            original_title: wants(Include::OriginalTitle).then(|| self.original_title.unwrap_or_default()),
            language: wants(Include::Language).then(|| self.original_language.unwrap_or_default()),
            duration: wants(Include::Duration).then(|| self.runtime.unwrap_or_default()),
            backdrop_url: wants(Include::BackdropUrl).then(|| backdrop_url(self.backdrop_path.as_deref())),
            vote_average: wants(Include::VoteAverage).then(|| self.rating.unwrap_or_default()),
            vote_count: wants(Include::VoteCount).then(|| self.vote_count.unwrap_or_default()),
            // The sample's are negative: places in a file, not ids at TMDB.
            tmdb_id: wants(Include::TmdbId).then(|| self.tmdb_id.filter(|id| *id > 0)),
            locked_fields: self.locked_fields,
            created_at: self.created_at.filter(|_| wants(Include::CreatedAt)),
            updated_at: self.updated_at,
        };
        let summary = MovieSummary {
            id,
            title: self.title.unwrap_or_default(),
            release_date: date_text(self.release_date),
            popularity: self.popularity.unwrap_or_default(),
            poster_url: poster_url(self.poster_path.as_deref()),
            included,
        };
        Some(SliceRow { summary, position })
    }

    fn key(&self, sort_by: SortBy) -> Key {
        match sort_by {
            SortBy::Popularity | SortBy::Relevance => self.popularity.map(Key::Float),
            SortBy::ReleaseDate => self.release_date.map(Key::Date),
            SortBy::VoteAverage => self.rating.map(Key::Float),
            SortBy::VoteCount => self.vote_count.map(Key::Int),
            SortBy::Runtime => self.runtime.map(Key::Int),
            SortBy::Title => self.title.clone().map(Key::Text),
            SortBy::CreatedAt => self.created_at.map(Key::Time),
        }
        .unwrap_or(Key::Unknown)
    }
}
