//! One page.

use sqlx::PgExecutor;

use crate::models::query::{Order, SortBy};

use super::{
    Request, Slice,
    bound::Bound,
    conditions::conditions,
    parts::{ByKey, sort_key},
    relevance::{best_first, worst_first},
    rows::{Row, columns},
    search::Search,
};

/// The rows of a page, and whether more follow. Movies without the sort value come last in both directions; equal ones are
/// in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn page(database: impl PgExecutor<'_>, request: &Request) -> sqlx::Result<Slice> {
    let query = &request.query;
    let size = usize::try_from(query.page_size).unwrap_or_default();
    let mut arguments = Bound::default();
    let sql = statement(request, &mut arguments)?;
    let filters = !query.canonical_filters().is_empty();
    let mut rows = arguments.statement::<Row>(sql, filters).fetch_all(database).await?;
    let (revision, movies) = rows.first().map_or((0, 0), |row| (row.revision, row.movies));
    let more = rows.len() > size;
    rows.truncate(size);
    Ok(Slice { revision, movies, rows: rows.into_iter().filter_map(|row| row.seen(query)).collect(), more })
}

fn statement(request: &Request, arguments: &mut Bound) -> sqlx::Result<String> {
    let query = &request.query;
    // One more than asked for tells whether more follow. Past the largest offset there is nothing.
    let wanted = query.page_size + 1;
    let offset = if request.after.is_some() { Some(0) } else { query.offset() };
    let (limit, offset) = offset.map_or((0, 0), |offset| (wanted, offset));
    let of_each_part = arguments.bind(offset.saturating_add(limit))?;
    let (limit, offset) = (arguments.bind(limit)?, arguments.bind(offset)?);
    let (tables, parts) = parts(request, arguments, &of_each_part)?;
    let parts = parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" UNION ALL ");
    let columns = columns(&query.include);
    // Ids come from an index alone where there is one; only the rows of the page are read, one by one.
    Ok(format!(
        "{tables}
         SELECT s.revision, s.movies, found.*
         FROM catalogue_state s
         LEFT JOIN (
             SELECT page.*, {columns}
             FROM (SELECT row_number() OVER () AS place, listed.*
                   FROM (SELECT * FROM ({parts}) parts LIMIT {limit} OFFSET {offset}) listed) page
             CROSS JOIN LATERAL (SELECT * FROM movies m WHERE m.id = page.id LIMIT 1) m
         ) found ON true
         ORDER BY found.place"
    ))
}

/// The parts of the list, each with at most `limit` rows, and the tables that they read besides.
fn parts(request: &Request, arguments: &mut Bound, limit: &str) -> sqlx::Result<(String, Vec<String>)> {
    let (query, after) = (&request.query, request.after.as_ref());
    let key = sort_key(query.sort_by);
    let filters = conditions(request, arguments)?;
    let search = Search::of(request, arguments)?;
    let few = request.alike.as_ref().is_some_and(|alike| alike.few);
    let all = ByKey { query, source: "movies", key, filters: &filters, search: search.as_ref(), limit };
    match (&search, query.sort_by, query.order) {
        (Some(search), SortBy::Relevance, Order::Descending) => best_first(search, after, &filters, (arguments, limit)),
        (Some(search), SortBy::Relevance, Order::Ascending) => {
            Ok((search.hits(key, &filters), worst_first(after, (arguments, limit))?))
        }
        // As any other filter where many are found; else all of them are at hand, with those spelt alike.
        (Some(search), ..) if few => {
            let hits = ByKey { source: "hits", key: "m.key", filters: &[], search: None, ..all };
            Ok((search.hits(key, &filters), hits.parts(after, arguments)?))
        }
        _ => Ok((String::new(), all.parts(after, arguments)?)),
    }
}
