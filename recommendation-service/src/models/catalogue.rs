//! A copy of the movie catalogue in memory: a column for each thing that scoring or an answer needs, about 90 bytes a
//! movie with its title and poster.

use std::mem::size_of_val;

use chrono::{Datelike, NaiveDate};

/// Stands for "no release date" among the day numbers; far in the past, so it is as old as can be.
pub const NO_DAY: i32 = i32::MIN;
/// Stands for "nobody has rated it": never below any rating that a user asks for.
pub const UNRATED: f64 = f64::INFINITY;

/// The catalogue at one version. Movies are addressed by their index, `0..len()`, in the order of their ids.
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
    pub(super) titles: TextColumn,
    pub(super) posters: TextColumn,
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

    /// Ids, ascending.
    pub fn ids(&self) -> &[i32] {
        &self.ids
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
            + self.titles.heap_bytes()
            + self.posters.heap_bytes()
    }
}

/// A date as a number of days, for differences.
pub fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}

/// Many texts in one allocation.
#[derive(Debug, Default)]
pub struct TextColumn {
    text: String,
    ends: Vec<u32>,
}

impl TextColumn {
    /// Adds a text. False when four gigabytes are full.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let Ok(end) = u32::try_from(self.text.len() + text.len()) else { return false };
        self.text.push_str(text);
        self.ends.push(end);
        true
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }

    fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}
