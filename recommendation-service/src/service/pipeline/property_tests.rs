//! What holds for every list, over catalogues of several blocks, and each learned formula against an oracle.

use std::sync::{Arc, LazyLock};

use chrono::{Days, NaiveDate};
use proptest::{prelude::*, strategy::Strategy};

use super::{LinkedModel, PipelineInput, Ranking, weights::Weights};
use crate::models::{
    catalogue::Catalogue,
    catalogue_builder::{CatalogueBuilder, Movie},
    feedback::{Feedback, FeedbackKind, FeedbackSettings},
    list_request::{Exploration, GenreChoice, ListRequest, MovieFilter},
    recommendation::{Contribution, RankedMovie},
    rule::RuleType,
    strategy,
    user_profile::UserProfile,
};
use crate::service::model::{
    ItemModel,
    control::TrainingControl,
    info::Scoring,
    training::{Opinion, TrainingSettings, train},
};

const GENRES: [&str; 6] = ["Action", "Comedy", "Drama", "Horror", "Romance", "War"];
const LANGUAGES: [&str; 4] = ["", "en", "fr", "ja"];

/// A movie of a test, with everything owned.
#[derive(Debug, Clone)]
struct Sample {
    id: i32,
    popularity: f64,
    released: Option<NaiveDate>,
    vote: Option<f64>,
    votes: u32,
    language: &'static str,
    runtime: u16,
    genres: Vec<i32>,
}

/// Numbers that look random and follow from the seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// A movie; few distinct values, so that equal scores are common.
    fn sample(&mut self, id: i32) -> Sample {
        let genres = (0..6).filter(|_| self.below(4) == 0).collect();
        Sample {
            id,
            popularity: if self.below(2) == 0 { self.below(4) as f64 } else { 1000.0 / (1 + self.below(1000)) as f64 },
            released: (self.below(8) > 0).then(|| today() + Days::new(30) - Days::new(self.below(20_000))),
            vote: (self.below(5) > 0).then(|| self.below(21) as f64 / 2.0),
            votes: self.below(300) as u32,
            language: LANGUAGES[self.below(4) as usize],
            runtime: self.below(200) as u16,
            genres,
        }
    }

    fn feedback(&mut self, movie_id: i32) -> Feedback {
        let kind = match self.below(5) {
            0 => FeedbackKind::Like,
            1 => FeedbackKind::Dislike,
            2 => FeedbackKind::Watched,
            3 => FeedbackKind::Abandoned,
            _ => FeedbackKind::Rating((1 + self.below(20)) as f64 / 2.0),
        };
        Feedback { movie_id, kind, occurred_at: now() - Days::new(self.below(2000)) }
    }
}

fn today() -> NaiveDate {
    "2026-11-22".parse().expect("a date")
}

pub(super) fn now() -> chrono::DateTime<chrono::Utc> {
    "2026-11-22T15:00:00Z".parse().expect("a time")
}

/// A model of the first hundred movies, from the likes of eighty users.
static MODEL: LazyLock<Arc<ItemModel>> = LazyLock::new(|| {
    let mut numbers = Numbers(99);
    let mut likes = Vec::new();
    for user in 1..=80 {
        for _ in 0..12 {
            // Users with even ids like the first half, mostly.
            let half = if user % 2 == 0 || numbers.below(5) == 0 { 0 } else { 50 };
            let movie = (1 + half + numbers.below(50)) as i32 * 3;
            likes.push(Opinion { user, movie, strength: 1.0, at: 0 });
        }
    }
    let scorings = vec![Scoring { curve: 1.0, dislikes: 1.0 }];
    let settings = TrainingSettings { ridges: vec![20.0], scorings, ..TrainingSettings::default() };
    Arc::new(train(&likes, &|_| Vec::new(), &settings, &TrainingControl::default()).expect("enough likes"))
});

/// Everything a list is made from.
#[derive(Debug)]
pub(super) struct World {
    samples: Vec<Sample>,
    pub(super) catalogue: Catalogue,
    pub(super) profile: UserProfile,
    pub(super) weights: Weights,
    pub(super) model: LinkedModel,
}

