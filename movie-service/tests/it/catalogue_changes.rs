//! `GET /internal/v1/catalogue?since=`.

use std::collections::BTreeMap;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::TestApp;

/// What a service that keeps a copy has: the version, the genres, and the line of each movie by its id.
#[derive(Debug, Clone, PartialEq, Default)]
struct Copy {
    version: String,
    genres: Value,
    movies: BTreeMap<i64, Value>,
}

impl Copy {
    async fn whole(app: &TestApp) -> Self {
        let mut copy = Self::default();
        copy.follow(app).await;
        copy
    }

    /// Takes the next answer; whether it was only what has changed.
    async fn follow(&mut self, app: &TestApp) -> bool {
        let reply = app.get(&format!("/internal/v1/catalogue?since={}", self.version)).await;
        assert_eq!(reply.status, 200);
        let mut lines = reply.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let first = lines.next().unwrap();
        let is_change = first.get("since").is_some();
        if is_change {
            assert_eq!(first["since"], self.version);
        } else {
            self.movies.clear();
        }
        assert_eq!(reply.header("etag"), format!("\"{}\"", first["catalogue_version"].as_str().unwrap()));
        self.version = first["catalogue_version"].as_str().unwrap().to_owned();
        self.genres = first["genres"].clone();
        let (mut sent, mut deleted) = (0, 0);
        let mut last = Value::Null;
        for line in lines {
            assert_eq!(last, Value::Null, "something follows the last line");
            if let Some(id) = line["id"].as_i64() {
                assert_eq!(deleted, 0, "deleted movies come after all others");
                sent += 1;
                self.movies.insert(id, line);
            } else if let Some(ids) = line["deleted"].as_array() {
                deleted += ids.len();
                ids.iter().for_each(|id| drop(self.movies.remove(&id.as_i64().unwrap())));
            } else {
                last = line;
            }
        }
        let expected = if is_change {
            json!({"end": true, "movies": sent, "deleted": deleted, "total": self.movies.len()})
        } else {
            json!({"end": true, "movies": sent})
        };
        assert_eq!(last, expected);
        is_change
    }
}

async fn filled(pool: &PgPool, movies: i32) -> TestApp {
    let app = TestApp::new(pool).await;
    app.execute("INSERT INTO genres (tmdb_id, name) VALUES (53, 'Thriller'), (28, 'Action'), (18, 'Drama')").await;
    sqlx::query("INSERT INTO movies (title, popularity) SELECT 'Movie ' || n, n FROM generate_series(1, $1) n")
        .bind(movies)
        .execute(pool)
        .await
        .unwrap();
    app.execute("INSERT INTO movie_genres SELECT id, id % 3 + 1 FROM movies WHERE id < 20").await;
    app
}

