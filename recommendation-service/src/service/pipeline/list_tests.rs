//! Lists for users chosen so that one thing decides.

use super::{
    Ranking,
    test_world::{World, now, part},
};
use crate::models::{
    feedback::{Feedback, FeedbackKind},
    list_request::{Exploration, ListRequest},
    recommendation::RankedMovie,
    rule::RuleType,
    strategy::Strategy,
};

fn world_without_feedback() -> World {
    let mut world = World::new(7, 600);
    world.profile.feedback.clear();
    world
}

#[test]
fn the_strategy_follows_from_what_is_known_and_learned_rules_need_feedback() {
    let mut world = world_without_feedback();
    let explained = ListRequest { explain: true, ..ListRequest::default() };
    let rules = |ranking: &Ranking| ranking.movies[0].explanation.as_ref().map(Vec::len);
    let ranking = world.rank(&explained);
    assert_eq!((ranking.strategy, rules(&ranking)), (Strategy::PreferencesOnly, Some(3)));
    (world.profile.preferred_genres, world.profile.min_rating) = (Vec::new(), 0.0);
    assert_eq!(world.rank(&explained).strategy, Strategy::Popular);
    let named = ListRequest { weights: vec![(RuleType::Rating, 1.0)], ..explained.clone() };
    assert_eq!(rules(&world.rank(&named)), Some(4));
    world.profile.feedback = vec![Feedback { movie_id: 999_999, kind: FeedbackKind::Watched, occurred_at: now() }];
    let ranking = world.rank(&explained);
    assert_eq!((ranking.strategy, rules(&ranking)), (Strategy::Personalised, Some(RuleType::COUNT)));
}

#[test]
fn a_strategy_that_is_asked_for_is_used() {
    let mut world = World::new(8, 600);
    let asked = |strategy| ListRequest { strategy: Some(strategy), ..ListRequest::default() };
    let preferring = world.rank(&asked(Strategy::PreferencesOnly));
    let popular = world.rank(&asked(Strategy::Popular));
    world.profile.feedback.clear();
    assert_eq!(preferring, world.rank(&ListRequest::default()));
    world.profile.preferred_genres.clear();
    // A rule that gives nothing has a contribution of 0.
    let shown = |ranking: Ranking| -> Vec<RankedMovie> {
        ranking.movies.into_iter().map(|movie| RankedMovie { contributions: Vec::new(), ..movie }).collect()
    };
    assert_eq!(shown(popular), shown(world.rank(&asked(Strategy::PreferencesOnly))));
}

#[test]
fn a_list_of_chance_is_the_same_for_the_same_seed_only() {
    let world = World::new(9, 600);
    let with_seed = |seed| {
        let exploration = Exploration { share: 0.9, seed };
        world.ids(&world.rank(&ListRequest { exploration, ..ListRequest::default() }).movies)
    };
    assert_eq!(with_seed(1), with_seed(1));
    assert!(with_seed(1) != with_seed(2));
    assert!(with_seed(1) != world.ids(&world.rank(&ListRequest::default()).movies));
}

#[test]
fn diversity_brings_other_languages_and_eras_into_a_list() {
    let mut world = World::new(10, 2000);
    world.weights = [(RuleType::Popularity, 0.1), (RuleType::LanguageMatch, 1.0)].into_iter().collect();
    let kinds = |diversity| {
        let movies = world.rank(&ListRequest { diversity, ..ListRequest::default() }).movies;
        let distinct = |values: Vec<u16>| values.into_iter().collect::<std::collections::HashSet<_>>().len();
        let languages = movies.iter().map(|movie| world.catalogue.language_of()[movie.index]).collect();
        let eras = movies.iter().map(|movie| world.catalogue.eras()[movie.index].into()).collect();
        (distinct(languages), distinct(eras))
    };
    let (plain, diverse) = (kinds(0.0), kinds(0.9));
    assert!(plain.0 == 1 && diverse.0 > 1 && diverse.1 >= plain.1, "{plain:?} {diverse:?}");
}

