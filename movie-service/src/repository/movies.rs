//! Reading movies.

use chrono::NaiveDate;
use sqlx::PgPool;

use crate::models::{
    movie::{BOOKING_URL, MovieDetail, MovieId, MoviePage, MovieSummary, backdrop_url, date_text, poster_url},
    query::{ListQuery, Order, SortBy},
};

use super::limits;

/// Stands for "no limit" when only the other end of the range is given.
const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a date");
const LATEST: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a date");

/// The page and the exact total in one snapshot. Ids come from the index alone; only the rows of the page are read.
macro_rules! list_sql {
    ($order:literal, $condition:literal) => {
        concat!(
            "SELECT counted.total, m.id, m.title, m.release_date, m.popularity, m.poster_path
             FROM (SELECT count(*) AS total FROM movies m ",
            $condition,
            ") counted LEFT JOIN ((SELECT m.id FROM movies m ",
            $condition,
            " ORDER BY ",
            $order,
            " LIMIT $1 OFFSET $2) page JOIN movies m USING (id)) ON true ORDER BY ",
            $order
        )
    };
}

macro_rules! list_sql_by {
    ($order:literal) => {
        [list_sql!($order, ""), list_sql!($order, "WHERE m.release_date BETWEEN $3 AND $4")]
    };
}

#[derive(sqlx::FromRow)]
struct ListRow {
    total: i64,
    id: Option<i32>,
    title: Option<String>,
    release_date: Option<NaiveDate>,
    popularity: Option<f64>,
    poster_path: Option<String>,
}

/// One page. Movies without the sort value come last in both directions; equal ones are in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn list(pool: &PgPool, query: &ListQuery) -> sqlx::Result<MoviePage> {
    // Past the largest offset there is nothing; the total is still wanted.
    let (limit, offset) = query.offset().map_or((0, 0), |offset| (query.page_size, offset));
    let [all, released_between] = list_statements(query);
    let statement = if query.from.is_none() && query.to.is_none() {
        sqlx::query_as(all).bind(limit).bind(offset)
    } else {
        sqlx::query_as(released_between)
            .bind(limit)
            .bind(offset)
            .bind(query.from.unwrap_or(EARLIEST))
            .bind(query.to.unwrap_or(LATEST))
    };
    let rows: Vec<ListRow> = limits::one_statement(pool, statement.fetch_all(pool)).await?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(MoviePage {
        page: query.page,
        page_size: query.page_size,
        total_pages: (total + query.page_size - 1) / query.page_size,
        total_results: total,
        data: rows.into_iter().filter_map(summary).collect(),
    })
}

fn list_statements(query: &ListQuery) -> [&'static str; 2] {
    match (query.sort_by, query.order) {
        (SortBy::Popularity, Order::Descending) => list_sql_by!("m.popularity DESC NULLS LAST, m.id DESC"),
        (SortBy::Popularity, Order::Ascending) => list_sql_by!("m.popularity, m.id"),
        (SortBy::ReleaseDate, Order::Descending) => list_sql_by!("m.release_date DESC NULLS LAST, m.id DESC"),
        (SortBy::ReleaseDate, Order::Ascending) => list_sql_by!("m.release_date, m.id"),
        (SortBy::Title, Order::Descending) => list_sql_by!("m.title COLLATE title_order DESC, m.id DESC"),
        (SortBy::Title, Order::Ascending) => list_sql_by!("m.title COLLATE title_order, m.id"),
    }
}

/// `None` for the one row that carries nothing but the total.
fn summary(row: ListRow) -> Option<MovieSummary> {
    Some(MovieSummary {
        id: row.id?,
        title: row.title.unwrap_or_default(),
        release_date: date_text(row.release_date),
        popularity: row.popularity.unwrap_or_default(),
        poster_url: poster_url(row.poster_path.as_deref()),
    })
}

#[derive(sqlx::FromRow)]
struct DetailRow {
    id: i32,
    title: String,
    overview: String,
    release_date: Option<NaiveDate>,
    popularity: Option<f64>,
    poster_path: Option<String>,
    backdrop_path: Option<String>,
    original_language: Option<String>,
    runtime: Option<i32>,
    genres: Vec<String>,
}

/// One movie with the names of its genres.
///
/// # Errors
/// When the database does not answer.
pub async fn find(pool: &PgPool, id: MovieId) -> sqlx::Result<Option<MovieDetail>> {
    let statement = sqlx::query_as(
        r#"SELECT m.id, m.title, m.overview, m.release_date, m.popularity, m.poster_path, m.backdrop_path,
                  m.original_language, m.runtime,
                  ARRAY(SELECT g.name FROM movie_genres mg JOIN genres g ON g.id = mg.genre_id
                        WHERE mg.movie_id = m.id ORDER BY g.name COLLATE "C") AS genres
           FROM movies m WHERE m.id = $1"#,
    )
    .bind(id.get());
    let row: Option<DetailRow> = limits::one_statement(pool, statement.fetch_optional(pool)).await?;
    Ok(row.map(|row| MovieDetail {
        id: row.id,
        title: row.title,
        overview: row.overview,
        release_date: date_text(row.release_date),
        genres: row.genres,
        language: row.original_language.unwrap_or_default(),
        duration: row.runtime.unwrap_or_default(),
        popularity: row.popularity.unwrap_or_default(),
        poster_url: poster_url(row.poster_path.as_deref()),
        backdrop_url: backdrop_url(row.backdrop_path.as_deref()),
        booking_url: BOOKING_URL,
    }))
}
