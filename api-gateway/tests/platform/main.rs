//! The four services together, as processes, driven over HTTP through the gateway.

mod commands;
mod prometheus;
#[allow(dead_code, reason = "the benchmark uses more of it than the tests")]
mod services;
mod traces;

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::services::Platform;

impl Platform {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, self.url(path)).bearer_auth("x");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the gateway answers");
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {answer}");
        answer
    }

    /// The sample catalogue, seen by the recommendation service.
    async fn with_catalogue(settings: &[(&str, &str)]) -> Self {
        let platform = Self::start(settings).await;
        platform.load_catalogue().await;
        platform
    }

    async fn load_catalogue(&self) {
        let synced = self.post("/api/v1/admin/sync", json!({})).await;
        assert_eq!(synced["source"], "sample", "{synced}");
        let total = self.get("/api/v1/movies").await["total_results"].as_i64().expect("a number");
        // The last of all movies: a part of them may be seen before the sync has ended.
        let last = format!("recommendations?limit=1&offset={}", total - 1);
        let user = self.create_user("catalogue").await;
        self.until("the catalogue is seen", Duration::from_secs(5), async || {
            let (status, body) = self.call(Method::GET, &format!("/api/v1/users/{user}/{last}"), None).await;
            status == StatusCode::OK && body["recommendations"].as_array().is_some_and(|list| !list.is_empty())
        })
        .await;
    }

    async fn create_user(&self, name: &str) -> i64 {
        let body = json!({"username": name, "email": format!("{name}@example.com")});
        self.post("/api/v1/users", body).await["id"].as_i64().expect("an id")
    }

    async fn prefer(&self, user: i64, genres: &[&str]) {
        let body = json!({"preferred_genres": genres, "preferred_language": "en", "min_rating": 0});
        self.post(&format!("/api/v1/users/{user}/preferences"), body).await;
    }

    async fn recommendations(&self, user: i64, query: &str) -> Vec<Value> {
        let body = self.get(&format!("/api/v1/users/{user}/recommendations{query}")).await;
        assert_eq!(body["user_id"], user);
        body["recommendations"].as_array().expect("a list").clone()
    }

    async fn until(&self, what: &str, limit: Duration, condition: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !condition().await {
            assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn genres(movie: &Value) -> Vec<&str> {
    movie["genres"].as_array().expect("genres").iter().filter_map(Value::as_str).collect()
}

fn ids(movies: &[Value]) -> Vec<i64> {
    movies.iter().map(|movie| movie["id"].as_i64().expect("an id")).collect()
}

#[tokio::test]
async fn a_user_finds_movies_and_gets_recommendations_that_follow_the_preferences() {
    let platform = Platform::with_catalogue(&[]).await;

    let list = platform.get("/api/v1/movies?page_size=5").await;
    assert!(list["total_results"].as_i64().is_some_and(|total| total >= 250), "{list}");
    let popularities: Vec<f64> = list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|movie| movie["popularity"].as_f64().expect("a number"))
        .collect();
    assert!(popularities.is_sorted_by(|a, b| a >= b), "{popularities:?}");
    let id = list["data"][0]["id"].as_i64().expect("an id");
    let detail = platform.get(&format!("/api/v1/movies/{id}")).await;
    assert_eq!(detail["title"], list["data"][0]["title"]);
    assert_eq!(detail["booking_url"], "https://www.google.com/");

    let user = platform.create_user("ada").await;
    let general = platform.recommendations(user, "").await;
    assert!(general.iter().all(|movie| !movie["reason"].as_str().expect("a reason").contains("preferred genres")));
    for genre in ["Western", "Horror"] {
        platform.prefer(user, &[genre]).await;
        // The very next request follows.
        let chosen = platform.recommendations(user, "").await;
        let of_genre = |movies: &[Value]| movies.iter().filter(|movie| genres(movie).contains(&genre)).count();
        assert!(of_genre(&chosen) > of_genre(&general), "{genre}: {chosen:?}");
        for movie in &chosen {
            let says_so = movie["reason"].as_str().is_some_and(|why| why.contains("matches your preferred genres"));
            assert_eq!(says_so, genres(movie).contains(&genre), "{movie}");
        }
    }

    let chosen = ids(&platform.recommendations(user, "").await);
    for (movie, kind) in chosen.iter().zip(["watchlist", "like", "dislike"]) {
        let body = json!({"movie_id": movie, "interaction_type": kind});
        platform.post(&format!("/api/v1/users/{user}/interactions"), body).await;
        let seen = !ids(&platform.recommendations(user, "?limit=50").await).contains(movie);
        assert_eq!(seen, kind != "watchlist", "after {kind}");
        let all = platform.recommendations(user, "?limit=50&include_seen=true&strategy=preferences_only").await;
        assert!(ids(&all).contains(movie), "after {kind}");
    }

    let rules = platform.get("/api/v1/rules").await;
    let names: Vec<_> = rules["rules"].as_array().expect("a list").iter().map(|rule| rule["name"].clone()).collect();
    assert_eq!(names, ["Genre Match", "Popularity Score", "Recency Bonus"]);
}

#[tokio::test]
async fn a_change_of_the_catalogue_is_seen_within_five_seconds() {
    // load_catalogue fails when the recommendation service, which has seen an empty catalogue, takes longer.
    let platform = Platform::with_catalogue(&[]).await;
    let again = platform.post("/api/v1/admin/sync", json!({})).await;
    assert_eq!(again["message"], "sync completed");
}

#[tokio::test]
async fn without_the_user_service_recommendations_are_general_and_personal_again_when_it_is_back() {
    let mut platform = Platform::with_catalogue(&[]).await;
    let user = platform.create_user("grace").await;
    platform.prefer(user, &["Western"]).await;
    let personal = platform.recommendations(user, "").await;
    assert!(personal.iter().any(|movie| genres(movie).contains(&"Western")));

    platform.kill("user-preference-service");
    let general = platform.recommendations(user, "").await;
    assert!(general.iter().all(|movie| !movie["reason"].as_str().expect("a reason").contains("preferred genres")));
    let (status, body) = platform.call(Method::GET, &format!("/api/v1/users/{user}"), None).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(body["error"], "service unavailable: user-preference-service");

    platform.start_service("user-preference-service");
    platform.wait_until_ready("user-preference-service").await;
    let user_path = format!("/api/v1/users/{user}");
    platform
        .until("the user is there", Duration::from_secs(5), async || {
            platform.call(Method::GET, &user_path, None).await.0 == StatusCode::OK
        })
        .await;
    platform
        .until("recommendations are personal", Duration::from_secs(5), async || {
            ids(&platform.recommendations(user, "").await) == ids(&personal)
        })
        .await;
}

#[tokio::test]
async fn without_the_movie_service_recommendations_come_from_the_copy() {
    let mut platform = Platform::with_catalogue(&[]).await;
    let user = platform.create_user("alan").await;
    platform.kill("movie-service");
    platform.prefer(user, &["Comedy"]).await;
    let list = platform.recommendations(user, "").await;
    let matching = list.iter().filter(|movie| movie["reason"].as_str().is_some_and(|why| why.contains("preferred")));
    assert!(
        matching.clone().count() > 0 && matching.clone().all(|movie| genres(movie).contains(&"Comedy")),
        "{list:?}"
    );
    let (status, body) = platform.call(Method::GET, "/api/v1/movies", None).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_GATEWAY, &json!("service unavailable: movie-service")));
}

