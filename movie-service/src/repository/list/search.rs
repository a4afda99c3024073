//! What a search looks for, in the forms that indexes and rows are compared with.

use std::slice::from_ref;

use sqlx::PgExecutor;

use super::{Request, bound::Bound, conditions::where_all, spelling::quoted};

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
    /// The table `alike (id, distance)` of those spelt alike, if any.
    pub(super) alike: Option<String>,
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

    /// One form of each letter, and a space between words.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Binds what is searched for, as it is written.
    pub(super) fn bind(&self, arguments: &mut Bound) -> sqlx::Result<Search> {
        let line = escape(&self.0);
        let mut search = Search {
            same: lexemes(arguments, &quoted(&format!(" {} ", self.0)), &format!("%\n {line} \n%"))?,
            begins: lexemes(arguments, &format!("{}:*", quoted(&format!(" {}", self.0))), &format!("%\n {line}%"))?,
            has_words: (String::new(), String::new()),
            alike: None,
        };
        let (mut index, mut row) = (Vec::new(), Vec::new());
        for word in self.words() {
            // In scripts that put no space between words it may stand anywhere, if it has the three characters that the
            // index of trigrams needs; else at the beginning of a word.
            if word.chars().count() >= 3 && word.chars().any(is_unspaced) {
                let pattern = format!("m.search_text LIKE {}", arguments.bind(format!("%{}%", escape(word)))?);
                index.push(format!("{pattern} AND movie_search_is_unspaced(m.search_text)"));
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
    /// Of a request that searches for something.
    pub(super) fn of(request: &Request, arguments: &mut Bound) -> sqlx::Result<Option<Self>> {
        let Some(words) = &request.words else { return Ok(None) };
        let mut search = words.bind(arguments)?;
        if let Some(alike) = request.alike.as_ref().filter(|alike| !alike.ids.is_empty()) {
            let (ids, distances) = (arguments.bind(&alike.ids)?, arguments.bind(&alike.distances)?);
            search.alike = Some(format!("unnest({ids}::int[], {distances}::real[]) alike (id, distance)"));
        }
        Ok(Some(search))
    }

    /// All that are found, as the common table `hits` with `id`, `key`, `tier` and `distance`.
    pub(super) fn hits(&self, key: &str, filters: &[String]) -> String {
        let found = where_all(&[from_ref(&self.has_words.0), filters].concat());
        let mut hits = format!(
            "SELECT m.id, {key} AS key, 0::real AS distance, CASE WHEN {} THEN 1 WHEN {} THEN 2 ELSE 3 END AS tier
             FROM movies m {found}",
            self.same.1, self.begins.1
        );
        if let Some(alike) = &self.alike {
            hits += &format!(
                " UNION ALL SELECT m.id, {key} AS key, alike.distance, 4 AS tier
                  FROM {alike} JOIN movies m ON m.id = alike.id"
            );
        }
        format!("WITH hits AS MATERIALIZED ({hits})")
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
