//! A new [`Catalogue`] from an older one and what changed since: the columns are copied in pieces, and no movie that stayed
//! as it was is looked at by itself.

use std::ops::Range;

use super::{
    catalogue::Catalogue,
    catalogue_builder::{BuildError, CatalogueBuilder},
};

/// Stands for "not looked up yet" in a table of indexes.
const UNKNOWN: u32 = u32::MAX;

impl CatalogueBuilder {
    /// The catalogue that `base` becomes when the movies added here replace theirs, or join it, and `deleted` ones leave it.
    ///
    /// # Errors
    /// [`BuildError::Genre`] when a movie that stays has a genre that was not announced, [`BuildError::TooLarge`].
    pub fn finish_onto(mut self, base: &Catalogue, deleted: &[i32]) -> Result<Catalogue, BuildError> {
        let kept = Kept::new(base, self.ids.iter().chain(deleted));
        let genre_sets = self.genre_sets_of(base, &kept)?;
        let languages = self.languages_of(base)?;
        kept.copy(&base.ids, &mut self.ids);
        kept.copy(&base.popularity, &mut self.popularity);
        kept.copy(&base.release_days, &mut self.release_days);
        kept.copy(&base.ratings, &mut self.ratings);
        kept.copy(&base.votes, &mut self.votes);
        kept.copy(&base.runtimes, &mut self.runtimes);
        kept.copy(&base.eras, &mut self.eras);
        kept.copy_mapped(&base.genre_set_of, &mut self.genre_set_of, |set| genre_sets[*set as usize]);
        kept.copy_mapped(&base.language_of, &mut self.language_of, |language| languages[usize::from(*language)]);
        for (from, to) in [(&base.titles, &mut self.titles), (&base.posters, &mut self.posters)] {
            if !kept.ranges.iter().all(|range| to.push_range(from, range.clone())) {
                return Err(BuildError::TooLarge);
            }
        }
        Ok(self.finish())
    }

    /// For each combination of genres in `base` its index here, if a movie that stays has it.
    fn genre_sets_of(&mut self, base: &Catalogue, kept: &Kept) -> Result<Vec<u32>, BuildError> {
        let mut indexes = vec![UNKNOWN; base.genre_sets.len()];
        for index in kept.indexes() {
            let set = base.genre_set_of[index] as usize;
            if indexes[set] == UNKNOWN {
                let ids = base.genre_sets[set].iter().map(|genre| &base.genre_ids[usize::from(*genre)]);
                indexes[set] = self.genre_set(base.ids[index], ids)?;
            }
        }
        Ok(indexes)
    }

    /// For each language of `base` its index here.
    fn languages_of(&mut self, base: &Catalogue) -> Result<Vec<u16>, BuildError> {
        base.language_names.iter().map(|code| self.language(code)).collect()
    }
}

/// The indexes of the movies of a catalogue that stay as they are.
struct Kept {
    ranges: Vec<Range<usize>>,
    len: usize,
}

