//! What holds for every list, over catalogues of several blocks, and each learned formula against an oracle.

use proptest::{prelude::*, strategy::Strategy};

use super::{
    oracles,
    test_world::{GENRES, Sample, World, part},
};
use crate::models::{
    list_request::{Exploration, GenreChoice, ListRequest, MovieFilter},
    recommendation::RankedMovie,
    rule::RuleType,
};

fn requests() -> impl Strategy<Value = ListRequest> {
    let filters = prop_oneof![
        Just(MovieFilter::default()),
        (1..5_i32).prop_map(|decade| MovieFilter { year_gte: Some(1970 + 10 * decade), ..MovieFilter::default() }),
        Just(MovieFilter {
            with_genres: Some(GenreChoice { genres: vec!["drama".into(), "0".into()], all: false }),
            without_genres: Some(GenreChoice { genres: vec!["Horror".into()], all: true }),
            year_lte: Some(2020),
            runtime_lte: Some(150),
            exclude_ids: vec![3, 30, 300],
            ..MovieFilter::default()
        }),
        Just(MovieFilter {
            with_original_language: Some("fr".into()),
            vote_average_gte: Some(4.0),
            ..MovieFilter::default()
        }),
    ];
    let share = || prop_oneof![Just(0.0), Just(0.5), 0.0..=1.0];
    (filters, share(), share(), any::<bool>(), any::<u32>()).prop_map(|(filter, diversity, explore, seen, seed)| {
        ListRequest {
            limit: 40,
            include_seen: seen,
            filter,
            diversity,
            exploration: Exploration { share: explore, seed: seed.into() },
            explain: true,
            ..ListRequest::default()
        }
    })
}

/// Whether a movie fits the filter, said without the catalogue.
fn fits(sample: &Sample, filter: &MovieFilter) -> bool {
    let has = |genre: &String| {
        let is_it = |id: &i32| GENRES[*id as usize].eq_ignore_ascii_case(genre) || id.to_string() == *genre;
        sample.genres.iter().any(is_it)
    };
    let matches = |choice: &GenreChoice| match choice.all {
        true => choice.genres.iter().all(has),
        false => choice.genres.iter().any(has),
    };
    let year = sample.released.map(|date| chrono::Datelike::year(&date));
    filter.with_genres.as_ref().is_none_or(matches)
        && !filter.without_genres.as_ref().is_some_and(matches)
        && filter.year_gte.is_none_or(|first| year.is_some_and(|year| year >= first))
        && filter.year_lte.is_none_or(|last| year.is_some_and(|year| year <= last))
        && filter.runtime_lte.is_none_or(|max| sample.runtime > 0 && sample.runtime <= max)
        && filter.with_original_language.as_ref().is_none_or(|language| sample.language == *language)
        && filter.vote_average_gte.is_none_or(|min| sample.vote.is_some_and(|vote| vote >= min))
        && !filter.exclude_ids.contains(&sample.id)
}

