//! Storing what a source delivered: one statement for each table, and nothing is written that is already there.

use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};

use crate::models::import::{GenreRecord, MovieRecord};

use super::limits;

/// Stores genres, movies and their genre links as one transaction. Storing the same again changes nothing.
/// Must run in a task that nobody drops: see `Lifecycle::finish`.
///
/// # Errors
/// When the database does not answer; then nothing is stored, unless it fell silent just when it was to commit.
pub async fn store(pool: &PgPool, genres: &[GenreRecord], movies: &[MovieRecord]) -> sqlx::Result<()> {
    limits::one_transaction(pool, store_all(pool, genres, movies)).await
}

async fn store_all(pool: &PgPool, genres: &[GenreRecord], movies: &[MovieRecord]) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    if !genres.is_empty() {
        store_genres(&mut transaction, genres).await?;
    }
    if !movies.is_empty() {
        store_movies(&mut transaction, movies).await?;
        store_links(&mut transaction, movies).await?;
    }
    transaction.commit().await
}

// An `ON CONFLICT DO UPDATE` alone would use up an id for each row that is there already, and a later movie's id would
// say how often the catalogue was synchronised. Hence update, then insert what is missing, in one statement.

async fn store_genres(connection: &mut PgConnection, genres: &[GenreRecord]) -> sqlx::Result<()> {
    let (ids, names): (Vec<i32>, Vec<&str>) = genres.iter().map(|genre| (genre.tmdb_id, genre.name.as_str())).unzip();
    sqlx::query(
        r#"WITH incoming AS (
               SELECT * FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS rows (tmdb_id, name, place)
           ), changed AS (
               UPDATE genres g SET name = i.name FROM incoming i WHERE g.tmdb_id = i.tmdb_id AND g.name <> i.name
           )
           INSERT INTO genres (tmdb_id, name)
           SELECT i.tmdb_id, i.name FROM incoming i
           WHERE NOT EXISTS (SELECT FROM genres g WHERE g.tmdb_id = i.tmdb_id) ORDER BY i.place
           ON CONFLICT (tmdb_id) DO NOTHING"#,
    )
    .bind(ids)
    .bind(names)
    .execute(connection)
    .await?;
    Ok(())
}

/// A runtime that is known stays: discover pages have none.
const STORE_MOVIES: &str = r#"
    WITH incoming AS (
        SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::date[], $6::float8[], $7::text[],
                             $8::text[], $9::text[], $10::float8[], $11::int[], $12::int[]) WITH ORDINALITY
            AS rows (tmdb_id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                     original_language, vote_average, vote_count, runtime, place)
    ), changed AS (
        UPDATE movies m
        SET title = i.title, original_title = i.original_title, overview = i.overview, release_date = i.release_date,
            popularity = i.popularity, poster_path = i.poster_path, backdrop_path = i.backdrop_path,
            original_language = i.original_language, vote_average = i.vote_average, vote_count = i.vote_count,
            runtime = COALESCE(m.runtime, i.runtime), updated_at = now()
        FROM incoming i
        WHERE m.tmdb_id = i.tmdb_id
          AND (m.title, m.original_title, m.overview, m.release_date, m.popularity, m.poster_path, m.backdrop_path,
               m.original_language, m.vote_average, m.vote_count, m.runtime)
              IS DISTINCT FROM
              (i.title, i.original_title, i.overview, i.release_date, i.popularity, i.poster_path, i.backdrop_path,
               i.original_language, i.vote_average, i.vote_count, COALESCE(m.runtime, i.runtime))
    )
    INSERT INTO movies (tmdb_id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                        original_language, vote_average, vote_count, runtime)
    SELECT i.tmdb_id, i.title, i.original_title, i.overview, i.release_date, i.popularity, i.poster_path,
           i.backdrop_path, i.original_language, i.vote_average, i.vote_count, i.runtime
    FROM incoming i
    WHERE NOT EXISTS (SELECT FROM movies m WHERE m.tmdb_id = i.tmdb_id) ORDER BY i.place
    ON CONFLICT (tmdb_id) DO NOTHING"#;

async fn store_movies(connection: &mut PgConnection, movies: &[MovieRecord]) -> sqlx::Result<()> {
    fn column<'a, T>(movies: &'a [MovieRecord], field: impl Fn(&'a MovieRecord) -> T) -> Vec<T> {
        movies.iter().map(field).collect()
    }
    sqlx::query(STORE_MOVIES)
        .bind(column(movies, |movie| movie.tmdb_id))
        .bind(column(movies, |movie| movie.title.as_str()))
        .bind(column(movies, |movie| movie.original_title.as_deref()))
        .bind(column(movies, |movie| movie.overview.as_str()))
        .bind(column::<Option<NaiveDate>>(movies, |movie| movie.release_date))
        .bind(column(movies, |movie| movie.popularity))
        .bind(column(movies, |movie| movie.poster_path.as_deref()))
        .bind(column(movies, |movie| movie.backdrop_path.as_deref()))
        .bind(column(movies, |movie| movie.original_language.as_deref()))
        .bind(column(movies, |movie| movie.vote_average))
        .bind(column(movies, |movie| movie.vote_count))
        .bind(column(movies, |movie| movie.runtime))
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes the genre links of these movies exactly what their records say; genres the platform does not know are ignored.
async fn store_links(connection: &mut PgConnection, movies: &[MovieRecord]) -> sqlx::Result<()> {
    let all: Vec<i32> = movies.iter().map(|movie| movie.tmdb_id).collect();
    let (linked, genres): (Vec<i32>, Vec<i32>) =
        movies.iter().flat_map(|movie| movie.genre_ids.iter().map(|genre| (movie.tmdb_id, *genre))).unzip();
    sqlx::query(
        r#"WITH incoming AS (
               SELECT DISTINCT m.id AS movie_id, g.id AS genre_id
               FROM unnest($2::int[], $3::int[]) AS links (movie_tmdb_id, genre_tmdb_id)
               JOIN movies m ON m.tmdb_id = links.movie_tmdb_id
               JOIN genres g ON g.tmdb_id = links.genre_tmdb_id
           ), removed AS (
               DELETE FROM movie_genres mg USING movies m
               WHERE m.id = mg.movie_id AND m.tmdb_id = ANY ($1)
                 AND NOT EXISTS (SELECT FROM incoming i WHERE (i.movie_id, i.genre_id) = (mg.movie_id, mg.genre_id))
           )
           INSERT INTO movie_genres (movie_id, genre_id)
           SELECT i.movie_id, i.genre_id FROM incoming i
           WHERE NOT EXISTS (SELECT FROM movie_genres mg WHERE (mg.movie_id, mg.genre_id) = (i.movie_id, i.genre_id))
           ORDER BY i.movie_id, i.genre_id
           ON CONFLICT DO NOTHING"#,
    )
    .bind(all)
    .bind(linked)
    .bind(genres)
    .execute(connection)
    .await?;
    Ok(())
}
