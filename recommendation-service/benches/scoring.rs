//! How long scoring takes and how much memory the copy of the catalogue needs: `cargo bench -p recommendation-service`.
//!
//! Prints medians. The catalogue is made up, with the shape of a real one: popularity falls steeply, titles and poster
//! paths have their usual lengths, a movie has up to four of 19 genres.
#![allow(clippy::print_stdout, reason = "the figures are the result")]

#[path = "../src/service/pipeline/test_numbers.rs"]
mod numbers;

use std::{
    fmt::Write,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{Days, NaiveDate, NaiveTime};
use recommendation_service::{
    models::{
        catalogue::Catalogue,
        feedback::{Feedback, FeedbackKind, FeedbackSettings},
        list_request::ListRequest,
        rule::RuleType,
        user_profile::UserProfile,
    },
    peers::catalogue_reader::CatalogueReader,
    service::{
        model::{
            ItemModel,
            control::TrainingControl,
            training::{Opinion, TrainingSettings, train},
        },
        pipeline::{LinkedModel, PipelineInput, Ranking, weights::Weights},
    },
};

use crate::numbers::Numbers;

const GENRES: u64 = 19;
const DEFAULT_RULES: [(RuleType, f64); 3] =
    [(RuleType::Popularity, 0.4), (RuleType::Recency, 0.3), (RuleType::GenreMatch, 0.3)];
/// Movies that the collaborative model knows, users it is trained on, and what each of them likes.
const MODEL_MOVIES: u64 = 5_000;
const MODEL_USERS: i64 = 3_000;
const MODEL_LIKES: usize = 60;
/// Movies that the user of the personal lists has liked.
const LIKES: u64 = 200;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
}

