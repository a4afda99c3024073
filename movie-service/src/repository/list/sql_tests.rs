//! The SQL of representative queries: a change of a statement shows as a change of its snapshot.

use std::fmt::Write;

use crate::handler::list_query;
use crate::models::{
    cursor::{Fit, Key, Position},
    movie::parse_date,
    query::SortBy,
};

use super::{
    FuzzyMatches, GenreIds, GenreSet, ResolvedQuery, Words,
    count::count_sql,
    facets::facets_sql,
    fuzzy_matches::{Hits, exact_sql, fuzzy_sql},
    page::page_sql,
    random::{matching_sql, random_match_sql},
    sql_args::SqlArgs,
};

type Statement = sqlx::Result<(String, SqlArgs)>;

const SORTS: [&str; 7] = ["popularity", "release_date", "title", "vote_average", "vote_count", "runtime", "created_at"];
const FILTERS: [&str; 10] = [
    "",
    "with_genres=1,2&without_genres=3|4",
    "with_original_language=en",
    "year=1999",
    "release_date_from=2000-01-01&release_date_to=2009-12-31",
    "vote_average_gte=7&vote_average_lte=9",
    "vote_count_gte=10",
    "runtime_gte=60&runtime_lte=120",
    "popularity_gte=1.5",
    "ids=3,1,2",
];
const SEARCHES: [&str; 4] = ["q=alien", "q=star wars", "q=千と千尋", "q=alien&year=1979"];

/// A query under these genres, whose search finds many titles as they are written.
fn resolved(query: &str) -> ResolvedQuery {
    let query = list_query(query);
    let set = |all, ids: &[i32]| GenreSet { all, ids: ids.to_vec() };
    let genres = GenreIds {
        with: query.filters.with_genres.as_ref().map(|filter| set(filter.all, &[1, 2])),
        without: query.filters.without_genres.as_ref().map(|filter| set(filter.all, &[3, 4])),
    };
    let words = query.filters.q.clone().map(Words);
    ResolvedQuery { query, genres, words, fuzzy_matches: None, after: None }
}

/// The same, with few titles, which are found together with the fuzzy matches.
fn with_fuzzy_matches(query: &str) -> ResolvedQuery {
    let hits = Hits { ids: vec![1, 2], tiers: vec![1, 4], distances: vec![0.0, 0.5] };
    let fuzzy_matches = Some(FuzzyMatches { revision: Some(1), hits: Some(hits) });
    ResolvedQuery { fuzzy_matches, ..resolved(query) }
}

fn after(resolved: ResolvedQuery, key: Key, fit: Option<Fit>) -> ResolvedQuery {
    ResolvedQuery { after: Some(Position { before: 20, id: 7, key, fit }), ..resolved }
}

fn key_of(sort_by: SortBy) -> Key {
    match sort_by {
        SortBy::Popularity | SortBy::VoteAverage | SortBy::Relevance => Key::Float(1.5),
        SortBy::VoteCount | SortBy::Runtime => Key::Int(100),
        SortBy::ReleaseDate => Key::Date(parse_date("1999-03-31").expect("a date")),
        SortBy::CreatedAt => Key::Time(chrono::DateTime::UNIX_EPOCH),
        SortBy::Title => Key::Text("Alien".to_owned()),
    }
}

/// Clauses that begin a line.
const CLAUSES: [&str; 6] = ["FROM", "LEFT JOIN", "CROSS JOIN", "WHERE", "UNION ALL", "ORDER BY"];

/// Each statement under its name, with a line for each clause, indented by its parentheses.
#[derive(Default)]
struct Statements(String);

impl Statements {
    fn add(&mut self, name: &str, statement: Statement) {
        let (sql, _) = statement.expect(name);
        let mut sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        for clause in CLAUSES {
            sql = sql.replace(&format!(" {clause} "), &format!("\n{clause} "));
        }
        let name = if name.is_empty() { "no filter" } else { name };
        writeln!(self.0, "-- {name}").expect("a string takes everything");
        let mut depth = 0;
        for line in sql.lines() {
            writeln!(self.0, "{}{line}", "  ".repeat(depth)).expect("a string takes everything");
            depth = depth + line.matches('(').count() - line.matches(')').count();
        }
        self.0.push('\n');
    }
}

#[test]
fn page_by_sort_and_order() {
    let mut statements = Statements::default();
    for sort_by in SORTS {
        for order in ["asc", "desc"] {
            let query = format!("sort_by={sort_by}&order={order}");
            statements.add(&query, page_sql(&resolved(&query)));
        }
    }
    insta::assert_snapshot!(statements.0);
}

