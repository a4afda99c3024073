//! Any movie under the filters, each as likely as the others.

use sqlx::PgExecutor;

use super::{
    Request,
    bound::Bound,
    conditions::{conditions, where_all},
    search::Search,
};

/// Those of `candidates` that match.
///
/// # Errors
/// When the database does not answer.
pub async fn among(database: impl PgExecutor<'_>, request: &Request, candidates: Vec<i32>) -> sqlx::Result<Vec<i32>> {
    let mut arguments = Bound::default();
    let mut all = conditions(request, &mut arguments)?;
    all.push(format!("m.id = ANY ({})", arguments.bind(candidates)?));
    let sql = format!("SELECT m.id FROM movies m {}", where_all(&all));
    let ids: Vec<(i32,)> = arguments.statement(sql, true).fetch_all(database).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

/// One of all that match; each is looked at.
///
/// # Errors
/// When the database does not answer.
pub async fn any(database: impl PgExecutor<'_>, request: &Request) -> sqlx::Result<Option<i32>> {
    let mut arguments = Bound::default();
    let filters = conditions(request, &mut arguments)?;
    let sql = match Search::of(request, &mut arguments)? {
        None => format!("SELECT m.id FROM movies m {} ORDER BY random() LIMIT 1", where_all(&filters)),
        Some(search) => {
            let hits = search.hits("NULL::int", &filters);
            format!("{hits} SELECT h.id FROM hits h ORDER BY random() LIMIT 1")
        }
    };
    let id: Option<(i32,)> = arguments.statement(sql, true).fetch_optional(database).await?;
    Ok(id.map(|(id,)| id))
}
