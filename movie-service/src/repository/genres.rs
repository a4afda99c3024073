//! Reading genres.

use sqlx::PgConnection;

use crate::{
    database::postgres::{Database, DatabaseError},
    models::genre::{Genre, GenreSummary},
};

/// A genre under both its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGenre {
    /// The platform's own id.
    pub id: i32,
    /// TMDB's id.
    pub tmdb_id: i32,
    /// Its name.
    pub name: String,
}

/// All genres under both their ids, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn known(database: &Database) -> Result<Vec<KnownGenre>, DatabaseError> {
    let query = sqlx::query_as!(KnownGenre, r#"SELECT id, tmdb_id, name FROM genres ORDER BY name COLLATE "C", id"#);
    database.read("list genres", async |c: &mut PgConnection| query.fetch_all(c).await).await
}

/// All genres, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn all(database: &Database) -> Result<Vec<Genre>, DatabaseError> {
    database.read("read genres", all_in).await
}

/// The same on a connection, whose owner limits the time.
///
/// # Errors
/// When the database does not answer.
pub async fn all_in(connection: &mut PgConnection) -> sqlx::Result<Vec<Genre>> {
    let genres = sqlx::query!(r#"SELECT id, name FROM genres ORDER BY name COLLATE "C", id"#);
    genres.map(|row| Genre { id: row.id, name: row.name }).fetch_all(connection).await
}

/// All genres with the number of their movies, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(database: &Database) -> Result<Vec<GenreSummary>, DatabaseError> {
    let genres = async |connection: &mut PgConnection| {
        let genres = sqlx::query!(
            r#"SELECT g.id, g.name, COALESCE(linked.movies, 0) AS "movies!"
               FROM genres g
               LEFT JOIN (SELECT genre_id, count(*) AS movies FROM movie_genres GROUP BY genre_id) linked
                      ON linked.genre_id = g.id
               ORDER BY g.name COLLATE "C", g.id"#,
        );
        genres.map(|row| GenreSummary { id: row.id, name: row.name, movies: row.movies }).fetch_all(connection).await
    };
    database.read("list genres", genres).await
}