#[test]
fn page_with_cursor() {
    let mut statements = Statements::default();
    for sort_by in SORTS {
        for order in ["asc", "desc"] {
            let query = format!("sort_by={sort_by}&order={order}");
            let resolved = resolved(&query);
            let key = key_of(resolved.query.sort_by);
            statements.add(&query, page_sql(&after(resolved, key, None)));
        }
    }
    statements.add("release_date unknown", page_sql(&after(resolved("sort_by=release_date"), Key::Unknown, None)));
    insta::assert_snapshot!(statements.0);
}

#[test]
fn page_with_filters() {
    let mut statements = Statements::default();
    for filter in &FILTERS[1..] {
        for sort_by in ["popularity", "vote_average"] {
            let query = format!("{filter}&sort_by={sort_by}");
            statements.add(&query, page_sql(&resolved(&query)));
        }
    }
    let include = "include=genres,overview,original_title,language,duration,backdrop_url,vote_average,vote_count,\
                   tmdb_id,locked_fields,created_at,updated_at";
    statements.add(include, page_sql(&resolved(include)));
    insta::assert_snapshot!(statements.0);
}

#[test]
fn page_of_search() {
    let mut statements = Statements::default();
    for search in SEARCHES {
        for sort in ["", "&order=asc", "&sort_by=release_date"] {
            let query = format!("{search}{sort}");
            statements.add(&query, page_sql(&resolved(&query)));
        }
    }
    for tier in 1..=3 {
        let fit = Some(Fit { tier, distance: 0.0 });
        for key in [Key::Float(1.5), Key::Unknown] {
            let name = format!("q=alien after tier {tier}, {key:?}");
            statements.add(&name, page_sql(&after(resolved("q=alien"), key, fit)));
        }
    }
    insta::assert_snapshot!(statements.0);
}

#[test]
fn page_of_search_with_fuzzy_matches() {
    let mut statements = Statements::default();
    for query in ["q=alien", "q=alien&order=asc", "q=alien&sort_by=release_date", "q=alien&year=1979"] {
        statements.add(query, page_sql(&with_fuzzy_matches(query)));
    }
    for order in ["asc", "desc"] {
        for key in [Key::Float(1.5), Key::Unknown] {
            let query = format!("q=alien&order={order}");
            let name = format!("{query} after tier 4, {key:?}");
            let fit = Some(Fit { tier: 4, distance: 0.5 });
            statements.add(&name, page_sql(&after(with_fuzzy_matches(&query), key, fit)));
        }
    }
    insta::assert_snapshot!(statements.0);
}

#[test]
fn fuzzy_matches() {
    let mut statements = Statements::default();
    for query in SEARCHES {
        let resolved = resolved(query);
        let words = resolved.words.clone().expect(query);
        statements.add(&format!("{query} as it is written"), exact_sql(&resolved, &words));
        statements.add(&format!("{query} fuzzily"), fuzzy_sql(&resolved, "'x'".to_owned(), &[], &[]));
    }
    let of_a_year = fuzzy_sql(&resolved("q=alien 1979"), "'x'".to_owned(), &[1979], &[1, 2]);
    statements.add("q=alien 1979 fuzzily, with known hits", of_a_year);
    insta::assert_snapshot!(statements.0);
}

/// The statements of `build` for each filter, and for searches with and without fuzzy matches.
fn of_filters(build: impl Fn(&ResolvedQuery) -> Statement) -> String {
    let mut statements = Statements::default();
    for query in FILTERS.into_iter().chain(SEARCHES) {
        statements.add(query, build(&resolved(query)));
    }
    statements.add("q=alien with fuzzy matches", build(&with_fuzzy_matches("q=alien")));
    statements.0
}

#[test]
fn count() {
    insta::assert_snapshot!(of_filters(count_sql));
}

#[test]
fn facets() {
    let mut statements = Statements::default();
    for facets in ["genres", "language", "year", "genres,language,year"] {
        for filter in ["", "&vote_count_gte=10", "&q=alien"] {
            let query = format!("facets={facets}{filter}");
            statements.add(&query, facets_sql(&resolved(&query)));
        }
    }
    statements.add("q=alien with fuzzy matches", facets_sql(&with_fuzzy_matches("facets=genres&q=alien")));
    insta::assert_snapshot!(statements.0);
}

#[test]
fn random() {
    insta::assert_snapshot!("random_match", of_filters(random_match_sql));
    let mut statements = Statements::default();
    for query in FILTERS {
        statements.add(query, matching_sql(&resolved(query), vec![1, 2]));
    }
    insta::assert_snapshot!("random_draw", statements.0);
}
