//! `POST /api/v1/admin/sync` with TMDB's stand-in: pages, rows, statements and clients that fail.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestApp, eventually, jobs::gated, stub, stub::Stub};

#[sqlx::test(migrations = "./migrations")]
async fn a_page_that_failed_is_named_and_the_others_are_stored(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        match request.page() {
            1 => stub::status(500),
            3 => stub::raw("<html>busy</html>"),
            _ => stub::plain(&request, 9),
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    assert_eq!(
        app.sync(4).await.json(),
        json!({"message": "sync completed", "movies_synced": 40, "pages": 2, "source": "tmdb", "failed_pages": [
            {"page": 1, "error": "TMDB answered 500"},
            {"page": 3, "error": "TMDB's answer is not the JSON that was expected"},
        ], "skipped": 0})
    );
    assert_eq!(app.get("/api/v1/movies/1").await.json()["genres"], json!(["Action", "Drama"]));
}

#[sqlx::test(migrations = "./migrations")]
async fn rows_that_cannot_be_used_are_counted(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        let mut movies = stub::movies_of(request.page().max(1));
        movies[0] = json!({"id": 1, "title": ""});
        movies[1] = json!("no movie");
        match request.path.as_str() {
            "/3/discover/movie" => stub::ok(stub::page(request.page(), movies, 9)),
            _ => stub::plain(&request, 9),
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let report = app.sync(3).await.json();
    assert_eq!((&report["movies_synced"], &report["skipped"]), (&54.into(), &6.into()));
    assert_eq!(app.run_job("pages=2").await["skipped"], 4);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_whose_process_died_is_not_resumed(pool: PgPool) {
    sqlx::raw_sql(
        r#"INSERT INTO sync_jobs (source, parameters, plan, worker, pages_total, inline)
           VALUES ('tmdb', '{"pages":5}', '{"pages":5,"years":null,"genres":null,"language":null}', 'gone', 5, TRUE)"#,
    )
    .execute(&pool)
    .await
    .unwrap();
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    assert_eq!(app.sync(1).await.status, 200);
    assert_eq!((&app.job(1).await["state"], app.movies().await), (&json!("failed"), 20));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_cut_half_way_leaves_whole_pages(pool: PgPool) {
    let tmdb = Stub::start(|request| async move {
        if request.page() >= 3 { stub::never().await } else { stub::plain(&request, 9) }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let sync = app.sync(9);
    let stop = async {
        eventually("two pages are stored", || async { app.count("SELECT count(*) FROM movies").await == 40 }).await;
        app.lifecycle.stop();
        std::future::pending::<()>().await;
    };
    let report = tokio::select! {
        report = sync => report.json(),
        () = stop => unreachable!(),
    };
    assert_eq!((&report["movies_synced"], &report["pages"]), (&40.into(), &2.into()));
    let failed = report["failed_pages"].as_array().unwrap();
    assert_eq!(failed.len(), 7);
    assert!(failed.iter().all(|page| page["error"] == "the service is stopping"), "{failed:?}");
    assert_eq!(app.count("SELECT count(*) FROM movie_genres").await, 80);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_failing_statement_leaves_nothing_of_its_page(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    // Page 2 cannot be linked to its genres.
    app.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT tmdb_id FROM movies WHERE id = NEW.movie_id) = 30 THEN RAISE 'refused'; END IF; RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON movie_genres FOR EACH ROW EXECUTE FUNCTION refuse();",
    )
    .await;
    let report = app.sync(3).await.json();
    assert_eq!((&report["movies_synced"], &report["pages"]), (&40.into(), &2.into()));
    assert_eq!(report["failed_pages"], json!([{"page": 2, "error": "the page could not be stored"}]));
    assert_eq!(app.count("SELECT count(*) FROM movies").await, 40, "the page after it is there");
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_that_cannot_be_stored_at_all_are_503(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.execute("ALTER TABLE movies ADD CHECK (tmdb_id < 0)").await;
    app.sync(2).await.assert_error(503, "the page could not be stored");
    assert_eq!(app.count("SELECT count(*) FROM genres").await, 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_database_that_is_away_ends_the_sync(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let mut more = tmdb.settings().to_vec();
    more.push(("DB_STATEMENT_TIMEOUT_MS", "100"));
    let app = TestApp::with(&pool, &more).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let start = Instant::now();
    app.sync(50).await.assert_error(503, "database unavailable");
    assert!(start.elapsed() < Duration::from_secs(15), "the other pages are not tried: {:?}", start.elapsed());
    lock.rollback().await.unwrap();
    assert_eq!(app.sync(1).await.status, 200);
}

/// Not repeated: PostgreSQL would compress those, and they would fit into the index.
fn random_title(length: usize, from: u32, different: u32) -> String {
    (0..length).map(|_| char::from_u32(from + rand::random::<u32>() % different).unwrap()).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn an_odd_title_costs_no_other_movie(pool: PgPool) {
    // The longest titles that are kept: 500 characters of three and of four bytes.
    let three = random_title(500, 0x4e00, 20_000);
    let four = random_title(500, 0x2_0000, 40_000);
    let too_long = random_title(1000, 0x4e00, 20_000);
    let titles = [too_long, three.clone(), four.clone()];
    let tmdb = Stub::start(move |request| {
        let titles = titles.clone();
        async move {
            let mut movies = stub::movies_of(request.page().max(1));
            for (movie, title) in movies.iter_mut().zip(titles).filter(|_| request.page() == 1) {
                movie["title"] = json!(title);
                movie["original_title"] = json!(title);
            }
            match request.path.as_str() {
                "/3/discover/movie" => stub::ok(stub::page(request.page(), movies, 9)),
                _ => stub::plain(&request, 9),
            }
        }
    })
    .await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    let report = app.sync(3).await.json();
    assert_eq!((&report["movies_synced"], &report["failed_pages"]), (&59.into(), &json!([])));
    let kept = "SELECT count(*) FROM movies WHERE title = $1 AND original_title = $1";
    for title in [three, four] {
        let count: i64 = sqlx::query_scalar(kept).bind(title).fetch_one(&app.pool).await.unwrap();
        assert_eq!(count, 1);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_client_that_hangs_up_does_not_cut_a_sync(pool: PgPool) {
    let (tmdb, gate) = gated(2).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    tokio::select! {
        _ = app.sync(4) => unreachable!("it waits for page 2"),
        () = eventually("page 2 is asked for", || async { tmdb.count("/3/discover/movie") > 1 }) => {}
    }
    gate.add_permits(100);
    eventually("all pages are stored", || async { app.count("SELECT count(*) FROM movies").await == 80 }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn when_tmdb_delivers_nothing_nothing_changes(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    let before = (app.version().await, app.count("SELECT count(*) FROM genres").await);

    let broken = Stub::start(|request| async move {
        if request.page() > 0 { stub::status(503) } else { stub::ok(json!({"genres": [{"id": 1, "name": "New"}]})) }
    })
    .await;
    let no_genres =
        Stub::start(
            |request| async move { if request.page() > 0 { stub::plain(&request, 9) } else { stub::status(500) } },
        )
        .await;
    let refused = Stub::start(|_| async { stub::status(401) }).await;
    for (url, error) in [
        ("http://127.0.0.1:1/3", "sync failed: TMDB cannot be reached"),
        (broken.url.as_str(), "sync failed: TMDB answered 503"),
        (no_genres.url.as_str(), "sync failed: TMDB answered 500"),
        (refused.url.as_str(), "TMDB refused the API key"),
    ] {
        let app = TestApp::with(&pool, &[("TMDB_BASE_URL", url), ("TMDB_API_KEY", stub::KEY)]).await;
        let reply = app.sync(3).await;
        reply.assert_error(502, error);
        assert!(!reply.text().contains(stub::KEY));
        assert_eq!((app.version().await, app.count("SELECT count(*) FROM genres").await), before, "{error}");
    }
    assert_eq!(refused.count("/3/genre/movie/list"), 1, "a refused key is not tried again");
}