/// A catalogue as movie-service sends it.
fn lines(movies: usize) -> String {
    let genres: Vec<String> = (0..GENRES).map(|id| format!(r#"{{"id":{id},"name":"Genre {id}"}}"#)).collect();
    let mut text = format!("{{\"catalogue_version\":\"1-1\",\"genres\":[{}]}}\n", genres.join(","));
    let mut numbers = Numbers(1);
    for id in 1..=movies {
        let released = today() - Days::new(numbers.below(30_000));
        let popularity = 3000.0 / (1 + numbers.below(movies as u64)) as f64;
        let (title, rating) =
            (&"A title of usual length and more"[..8 + numbers.below(20) as usize], numbers.below(100));
        let genres: Vec<String> = (0..numbers.below(5)).map(|_| numbers.below(GENRES).to_string()).collect();
        writeln!(
            text,
            r#"{{"id":{id},"title":"{title}","release_date":"{released}","popularity":{popularity},"poster_path":"/f89U3ADr1oiB1s9GkdPOEpXUk5H.jpg","vote_average":{},"vote_count":{},"original_language":"{}","runtime":100,"genre_ids":[{}]}}"#,
            rating as f64 / 10.0,
            numbers.below(5_000),
            ["en", "en", "en", "fr", "ja", "ko"][numbers.below(6) as usize],
            genres.join(",")
        )
        .expect("a string takes all");
    }
    text + &format!("{{\"end\":true,\"movies\":{movies}}}\n")
}

/// A change of 1,000 movies of a catalogue, evenly spread, as movie-service sends it.
fn changes(catalogue: &str, movies: usize) -> String {
    let mut lines = catalogue.lines();
    let first = lines.next().expect("a first line").replace(r#""1-1""#, r#""1-2","since":"1-1""#);
    let changed: Vec<String> = lines
        .step_by(movies / 1000)
        .take(1000)
        .map(|line| line.replace(r#""popularity":"#, r#""popularity":1"#))
        .collect();
    format!("{first}\n{}\n{{\"end\":true,\"movies\":1000,\"deleted\":0,\"total\":{movies}}}\n", changed.join("\n"))
}

fn read(text: &str, base: Option<&Arc<Catalogue>>) -> Catalogue {
    let mut reader = CatalogueReader::new(base.cloned());
    for piece in text.as_bytes().chunks(64 * 1024) {
        reader.feed(piece).expect("well formed");
    }
    reader.finish().expect("whole")
}

fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 2]
}

/// A model of movies all over a catalogue. Its quality is of no interest here, so nothing is chosen.
fn model(movies: usize) -> ItemModel {
    let (mut numbers, mut opinions) = (Numbers(2), Vec::new());
    for user in 1..=MODEL_USERS {
        for _ in 0..MODEL_LIKES {
            let number = numbers.below(MODEL_MOVIES) * movies as u64 / MODEL_MOVIES;
            opinions.push(Opinion { user, movie: number as i32 + 1, strength: 1.0, at: 0 });
        }
    }
    let mut settings = TrainingSettings::default();
    (settings.ridges, settings.weightings, settings.scorings) =
        (vec![100.0], settings.weightings[..1].into(), settings.scorings[..1].into());
    train(&opinions, &|_| Vec::new(), &settings, &TrainingControl::default()).expect("enough likes")
}

/// Makes lists from the same things each time.
struct Ranker<'a> {
    catalogue: &'a Catalogue,
    weights: Weights,
    feedback: FeedbackSettings,
    model: LinkedModel,
}

impl<'a> Ranker<'a> {
    fn new(catalogue: &'a Catalogue, model: &Arc<ItemModel>) -> Self {
        let weights: Weights = DEFAULT_RULES.into_iter().collect();
        Self {
            catalogue,
            weights: weights.with_learned_defaults(&[]),
            feedback: FeedbackSettings::default(),
            model: LinkedModel::new(model.clone(), catalogue),
        }
    }

    fn rank(&self, profile: &UserProfile, limit: usize) -> Ranking {
        let Self { catalogue, weights, feedback, model } = self;
        let now = today().and_time(NaiveTime::MIN).and_utc();
        let request = ListRequest { limit, ..ListRequest::default() };
        PipelineInput { catalogue, profile, weights, feedback, model: Some(model), now }.rank(&request)
    }
}

/// Users of whom nothing is known, of whom the preferences are, and who have liked movies: for the last one all rules count.
fn profiles(movies: usize) -> [(&'static str, UserProfile); 3] {
    let preferred_genres = ["genre 3", "GENRE 7", "Genre 12"].map(str::to_owned).to_vec();
    let seen_movie_ids: Vec<i32> = (0..1000).map(|number| number * (movies / 1000) as i32 + 1).collect();
    let known = UserProfile { preferred_genres, min_rating: 5.0, seen_movie_ids, ..UserProfile::default() };
    let like = |number: u64| Feedback {
        movie_id: (number * MODEL_MOVIES / LIKES * movies as u64 / MODEL_MOVIES) as i32 + 1,
        kind: FeedbackKind::Like,
        occurred_at: today().and_time(NaiveTime::MIN).and_utc(),
    };
    let likes =
        UserProfile { feedback: (0..LIKES).map(like).collect(), preferred_language: "en".into(), ..known.clone() };
    [
        ("nothing known", UserProfile::default()),
        ("3 genres, a minimum rating, 1,000 movies seen", known),
        ("the same with 200 likes, all rules", likes),
    ]
}

fn measure(movies: usize, runs: usize) {
    let text = lines(movies);
    let catalogue = Arc::new(read(&text, None));
    let reading = median(3, || drop(black_box(read(&text, None))));
    println!(
        "{movies} movies: {} bytes a movie, read in {reading:?} from {} bytes",
        catalogue.heap_bytes() / movies,
        text.len()
    );
    let change = changes(&text, movies);
    let refreshing = median(5, || drop(black_box(read(&change, Some(&catalogue)))));
    println!("  a change of 1,000 movies: applied in {refreshing:?} from {} bytes", change.len());

    let ranker = Ranker::new(&catalogue, &Arc::new(model(movies)));
    for (name, profile) in profiles(movies) {
        for limit in [10, 50] {
            let time = median(runs, || drop(black_box(ranker.rank(&profile, limit))));
            println!("  best {limit}, {name}: {time:?}");
        }
    }
}

fn main() {
    for (movies, runs) in [(1_000, 1001), (10_000, 301), (100_000, 101), (1_000_000, 31)] {
        measure(movies, runs);
    }
}
