//! The speed of the whole platform, as a client of the gateway sees it: `./dev-services.sh bench`.
//!
//! Four production binaries, PostgreSQL, Redis, a stand-in for TMDB and the load generator share this machine, so
//! absolute figures say little elsewhere; the table gives ratios to a bare service beside them, from the same run.
//! `./dev-services.sh bench recommendations` measures recommendations over a large catalogue.

#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]

mod catalogue;
mod load;
mod memory;
mod recommendations;
#[path = "../../tests/platform/services.rs"]
#[allow(dead_code, reason = "tests use more of it than the benchmark")]
mod services;
mod tmdb;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{load::Target, services::Platform};

/// How long each load is kept up.
const LOAD: Duration = Duration::from_secs(5);
/// Repeats of each load; the table shows the median.
const ROUNDS: usize = 3;
/// Connections of the load generator.
const CONNECTIONS: usize = 32;
/// Sequential requests behind each latency.
const SEQUENTIAL: usize = 300;
/// Pages of the large synchronisation, 20 movies each.
const PAGES: u32 = 50;

fn main() {
    // `cargo test --benches` runs this without `--bench`: nothing to measure there.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => runtime.block_on(measure()),
        ["recommendations"] => runtime.block_on(recommendations::measure(1_000_000)),
        ["recommendations", movies] => {
            runtime.block_on(recommendations::measure(movies.parse().expect("a number of movies")));
        }
        _ => panic!("expected nothing, or `recommendations` with a number of movies: {arguments:?}"),
    }
}

async fn measure() {
    let tmdb = tmdb::start().await;
    let platform = Platform::start(&[
        ("TMDB_BASE_URL", &tmdb.url),
        ("TMDB_API_KEY", "benchmark"),
        ("TMDB_MAX_REQUESTS_PER_SECOND", "100000"),
    ])
    .await;
    row("figure", "median", "worst");
    memory_row(&platform, "memory of the four services, idle");

    let first = sync(&platform).await;
    let user = create_user(&platform, "bench").await;
    wait_for_catalogue(&platform, user).await;
    recommendations(&platform, user).await;
    let mut syncs = vec![first];
    while syncs.len() < ROUNDS {
        syncs.push(sync(&platform).await);
    }
    latency_row("sync of 50 pages (1,000 new movies)", syncs);
    throughput(&platform, user).await;
    memory_row(&platform, "memory of the four services, after load");
}

/// The time of one synchronisation; 1,000 new movies each time, since the stand-in never serves the same ones twice.
async fn sync(platform: &Platform) -> Duration {
    let started = Instant::now();
    let body = post(platform, &format!("/api/v1/admin/sync?pages={PAGES}"), json!({})).await;
    assert_eq!(body["movies_synced"], PAGES * 20, "{body}");
    started.elapsed()
}

async fn recommendations(platform: &Platform, user: i64) {
    let path = format!("/api/v1/users/{user}/recommendations");
    let total = get(platform, "/api/v1/movies").await["total_results"].clone();
    let mut uncached = Vec::new();
    for round in 0..SEQUENTIAL {
        // Another preference each time, so that no cached list fits.
        let genre = ["Drama", "Comedy", "Action", "Horror"][round % 4];
        let body = json!({"preferred_genres": [genre], "min_rating": (round % 50) as f64 / 10.0});
        post(platform, &format!("/api/v1/users/{user}/preferences"), body).await;
        let started = Instant::now();
        get(platform, &path).await;
        uncached.push(started.elapsed());
    }
    latency_row(&format!("recommendations, nothing cached, {total} movies, sequential"), uncached);
    let mut cached = Vec::new();
    for _ in 0..SEQUENTIAL {
        let started = Instant::now();
        get(platform, &path).await;
        cached.push(started.elapsed());
    }
    latency_row("recommendations, cached, sequential", cached);
}

