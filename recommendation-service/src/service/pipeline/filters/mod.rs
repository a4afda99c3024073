//! Filters: which movies are candidates, and how many are not, and why.

mod wanted;

use self::wanted::Wanted;
use crate::models::{catalogue::Catalogue, list_request::MovieFilter, recommendation::Excluded};

/// Which movies of a catalogue may be recommended.
pub struct Filters<'a> {
    catalogue: &'a Catalogue,
    /// Indexes of seen movies, ascending.
    seen: Vec<usize>,
    min_rating: f64,
    wanted: Option<Wanted<'a>>,
}

impl<'a> Filters<'a> {
    /// Leaves out the movies with the ids `seen`, those rated below `min_rating` (not those that nobody rated), and those
    /// that the request does not want.
    pub fn new(catalogue: &'a Catalogue, seen: &[i32], min_rating: f64, filter: &MovieFilter) -> Self {
        let mut seen: Vec<usize> = seen.iter().filter_map(|id| catalogue.index_of(*id)).collect();
        seen.sort_unstable();
        seen.dedup();
        let wanted = (*filter != MovieFilter::default()).then(|| Wanted::new(catalogue, filter));
        Self { catalogue, seen, min_rating, wanted }
    }

    /// Whether the movie at `index` may be recommended.
    pub fn keep(&self, index: usize) -> bool {
        !self.is_below_minimum(index)
            && self.wanted.as_ref().is_none_or(|wanted| wanted.keeps(index))
            && self.seen.binary_search(&index).is_err()
    }

    /// How many movies are left out. One with several reasons counts for the first: seen, then rated too low.
    pub fn excluded(&self) -> Excluded {
        let seen_below = self.seen.iter().filter(|index| self.is_below_minimum(**index)).count();
        let filtered = self.wanted.as_ref().map_or(0, |wanted| {
            let unwanted_seen = |index: &&usize| !self.is_below_minimum(**index) && !wanted.keeps(**index);
            wanted.count_unwanted(|index| !self.is_below_minimum(index))
                - self.seen.iter().filter(unwanted_seen).count()
        });
        Excluded {
            seen: self.seen.len(),
            below_min_rating: self.catalogue.statistics().rated_below(self.min_rating) - seen_below,
            filtered,
        }
    }

    fn is_below_minimum(&self, index: usize) -> bool {
        self.catalogue.ratings()[index] < self.min_rating
    }
}