/// Scores as the whole numbers that they are, times 10,000.
fn scaled(score: f64) -> i64 {
    let scaled = score * 10_000.0;
    assert!((scaled - scaled.round()).abs() < 1e-6, "{score} has more than four decimals");
    scaled.round() as i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_explanation_names_every_rule_and_sums_to_the_score(seed: u64, request in requests()) {
        let world = World::new(seed, 700);
        for movie in world.rank(&request).movies {
            let parts = movie.explanation.expect("asked for");
            prop_assert_eq!(parts.len(), RuleType::COUNT);
            prop_assert_eq!(parts.iter().map(|part| scaled(part.contribution)).sum::<i64>(), scaled(movie.score));
            for part in parts {
                prop_assert!((part.contribution - part.value * part.weight).abs() <= 1e-4 + 1e-9, "{:?}", part);
                let shares: f64 = part.sources.iter().map(|source| source.share).sum();
                prop_assert!(shares <= 1.0 + 1e-9 && part.sources.is_sorted_by(|a, b| a.share >= b.share));
                let liked = |id| world.profile.feedback.iter().any(|feedback| feedback.movie_id == id);
                prop_assert!(part.sources.iter().all(|source| liked(source.movie_id) && source.share > 0.0));
            }
        }
    }

    #[test]
    fn what_is_excluded_never_appears_and_is_counted(seed: u64, request in requests()) {
        let world = World::new(seed, 700);
        let ranking = world.rank(&ListRequest { limit: 1000, ..request.clone() });
        let (profile, mut listed) = (&world.profile, world.ids(&ranking.movies));
        let seen = |sample: &Sample| !request.include_seen && profile.seen_movie_ids.contains(&sample.id);
        let below = |sample: &Sample| sample.vote.is_some_and(|vote| vote < profile.min_rating);
        let mut expected = Vec::new();
        let mut excluded = (0, 0, 0);
        for sample in &world.samples {
            if seen(sample) {
                excluded.0 += 1;
            } else if below(sample) {
                excluded.1 += 1;
            } else if !fits(sample, &request.filter) {
                excluded.2 += 1;
            } else {
                expected.push(sample.id);
            }
        }
        listed.sort_unstable();
        prop_assert_eq!(listed, expected);
        let said = ranking.excluded;
        prop_assert_eq!((said.seen, said.below_min_rating, said.filtered), excluded);
    }

    #[test]
    fn pages_have_no_gaps_and_no_repeats(seed: u64, request in requests(), page in 1..50_usize) {
        let world = World::new(seed, 700);
        let whole = world.ids(&world.rank(&ListRequest { limit: 400, ..request.clone() }).movies);
        let mut pages = Vec::new();
        while pages.len() < whole.len() {
            let limit = page.min(whole.len() - pages.len());
            let next = world.rank(&ListRequest { limit, offset: pages.len(), ..request.clone() });
            prop_assert_eq!(next.movies.len(), limit);
            pages.extend(world.ids(&next.movies));
        }
        prop_assert_eq!(pages, whole);
    }

    #[test]
    fn weights_equal_to_the_rules_change_nothing(seed: u64, request in requests()) {
        let world = World::new(seed, 300);
        let weights = world.weights.active().collect();
        prop_assert_eq!(world.rank(&ListRequest { weights, ..request.clone() }), world.rank(&request));
    }

    #[test]
    fn the_search_by_bounds_finds_what_a_full_sort_finds(seed: u64, seen: bool) {
        let world = World::new(seed, 1500);
        let everything = ListRequest { limit: 2000, include_seen: seen, ..ListRequest::default() };
        let all = world.rank(&everything).movies;
        let key = |movie: &RankedMovie| {
            (movie.score, world.catalogue.popularity()[movie.index], -world.catalogue.ids()[movie.index])
        };
        prop_assert!(all.is_sorted_by(|better, worse| key(better) > key(worse)));
        for limit in [1, 10, 50] {
            let best = world.rank(&ListRequest { limit, ..everything.clone() }).movies;
            prop_assert_eq!(&best[..], &all[..limit.min(all.len())]);
        }
    }

    #[test]
    fn learned_values_are_those_of_their_formulas(seed: u64) {
        let world = World::new(seed, 300);
        for movie in world.rank(&ListRequest { explain: true, limit: 30, ..ListRequest::default() }).movies {
            let sample = world.sample(world.catalogue.ids()[movie.index]);
            let near = |rule_type, expected: f64| (part(&movie, rule_type).value - expected).abs() < 1e-6;
            prop_assert!(near(RuleType::Rating, oracles::rating(&world.samples, sample)));
            prop_assert!(near(RuleType::LanguageMatch, f64::from(u8::from(sample.language == "ja"))));
            let affinity = oracles::affinity(&world, sample);
            prop_assert!(near(RuleType::Affinity, affinity), "{affinity} {:?}", part(&movie, RuleType::Affinity));
            prop_assert!((-1.0..=1.0).contains(&affinity));
            prop_assert!(near(RuleType::Collaborative, oracles::collaborative(&world, sample.id)));
        }
    }
}
