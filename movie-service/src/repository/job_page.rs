//! A page of a job: its movies, their genre links and how far the job has come are stored together, by one statement.
//! Nothing is written that is already there, or that somebody has locked.

use sqlx::{Connection, PgConnection};

use crate::{
    database::postgres::{Database, DatabaseError},
    models::{
        import::{GenreRecord, MovieRecord},
        job::{JobError, MAX_ERRORS},
    },
};

use super::job_work::{Claim, Position, json};

/// What became of a page.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// It arrived and is to be stored.
    Arrived {
        /// Genres to be stored before the movies.
        genres: &'a [GenreRecord],
        /// The movies.
        movies: &'a [MovieRecord],
        /// Rows of the page that could not be used.
        skipped: usize,
    },
    /// It is missing.
    Missing(&'a JobError),
}

/// What is to become of the job after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The page is recorded.
    GoOn,
    /// The page is recorded, and the job was asked to stop.
    Cancel,
    /// Another worker has the job, or it has ended: nothing was written.
    NotOurs,
}

/// Stores a page and advances the job, or records that the page is missing, as one transaction. Doing it again changes
/// nothing. Must run in a task that nobody drops: see `Lifecycle::run_to_completion`.
///
/// # Errors
/// When the database does not answer; then nothing is stored, unless it fell silent just when it was to commit.
pub async fn record(
    database: &Database,
    claim: &Claim,
    at: Position,
    outcome: Outcome<'_>,
) -> Result<Recorded, DatabaseError> {
    let record = async |connection: &mut PgConnection| {
        let mut transaction = connection.begin().await?;
        // Writers take turns, and a statement that waits for its turn still sees what was there before. So this one waits
        // alone, and those below see what the writer before has left: the fields it locked, above all.
        let found = sqlx::query!(
            r#"SELECT (j.list, j.page) >= ($3::int, $4::int) AS "is_recorded!", j.cancel_requested
               FROM sync_jobs j, catalogue_state
               WHERE j.id = $1 AND j.worker = $2 AND j.state = 'running' FOR UPDATE"#,
            claim.id.get(),
            claim.worker,
            at.list as i32,
            at.page as i32
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if found.as_ref().is_some_and(|job| !job.is_recorded) {
            store(&mut transaction, claim, at, outcome).await?;
        }
        transaction.commit().await?;
        Ok(match found {
            None => Recorded::NotOurs,
            Some(job) if job.cancel_requested => Recorded::Cancel,
            Some(_) => Recorded::GoOn,
        })
    };
    database.write("record a page of a job", record).await
}

// An `ON CONFLICT DO UPDATE` alone would use up an id for each row that is there already, and a later movie's id would
// say how often the catalogue was synchronised. Hence update, then insert what is missing, in one statement.

async fn store_genres(connection: &mut PgConnection, genres: &[GenreRecord]) -> sqlx::Result<()> {
    let (ids, names): (Vec<i32>, Vec<String>) = genres.iter().map(|genre| (genre.tmdb_id, genre.name.clone())).unzip();
    sqlx::query!(
        "WITH incoming AS (
             SELECT * FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS rows (tmdb_id, name, position)
         ), changed AS (
             UPDATE genres g SET name = i.name FROM incoming i WHERE g.tmdb_id = i.tmdb_id AND g.name <> i.name
         )
         INSERT INTO genres (tmdb_id, name)
         SELECT i.tmdb_id, i.name FROM incoming i
         WHERE NOT EXISTS (SELECT FROM genres g WHERE g.tmdb_id = i.tmdb_id) ORDER BY i.position
         ON CONFLICT (tmdb_id) DO NOTHING",
        &ids,
        &names
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A locked field stays as it is, and so does a runtime that is known: discover pages have none. A movie of TMDB's is
/// found by its id there; those without one are nobody's but their editors'. Genre links are made exactly what the page
/// says, without genres that the platform does not know. Not now(): the transaction may have waited.
async fn store(connection: &mut PgConnection, claim: &Claim, at: Position, outcome: Outcome<'_>) -> sqlx::Result<()> {
    let (genres, movies, skipped, error) = match outcome {
        Outcome::Arrived { genres, movies, skipped } => (genres, movies, skipped, None),
        Outcome::Missing(error) => (&[][..], &[][..], 0, Some(json(error))),
    };
    if !genres.is_empty() {
        store_genres(connection, genres).await?;
    }
    let (linked, links): (Vec<i32>, Vec<i32>) =
        movies.iter().flat_map(|movie| movie.genre_ids.iter().map(|genre| (movie.tmdb_id, *genre))).unzip();
    sqlx::query!(
        r#"WITH incoming AS (
               SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::date[], $6::float8[], $7::text[],
                                    $8::text[], $9::text[], $10::float8[], $11::int[], $12::int[]) WITH ORDINALITY
                   AS rows (tmdb_id, title, original_title, overview, release_date, popularity, poster_path,
                            backdrop_path, original_language, vote_average, vote_count, runtime, position)
           ), wanted AS (
               SELECT m.id, k.*
               FROM incoming i
               JOIN movies m ON m.tmdb_id = i.tmdb_id
               CROSS JOIN LATERAL (
                   SELECT i.title, i.original_title, i.overview, i.release_date, i.popularity, i.poster_path,
                          i.backdrop_path, i.original_language, i.vote_average, i.vote_count,
                          COALESCE(m.runtime, i.runtime) AS runtime
                   WHERE m.locked_fields = '{}'
                   UNION ALL
                   SELECT CASE WHEN 'title' = ANY (l) THEN m.title ELSE i.title END,
                          CASE WHEN 'original_title' = ANY (l) THEN m.original_title ELSE i.original_title END,
                          CASE WHEN 'overview' = ANY (l) THEN m.overview ELSE i.overview END,
                          CASE WHEN 'release_date' = ANY (l) THEN m.release_date ELSE i.release_date END,
                          CASE WHEN 'popularity' = ANY (l) THEN m.popularity ELSE i.popularity END,
                          CASE WHEN 'poster_url' = ANY (l) THEN m.poster_path ELSE i.poster_path END,
                          CASE WHEN 'backdrop_url' = ANY (l) THEN m.backdrop_path ELSE i.backdrop_path END,
                          CASE WHEN 'language' = ANY (l) THEN m.original_language ELSE i.original_language END,
                          CASE WHEN 'vote_average' = ANY (l) THEN m.vote_average ELSE i.vote_average END,
                          CASE WHEN 'vote_count' = ANY (l) THEN m.vote_count ELSE i.vote_count END,
                          CASE WHEN 'duration' = ANY (l) THEN m.runtime ELSE COALESCE(m.runtime, i.runtime) END
                   FROM (SELECT m.locked_fields) locked (l)
                   WHERE l <> '{}'
               ) AS k
           ), changed AS (
               UPDATE movies m
               SET title = w.title, original_title = w.original_title, overview = w.overview,
                   release_date = w.release_date, popularity = w.popularity, poster_path = w.poster_path,
                   backdrop_path = w.backdrop_path, original_language = w.original_language,
                   vote_average = w.vote_average, vote_count = w.vote_count, runtime = w.runtime,
                   updated_at = statement_timestamp()
               FROM wanted w
               WHERE m.id = w.id
                 AND (m.title, m.original_title, m.overview, m.release_date, m.popularity, m.poster_path,
                      m.backdrop_path, m.original_language, m.vote_average, m.vote_count, m.runtime)
                     IS DISTINCT FROM
                     (w.title, w.original_title, w.overview, w.release_date, w.popularity, w.poster_path,
                      w.backdrop_path, w.original_language, w.vote_average, w.vote_count, w.runtime)
               RETURNING m.id
           ), added AS (
               INSERT INTO movies (tmdb_id, title, original_title, overview, release_date, popularity, poster_path,
                                   backdrop_path, original_language, vote_average, vote_count, runtime)
               SELECT i.tmdb_id, i.title, i.original_title, i.overview, i.release_date, i.popularity, i.poster_path,
                      i.backdrop_path, i.original_language, i.vote_average, i.vote_count, i.runtime
               FROM incoming i
               WHERE NOT EXISTS (SELECT FROM movies m WHERE m.tmdb_id = i.tmdb_id) ORDER BY i.position
               ON CONFLICT (tmdb_id) DO NOTHING
               RETURNING id, tmdb_id
           ), linkable AS (
               SELECT id, tmdb_id FROM added
               UNION ALL
               SELECT m.id, m.tmdb_id FROM incoming i JOIN movies m ON m.tmdb_id = i.tmdb_id
               WHERE NOT 'genres' = ANY (m.locked_fields)
           ), links AS (
               SELECT DISTINCT m.id AS movie_id, g.id AS genre_id
               FROM unnest($13::int[], $14::int[]) AS linked (movie_tmdb_id, genre_tmdb_id)
               JOIN linkable m ON m.tmdb_id = linked.movie_tmdb_id
               JOIN genres g ON g.tmdb_id = linked.genre_tmdb_id
           ), unlinked AS (
               DELETE FROM movie_genres mg USING linkable m
               WHERE m.id = mg.movie_id
                 AND NOT EXISTS (SELECT FROM links l WHERE (l.movie_id, l.genre_id) = (mg.movie_id, mg.genre_id))
               RETURNING mg.movie_id
           ), linked AS (
               INSERT INTO movie_genres (movie_id, genre_id)
               SELECT l.movie_id, l.genre_id FROM links l
               WHERE NOT EXISTS
                   (SELECT FROM movie_genres mg WHERE (mg.movie_id, mg.genre_id) = (l.movie_id, l.genre_id))
               ORDER BY l.movie_id, l.genre_id
               ON CONFLICT DO NOTHING
               RETURNING movie_id
           ), counted AS (
               SELECT (SELECT count(*) FROM added) AS new, count(*) AS changed
               FROM (SELECT id FROM changed UNION SELECT movie_id FROM unlinked UNION SELECT movie_id FROM linked
                     EXCEPT SELECT id FROM added) different
           )
           UPDATE sync_jobs
           SET list = $16, page = $17, list_pages = $18, pages_total = $19, work_pages = work_pages + 1,
               interruptions = 0, pages_done = pages_done + ($21::text IS NULL)::int,
               pages_failed = pages_failed + ($21::text IS NOT NULL)::int, rows_skipped = rows_skipped + $20,
               movies_new = movies_new + counted.new, movies_changed = movies_changed + counted.changed,
               movies_unchanged = movies_unchanged + cardinality($1) - counted.new - counted.changed,
               errors = errors || CASE WHEN jsonb_array_length(errors) < $22 AND $21::text IS NOT NULL
                                       THEN $21::text::jsonb ELSE '[]' END,
               errors_omitted = errors_omitted + ($21::text IS NOT NULL AND jsonb_array_length(errors) >= $22)::int
           FROM counted WHERE id = $15"#,
        column(movies, |movie| movie.tmdb_id) as _,
        column(movies, |movie| movie.title.as_str()) as _,
        column(movies, |movie| movie.original_title.as_deref()) as _,
        column(movies, |movie| movie.overview.as_str()) as _,
        column(movies, |movie| movie.release_date) as _,
        column(movies, |movie| movie.popularity) as _,
        column(movies, |movie| movie.poster_path.as_deref()) as _,
        column(movies, |movie| movie.backdrop_path.as_deref()) as _,
        column(movies, |movie| movie.original_language.as_deref()) as _,
        column(movies, |movie| movie.vote_average) as _,
        column(movies, |movie| movie.vote_count) as _,
        column(movies, |movie| movie.runtime) as _,
        &linked,
        &links,
        claim.id.get(),
        at.list as i32,
        at.page as i32,
        at.list_pages as i32,
        at.pages_total as i32,
        skipped as i64,
        error,
        MAX_ERRORS
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn column<'a, T>(movies: &'a [MovieRecord], field: impl Fn(&'a MovieRecord) -> T) -> Vec<T> {
    movies.iter().map(field).collect()
}
