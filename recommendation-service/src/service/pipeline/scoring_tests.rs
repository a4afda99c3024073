//! Scoring by the three default rules: examples computed by hand, and random catalogues against an oracle, a reference
//! implementation of the formula.

use chrono::{Days, NaiveDate, NaiveTime};
use proptest::{prelude::*, strategy::Strategy};

use super::{top_k::TopK, *};
use crate::models::{
    catalogue_builder::{CatalogueBuilder, Movie},
    recommendation::Reason,
    rule::RuleType,
};

const GENRES: [&str; 5] = ["Action", "Drama", "Straße", "ΟΔΟΣ", "科幻"];

/// A movie of a test, with everything owned.
#[derive(Debug, Clone, Default)]
struct Sample {
    id: i32,
    popularity: Option<f64>,
    released: Option<NaiveDate>,
    vote: Option<f64>,
    genres: Vec<i32>,
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn today() -> NaiveDate {
    day("2026-11-22")
}

fn catalogue(samples: &[Sample]) -> Catalogue {
    let genres = (0..).zip(GENRES).map(|(id, name)| (id, name.to_owned())).collect();
    let mut builder = CatalogueBuilder::new("1-1".into(), genres).expect("few genres");
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| sample.id);
    for sample in samples {
        let Sample { id, popularity, released: release_date, vote: vote_average, genres } = sample.clone();
        builder
            .push(&Movie { id, popularity, release_date, vote_average, genre_ids: &genres, ..Movie::default() })
            .expect("ids ascend");
    }
    builder.finish()
}

fn weights_of(popularity: Option<f64>, recency: Option<f64>, genre_match: Option<f64>) -> Weights {
    let all = [(RuleType::Popularity, popularity), (RuleType::Recency, recency), (RuleType::GenreMatch, genre_match)];
    all.into_iter().filter_map(|(rule_type, weight)| Some((rule_type, weight?))).collect()
}

fn seeded() -> Weights {
    weights_of(Some(0.4), Some(0.3), Some(0.3))
}

fn rank(
    catalogue: &Catalogue,
    profile: &UserProfile,
    weights: &Weights,
    today: NaiveDate,
    limit: usize,
) -> Vec<RankedMovie> {
    let (feedback, now) = (FeedbackSettings::default(), today.and_time(NaiveTime::MIN).and_utc());
    let request = ListRequest { limit, ..ListRequest::default() };
    PipelineInput { catalogue, profile, weights, feedback: &feedback, model: None, now }.rank(&request).movies
}

