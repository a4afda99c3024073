//! The order of relevance, best first: the same title, one that begins so, one with the words, one that nearly has them;
//! the more popular first in each.
//!
//! What many titles have is found quickly among the most popular movies, and what few have in the index of lexemes.
//! Which of both is not known before. So each step scans a limited part of the most popular first, and takes the rest
//! from the index only when that was not enough.

use std::slice::from_ref;

use crate::models::{
    cursor::{Key, Position},
    query::Order,
};

use super::{
    conditions::where_all,
    keyset::{Direction, bind_key},
    search::{Condition, Exact},
    sql_args::SqlArgs,
};

/// How many of the most popular to look at. What this leaves short, few titles have: about one in a hundred.
const SCAN_LIMIT: i64 = 2000;

const BEST_FIRST: &str = "m.popularity DESC NULLS LAST, m.id DESC";

/// The parts of a list with the best first, when many titles have the words as they are written; and the common tables
/// that they read.
pub(super) fn best_first(
    search: &Exact,
    after: Option<&Position>,
    filters: &[String],
    (arguments, limit): (&mut SqlArgs, &str),
) -> sqlx::Result<(String, Vec<String>)> {
    let last = after.zip(after.and_then(|after| after.fit));
    let follows = last.map(|(after, _)| follows(after, arguments)).transpose()?;
    let reached = last.map_or(0, |(_, fit)| fit.tier);
    let mut parts = Vec::new();
    let (same, begins) = (&search.same.in_row, &search.begins.in_row);
    for (tier, found, except) in
        [(1, &search.same, Vec::new()), (2, &search.begins, vec![same]), (3, &search.has_words, vec![same, begins])]
    {
        if tier < reached {
            continue;
        }
        let except: Vec<String> = except.into_iter().map(|other| format!("NOT ({other})")).collect();
        let follows = follows.as_ref().filter(|_| tier == reached);
        let step = Step { tier, found, except: &except, filters, follows, limit };
        parts.extend(step.parts());
    }
    Ok((tables(search, filters), parts))
}

/// `scanned`: those with the words among the most popular, for all steps. `edge`: the last one looked at.
fn tables(search: &Exact, filters: &[String]) -> String {
    let popular = "FROM movies m WHERE m.popularity IS NOT NULL ORDER BY m.popularity DESC, m.id DESC";
    let found = where_all(&[from_ref(&search.has_words.in_row), filters].concat());
    format!(
        "WITH scanned AS MATERIALIZED (
             SELECT m.id, m.popularity, m.search_text FROM (SELECT * {popular} LIMIT {SCAN_LIMIT}) m {found}
         ), edge AS MATERIALIZED (SELECT m.popularity, m.id {popular} OFFSET {} LIMIT 1)",
        SCAN_LIMIT - 1
    )
}

/// What comes after the last row among movies that fit equally well.
struct Follows {
    /// Among those of known popularity; `None` when the last one's is not known.
    known: Option<String>,
    /// Among all.
    all: String,
}

fn follows(after: &Position, arguments: &mut SqlArgs) -> sqlx::Result<Follows> {
    let id = arguments.bind(after.id)?;
    if after.key == Key::Unknown {
        return Ok(Follows { known: None, all: format!("m.popularity IS NULL AND m.id < {id}") });
    }
    let known = format!("(m.popularity, m.id) < ({}, {id})", bind_key(arguments, &after.key)?);
    Ok(Follows { all: format!("({known} OR m.popularity IS NULL)"), known: Some(known) })
}

struct Step<'a> {
    tier: i32,
    found: &'a Condition,
    /// Not those of the steps before.
    except: &'a [String],
    filters: &'a [String],
    follows: Option<&'a Follows>,
    limit: &'a str,
}

impl Step<'_> {
    fn parts(&self) -> Vec<String> {
        let in_index = [from_ref(&self.found.in_index), self.except, self.filters].concat();
        let in_row = [from_ref(&self.found.in_row), self.except].concat();
        let beyond = |edge: &str| format!("(m.popularity IS NULL OR (m.popularity, m.id) < ({edge}))");
        match self.follows {
            None => {
                let beyond = beyond("SELECT popularity, id FROM edge");
                vec![self.part("scanned", &in_row), self.part("movies", &[in_index, vec![beyond]].concat())]
            }
            Some(Follows { known: None, all }) => vec![self.part("movies", &[in_index, vec![all.clone()]].concat())],
            // Another scan, from the last row on.
            Some(Follows { known: Some(known), all }) => {
                let rest = format!("FROM movies m WHERE {known} ORDER BY m.popularity DESC, m.id DESC");
                let edge = format!("SELECT m.popularity, m.id {rest} OFFSET {} LIMIT 1", SCAN_LIMIT - 1);
                let scanned = format!("(SELECT * {rest} LIMIT {SCAN_LIMIT})");
                vec![
                    self.part(&scanned, &[in_row.as_slice(), self.filters].concat()),
                    self.part("movies", &[in_index, vec![all.clone(), beyond(&edge)]].concat()),
                ]
            }
        }
    }

    fn part(&self, source: &str, conditions: &[String]) -> String {
        let (tier, limit) = (self.tier, self.limit);
        let found = where_all(conditions);
        format!(
            "SELECT m.id, {tier} AS tier, 0::real AS distance FROM {source} m {found} ORDER BY {BEST_FIRST} LIMIT {limit}"
        )
    }
}

/// The one part of a list of all `hits`, in either direction: the best is what fits best, then what is most popular.
pub(super) fn of_hits(
    order: Order,
    after: Option<&Position>,
    (arguments, limit): (&mut SqlArgs, &str),
) -> sqlx::Result<Vec<String>> {
    let Direction { order: by_key, follows: key_follows } = Direction::of(order);
    // The best has the least tier and distance, but the highest popularity.
    let (by_fit, fit_follows) = if order == Order::Descending { ("ASC", ">") } else { ("DESC", "<") };
    let mut conditions = Vec::new();
    if let Some((after, fit)) = after.zip(after.and_then(|after| after.fit)) {
        let fit = format!("({}, {})", arguments.bind(fit.tier)?, arguments.bind(fit.distance)?);
        let id = arguments.bind(after.id)?;
        let follows = if after.key == Key::Unknown {
            format!("m.key IS NULL AND m.id {key_follows} {id}")
        } else {
            format!("((m.key, m.id) {key_follows} ({}, {id}) OR m.key IS NULL)", bind_key(arguments, &after.key)?)
        };
        conditions
            .push(format!("((m.tier, m.distance) {fit_follows} {fit} OR (m.tier, m.distance) = {fit} AND {follows})"));
    }
    Ok(vec![format!(
        "SELECT m.id, m.tier, m.distance FROM hits m {}
         ORDER BY m.tier {by_fit}, m.distance {by_fit}, m.key {by_key} NULLS LAST, m.id {by_key} LIMIT {limit}",
        where_all(&conditions)
    )])
}
