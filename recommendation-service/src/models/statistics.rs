//! What is known of the catalogue as a whole.

use std::mem::size_of_val;

use super::catalogue::{ERAS, NO_ERA, UNRATED};

/// Share of the rated movies that have fewer votes than a movie needs to be believed half.
const BELIEVED_PERCENTILE: f64 = 0.9;

/// Averages and frequencies over all movies.
#[derive(Debug, Default)]
pub struct Statistics {
    pub(super) rating_prior: RatingPrior,
    /// The distinct ratings, ascending, each with the number of movies rated so or lower.
    ratings: Box<[(f64, u32)]>,
    genre_shares: Box<[f64]>,
    language_shares: Box<[f64]>,
    era_shares: [f64; ERAS],
}

/// What the weighted rating assumes before anybody has voted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RatingPrior {
    /// The mean of all average votes, C of the formula.
    pub mean: f64,
    /// So many votes count as much as the mean, m of the formula: nine in ten rated movies have at most so many.
    pub votes: f64,
}

impl RatingPrior {
    fn new(ratings: &[f64], votes: &[u32]) -> Self {
        let rated = || ratings.iter().zip(votes).filter(|(rating, _)| **rating != UNRATED);
        let mut counts: Vec<u32> = rated().map(|(_, votes)| *votes).collect();
        if counts.is_empty() {
            return Self::default();
        }
        let mean = rated().map(|(rating, _)| rating).sum::<f64>() / counts.len() as f64;
        let position = ((counts.len() - 1) as f64 * BELIEVED_PERCENTILE) as usize;
        let (_, votes, _) = counts.select_nth_unstable(position);
        Self { mean, votes: f64::from(*votes) }
    }

    /// The average vote drawn towards the mean of all, the more the fewer votes there are: (v·R + m·C) / (v + m), as on
    /// the IMDb's list of the best. The mean for a movie without votes.
    pub fn weighted(&self, rating: f64, votes: u32) -> f64 {
        let votes = f64::from(votes);
        if rating == UNRATED || votes + self.votes <= 0.0 {
            return self.mean;
        }
        (votes * rating + self.votes * self.mean) / (votes + self.votes)
    }
}

/// The columns that statistics are made from.
pub(super) struct Columns<'a> {
    pub popularity: &'a [f64],
    pub ratings: &'a [f64],
    pub votes: &'a [u32],
    pub genre_set_of: &'a [u32],
    pub genre_sets: &'a [Box<[u16]>],
    pub genres: usize,
    pub language_of: &'a [u16],
    pub languages: usize,
    pub eras: &'a [u8],
}

impl Statistics {
    pub(super) fn new(columns: &Columns<'_>) -> Self {
        let mut genre_shares = vec![0.0; columns.genres];
        let mut language_shares = vec![0.0; columns.languages];
        let mut era_shares = [0.0; ERAS];
        let mut total = 0.0;
        for (index, popularity) in columns.popularity.iter().enumerate() {
            // A little for a movie without popularity, so that a catalogue without any has shares too.
            let popularity = popularity.max(0.0) + 1e-9;
            total += popularity;
            let set = &columns.genre_sets[columns.genre_set_of[index] as usize];
            for genre in set {
                genre_shares[usize::from(*genre)] += popularity / set.len() as f64;
            }
            language_shares[usize::from(columns.language_of[index])] += popularity;
            if columns.eras[index] != NO_ERA {
                era_shares[usize::from(columns.eras[index])] += popularity;
            }
        }
        let shares = genre_shares.iter_mut().chain(&mut language_shares).chain(&mut era_shares);
        shares.for_each(|share| *share = if total > 0.0 { *share / total } else { 0.0 });
        Self {
            rating_prior: RatingPrior::new(columns.ratings, columns.votes),
            ratings: cumulative(columns.ratings),
            genre_shares: genre_shares.into(),
            language_shares: language_shares.into(),
            era_shares,
        }
    }

    /// How many movies are rated below `minimum`.
    pub fn rated_below(&self, minimum: f64) -> usize {
        let position = self.ratings.partition_point(|(rating, _)| *rating < minimum);
        position.checked_sub(1).map_or(0, |last| self.ratings[last].1 as usize)
    }

    /// How much of what people look at belongs to each genre: by popularity, each movie divided among its genres.
    pub fn genre_shares(&self) -> &[f64] {
        &self.genre_shares
    }

    /// The same for languages.
    pub fn language_shares(&self) -> &[f64] {
        &self.language_shares
    }

    /// The same for eras.
    pub fn era_shares(&self) -> &[f64; ERAS] {
        &self.era_shares
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ratings) + size_of_val(&*self.genre_shares) + size_of_val(&*self.language_shares)
    }
}

fn cumulative(ratings: &[f64]) -> Box<[(f64, u32)]> {
    let mut sorted: Vec<f64> = ratings.iter().copied().filter(|rating| *rating != UNRATED).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut counts: Vec<(f64, u32)> = Vec::new();
    for (rating, count) in sorted.into_iter().zip(1..) {
        match counts.last_mut() {
            Some(last) if last.0 == rating => last.1 = count,
            _ => counts.push((rating, count)),
        }
    }
    counts.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_with_few_votes_is_drawn_towards_the_mean() {
        let prior = RatingPrior { mean: 6.0, votes: 100.0 };
        assert_eq!(prior.weighted(9.0, 300), (300.0 * 9.0 + 100.0 * 6.0) / 400.0);
        assert_eq!((prior.weighted(9.0, 0), prior.weighted(UNRATED, 50)), (6.0, 6.0));
        assert_eq!(RatingPrior::default().weighted(UNRATED, 0), 0.0);
    }

    #[test]
    fn the_mean_and_the_votes_of_the_prior_come_from_rated_movies_only() {
        let (mut ratings, mut votes) = (vec![5.0; 10], (1..=10).collect::<Vec<u32>>());
        ratings[0] = 9.0;
        ratings.push(UNRATED);
        votes.push(1_000_000);
        assert_eq!(RatingPrior::new(&ratings, &votes), RatingPrior { mean: 5.4, votes: 9.0 });
        assert_eq!(RatingPrior::new(&[UNRATED], &[3]), RatingPrior::default());
    }

    #[test]
    fn movies_below_a_rating_are_counted_without_those_that_nobody_rated() {
        let statistics = Statistics { ratings: cumulative(&[7.0, UNRATED, 5.5, 7.0, 9.0]), ..Statistics::default() };
        for (minimum, count) in [(0.0, 0), (5.5, 0), (5.6, 1), (7.0, 1), (7.1, 3), (9.0, 3), (10.0, 4)] {
            assert_eq!(statistics.rated_below(minimum), count, "{minimum}");
        }
    }
}
