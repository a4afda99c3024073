//! Fields that are locked: a sync leaves them alone, and everything else is brought up to date.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, eventually, stub, stub::Stub};

const FIELDS: [&str; 12] = [
    "title",
    "original_title",
    "overview",
    "release_date",
    "genres",
    "language",
    "duration",
    "popularity",
    "vote_average",
    "vote_count",
    "poster_url",
    "backdrop_url",
];

/// Movies 1 to 12, each with values of its own in every field and the field of its number locked; 13 has none locked.
async fn edited(app: &TestApp, runtime: Option<i32>) {
    app.execute(
        "TRUNCATE movies, genres CASCADE;
         INSERT INTO genres (id, tmdb_id, name) VALUES (1, 28, 'Action'), (2, 35, 'Comedy'), (3, 18, 'Drama');
         SELECT setval(pg_get_serial_sequence('genres', 'id'), 3)",
    )
    .await;
    for (number, field) in (1..).zip(FIELDS.map(Some).into_iter().chain([None])) {
        sqlx::query(
            "INSERT INTO movies (id, tmdb_id, title, original_title, overview, release_date, popularity, poster_path,
                                 backdrop_path, original_language, vote_average, vote_count, runtime, locked_fields)
             VALUES ($1, $1, 'Mine', 'My own', 'By hand.', '1901-02-03', 0.5, '/mine.jpg', '/my.jpg', 'xx', 1.5, 5, $2,
                     array_remove(ARRAY[$3], NULL))",
        )
        .bind(number)
        .bind(runtime)
        .bind(field)
        .execute(&app.pool)
        .await
        .unwrap();
    }
    app.execute(
        "INSERT INTO movie_genres SELECT id, 2 FROM movies;
         SELECT setval(pg_get_serial_sequence('movies', 'id'), 13)",
    )
    .await;
}

async fn field(app: &TestApp, number: usize, name: &str) -> Value {
    app.get(&format!("/api/v1/movies/{number}")).await.json()[name].clone()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_locked_field_stays_and_the_others_follow_tmdb(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    for by_job in [false, true] {
        edited(&app, Some(7)).await;
        // With a runtime in the catalogue, a sync never changes it; what else there is, is different at TMDB.
        let mine = app.get("/api/v1/movies/13").await.json();
        if by_job {
            let job = app.run_job("pages=1").await;
            assert_eq!(job["movies"], json!({"new": 7, "changed": 13, "unchanged": 0}));
            // Locked fields that differ are no reason to write.
            let job = app.run_job("pages=1").await;
            assert_eq!(job["movies"], json!({"new": 0, "changed": 0, "unchanged": 20}));
        } else {
            assert_eq!(app.sync(1).await.status, 200);
        }
        let theirs = app.get("/api/v1/movies/13").await.json();
        for (number, locked) in (1..).zip(FIELDS) {
            for name in FIELDS.into_iter().filter(|name| *name != "duration") {
                let found = field(&app, number, name).await;
                match name {
                    _ if name == locked => assert_eq!(found, mine[name], "{locked} is locked"),
                    "title" | "original_title" | "overview" | "poster_url" | "backdrop_url" | "popularity" => {
                        assert_ne!(found, mine[name], "{locked} is locked, {name} is not");
                    }
                    _ => {
                        assert_ne!(found, mine[name]);
                        assert_eq!(found, theirs[name], "{locked} is locked, {name} is not");
                    }
                }
            }
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_duration_that_is_locked_as_unknown_stays_unknown(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    edited(&app, None).await;
    app.run_job("pages=1").await;
    eventually("the other runtimes are there", || async {
        app.count("SELECT count(*) FROM movies WHERE runtime IS NULL").await == 1
    })
    .await;
    assert_eq!(field(&app, 7, "duration").await, 0);
    assert_eq!(field(&app, 13, "duration").await, 120);
    assert_eq!(tmdb.count("/3/movie/7"), 0, "it is not even asked about");
    eventually("nor waited for", || async { app.job(1).await["runtimes_left"] == 0 }).await;
    app.execute("UPDATE movies SET locked_fields = '{}' WHERE id = 7").await;
    assert_eq!(app.sync(1).await.status, 200);
    eventually("now it is", || async { field(&app, 7, "duration").await == 120 }).await;
    // The sample has runtimes on its pages.
    let sample = TestApp::new(&pool).await;
    sample.execute("TRUNCATE movies CASCADE").await;
    sample.sync(1).await;
    sample.execute("UPDATE movies SET runtime = NULL, locked_fields = CASE WHEN tmdb_id = -1 THEN ARRAY['duration'] ELSE '{}' END").await;
    sample.sync(1).await;
    assert_eq!(sample.count("SELECT count(*) FROM movies WHERE runtime IS NULL AND tmdb_id >= -2").await, 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_lock_that_is_set_while_a_page_waits_to_be_stored_counts(pool: PgPool) {
    let tmdb = Stub::start(|request| async move { stub::plain(&request, 1) }).await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    edited(&app, Some(7)).await;
    let mut editor = app.pool.begin().await.unwrap();
    let edit = "UPDATE movies SET title = 'Edited', locked_fields = ARRAY['genres', 'title'] WHERE id = 13;
                DELETE FROM movie_genres WHERE movie_id = 13";
    sqlx::raw_sql(edit).execute(&mut *editor).await.unwrap();
    let commit = async {
        eventually("the page waits", || async { app.waiting_for_locks().await == 1 }).await;
        let later = "UPDATE movies SET updated_at = clock_timestamp() WHERE id = 13;
                     CREATE TABLE edited AS SELECT updated_at FROM movies WHERE id = 13";
        sqlx::raw_sql(later).execute(&mut *editor).await.unwrap();
        editor.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(app.sync(1), commit);
    assert_eq!(reply.status, 200);
    assert_eq!((field(&app, 13, "title").await, field(&app, 13, "genres").await), (json!("Edited"), json!([])));
    assert_eq!(field(&app, 13, "overview").await, "About 13.");
    let newer = "SELECT count(*) FROM movies WHERE id = 13 AND updated_at > (SELECT updated_at FROM edited)";
    assert_eq!(app.count(newer).await, 1, "time does not go back");
}

#[sqlx::test(migrations = "./migrations")]
async fn movies_without_an_id_at_tmdb_are_left_alone(pool: PgPool) {
    let tmdb = Stub::plain().await;
    let app = TestApp::with(&pool, &tmdb.settings()).await;
    app.execute("INSERT INTO movies (tmdb_id, title) VALUES (NULL, 'Movie 1'), (NULL, 'By hand')").await;
    let rows = "SELECT sum(hashtext(movies::text)) FROM movies WHERE tmdb_id IS NULL";
    let before = app.count(rows).await;
    let job = app.run_job("pages=1").await;
    assert_eq!((&job["movies"]["new"], app.movies().await), (&json!(20), 22));
    eventually("the runtimes are there", || async {
        app.count("SELECT count(*) FROM movies WHERE runtime IS NULL").await == 2
    })
    .await;
    assert_eq!(app.count(rows).await, before);
}
