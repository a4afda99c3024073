//! Movies that are spelt like a search: looked for when few are written so.

use sqlx::PgConnection;

use super::{
    Request, Words,
    bound::Bound,
    conditions::{conditions, where_all},
    spelling::{Spelling, doubtful, edits},
};

/// With fewer movies than this as they are written, a search also finds those spelt alike.
const FEW: i64 = 20;
/// Of movies spelt alike, as many as anybody will look at: the most popular.
const MOST: i64 = 500;

/// Movies spelt alike that are not written so, and match the other filters too.
#[derive(Debug, Clone)]
pub struct Alike {
    /// The revision of the catalogue that this is of; `None` when it changed in between.
    pub revision: Option<i64>,
    /// Whether few are written so; else there is nothing here.
    pub(super) few: bool,
    /// The movies' ids, and how far each is from the search.
    pub(super) ids: Vec<i32>,
    pub(super) distances: Vec<f32>,
}

/// Movies spelt like the words of a request; `None` when it searches for nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn spelt_alike(database: &mut PgConnection, request: &Request) -> sqlx::Result<Option<Alike>> {
    let Some(words) = &request.words else { return Ok(None) };
    let (revision, written) = count_few(database, request, words).await?;
    let mut alike = Alike { revision: Some(revision), few: written < FEW, ids: Vec::new(), distances: Vec::new() };
    if !alike.few || words.as_str().is_empty() {
        return Ok(Some(alike));
    }
    let spelling = Spelling::new(words.as_str(), &known(database, words).await?);
    for query in [Some(spelling.all()), spelling.all_but_one()].into_iter().flatten() {
        for found in found(database, request, words, query).await? {
            alike.revision = alike.revision.filter(|revision| *revision == found.revision);
            let (Some(id), Some(text)) = (found.id, found.search_text) else { continue };
            alike.ids.push(id);
            alike.distances.push(spelling.distance(&text));
        }
        // One word may only be left out when nothing at all has them all.
        if written > 0 || !alike.ids.is_empty() {
            break;
        }
    }
    Ok(Some(alike))
}

/// The revision, and how many movies are written so, up to [`FEW`].
async fn count_few(database: &mut PgConnection, request: &Request, words: &Words) -> sqlx::Result<(i64, i64)> {
    let mut arguments = Bound::default();
    let mut written = conditions(request, &mut arguments)?;
    written.push(words.bind(&mut arguments)?.has_words.0);
    let sql = format!(
        "SELECT s.revision, (SELECT count(*) FROM (SELECT FROM movies m {} LIMIT {FEW}) first)
         FROM catalogue_state s",
        where_all(&written)
    );
    arguments.statement(sql, true).fetch_one(database).await
}

/// Words of titles that look like one of the search, beside that one.
async fn known(database: &mut PgConnection, words: &Words) -> sqlx::Result<Vec<(String, String)>> {
    let (short, long): (Vec<&str>, Vec<&str>) =
        doubtful(words.as_str()).into_iter().partition(|word| edits(word.chars().count()) < 2);
    let known = "SELECT s.word, l.word FROM unnest($1::text[]) s (word), movie_words_like_short(s.word) l (word)
                 UNION ALL
                 SELECT s.word, l.word FROM unnest($2::text[]) s (word), movie_words_like_long(s.word) l (word)";
    sqlx::query_as(known).bind(short).bind(long).fetch_all(database).await
}

#[derive(sqlx::FromRow)]
struct Found {
    revision: i64,
    id: Option<i32>,
    search_text: Option<String>,
}

/// The revision, in one row at least, and the movies that `query` finds.
async fn found(
    database: &mut PgConnection,
    request: &Request,
    words: &Words,
    query: String,
) -> sqlx::Result<Vec<Found>> {
    let mut arguments = Bound::default();
    let mut alike = conditions(request, &mut arguments)?;
    alike.push(format!("movie_search_lexemes(m.search_text) @@ ({}::text)::tsquery", arguments.bind(query)?));
    alike.push(format!("NOT ({})", words.bind(&mut arguments)?.has_words.1));
    let sql = format!(
        "SELECT s.revision, found.id, found.search_text
         FROM catalogue_state s
         LEFT JOIN (SELECT m.id, m.search_text FROM movies m {}
                    ORDER BY m.popularity DESC NULLS LAST, m.id DESC LIMIT {MOST}) found ON true",
        where_all(&alike)
    );
    arguments.statement(sql, true).fetch_all(database).await
}
