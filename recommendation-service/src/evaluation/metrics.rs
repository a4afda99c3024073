//! What a list is worth. All of it on whole rankings of the whole catalogue, without sampled negatives.
//!
//! ```text
//! NDCG@k    Σ over hits 1/log2(place+1), as a part of what the best list would have        (Järvelin, Kekäläinen 2002)
//! Recall@k  hits / min(k, relevant movies)
//! MAP@k     mean over hits of (hits so far / place), divided by min(k, relevant movies)
//! coverage  movies that are in anybody's first ten, as a part of all
//! novelty   mean over a list's movies of -log2(part of the users who have rated it), in bits
//! diversity 1 - mean Jaccard index of the genres of two movies of a list
//! overlap   mean Jaccard index of the first ten of two users
//! ```
//!
//! Intervals are of 95 %: percentiles of the mean over users drawn with replacement (bootstrap), seeded.

use std::collections::{HashMap, HashSet};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Samples of users that an interval comes from.
const RESAMPLES: usize = 1_000;
/// Coverage, novelty, diversity and overlap are of so many movies.
const SHOWN: usize = 10;
/// Pairs of users whose lists are compared at most.
const MAX_PAIRS: usize = 200_000;

/// A mean over users, and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What one list is worth to its user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListQuality {
    /// NDCG@10.
    pub ndcg_10: f64,
    /// Recall@20.
    pub recall_20: f64,
    /// NDCG@100.
    pub ndcg_100: f64,
    /// MAP@10.
    pub map_10: f64,
    /// Bits.
    pub novelty: f64,
    /// 0 to 1.
    pub diversity: f64,
}

/// What is known about movies besides.
#[derive(Debug)]
pub struct MovieFacts<'a> {
    /// All movies.
    pub count: usize,
    /// For each movie, how many users have rated it in the training part.
    pub raters: HashMap<i32, usize>,
    /// All users of the training part.
    pub users: usize,
    /// For each movie its genres.
    pub genres: HashMap<i32, &'a [String]>,
}

impl ListQuality {
    /// Of `list`, best first, for a user who would like the movies of `relevant`, of which there is one at least.
    pub fn new(list: &[i32], relevant: &[i32], facts: &MovieFacts<'_>) -> Self {
        let wanted: HashSet<i32> = relevant.iter().copied().collect();
        let hits: Vec<bool> = list.iter().map(|movie| wanted.contains(movie)).collect();
        let shown = &list[..list.len().min(SHOWN)];
        Self {
            ndcg_10: ndcg(&hits, wanted.len(), 10),
            recall_20: recall(&hits, wanted.len(), 20),
            ndcg_100: ndcg(&hits, wanted.len(), 100),
            map_10: average_precision(&hits, wanted.len(), 10),
            novelty: facts.novelty(shown),
            diversity: facts.diversity(shown),
        }
    }
}

/// NDCG of the first `k`.
fn ndcg(hits: &[bool], relevant: usize, k: usize) -> f64 {
    let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
    let gain: f64 = hits.iter().take(k).enumerate().filter(|(_, hit)| **hit).map(|(place, _)| discount(place)).sum();
    gain / (0..relevant.min(k)).map(discount).sum::<f64>()
}

fn recall(hits: &[bool], relevant: usize, k: usize) -> f64 {
    hits.iter().take(k).filter(|hit| **hit).count() as f64 / relevant.min(k) as f64
}

fn average_precision(hits: &[bool], relevant: usize, k: usize) -> f64 {
    let mut found = 0.0;
    let mut sum = 0.0;
    for (place, _) in hits.iter().take(k).enumerate().filter(|(_, hit)| **hit) {
        found += 1.0;
        sum += found / (place + 1) as f64;
    }
    sum / relevant.min(k) as f64
}

impl MovieFacts<'_> {
    /// A movie that nobody has rated counts as rated by half a user.
    fn novelty(&self, list: &[i32]) -> f64 {
        let bits = |movie: &i32| {
            let raters = self.raters.get(movie).map_or(0.5, |raters| *raters as f64);
            -(raters / self.users.max(1) as f64).log2()
        };
        mean(list.iter().map(bits))
    }

    fn diversity(&self, list: &[i32]) -> f64 {
        let genres = |movie: &i32| self.genres.get(movie).copied().unwrap_or_default();
        let pairs = list.iter().enumerate().flat_map(|(place, a)| list[..place].iter().map(move |b| (a, b)));
        mean(pairs.map(|(a, b)| 1.0 - jaccard(genres(a), genres(b))))
    }

    /// The part of all movies that is in anybody's first ten.
    pub fn coverage(&self, lists: &[Vec<i32>]) -> f64 {
        let shown: HashSet<i32> = lists.iter().flat_map(|list| list.iter().take(SHOWN)).copied().collect();
        shown.len() as f64 / self.count.max(1) as f64
    }
}