#[test]
fn two_hundred_likes_of_a_genre_fill_the_list_with_it_and_as_many_dislikes_empty_it() {
    let mut world = World::new(11, 3000);
    world.weights =
        [(RuleType::Popularity, 0.1), (RuleType::Recency, 0.1), (RuleType::Affinity, 1.0)].into_iter().collect();
    let horror: Vec<i32> =
        world.samples.iter().filter(|sample| sample.genres == [3]).map(|sample| sample.id).take(200).collect();
    assert!(horror.len() > 100, "{}", horror.len());
    let mut share_of_horror = |kind| {
        let feedback = |movie_id: &i32| Feedback { movie_id: *movie_id, kind, occurred_at: now() };
        world.profile.feedback = horror.iter().map(feedback).collect();
        world.profile.seen_movie_ids = horror.clone();
        let movies = world.rank(&ListRequest::default()).movies;
        movies.iter().filter(|movie| world.catalogue.genres(movie.index).any(|genre| genre == "Horror")).count()
    };
    assert_eq!((share_of_horror(FeedbackKind::Like), share_of_horror(FeedbackKind::Dislike)), (10, 0));
}

#[test]
fn a_personalised_reason_names_a_movie_and_what_the_user_did_with_it() {
    let mut world = World::new(12, 800);
    let liked = world.samples.iter().find(|sample| sample.genres == [5]).expect("a war movie").id;
    world.profile.feedback = vec![Feedback { movie_id: liked, kind: FeedbackKind::Like, occurred_at: now() }];
    world.weights = [(RuleType::Affinity, 1.0)].into_iter().collect();
    let reason = |world: &World| world.rank(&ListRequest::default()).movies[0].reasons.to_string();
    assert_eq!(reason(&world), format!("because you liked Movie {liked}"));
    world.profile.feedback[0].kind = FeedbackKind::Rating(9.5);
    assert_eq!(reason(&world), format!("because you rated Movie {liked} 9.5"));
    world.profile.feedback[0].kind = FeedbackKind::Dislike;
    assert_eq!(reason(&world), "recommended for you");
}

#[test]
fn a_movie_liked_by_those_who_liked_the_same_comes_first_and_says_why() {
    let mut world = World::new(14, 400);
    world.weights = [(RuleType::Popularity, 0.01), (RuleType::Collaborative, 1.0)].into_iter().collect();
    world.profile.min_rating = 0.0;
    let liked = [3, 6, 9, 12];
    let like = |movie_id: &i32| Feedback { movie_id: *movie_id, kind: FeedbackKind::Like, occurred_at: now() };
    world.profile.feedback = liked.iter().map(like).collect();
    world.profile.seen_movie_ids = liked.to_vec();
    let movies = world.rank(&ListRequest { explain: true, ..ListRequest::default() }).movies;
    // The model knows the movies 3 to 300, and those up to 150 have the same fans.
    assert!(world.ids(&movies).iter().filter(|id| **id <= 150).count() >= 8, "{:?}", world.ids(&movies));
    for movie in movies {
        let sources = part(&movie, RuleType::Collaborative).sources;
        assert!(!sources.is_empty() && sources.iter().all(|source| liked.contains(&source.movie_id)), "{sources:?}");
        assert_eq!(movie.reasons.to_string(), format!("because you liked Movie {}", sources[0].movie_id));
    }
}

#[test]
fn movies_on_the_watchlist_stay_and_are_marked() {
    let world = World::new(13, 400);
    let request = ListRequest { limit: 400, include_seen: true, ..ListRequest::default() };
    for movie in world.rank(&request).movies {
        let id = world.catalogue.ids()[movie.index];
        assert_eq!(movie.is_watchlisted, world.profile.watchlist.contains(&id), "{id}");
    }
}
