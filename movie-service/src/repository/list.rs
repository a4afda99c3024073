//! The list of movies: one statement for the page and the exact total, with only those conditions that are asked for.

use chrono::NaiveDate;
use sqlx::{Arguments, AssertSqlSafe, Encode, PgPool, Postgres, Type, postgres::PgArguments};

use crate::models::{
    movie::{MoviePage, MovieSummary, date_text, poster_url},
    query::{ListQuery, Order, SortBy},
};

/// Genres of a filter under the platform's own ids.
#[derive(Debug, Clone, Default)]
pub struct GenreIds {
    /// Genres a movie must have.
    pub with: Option<GenreSet>,
    /// Genres a movie must not have.
    pub without: Option<GenreSet>,
}

/// Some genres, at least one.
#[derive(Debug, Clone)]
pub struct GenreSet {
    /// Whether all of them are meant, rather than any.
    pub all: bool,
    /// Their ids, each once.
    pub ids: Vec<i32>,
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
pub async fn list(pool: &PgPool, query: &ListQuery, genres: &GenreIds) -> sqlx::Result<MoviePage> {
    let mut arguments = Bound::default();
    // Past the largest offset there is nothing; the total is still wanted.
    let (limit, offset) = query.offset().map_or((0, 0), |offset| (query.page_size, offset));
    let (limit, offset) = (arguments.bind(limit)?, arguments.bind(offset)?);
    let condition = condition(query, genres, &mut arguments)?;
    let order = order_by(query);
    // Ids come from an index alone where there is one; only the rows of the page are read.
    let sql = format!(
        "SELECT counted.total, m.id, m.title, m.release_date, m.popularity, m.poster_path
         FROM (SELECT count(*) AS total FROM movies m {condition}) counted
         LEFT JOIN ((SELECT m.id FROM movies m {condition} ORDER BY {order} LIMIT {limit} OFFSET {offset}) page
                    JOIN movies m USING (id)) ON true
         ORDER BY {order}"
    );
    // Made of the constants in this file; every value is bound.
    let rows = sqlx::query_as_with(AssertSqlSafe(sql), arguments.0).fetch_all(pool).await?;
    Ok(page(query, rows))
}

fn page(query: &ListQuery, rows: Vec<ListRow>) -> MoviePage {
    let total = rows.first().map_or(0, |row| row.total);
    MoviePage {
        page: query.page,
        page_size: query.page_size,
        total_pages: (total + query.page_size - 1) / query.page_size,
        total_results: total,
        data: rows.into_iter().filter_map(summary).collect(),
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

/// As the indexes have it: undated and unrated movies come last in both directions, titles and times are never null.
fn order_by(query: &ListQuery) -> String {
    let key = match query.sort_by {
        SortBy::Popularity => "m.popularity",
        SortBy::ReleaseDate => "m.release_date",
        SortBy::VoteAverage => "m.rating",
        SortBy::VoteCount => "m.vote_count",
        SortBy::Runtime => "m.runtime",
        SortBy::Title => "m.title COLLATE title_order",
        SortBy::CreatedAt => "m.created_at",
    };
    match (query.order, query.sort_by) {
        (Order::Ascending, _) => format!("{key}, m.id"),
        (Order::Descending, SortBy::Title | SortBy::CreatedAt) => format!("{key} DESC, m.id DESC"),
        (Order::Descending, _) => format!("{key} DESC NULLS LAST, m.id DESC"),
    }
}

/// `WHERE` and what follows, or nothing.
fn condition(query: &ListQuery, genres: &GenreIds, arguments: &mut Bound) -> sqlx::Result<String> {
    let filters = &query.filters;
    let mut all = Conditions { arguments, found: Vec::new() };
    if let Some((from, to)) = query.released_between() {
        let (from, to) = (all.arguments.bind(from)?, all.arguments.bind(to)?);
        all.found.push(format!("m.release_date BETWEEN {from} AND {to}"));
    }
    all.add("m.original_language =", filters.original_language.as_deref())?;
    all.add("m.rating >=", filters.vote_average_gte)?;
    all.add("m.rating <=", filters.vote_average_lte)?;
    all.add("m.vote_count >=", filters.vote_count_gte)?;
    all.add("m.runtime >=", filters.runtime_gte)?;
    all.add("m.runtime <=", filters.runtime_lte)?;
    all.add("m.popularity >=", filters.popularity_gte)?;
    if let Some(ids) = &filters.ids {
        let ids = all.arguments.bind(ids)?;
        all.found.push(format!("m.id = ANY ({ids})"));
    }
    all.add_genres("", genres.with.as_ref())?;
    all.add_genres("NOT ", genres.without.as_ref())?;
    let found = all.found;
    Ok(if found.is_empty() { String::new() } else { format!("WHERE {}", found.join(" AND ")) })
}

/// Values of a statement, in the order of their numbers.
#[derive(Default)]
struct Bound(PgArguments);

impl Bound {
    /// The placeholder of a value.
    fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(&mut self, value: T) -> sqlx::Result<String> {
        self.0.add(value).map_err(sqlx::Error::Encode)?;
        Ok(format!("${}", self.0.len()))
    }
}

struct Conditions<'a> {
    arguments: &'a mut Bound,
    found: Vec<String>,
}

impl Conditions<'_> {
    /// A comparison, if there is something to compare with.
    fn add<'t, T: Encode<'t, Postgres> + Type<Postgres>>(&mut self, left: &str, value: Option<T>) -> sqlx::Result<()> {
        if let Some(value) = value {
            let value = self.arguments.bind(value)?;
            self.found.push(format!("{left} {value}"));
        }
        Ok(())
    }

    fn add_genres(&mut self, not: &str, genres: Option<&GenreSet>) -> sqlx::Result<()> {
        let Some(genres) = genres else { return Ok(()) };
        let link = "EXISTS (SELECT FROM movie_genres mg WHERE mg.movie_id = m.id AND mg.genre_id";
        let links = if genres.all {
            let each = genres.ids.iter().map(|id| Ok(format!("{link} = {})", self.arguments.bind(id)?)));
            each.collect::<sqlx::Result<Vec<_>>>()?.join(" AND ")
        } else {
            format!("{link} = ANY ({}))", self.arguments.bind(&genres.ids)?)
        };
        self.found.push(format!("{not}({links})"));
        Ok(())
    }
}
