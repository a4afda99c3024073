//! Lists for groups, over catalogues of several blocks.

use proptest::prelude::*;

use super::*;
use crate::{
    models::{feedback::FeedbackSettings, list_request::MovieFilter},
    service::pipeline::test_world::{World, now},
};

/// Three members of one catalogue, who differ in what they saw, liked and want to see.
fn members(world: &World, seed: u64) -> Vec<UserProfile> {
    (1..=3).map(|member| World::new(seed.wrapping_add(member), 700).profile).chain([world.profile.clone()]).collect()
}

fn ranked(world: &World, members: &[UserProfile], request: &GroupRequest) -> GroupRanking {
    let (nobody, feedback) = (UserProfile::default(), FeedbackSettings::default());
    let input = PipelineInput {
        catalogue: &world.catalogue,
        profile: &nobody,
        weights: &world.weights,
        feedback: &feedback,
        model: Some(&world.model),
        now: now(),
    };
    rank(&input, members, request)
}

fn request(aggregation: Aggregation, limit: usize, offset: usize) -> GroupRequest {
    GroupRequest { users: Vec::new(), aggregation, limit, offset, filter: MovieFilter::default() }
}

fn aggregations() -> impl proptest::strategy::Strategy<Value = Aggregation> {
    proptest::sample::select(Aggregation::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_groups_score_is_what_the_shown_scores_of_its_members_come_to(seed: u64, aggregation in aggregations()) {
        let world = World::new(seed, 700);
        for movie in ranked(&world, &members(&world, seed), &request(aggregation, 30, 0)).movies {
            let sum: f64 = movie.members.iter().sum();
            let expected = match aggregation {
                Aggregation::Average => sum / 4.0,
                Aggregation::LeastMisery => movie.members.iter().copied().fold(f64::MAX, f64::min),
                Aggregation::MostPleasure => movie.members.iter().copied().fold(f64::MIN, f64::max),
            };
            prop_assert!((movie.score - expected).abs() <= 0.00005 + 1e-9, "{:?}", movie);
        }
    }

    #[test]
    fn nobody_has_seen_a_movie_or_finds_it_too_low_and_all_others_are_listed(seed: u64, aggregation in aggregations()) {
        let world = World::new(seed, 700);
        let members = members(&world, seed);
        let ranking = ranked(&world, &members, &request(aggregation, 2000, 0));
        let mut listed: Vec<i32> = ranking.movies.iter().map(|movie| world.catalogue.ids()[movie.index]).collect();
        listed.sort_unstable();
        let min_rating = members.iter().map(|member| member.min_rating).fold(0.0, f64::max);
        let fits = |index: &usize| {
            let id = world.catalogue.ids()[*index];
            world.catalogue.ratings()[*index] >= min_rating && members.iter().all(|member| !member.seen_movie_ids.contains(&id))
        };
        let mut expected: Vec<i32> = (0..world.catalogue.len()).filter(fits).map(|index| world.catalogue.ids()[index]).collect();
        expected.sort_unstable();
        prop_assert_eq!(listed.len() + ranking.excluded.seen + ranking.excluded.below_min_rating, world.catalogue.len());
        prop_assert_eq!(listed, expected);
    }

    #[test]
    fn what_all_want_to_watch_comes_first_and_the_rest_falls_by_score_over_all_pages(seed: u64, aggregation in aggregations()) {
        let world = World::new(seed, 700);
        let mut members = members(&world, seed);
        let wanted: Vec<i32> = (1..200).filter(|number| number % 23 == 0).map(|number| number * 3).collect();
        for member in &mut members {
            member.watchlist.extend(&wanted);
            member.watchlist.sort_unstable();
            member.watchlist.dedup();
        }
        let all = ranked(&world, &members, &request(aggregation, 2000, 0)).movies;
        let is_wanted = |movie: &GroupMovie| members.iter().all(|m| m.watchlist.contains(&world.catalogue.ids()[movie.index]));
        prop_assert!(all.iter().all(|movie| movie.is_on_all_watchlists == is_wanted(movie)));
        let order = |movie: &GroupMovie| (movie.is_on_all_watchlists, movie.score);
        prop_assert!(all.is_sorted_by(|better, worse| order(better) >= order(worse)));
        let pages: Vec<GroupMovie> =
            (0..5).flat_map(|page| ranked(&world, &members, &request(aggregation, 7, page * 7)).movies).collect();
        prop_assert_eq!(&pages[..], &all[..35.min(all.len())]);
    }
}
