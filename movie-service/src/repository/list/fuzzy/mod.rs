//! Titles that nearly have the words of a search: with typos, spaces too many or too few, numbers written in
//! another way, a word too many, or the year of release.

mod numerals;
mod term;
#[cfg(test)]
mod tests;
mod title;

use std::collections::{HashMap, HashSet};

pub(super) use self::term::quoted;
use self::{
    term::{Role, Term, edits, joined, may_be_mistyped, pieces, swaps},
    title::Canonical,
};

/// Words after so many are taken as they are written.
const MAX_WORDS: usize = 10;
/// Forms of each word when others may be missing: each word stands in several places of that query.
const FORMS_IN_PAIRS: usize = 20;
/// Of what is searched for, so much must be there.
const MIN_SCORE: f32 = 0.5;
/// Added to the distance of a title that has more words than those searched for.
const LONGER_TITLE: f32 = 0.01;
/// Distance of a title that is the same but for an article.
const ARTICLE: f32 = 0.005;
/// Farther hits are poor: titles that lack a word may be better ones.
const GOOD_DISTANCE: f32 = 0.2;

/// A search in which each word may also be written in other forms.
pub(super) struct FuzzyQuery {
    terms: Vec<Term>,
    canonical: Canonical,
    without_years: Canonical,
}

/// How well a title fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Match {
    /// It is the same title, written in another way.
    pub(super) is_same: bool,
    /// From 0 (every letter is right) to 1 (nothing is there).
    pub(super) distance: f32,
}

/// What to look up among the words of all titles.
#[derive(Default)]
pub(super) struct Lookup {
    /// Words of which similar ones are wanted, by how many typos they may have: one, or two.
    pub(super) short: Vec<String>,
    pub(super) long: Vec<String>,
    /// What is a word or is not.
    pub(super) variants: Vec<String>,
}

/// Words of titles that matter to a search.
#[derive(Default)]
pub(super) struct Vocabulary {
    similar: HashMap<String, Vec<String>>,
    known: HashSet<String>,
}

impl Lookup {
    /// For the words of a search.
    pub(super) fn of(words: &str) -> Self {
        let words = distinct(words);
        let mut lookup = Self::default();
        for (index, word) in words.iter().enumerate().take(MAX_WORDS) {
            if may_be_mistyped(word) {
                let similar = if edits(word.chars().count()) < 2 { &mut lookup.short } else { &mut lookup.long };
                similar.push((*word).to_owned());
            }
            lookup.variants.extend(swaps(word));
            lookup.variants.extend(joined(&words, index));
            lookup.variants.extend(pieces(word));
        }
        // The table has no shorter words.
        lookup.variants.retain(|word| word.chars().count() > 2);
        lookup.variants.sort_unstable();
        lookup.variants.dedup();
        lookup
    }
}

impl Vocabulary {
    /// Of words, each with the searched one that it is similar to, or else as one of the variants.
    pub(super) fn new(rows: impl IntoIterator<Item = (Option<String>, String)>) -> Self {
        let mut vocabulary = Self::default();
        for (searched, word) in rows {
            match searched {
                Some(searched) => vocabulary.similar.entry(searched).or_default().push(word),
                None => drop(vocabulary.known.insert(word)),
            }
        }
        vocabulary
    }

    fn has(&self, word: &str) -> bool {
        self.known.contains(word)
    }

    fn similar_to(&self, word: &str) -> &[String] {
        self.similar.get(word).map_or(&[], Vec::as_slice)
    }
}

/// The words, each where it is first.
fn distinct(words: &str) -> Vec<&str> {
    let mut known = HashSet::new();
    words.split_whitespace().filter(|word| known.insert(*word)).collect()
}

