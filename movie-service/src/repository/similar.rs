//! Reading what similar movies are chosen from.

use chrono::NaiveDate;
use sqlx::PgPool;

use crate::models::{
    movie::MovieId,
    similar::{Candidate, Subject},
};

use super::limits;

/// A movie chosen, as it is shown.
#[derive(Debug, sqlx::FromRow)]
pub struct Chosen {
    /// The platform's own id.
    pub id: i32,
    /// Its title.
    pub title: String,
    /// When it was released.
    pub release_date: Option<NaiveDate>,
    /// TMDB's popularity.
    pub popularity: Option<f64>,
    /// The path of its poster at TMDB.
    pub poster_path: Option<String>,
    /// Names of the genres it shares, sorted.
    pub shared: Vec<String>,
}

/// The movie that others are to be compared with.
///
/// # Errors
/// When the database does not answer.
pub async fn subject(pool: &PgPool, id: MovieId) -> sqlx::Result<Option<Subject>> {
    let subject = sqlx::query_as(
        "SELECT ARRAY(SELECT genre_id FROM movie_genres WHERE movie_id = m.id) AS genres,
                NULLIF(m.original_language, '') AS language, m.release_date AS released
         FROM movies m WHERE m.id = $1",
    )
    .bind(id.get());
    limits::one_statement(pool, subject.fetch_optional(pool)).await
}

/// Movies that may be similar, a few thousand at most however large the catalogue is: they come from the ends of indexes,
/// where each part of the score is at its best. All have a genre of the subject's, if it has any.
///
/// # Errors
/// When the database does not answer.
pub async fn candidates(pool: &PgPool, id: MovieId, subject: &Subject) -> sqlx::Result<Vec<Candidate>> {
    let candidates = sqlx::query_as(
        "WITH candidates AS (
             (SELECT id FROM movies WHERE vote_count IS NOT NULL ORDER BY vote_count DESC, id DESC LIMIT 500)
             UNION (SELECT id FROM movies WHERE original_language = $3 AND popularity IS NOT NULL
                    ORDER BY popularity DESC, id DESC LIMIT 500)
             UNION (SELECT id FROM movies WHERE release_date <= $4 ORDER BY release_date DESC, id DESC LIMIT 250)
             UNION (SELECT id FROM movies WHERE release_date > $4 ORDER BY release_date, id LIMIT 250)
             UNION (SELECT latest.movie_id FROM unnest($2::int[]) AS wanted (genre_id)
                    CROSS JOIN LATERAL (SELECT mg.movie_id FROM movie_genres mg WHERE mg.genre_id = wanted.genre_id
                                        ORDER BY mg.movie_id DESC LIMIT 250) latest)
         )
         SELECT m.id, m.popularity, linked.shared, linked.genres, m.original_language AS language,
                m.release_date AS released, m.rating, m.vote_count AS votes
         FROM candidates c JOIN movies m USING (id)
         CROSS JOIN LATERAL (SELECT count(*) AS genres, count(*) FILTER (WHERE mg.genre_id = ANY($2)) AS shared
                             FROM movie_genres mg WHERE mg.movie_id = m.id) linked
         WHERE m.id <> $1 AND (linked.shared > 0 OR cardinality($2) = 0)",
    )
    .bind(id.get())
    .bind(&subject.genres)
    .bind(&subject.language)
    .bind(subject.released);
    limits::one_statement(pool, candidates.fetch_all(pool)).await
}

/// The movies with these ids, in any order, with the names of those of `genres` that they have.
///
/// # Errors
/// When the database does not answer.
pub async fn chosen(pool: &PgPool, ids: &[i32], genres: &[i32]) -> sqlx::Result<Vec<Chosen>> {
    let chosen = sqlx::query_as(
        r#"SELECT m.id, m.title, m.release_date, m.popularity, m.poster_path,
                  ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                        WHERE mg.movie_id = m.id AND mg.genre_id = ANY($2) ORDER BY g.name COLLATE "C") AS shared
           FROM movies m WHERE m.id = ANY($1)"#,
    )
    .bind(ids)
    .bind(genres);
    limits::one_statement(pool, chosen.fetch_all(pool)).await
}