/// The mean Jaccard index of the first ten of two users, of all pairs or of evenly spread ones.
pub fn overlap(lists: &[Vec<i32>]) -> f64 {
    let shown: Vec<&[i32]> = lists.iter().map(|list| &list[..list.len().min(SHOWN)]).collect();
    let pairs = shown.len() * shown.len().saturating_sub(1) / 2;
    let every = pairs.div_ceil(MAX_PAIRS).max(1);
    let pairs = shown.iter().enumerate().flat_map(|(place, a)| shown[..place].iter().map(move |b| (a, b)));
    mean(pairs.step_by(every).map(|(a, b)| jaccard(a, b)))
}

fn jaccard<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    let common = a.iter().filter(|element| b.contains(element)).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 0.0 } else { common as f64 / all as f64 }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// The mean of `values`, one a user, and its interval.
pub fn estimate(values: &[f64], seed: u64) -> Estimate {
    let mean_of_all = mean(values.iter().copied());
    if values.is_empty() {
        return Estimate { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let mut draw = || mean((0..values.len()).map(|_| values[rng.random_range(0..values.len())]));
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
    means.sort_by(f64::total_cmp);
    let percentile = |part: f64| means[((RESAMPLES - 1) as f64 * part).round() as usize];
    Estimate { mean: mean_of_all, low: percentile(0.025), high: percentile(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(genres: &[(i32, &'static [String])]) -> MovieFacts<'static> {
        let raters = HashMap::from([(1, 4), (2, 1)]);
        MovieFacts { count: 8, raters, users: 8, genres: genres.iter().copied().collect() }
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    // By hand: hits at places 1 and 3 of three relevant movies.
    #[test]
    fn a_list_is_worth_what_the_definitions_say() {
        let quality = ListQuality::new(&[1, 9, 2, 8], &[2, 1, 7], &facts(&[]));
        let best = 1.0 + 1.0 / 3_f64.log2() + 0.5;
        close(quality.ndcg_10, 1.5 / best);
        close(quality.ndcg_100, 1.5 / best);
        close(quality.recall_20, 2.0 / 3.0);
        close(quality.map_10, (1.0 + 2.0 / 3.0) / 3.0);
        // Rated by 4, 0.5, 1 and 0.5 of 8 users: 1, 4, 3 and 4 bits.
        close(quality.novelty, 3.0);
    }

    #[test]
    fn a_perfect_list_is_worth_one_however_many_movies_are_relevant() {
        let list: Vec<i32> = (1..=30).collect();
        for relevant in [&list[..1], &list[..10], &list] {
            let quality = ListQuality::new(&list, relevant, &facts(&[]));
            close(quality.ndcg_10, 1.0);
            close(quality.recall_20, 1.0);
            close(quality.map_10, 1.0);
        }
        let nothing = ListQuality::new(&[], &[1], &facts(&[]));
        close(nothing.ndcg_10 + nothing.recall_20 + nothing.map_10, 0.0);
    }

    #[test]
    fn diversity_and_overlap_are_by_jaccard() {
        let names: &'static [String] = Vec::leak(["War", "Drama", "Action"].map(str::to_owned).to_vec());
        let facts = facts(&[(1, &names[..2]), (2, &names[1..]), (3, &names[..2])]);
        // Pairs share one genre of three, all of two, and one of three.
        close(facts.diversity(&[1, 2, 3]), 1.0 - (1.0 / 3.0 + 1.0 + 1.0 / 3.0) / 3.0);
        close(overlap(&[vec![1, 2], vec![2, 3], vec![4]]), (1.0 / 3.0) / 3.0);
        close(facts.coverage(&[vec![1, 2], vec![2]]), 0.25);
    }

    #[test]
    fn an_interval_is_around_the_mean_and_the_same_for_the_same_seed() {
        let values: Vec<f64> = (0..200).map(|value| f64::from(value % 10)).collect();
        let found = estimate(&values, 7);
        close(found.mean, 4.5);
        assert_eq!(found, estimate(&values, 7));
        // The standard error is 2.87 / √200 = 0.2.
        assert!((4.0..4.4).contains(&found.low) && (4.6..5.0).contains(&found.high), "{found:?}");
        assert_eq!(estimate(&[], 7), Estimate { mean: 0.0, low: 0.0, high: 0.0 });
    }
}
