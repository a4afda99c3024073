//! How many movies a filter matches.

use sqlx::PgExecutor;

use super::{
    ResolvedQuery,
    conditions::{conditions, where_all},
    search::{Exact, Search},
    sql_args::SqlArgs,
};

/// The revision and the number of movies that match.
///
/// # Errors
/// When the database does not answer.
pub async fn count(database: impl PgExecutor<'_>, resolved: &ResolvedQuery) -> sqlx::Result<(i64, i64)> {
    let (sql, arguments) = count_sql(resolved)?;
    arguments.query(sql, true).fetch_one(database).await
}

pub(super) fn count_sql(resolved: &ResolvedQuery) -> sqlx::Result<(String, SqlArgs)> {
    let mut arguments = SqlArgs::default();
    let filters = conditions(resolved, &mut arguments)?;
    let source = match Search::of(resolved, &mut arguments)? {
        None => format!("movies m {}", where_all(&filters)),
        Some(Search::Exact(Exact { has_words, .. })) => {
            format!("movies m {}", where_all(&[filters, vec![has_words.in_index]].concat()))
        }
        Some(Search::Found(found)) => found,
    };
    let sql = format!("SELECT s.revision, (SELECT count(*) FROM {source}) FROM catalogue_state s");
    Ok((sql, arguments))
}
