//! Storing what a source delivered: one statement for each table, and nothing is written that is already there, or that
//! somebody has locked.

use std::collections::HashSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::import::{GenreRecord, MovieRecord},
};

/// What storing movies did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Movies that were not there.
    pub new: i64,
    /// Movies that were different, in a field or in their genres.
    pub changed: i64,
    /// Movies that were the same.
    pub unchanged: i64,
}

/// A genre under both its ids.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownGenre {
    /// The platform's own id.
    pub id: i32,
    /// TMDB's id.
    pub tmdb_id: i32,
    /// Its name.
    pub name: String,
}

/// All genres, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn known_genres(database: &Database) -> Result<Vec<KnownGenre>, DatabaseError> {
    let query = sqlx::query_as(r#"SELECT id, tmdb_id, name FROM genres ORDER BY name COLLATE "C", id"#);
    database.read("list genres", async |c: &mut PgConnection| query.fetch_all(c).await).await
}

/// Stores genres, movies and their genre links in the caller's transaction. Storing the same again changes nothing.
pub(super) async fn store_in(
    connection: &mut PgConnection,
    genres: &[GenreRecord],
    movies: &[MovieRecord],
) -> sqlx::Result<Stored> {
    // Writers take turns, and a statement that waits for its turn still sees what was there before. So this one waits
    // alone, and those below see what the writer before has left: the fields it locked, above all.
    sqlx::query("SELECT FROM catalogue_state FOR UPDATE").execute(&mut *connection).await?;
    if !genres.is_empty() {
        store_genres(connection, genres).await?;
    }
    if movies.is_empty() {
        return Ok(Stored::default());
    }
    let (new, mut changed) = store_movies(connection, movies).await?;
    changed.extend(store_links(connection, movies).await?);
    let (new, changed) = (new.len(), changed.difference(&new).count());
    let unchanged = movies.len().saturating_sub(new + changed);
    Ok(Stored { new: new as i64, changed: changed as i64, unchanged: unchanged as i64 })
}

// An `ON CONFLICT DO UPDATE` alone would use up an id for each row that is there already, and a later movie's id would
// say how often the catalogue was synchronised. Hence update, then insert what is missing, in one statement.

async fn store_genres(connection: &mut PgConnection, genres: &[GenreRecord]) -> sqlx::Result<()> {
    let (ids, names): (Vec<i32>, Vec<&str>) = genres.iter().map(|genre| (genre.tmdb_id, genre.name.as_str())).unzip();
    sqlx::query(
        r#"WITH incoming AS (
               SELECT * FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS rows (tmdb_id, name, position)
           ), changed AS (
               UPDATE genres g SET name = i.name FROM incoming i WHERE g.tmdb_id = i.tmdb_id AND g.name <> i.name
           )
           INSERT INTO genres (tmdb_id, name)
           SELECT i.tmdb_id, i.name FROM incoming i
           WHERE NOT EXISTS (SELECT FROM genres g WHERE g.tmdb_id = i.tmdb_id) ORDER BY i.position
           ON CONFLICT (tmdb_id) DO NOTHING"#,
    )
    .bind(ids)
    .bind(names)
    .execute(connection)
    .await?;
    Ok(())
}

