//! A copy of the movie catalogue in memory: a column for each thing that scoring or an answer needs, about 110 bytes a
//! movie with its title and poster.

use std::mem::size_of_val;

use chrono::{Datelike, NaiveDate};

use super::{blocks::Blocks, id_index::IdIndex, statistics::Statistics, text_column::TextColumn};

/// Stands for "no release date" among the day numbers; far in the past, so it is as old as can be.
pub const NO_DAY: i32 = i32::MIN;
/// Stands for "nobody has rated it": never below any rating that a user asks for.
pub const UNRATED: f64 = f64::INFINITY;
/// How many eras there are: decades from the 1880s to the 2090s.
pub const ERAS: usize = 22;
/// Stands for "no release date" among the eras.
pub const NO_ERA: u8 = u8::MAX;
/// The index of the language `""`, of movies whose language is unknown.
pub const NO_LANGUAGE: u16 = 0;

/// The catalogue at one version. Movies are addressed by their index, `0..len()`, in an order that keeps those of like
/// popularity and age together (see [`Blocks`]); [`Self::index_of`] finds one by its id.
#[derive(Debug)]
pub struct Catalogue {
    pub(super) version: String,
    pub(super) ids: Box<[i32]>,
    pub(super) popularity: Box<[f64]>,
    pub(super) release_days: Box<[i32]>,
    pub(super) ratings: Box<[f64]>,
    pub(super) genre_set_of: Box<[u32]>,
    pub(super) genre_sets: Box<[Box<[u16]>]>,
    pub(super) genre_names: Box<[String]>,
    pub(super) genre_ids: Box<[i32]>,
    pub(super) votes: Box<[u32]>,
    pub(super) language_of: Box<[u16]>,
    pub(super) language_names: Box<[String]>,
    pub(super) runtimes: Box<[u16]>,
    pub(super) eras: Box<[u8]>,
    pub(super) titles: TextColumn,
    pub(super) posters: TextColumn,
    pub(super) id_index: IdIndex,
    pub(super) blocks: Blocks,
    pub(super) statistics: Statistics,
}

impl Catalogue {
    /// What movie-service calls this state of the catalogue.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many movies there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Ids, in the order of the indexes.
    pub fn ids(&self) -> &[i32] {
        &self.ids
    }

    /// The index of the movie with this id.
    pub fn index_of(&self, id: i32) -> Option<usize> {
        self.id_index.get(id)
    }

    /// All indexes in the order of the ids.
    pub fn by_id(&self) -> &[u32] {
        self.id_index.by_id()
    }

    /// Popularity, always finite; 0 where it is unknown.
    pub fn popularity(&self) -> &[f64] {
        &self.popularity
    }

    /// Release dates as [`day_number`]s, [`NO_DAY`] where there is none.
    pub fn release_days(&self) -> &[i32] {
        &self.release_days
    }

    /// Average votes, [`UNRATED`] where nobody voted.
    pub fn ratings(&self) -> &[f64] {
        &self.ratings
    }

    /// For each movie its index in [`Self::genre_sets`].
    pub fn genre_set_of(&self) -> &[u32] {
        &self.genre_set_of
    }

    /// The distinct combinations of genres, each as indexes into [`Self::genre_names`].
    pub fn genre_sets(&self) -> &[Box<[u16]>] {
        &self.genre_sets
    }

    /// The names of all genres, sorted.
    pub fn genre_names(&self) -> &[String] {
        &self.genre_names
    }

    /// The ids of all genres, in the order of [`Self::genre_names`].
    pub fn genre_ids(&self) -> &[i32] {
        &self.genre_ids
    }

    /// How many votes each movie has.
    pub fn votes(&self) -> &[u32] {
        &self.votes
    }

    /// For each movie the index of its original language in [`Self::language_names`].
    pub fn language_of(&self) -> &[u16] {
        &self.language_of
    }

    /// The codes of all original languages; the one at [`NO_LANGUAGE`] is `""`.
    pub fn language_names(&self) -> &[String] {
        &self.language_names
    }

    /// Runtimes in minutes, 0 where unknown.
    pub fn runtimes(&self) -> &[u16] {
        &self.runtimes
    }

    /// For each movie the decade of its release, counted from the 1880s; [`NO_ERA`] without a date.
    pub fn eras(&self) -> &[u8] {
        &self.eras
    }

    /// The average vote of the movie at `index`, drawn towards the mean where votes are few; 0 to 10.
    pub fn weighted_rating(&self, index: usize) -> f64 {
        self.statistics.rating_prior.weighted(self.ratings[index], self.votes[index])
    }

    /// What is known of whole blocks of movies.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// What is known of the catalogue as a whole.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The title of the movie at `index`.
    pub fn title(&self, index: usize) -> &str {
        self.titles.get(index)
    }

    /// The poster path of the movie at `index`, `""` when there is none.
    pub fn poster_path(&self, index: usize) -> &str {
        self.posters.get(index)
    }

    /// The release date of the movie at `index`.
    pub fn release_date(&self, index: usize) -> Option<NaiveDate> {
        NaiveDate::from_num_days_from_ce_opt(self.release_days[index])
    }

    /// The names of the genres of the movie at `index`, sorted.
    pub fn genres(&self, index: usize) -> impl Iterator<Item = &str> {
        let set = &self.genre_sets[self.genre_set_of[index] as usize];
        set.iter().map(|genre| self.genre_names[usize::from(*genre)].as_str())
    }

    /// Memory it takes, in bytes.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ids)
            + size_of_val(&*self.popularity)
            + size_of_val(&*self.release_days)
            + size_of_val(&*self.ratings)
            + size_of_val(&*self.genre_set_of)
            + self.genre_sets.iter().map(|set| size_of_val(set) + size_of_val(&**set)).sum::<usize>()
            + self.genre_names.iter().map(|name| size_of_val(name) + name.len()).sum::<usize>()
            + size_of_val(&*self.genre_ids)
            + size_of_val(&*self.votes)
            + size_of_val(&*self.language_of)
            + self.language_names.iter().map(|name| size_of_val(name) + name.len()).sum::<usize>()
            + size_of_val(&*self.runtimes)
            + size_of_val(&*self.eras)
            + self.id_index.heap_bytes()
            + self.blocks.heap_bytes()
            + self.statistics.heap_bytes()
            + self.titles.heap_bytes()
            + self.posters.heap_bytes()
    }
}

/// A date as a number of days, for differences.
pub fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}

/// The era of a day: its decade, the first and the last taking in what lies beyond them.
pub(super) fn era(date: Option<NaiveDate>) -> u8 {
    let decade = |date: NaiveDate| ((date.year() - 1880).div_euclid(10)).clamp(0, ERAS as i32 - 1) as u8;
    date.map_or(NO_ERA, decade)
}
