//! Cached preferences: what is kept, for how long, and that it is never older than an acknowledged change.

use std::{sync::Arc, time::Duration};

use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{task::JoinSet, time::sleep};

use crate::support::{Process, TestApp, eventually, exchange, waiting};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;
const PATH: &str = "/api/v1/users/1/preferences";
const KEY: &str = "user:pref:1";

async fn language(app: &TestApp) -> String {
    app.get(PATH).await.json()["preferred_language"].as_str().unwrap().to_owned()
}

/// The entry of the first user.
async fn entry(app: &TestApp) -> Value {
    serde_json::from_slice(&app.redis().await.get::<_, Vec<u8>>(KEY).await.unwrap()).unwrap()
}

/// An answer as it is cached.
fn entry_of(mut answer: Value, revision: i64) -> Value {
    answer["revision"] = json!(revision);
    answer
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_answer_is_kept_for_ten_minutes_with_its_revision(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    for revision in 0..3 {
        if revision > 0 {
            app.post(PATH, r#"{"preferred_genres":["Drama"],"min_rating":7}"#).await;
        }
        let sent = app.get(PATH).await;
        let kept = entry(&app).await;
        assert_eq!(kept, entry_of(sent.json(), revision));
        let mut redis = app.redis().await;
        let life: i64 = redis.pttl(KEY).await.unwrap();
        assert!((590_000..=600_000).contains(&life), "{life}");
        assert_eq!(app.get(PATH).await.body, sent.body);
        // An entry that differs in nothing but a text shows that answers come from the cache.
        let marked = kept.to_string().replace("\"en\"", "\"xx\"");
        let _: () = redis.set(KEY, marked).await.unwrap();
        assert_eq!(language(&app).await, "xx", "from the cache");
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_entry_of_another_revision_is_not_used_and_replaced(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    app.post(PATH, "{}").await;
    app.post(PATH, r#"{"preferred_language":"fr"}"#).await;
    let right = app.get(PATH).await;
    let mut redis = app.redis().await;
    for revision in [-1, 0, 1, 3, i64::MAX] {
        let mut wrong = entry_of(right.json(), revision);
        wrong["preferred_language"] = json!("xx");
        let _: () = redis.set(KEY, wrong.to_string()).await.unwrap();
        assert_eq!(app.get(PATH).await.body, right.body, "{revision}");
        assert_eq!(entry(&app).await, entry_of(right.json(), 2));
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_change_deletes_the_entry(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    app.get(PATH).await;
    let mut redis = app.redis().await;
    assert!(redis.exists::<_, bool>(KEY).await.unwrap());
    app.post(PATH, r#"{"preferred_language":"fr"}"#).await;
    assert!(!redis.exists::<_, bool>(KEY).await.unwrap());
    assert_eq!(language(&app).await, "fr");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn users_who_do_not_exist_are_not_cached(pool: PgPool) {
    let app = TestApp::new(pool).await;
    assert_eq!(app.get(PATH).await.status, 404);
    assert!(!app.redis().await.exists::<_, bool>(KEY).await.unwrap());
    app.user("ada").await;
    assert_eq!(app.get(PATH).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn garbage_in_an_entry_is_ignored_and_replaced(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    app.user("bob").await;
    let right = app.get(PATH).await.body;
    app.get("/api/v1/users/2/preferences").await;
    let mut redis = app.redis().await;
    let of_bob: Vec<u8> = redis.get("user:pref:2").await.unwrap();
    let own: Vec<u8> = redis.get(KEY).await.unwrap();
    let wrong: [&[u8]; 10] = [
        b"",
        b"garbage",
        b"{}",
        b"null",
        b"[]",
        b"\xff\xfe",
        &own[..own.len() - 1],
        // Without a revision, as an earlier release wrote it.
        &right,
        br#"{"id":0,"user_id":1,"preferred_genres":null,"preferred_language":"en","min_rating":0.0,"revision":0,"updated_at":"0001-01-01T00:00:00Z"}"#,
        &of_bob,
    ];
    for entry in wrong {
        let _: () = redis.set(KEY, entry).await.unwrap();
        assert_eq!(app.get(PATH).await.body, right, "{}", String::from_utf8_lossy(entry));
        assert_eq!(redis.get::<_, Vec<u8>>(KEY).await.unwrap(), own);
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn keys_of_another_type_are_ignored_and_replaced(pool: PgPool) {
    let app = TestApp::new(pool).await;
    app.user("ada").await;
    let right = app.get(PATH).await.body;
    let mut redis = app.redis().await;
    for _ in 0..5 {
        let _: () = redis::pipe().del(KEY).lpush(KEY, "x").query_async(&mut redis).await.unwrap();
        assert_eq!(app.get(PATH).await.body, right);
        assert_eq!(redis.key_type::<_, String>(KEY).await.unwrap(), "string");
    }
    let _: () = redis::pipe().del(KEY).lpush(KEY, "x").query_async(&mut redis).await.unwrap();
    assert_eq!(app.post(PATH, "{}").await.status, 200);
    assert!(!redis.exists::<_, bool>(KEY).await.unwrap(), "a change deletes it whatever it is");
}

/// Sends one GET that has to wait for the database, runs `meanwhile`, then lets it go on.
async fn a_slow_read(app: &Arc<TestApp>, meanwhile: impl AsyncFnOnce()) {
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE user_preferences IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let reader = tokio::spawn({
        let app = app.clone();
        async move { app.get(PATH).await.status }
    });
    eventually("the read waits", async || waiting(&app.pool).await == 1).await;
    meanwhile().await;
    lock.rollback().await.unwrap();
    assert_eq!(reader.await.unwrap(), 200);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_old_entry_that_is_stored_after_a_change_is_never_shown(pool: PgPool) {
    let app = Arc::new(TestApp::new(pool).await);
    app.user("ada").await;
    app.post(PATH, r#"{"preferred_language":"v1"}"#).await;
    app.get(PATH).await;
    let mut redis = app.redis().await;
    let old: Vec<u8> = redis.get(KEY).await.unwrap();
    app.post(PATH, r#"{"preferred_language":"v2"}"#).await;
    // As a slow reader of another replica does.
    let _: () = redis.set(KEY, &old).await.unwrap();
    assert_eq!(language(&app).await, "v2");
    // The same while this replica reads.
    let _: () = redis.del(KEY).await.unwrap();
    a_slow_read(&app, async || redis.set(KEY, &old).await.unwrap()).await;
    let _: () = redis.set(KEY, &old).await.unwrap();
    assert_eq!(language(&app).await, "v2");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn many_misses_make_one_query(pool: PgPool) {
    for redis in ["", "127.0.0.1:1"] {
        let settings = if redis.is_empty() { vec![] } else { vec![("REDIS_ADDR", redis.to_owned())] };
        let app = Arc::new(TestApp::with(pool.clone(), &settings).await);
        app.post("/api/v1/users", r#"{"username":"ada","email":"ada@"}"#).await;
        let mut lock = app.pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE user_preferences IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
        let mut readers = JoinSet::new();
        for _ in 0..50 {
            let app = app.clone();
            readers.spawn(async move { app.get(PATH).await.status });
        }
        eventually("a read waits", async || waiting(&app.pool).await > 0).await;
        for _ in 0..20 {
            assert_eq!(waiting(&app.pool).await, 1);
            sleep(Duration::from_millis(5)).await;
        }
        lock.rollback().await.unwrap();
        assert!(readers.join_all().await.iter().all(|status| *status == 200));
    }
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_request_after_a_change_never_gets_a_read_begun_before_it(pool: PgPool) {
    // Without Redis, so that only the shared reads are between a request and the database.
    let app = Arc::new(TestApp::with(pool, &[("REDIS_ADDR", "127.0.0.1:1".to_owned())]).await);
    app.user("ada").await;
    // The query takes a snapshot of the old row, then is held up by an advisory lock in a policy of its own.
    sqlx::raw_sql(
        "ALTER TABLE user_preferences RENAME TO held;
         CREATE FUNCTION hold() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END $$;
         CREATE VIEW user_preferences AS SELECT * FROM held WHERE hold();
         INSERT INTO held (user_id, preferred_language) VALUES (1, 'v1')",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let mut lock = app.pool.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(7)").execute(&mut *lock).await.unwrap();
    let early = tokio::spawn({
        let app = app.clone();
        async move { language(&app).await }
    });
    eventually("the first read waits", async || waiting(&app.pool).await == 1).await;
    sqlx::query("UPDATE held SET preferred_language = 'v2'").execute(&app.pool).await.unwrap();
    let late = tokio::spawn({
        let app = app.clone();
        async move { language(&app).await }
    });
    sleep(Duration::from_millis(50)).await;
    sqlx::query("SELECT pg_advisory_unlock(7)").execute(&mut *lock).await.unwrap();
    assert_eq!((early.await.unwrap(), late.await.unwrap()), ("v1".to_owned(), "v2".to_owned()));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn while_one_writes_no_reader_ever_gets_less_than_was_acknowledged(pool: PgPool) {
    let service = Process::start(&pool, &[]).await;
    let address = service.address;
    exchange(address, "POST", "/api/v1/users", r#"{"username":"ada","email":"a@b"}"#).await.unwrap();
    let (acknowledged, seen) = tokio::sync::watch::channel(0_u64);
    let mut readers = JoinSet::new();
    for _ in 0..8 {
        let seen = seen.clone();
        readers.spawn(async move {
            let mut reads = 0;
            loop {
                let least = *seen.borrow();
                let (status, body) = exchange(address, "GET", PATH, "").await.unwrap();
                assert_eq!(status, 200, "{body}");
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                let version = body["preferred_genres"][0].as_str().map_or(0, |text| text.parse::<u64>().unwrap());
                assert!(version >= least, "{version} was read after {least} had been acknowledged");
                reads += 1;
                if least == 400 {
                    return reads;
                }
            }
        });
    }
    for version in 1..=400_u64 {
        let body = json!({ "preferred_genres": [version.to_string()] }).to_string();
        let (status, _) = exchange(address, "POST", PATH, &body).await.unwrap();
        assert_eq!(status, 200);
        acknowledged.send_replace(version);
    }
    let reads: u64 = readers.join_all().await.into_iter().sum();
    assert!(reads > 400, "{reads} reads are too few to show anything");
}
