//! What is trained on, and what is held out to be found.

use std::{collections::HashMap, str::FromStr};

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::dataset::Rating;

/// One in so many ratings is held out.
const ONE_IN: usize = 5;

/// How ratings are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitKind {
    /// The last fifth of all ratings: what a service knew on one day, and what came after it.
    GlobalTime,
    /// The last fifth of each user's ratings.
    UserTime,
    /// Any fifth of each user's ratings.
    Random,
}

impl FromStr for SplitKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "global-time" => Ok(Self::GlobalTime),
            "user-time" => Ok(Self::UserTime),
            "random" => Ok(Self::Random),
            _ => Err("global-time, user-time or random"),
        }
    }
}

impl std::fmt::Display for SplitKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::GlobalTime => "global-time",
            Self::UserTime => "user-time",
            Self::Random => "random",
        })
    }
}

/// Divided ratings; each part by user, time and movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What may be learnt from.
    pub training: Vec<Rating>,
    /// What is to be found.
    pub held_out: Vec<Rating>,
}

impl Split {
    /// Divides `ratings`, which are by user, time and movie. The same seed gives the same parts.
    pub fn new(ratings: &[Rating], kind: SplitKind, seed: u64) -> Self {
        match kind {
            SplitKind::GlobalTime => Self::by_global_time(ratings),
            SplitKind::UserTime => Self::by_user(ratings, |_, of_user| of_user.to_vec()),
            SplitKind::Random => Self::by_user(ratings, |user, of_user| {
                let mut shuffled = of_user.to_vec();
                // A generator for each user: what one user has rated does not change the parts of the others.
                shuffled.shuffle(&mut StdRng::seed_from_u64(
                    seed ^ user.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15),
                ));
                shuffled
            }),
        }
    }

    fn by_global_time(ratings: &[Rating]) -> Self {
        let mut times: Vec<_> = ratings.iter().map(|rating| rating.at).collect();
        times.sort_unstable();
        let Some(first_held_out) = times.get(kept(times.len())).copied() else {
            return Self { training: ratings.to_vec(), held_out: Vec::new() };
        };
        let (training, held_out) = ratings.iter().partition(|rating| rating.at < first_held_out);
        Self { training, held_out }
    }

    fn by_user(ratings: &[Rating], order: impl Fn(i64, &[Rating]) -> Vec<Rating>) -> Self {
        let (mut training, mut held_out) = (Vec::new(), Vec::new());
        for of_user in ratings.chunk_by(|a, b| a.user == b.user) {
            let ordered = order(of_user[0].user, of_user);
            let (kept, rest) = ordered.split_at(kept(ordered.len()));
            training.extend(kept);
            held_out.extend(rest);
        }
        for part in [&mut training, &mut held_out] {
            part.sort_by_key(|rating: &Rating| (rating.user, rating.at, rating.movie));
        }
        Self { training, held_out }
    }

    /// Divides the training part once more, to choose settings without a look at what is held out.
    pub fn validation(&self, kind: SplitKind, seed: u64) -> Self {
        Self::new(&self.training, kind, seed.wrapping_add(1))
    }

    /// The users to make lists for: those with at least five likes to learn from and one that is held out. By user.
    pub fn test_users(&self) -> Vec<TestUser<'_>> {
        let held_out: HashMap<i64, Vec<i32>> = self
            .held_out
            .chunk_by(|a, b| a.user == b.user)
            .map(|of_user| {
                (of_user[0].user, of_user.iter().filter(|rating| rating.is_like()).map(|rating| rating.movie).collect())
            })
            .collect();
        let users = self.training.chunk_by(|a, b| a.user == b.user).filter_map(|ratings| {
            let relevant = held_out.get(&ratings[0].user).filter(|movies| !movies.is_empty())?;
            let enough = ratings.iter().filter(|rating| rating.is_like()).count() >= MIN_LIKES;
            enough.then(|| TestUser { id: ratings[0].user, ratings, relevant: relevant.clone() })
        });
        users.collect()
    }
}

/// Users with fewer likes in the training part are left out.
const MIN_LIKES: usize = 5;

/// A user to make a list for.
#[derive(Debug, Clone, PartialEq)]
pub struct TestUser<'a> {
    /// The user.
    pub id: i64,
    /// What is known about the user: by time.
    pub ratings: &'a [Rating],
    /// The movies that a good list shows: liked, and held out.
    pub relevant: Vec<i32>,
}

/// How many of `count` ratings are kept for training: four in five, rounded to the nearest.
fn kept(count: usize) -> usize {
    count - (2 * count + ONE_IN) / (2 * ONE_IN)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn ratings()(list in proptest::collection::btree_map((1..20_i64, 1..40_i32), (1..=20_u8, 0..1_000_i64), 0..200)) -> Vec<Rating> {
            let mut ratings: Vec<Rating> = list.into_iter().map(|((user, movie), (half, at))| Rating {
                user, movie, value: f64::from(half) / 2.0, at: DateTime::from_timestamp(at, 0).expect("a time"),
            }).collect();
            ratings.sort_by_key(|rating| (rating.user, rating.at, rating.movie));
            ratings
        }
    }

    fn kinds() -> impl Strategy<Value = SplitKind> {
        prop_oneof![Just(SplitKind::GlobalTime), Just(SplitKind::UserTime), Just(SplitKind::Random)]
    }

    fn times_of(ratings: &[Rating], user: i64) -> Vec<i64> {
        ratings.iter().filter(|rating| rating.user == user).map(|rating| rating.at.timestamp()).collect()
    }

    proptest! {
        #[test]
        fn every_rating_is_in_exactly_one_part_and_the_same_seed_gives_the_same_parts(
            ratings in ratings(), kind in kinds(), seed in any::<u64>(),
        ) {
            let split = Split::new(&ratings, kind, seed);
            let mut all = [split.training.as_slice(), &split.held_out].concat();
            all.sort_by_key(|rating| (rating.user, rating.at, rating.movie));
            prop_assert_eq!(&all, &ratings);
            prop_assert_eq!(Split::new(&ratings, kind, seed), split);
        }

        #[test]
        fn a_split_by_time_holds_out_the_latest(ratings in ratings()) {
            let by_user = Split::new(&ratings, SplitKind::UserTime, 0);
            for user in 1..20 {
                let (known, held_out) = (times_of(&by_user.training, user), times_of(&by_user.held_out, user));
                prop_assert!(known.iter().max() <= held_out.iter().min() || held_out.is_empty());
                let fifth = (known.len() + held_out.len()) as f64 / 5.0;
                prop_assert!((held_out.len() as f64 - fifth).abs() <= 0.5);
            }
            let global = Split::new(&ratings, SplitKind::GlobalTime, 0);
            let (last, first) = (global.training.iter().map(|r| r.at).max(), global.held_out.iter().map(|r| r.at).min());
            prop_assert!(global.held_out.is_empty() || last < first);
        }

        #[test]
        fn lists_are_made_for_users_with_five_likes_and_one_to_find(ratings in ratings(), kind in kinds()) {
            let split = Split::new(&ratings, kind, 1);
            let likes = |part: &[Rating], user: i64| part.iter().filter(|rating| rating.user == user && rating.is_like()).count();
            let expected: Vec<i64> =
                (1..20).filter(|user| likes(&split.training, *user) >= 5 && likes(&split.held_out, *user) >= 1).collect();
            let users = split.test_users();
            prop_assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), expected);
            for user in users {
                prop_assert_eq!(user.relevant.len(), likes(&split.held_out, user.id));
                prop_assert!(user.ratings.iter().all(|rating| rating.user == user.id));
            }
        }
    }
}
