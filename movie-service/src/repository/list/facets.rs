//! How many of the movies that match have each genre, language and year.

use sqlx::PgExecutor;

use crate::models::{
    genre::GenreSummary,
    includes::{Facet, Facets, LanguageCount, YearCount},
};

use super::{
    ResolvedQuery,
    conditions::{conditions, where_all},
    search::Search,
    sql_args::SqlArgs,
};

#[derive(sqlx::FromRow)]
struct Row {
    revision: i64,
    kind: Option<i32>,
    number: Option<i32>,
    name: Option<String>,
    movies: Option<i64>,
}

const GENRES: i32 = 1;
const LANGUAGE: i32 = 2;
const YEAR: i32 = 3;

/// The revision and the counts that are asked for.
///
/// # Errors
/// When the database does not answer.
pub async fn facets(database: impl PgExecutor<'_>, resolved: &ResolvedQuery) -> sqlx::Result<(i64, Facets)> {
    let (sql, arguments) = facets_sql(resolved)?;
    let rows: Vec<Row> = arguments.query(sql, true).fetch_all(database).await?;
    let revision = rows.first().map_or(0, |row| row.revision);
    Ok((revision, grouped(rows, &resolved.query.facets)))
}

pub(super) fn facets_sql(resolved: &ResolvedQuery) -> sqlx::Result<(String, SqlArgs)> {
    let mut arguments = SqlArgs::default();
    let filters = conditions(resolved, &mut arguments)?;
    let (mut tables, mut source, mut found) = (String::new(), "movies m", where_all(&filters));
    if let Some(search) = Search::of(resolved, &mut arguments)? {
        tables = search.hits("NULL::int", &filters);
        (source, found) = ("hits h JOIN movies m ON m.id = h.id", String::new());
    }
    let facets = resolved.query.facets.iter();
    let counts = facets.map(|facet| counts_of(*facet, source, &found)).collect::<Vec<_>>().join(" UNION ALL ");
    let sql = format!(
        r#"{tables} SELECT s.revision, f.kind, f.number, f.name, f.movies
           FROM catalogue_state s LEFT JOIN ({counts}) f ON true
           ORDER BY f.kind, CASE WHEN f.kind = {YEAR} THEN -f.number END, f.movies DESC, f.name COLLATE "C""#
    );
    Ok((sql, arguments))
}

fn counts_of(facet: Facet, source: &str, found: &str) -> String {
    let rows = |key: &str| format!("SELECT {key} AS key, count(*) AS movies FROM {source} {found} GROUP BY 1");
    match facet {
        // Each link is of a movie: for all of them there is no need to look.
        Facet::Genres if source == "movies m" && found.is_empty() => format!(
            "SELECT {GENRES} AS kind, g.id AS number, g.name, counted.movies
             FROM (SELECT genre_id AS key, count(*) AS movies FROM movie_genres GROUP BY 1) counted
             JOIN genres g ON g.id = counted.key"
        ),
        Facet::Genres => format!(
            "SELECT {GENRES} AS kind, g.id AS number, g.name, counted.movies
             FROM (SELECT mg.genre_id AS key, count(*) AS movies
                   FROM {source} JOIN movie_genres mg ON mg.movie_id = m.id {found} GROUP BY 1) counted
             JOIN genres g ON g.id = counted.key"
        ),
        Facet::Language => format!(
            "SELECT {LANGUAGE} AS kind, NULL::int AS number, key AS name, movies FROM ({}) l WHERE key <> ''",
            rows("m.original_language")
        ),
        Facet::Year => format!(
            "SELECT {YEAR} AS kind, key AS number, NULL::text AS name, movies FROM ({}) y WHERE key IS NOT NULL",
            rows("extract(year FROM m.release_date)::int")
        ),
    }
}

fn grouped(rows: Vec<Row>, wanted: &[Facet]) -> Facets {
    let begun = |facet| wanted.contains(&facet);
    let mut facets = Facets {
        genres: begun(Facet::Genres).then(Vec::new),
        language: begun(Facet::Language).then(Vec::new),
        year: begun(Facet::Year).then(Vec::new),
    };
    for row in rows {
        let (number, name, movies) =
            (row.number.unwrap_or_default(), row.name.unwrap_or_default(), row.movies.unwrap_or_default());
        match (row.kind, &mut facets) {
            (Some(GENRES), Facets { genres: Some(genres), .. }) => {
                genres.push(GenreSummary { id: number, name, movies })
            }
            (Some(LANGUAGE), Facets { language: Some(languages), .. }) => {
                languages.push(LanguageCount { language: name, movies })
            }
            (Some(YEAR), Facets { year: Some(years), .. }) => years.push(YearCount { year: number, movies }),
            _ => {}
        }
    }
    facets
}
