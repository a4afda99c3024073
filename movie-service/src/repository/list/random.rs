//! A random movie under the filters, each as likely as the others.

use sqlx::PgExecutor;

use super::{
    ResolvedQuery,
    conditions::{conditions, where_all},
    search::Search,
    sql_args::SqlArgs,
};

/// Those of `candidates` that match.
///
/// # Errors
/// When the database does not answer.
pub async fn matching(
    database: impl PgExecutor<'_>,
    resolved: &ResolvedQuery,
    candidates: Vec<i32>,
) -> sqlx::Result<Vec<i32>> {
    let (sql, arguments) = matching_sql(resolved, candidates)?;
    let ids: Vec<(i32,)> = arguments.query(sql, true).fetch_all(database).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

pub(super) fn matching_sql(resolved: &ResolvedQuery, candidates: Vec<i32>) -> sqlx::Result<(String, SqlArgs)> {
    let mut arguments = SqlArgs::default();
    let mut all = conditions(resolved, &mut arguments)?;
    all.push(format!("m.id = ANY ({})", arguments.bind(candidates)?));
    Ok((format!("SELECT m.id FROM movies m {}", where_all(&all)), arguments))
}

/// A random one of all that match; each is looked at.
///
/// # Errors
/// When the database does not answer.
pub async fn random_match(database: impl PgExecutor<'_>, resolved: &ResolvedQuery) -> sqlx::Result<Option<i32>> {
    let (sql, arguments) = random_match_sql(resolved)?;
    let id: Option<(i32,)> = arguments.query(sql, true).fetch_optional(database).await?;
    Ok(id.map(|(id,)| id))
}

pub(super) fn random_match_sql(resolved: &ResolvedQuery) -> sqlx::Result<(String, SqlArgs)> {
    let mut arguments = SqlArgs::default();
    let filters = conditions(resolved, &mut arguments)?;
    let sql = match Search::of(resolved, &mut arguments)? {
        None => format!("SELECT m.id FROM movies m {} ORDER BY random() LIMIT 1", where_all(&filters)),
        Some(search) => {
            let hits = search.hits("NULL::int", &filters);
            format!("{hits} SELECT h.id FROM hits h ORDER BY random() LIMIT 1")
        }
    };
    Ok((sql, arguments))
}