fn ids(catalogue: &Catalogue, ranked: &[RankedMovie]) -> Vec<i32> {
    ranked.iter().map(|movie| catalogue.ids()[movie.index]).collect()
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_score_is_the_weighted_sum_of_the_three_values() {
    let catalogue = catalogue(&[
        Sample {
            id: 1,
            popularity: Some(100.0),
            released: Some(day("2026-11-22")),
            genres: vec![0, 1],
            ..Sample::default()
        },
        Sample {
            id: 2,
            popularity: Some(50.0),
            released: Some(day("2025-11-22")),
            genres: vec![0],
            ..Sample::default()
        },
        Sample { id: 3, ..Sample::default() },
    ]);
    let profile = UserProfile { preferred_genres: names(&["action"]), ..UserProfile::default() };
    let ranked = rank(&catalogue, &profile, &seeded(), today(), 10);
    let shown: Vec<_> = ranked.iter().map(|movie| (movie.score, movie.reasons.to_string())).collect();
    // 0.4 + 0.3 + 0.3/2; 0.4/2 + 0.3 x (1 - 365/730) + 0.3; nothing.
    assert_eq!(
        shown,
        [
            (0.85, "highly popular, recently released, matches your preferred genres".into()),
            (0.65, "matches your preferred genres".into()),
            (0.0, "recommended for you".into()),
        ]
    );
}

#[test]
fn recency_counts_whole_days_up_to_two_years() {
    let recency = weights_of(None, Some(1.0), None);
    for (released, score) in [
        (Some("2026-11-22"), 1.0),
        (Some("2030-01-01"), 1.0),
        (Some("2026-11-21"), 0.9986),
        (Some("2024-11-23"), 0.0014),
        (Some("2024-11-22"), 0.0),
        (Some("1902-09-01"), 0.0),
        (None, 0.0),
    ] {
        let movie = Sample { id: 1, released: released.map(day), ..Sample::default() };
        let ranked = rank(&catalogue(&[movie]), &UserProfile::default(), &recency, today(), 1);
        assert_eq!(ranked[0].score, score, "{released:?}");
    }
}

#[test]
fn a_value_of_exactly_seven_tenths_is_not_mentioned() {
    // 219 days are 0.3 x 730.
    let released = today().checked_sub_days(Days::new(219));
    let catalogue = catalogue(&[
        Sample { id: 1, popularity: Some(7.0), released, ..Sample::default() },
        Sample { id: 2, popularity: Some(10.0), ..Sample::default() },
    ]);
    let ranked = rank(&catalogue, &UserProfile::default(), &seeded(), today(), 10);
    let first = ranked.iter().find(|movie| catalogue.ids()[movie.index] == 1).expect("both are there");
    assert_eq!(first.reasons.to_string(), "recommended for you");
}

#[test]
fn popularity_is_measured_by_the_highest_among_the_candidates() {
    let catalogue = catalogue(&[
        Sample { id: 1, popularity: Some(1000.0), vote: Some(9.0), ..Sample::default() },
        Sample { id: 2, popularity: Some(500.0), vote: Some(3.0), ..Sample::default() },
        Sample { id: 3, popularity: Some(10.0), vote: Some(8.0), ..Sample::default() },
    ]);
    let profile = UserProfile { seen_movie_ids: vec![1], min_rating: 5.0, ..UserProfile::default() };
    let ranked = rank(&catalogue, &profile, &seeded(), today(), 10);
    assert_eq!((ids(&catalogue, &ranked), ranked[0].score), (vec![3], 0.4));
}

#[test]
fn without_any_popularity_nothing_is_divided_by_zero() {
    let samples = [None, Some(0.0), Some(-3.0)].map(|popularity| Sample { popularity, ..Sample::default() });
    let samples: Vec<Sample> = (1..).zip(samples).map(|(id, sample)| Sample { id, ..sample }).collect();
    let ranked = rank(&catalogue(&samples), &UserProfile::default(), &seeded(), today(), 10);
    assert!(ranked.iter().all(|movie| movie.score == 0.0), "{ranked:?}");
}

#[test]
fn a_movie_that_nobody_rated_is_not_rated_below_the_minimum() {
    let catalogue = catalogue(&[
        Sample { id: 1, vote: Some(6.9), ..Sample::default() },
        Sample { id: 2, vote: Some(7.0), ..Sample::default() },
        Sample { id: 3, vote: None, ..Sample::default() },
    ]);
    let profile = UserProfile { min_rating: 7.0, ..UserProfile::default() };
    assert_eq!(ids(&catalogue, &rank(&catalogue, &profile, &seeded(), today(), 10)), [2, 3]);
}

#[test]
fn genres_match_in_any_case_and_any_script() {
    for (preferred, matches) in [
        ("aCTION", true),
        ("STRASSE", true),
        ("οδος", true),
        ("Οδοσ", true),
        ("科幻", true),
        ("Comedy", false),
        ("", false),
    ] {
        let all = Sample { id: 1, genres: vec![0, 1, 2, 3, 4], ..Sample::default() };
        let profile = UserProfile { preferred_genres: names(&[preferred]), ..UserProfile::default() };
        let ranked = rank(&catalogue(&[all]), &profile, &seeded(), today(), 1);
        assert_eq!(ranked[0].reasons.0.contains(&Reason::PreferredGenres), matches, "{preferred:?}");
        assert_eq!(ranked[0].score, if matches { 0.06 } else { 0.0 }, "{preferred:?}");
    }
}

#[test]
fn equal_scores_go_by_popularity_and_then_by_id() {
    let recency = weights_of(None, Some(1.0), None);
    let samples = [(4, 1.0), (2, 5.0), (3, 1.0), (1, 0.5)];
    let samples = samples.map(|(id, popularity)| Sample { id, popularity: Some(popularity), ..Sample::default() });
    let catalogue = catalogue(&samples);
    assert_eq!(ids(&catalogue, &rank(&catalogue, &UserProfile::default(), &recency, today(), 10)), [2, 3, 4, 1]);
}

#[test]
fn halves_are_rounded_away_from_zero() {
    // 312.5 and 937.5 of ten thousand, both exact in binary; rounding to even would give 312.
    for (weight, score) in [(0.03125, 0.0313), (0.09375, 0.0938)] {
        let popularity = weights_of(Some(weight), None, None);
        let movie = Sample { id: 1, popularity: Some(1.0), ..Sample::default() };
        assert_eq!(rank(&catalogue(&[movie]), &UserProfile::default(), &popularity, today(), 1)[0].score, score);
    }
}

#[test]
fn what_does_not_count_is_no_reason() {
    let movie = Sample { id: 1, popularity: Some(9.0), released: Some(today()), genres: vec![0], ..Sample::default() };
    let profile = UserProfile { preferred_genres: names(&["Action"]), ..UserProfile::default() };
    let ranked = rank(&catalogue(&[movie]), &profile, &Weights::default(), today(), 1);
    assert_eq!((ranked[0].score, ranked[0].reasons.to_string().as_str()), (0.0, "recommended for you"));
}

/// The formula, word by word, with a full sort.
fn reference_rank(samples: &[Sample], profile: &UserProfile, weights: &Weights, limit: usize) -> Vec<(i32, f64)> {
    let candidates: Vec<&Sample> = samples
        .iter()
        .filter(|movie| !profile.seen_movie_ids.contains(&movie.id))
        .filter(|movie| movie.vote.is_none_or(|vote| vote >= profile.min_rating))
        .collect();
    let highest = candidates.iter().filter_map(|movie| movie.popularity).fold(0.0, f64::max);
    let preferred: Vec<String> = profile.preferred_genres.iter().map(|name| name.to_lowercase()).collect();
    let mut scored: Vec<(f64, f64, i32)> = candidates
        .iter()
        .map(|movie| {
            let popularity = movie.popularity.unwrap_or(0.0);
            let popular = if highest > 0.0 { (popularity / highest).clamp(0.0, 1.0) } else { 0.0 };
            let recent = movie.released.map_or(0.0, |date| {
                let days = (today() - date).num_days().max(0);
                (1.0 - days as f64 / 730.0).clamp(0.0, 1.0)
            });
            let wanted = |genre: &&i32| preferred.contains(&GENRES[**genre as usize].to_lowercase());
            let genre = match movie.genres.len() {
                0 => 0.0,
                all => movie.genres.iter().filter(wanted).count() as f64 / all as f64,
            };
            let score = weights.get(RuleType::Popularity).unwrap_or(0.0) * popular
                + weights.get(RuleType::Recency).unwrap_or(0.0) * recent
                + weights.get(RuleType::GenreMatch).unwrap_or(0.0) * genre;
            ((score * 10_000.0).round() / 10_000.0, popularity, movie.id)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    scored.into_iter().take(limit).map(|(score, _, id)| (id, score)).collect()
}

prop_compose! {
    // Few distinct values, so that equal scores are common.
    fn sample()(
        popularity in prop_oneof![Just(None), (0..4_u8).prop_map(|p| Some(f64::from(p))), (0.0..1e6).prop_map(Some)],
        released in proptest::option::of((0..1500_u64).prop_map(|days| day("2023-01-01") + Days::new(days))),
        vote in proptest::option::of((0..=20_u8).prop_map(|half| f64::from(half) / 2.0)),
        genres in proptest::sample::subsequence(vec![0, 1, 2, 3, 4], 0..=5),
    ) -> Sample {
        Sample { id: 0, popularity, released, vote, genres }
    }
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let numbered = |list: Vec<Sample>| (1..).zip(list).map(|(id, sample)| Sample { id: id * 3, ..sample }).collect();
    proptest::collection::vec(sample(), 0..60).prop_map(numbered)
}

fn part() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![Just(None), Just(Some(0.3)), (0.0..5.0).prop_map(Some)]
}

prop_compose! {
    fn weights()(popularity in part(), recency in part(), genre_match in part()) -> Weights {
        weights_of(popularity, recency, genre_match)
    }
}

prop_compose! {
    fn profiles()(
        genres in proptest::sample::subsequence(GENRES.to_vec(), 0..=3),
        min_rating in prop_oneof![Just(0.0), (0..=20_u8).prop_map(|half| f64::from(half) / 2.0)],
        seen in proptest::collection::btree_set(0..200_i32, 0..40),
    ) -> UserProfile {
        UserProfile { preferred_genres: names(&genres), min_rating, seen_movie_ids: seen.into_iter().collect(), ..UserProfile::default() }
    }
}

proptest! {
    #[test]
    fn any_catalogue_is_ranked_as_the_formula_says(
        samples in samples(), weights in weights(), profile in profiles(), limit in 0..=50_usize,
    ) {
        let catalogue = catalogue(&samples);
        let ranked = rank(&catalogue, &profile, &weights, today(), limit);
        let found: Vec<_> = ranked.iter().map(|movie| (catalogue.ids()[movie.index], movie.score)).collect();
        prop_assert_eq!(found, reference_rank(&samples, &profile, &weights, limit));
    }

    #[test]
    fn scores_lie_between_zero_and_the_sum_of_the_weights_and_fall(
        samples in samples(), weights in weights(), profile in profiles(), limit in 0..=50_usize,
    ) {
        let ranked = rank(&catalogue(&samples), &profile, &weights, today(), limit);
        prop_assert!(ranked.len() <= limit);
        prop_assert!(ranked.is_sorted_by(|better, worse| better.score >= worse.score));
        for movie in ranked {
            prop_assert!((0.0..=weights.sum() + 0.00005 + 1e-9).contains(&movie.score), "{}", movie.score);
        }
    }

    #[test]
    fn a_shorter_list_is_the_start_of_a_longer_one(samples in samples(), weights in weights(), limit in 0..=50_usize) {
        let catalogue = catalogue(&samples);
        let long = rank(&catalogue, &UserProfile::default(), &weights, today(), 60);
        let short = rank(&catalogue, &UserProfile::default(), &weights, today(), limit);
        prop_assert_eq!(&short[..], &long[..limit.min(long.len())]);
    }

    #[test]
    fn the_best_k_do_not_depend_on_the_order_of_the_candidates(
        candidates in proptest::collection::vec((0..5_u8, 0..3_u8), 0..80)
            .prop_map(|list| (0..).zip(list).collect::<Vec<(i32, (u8, u8))>>()).prop_shuffle(),
        limit in 0..20_usize,
    ) {
        let candidate = |(id, (score, popularity)): &(i32, (u8, u8))| Candidate {
            scaled_score: f64::from(*score), popularity: f64::from(*popularity), id: *id, index: 0,
        };
        let mut best = TopK::new(limit);
        for candidate in candidates.iter().map(candidate) {
            if best.can_enter(candidate.scaled_score) {
                best.push(candidate);
            }
        }
        let kept: Vec<i32> = best.into_sorted().iter().map(|candidate| candidate.id).collect();
        let mut all: Vec<Candidate> = candidates.iter().map(candidate).collect();
        all.sort_by(|a, b| b.cmp(a));
        prop_assert_eq!(kept, all.iter().take(limit).map(|candidate| candidate.id).collect::<Vec<_>>());
    }
}
