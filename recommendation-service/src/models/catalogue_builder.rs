//! Builds a [`Catalogue`] movie by movie.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::{
    blocks::{self, Blocks},
    catalogue::{Catalogue, NO_DAY, NO_LANGUAGE, UNRATED, day_number, era},
    id_index::IdIndex,
    statistics::{Columns, Statistics},
    text_column::TextColumn,
};

/// A movie as it is added.
#[derive(Debug, Clone, Copy, Default)]
pub struct Movie<'a> {
    /// Its id; above those of all movies before it.
    pub id: i32,
    /// Its title.
    pub title: &'a str,
    /// When it was released, if that is known.
    pub release_date: Option<NaiveDate>,
    /// Its popularity, if that is known.
    pub popularity: Option<f64>,
    /// Its poster path, or `""`.
    pub poster_path: &'a str,
    /// Its average vote, if anybody voted.
    pub vote_average: Option<f64>,
    /// How many voted.
    pub vote_count: u32,
    /// The code of its original language, or `""`.
    pub original_language: &'a str,
    /// Its runtime in minutes, 0 when unknown.
    pub runtime: u16,
    /// The ids of its genres, in any order.
    pub genre_ids: &'a [i32],
}

/// Why a movie cannot be part of the catalogue being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Ids do not ascend.
    #[error("movie {0} does not come after the one before it")]
    Order(i32),
    /// A genre that was not announced.
    #[error("movie {movie} has the unknown genre {genre}")]
    Genre {
        /// The movie's id.
        movie: i32,
        /// The genre's id.
        genre: i32,
    },
    /// More than the compact columns can address.
    #[error("the catalogue is too large")]
    TooLarge,
}

/// A catalogue under construction.
#[derive(Debug)]
pub struct CatalogueBuilder {
    pub(super) version: String,
    pub(super) ids: Vec<i32>,
    pub(super) popularity: Vec<f64>,
    pub(super) release_days: Vec<i32>,
    pub(super) ratings: Vec<f64>,
    pub(super) votes: Vec<u32>,
    pub(super) language_of: Vec<u16>,
    pub(super) language_names: Vec<String>,
    pub(super) language_indexes: HashMap<String, u16>,
    pub(super) runtimes: Vec<u16>,
    pub(super) eras: Vec<u8>,
    pub(super) genre_set_of: Vec<u32>,
    pub(super) genre_sets: Vec<Box<[u16]>>,
    pub(super) known_sets: HashMap<Box<[u16]>, u32>,
    pub(super) genre_indexes: HashMap<i32, u16>,
    pub(super) genre_names: Vec<String>,
    pub(super) genre_ids: Vec<i32>,
    pub(super) titles: TextColumn,
    pub(super) posters: TextColumn,
}

impl CatalogueBuilder {
    /// Starts a catalogue; `genres` are the ids and names of all genres.
    ///
    /// # Errors
    /// [`BuildError::TooLarge`] when there are more than 65,536 genres.
    pub fn new(version: String, mut genres: Vec<(i32, String)>) -> Result<Self, BuildError> {
        // Sorted by name once, so that every set of indexes is in the order of the names.
        genres.sort_by(|a, b| a.1.cmp(&b.1));
        let mut genre_indexes = HashMap::with_capacity(genres.len());
        for (index, (id, _)) in genres.iter().enumerate() {
            genre_indexes.insert(*id, u16::try_from(index).map_err(|_| BuildError::TooLarge)?);
        }
        let (genre_ids, genre_names) = genres.into_iter().unzip();
        Ok(Self {
            version,
            ids: Vec::new(),
            popularity: Vec::new(),
            release_days: Vec::new(),
            ratings: Vec::new(),
            votes: Vec::new(),
            language_of: Vec::new(),
            language_names: vec![String::new()],
            language_indexes: HashMap::from([(String::new(), NO_LANGUAGE)]),
            runtimes: Vec::new(),
            eras: Vec::new(),
            genre_set_of: Vec::new(),
            genre_sets: Vec::new(),
            known_sets: HashMap::new(),
            genre_indexes,
            genre_names,
            genre_ids,
            titles: TextColumn::default(),
            posters: TextColumn::default(),
        })
    }

