//! How many movies a filter matches.

use sqlx::PgExecutor;

use super::{
    Request,
    bound::Bound,
    conditions::{conditions, where_all},
    search::FEW,
};

#[derive(sqlx::FromRow)]
struct Counted {
    revision: i64,
    movies: i64,
}

/// The revision and the number of movies that match.
///
/// # Errors
/// When the database does not answer.
pub async fn count(database: impl PgExecutor<'_>, request: &Request) -> sqlx::Result<(i64, i64)> {
    let mut arguments = Bound::default();
    let mut filters = conditions(request, &mut arguments)?;
    let mut alike = "0".to_owned();
    if let Some(words) = &request.words {
        let search = words.bind(&mut arguments)?;
        alike = format!(
            "CASE WHEN counted.movies < {FEW} THEN (SELECT count(*) {}) ELSE 0 END",
            search.spelt_alike(&filters)
        );
        filters.push(search.has_words.0);
    }
    let sql = format!(
        "SELECT s.revision, counted.movies + {alike} AS movies
         FROM catalogue_state s, (SELECT count(*) AS movies FROM movies m {}) counted",
        where_all(&filters)
    );
    let counted: Counted = arguments.statement(sql, true).fetch_one(database).await?;
    Ok((counted.revision, counted.movies))
}
