//! The whole catalogue at one moment, for the services that keep a copy of it.

use std::time::Duration;

use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use serde::Serialize;
use sqlx::{Executor, PgConnection};

use crate::database::{
    pool::PooledConnection,
    postgres::{Database, DatabaseError, within},
};

/// A genre under the platform's own id.
#[derive(Debug, Serialize)]
pub struct SnapshotGenre {
    id: i32,
    name: String,
}

/// What scoring needs of a movie.
#[derive(Debug, Serialize)]
pub struct SnapshotMovie {
    /// The platform's own id.
    pub id: i32,
    title: String,
    release_date: String,
    popularity: Option<f64>,
    poster_path: String,
    vote_average: Option<f64>,
    vote_count: i32,
    original_language: String,
    runtime: i32,
    genre_ids: Vec<i32>,
}

/// The version of the catalogue: it changes when, and only when, what [`Snapshot`] shows does.
///
/// # Errors
/// When the database does not answer.
pub async fn version(database: &Database) -> Result<String, DatabaseError> {
    let state = database.read("read the version of the catalogue", State::read).await?;
    Ok(state.version())
}

/// Which fields the lines have, as the end of a version. Another form makes another version, so that a copy made of the
/// lines of an older release is not taken for whole.
const FORM: &str = ".2";

/// What the version is made of.
struct State {
    /// Tells the versions of this database from those of another one.
    epoch: String,
    number: i64,
    movies: i64,
}

impl State {
    async fn read(connection: &mut PgConnection) -> sqlx::Result<Self> {
        sqlx::query_as!(Self, r#"SELECT epoch::text AS "epoch!", version AS number, movies FROM catalogue_state"#)
            .fetch_one(connection)
            .await
    }

    fn version(&self) -> String {
        format!("{}-{}{FORM}", self.epoch, self.number)
    }

    /// The number of a version of this epoch and form that is not newer than this one.
    fn number_of(&self, version: &str) -> Option<i64> {
        let number = version.strip_prefix(&self.epoch)?.strip_prefix('-')?.strip_suffix(FORM)?;
        number.parse().ok().filter(|number| (0..=self.number).contains(number))
    }

    /// The ids of the movies that changed after `since`; `None` when that is not known, or too many for it to be worth while.
    async fn changes(&self, since: &str, connection: &mut PgConnection) -> sqlx::Result<Option<Vec<i32>>> {
        let Some(since) = self.number_of(since) else { return Ok(None) };
        let log = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM catalogue_changes WHERE version > $1) AS "versions!",
                      ARRAY(SELECT DISTINCT id FROM catalogue_changes, unnest(movie_ids) AS id WHERE version > $1 ORDER BY id)
                          AS "movie_ids!: Vec<i32>""#,
            since
        );
        let log = log.fetch_one(connection).await?;
        let few = (self.movies / LARGEST_SHARE).max(ALWAYS_FEW);
        let is_complete = log.versions == self.number - since;
        Ok(Some(log.movie_ids).filter(|changed| is_complete && changed.len() as i64 <= few))
    }
}

/// Up to so many changes are always sent as such.
const ALWAYS_FEW: i64 = 1000;
/// From a quarter of all movies on, reading them one by one is slower than reading them all.
const LARGEST_SHARE: i64 = 4;

/// The rows of all movies, or of those that a condition names, by id. An average over nobody says nothing.
macro_rules! movie_rows {
    ($condition:literal $(, $value:expr)*) => {
        sqlx::query_as!(
            SnapshotMovie,
            r#"SELECT m.id, m.title, COALESCE(to_char(m.release_date, 'YYYY-MM-DD'), '') AS "release_date!", m.popularity,
                      COALESCE(m.poster_path, '') AS "poster_path!",
                      CASE WHEN m.vote_count > 0 THEN m.vote_average END AS vote_average,
                      COALESCE(m.vote_count, 0) AS "vote_count!",
                      COALESCE(m.original_language, '') AS "original_language!", COALESCE(m.runtime, 0) AS "runtime!",
                      ARRAY(SELECT mg.genre_id FROM movie_genres mg WHERE mg.movie_id = m.id ORDER BY mg.genre_id)
                          AS "genre_ids!"
               FROM movies m "#
                + $condition
                + " ORDER BY m.id"
            $(, $value)*
        )
    };
}

/// A read-only transaction that sees one moment, whatever is written meanwhile.
/// Must live in a task that nobody drops: see `Lifecycle::spawn`.
pub struct Snapshot {
    connection: PooledConnection,
    /// Longest wait for a row.
    row_timeout: Duration,
    /// The version at that moment.
    pub version: String,
    /// All genres, by id.
    pub genres: Vec<SnapshotGenre>,
    /// How many movies there are.
    pub total: i64,
    /// The ids of the movies that changed since the version that was asked for, ascending, whether or not they are still
    /// there; `None` when all movies are to be read.
    pub changes: Option<Vec<i32>>,
}

impl Snapshot {
    /// Begins to read what changed after the version `since`, or everything.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(database: &Database, since: Option<&str>) -> Result<Self, DatabaseError> {
        let begun = within(database.query_timeout(), Self::begin(database, since)).await;
        begun.map_err(DatabaseError::from_read).inspect_err(|error| error.log("begin a copy of the catalogue"))
    }

    async fn begin(database: &Database, since: Option<&str>) -> sqlx::Result<Self> {
        let mut connection = database.pool().acquire().await?;
        // By hand, as a transaction of sqlx would borrow the connection.
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // A long stream is one long statement, at the pace of its reader; whoever reads it limits the time.
        sqlx::query!(
            "SELECT set_config('statement_timeout', '0', true) AS statement,
                    set_config('idle_in_transaction_session_timeout', '0', true) AS idle"
        )
        .fetch_one(&mut *connection)
        .await?;
        let state = State::read(&mut connection).await?;
        let changes = match since {
            Some(since) => state.changes(since, &mut connection).await?,
            None => None,
        };
        let genres = sqlx::query_as!(SnapshotGenre, "SELECT id, name FROM genres ORDER BY id")
            .fetch_all(&mut *connection)
            .await?;
        let (row_timeout, version, total) = (database.query_timeout(), state.version(), state.movies);
        Ok(Self { connection, row_timeout, version, genres, total, changes })
    }

    /// Ends the transaction. One that was not read to its end is closed instead: all the rest would have to be read first.
    pub async fn end(mut self, is_read: bool) {
        if is_read && within(self.row_timeout, self.connection.execute("COMMIT")).await.is_ok() {
            self.connection.release();
        } else {
            self.connection.close();
        }
    }

    /// The movies by id, all or those that changed, as they arrive from the database; an error when it falls silent.
    pub fn movies(&mut self) -> BoxStream<'_, sqlx::Result<SnapshotMovie>> {
        let row_timeout = self.row_timeout;
        let rows = match &self.changes {
            None => movie_rows!("").fetch(&mut *self.connection),
            Some(ids) => movie_rows!("WHERE m.id = ANY ($1)", ids).fetch(&mut *self.connection),
        };
        stream::try_unfold(rows, move |mut rows| async move {
            Ok(within(row_timeout, rows.try_next()).await?.map(|row| (row, rows)))
        })
        .boxed()
    }
}
