//! How many movies a filter matches.

use sqlx::PgExecutor;

use super::{
    Request,
    bound::Bound,
    conditions::{conditions, where_all},
    search::Search,
};

/// The revision and the number of movies that match.
///
/// # Errors
/// When the database does not answer.
pub async fn count(database: impl PgExecutor<'_>, request: &Request) -> sqlx::Result<(i64, i64)> {
    let mut arguments = Bound::default();
    let mut filters = conditions(request, &mut arguments)?;
    if let Some(search) = Search::of(request, &mut arguments)? {
        filters.push(search.has_words.0);
    }
    let sql =
        format!("SELECT s.revision, (SELECT count(*) FROM movies m {}) FROM catalogue_state s", where_all(&filters));
    let (revision, movies): (i64, i64) = arguments.statement(sql, true).fetch_one(database).await?;
    let alike = request.alike.as_ref().map_or(0, |alike| alike.ids.len());
    Ok((revision, movies.saturating_add(i64::try_from(alike).unwrap_or(i64::MAX))))
}
