//! What a search looks for, in the forms that indexes and rows are compared with.

use std::slice::from_ref;

use sqlx::PgExecutor;

use super::{bound::Bound, conditions::where_all};

/// With fewer movies than this as they are written, a search also finds those spelt alike.
pub(super) const FEW: i64 = 20;
/// How close two words are that differ by a swap, beside the similarities of pg_trgm.
const SWAPPED: f32 = 0.5;
/// Of what a swap makes of a rare word, as many as anybody will look at: the most popular.
const MOST_SWAPPED: i64 = 500;
/// With titles as they are written, those spelt alike are looked for among so many of the most popular, and as many whose
/// popularity is not known.
const POPULAR: i64 = 2000;
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
    /// Tables of what is spelt like it: of all movies, and of the most popular.
    spelt: (String, String),
    /// The words, or some of them with two letters swapped.
    swapped: Option<String>,
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
            same: lexemes(arguments, &quoted(&format!(" {} ", self.0)), &format!("%\n {line} \n%"))?,
            begins: lexemes(arguments, &format!("{}:*", quoted(&format!(" {}", self.0))), &format!("%\n {line}%"))?,
            has_words: (String::new(), String::new()),
            spelt: self.spelt(&arguments.bind(self.0.clone())?),
            swapped: self.swapped().map(|query| arguments.bind(query)).transpose()?,
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

    /// What is spelt like `spelling`. A mistake in one word leaves half of it, and of several words most: only when
    /// nothing is that close, the rest is looked at.
    fn spelt(&self, spelling: &str) -> (String, String) {
        let several = self.0.contains(' ');
        let all = if several {
            format!(
                "(WITH close AS MATERIALIZED (SELECT id, closeness FROM movies_spelt_closely({spelling}))
                  TABLE close UNION ALL
                  SELECT id, closeness FROM movies_spelt_like({spelling}) WHERE NOT EXISTS (SELECT FROM close)) spelt"
            )
        } else {
            format!("movies_spelt_like({spelling})")
        };
        // As close as these two functions ask for.
        let least = if several { 0.6 } else { 0.4 };
        let popular = format!(
            "(SELECT id, word_similarity({spelling}, search_text) AS closeness
              FROM ((SELECT id, search_text FROM movies WHERE popularity IS NOT NULL
                     ORDER BY popularity DESC, id DESC LIMIT {POPULAR})
                    UNION ALL
                    (SELECT id, search_text FROM movies WHERE popularity IS NULL ORDER BY id DESC LIMIT {POPULAR})) popular
             ) spelt WHERE closeness >= {least}"
        );
        (all, popular)
    }

    /// The words, each of four or five letters also with two neighbours swapped: these have too few trigrams for
    /// `movies_spelt_like`. `None` when there is no such word.
    fn swapped(&self) -> Option<String> {
        let forms = |word: &str| {
            let mut forms = vec![format!("{}:*", quoted(word))];
            let letters: Vec<char> = word.chars().collect();
            if (4..=5).contains(&letters.len()) {
                for at in 1..letters.len() {
                    let mut form = letters.clone();
                    form.swap(at - 1, at);
                    forms.push(quoted(&form.into_iter().collect::<String>()));
                }
            }
            forms
        };
        let words: Vec<Vec<String>> = self.words().into_iter().map(forms).collect();
        let some = words.iter().any(|forms| forms.len() > 1);
        let all = words.iter().map(|forms| format!("({})", forms.join(" | "))).collect::<Vec<_>>();
        some.then(|| all.join(" & "))
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

    /// Movies spelt alike that are not written so, from `FROM` on. Where some title is written so, it is most likely no
    /// mistake, and not worth a look at every title.
    pub(super) fn spelt_alike(&self, more: &[String]) -> String {
        let rest = where_all(&[&[format!("NOT ({})", self.has_words.1)], more].concat());
        let written = format!("EXISTS (SELECT FROM movies m WHERE {})", self.has_words.0);
        let (all, popular) = &self.spelt;
        let mut alike = format!(
            "(SELECT id, closeness FROM {all} WHERE NOT {written} UNION ALL
              SELECT id, closeness FROM {popular} AND {written})"
        );
        if let Some(swapped) = &self.swapped {
            alike = format!(
                "(SELECT id, max(closeness) AS closeness
                  FROM (SELECT id, closeness FROM {alike} spelt UNION ALL
                        (SELECT id, {SWAPPED}::real FROM movies
                         WHERE movie_search_lexemes(search_text) @@ ({swapped}::text)::tsquery
                         ORDER BY popularity DESC NULLS LAST, id DESC LIMIT {MOST_SWAPPED})) both_ways
                  GROUP BY id)"
            );
        }
        format!("FROM {alike} alike JOIN movies m ON m.id = alike.id {rest}")
    }

    /// All that are found, as common tables: `hits` with `id`, `key`, `tier` and `distance`, and `found_few` with `few`.
    pub(super) fn hits(&self, key: &str, filters: &[String]) -> String {
        let found = where_all(&[from_ref(&self.has_words.0), filters].concat());
        let more = [filters, &["(SELECT few FROM found_few)".to_owned()]].concat();
        format!(
            "WITH found_few AS MATERIALIZED (SELECT {} AS few), hits AS MATERIALIZED (
                 SELECT m.id, {key} AS key, 0::real AS distance,
                        CASE WHEN {} THEN 1 WHEN {} THEN 2 ELSE 3 END AS tier
                 FROM movies m {found}
                 UNION ALL
                 SELECT m.id, {key} AS key, 1::real - alike.closeness AS distance, 4 AS tier {}
             )",
            self.has_few(filters),
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
