//! The cache, with Redis well.

use std::time::Duration;

use futures_util::future::join_all;
use sqlx::PgPool;

use crate::support::{TestApp, eventually, titles};

const GENERATION: &str = "movies:generation";
const LIST: &str = "movies:list:1:20:popularity:desc::";

async fn keys(app: &TestApp) -> Vec<String> {
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut app.redis.clone()).await.unwrap();
    keys.sort();
    keys
}

async fn seconds_left(app: &TestApp, key: &str) -> i64 {
    redis::cmd("TTL").arg(key).query_async(&mut app.redis.clone()).await.unwrap()
}

/// The answer goes out before the entry is written.
async fn cached(app: &TestApp, key: &str) {
    eventually(key, || async { app.redis_text("GET", &[key]).await.is_some() }).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn answers_are_kept_under_the_keys_of_the_contract(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    app.get("/api/v1/movies?order=nonsense&page=0").await;
    app.get("/api/v1/movies?page=2&page_size=5&sort_by=title&order=asc&release_date_from=2024-01-01&release_date_to=2024-12-31")
        .await;
    app.get("/api/v1/movies/+01").await;
    app.get("/api/v1/movies/99").await;
    let filtered = "movies:list:2:5:title:asc:2024-01-01:2024-12-31";
    for key in [LIST, filtered, "movie:detail:1"] {
        cached(&app, key).await;
    }
    assert_eq!(keys(&app).await, ["movie:detail:1", GENERATION, LIST, filtered]);
    assert!((290..=300).contains(&seconds_left(&app, LIST).await));
    assert!((1790..=1800).contains(&seconds_left(&app, "movie:detail:1").await));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cached_answer_is_the_same_to_the_byte_and_asks_no_database(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", Some("2024-01-01"), Some(3.0)).await;
    for (path, key) in [("/api/v1/movies", LIST), ("/api/v1/movies/1", "movie:detail:1")] {
        let first = app.get(path).await;
        cached(&app, key).await;
        // By hand, so that the service does not know of it.
        app.execute("UPDATE movies SET title = 'Changed' WHERE id = 1").await;
        let second = app.get(path).await;
        assert_eq!((first.body, second.header("content-type")), (second.body.clone(), "application/json"));
        app.execute("UPDATE movies SET title = 'One' WHERE id = 1").await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sync_makes_every_entry_invalid_in_one_step(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    let old = app.get("/api/v1/movies/1").await;
    cached(&app, "movie:detail:1").await;
    app.get("/api/v1/movies").await;
    cached(&app, LIST).await;
    let token = app.redis_text("GET", &[GENERATION]).await;
    app.execute("UPDATE movies SET title = 'Changed', popularity = 1e9 WHERE id = 1").await;
    assert_eq!(app.get("/api/v1/movies/1").await.body, old.body, "cached");
    app.sync(1).await;
    assert_ne!(app.redis_text("GET", &[GENERATION]).await, token);
    app.execute("UPDATE movies SET title = 'Read anew', popularity = 1e9 WHERE id = 1").await;
    assert_eq!(app.get("/api/v1/movies/1").await.json()["title"], "Read anew");
    assert_eq!(titles(&app.list("").await)[0], "Read anew");
}

#[sqlx::test(migrations = "./migrations")]
async fn an_answer_computed_before_a_change_is_not_kept_after_it(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "Before", None, None).await;
    // A reader that has seen the token and waits for the database ...
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movie_genres IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let change = async {
        eventually("the reader waits", || async { app.waiting_for_locks().await == 1 }).await;
        // ... while another process changes the catalogue and replaces the token.
        app.redis_do("SET", &[GENERATION.as_bytes(), &[b'f'; 32]]).await;
        lock.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(app.get("/api/v1/movies/1"), change);
    assert_eq!(reply.json()["title"], "Before");
    cached(&app, "movie:detail:1").await;
    app.execute("UPDATE movies SET title = 'After' WHERE id = 1").await;
    assert_eq!(app.get("/api/v1/movies/1").await.json()["title"], "After", "its entry was made under the old token");
}

#[sqlx::test(migrations = "./migrations")]
async fn garbage_is_ignored_and_replaced(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    let whole = app.get("/api/v1/movies").await.body;
    cached(&app, LIST).await;
    let entry = app.redis_text("GET", &[LIST]).await.unwrap();
    let mut damaged = entry.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let mut longer = entry.clone();
    longer.extend_from_slice(b"}");
    for garbage in [b"".as_slice(), b"{}", b"\xff\xfe", &[b'x'; 5000], &entry[..entry.len() - 1], &damaged, &longer] {
        app.redis_do("SET", &[LIST.as_bytes(), garbage]).await;
        assert_eq!(app.get("/api/v1/movies").await.body, whole);
        eventually("it is replaced", || async { app.redis_text("GET", &[LIST]).await.as_ref() == Some(&entry) }).await;
    }
    for key in [LIST, GENERATION] {
        app.redis_do("DEL", &[key.as_bytes()]).await;
        app.redis_do("LPUSH", &[key.as_bytes(), b"a list"]).await;
        assert_eq!(app.get("/api/v1/movies").await.body, whole, "{key} of another type");
        eventually("it is replaced", || async {
            let kind: String = redis::cmd("TYPE").arg(key).query_async(&mut app.redis.clone()).await.unwrap();
            kind == "string"
        })
        .await;
    }
    for token in [b"".as_slice(), b"short", &[b'x'; 100]] {
        app.redis_do("SET", &[GENERATION.as_bytes(), token]).await;
        assert_eq!(app.get("/api/v1/movies").await.body, whole);
        eventually("the token is replaced", || async {
            app.redis_text("GET", &[GENERATION]).await.is_some_and(|token| token.len() == 32)
        })
        .await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn many_misses_on_one_key_make_one_query(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.movie(1, "One", None, None).await;
    for path in ["/api/v1/movies", "/api/v1/movies/1"] {
        let mut lock = app.pool.begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
        let watch = async {
            eventually("the query waits", || async { app.waiting_for_locks().await > 0 }).await;
            for _ in 0..10 {
                assert_eq!(app.waiting_for_locks().await, 1, "{path}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            lock.commit().await.unwrap();
        };
        let (replies, ()) = tokio::join!(join_all((0..50).map(|_| app.get(path))), watch);
        assert!(replies.iter().all(|reply| reply.status == 200 && reply.body == replies[0].body));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn nobody_joins_a_query_begun_before_a_change(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.sync(1).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movie_genres IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let change = async {
        eventually("the first query waits", || async { app.waiting_for_locks().await == 1 }).await;
        app.redis_do("SET", &[GENERATION.as_bytes(), &[b'f'; 32]]).await;
        let release = async {
            eventually("a second one begins", || async { app.waiting_for_locks().await == 2 }).await;
            lock.commit().await.unwrap();
        };
        tokio::join!(app.get("/api/v1/movies/1"), release).0
    };
    let (before, after) = tokio::join!(app.get("/api/v1/movies/1"), change);
    assert_eq!((before.status.as_u16(), after.status.as_u16()), (200, 200));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_start_distrusts_what_an_earlier_process_left(pool: PgPool) {
    let settings = crate::support::settings(&pool).await;
    let app = TestApp::from_settings(&pool, &settings).await;
    app.movie(1, "Old", None, None).await;
    app.get("/api/v1/movies/1").await;
    cached(&app, "movie:detail:1").await;
    app.execute("UPDATE movies SET title = 'New'").await;
    let next = TestApp::from_settings(&pool, &settings).await;
    assert_eq!(next.get("/api/v1/movies/1").await.json()["title"], "New");
}