#[sqlx::test(migrations = "./migrations")]
async fn only_what_changed_is_sent(pool: PgPool) {
    let app = filled(&pool, 50).await;
    let version = app.version().await;
    let version = version.trim_matches('"');
    app.execute(
        "UPDATE movies SET title = 'Changed' WHERE id = 7;
         DELETE FROM movies WHERE id IN (21, 30);
         DELETE FROM movie_genres WHERE movie_id = 3;
         UPDATE movies SET overview = 'not part of it' WHERE id = 9",
    )
    .await;
    let reply = app.get(&format!("/internal/v1/catalogue?since={version}")).await;
    let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["since"], version);
    assert_eq!(lines[0]["genres"].as_array().unwrap().len(), 3);
    assert_eq!((&lines[1]["id"], &lines[1]["genre_ids"]), (&json!(3), &json!([])));
    assert_eq!((&lines[2]["id"], &lines[2]["title"]), (&json!(7), &json!("Changed")));
    assert_eq!(
        lines[3..],
        [json!({"deleted": [21, 30]}), json!({"end": true, "movies": 2, "deleted": 2, "total": 48})]
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn a_copy_that_follows_changes_is_the_same_as_one_that_is_read_whole(pool: PgPool) {
    let app = filled(&pool, 60).await;
    let mut copy = Copy::whole(&app).await;
    for change in [
        "SELECT 1",
        "UPDATE movies SET original_language = 'fr', runtime = 90 WHERE id < 10",
        "INSERT INTO movies (title, popularity) VALUES ('New', 3); INSERT INTO movie_genres VALUES (61, 1), (61, 2)",
        "INSERT INTO movies (title) VALUES ('Soon gone'); DELETE FROM movies WHERE title = 'Soon gone'",
        "UPDATE movies SET id = 1000 WHERE id = 5",
        "UPDATE movies SET id = 5 WHERE id = 6; UPDATE movies SET id = 6 WHERE id = 1000",
        "UPDATE movie_genres SET movie_id = 40 WHERE movie_id = 4",
        "UPDATE movie_genres SET genre_id = 1 WHERE movie_id = 40",
        "UPDATE genres SET name = 'Suspense' WHERE id = 1",
        "UPDATE genres SET id = 900 WHERE id = 2",
        "DELETE FROM genres WHERE id = 1",
        "INSERT INTO genres (id, tmdb_id, name) VALUES (1, 99, 'Another')",
        "DELETE FROM movies WHERE id = 8; INSERT INTO movies (id, title) VALUES (8, 'Back')",
        "BEGIN; DELETE FROM movies; ROLLBACK; UPDATE movies SET title = 'Other' WHERE id = 12",
        "BEGIN; UPDATE movies SET title = 'a' WHERE id = 13; UPDATE movies SET title = 'b' WHERE id = 14; COMMIT",
        "DELETE FROM movies WHERE id > 20",
    ] {
        app.execute(change).await;
        assert!(copy.follow(&app).await, "{change}");
        assert_eq!(copy, Copy::whole(&app).await, "{change}");
    }
    app.sync(1).await;
    assert!(copy.follow(&app).await);
    assert_eq!(copy, Copy::whole(&app).await);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_version_that_is_not_known_gets_the_whole_catalogue(pool: PgPool) {
    let app = filled(&pool, 20).await;
    let known = Copy::whole(&app).await;
    let (epoch, _) = known.version.rsplit_once('-').unwrap();
    let mut unknown = vec![String::new(), "1".into(), "%00".into(), "é\"\\".into(), epoch.to_owned(), "x".repeat(5000)];
    for number in ["1", "1000.2", "-1.2", "9223372036854775807.2", "9223372036854775808.2", "1.2x", ".2", "1.20"] {
        unknown.push(format!("{epoch}-{number}"));
    }
    unknown.push(known.version.replacen(&epoch[..1], if epoch.starts_with('0') { "1" } else { "0" }, 1));
    for since in unknown {
        let uri = format!("/internal/v1/catalogue?since={}", since.replace('"', "%22").replace('é', "%C3%A9"));
        let reply = app.get(&uri.replace('\\', "%5C")).await;
        assert!(reply.status == 200 && !reply.text().contains("\"since\""), "{since}");
        assert!(reply.text().ends_with("{\"end\":true,\"movies\":20}\n"), "{since}");
    }
    for emptied in ["TRUNCATE movies", "DELETE FROM genres WHERE id = 1; DELETE FROM catalogue_changes"] {
        let mut copy = Copy::whole(&app).await;
        app.execute(emptied).await;
        assert!(!copy.follow(&app).await, "{emptied}");
        assert_eq!(copy, Copy::whole(&app).await, "{emptied}");
        app.execute("INSERT INTO movies (title) VALUES ('After that')").await;
        assert!(copy.follow(&app).await, "{emptied}");
        assert_eq!(copy, Copy::whole(&app).await, "{emptied}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_part_is_sent_until_it_is_a_quarter_of_the_catalogue(pool: PgPool) {
    let app = filled(&pool, 6000).await;
    let mut copy = Copy::whole(&app).await;
    for (change, is_change) in [
        ("UPDATE movies SET popularity = 0 WHERE id <= 1500", true),
        ("UPDATE movies SET popularity = 1 WHERE id <= 1501", false),
        // More than one line of them.
        ("DELETE FROM movies WHERE id > 4900", true),
        ("DELETE FROM movies WHERE id > 2000", false),
        ("UPDATE movies SET popularity = 2 WHERE id <= 1000", true),
    ] {
        app.execute(change).await;
        assert_eq!(copy.follow(&app).await, is_change, "{change}");
        assert_eq!(copy, Copy::whole(&app).await, "{change}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_change_belongs_to_the_version_with_which_it_is_committed(pool: PgPool) {
    let app = filled(&pool, 20).await;
    let mut copy = Copy::whole(&app).await;
    let mut late = pool.begin().await.unwrap();
    sqlx::raw_sql("UPDATE movies SET title = 'Late' WHERE id = 1").execute(&mut *late).await.unwrap();
    copy.follow(&app).await;
    let next = app.execute("UPDATE movies SET title = 'Later' WHERE id = 2");
    let commit = async {
        while app.waiting_for_locks().await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        copy.follow(&app).await;
        late.commit().await.unwrap();
    };
    tokio::join!(next, commit);
    assert!(copy.follow(&app).await);
    assert_eq!((&copy.movies[&1]["title"], &copy.movies[&2]["title"]), (&json!("Late"), &json!("Later")));
    assert_eq!(copy, Copy::whole(&app).await);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_copy_that_is_up_to_date_gets_nothing(pool: PgPool) {
    let app = filled(&pool, 5).await;
    let etag = app.version().await;
    let uri = format!("/internal/v1/catalogue?since={}", etag.trim_matches('"'));
    let request = Request::get(&uri).header("if-none-match", &etag).body(Body::empty()).unwrap();
    assert_eq!(app.request(request).await.status, 304);
    assert!(Copy::whole(&app).await.follow(&app).await);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_log_of_changes_is_limited_and_cut_off_from_its_beginning(pool: PgPool) {
    let app = filled(&pool, 2).await;
    let mut copy = Copy::whole(&app).await;
    let mut recent = copy.clone();
    let log = "SELECT COALESCE(sum(1 + cardinality(movie_ids)), 0)::bigint FROM catalogue_changes";
    for round in 0..70 {
        app.execute("SELECT catalogue_changed(ARRAY(SELECT generate_series(1, 6000)), 0)").await;
        if round == 60 {
            recent = Copy::whole(&app).await;
        }
        let length = app.count(log).await;
        assert!(length <= 256_001, "{length}");
    }
    assert!(app.count(log).await > 200_000);
    assert!(!copy.follow(&app).await, "what it would need is cut off");
    // 6,000 ids are too many for a catalogue of two movies; the log has them.
    assert!(!recent.follow(&app).await);
    app.execute("UPDATE movies SET title = 'x' WHERE id = 1").await;
    assert!(copy.follow(&app).await);
    app.execute("SELECT catalogue_changed(ARRAY(SELECT generate_series(1, 250000)), 0)").await;
    assert_eq!(app.count(log).await, 0, "a single change that is too large is not kept");
    assert!(!copy.follow(&app).await);
}
