//! What a search looks for, in the forms that indexes and rows are compared with.

use std::slice::from_ref;

use sqlx::PgExecutor;

use super::{bound::Bound, conditions::where_all};

/// With fewer movies than this as they are written, a search also finds those spelt alike.
pub(super) const FEW: i64 = 20;
/// More of a search says nothing; less than what the index keeps of a title.
const MAX_CHARS: usize = 250;

/// A search as titles are compared: one form of each letter, a space between words.
#[derive(Debug, Clone)]
pub struct Words(String);

/// Conditions on a movie `m`.
pub(super) struct Search {
    /// Its title is the same: for the index, and for a row at hand.
    pub(super) same: (String, String),
    /// Its title begins so.
    pub(super) begins: (String, String),
    /// It has all the words.
    pub(super) has_words: (String, String),
    /// The words.
    pub(super) spelling: String,
}

impl Words {
    /// Of the text that a client searches for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(database: impl PgExecutor<'_>, q: &str) -> sqlx::Result<Self> {
        let words: String = sqlx::query_scalar("SELECT movie_search_words($1)").bind(q).fetch_one(database).await?;
        Ok(Self(words.trim().chars().take(MAX_CHARS).collect::<String>().trim_end().to_owned()))
    }

    /// Binds what is searched for.
    pub(super) fn bind(&self, arguments: &mut Bound) -> sqlx::Result<Search> {
        let line = escape(&self.0);
        let mut search = Search {
            same: lexemes(arguments, &quoted(&format!("\n{}", self.0)), &format!("%\n {line} \n%"))?,
            begins: lexemes(arguments, &format!("{}:*", quoted(&format!("\n{}", self.0))), &format!("%\n {line}%"))?,
            has_words: (String::new(), String::new()),
            spelling: arguments.bind(self.0.clone())?,
        };
        let (mut index, mut row) = (Vec::new(), Vec::new());
        for word in self.words() {
            // In scripts that put no space between words it may stand anywhere, if it has the three characters that the
            // index of trigrams needs; else at the beginning of a word.
            if word.chars().count() >= 3 && word.chars().any(is_unspaced) {
                let pattern = format!("m.search_text LIKE {}", arguments.bind(format!("%{}%", escape(word)))?);
                index.push(pattern.clone());
                row.push(pattern);
            } else {
                let (lexeme, pattern) =
                    lexemes(arguments, &format!("{}:*", quoted(word)), &format!("% {}%", escape(word)))?;
                index.push(lexeme);
                row.push(pattern);
            }
        }
        // No word, no movie.
        let all =
            |conditions: Vec<String>| if conditions.is_empty() { "false".to_owned() } else { conditions.join(" AND ") };
        search.has_words = (all(index), all(row));
        Ok(search)
    }

    /// Each once.
    fn words(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.0.split_whitespace().collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

impl Search {
    /// Whether those spelt alike are wanted, given the other conditions.
    pub(super) fn has_few(&self, filters: &[String]) -> String {
        let found = where_all(&[from_ref(&self.has_words.0), filters].concat());
        format!("(SELECT count(*) FROM (SELECT FROM movies m {found} LIMIT {FEW}) first) < {FEW}")
    }

    /// Movies spelt alike that are not written so, from `FROM` on.
    pub(super) fn spelt_alike(&self, more: &[String]) -> String {
        let rest = where_all(&[&[format!("NOT ({})", self.has_words.1)], more].concat());
        format!("FROM movies_spelt_like({}) alike JOIN movies m ON m.id = alike.id {rest}", self.spelling)
    }

    /// All that are found, as common tables: `hits` with `id`, `key`, `tier` and `distance`.
    pub(super) fn hits(&self, key: &str, filters: &[String]) -> String {
        let found = where_all(&[from_ref(&self.has_words.0), filters].concat());
        let more =
            [filters, &[format!("(SELECT count(*) FROM (SELECT FROM written LIMIT {FEW}) first) < {FEW}")]].concat();
        format!(
            "WITH written AS MATERIALIZED (
                 SELECT m.id, {key} AS key, 0::real AS distance,
                        CASE WHEN {} THEN 1 WHEN {} THEN 2 ELSE 3 END AS tier
                 FROM movies m {found}
             ), hits AS MATERIALIZED (
                 TABLE written UNION ALL
                 SELECT m.id, {key} AS key, 1::real - alike.closeness AS distance, 4 AS tier {}
             )",
            self.same.1,
            self.begins.1,
            self.spelt_alike(&more)
        )
    }
}

/// The conditions for the index of lexemes and for a row at hand.
fn lexemes(arguments: &mut Bound, query: &str, pattern: &str) -> sqlx::Result<(String, String)> {
    let (query, pattern) = (arguments.bind(query.to_owned())?, arguments.bind(pattern.to_owned())?);
    Ok((
        format!("movie_search_lexemes(m.search_text) @@ ({query}::text)::tsquery"),
        format!("m.search_text LIKE {pattern}"),
    ))
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

/// A text as one lexeme of a `tsquery`.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
