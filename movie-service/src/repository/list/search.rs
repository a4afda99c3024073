//! What a search looks for, in the forms that indexes and rows are compared with.

use std::slice::from_ref;

use sqlx::PgExecutor;

use super::{ResolvedQuery, conditions::where_all, fuzzy::quoted, sql_args::SqlArgs};

/// More of a search says nothing; less than what the index keeps of a title.
const MAX_CHARS: usize = 250;

/// A search as titles are compared: one form of each letter, a space between words.
#[derive(Debug, Clone)]
pub struct Words(pub(super) String);

/// A condition on a movie `m`, written twice.
pub(super) struct Condition {
    /// For the index.
    pub(super) in_index: String,
    /// For a row at hand.
    pub(super) in_row: String,
}

/// Conditions on a movie `m`, of a search whose words many titles have.
pub(super) struct Exact {
    /// Its title is the same.
    pub(super) same: Condition,
    /// Its title begins so.
    pub(super) begins: Condition,
    /// It has all the words.
    pub(super) has_words: Condition,
}

/// What a query searches for.
pub(super) enum Search {
    /// Movies with all the words.
    Exact(Exact),
    /// Movies that have been found: the table `found (id, tier, distance)`.
    Found(String),
}

impl Words {
    /// Of the text that a client searches for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(database: impl PgExecutor<'_>, q: &str) -> sqlx::Result<Self> {
        let words = match ascii_words(q) {
            Some(words) => words,
            None => sqlx::query_scalar!(r#"SELECT movie_search_words($1) AS "words!""#, q).fetch_one(database).await?,
        };
        Ok(Self(words.trim().chars().take(MAX_CHARS).collect::<String>().trim_end().to_owned()))
    }

    /// One form of each letter, and a space between words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The conditions of a search for what is written.
    fn exact(&self, arguments: &mut SqlArgs) -> sqlx::Result<Exact> {
        let same = Condition {
            in_index: lexemes(arguments, quoted(&format!(" {} ", self.0)))?,
            in_row: like(arguments, format!("%\n {} \n%", escape(&self.0)))?,
        };
        let begins = Condition {
            in_index: lexemes(arguments, format!("{}:*", quoted(&format!(" {}", self.0))))?,
            in_row: like(arguments, format!("%\n {}%", escape(&self.0)))?,
        };
        Ok(Exact { same, begins, has_words: self.has_words(arguments)? })
    }

    /// The condition that all the words are there, as they are written.
    pub(super) fn has_words(&self, arguments: &mut SqlArgs) -> sqlx::Result<Condition> {
        let (mut index, mut row) = (Vec::new(), Vec::new());
        for word in self.distinct() {
            // In scripts that put no space between words it may stand anywhere, if it has the three characters that the
            // index of trigrams needs; else at the beginning of a word.
            if word.chars().count() >= 3 && word.chars().any(is_unspaced) {
                let pattern = like(arguments, format!("%{}%", escape(word)))?;
                index.push(format!("{pattern} AND movie_search_is_unspaced(m.search_text)"));
                row.push(pattern);
            } else {
                index.push(lexemes(arguments, format!("{}:*", quoted(word)))?);
                row.push(like(arguments, format!("% {}%", escape(word)))?);
            }
        }
        // No word, no movie.
        let all =
            |conditions: Vec<String>| if conditions.is_empty() { "false".to_owned() } else { conditions.join(" AND ") };
        Ok(Condition { in_index: all(index), in_row: all(row) })
    }

    /// Each word once.
    fn distinct(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.0.split_whitespace().collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

impl Search {
    /// Of a query that searches for something.
    pub(super) fn of(resolved: &ResolvedQuery, arguments: &mut SqlArgs) -> sqlx::Result<Option<Self>> {
        let Some(words) = &resolved.words else { return Ok(None) };
        let hits = resolved.fuzzy_matches.as_ref().and_then(|matches| matches.hits.as_ref());
        let Some(hits) = hits else { return Ok(Some(Self::Exact(words.exact(arguments)?))) };
        let (ids, tiers) = (arguments.bind(hits.ids.clone())?, arguments.bind(hits.tiers.clone())?);
        let distances = arguments.bind(hits.distances.clone())?;
        let found = format!("unnest({ids}::int[], {tiers}::int[], {distances}::real[]) found (id, tier, distance)");
        Ok(Some(Self::Found(found)))
    }

    /// All that are found, as the common table `hits` with `id`, `key`, `tier` and `distance`.
    pub(super) fn hits(&self, key: &str, filters: &[String]) -> String {
        let hits = match self {
            Self::Found(found) => format!(
                "SELECT m.id, {key} AS key, found.distance, found.tier FROM {found} JOIN movies m ON m.id = found.id"
            ),
            Self::Exact(Exact { same, begins, has_words }) => format!(
                "SELECT m.id, {key} AS key, 0::real AS distance, CASE WHEN {} THEN 1 WHEN {} THEN 2 ELSE 3 END AS tier
                 FROM movies m {}",
                same.in_row,
                begins.in_row,
                where_all(&[from_ref(&has_words.in_index), filters].concat())
            ),
        };
        format!("WITH hits AS MATERIALIZED ({hits})")
    }
}

/// The words of a text that is ASCII, which most searches are: what the function `movie_search_words` of the schema makes of
/// it, without asking.
fn ascii_words(text: &str) -> Option<String> {
    let lower = text.is_ascii().then(|| text.to_ascii_lowercase())?;
    let separates = |letter: char| letter.is_ascii_punctuation() || matches!(letter, '\t'..='\r' | ' ' | '\x7f');
    let words: Vec<&str> = lower.split(separates).filter(|word| !word.is_empty()).collect();
    Some(if words.is_empty() { lower } else { words.join(" ") })
}

fn lexemes(arguments: &mut SqlArgs, query: String) -> sqlx::Result<String> {
    Ok(format!("movie_search_lexemes(m.search_text) @@ ({}::text)::tsquery", arguments.bind(query)?))
}

fn like(arguments: &mut SqlArgs, pattern: String) -> sqlx::Result<String> {
    Ok(format!("m.search_text LIKE {}", arguments.bind(pattern)?))
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
