//! `POST /api/v1/admin/sync?mode=async` and its jobs: what they do, show, and refuse.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, eventually, jobs::gated, stub, stub::Stub};

#[sqlx::test(migrations = "./migrations")]
async fn a_job_is_accepted_at_once_and_shows_what_it_did(pool: PgPool) {
    let (tmdb, gate) = gated(1).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let reply = app.post_job("pages=3&language=EN").await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    assert_eq!(reply.header("location"), "/api/v1/admin/sync/jobs/1");
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    let mut job = reply.json();
    let created = job["created_at"].clone();
    assert!(created.as_str().unwrap().ends_with('Z'));
    assert_eq!(
        job,
        json!({
            "id": 1, "state": "running", "source": "tmdb", "pages": {"total": 3, "done": 0, "failed": 0},
            "movies": {"new": 0, "changed": 0, "unchanged": 0}, "runtimes_left": 0, "pages_per_second": 0.0,
            "seconds_left": null, "errors": [], "errors_omitted": 0, "parameters": {"pages": 3, "language": "en"},
            "created_at": created, "started_at": created, "finished_at": null, "cancel_requested": false, "skipped": 0,
        })
    );
    gate.add_permits(100);
    job = app.ended_job(1).await;
    assert_eq!(
        (&job["state"], &job["pages"], &job["movies"], &job["seconds_left"]),
        (
            &json!("completed"),
            &json!({"total": 3, "done": 3, "failed": 0}),
            &json!({"new": 60, "changed": 0, "unchanged": 0}),
            &json!(0)
        )
    );
    assert!(job["finished_at"].is_string() && job["pages_per_second"].as_f64() > Some(0.0), "{job}");
    assert_eq!(app.list("").await["total_results"], 60);
    assert_eq!(app.get("/api/v1/movies/1").await.json()["genres"], json!(["Action", "Drama"]));
    eventually("the runtimes follow", || async { app.job(1).await["runtimes_left"] == 0 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn new_changed_and_unchanged_movies_are_told_apart(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.run_job("pages=2").await;
    let movies = |job: &Value| job["movies"].clone();
    assert_eq!(movies(&app.run_job("pages=2").await), json!({"new": 0, "changed": 0, "unchanged": 40}));
    app.execute(
        "UPDATE movies SET title = 'Old' WHERE tmdb_id = 1;
         DELETE FROM movie_genres WHERE movie_id = (SELECT id FROM movies WHERE tmdb_id = 2);
         UPDATE movies SET vote_count = 1 WHERE tmdb_id = 3;
         DELETE FROM movie_genres WHERE movie_id = (SELECT id FROM movies WHERE tmdb_id = 3);
         DELETE FROM movies WHERE tmdb_id IN (4, 5)",
    )
    .await;
    assert_eq!(movies(&app.run_job("pages=3").await), json!({"new": 22, "changed": 3, "unchanged": 35}));
}

#[sqlx::test(migrations = "./migrations")]
async fn up_to_five_hundred_pages_are_fetched_and_no_more_than_there_are(pool: PgPool) {
    let tmdb = Stub::start(|request| async move { stub::plain(&request, 7) }).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let job = app.run_job("pages=600").await;
    assert_eq!(job["parameters"]["pages"], 500);
    assert_eq!(job["pages"], json!({"total": 7, "done": 7, "failed": 0}));
    assert_eq!(tmdb.count("/3/discover/movie"), 7);
}

#[sqlx::test(migrations = "./migrations")]
async fn five_hundred_pages_are_stored(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app =
        TestApp::with(&pool, &[&tmdb.settings()[..], &[("TMDB_MAX_REQUESTS_PER_SECOND", "100000")]].concat()).await;
    let start = std::time::Instant::now();
    let job = app.run_job("pages=500").await;
    eprintln!("job of 500 pages: {:?}", start.elapsed());
    assert_eq!((&job["pages"]["done"], app.movies().await), (&json!(500), 10_000));
}

#[sqlx::test(migrations = "./migrations")]
async fn each_year_is_a_list_of_its_own(pool: PgPool) {
    // Each year has as many pages as its last digit, with movies of its own.
    let tmdb = Stub::start(|request| async move {
        let Some((_, year)) = request.query.split_once("primary_release_year=") else {
            return stub::plain(&request, 1);
        };
        let year: u32 = year[..4].parse().unwrap();
        let movies = stub::movies_of((year - 1990) * 100 + request.page());
        stub::ok(stub::page(request.page(), movies, year % 10))
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let job = app.run_job("years=1991..1995&pages=4").await;
    assert_eq!(job["pages"], json!({"total": 14, "done": 14, "failed": 0}));
    assert_eq!(job["parameters"], json!({"pages": 4, "years": "1991..1995"}));
    assert_eq!(app.movies().await, 14 * 20);
    // Also while somebody waits.
    let report = app.send(Method::POST, "/api/v1/admin/sync?years=1994..1996&pages=5").await.json();
    assert_eq!((&report["pages"], &report["movies_synced"]), (&json!(4 + 5 + 5), &json!(280)));
    let report = app.send(Method::POST, "/api/v1/admin/sync?year=1993&pages=5").await.json();
    assert_eq!((&report["pages"], &report["movies_synced"]), (&json!(3), &json!(60)));
}

#[sqlx::test(migrations = "./migrations")]
async fn filters_are_passed_on_to_tmdb(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let asked = async |query: &str| {
        let reply = app.send(Method::POST, &format!("/api/v1/admin/sync?pages=1&{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        let last = tmdb.seen().into_iter().rfind(|seen| seen.page() == 1).unwrap();
        last.query.replace("sort_by=popularity.desc&page=1", "").replace(&format!("&api_key={}", stub::KEY), "")
    };
    // As long as there are no genres, TMDB's names count.
    assert_eq!(asked("with_genres=drama,Action").await, "&with_genres=28%2C18");
    assert_eq!(asked("with_genres=DRAMA|comedy").await, "&with_genres=35%7C18");
    // By the platform's own ids: Action, Comedy and Drama are 1 to 3.
    assert_eq!(
        asked("with_genres=3|1&language=Fr&year=1994").await,
        "&primary_release_year=1994&with_genres=28%7C18&with_original_language=fr"
    );
    let job = app.run_job("pages=1&with_genres=Drama%2c2").await;
    assert_eq!(job["parameters"]["with_genres"], "Drama,2");
    let last = tmdb.seen().into_iter().rfind(|seen| seen.page() == 1).unwrap();
    assert!(last.query.contains("&with_genres=35%2C18"), "{}", last.query);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_sample_is_filtered_as_tmdb_would(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let job = app.run_job("years=1994..1999&language=EN&with_genres=drama|crime").await;
    assert_eq!((&job["state"], &job["source"]), (&json!("completed"), &json!("sample")));
    let all = app.movies().await;
    assert!(all > 3);
    let fitting = "SELECT count(*) FROM movies m WHERE original_language = 'en'
        AND release_date BETWEEN '1994-01-01' AND '1999-12-31' AND EXISTS (SELECT FROM movie_genres mg
        JOIN genres g ON g.id = mg.genre_id WHERE mg.movie_id = m.id AND g.name IN ('Drama', 'Crime'))";
    assert_eq!(app.count(fitting).await, all);
    app.sync(1).await;
    assert_eq!(app.count(fitting).await, all, "none was left out");
    app.execute("DELETE FROM movies").await;
    app.run_job("with_genres=drama,crime").await;
    let both = "SELECT count(*) FROM movies m WHERE 2 <> (SELECT count(*) FROM movie_genres mg
        JOIN genres g ON g.id = mg.genre_id WHERE mg.movie_id = m.id AND g.name IN ('Drama', 'Crime'))";
    assert_eq!(app.count(both).await, 0);
    assert!(app.movies().await > 0);
    let nothing = app.run_job("year=1874").await;
    assert_eq!((&nothing["state"], &nothing["pages"]["done"]), (&json!("completed"), &json!(1)));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_meant_is_refused_in_both_modes(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    let jobs = app.get("/api/v1/admin/sync/jobs").await.json();
    let long = "x".repeat(10_000);
    let year = "a year from 1874 to 2100";
    let years = "a range of at most 200 years from 1874 to 2100, such as 1990..2025";
    let genres = "up to 20 genres by name or id, separated by ',' (all of them) or '|' (any of them)";
    let language = "an ISO 639-1 language code of 2 letters";
    let mut refused = Vec::new();
    for (name, expected, values) in [
        ("year", year, vec!["1873", "2101", "94", "19940", "1994.0", "+994"]),
        (
            "years",
            years,
            vec!["1994", "1994..", "..1994", "1994...1995", "1995..1994", "1874..2074", "1994..2101", "1994-1995"],
        ),
        ("with_genres", genres, vec![",", "Drama,", "Drama|War,Crime", "99999999999"]),
        ("language", language, vec!["e", "eng", "e1", "fr,en"]),
    ] {
        let odd = ["", "%20", "-1", "NaN", "%00", "%ff", "%", long.as_str()];
        let odd = odd.into_iter().filter(|value| name != "with_genres" || !matches!(*value, "-1" | "NaN"));
        refused.extend(
            values
                .into_iter()
                .chain(odd)
                .map(|value| (format!("{name}={value}"), format!("invalid {name}, expected {expected}"))),
        );
        refused.push((format!("{name}=1994&{name}=1994"), format!("invalid {name}, expected it only once")));
    }
    refused.push((
        "year=1994&years=1994..1995".to_owned(),
        "invalid years, expected it not together with year".to_owned(),
    ));
    let genres = app.get("/api/v1/genres").await.json()["genres"].clone();
    let known: Vec<&str> = genres.as_array().unwrap().iter().map(|genre| genre["name"].as_str().unwrap()).collect();
    for value in ["Dramas", "999", "-1", "NaN", "Drama,Dramas"] {
        refused.push((
            format!("with_genres={value}"),
            format!("unknown genre in with_genres, known are: {}", known.join(", ")),
        ));
    }
    for (query, error) in &refused {
        app.send(Method::POST, &format!("/api/v1/admin/sync?{query}")).await.assert_error(400, error);
        app.post_job(query).await.assert_error(400, error);
    }
    for mode in ["", "sync", "ASYNC", "async%20", "1", "-1", "NaN", "%00", "%ff", &long] {
        let reply = app.send(Method::POST, &format!("/api/v1/admin/sync?mode={mode}")).await;
        reply.assert_error(400, "invalid mode, expected 'async'");
        assert_eq!(reply.json()["field"], "mode");
    }
    app.post_job("mode=async").await.assert_error(400, "invalid mode, expected it only once");
    let misspelt = "unknown parameter yeer, the nearest known one is year";
    app.post_job("yeer=1994").await.assert_error(400, misspelt);
    app.send(Method::POST, "/api/v1/admin/sync?language=fr&yeer=1994").await.assert_error(400, misspelt);
    let misspelt = "unknown parameter limits, the nearest known one is limit";
    app.get("/api/v1/admin/sync/jobs?limits=5").await.assert_error(400, misspelt);
    assert_eq!(app.get("/api/v1/admin/sync/jobs").await.json(), jobs, "nothing was begun");
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_of_a_job_are_clamped_as_ever(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let long = "9".repeat(10_000);
    for (value, pages) in [
        ("", 5),
        ("x", 5),
        ("NaN", 5),
        ("-7", 1),
        ("0", 1),
        ("500", 500),
        ("501", 500),
        ("%00", 5),
        ("%ff", 5),
        (&long, 5),
        ("2&pages=9", 2),
    ] {
        assert_eq!(app.run_job(&format!("year=1900&pages={value}")).await["parameters"]["pages"], pages, "{value}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn jobs_are_listed_latest_first(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for year in [1994, 1995, 1996] {
        app.run_job(&format!("year={year}")).await;
    }
    let list = async |query: &str| {
        let reply = app.get(&format!("/api/v1/admin/sync/jobs{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
        let jobs = reply.json()["jobs"].as_array().unwrap().clone();
        jobs.iter().map(|job| job["parameters"]["year"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [1996, 1995, 1994]);
    assert_eq!(list("?limit=2").await, [1996, 1995]);
    assert_eq!(list("?limit=100").await.len(), 3);
    let long = "1".repeat(10_000);
    for limit in ["", "0", "101", "-1", "+1", "x", "NaN", "1.0", "%00", "%ff", "%", &long] {
        let reply = app.get(&format!("/api/v1/admin/sync/jobs?limit={limit}")).await;
        reply.assert_error(400, "invalid limit, expected a whole number from 1 to 100");
    }
    let reply = app.get("/api/v1/admin/sync/jobs?limit=1&limit=1").await;
    reply.assert_error(400, "invalid limit, expected it only once");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_job_that_is_not_there_is_404_and_a_text_400(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let long = "9".repeat(10_000);
    for (id, status, error) in [
        ("1", 404, "job not found"),
        ("0", 404, "job not found"),
        ("-1", 404, "job not found"),
        ("2147483648", 404, "job not found"),
        (&long, 404, "job not found"),
        ("x", 400, "invalid job ID"),
        ("NaN", 400, "invalid job ID"),
        ("1.0", 400, "invalid job ID"),
        ("%00", 400, "invalid job ID"),
        ("%ff", 400, "invalid job ID"),
        ("%20", 400, "invalid job ID"),
    ] {
        let path = format!("/api/v1/admin/sync/jobs/{id}");
        app.get(&path).await.assert_error(status, error);
        app.get(&format!("{path}/events")).await.assert_error(status, error);
        app.send(Method::DELETE, &path).await.assert_error(status, error);
    }
    assert_eq!(app.send(Method::PUT, "/api/v1/admin/sync/jobs/1").await.status, 405);
    assert_eq!(app.get("/api/v1/admin/sync").await.status, 405);
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_answered_503_was_neither_started_nor_cancelled(pool: PgPool) {
    let (tmdb, _gate) = gated(1).await;
    let app = TestApp::with(&pool, &[&tmdb.settings()[..], &[("DB_STATEMENT_TIMEOUT_MS", "500")]].concat()).await;
    let jobs = "SELECT count(*) FROM sync_jobs";
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    app.post_job("pages=1").await.assert_error(503, "database unavailable");
    assert_eq!(app.count(jobs).await, 0);
    lock.rollback().await.unwrap();
    let id = app.start_job("pages=1").await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let path = format!("/api/v1/admin/sync/jobs/{id}");
    eventually("the runtimes cannot be counted", || async { app.get(&path).await.status == 503 }).await;
    app.cancel_job(id).await.assert_error(503, "database unavailable");
    assert_eq!(app.count("SELECT count(*) FROM sync_jobs WHERE cancel_requested").await, 0);
    lock.rollback().await.unwrap();
    assert_eq!(app.cancel_job(id).await.status, 202);
}

#[sqlx::test(migrations = "./migrations")]
async fn one_sync_or_job_at_a_time_over_all_replicas(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let replica = TestApp::with(&pool, &tmdb.settings()).await;
    let id = app.start_job("pages=3").await;
    for other in [&app, &replica] {
        other.sync(1).await.assert_error(409, "a sync is already running");
        other.post_job("pages=1").await.assert_error(409, "a sync is already running");
    }
    gate.add_permits(100);
    assert_eq!(replica.ended_job(id).await["state"], "completed");
    assert_eq!(replica.run_job("pages=1").await["state"], "completed");
    assert_eq!(app.sync(1).await.status, 200);
}