impl FuzzyQuery {
    /// Of the words of a search.
    pub(super) fn new(words: &str, vocabulary: &Vocabulary) -> Self {
        let distinct = distinct(words);
        let mut terms: Vec<Term> =
            (0..distinct.len().min(MAX_WORDS)).map(|index| Term::new(&distinct, index, vocabulary)).collect();
        terms.extend(distinct.iter().skip(MAX_WORDS).map(|word| Term::as_written(word)));
        // Somebody who searches for "The Of" or "1917" means just that.
        if terms.iter().all(|term| term.role != Role::Required) {
            terms.iter_mut().for_each(|term| term.role = Role::Required);
        }
        let years = |word: &&str| terms.iter().any(|term| term.text == **word && matches!(term.role, Role::Year(_)));
        let others: Vec<&str> = words.split_whitespace().filter(|word| !years(word)).collect();
        let (canonical, without_years) = (Canonical::of(words), Canonical::of(&others.join(" ")));
        Self { terms, canonical, without_years }
    }

    /// Titles with all the words that matter, as a `tsquery` of their lexemes. Without any there is nothing to look for.
    pub(super) fn all_words(&self) -> String {
        let required = self.terms.iter().filter(|term| term.role == Role::Required);
        required.map(|term| term.query(usize::MAX)).collect::<Vec<_>>().join(" & ")
    }

    /// Titles with about half of the words or more. Whoever has `half + 1` words out of `half` groups has two of one group:
    /// so it is enough to look for the pairs of each group (Turán's theorem).
    pub(super) fn some_words(&self) -> Option<String> {
        let mut words: Vec<&Term> =
            self.terms.iter().take(MAX_WORDS).filter(|term| term.role != Role::Optional).collect();
        let total: f32 = self.terms.iter().map(|term| term.weight).sum();
        let query = |term: &Term| term.query(FORMS_IN_PAIRS);
        let choices: Vec<String> = match words.len() {
            0 | 1 => Vec::new(),
            2 => words.iter().filter(|term| term.weight >= total * MIN_SCORE).map(|term| query(term)).collect(),
            count => {
                words.sort_by(|one, other| other.weight.total_cmp(&one.weight));
                let groups = count.div_ceil(2) - 1;
                let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
                let same_group = pairs.filter(|(one, other)| one % groups == other % groups);
                same_group.map(|(one, other)| format!("({} & {})", query(words[one]), query(words[other]))).collect()
            }
        };
        (!choices.is_empty()).then(|| choices.join(" | "))
    }

    /// The years among the words.
    pub(super) fn years(&self) -> Vec<i32> {
        let year = |term: &Term| if let Role::Year(year) = term.role { Some(year) } else { None };
        self.terms.iter().filter_map(year).collect()
    }

    /// How well a movie fits; `None` when too little of the search is there. `search_text` is as in the table `movies`.
    pub(super) fn matches(&self, search_text: &str, released: Option<i32>) -> Option<Match> {
        let titles = || search_text.lines().filter(|line| !line.trim().is_empty()).map(Canonical::of);
        let is_of_year = self.years().iter().any(|year| Some(*year) == released);
        for title in titles() {
            let searched = [(true, &self.canonical), (is_of_year, &self.without_years)];
            let mut searched = searched.into_iter().filter(|(applies, _)| *applies).map(|(_, searched)| searched);
            if searched.clone().any(|searched| title.is(searched)) {
                return Some(Match { is_same: true, distance: 0.0 });
            }
            if searched.any(|searched| title.is_without_article(searched)) {
                return Some(Match { is_same: true, distance: ARTICLE });
            }
        }
        let (mut weight, mut found, mut missing) = (0.0, 0.0, 0);
        for term in &self.terms {
            let closeness = term.closeness(search_text, released);
            weight += term.weight;
            found += term.weight * closeness;
            missing += usize::from(closeness == 0.0 && term.role != Role::Optional);
        }
        let score = if weight > 0.0 { found / weight } else { 0.0 };
        let searched = self.terms.iter().filter(|term| term.role == Role::Required).count();
        let is_whole = missing == 0 && titles().any(|title| title.important <= searched);
        let distance = 1.0 - score + if is_whole { 0.0 } else { LONGER_TITLE };
        (score >= MIN_SCORE).then_some(Match { is_same: false, distance: distance.clamp(0.0, 1.0) })
    }
}

impl Match {
    /// Whether it makes no sense to look for titles that lack a word.
    pub(super) fn is_good(self) -> bool {
        self.is_same || self.distance <= GOOD_DISTANCE
    }
}
