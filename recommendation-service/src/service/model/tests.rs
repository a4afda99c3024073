//! EASE against a naive, dense, double-precision reference written from the paper's formula; and what a model promises.

use proptest::prelude::*;

use super::{
    control::TrainingControl,
    ease::{self, EaseError, EaseSettings},
    ials::{self, IalsSettings},
    info::{Scoring, Weighting},
    interactions::{Interactions, Limits},
    training::{Opinion, TrainingError, TrainingSettings, train},
    *,
};

const ALL: Limits = Limits { min_users_per_movie: 1, max_movies: usize::MAX, weighting: Weighting::Graded };

/// Gauss-Jordan with pivots.
fn inverse(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = a.len();
    for (i, row) in a.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for i in 0..n {
        let pivot = (i..n).max_by(|x, y| a[*x][i].abs().total_cmp(&a[*y][i].abs())).expect("a row");
        a.swap(i, pivot);
        let lead = a[i][i];
        a[i].iter_mut().for_each(|value| *value /= lead);
        let pivot_row = a[i].clone();
        for (j, row) in a.iter_mut().enumerate() {
            let factor = row[i];
            if j != i {
                row.iter_mut().zip(&pivot_row).for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
    }
    a.into_iter().map(|row| row[n..].to_vec()).collect()
}

fn dense(data: &Interactions) -> Vec<Vec<f64>> {
    let mut x = vec![vec![0.0; data.movie_ids().len()]; data.rows()];
    for (index, row) in x.iter_mut().enumerate() {
        let (columns, values) = data.row(index);
        columns.iter().zip(values).for_each(|(column, value)| row[*column as usize] = f64::from(*value));
    }
    x
}

/// B of Steck 2019, equation 8.
fn reference_weights(data: &Interactions, ridge: f64) -> Vec<Vec<f64>> {
    let (x, n) = (dense(data), data.movie_ids().len());
    let gram = |i: usize, j: usize| x.iter().map(|row| row[i] * row[j]).sum::<f64>() + if i == j { ridge } else { 0.0 };
    let p = inverse((0..n).map(|i| (0..n).map(|j| gram(i, j)).collect()).collect());
    (0..n).map(|i| (0..n).map(|j| if i == j { 0.0 } else { -p[i][j] / p[j][j] }).collect()).collect()
}

fn likes_of(max_users: i64, max_movies: i32) -> impl Strategy<Value = Vec<Opinion>> {
    let like = (1..=max_users, 1..=max_movies, 0.1..=1.0_f32, 0..100_i64);
    proptest::collection::vec(
        like.prop_map(|(user, movie, strength, at)| Opinion { user, movie: movie * 3, strength, at }),
        1..150,
    )
}

fn likes(pairs: &[(i64, i32)]) -> Vec<Opinion> {
    (0..).zip(pairs).map(|(at, (user, movie))| Opinion { user: *user, movie: *movie, strength: 1.0, at }).collect()
}

fn tags(movie: i32) -> Vec<u32> {
    if movie % 2 == 0 { vec![0, 1 + (movie as u32) % 3] } else { Vec::new() }
}

fn weight(weights: &ItemWeights, source: usize, target: usize) -> f64 {
    f64::from(weights.contributions(&[(source, 1.0)], target)[0].1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    // Few users and many movies take the way over rows, many users and few movies the way over movies.
    #[test]
    fn ease_equals_the_dense_reference_with_few_or_many_users(
        likes in prop_oneof![likes_of(6, 25), likes_of(60, 8)], ridge in 1.0..50.0_f32, weight_of_rows in prop_oneof![Just(0.0), 0.1..2.0_f32],
    ) {
        let mut data = Interactions::from_likes(&likes, &ALL);
        data.add_sessions(weight_of_rows);
        data.add_tags(weight_of_rows, tags);
        let settings = EaseSettings { ridge, sources_kept: usize::MAX };
        let weights = ease::train(&data, &settings, &TrainingControl::default()).expect("weights");
        let expected = reference_weights(&data, f64::from(ridge));
        for (source, row) in expected.iter().enumerate() {
            for (target, expected) in row.iter().enumerate() {
                let found = weight(&weights, source, target);
                prop_assert!((found - expected).abs() < 1e-4, "{source} to {target}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn each_movie_keeps_the_sources_with_the_largest_weights(likes in likes_of(20, 15), kept in 1..5_usize) {
        let data = Interactions::from_likes(&likes, &ALL);
        let train = |sources_kept| {
            ease::train(&data, &EaseSettings { ridge: 3.0, sources_kept }, &TrainingControl::default()).expect("weights")
        };
        let (all, few) = (train(usize::MAX), train(kept));
        for target in 0..data.movie_ids().len() {
            let column = |weights: &ItemWeights| -> Vec<f64> {
                (0..data.movie_ids().len()).map(|source| weight(weights, source, target)).collect()
            };
            let (all, few) = (column(&all), column(&few));
            prop_assert!(few.iter().filter(|weight| **weight != 0.0).count() <= kept);
            let smallest_kept = few.iter().filter(|weight| **weight != 0.0).map(|weight| weight.abs()).fold(f64::MAX, f64::min);
            for (all, few) in all.iter().zip(&few) {
                prop_assert!(few == all || (*few == 0.0 && all.abs() <= smallest_kept));
            }
        }
    }

    #[test]
    fn contributions_sum_to_the_score_and_are_sorted(
        likes in likes_of(20, 12), feedback in proptest::collection::btree_map(0..40_i32, -1.0..1.0_f32, 0..15), max_movies in prop_oneof![Just(2_usize), Just(100)],
    ) {
        let model = model(&likes, max_movies);
        let feedback: Vec<(i32, f32)> = feedback.into_iter().collect();
        for (movie, score) in model.movie_ids().iter().zip(model.score(&feedback)) {
            let parts = model.contributions(&feedback, *movie);
            let sum: f32 = parts.iter().map(|(_, part)| part).sum();
            prop_assert!((sum - score).abs() < 1e-4, "{sum} instead of {score}");
            prop_assert!(parts.is_sorted_by(|a, b| a.1 >= b.1));
            prop_assert!(parts.iter().all(|(liked, _)| feedback.iter().any(|(known, _)| known == liked)));
        }
    }

    #[test]
    fn a_model_is_the_same_after_encoding(likes in likes_of(12, 12), max_movies in prop_oneof![Just(2_usize), Just(100)]) {
        let model = model(&likes, max_movies);
        let decoded = codec::decode(&codec::encode(&model)).expect("whole");
        prop_assert_eq!((decoded.movie_ids(), decoded.parameters()), (model.movie_ids(), model.parameters()));
        // Decimal fractions may lose their last digit.
        prop_assert_eq!((&decoded.info().version, decoded.info().movies), (&model.info().version, model.info().movies));
    }

    #[test]
    fn a_damaged_model_is_refused(place in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = codec::encode(&model(&likes(&[(1, 3), (1, 6), (2, 3), (2, 9)]), 100));
        prop_assert!(codec::decode(&bytes[..cut.index(bytes.len())]).is_err());
        let damaged = place.index(bytes.len());
        bytes[damaged] ^= 1 << bit;
        prop_assert!(codec::decode(&bytes).is_err());
    }
}

fn settings(max_movies: usize) -> TrainingSettings {
    // Small, since tests are not optimised.
    let ials = IalsSettings { rank: 4, rounds: 4, ridge: 0.1, ..IalsSettings::default() };
    TrainingSettings {
        min_users_per_movie: 1,
        max_movies,
        ridges: vec![20.0],
        weightings: vec![Weighting::Graded],
        ials,
        ..TrainingSettings::default()
    }
}

fn model(likes: &[Opinion], max_movies: usize) -> ItemModel {
    train(likes, &tags, &settings(max_movies), &TrainingControl::default()).expect("a model")
}

/// Two groups of users, each with movies of its own: 1..=5 and 11..=15.
fn two_groups() -> Vec<(i64, i32)> {
    let movies = |user: i64| if user % 2 == 0 { 1..=5 } else { 11..=15 };
    (1..=40)
        .flat_map(|user| {
            movies(user).filter(move |movie| i64::from(*movie) % 5 != user % 5).map(move |movie| (user, movie))
        })
        .collect()
}

#[test]
fn who_likes_movies_of_a_group_gets_the_others_of_it_by_either_algorithm() {
    for max_movies in [100, 5] {
        let model = model(&likes(&two_groups()), max_movies);
        let scores = model.score(&[(1, 1.0), (2, 1.0)]);
        let score = |movie: i32| scores[model.movie_ids().binary_search(&movie).expect("known")];
        for own in 3..=5 {
            assert!((11..=15).all(|other| score(own) > score(other)), "{scores:?}");
        }
        assert!(model.neighbours(1, 4).iter().all(|(movie, _)| *movie <= 5), "{:?}", model.neighbours(1, 4));
        assert_eq!(model.neighbours(1, 2).len(), 2);
    }
}

#[test]
fn a_dislike_lowers_what_goes_with_the_movie() {
    let model = model(&likes(&two_groups()), 100);
    let score = |feedback: &[(i32, f32)]| model.score(feedback)[2];
    assert!(score(&[(1, 1.0), (2, -1.0)]) < score(&[(1, 1.0)]));
}

#[test]
fn what_the_model_does_not_know_counts_nothing() {
    let model = model(&likes(&two_groups()), 100);
    assert!(model.score(&[(99, 1.0)]).iter().all(|score| *score == 0.0));
    assert!(model.score(&[]).iter().all(|score| *score == 0.0));
    assert_eq!(model.score(&[(1, 1.0), (2, f32::NAN)]), model.score(&[(1, 1.0)]));
    assert!(model.neighbours(99, 5).is_empty() && model.contributions(&[(1, 1.0)], 99).is_empty());
}

#[test]
fn equal_data_gives_an_equal_version_and_other_data_another() {
    let version = |pairs: &[(i64, i32)]| model(&likes(pairs), 100).info().version.clone();
    let mut backwards = likes(&two_groups());
    backwards.reverse();
    assert_eq!(version(&two_groups()), model(&backwards, 100).info().version);
    assert_ne!(version(&two_groups()), version(&two_groups()[1..]));
}

#[test]
fn movies_with_too_few_users_and_the_least_liked_ones_beyond_the_limit_are_left_out() {
    let likes = likes(&[(1, 7), (2, 7), (3, 7), (1, 8), (2, 8), (1, 9), (1, 9), (2, 5), (3, 5)]);
    let ids = |min_users_per_movie, max_movies| {
        Interactions::from_likes(&likes, &Limits { min_users_per_movie, max_movies, ..ALL }).movie_ids().to_vec()
    };
    assert_eq!(ids(1, 100), [5, 7, 8, 9]);
    assert_eq!(ids(2, 100), [5, 7, 8]);
    assert_eq!(ids(2, 2), [5, 7]);
}

#[test]
fn likes_of_a_user_without_a_pause_of_five_minutes_are_a_session_and_a_row() {
    let like = |user: i64, movie: i32, at: i64| Opinion { user, movie, strength: 1.0, at };
    let list = [like(1, 9, 0), like(1, 7, 299), like(1, 8, 599), like(1, 5, 898), like(1, 6, 2_000), like(2, 6, 899)];
    let mut data = Interactions::from_likes(&list, &ALL);
    let (users, of_users) = (data.rows(), data.likes());
    data.add_sessions(0.5);
    let rows: Vec<_> = (users..data.rows()).map(|row| data.row(row)).collect();
    // Movies 7 and 9, then 5 and 8; one like alone says nothing about what it came with.
    assert_eq!(rows, [(&[2, 4][..], &[0.5, 0.5][..]), (&[0, 3], &[0.5, 0.5])]);
    assert_eq!((data.users(), data.likes()), (users, of_users));
    data.add_sessions(0.0);
    assert_eq!(data.rows(), users + 2);
}

#[test]
fn the_fewer_weights_are_kept_the_smaller_the_model() {
    let bytes = |weights_kept| {
        let settings = TrainingSettings { weights_kept, ..settings(100) };
        train(&likes(&two_groups()), &tags, &settings, &TrainingControl::default()).expect("a model").heap_bytes()
    };
    assert!(bytes(20) < bytes(50) && bytes(50) < bytes(16_000_000));
}

#[test]
fn a_weak_like_counts_less_or_not_at_all() {
    let like = |movie: i32, strength: f32| Opinion { user: 1, movie, strength, at: 0 };
    let list = [like(1, 1.0), like(2, 0.36), like(3, 0.25)];
    let values = |weighting| Interactions::from_likes(&list, &Limits { weighting, ..ALL }).row(0).1.to_vec();
    assert_eq!(values(Weighting::Equal), [1.0, 1.0]);
    assert_eq!(values(Weighting::Graded), [1.0, 0.6, 0.5]);
}

/// Each user likes three movies of everybody's and then those of one group, in an order of its own.
#[test]
fn the_quality_on_held_out_likes_is_measured_and_beats_popularity_where_there_is_something_to_learn() {
    let movies = |user: i64| (0..8).map(move |number| (number + user) % 8 + if user % 2 == 0 { 1 } else { 11 });
    let pairs: Vec<(i64, i32)> = (1..=40)
        .flat_map(|user| {
            [100, 101, 102].into_iter().chain(movies(user).map(|movie| movie as i32)).map(move |movie| (user, movie))
        })
        .filter(|(user, movie)| *movie >= 100 || (i64::from(*movie) * 7 + user) % 6 != 0)
        .collect();
    let quality = model(&likes(&pairs), 100).info().quality.expect("something is held out");
    assert_eq!(quality.users, 40);
    assert!(quality.ndcg_10 > quality.popularity_ndcg_10, "{quality:?}");
    assert_eq!(model(&likes(&[(1, 3), (2, 3)]), 100).info().quality, None);
}

#[test]
fn a_training_that_needs_more_memory_than_it_may_take_fails_before_it_takes_it() {
    let train = |max_bytes| {
        let settings = TrainingSettings { max_bytes: Some(max_bytes), ..settings(100) };
        train(&likes(&two_groups()), &tags, &settings, &TrainingControl::default()).map(|_| ())
    };
    assert_eq!(train(1_000), Err(TrainingError::OutOfMemory { megabytes: 1 }));
    assert_eq!(train(1_000_000), Ok(()));
}

#[test]
fn progress_never_goes_back_and_ends_at_100_percent() {
    let control = TrainingControl::default();
    let mut seen = Vec::new();
    for part in 0..3 {
        control.begin_part(part, 3);
        for done in 0..=4 {
            control.step(done, 4).expect("not cancelled");
            seen.push(control.percent());
        }
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&100)));
}

#[test]
fn the_curve_says_how_much_weak_likes_count() {
    let curved = |curve: f32| {
        let settings = TrainingSettings { scorings: vec![Scoring { curve, dislikes: 0.5 }], ..settings(100) };
        train(&likes(&two_groups()), &tags, &settings, &TrainingControl::default()).expect("a model")
    };
    let score = |curve: f32, strength: f32| curved(curve).score(&[(1, strength)])[1];
    assert!((score(1.0, 0.25) - 0.25 * score(1.0, 1.0)).abs() < 1e-6);
    assert!((score(0.5, 0.25) - 0.5 * score(0.5, 1.0)).abs() < 1e-6);
    assert!((score(0.5, -0.25) + 0.25 * score(0.5, 1.0)).abs() < 1e-6, "a dislike counts half");
}

#[test]
fn without_likes_there_is_no_model_and_a_cancelled_training_ends() {
    let control = TrainingControl::default();
    assert_eq!(train(&[], &tags, &settings(100), &control).map(|_| ()), Err(TrainingError::TooLittleData));
    let data = Interactions::from_likes(&likes(&two_groups()), &ALL);
    let nothing = EaseSettings { ridge: 0.0, sources_kept: 9 };
    assert_eq!(ease::train(&data, &nothing, &control), Err(EaseError::Singular));
    assert!(ease::train(&data, &EaseSettings { ridge: 1.0, ..nothing }, &control).is_ok());
    assert_eq!(control.percent(), 100);
    control.cancel();
    let likes = likes(&two_groups());
    for max_movies in [100, 2] {
        let ended = train(&likes, &tags, &settings(max_movies), &control);
        assert!(matches!(ended, Err(TrainingError::Cancelled(_))));
    }
}

#[test]
fn ials_gives_the_same_vectors_for_the_same_seed() {
    let data = Interactions::from_likes(&likes(&two_groups()), &ALL);
    let train = |seed| ials::train(&data, &IalsSettings { seed, ..settings(2).ials }, &TrainingControl::default());
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}
