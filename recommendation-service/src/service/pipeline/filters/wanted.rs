//! What the parameters of a request want.

use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::super::rules::fold_case;
use crate::models::{
    catalogue::{Catalogue, NO_DAY, UNRATED, day_number},
    list_request::{GenreChoice, MovieFilter},
};

/// A [`MovieFilter`], made ready for one catalogue.
pub(super) struct Wanted<'a> {
    catalogue: &'a Catalogue,
    /// Whether there is a condition on more than the id.
    has_conditions: bool,
    /// For each distinct combination of genres.
    genre_sets: Vec<bool>,
    /// For each language.
    languages: Vec<bool>,
    days: RangeInclusive<i32>,
    max_runtime: Option<u16>,
    min_vote: Option<f64>,
    /// Indexes of movies that are not wanted, ascending.
    excluded: Vec<usize>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, filter: &MovieFilter) -> Self {
        let with = filter.with_genres.as_ref().map(|choice| has_choice(catalogue, choice));
        let without = filter.without_genres.as_ref().map(|choice| has_choice(catalogue, choice));
        let wants_set =
            |set: usize| with.as_ref().is_none_or(|has| has[set]) && without.as_ref().is_none_or(|has| !has[set]);
        let wants_language = |name: &String| {
            filter.with_original_language.as_ref().is_none_or(|wanted| name.eq_ignore_ascii_case(wanted))
        };
        let mut excluded: Vec<usize> = filter.exclude_ids.iter().filter_map(|id| catalogue.index_of(*id)).collect();
        excluded.sort_unstable();
        excluded.dedup();
        Self {
            catalogue,
            has_conditions: MovieFilter { exclude_ids: Vec::new(), ..filter.clone() } != MovieFilter::default(),
            genre_sets: (0..catalogue.genre_sets().len()).map(wants_set).collect(),
            languages: catalogue.language_names().iter().map(wants_language).collect(),
            days: days(filter.year_gte, filter.year_lte),
            max_runtime: filter.runtime_lte,
            min_vote: filter.vote_average_gte,
            excluded,
        }
    }

    /// Whether the movie at `index` is wanted.
    pub(super) fn keeps(&self, index: usize) -> bool {
        self.fits(index) && self.excluded.binary_search(&index).is_err()
    }

    /// How many movies that `counts` says yes to are not wanted.
    pub(super) fn count_unwanted(&self, counts: impl Fn(usize) -> bool) -> usize {
        let excluded = self.excluded.iter().filter(|index| counts(**index) && self.fits(**index)).count();
        // Only then all movies must be looked at.
        let unfit = if self.has_conditions { 0..self.catalogue.len() } else { 0..0 };
        excluded + unfit.filter(|index| counts(*index) && !self.fits(*index)).count()
    }

    /// Whether the conditions hold. What is unknown of a movie (its date, runtime or votes) never fits.
    fn fits(&self, index: usize) -> bool {
        let catalogue = self.catalogue;
        let (runtime, vote) = (catalogue.runtimes()[index], catalogue.ratings()[index]);
        self.genre_sets[catalogue.genre_set_of()[index] as usize]
            && self.languages[usize::from(catalogue.language_of()[index])]
            && self.days.contains(&catalogue.release_days()[index])
            && self.max_runtime.is_none_or(|max| (1..=max).contains(&runtime))
            && self.min_vote.is_none_or(|min| vote >= min && vote != UNRATED)
    }
}

/// For each distinct combination of genres, whether it has all or any of the chosen ones. A genre that nobody knows is in
/// no combination.
fn has_choice(catalogue: &Catalogue, choice: &GenreChoice) -> Vec<bool> {
    let chosen: Vec<Vec<u16>> = choice.genres.iter().map(|genre| genre_indexes(catalogue, genre)).collect();
    let has = |set: &[u16]| {
        let has_one = |indexes: &Vec<u16>| indexes.iter().any(|index| set.contains(index));
        if choice.all { chosen.iter().all(has_one) } else { chosen.iter().any(has_one) }
    };
    catalogue.genre_sets().iter().map(|set| has(set)).collect()
}

/// The genres with this name or id.
fn genre_indexes(catalogue: &Catalogue, genre: &str) -> Vec<u16> {
    let (name, id) = (fold_case(genre), genre.parse::<i32>().ok());
    let genres = catalogue.genre_names().iter().zip(catalogue.genre_ids()).zip(0..);
    genres
        .filter(|((known, known_id), _)| fold_case(known) == name || Some(**known_id) == id)
        .map(|(_, index)| index)
        .collect()
}

fn days(first_year: Option<i32>, last_year: Option<i32>) -> RangeInclusive<i32> {
    if first_year.is_none() && last_year.is_none() {
        return i32::MIN..=i32::MAX;
    }
    let day = |year: Option<i32>, month, day| NaiveDate::from_ymd_opt(year?, month, day).map(day_number);
    // The lowest number stands for "no date".
    day(first_year, 1, 1).unwrap_or(NO_DAY + 1)..=day(last_year, 12, 31).unwrap_or(i32::MAX)
}
