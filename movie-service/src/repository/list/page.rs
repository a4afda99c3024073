//! One page.

use sqlx::PgExecutor;

use crate::models::query::{Order, SortBy};

use super::{
    ResolvedQuery, Slice,
    conditions::conditions,
    keyset::{Keyset, sort_key},
    relevance::{best_first, of_hits},
    rows::{Row, columns},
    search::Search,
    sql_args::SqlArgs,
};

/// The rows of a page, and whether more follow. Movies without the sort value come last in both directions; equal ones are
/// in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn page(database: impl PgExecutor<'_>, resolved: &ResolvedQuery) -> sqlx::Result<Slice> {
    let query = &resolved.query;
    let size = usize::try_from(query.page_size).unwrap_or_default();
    let (sql, arguments) = page_sql(resolved)?;
    let filters = !query.canonical_filters().is_empty();
    let mut rows: Vec<Row> = arguments.query(sql, filters).fetch_all(database).await?;
    let (revision, movies) = rows.first().map_or((0, 0), |row| (row.revision, row.movies));
    let more = rows.len() > size;
    rows.truncate(size);
    let rows = rows.into_iter().filter_map(|row| row.seen(query.sort_by)).collect();
    Ok(Slice { revision, movies, rows, more })
}

pub(super) fn page_sql(resolved: &ResolvedQuery) -> sqlx::Result<(String, SqlArgs)> {
    let query = &resolved.query;
    let mut arguments = SqlArgs::default();
    // One more than asked for tells whether more follow. Past the largest offset there is nothing.
    let wanted = query.page_size + 1;
    let offset = if resolved.after.is_some() { Some(0) } else { query.offset() };
    let (limit, offset) = offset.map_or((0, 0), |offset| (wanted, offset));
    let of_each_part = arguments.bind(offset.saturating_add(limit))?;
    let (limit, offset) = (arguments.bind(limit)?, arguments.bind(offset)?);
    let (tables, parts) = parts(resolved, &mut arguments, &of_each_part)?;
    let parts = parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" UNION ALL ");
    let columns = columns(&query.include);
    // Ids come from an index alone where there is one; only the rows of the page are read, one by one.
    let sql = format!(
        "{tables}
         SELECT s.revision, s.movies, found.*
         FROM catalogue_state s
         LEFT JOIN (
             SELECT page.*, {columns}
             FROM (SELECT row_number() OVER () AS row_number, listed.*
                   FROM (SELECT * FROM ({parts}) parts LIMIT {limit} OFFSET {offset}) listed) page
             CROSS JOIN LATERAL (SELECT * FROM movies m WHERE m.id = page.id LIMIT 1) m
         ) found ON true
         ORDER BY found.row_number"
    );
    Ok((sql, arguments))
}

/// The parts of the list, each with at most `limit` rows, and the tables that they read besides.
fn parts(resolved: &ResolvedQuery, arguments: &mut SqlArgs, limit: &str) -> sqlx::Result<(String, Vec<String>)> {
    let (query, after) = (&resolved.query, resolved.after.as_ref());
    let key = sort_key(query.sort_by);
    let filters = conditions(resolved, arguments)?;
    let search = Search::of(resolved, arguments)?;
    let all = Keyset { query, source: "movies", key, filters: &filters, search: None, limit };
    match (&search, query.sort_by, query.order) {
        (None, ..) => Ok((String::new(), all.parts(after, arguments)?)),
        (Some(Search::Exact(exact)), SortBy::Relevance, Order::Descending) => {
            best_first(exact, after, &filters, (arguments, limit))
        }
        (Some(search), SortBy::Relevance, order) => {
            Ok((search.hits(key, &filters), of_hits(order, after, (arguments, limit))?))
        }
        // Where many are found, a search is a filter like others; else all of them are at hand.
        (Some(Search::Exact(exact)), ..) => {
            Ok((String::new(), Keyset { search: Some(exact), ..all }.parts(after, arguments)?))
        }
        (Some(search), ..) => {
            let hits = Keyset { source: "hits", key: "m.key", filters: &[], ..all };
            Ok((search.hits(key, &filters), hits.parts(after, arguments)?))
        }
    }
}
