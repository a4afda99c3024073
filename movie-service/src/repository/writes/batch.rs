//! Storing many new movies with one statement.

use sqlx::PgPool;

use crate::{database::postgres::within, models::record::StoredMovie};

use super::{WriteError, limits, of_one_statement};

/// Ids are drawn first, in the order of the batch, so that rows are added at the end of every index by id, and each can
/// be told from the others. Without a BEGIN there is no transaction that could stay open.
const INSERT: &str = "
    WITH incoming AS MATERIALIZED (
        SELECT nextval('movies_id_seq')::int AS id, rows.*
        FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::float8[], $6::text[], $7::text[], $8::text[],
                    $9::float8[], $10::int[], $11::int[], $12::int[], $13::text[]) WITH ORDINALITY
            AS rows (title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                     original_language, vote_average, vote_count, runtime, tmdb_id, locked_fields, place)
    ), stored AS (
        INSERT INTO movies (id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                            original_language, vote_average, vote_count, runtime, tmdb_id, locked_fields)
        SELECT id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
               original_language, vote_average, vote_count, runtime, tmdb_id, string_to_array(locked_fields, ',')
        FROM incoming ORDER BY place
        ON CONFLICT (tmdb_id) DO NOTHING
        RETURNING id
    ), linked AS (
        INSERT INTO movie_genres (movie_id, genre_id)
        SELECT stored.id, links.genre_id
        FROM unnest($14::bigint[], $15::int[]) AS links (place, genre_id)
        JOIN incoming USING (place) JOIN stored USING (id)
        ORDER BY stored.id, links.genre_id
    )
    SELECT incoming.place, stored.id FROM stored JOIN incoming USING (id)";

/// Stores new movies, and gives the id of each, or `None` where another movie, here or in the batch, has its id at TMDB.
/// Must run in a task that nobody drops.
///
/// # Errors
/// [`WriteError`]: then none is stored, or it is not known whether all are.
pub async fn insert(pool: &PgPool, movies: &[&StoredMovie]) -> Result<Vec<Option<i32>>, WriteError> {
    // Taken before anything is sent, so that a failure here is known to have stored nothing.
    let mut connection = within(limits::connection(pool), pool.acquire()).await.map_err(WriteError::NotStored)?;
    let (places, genres): (Vec<i64>, Vec<i32>) =
        (1..).zip(movies).flat_map(|(place, movie)| movie.genre_ids.iter().map(move |genre| (place, *genre))).unzip();
    let statement = sqlx::query_as(INSERT)
        .bind(column(movies, |movie| movie.title.as_str()))
        .bind(column(movies, |movie| movie.original_title.as_deref()))
        .bind(column(movies, |movie| movie.overview.as_str()))
        .bind(column(movies, |movie| movie.release_date))
        .bind(column(movies, |movie| movie.popularity))
        .bind(column(movies, |movie| movie.poster_path.as_deref()))
        .bind(column(movies, |movie| movie.backdrop_path.as_deref()))
        .bind(column(movies, |movie| movie.language.as_deref()))
        .bind(column(movies, |movie| movie.vote_average))
        .bind(column(movies, |movie| movie.vote_count))
        .bind(column(movies, |movie| movie.runtime))
        .bind(column(movies, |movie| movie.tmdb_id))
        .bind(column(movies, |movie| movie.locks.names().collect::<Vec<_>>().join(",")))
        .bind(places)
        .bind(genres)
        .fetch_all(&mut *connection);
    let stored: sqlx::Result<Vec<(i64, i32)>> = limits::one_statement(pool, statement).await;
    if stored.as_ref().is_err_and(|error| error.as_database_error().is_none()) {
        // Its answer may still come, or never: nobody else may have to wait for it.
        connection.close_on_drop();
    }
    let mut ids = vec![None; movies.len()];
    for (place, id) in stored.map_err(of_one_statement)? {
        if let Some(slot) = usize::try_from(place).ok().and_then(|place| ids.get_mut(place - 1)) {
            *slot = Some(id);
        }
    }
    Ok(ids)
}

fn column<'a, T>(movies: &[&'a StoredMovie], field: impl Fn(&'a StoredMovie) -> T) -> Vec<T> {
    movies.iter().map(|movie| field(movie)).collect()
}