/// A locked field stays as it is, and so does a runtime that is known: discover pages have none. A movie of TMDB's is
/// found by its id there; those without one are nobody's but their editors'. Not now(): the transaction may have waited.
const STORE_MOVIES: &str = r#"
    WITH incoming AS (
        SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::date[], $6::float8[], $7::text[],
                             $8::text[], $9::text[], $10::float8[], $11::int[], $12::int[]) WITH ORDINALITY
            AS rows (tmdb_id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                     original_language, vote_average, vote_count, runtime, position)
    ), wanted AS (
        SELECT m.id, k.*
        FROM incoming i
        JOIN movies m ON m.tmdb_id = i.tmdb_id
        CROSS JOIN LATERAL (
            SELECT i.title, i.original_title, i.overview, i.release_date, i.popularity, i.poster_path, i.backdrop_path,
                   i.original_language, i.vote_average, i.vote_count, COALESCE(m.runtime, i.runtime) AS runtime
            WHERE m.locked_fields = '{}'
            UNION ALL
            SELECT CASE WHEN 'title' = ANY (m.locked_fields) THEN m.title ELSE i.title END,
                   CASE WHEN 'original_title' = ANY (m.locked_fields) THEN m.original_title ELSE i.original_title END,
                   CASE WHEN 'overview' = ANY (m.locked_fields) THEN m.overview ELSE i.overview END,
                   CASE WHEN 'release_date' = ANY (m.locked_fields) THEN m.release_date ELSE i.release_date END,
                   CASE WHEN 'popularity' = ANY (m.locked_fields) THEN m.popularity ELSE i.popularity END,
                   CASE WHEN 'poster_url' = ANY (m.locked_fields) THEN m.poster_path ELSE i.poster_path END,
                   CASE WHEN 'backdrop_url' = ANY (m.locked_fields) THEN m.backdrop_path ELSE i.backdrop_path END,
                   CASE WHEN 'language' = ANY (m.locked_fields) THEN m.original_language ELSE i.original_language END,
                   CASE WHEN 'vote_average' = ANY (m.locked_fields) THEN m.vote_average ELSE i.vote_average END,
                   CASE WHEN 'vote_count' = ANY (m.locked_fields) THEN m.vote_count ELSE i.vote_count END,
                   CASE WHEN 'duration' = ANY (m.locked_fields) THEN m.runtime ELSE COALESCE(m.runtime, i.runtime) END
            WHERE m.locked_fields <> '{}'
        ) AS k
    ), changed AS (
        UPDATE movies m
        SET title = w.title, original_title = w.original_title, overview = w.overview, release_date = w.release_date,
            popularity = w.popularity, poster_path = w.poster_path, backdrop_path = w.backdrop_path,
            original_language = w.original_language, vote_average = w.vote_average, vote_count = w.vote_count,
            runtime = w.runtime, updated_at = statement_timestamp()
        FROM wanted w
        WHERE m.id = w.id
          AND (m.title, m.original_title, m.overview, m.release_date, m.popularity, m.poster_path, m.backdrop_path,
               m.original_language, m.vote_average, m.vote_count, m.runtime)
              IS DISTINCT FROM
              (w.title, w.original_title, w.overview, w.release_date, w.popularity, w.poster_path, w.backdrop_path,
               w.original_language, w.vote_average, w.vote_count, w.runtime)
        RETURNING m.id
    ), added AS (
        INSERT INTO movies (tmdb_id, title, original_title, overview, release_date, popularity, poster_path,
                            backdrop_path, original_language, vote_average, vote_count, runtime)
        SELECT i.tmdb_id, i.title, i.original_title, i.overview, i.release_date, i.popularity, i.poster_path,
               i.backdrop_path, i.original_language, i.vote_average, i.vote_count, i.runtime
        FROM incoming i
        WHERE NOT EXISTS (SELECT FROM movies m WHERE m.tmdb_id = i.tmdb_id) ORDER BY i.position
        ON CONFLICT (tmdb_id) DO NOTHING
        RETURNING id
    )
    SELECT id, TRUE AS is_new FROM added UNION ALL SELECT id, FALSE FROM changed"#;

/// The ids of the movies that are new, and of those that were different.
async fn store_movies(
    connection: &mut PgConnection,
    movies: &[MovieRecord],
) -> sqlx::Result<(HashSet<i32>, HashSet<i32>)> {
    fn column<'a, T>(movies: &'a [MovieRecord], field: impl Fn(&'a MovieRecord) -> T) -> Vec<T> {
        movies.iter().map(field).collect()
    }
    let written: Vec<(i32, bool)> = sqlx::query_as(STORE_MOVIES)
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
        .fetch_all(connection)
        .await?;
    let ids = |new: bool| written.iter().filter(|(_, is_new)| *is_new == new).map(|(id, _)| *id).collect();
    Ok((ids(true), ids(false)))
}

/// Makes the genre links of these movies exactly what their records say, unless they are locked; genres the platform does
/// not know are ignored. The ids of the movies whose links were different.
async fn store_links(connection: &mut PgConnection, movies: &[MovieRecord]) -> sqlx::Result<Vec<i32>> {
    let all: Vec<i32> = movies.iter().map(|movie| movie.tmdb_id).collect();
    let (linked, genres): (Vec<i32>, Vec<i32>) =
        movies.iter().flat_map(|movie| movie.genre_ids.iter().map(|genre| (movie.tmdb_id, *genre))).unzip();
    sqlx::query_scalar(
        r#"WITH unlocked AS (
               SELECT id, tmdb_id FROM movies
               WHERE tmdb_id = ANY ($1) AND (locked_fields = '{}' OR NOT 'genres' = ANY (locked_fields))
           ), incoming AS (
               SELECT DISTINCT m.id AS movie_id, g.id AS genre_id
               FROM unnest($2::int[], $3::int[]) AS links (movie_tmdb_id, genre_tmdb_id)
               JOIN unlocked m ON m.tmdb_id = links.movie_tmdb_id
               JOIN genres g ON g.tmdb_id = links.genre_tmdb_id
           ), removed AS (
               DELETE FROM movie_genres mg USING unlocked m
               WHERE m.id = mg.movie_id
                 AND NOT EXISTS (SELECT FROM incoming i WHERE (i.movie_id, i.genre_id) = (mg.movie_id, mg.genre_id))
               RETURNING mg.movie_id
           ), added AS (
               INSERT INTO movie_genres (movie_id, genre_id)
               SELECT i.movie_id, i.genre_id FROM incoming i
               WHERE NOT EXISTS
                   (SELECT FROM movie_genres mg WHERE (mg.movie_id, mg.genre_id) = (i.movie_id, i.genre_id))
               ORDER BY i.movie_id, i.genre_id
               ON CONFLICT DO NOTHING
               RETURNING movie_id
           )
           SELECT movie_id FROM removed UNION SELECT movie_id FROM added"#,
    )
    .bind(all)
    .bind(linked)
    .bind(genres)
    .fetch_all(connection)
    .await
}
