//! Fuzzy matches of a search: looked for when few titles have its words as they are written.

use sqlx::PgConnection;

use super::{
    ResolvedQuery, Words,
    conditions::{conditions, where_all},
    fuzzy::{FuzzyQuery, Lookup, Match, Vocabulary},
    sql_args::SqlArgs,
};

/// With fewer movies than this as they are written, a search also finds fuzzy matches.
const MIN_EXACT: usize = 20;
/// Of fuzzy matches, as many as anybody will look at: the most popular.
const MAX_FUZZY: usize = 500;

/// What a search finds.
#[derive(Debug, Clone)]
pub struct FuzzyMatches {
    /// The revision of the catalogue that this is of; `None` when it changed in between.
    pub revision: Option<i64>,
    /// All movies that are found; `None` when many titles have the words as they are written, and those are all.
    pub(super) hits: Option<Hits>,
}

/// Movies that are found, as columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Hits {
    pub(super) ids: Vec<i32>,
    /// As in [`crate::models::cursor::Fit`].
    pub(super) tiers: Vec<i32>,
    pub(super) distances: Vec<f32>,
}

impl Hits {
    fn push(&mut self, id: i32, tier: i32, distance: f32) {
        self.ids.push(id);
        self.tiers.push(tier);
        self.distances.push(distance);
    }
}

/// The fuzzy matches of a query; `None` when it searches for nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn fuzzy_matches(
    database: &mut PgConnection,
    resolved: &ResolvedQuery,
) -> sqlx::Result<Option<FuzzyMatches>> {
    let Some(words) = &resolved.words else { return Ok(None) };
    let (sql, arguments) = exact_sql(resolved, words)?;
    let exact: Vec<Found> = arguments.query(sql, true).fetch_all(&mut *database).await?;
    let mut revision = exact.first().map(|found| found.revision);
    let exact: Vec<Title> = exact.into_iter().filter_map(Found::title).collect();
    if exact.len() >= MIN_EXACT {
        return Ok(Some(FuzzyMatches { revision, hits: None }));
    }
    let mut hits = Hits::default();
    if words.as_str().is_empty() {
        return Ok(Some(FuzzyMatches { revision, hits: Some(hits) }));
    }
    let query = FuzzyQuery::new(words.as_str(), &vocabulary(database, words).await?);
    for title in &exact {
        let (tier, distance) = words.tier(title, query.matches(&title.search_text, title.released));
        hits.push(title.id, tier, distance);
    }
    let mut is_good = false;
    for lexemes in [Some(query.all_words()), query.some_words()].into_iter().flatten() {
        let (sql, arguments) = fuzzy_sql(resolved, lexemes, &query.years(), &hits.ids)?;
        let found: Vec<Found> = arguments.query(sql, true).fetch_all(&mut *database).await?;
        revision = revision.filter(|revision| found.iter().all(|found| found.revision == *revision));
        for title in found.into_iter().filter_map(Found::title) {
            let Some(fit) = query.matches(&title.search_text, title.released) else { continue };
            is_good |= fit.is_good();
            hits.push(title.id, if fit.is_same { SAME } else { FUZZY }, fit.distance);
        }
        // Words may only be missing when nothing has them all, or only what is far from them.
        if !exact.is_empty() || is_good {
            break;
        }
    }
    Ok(Some(FuzzyMatches { revision, hits: Some(hits) }))
}

const SAME: i32 = 1;
const BEGINNING: i32 = 2;
const WORDS: i32 = 3;
const FUZZY: i32 = 4;

impl Words {
    /// Of a title that has the words as they are written.
    fn tier(&self, title: &Title, fit: Option<Match>) -> (i32, f32) {
        match fit {
            Some(Match { is_same: true, distance }) => (SAME, distance),
            _ if title.search_text.contains(&format!("\n {}", self.as_str())) => (BEGINNING, 0.0),
            _ => (WORDS, 0.0),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Found {
    revision: i64,
    id: Option<i32>,
    search_text: Option<String>,
    released: Option<i32>,
}

struct Title {
    id: i32,
    search_text: String,
    /// The year.
    released: Option<i32>,
}

impl Found {
    /// `None` for the one row that carries nothing but the revision.
    fn title(self) -> Option<Title> {
        Some(Title { id: self.id?, search_text: self.search_text?, released: self.released })
    }
}

/// Words of titles that matter to a search.
async fn vocabulary(database: &mut PgConnection, words: &Words) -> sqlx::Result<Vocabulary> {
    let Lookup { short, long, variants } = Lookup::of(words.as_str());
    let words = sqlx::query!(
        r#"SELECT s.word AS searched, l.word AS "word!" FROM unnest($1::text[]) s (word), movie_words_like_short(s.word) l (word)
           UNION ALL
           SELECT s.word, l.word FROM unnest($2::text[]) s (word), movie_words_like_long(s.word) l (word)
           UNION ALL
           SELECT NULL, word FROM movie_words WHERE word = ANY ($3)"#,
        &short,
        &long,
        &variants
    );
    let words = words.map(|row| (row.searched, row.word)).fetch_all(database).await?;
    Ok(Vocabulary::new(words))
}

/// The revision, in one row at least, and movies that have the words as they are written, up to [`MIN_EXACT`].
pub(super) fn exact_sql(resolved: &ResolvedQuery, words: &Words) -> sqlx::Result<(String, SqlArgs)> {
    let mut arguments = SqlArgs::default();
    let mut exact = conditions(resolved, &mut arguments)?;
    exact.push(words.has_words(&mut arguments)?.in_index);
    Ok((titles_sql(&exact, &format!("LIMIT {MIN_EXACT}")), arguments))
}

/// The same of movies with these lexemes that are not known yet: first those of the years that are searched for.
pub(super) fn fuzzy_sql(
    resolved: &ResolvedQuery,
    lexemes: String,
    years: &[i32],
    known: &[i32],
) -> sqlx::Result<(String, SqlArgs)> {
    let mut arguments = SqlArgs::default();
    let mut fuzzy = conditions(resolved, &mut arguments)?;
    fuzzy.push(format!("movie_search_lexemes(m.search_text) @@ ({}::text)::tsquery", arguments.bind(lexemes)?));
    if !known.is_empty() {
        fuzzy.push(format!("m.id <> ALL ({})", arguments.bind(known.to_vec())?));
    }
    let mut order = String::new();
    if !years.is_empty() {
        let years = arguments.bind(years.to_vec())?;
        order = format!("(extract(year FROM m.release_date)::int = ANY ({years})) IS TRUE DESC, ");
    }
    order += "m.popularity DESC NULLS LAST, m.id DESC";
    Ok((titles_sql(&fuzzy, &format!("ORDER BY {order} LIMIT {MAX_FUZZY}")), arguments))
}

fn titles_sql(conditions: &[String], order: &str) -> String {
    format!(
        "SELECT s.revision, found.*
         FROM catalogue_state s
         LEFT JOIN (SELECT m.id, m.search_text, extract(year FROM m.release_date)::int AS released
                    FROM movies m {} {order}) found ON true",
        where_all(conditions)
    )
}