    /// How many movies were added.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds a movie. After an error the builder is of no use any more.
    ///
    /// # Errors
    /// [`BuildError`] when the movie does not fit to what was said before it.
    pub fn push(&mut self, movie: &Movie<'_>) -> Result<(), BuildError> {
        if self.ids.last().is_some_and(|last| *last >= movie.id) {
            return Err(BuildError::Order(movie.id));
        }
        let (genre_set, language) =
            (self.genre_set(movie.id, movie.genre_ids)?, self.language(movie.original_language)?);
        if !self.titles.push(movie.title) || !self.posters.push(movie.poster_path) {
            return Err(BuildError::TooLarge);
        }
        self.ids.push(movie.id);
        // Adding 0 turns -0 into 0, which would otherwise sort below it.
        self.popularity.push(movie.popularity.filter(|value| value.is_finite()).unwrap_or(0.0) + 0.0);
        self.release_days.push(movie.release_date.map_or(NO_DAY, day_number));
        self.ratings.push(movie.vote_average.filter(|value| value.is_finite()).unwrap_or(UNRATED));
        self.votes.push(movie.vote_count);
        self.language_of.push(language);
        self.runtimes.push(movie.runtime);
        self.eras.push(era(movie.release_date));
        self.genre_set_of.push(genre_set);
        Ok(())
    }

    /// The finished catalogue.
    pub fn finish(self) -> Catalogue {
        let order = blocks::order(&self.popularity, &self.release_days, &self.ids);
        let ids = reordered(self.ids, &order);
        let popularity = reordered(self.popularity, &order);
        let release_days = reordered(self.release_days, &order);
        let ratings = reordered(self.ratings, &order);
        let votes = reordered(self.votes, &order);
        let language_of = reordered(self.language_of, &order);
        let eras = reordered(self.eras, &order);
        let genre_set_of = reordered(self.genre_set_of, &order);
        let statistics = Statistics::new(&Columns {
            popularity: &popularity,
            ratings: &ratings,
            votes: &votes,
            genre_set_of: &genre_set_of,
            genre_sets: &self.genre_sets,
            genres: self.genre_names.len(),
            language_of: &language_of,
            languages: self.language_names.len(),
            eras: &eras,
        });
        let weighted = |index: usize| statistics.rating_prior.weighted(ratings[index], votes[index]);
        Catalogue {
            version: self.version,
            id_index: IdIndex::new(&ids),
            blocks: Blocks::new(&popularity, &release_days, weighted, &eras),
            ids,
            popularity,
            release_days,
            ratings,
            votes,
            language_of,
            language_names: self.language_names.into(),
            runtimes: reordered(self.runtimes, &order),
            eras,
            genre_set_of,
            genre_sets: self.genre_sets.into(),
            genre_names: self.genre_names.into(),
            genre_ids: self.genre_ids.into(),
            titles: self.titles.reordered(&order),
            posters: self.posters.reordered(&order),
            statistics,
        }
    }

    /// The index of a language, which is new or known already.
    pub(super) fn language(&mut self, code: &str) -> Result<u16, BuildError> {
        if let Some(known) = self.language_indexes.get(code) {
            return Ok(*known);
        }
        let index = u16::try_from(self.language_names.len()).map_err(|_| BuildError::TooLarge)?;
        self.language_names.push(code.to_owned());
        self.language_indexes.insert(code.to_owned(), index);
        Ok(index)
    }

