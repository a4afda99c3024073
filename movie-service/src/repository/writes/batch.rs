//! Storing new movies, one or many, with one statement.

use sqlx::PgConnection;

use crate::{database::postgres::Database, models::stored_movie::StoredMovie};

use super::WriteError;

/// Stores new movies, and gives the id of each, or `None` where another movie, here or in the batch, has its id at TMDB.
/// Must run in a task that nobody drops.
///
/// # Errors
/// [`WriteError`]: then none is stored, or it is not known whether all are.
pub async fn insert(database: &Database, movies: &[&StoredMovie]) -> Result<Vec<Option<i32>>, WriteError> {
    let insert = async |connection: &mut PgConnection| insert_in(connection, movies).await;
    Ok(database.write("store a batch of movies", insert).await?)
}

/// As [`insert`], on a connection whose owner limits the time. Ids are drawn first, in the order of the batch, so that
/// rows are added at the end of every index by id, and each can be told from the others.
pub(super) async fn insert_in(
    connection: &mut PgConnection,
    movies: &[&StoredMovie],
) -> sqlx::Result<Vec<Option<i32>>> {
    let (positions, genres): (Vec<i64>, Vec<i32>) = (1..)
        .zip(movies)
        .flat_map(|(position, movie)| movie.genre_ids.iter().map(move |genre| (position, *genre)))
        .unzip();
    let stored = sqlx::query!(
        r#"WITH incoming AS MATERIALIZED (
               SELECT nextval('movies_id_seq')::int AS id, rows.*
               FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::float8[], $6::text[], $7::text[],
                           $8::text[], $9::float8[], $10::int[], $11::int[], $12::int[], $13::text[]) WITH ORDINALITY
                   AS rows (title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                            original_language, vote_average, vote_count, runtime, tmdb_id, locked_fields, position)
           ), stored AS (
               INSERT INTO movies (id, title, original_title, overview, release_date, popularity, poster_path,
                                   backdrop_path, original_language, vote_average, vote_count, runtime, tmdb_id,
                                   locked_fields)
               SELECT id, title, original_title, overview, release_date, popularity, poster_path, backdrop_path,
                      original_language, vote_average, vote_count, runtime, tmdb_id, string_to_array(locked_fields, ',')
               FROM incoming ORDER BY position
               ON CONFLICT (tmdb_id) DO NOTHING
               RETURNING id
           ), linked AS (
               INSERT INTO movie_genres (movie_id, genre_id)
               SELECT stored.id, links.genre_id
               FROM unnest($14::bigint[], $15::int[]) AS links (position, genre_id)
               JOIN incoming USING (position) JOIN stored USING (id)
               ORDER BY stored.id, links.genre_id
           )
           SELECT incoming.position AS "position!", stored.id FROM stored JOIN incoming USING (id)"#,
        column(movies, |movie| movie.title.as_str()) as _,
        column(movies, |movie| movie.original_title.as_deref()) as _,
        column(movies, |movie| movie.overview.as_str()) as _,
        column(movies, |movie| movie.release_date) as _,
        column(movies, |movie| movie.popularity) as _,
        column(movies, |movie| movie.poster_path.as_deref()) as _,
        column(movies, |movie| movie.backdrop_path.as_deref()) as _,
        column(movies, |movie| movie.language.as_deref()) as _,
        column(movies, |movie| movie.vote_average) as _,
        column(movies, |movie| movie.vote_count) as _,
        column(movies, |movie| movie.runtime) as _,
        column(movies, |movie| movie.tmdb_id) as _,
        column(movies, |movie| movie.locks.names().collect::<Vec<_>>().join(",")) as _,
        &positions,
        &genres
    )
    .fetch_all(connection)
    .await?;
    let mut ids = vec![None; movies.len()];
    for row in stored {
        if let Some(slot) = usize::try_from(row.position).ok().and_then(|position| ids.get_mut(position - 1)) {
            *slot = Some(row.id);
        }
    }
    Ok(ids)
}

fn column<'a, T>(movies: &[&'a StoredMovie], field: impl Fn(&'a StoredMovie) -> T) -> Vec<T> {
    movies.iter().map(|movie| field(movie)).collect()
}