#[tokio::test]
async fn a_killed_service_loses_nothing_and_comes_back() {
    let mut platform = Platform::with_catalogue(&[]).await;
    let user = platform.create_user("kurt").await;
    platform.prefer(user, &["Drama"]).await;
    platform
        .post(&format!("/api/v1/users/{user}/interactions"), json!({"movie_id": 7, "interaction_type": "like"}))
        .await;
    for service in platform.services() {
        platform.kill(service);
        platform.start_service(service);
        platform.wait_until_ready(service).await;
    }
    let interactions_path = format!("/api/v1/users/{user}/interactions");
    platform
        .until("the gateway reaches the services again", Duration::from_secs(5), async || {
            platform.call(Method::GET, &interactions_path, None).await.0 == StatusCode::OK
        })
        .await;
    let interactions = platform.get(&interactions_path).await;
    assert_eq!(interactions["interactions"][0]["movie_id"], 7);
    assert_eq!(platform.get(&format!("/api/v1/users/{user}/preferences")).await["preferred_genres"], json!(["Drama"]));
    assert!(platform.get("/api/v1/movies").await["total_results"].as_i64().is_some_and(|total| total >= 250));
    assert!(!platform.recommendations(user, "").await.is_empty());
}

#[tokio::test]
async fn internal_routes_are_not_reachable_through_the_gateway() {
    let platform = Platform::start(&[]).await;
    for path in ["/internal/v1/catalogue", "/internal/v1/users/1/profile"] {
        assert_eq!(platform.call(Method::GET, path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let direct = platform.http.get(platform.service_url("movie-service", "/internal/v1/catalogue")).send().await;
    assert_eq!(direct.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn the_limit_holds_over_all_services_together() {
    let platform = Platform::start(&[("RATE_LIMIT_MAX", "6")]).await;
    for path in ["/api/v1/movies", "/api/v1/rules", "/api/v1/users/1"].iter().cycle().take(6) {
        assert_ne!(platform.call(Method::GET, path, None).await.0, StatusCode::TOO_MANY_REQUESTS);
    }
    let (status, body) = platform.call(Method::GET, "/api/v1/rules", None).await;
    assert_eq!((status, &body["error"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate limit exceeded")));
    assert!(body["retry_after"].as_u64().is_some_and(|seconds| (1..=60).contains(&seconds)));
    assert_eq!(platform.call(Method::GET, "/health", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn every_service_stops_cleanly_and_logs_each_step() {
    let mut platform = Platform::start(&[]).await;
    for service in platform.services().into_iter().rev() {
        assert_eq!(platform.terminate(service), Some(0), "{service}");
        let log = platform.log(service);
        let mut steps = vec!["stopping", "not accepting connections any more", "background tasks", "Redis closed"];
        if service != "api-gateway" {
            steps.push("PostgreSQL closed");
        }
        for step in steps {
            assert!(log.contains(step), "{service} does not say '{step}':\n{log}");
        }
        let port = std::net::TcpListener::bind(("127.0.0.1", platform.port(service)));
        assert!(port.is_ok(), "{service} has left its port");
    }
}

#[tokio::test]
async fn a_service_whose_port_is_taken_says_so_and_ends() {
    let mut platform = Platform::start(&[]).await;
    for service in platform.services() {
        assert_eq!(platform.terminate(service), Some(0));
        let taken = std::net::TcpListener::bind(("127.0.0.1", platform.port(service))).expect("the port is free");
        platform.start_service(service);
        platform
            .until("the process has ended", Duration::from_secs(10), async || {
                platform.log(service).contains("is taken")
            })
            .await;
        assert!(platform.log(service).contains(&platform.port(service).to_string()));
        assert_eq!(platform.exit_code(service), Some(1), "{service}");
        drop(taken);
    }
}

#[tokio::test]
async fn a_large_body_that_a_service_does_not_read_gets_the_services_answer() {
    let platform = Platform::start(&[]).await;
    for (method, path, bytes, expected) in [
        (Method::POST, "/api/v1/users/abc/preferences", 100_000, StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/v1/genres", 1_000_000, StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "/api/v1/movies/1/x", 1_000_000, StatusCode::NOT_FOUND),
        (Method::POST, "/api/v1/users", 1_100_000, StatusCode::PAYLOAD_TOO_LARGE),
        (Method::POST, "/api/v1/users", 9_000_000, StatusCode::PAYLOAD_TOO_LARGE),
        (Method::POST, "/api/v1/users", 11_000_000, StatusCode::PAYLOAD_TOO_LARGE),
        (Method::POST, "/api/v1/users", 17_000_000, StatusCode::PAYLOAD_TOO_LARGE),
        (Method::POST, "/nowhere", 1_000_000, StatusCode::NOT_FOUND),
    ] {
        for attempt in 0..10 {
            let request = platform.http.request(method.clone(), platform.url(path)).bearer_auth("x");
            let answer = request.body(vec![b'x'; bytes]).send().await;
            let answer =
                answer.unwrap_or_else(|error| panic!("{method} {path}, {bytes} bytes, attempt {attempt}: {error:?}"));
            assert_eq!(answer.status(), expected, "{method} {path}, {bytes} bytes, attempt {attempt}");
            let body: Value = answer.json().await.expect("JSON");
            assert!(body["error"].is_string(), "{body}");
        }
    }
}

#[tokio::test]
async fn a_service_that_still_waits_for_postgresql_refuses_clients_and_stops_when_asked() {
    let mut platform = Platform::start(&[]).await;
    for service in ["movie-service", "user-preference-service", "recommendation-service"] {
        assert_eq!(platform.terminate(service), Some(0));
        platform.start_service_with(service, &[("DB_PORT", "1")]);
        platform
            .until("it waits", Duration::from_secs(10), async || {
                platform.log(service).contains("waiting for PostgreSQL")
            })
            .await;
        let refused = platform.http.get(platform.service_url(service, "/api/v1/health")).send().await;
        assert!(refused.is_err_and(|error| error.is_connect()), "{service}");
        let asked = Instant::now();
        assert_eq!(platform.terminate(service), Some(0), "{service}");
        assert!(asked.elapsed() < Duration::from_secs(10), "{service} stops before it gives up on PostgreSQL");
    }
}