    /// The index of a movie's combination of genres, which is new or known already.
    pub(super) fn genre_set<'a>(
        &mut self,
        movie: i32,
        genres: impl IntoIterator<Item = &'a i32>,
    ) -> Result<u32, BuildError> {
        let index_of = |genre: &i32| {
            let unknown = BuildError::Genre { movie, genre: *genre };
            self.genre_indexes.get(genre).copied().ok_or(unknown)
        };
        let mut set = genres.into_iter().map(index_of).collect::<Result<Vec<u16>, _>>()?;
        set.sort_unstable();
        set.dedup();
        if let Some(known) = self.known_sets.get(set.as_slice()) {
            return Ok(*known);
        }
        let index = u32::try_from(self.genre_sets.len()).map_err(|_| BuildError::TooLarge)?;
        self.genre_sets.push(set.clone().into());
        self.known_sets.insert(set.into(), index);
        Ok(index)
    }
}

/// The values of a column in another order; the column before is freed.
fn reordered<T: Copy>(column: Vec<T>, order: &[u32]) -> Box<[T]> {
    order.iter().map(|index| column[*index as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> CatalogueBuilder {
        CatalogueBuilder::new("1-1".into(), vec![(1, "War".into()), (2, "Action".into())]).expect("two genres")
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut builder = builder();
        let date = NaiveDate::from_ymd_opt(1999, 3, 31);
        let first =
            Movie { id: 3, title: "千と千尋", release_date: date, genre_ids: &[1, 2, 1], ..Movie::default() };
        builder.push(&first).expect("fits");
        let second = Movie { id: 9, title: "", poster_path: "/p.jpg", genre_ids: &[], ..Movie::default() };
        builder.push(&second).expect("fits");
        let catalogue = builder.finish();
        assert_eq!(catalogue.ids(), [3, 9]);
        assert_eq!((catalogue.title(0), catalogue.title(1)), ("千と千尋", ""));
        assert_eq!((catalogue.poster_path(0), catalogue.poster_path(1)), ("", "/p.jpg"));
        assert_eq!((catalogue.release_date(0), catalogue.release_date(1)), (date, None));
        assert_eq!(catalogue.genres(0).collect::<Vec<_>>(), ["Action", "War"]);
        assert_eq!(catalogue.genres(1).count(), 0);
    }

    #[test]
    fn movies_are_kept_by_popularity_and_age_and_found_by_id() {
        let mut builder = builder();
        let date = |year| NaiveDate::from_ymd_opt(year, 1, 1);
        for (id, popularity, year) in [(1, 3.0, 1990), (2, 2.5, 2020), (3, 900.0, 1890), (4, 0.1, 2030)] {
            let movie = Movie { id, popularity: Some(popularity), release_date: date(year), ..Movie::default() };
            builder.push(&movie).expect("fits");
        }
        let catalogue = builder.finish();
        assert_eq!((catalogue.ids(), catalogue.by_id()), ([3, 2, 1, 4].as_slice(), [2, 1, 0, 3].as_slice()));
        assert_eq!((catalogue.index_of(1), catalogue.index_of(5)), (Some(2), None));
        assert_eq!(catalogue.eras(), [1, 14, 11, 15]);
        assert_eq!((catalogue.blocks().len(), catalogue.blocks().range(0)), (1, 0..4));
        assert_eq!(
            (catalogue.blocks().highest_popularity(), catalogue.blocks().eras()),
            ([900.0].as_slice(), [(1, 15)].as_slice())
        );
    }

    #[test]
    fn a_number_that_is_not_finite_counts_as_unknown() {
        let mut builder = builder();
        let (popularity, vote_average) = (Some(f64::NAN), Some(f64::NEG_INFINITY));
        builder.push(&Movie { id: 1, popularity, vote_average, ..Movie::default() }).expect("fits");
        let catalogue = builder.finish();
        assert_eq!((catalogue.popularity()[0], catalogue.ratings()[0]), (0.0, UNRATED));
    }

    #[test]
    fn ids_must_ascend_and_genres_be_known() {
        let mut builder = builder();
        builder.push(&Movie { id: 5, ..Movie::default() }).expect("fits");
        assert_eq!(builder.push(&Movie { id: 5, ..Movie::default() }), Err(BuildError::Order(5)));
        let unknown = BuildError::Genre { movie: 6, genre: 7 };
        assert_eq!(builder.push(&Movie { id: 6, genre_ids: &[7], ..Movie::default() }), Err(unknown));
    }
}