impl Kept {
    /// All but those with these ids.
    fn new<'a>(base: &Catalogue, replaced: impl Iterator<Item = &'a i32>) -> Self {
        let mut replaced: Vec<usize> = replaced.filter_map(|id| base.index_of(*id)).collect();
        replaced.sort_unstable();
        replaced.dedup();
        let len = base.len() - replaced.len();
        let mut ranges = Vec::with_capacity(replaced.len() + 1);
        let mut start = 0;
        for end in replaced.into_iter().chain([base.len()]) {
            if start < end {
                ranges.push(start..end);
            }
            start = end + 1;
        }
        Self { ranges, len }
    }

    fn indexes(&self) -> impl Iterator<Item = usize> {
        self.ranges.iter().cloned().flatten()
    }

    /// Adds the values of the movies that stay to `to`, which then has no room to spare.
    fn copy<T: Copy>(&self, from: &[T], to: &mut Vec<T>) {
        to.reserve_exact(self.len);
        self.ranges.iter().for_each(|range| to.extend_from_slice(&from[range.clone()]));
    }

    fn copy_mapped<T>(&self, from: &[T], to: &mut Vec<T>, map: impl Fn(&T) -> T) {
        to.reserve_exact(self.len);
        self.ranges.iter().for_each(|range| to.extend(from[range.clone()].iter().map(&map)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use chrono::NaiveDate;
    use proptest::{collection, prelude::*, sample};

    use super::*;
    use crate::models::catalogue_builder::Movie;

    /// Title, popularity, year, language, votes, genres.
    type Fields = (String, f64, Option<i32>, &'static str, u32, BTreeSet<i32>);
    type Movies = BTreeMap<i32, Fields>;

    fn fields() -> impl Strategy<Value = Fields> {
        let popularity = sample::select(vec![0.0, 0.5, 1.0, 1.5, 700.0]);
        let language = sample::select(vec!["", "en", "fr", "ja"]);
        ("[a-cé]{0,3}", popularity, proptest::option::of(1990..1994), language, 0..3_u32, genre_ids())
    }

    fn genre_ids() -> impl Strategy<Value = BTreeSet<i32>> {
        collection::btree_set(1..=4, 0..4)
    }

    fn added(version: &str, genres: [&str; 4], movies: &Movies) -> CatalogueBuilder {
        let genres = (1..).zip(genres.map(str::to_owned)).collect();
        let mut builder = CatalogueBuilder::new(version.to_owned(), genres).expect("few genres");
        for (id, (title, popularity, year, language, votes, genres)) in movies {
            let movie = Movie {
                id: *id,
                title,
                poster_path: &format!("/{title}.jpg"),
                release_date: year.and_then(|year| NaiveDate::from_ymd_opt(year, 2, 3)),
                popularity: Some(*popularity),
                vote_average: (*votes > 0).then_some(f64::from(*votes) + 0.5),
                vote_count: *votes,
                original_language: language,
                runtime: 90 + *votes as u16,
                genre_ids: &genres.iter().copied().collect::<Vec<_>>(),
            };
            builder.push(&movie).expect("ids ascend");
        }
        builder
    }

    /// All that can be seen of a catalogue but the numbers of languages and combinations of genres.
    fn visible(catalogue: &Catalogue) -> String {
        let language = |index: usize| &catalogue.language_names()[usize::from(catalogue.language_of()[index])];
        let movie = |index: usize| {
            let texts = (catalogue.title(index), catalogue.poster_path(index), language(index));
            let numbers = (catalogue.popularity()[index], catalogue.ratings()[index], catalogue.votes()[index]);
            let genres: Vec<&str> = catalogue.genres(index).collect();
            let id = catalogue.ids()[index];
            assert_eq!(catalogue.index_of(id), Some(index));
            let (date, runtime, era) =
                (catalogue.release_date(index), catalogue.runtimes()[index], catalogue.eras()[index]);
            format!("{id} {texts:?} {numbers:?} {genres:?} {date:?} {runtime} {era}\n")
        };
        let statistics = catalogue.statistics();
        let languages = catalogue.language_names().iter().zip(statistics.language_shares());
        format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}\n{}",
            catalogue.version(),
            catalogue.by_id(),
            catalogue.genre_names(),
            catalogue.blocks(),
            statistics.genre_shares(),
            languages.filter(|(_, share)| **share > 0.0).collect::<BTreeMap<_, _>>().keys(),
            statistics.era_shares(),
            statistics.rating_prior,
            (0..catalogue.len()).map(movie).collect::<String>()
        )
    }

    proptest! {
        #[test]
        fn changes_give_the_same_catalogue_as_reading_it_whole(
            before in collection::btree_map(1..40_i32, fields(), 0..30),
            written in collection::btree_map(1..45_i32, fields(), 0..12),
            deleted in collection::btree_set(1..45_i32, 0..12),
        ) {
            let base = added("1-1", ["War", "Action", "Comedy", "Drama"], &before).finish();
            let deleted: Vec<i32> = deleted.into_iter().filter(|id| !written.contains_key(id)).collect();
            let mut after = before;
            after.retain(|id, _| !deleted.contains(id));
            after.extend(written.clone());
            // Renamed, so that their order is another one.
            let genres = ["Battle", "Action", "Zany", "Drama"];
            let changed = added("1-2", genres, &written).finish_onto(&base, &deleted).expect("it fits");
            prop_assert_eq!(visible(&changed), visible(&added("1-2", genres, &after).finish()));
        }
    }

    #[test]
    fn a_genre_that_is_gone_may_not_be_left_at_a_movie_that_stays() {
        let genres = BTreeSet::from([2]);
        let movies = Movies::from([(5, (String::new(), 1.0, None, "", 0, genres))]);
        let base = added("1-1", ["War", "Action", "Comedy", "Drama"], &movies).finish();
        let without = || CatalogueBuilder::new("1-2".into(), vec![(1, "War".into())]).expect("a genre");
        let unknown = BuildError::Genre { movie: 5, genre: 2 };
        assert_eq!(without().finish_onto(&base, &[]).map(|_| ()), Err(unknown));
        assert_eq!(without().finish_onto(&base, &[5]).map(|changed| changed.len()), Ok(0));
    }
}
