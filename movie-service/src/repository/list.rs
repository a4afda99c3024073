//! The list of movies: one statement for the page and the exact total, with only those conditions that are asked for.
//!
//! A search finds movies whose title or original title has all the words as they are written, and, when those are few,
//! also titles that are spelt like them.

use chrono::NaiveDate;
use sqlx::{Arguments, AssertSqlSafe, Encode, PgPool, Postgres, Type, postgres::PgArguments};

use crate::models::{
    movie::{MoviePage, MovieSummary, date_text, poster_url},
    query::{ListQuery, Order, SortBy},
};

use super::limits;

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

/// With fewer movies than this as they are written, a search also finds those spelt alike.
const FEW: i64 = 20;
/// One page. Movies without the sort value come last in both directions; equal ones are in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn list(pool: &PgPool, query: &ListQuery, genres: &GenreIds) -> sqlx::Result<MoviePage> {
    if let Some(q) = &query.filters.q {
        return search(pool, query, genres, q).await;
    }
    let mut arguments = Bound::default();
    // Past the largest offset there is nothing; the total is still wanted.
    let (limit, offset) = query.offset().map_or((0, 0), |offset| (query.page_size, offset));
    let (limit, offset) = (arguments.bind(limit)?, arguments.bind(offset)?);
    let condition = where_all(&conditions(query, genres, &mut arguments)?);
    let order = order_by(query, sort_key(query.sort_by), "m.id");
    // Ids come from an index alone where there is one; only the rows of the page are read.
    let sql = format!(
        "SELECT counted.total, m.id, m.title, m.release_date, m.popularity, m.poster_path
         FROM (SELECT count(*) AS total FROM movies m {condition}) counted
         LEFT JOIN ((SELECT m.id FROM movies m {condition} ORDER BY {order} LIMIT {limit} OFFSET {offset}) page
                    JOIN movies m USING (id)) ON true
         ORDER BY {order}"
    );
    // Made of the constants in this file; every value is bound.
    let rows =
        limits::one_statement(pool, sqlx::query_as_with(AssertSqlSafe(sql), arguments.0).fetch_all(pool)).await?;
    Ok(page(query, rows))
}

async fn search(pool: &PgPool, query: &ListQuery, genres: &GenreIds, q: &str) -> sqlx::Result<MoviePage> {
    let words = sqlx::query_scalar("SELECT movie_search_words($1)").bind(q);
    let words: String = limits::one_statement(pool, words.fetch_one(pool)).await?;
    let words = words.trim();
    let mut arguments = Bound::default();
    let (limit, offset) = query.offset().map_or((0, 0), |offset| (query.page_size, offset));
    let (limit, offset) = (arguments.bind(limit)?, arguments.bind(offset)?);
    let exact = arguments.bind(format!("%\n {} \n%", escape(words)))?;
    let prefix = arguments.bind(format!("%\n {}%", escape(words)))?;
    let spelling = arguments.bind(words)?;
    let filters = conditions(query, genres, &mut arguments)?;
    let mut written = filters.clone();
    for pattern in word_patterns(words) {
        written.push(format!("m.search_text LIKE {}", arguments.bind(pattern)?));
    }
    if written.len() == filters.len() {
        // No word, no movie.
        written.push("false".to_owned());
    }
    let written = where_all(&written);
    let filters = filters.iter().map(|filter| format!(" AND {filter}")).collect::<String>();
    let order = order_by(query, "h.key", "h.id");
    let key = sort_key(query.sort_by);
    let sql = format!(
        "WITH written AS MATERIALIZED (
             SELECT m.id, {key} AS key, 0::real AS distance,
                    CASE WHEN m.search_text LIKE {exact} THEN 1 WHEN m.search_text LIKE {prefix} THEN 2 ELSE 3 END AS tier
             FROM movies m {written}
         ), spelt AS MATERIALIZED (
             SELECT m.id, {key} AS key, 1 - alike.closeness AS distance, 4 AS tier
             FROM movies_spelt_like({spelling}) alike JOIN movies m ON m.id = alike.id
             WHERE (SELECT count(*) FROM (SELECT FROM written LIMIT {FEW}) first) < {FEW}
               AND NOT EXISTS (SELECT FROM written w WHERE w.id = m.id){filters}
         ), hits AS MATERIALIZED (TABLE written UNION ALL TABLE spelt)
         SELECT counted.total, m.id, m.title, m.release_date, m.popularity, m.poster_path
         FROM (SELECT count(*) AS total FROM hits) counted
         LEFT JOIN ((SELECT * FROM hits h ORDER BY {order} LIMIT {limit} OFFSET {offset}) h JOIN movies m USING (id)) ON true
         ORDER BY {order}"
    );
    // As above: constants and placeholders.
    let rows =
        limits::one_statement(pool, sqlx::query_as_with(AssertSqlSafe(sql), arguments.0).fetch_all(pool)).await?;
    Ok(page(query, rows))
}

/// Each word at the beginning of a word of the title. In scripts that put no space between words it may stand anywhere,
/// if it has the three characters that the index needs.
fn word_patterns(words: &str) -> Vec<String> {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    words.dedup();
    let anywhere = |word: &str| word.chars().count() >= 3 && word.chars().any(is_unspaced);
    let pattern = |word: &str| format!("%{}{}%", if anywhere(word) { "" } else { " " }, escape(word));
    words.into_iter().map(pattern).collect()
}

/// Thai to Burmese, Khmer, kana, and Chinese characters.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// A text as a part of a `LIKE` pattern that stands for itself.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
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

fn sort_key(sort_by: SortBy) -> &'static str {
    match sort_by {
        SortBy::Popularity | SortBy::Relevance => "m.popularity",
        SortBy::ReleaseDate => "m.release_date",
        SortBy::VoteAverage => "m.rating",
        SortBy::VoteCount => "m.vote_count",
        SortBy::Runtime => "m.runtime",
        SortBy::Title => "m.title",
        SortBy::CreatedAt => "m.created_at",
    }
}

/// As the indexes have it: undated and unrated movies come last in both directions, titles and times are never null.
fn order_by(query: &ListQuery, key: &str, id: &str) -> String {
    match (query.order, query.sort_by) {
        (Order::Descending, SortBy::Relevance) => format!("h.tier, h.distance, {key} DESC NULLS LAST, {id} DESC"),
        (Order::Ascending, SortBy::Relevance) => format!("h.tier DESC, h.distance DESC, {key}, {id}"),
        (Order::Descending, SortBy::Title) => format!("{key} COLLATE title_order DESC, {id} DESC"),
        (Order::Ascending, SortBy::Title) => format!("{key} COLLATE title_order, {id}"),
        (Order::Descending, SortBy::CreatedAt) => format!("{key} DESC, {id} DESC"),
        (Order::Descending, _) => format!("{key} DESC NULLS LAST, {id} DESC"),
        (Order::Ascending, _) => format!("{key}, {id}"),
    }
}

fn where_all(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) }
}

/// What a movie `m` must be.
fn conditions(query: &ListQuery, genres: &GenreIds, arguments: &mut Bound) -> sqlx::Result<Vec<String>> {
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
    Ok(all.found)
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