async fn throughput(platform: &Platform, user: i64) {
    let movies = platform.port("movie-service");
    let gateway = platform.port("api-gateway");
    let loads = [
        ("cached list, movie-service alone", Target::get(movies, "/api/v1/movies")),
        ("cached list through the gateway", Target::get(gateway, "/api/v1/movies")),
        ("/health of the gateway", Target::get(gateway, "/health")),
        ("cached detail through the gateway", Target::get(gateway, "/api/v1/movies/1")),
        ("user by id through the gateway", Target::get(gateway, &format!("/api/v1/users/{user}"))),
        (
            "cached recommendations through the gateway",
            Target::get(gateway, &format!("/api/v1/users/{user}/recommendations")),
        ),
        (
            "POST interaction through the gateway",
            Target::post(
                gateway,
                &format!("/api/v1/users/{user}/interactions"),
                r#"{"movie_id":1,"interaction_type":"like"}"#,
            ),
        ),
    ];
    println!("\n{CONNECTIONS} connections, {ROUNDS} rounds of {} s", LOAD.as_secs());
    println!("{:<48}{:>12}{:>10}{:>10}{:>12}", "load", "requests/s", "p50 ms", "p99 ms", "to first");
    let mut rounds: Vec<Vec<load::Outcome>> = loads.iter().map(|_| Vec::new()).collect();
    // Round by round over all loads, so that a change in the machine's speed touches them equally.
    for _ in 0..ROUNDS {
        for (at, (_, target)) in loads.iter().enumerate() {
            rounds[at].push(load::run(target.clone(), CONNECTIONS, LOAD).await);
        }
    }
    let mut first = None;
    for ((name, _), mut results) in loads.iter().zip(rounds) {
        results.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let median = &results[ROUNDS / 2];
        let ratio = median.per_second / *first.get_or_insert(median.per_second);
        println!(
            "{name:<48}{:>12.0}{:>10.2}{:>10.2}{ratio:>12.2}",
            median.per_second, median.p50_millis, median.p99_millis
        );
        assert_eq!(median.failed, 0, "{name}: some answers were not 2xx");
    }
    println!();
}

async fn create_user(platform: &Platform, name: &str) -> i64 {
    let body = json!({"username": name, "email": format!("{name}@example.com")});
    post(platform, "/api/v1/users", body).await["id"].as_i64().expect("an id")
}

async fn wait_for_catalogue(platform: &Platform, user: i64) {
    let path = format!("/api/v1/users/{user}/recommendations");
    for _ in 0..200 {
        let answer = get(platform, &path).await;
        if answer["recommendations"].as_array().is_some_and(|list| !list.is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the recommendation service does not see the catalogue");
}

async fn get(platform: &Platform, path: &str) -> Value {
    let answer = platform.http.get(platform.url(path)).bearer_auth("x").send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

async fn post(platform: &Platform, path: &str, body: Value) -> Value {
    let answer = platform.http.post(platform.url(path)).bearer_auth("x").json(&body).send().await.expect("an answer");
    assert!(answer.status().is_success(), "POST {path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

fn row(figure: &str, median: &str, worst: &str) {
    println!("{figure:<66}{median:>12}{worst:>12}");
}

fn latency_row(figure: &str, mut times: Vec<Duration>) {
    times.sort();
    let millis = |time: &Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
    row(figure, &millis(&times[times.len() / 2]), &millis(times.last().expect("at least one time")));
}

fn memory_row(platform: &Platform, figure: &str) {
    let each: Vec<_> = platform.services().map(|service| memory::mebibytes(platform.process_id(service))).into();
    if let Some(each) = each.into_iter().collect::<Option<Vec<f64>>>() {
        let parts = each.iter().map(|part| format!("{part:.1}")).collect::<Vec<_>>().join(" + ");
        row(&format!("{figure} ({parts})"), &format!("{:.1} MiB", each.iter().sum::<f64>()), "");
    }
}
