//! Reading what similar movies are chosen from.

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::models::{
    movie::MovieId,
    similar::{Candidate, Subject},
};

/// A movie chosen, as it is shown.
#[derive(Debug)]
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
pub async fn subject(connection: &mut PgConnection, id: MovieId) -> sqlx::Result<Option<Subject>> {
    let subject = sqlx::query_as!(
        Subject,
        r#"SELECT ARRAY(SELECT genre_id FROM movie_genres WHERE movie_id = m.id) AS "genres!",
                  NULLIF(m.original_language, '') AS language, m.release_date AS released, s.movies
           FROM movies m, catalogue_state s WHERE m.id = $1"#,
        id.get()
    );
    subject.fetch_optional(connection).await
}

/// A catalogue of so many movies is compared whole.
const COMPARED_WHOLE: i64 = 10_000;

/// Movies that may be similar: all of a catalogue of ordinary size, a few thousand of a larger one. All have a genre of the
/// subject's, if it has any.
///
/// # Errors
/// When the database does not answer.
pub async fn candidates(connection: &mut PgConnection, id: MovieId, subject: &Subject) -> sqlx::Result<Vec<Candidate>> {
    if subject.movies <= COMPARED_WHOLE {
        all_candidates(connection, id, subject).await
    } else {
        likely_candidates(connection, id, subject).await
    }
}

async fn all_candidates(connection: &mut PgConnection, id: MovieId, subject: &Subject) -> sqlx::Result<Vec<Candidate>> {
    let candidates = sqlx::query_as!(
        Candidate,
        r#"WITH linked AS (
               SELECT id, count(mg.genre_id) AS genres, count(*) FILTER (WHERE mg.genre_id = ANY($2)) AS shared
               FROM movies LEFT JOIN movie_genres mg ON mg.movie_id = id GROUP BY id
           )
           SELECT m.id, m.popularity, linked.shared AS "shared!", linked.genres AS "genres!",
                  m.original_language AS language, m.release_date AS released, m.rating, m.vote_count AS votes
           FROM linked JOIN movies m USING (id)
           WHERE m.id <> $1 AND (linked.shared > 0 OR cardinality($2) = 0)"#,
        id.get(),
        &subject.genres
    );
    candidates.fetch_all(connection).await
}

/// From the ends of indexes, where one part of the score is at its best, or at least may be. The movies are read one by one:
/// PostgreSQL may take a look at all of them for the quicker way, up to hundreds of thousands.
async fn likely_candidates(
    connection: &mut PgConnection,
    id: MovieId,
    subject: &Subject,
) -> sqlx::Result<Vec<Candidate>> {
    let candidates = sqlx::query_as!(
        Candidate,
        r#"WITH candidates AS (
               (SELECT id FROM movies WHERE release_date <= $4 ORDER BY release_date DESC, id DESC LIMIT 1000)
               UNION (SELECT id FROM movies WHERE release_date > $4 ORDER BY release_date, id LIMIT 1000)
               UNION (SELECT id FROM movies WHERE vote_count >= 100 AND rating IS NOT NULL
                      AND ($4 IS NULL OR release_date BETWEEN $4 - 7305 AND $4 + 7305)
                      ORDER BY rating DESC, id DESC LIMIT 500)
               UNION (SELECT id FROM movies WHERE original_language = $3 AND popularity IS NOT NULL
                      ORDER BY popularity DESC, id DESC LIMIT 500)
               UNION (SELECT latest.movie_id FROM unnest($2::int[]) AS wanted (genre_id)
                      CROSS JOIN LATERAL (SELECT mg.movie_id FROM movie_genres mg WHERE mg.genre_id = wanted.genre_id
                                          ORDER BY mg.movie_id DESC LIMIT 250) latest)
           ), linked AS (
               SELECT c.id, links.* FROM candidates c
               CROSS JOIN LATERAL (SELECT count(*) AS genres, count(*) FILTER (WHERE mg.genre_id = ANY($2)) AS shared
                                   FROM movie_genres mg WHERE mg.movie_id = c.id) links
           )
           SELECT m.id, m.popularity, linked.shared AS "shared!", linked.genres AS "genres!",
                  m.original_language AS language, m.release_date AS released, m.rating, m.vote_count AS votes
           FROM linked CROSS JOIN LATERAL (SELECT * FROM movies WHERE id = linked.id LIMIT 1) m
           WHERE m.id <> $1 AND (linked.shared > 0 OR cardinality($2) = 0)"#,
        id.get(),
        &subject.genres,
        subject.language.as_deref(),
        subject.released
    );
    candidates.fetch_all(connection).await
}

/// The movies with these ids, in any order, with the names of those of `genres` that they have.
///
/// # Errors
/// When the database does not answer.
pub async fn chosen(connection: &mut PgConnection, ids: &[i32], genres: &[i32]) -> sqlx::Result<Vec<Chosen>> {
    let chosen = sqlx::query_as!(
        Chosen,
        r#"SELECT m.id, m.title, m.release_date, m.popularity, m.poster_path,
                  ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                        WHERE mg.movie_id = m.id AND mg.genre_id = ANY($2) ORDER BY g.name COLLATE "C") AS "shared!"
           FROM movies m WHERE m.id = ANY($1)"#,
        ids,
        genres
    );
    chosen.fetch_all(connection).await
}
