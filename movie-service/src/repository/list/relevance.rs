//! The order of relevance, best first: the same title, one that begins so, one with the words, one spelt alike; the more
//! popular first in each.
//!
//! What many titles have is found quickly among the most popular movies, and what few have in the index of lexemes.
//! Which of both is not known before. So each step walks a limited way along the most popular first, and takes the rest
//! from the index only when that was not enough.

use std::slice::from_ref;

use crate::models::cursor::{Fit, Key, Position};

use super::{bound::Bound, conditions::where_all, parts::bind_key, search::Search};

/// How many of the most popular to look at. What this leaves short, few titles have: about one in a hundred.
const WALK: i64 = 2000;

const BEST_FIRST: &str = "m.popularity DESC NULLS LAST, m.id DESC";

/// The parts of a list in this order, and the common tables that they read.
pub(super) fn best_first(
    search: &Search,
    after: Option<&Position>,
    filters: &[String],
    (arguments, limit): (&mut Bound, &str),
) -> sqlx::Result<(String, Vec<String>)> {
    let last = after.zip(after.and_then(|after| after.fit));
    let follows = last.map(|(after, _)| follows(after, arguments)).transpose()?;
    let reached = last.map_or(0, |(_, fit)| fit.tier);
    let mut parts = Vec::new();
    for (tier, found, but) in [
        (1, &search.same, None),
        (2, &search.begins, Some(&search.same.1)),
        (3, &search.has_words, Some(&search.begins.1)),
    ] {
        if tier < reached {
            continue;
        }
        let step = Step { tier, found, but, filters, follows: follows.as_ref().filter(|_| tier == reached), limit };
        parts.extend(step.parts());
    }
    if let Some(alike) = &search.alike {
        parts.push(spelt_alike(alike, last, follows.as_ref(), (arguments, limit))?);
    }
    Ok((tables(search, filters), parts))
}

/// `walked`: those with the words among the most popular, for all steps. `edge`: the last one looked at.
fn tables(search: &Search, filters: &[String]) -> String {
    let way = "FROM movies m WHERE m.popularity IS NOT NULL ORDER BY m.popularity DESC, m.id DESC";
    let found = where_all(&[from_ref(&search.has_words.1), filters].concat());
    format!(
        "WITH walked AS MATERIALIZED (
             SELECT m.id, m.popularity, m.search_text FROM (SELECT * {way} LIMIT {WALK}) m {found}
         ), edge AS MATERIALIZED (SELECT m.popularity, m.id {way} OFFSET {} LIMIT 1)",
        WALK - 1
    )
}

/// What comes after the last row among movies that fit equally well.
struct Follows {
    /// Among those of known popularity; `None` when the last one's is not known.
    known: Option<String>,
    /// Among all.
    all: String,
}

fn follows(after: &Position, arguments: &mut Bound) -> sqlx::Result<Follows> {
    let id = arguments.bind(after.id)?;
    if after.key == Key::Unknown {
        return Ok(Follows { known: None, all: format!("m.popularity IS NULL AND m.id < {id}") });
    }
    let known = format!("(m.popularity, m.id) < ({}, {id})", bind_key(arguments, &after.key)?);
    Ok(Follows { all: format!("({known} OR m.popularity IS NULL)"), known: Some(known) })
}

struct Step<'a> {
    tier: i32,
    found: &'a (String, String),
    /// Not those of the steps before.
    but: Option<&'a String>,
    filters: &'a [String],
    follows: Option<&'a Follows>,
    limit: &'a str,
}

impl Step<'_> {
    fn parts(&self) -> Vec<String> {
        let (in_index, in_row) = self.found;
        let but: Vec<String> = self.but.map(|but| format!("NOT {but}")).into_iter().collect();
        let in_index = [from_ref(in_index), but.as_slice(), self.filters].concat();
        let in_row = [from_ref(in_row), but.as_slice()].concat();
        let beyond = |edge: &str| format!("(m.popularity IS NULL OR (m.popularity, m.id) < ({edge}))");
        match self.follows {
            None => {
                let beyond = beyond("SELECT popularity, id FROM edge");
                vec![self.part("walked", &in_row), self.part("movies", &[in_index, vec![beyond]].concat())]
            }
            Some(Follows { known: None, all }) => vec![self.part("movies", &[in_index, vec![all.clone()]].concat())],
            // Another walk, from the last row on.
            Some(Follows { known: Some(known), all }) => {
                let way = format!("FROM movies m WHERE {known} ORDER BY m.popularity DESC, m.id DESC");
                let edge = format!("SELECT m.popularity, m.id {way} OFFSET {} LIMIT 1", WALK - 1);
                let walked = format!("(SELECT * {way} LIMIT {WALK})");
                vec![
                    self.part(&walked, &[in_row.as_slice(), self.filters].concat()),
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

fn spelt_alike(
    alike: &str,
    last: Option<(&Position, Fit)>,
    follows: Option<&Follows>,
    (arguments, limit): (&mut Bound, &str),
) -> sqlx::Result<String> {
    let mut rest = String::new();
    if let (Some((_, Fit { tier: 4, distance })), Some(follows)) = (last, follows) {
        let reached = arguments.bind(distance)?;
        rest = format!("WHERE (distance > {reached} OR (distance = {reached} AND {}))", follows.all);
    }
    Ok(format!(
        "SELECT m.id, 4 AS tier, distance FROM {alike} JOIN movies m ON m.id = alike.id {rest}
         ORDER BY distance, {BEST_FIRST} LIMIT {limit}"
    ))
}

/// The one part of a list with the worst first, from all `hits`.
pub(super) fn worst_first(
    after: Option<&Position>,
    (arguments, limit): (&mut Bound, &str),
) -> sqlx::Result<Vec<String>> {
    let mut conditions = Vec::new();
    if let Some((after, fit)) = after.zip(after.and_then(|after| after.fit)) {
        let (tier, distance) = (arguments.bind(fit.tier)?, arguments.bind(fit.distance)?);
        let id = arguments.bind(after.id)?;
        let follows = if after.key == Key::Unknown {
            format!("m.key IS NULL AND m.id > {id}")
        } else {
            format!("((m.key, m.id) > ({}, {id}) OR m.key IS NULL)", bind_key(arguments, &after.key)?)
        };
        conditions.push(format!(
            "((m.tier, m.distance) < ({tier}, {distance}) OR (m.tier, m.distance) = ({tier}, {distance}) AND {follows})"
        ));
    }
    Ok(vec![format!(
        "SELECT m.id, m.tier, m.distance FROM hits m {}
         ORDER BY m.tier DESC, m.distance DESC, m.key, m.id LIMIT {limit}",
        where_all(&conditions)
    )])
}
