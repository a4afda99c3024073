//! Recommendations over a large catalogue: `./dev-services.sh bench recommendations [MOVIES]`, by default of 1,000,000
//! movies. movie-service is a stand-in, since a request for recommendations does not reach it.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    CONNECTIONS, LOAD, catalogue, create_user, get, latency_row, load, load::Target, memory, post, row,
    services::Platform, wait_for_catalogue,
};

const SERVICE: &str = "recommendation-service";
/// Sequential requests behind each latency.
const SEQUENTIAL: u64 = 200;
/// Users whose likes the model is trained on, and how many movies each of them likes.
const USERS: u64 = 300;
const LIKES: u64 = 40;
/// The movies that they like are among so many.
const LIKED_MOVIES: u64 = 3_000;
/// Longest time for a training.
const TRAINING_LIMIT: Duration = Duration::from_secs(300);

/// Measures and prints.
pub async fn measure(movies: u64) {
    let url = catalogue::start(movies).await;
    let mut platform = Platform::start(&[]).await;
    platform.terminate(SERVICE);
    platform.start_service_with(SERVICE, &[("MOVIE_SERVICE_URL", &url)]);
    platform.wait_until_ready(SERVICE).await;
    let users = users(&platform).await;
    wait_for_catalogue(&platform, users[0].1).await;
    row(&format!("{movies} movies, through the gateway"), "median", "worst");
    for (name, user) in &users {
        latency_row(&format!("{name}, uncached, sequential"), latencies(&platform, *user).await);
    }
    println!("\n{CONNECTIONS} connections, {} s", LOAD.as_secs());
    println!("{:<48}{:>12}{:>10}{:>10}", "load", "requests/s", "p50 ms", "p99 ms");
    let gateway = platform.port("api-gateway");
    for (name, user) in &users {
        let path = format!("/api/v1/users/{user}/recommendations");
        let uncached = Target::get_numbered(gateway, &format!("{path}?seed="));
        load_row(&format!("{name}, uncached"), uncached).await;
        load_row(&format!("{name}, cached"), Target::get(gateway, &path)).await;
    }
    let used = memory::mebibytes(platform.process_id(SERVICE));
    if let Some(used) = used {
        println!();
        row("memory of recommendation-service", &format!("{used:.1} MiB"), "");
    }
}

/// A user of whom nothing is known, one with preferences, and one with likes that a trained model knows too.
async fn users(platform: &Platform) -> [(&'static str, i64); 3] {
    let [unknown, with_preferences, with_likes] =
        [create_user(platform, "unknown").await, create_user(platform, "preferences").await, like(platform, 0).await];
    let preferences = json!({"preferred_genres": ["Genre 3", "Genre 7"], "min_rating": 5.0});
    for user in [with_preferences, with_likes] {
        post(platform, &format!("/api/v1/users/{user}/preferences"), preferences.clone()).await;
    }
    for user in 1..USERS {
        like(platform, user).await;
    }
    train(platform).await;
    [("nothing known", unknown), ("preferences, default rules", with_preferences), ("likes, all rules", with_likes)]
}

/// A user who likes some movies, mostly those that users of the same group like.
async fn like(platform: &Platform, number: u64) -> i64 {
    let user = create_user(platform, &format!("user{number}")).await;
    let mut requests = JoinSet::new();
    for like in 0..LIKES {
        let movie = 1 + (number % 10 * 300 + (number / 10 * 7 + like * like * 13) % 300) % LIKED_MOVIES;
        let body = json!({"movie_id": movie, "interaction_type": "like"});
        let request = platform.http.post(platform.url(&format!("/api/v1/users/{user}/interactions")));
        requests.spawn(request.bearer_auth("x").json(&body).send());
    }
    for answer in requests.join_all().await {
        assert!(answer.expect("an answer").status().is_success(), "a like was not stored");
    }
    user
}

async fn train(platform: &Platform) {
    let job = post(platform, "/api/v1/models/train", json!({})).await["job"]["id"].clone();
    let started = Instant::now();
    loop {
        let job = get(platform, &format!("/api/v1/models/train/{job}")).await["job"].clone();
        match job["status"].as_str() {
            Some("succeeded") => return,
            Some("queued" | "running") if started.elapsed() < TRAINING_LIMIT => {}
            _ => panic!("no model was trained: {job}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn latencies(platform: &Platform, user: i64) -> Vec<Duration> {
    let mut times = Vec::new();
    for number in 0..SEQUENTIAL {
        // Another list each time, so that none is cached.
        let path = format!("/api/v1/users/{user}/recommendations?seed={}", 1_000_000 + number);
        let started = Instant::now();
        get(platform, &path).await;
        times.push(started.elapsed());
    }
    times
}

async fn load_row(name: &str, target: Target) {
    let outcome = load::run(target, CONNECTIONS, LOAD).await;
    println!("{name:<48}{:>12.0}{:>10.2}{:>10.2}", outcome.per_second, outcome.p50_millis, outcome.p99_millis);
    assert_eq!(outcome.failed, 0, "{name}: some answers were not 2xx");
}