impl World {
    pub(super) fn new(seed: u64, movies: i32) -> Self {
        let mut numbers = Numbers(seed);
        let samples: Vec<Sample> = (1..=movies).map(|id| numbers.sample(id * 3)).collect();
        let mut ids = |count: u64| {
            let mut ids: Vec<i32> = (0..count).map(|_| (1 + numbers.below(movies as u64 + 5)) as i32 * 3).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (seen_movie_ids, watchlist, known) = (ids(30), ids(10), ids(8));
        let feedback = known.into_iter().map(|id| numbers.feedback(id)).collect();
        let profile = UserProfile {
            preferred_genres: vec!["drama".into(), "WAR".into()],
            preferred_language: "JA".into(),
            min_rating: [0.0, 6.5][numbers.below(2) as usize],
            seen_movie_ids,
            feedback,
            watchlist,
        };
        let weights = RuleType::ALL.map(|rule_type| (rule_type, numbers.below(11) as f64 / 10.0));
        let catalogue = catalogue(&samples);
        let model = LinkedModel::new(MODEL.clone(), &catalogue);
        Self { catalogue, samples, profile, weights: weights.into_iter().collect(), model }
    }

    fn rank(&self, request: &ListRequest) -> Ranking {
        let feedback = FeedbackSettings::default();
        let (catalogue, profile, weights) = (&self.catalogue, &self.profile, &self.weights);
        let model = Some(&self.model);
        PipelineInput { catalogue, profile, weights, feedback: &feedback, model, now: now() }.rank(request)
    }

    fn ids(&self, movies: &[RankedMovie]) -> Vec<i32> {
        movies.iter().map(|movie| self.catalogue.ids()[movie.index]).collect()
    }

    fn sample(&self, id: i32) -> &Sample {
        self.samples.iter().find(|sample| sample.id == id).expect("a movie of the catalogue")
    }
}

fn catalogue(samples: &[Sample]) -> Catalogue {
    let genres = (0..).zip(GENRES).map(|(id, name)| (id, name.to_owned())).collect();
    let mut builder = CatalogueBuilder::new("1-1".into(), genres).expect("few genres");
    for sample in samples {
        let movie = Movie {
            id: sample.id,
            title: &format!("Movie {}", sample.id),
            release_date: sample.released,
            popularity: Some(sample.popularity),
            vote_average: sample.vote,
            vote_count: sample.votes,
            original_language: sample.language,
            runtime: sample.runtime,
            genre_ids: &sample.genres,
            ..Movie::default()
        };
        builder.push(&movie).expect("ids ascend");
    }
    builder.finish()
}

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

/// The rating value, by its formula.
fn rating_oracle(samples: &[Sample], movie: &Sample) -> f64 {
    let rated: Vec<&Sample> = samples.iter().filter(|sample| sample.vote.is_some()).collect();
    let mean = rated.iter().filter_map(|sample| sample.vote).sum::<f64>() / rated.len() as f64;
    let mut votes: Vec<u32> = rated.iter().map(|sample| sample.votes).collect();
    votes.sort_unstable();
    let needed = f64::from(votes[((rated.len() - 1) as f64 * 0.9) as usize]);
    let (count, vote) = movie.vote.map_or((0.0, 0.0), |vote| (f64::from(movie.votes), vote));
    (count * vote + needed * mean) / (count + needed) / 10.0
}

/// How much of `movie` is `feature`, a genre, a language or a decade.
fn has(movie: &Sample, feature: &str) -> f64 {
    let decade = movie.released.map(|date| format!("{}0s", chrono::Datelike::year(&date) / 10));
    let genre = movie.genres.iter().any(|genre| GENRES[*genre as usize] == feature);
    if genre {
        return 1.0 / movie.genres.len() as f64;
    }
    let is_language = feature.strip_prefix("language ").is_some_and(|language| movie.language == language);
    if is_language || decade.as_deref() == Some(feature) { 1.0 } else { 0.0 }
}

/// The affinity value, by its formula.
fn affinity_oracle(world: &World, movie: &Sample) -> f64 {
    let known: Vec<(&Sample, f64)> = world
        .profile
        .feedback
        .iter()
        .filter_map(|feedback| {
            let sample = world.samples.iter().find(|sample| sample.id == feedback.movie_id)?;
            Some((sample, FeedbackSettings::default().strength(feedback, now())))
        })
        .collect();
    let evidence: f64 = known.iter().map(|(_, strength)| strength.abs()).sum();
    if evidence == 0.0 {
        return 0.0;
    }
    let all: f64 = world.samples.iter().map(|sample| sample.popularity).sum();
    let taste = |feature: &str| {
        let share = world.samples.iter().map(|sample| sample.popularity * has(sample, feature)).sum::<f64>() / all;
        known.iter().map(|(sample, strength)| strength * (has(sample, feature) - share)).sum::<f64>() / evidence
    };
    let genres: f64 = movie.genres.iter().map(|genre| taste(GENRES[*genre as usize])).sum();
    let era = movie.released.map_or(0.0, |date| taste(&format!("{}0s", chrono::Datelike::year(&date) / 10)));
    let language = taste(&format!("language {}", movie.language));
    let sum = 0.6 * genres / movie.genres.len().max(1) as f64 + 0.2 * language + 0.2 * era;
    evidence / (evidence + 2.0) * sum
}

/// The collaborative value, by its formula.
fn collaborative_oracle(world: &World, movie: i32) -> f64 {
    let strength = |feedback: &Feedback| FeedbackSettings::default().strength(feedback, now()) as f32;
    let feedback: Vec<(i32, f32)> =
        world.profile.feedback.iter().map(|feedback| (feedback.movie_id, strength(feedback))).collect();
    let scores =
        MODEL.movie_ids().iter().copied().zip(MODEL.score(&feedback)).map(|(id, score)| (id, f64::from(score)));
    let scores: Vec<(i32, f64)> =
        scores.filter(|(id, _)| world.samples.iter().any(|sample| sample.id == *id)).collect();
    let best = scores.iter().map(|(_, score)| *score).fold(0.0, f64::max);
    let worst = scores.iter().map(|(_, score)| *score).fold(0.0, f64::min);
    let score = scores.iter().find(|(id, _)| *id == movie).map_or(0.0, |(_, score)| *score);
    match (best > 0.0, worst < 0.0) {
        (true, _) => (score / best).max(-1.0),
        (false, true) => score / worst.abs(),
        (false, false) => 0.0,
    }
}

fn part(movie: &RankedMovie, rule_type: RuleType) -> Contribution {
    let parts = movie.explanation.iter().flatten();
    parts.clone().find(|part| part.rule_type == rule_type).expect("every active rule").clone()
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
            prop_assert!(near(RuleType::Rating, rating_oracle(&world.samples, sample)));
            prop_assert!(near(RuleType::LanguageMatch, f64::from(u8::from(sample.language == "ja"))));
            let affinity = affinity_oracle(&world, sample);
            prop_assert!(near(RuleType::Affinity, affinity), "{affinity} {:?}", part(&movie, RuleType::Affinity));
            prop_assert!((-1.0..=1.0).contains(&affinity));
            prop_assert!(near(RuleType::Collaborative, collaborative_oracle(&world, sample.id)));
        }
    }
}

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
    assert_eq!((ranking.strategy, rules(&ranking)), (strategy::Strategy::PreferencesOnly, Some(3)));
    (world.profile.preferred_genres, world.profile.min_rating) = (Vec::new(), 0.0);
    assert_eq!(world.rank(&explained).strategy, strategy::Strategy::Popular);
    let named = ListRequest { weights: vec![(RuleType::Rating, 1.0)], ..explained.clone() };
    assert_eq!(rules(&world.rank(&named)), Some(4));
    world.profile.feedback = vec![Feedback { movie_id: 999_999, kind: FeedbackKind::Watched, occurred_at: now() }];
    let ranking = world.rank(&explained);
    assert_eq!((ranking.strategy, rules(&ranking)), (strategy::Strategy::Personalised, Some(RuleType::COUNT)));
}

#[test]
fn a_strategy_that_is_asked_for_is_used() {
    let mut world = World::new(8, 600);
    let asked = |strategy| ListRequest { strategy: Some(strategy), ..ListRequest::default() };
    let preferring = world.rank(&asked(strategy::Strategy::PreferencesOnly));
    let popular = world.rank(&asked(strategy::Strategy::Popular));
    world.profile.feedback.clear();
    assert_eq!(preferring, world.rank(&ListRequest::default()));
    world.profile.preferred_genres.clear();
    assert_eq!(popular.movies, world.rank(&asked(strategy::Strategy::PreferencesOnly)).movies);
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
