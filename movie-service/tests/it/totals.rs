//! Totals, and the state of the catalogue that keeps them right.

use movie_service::MIGRATIONS;
use sqlx::PgPool;

use crate::support::TestApp;

async fn state(pool: &PgPool) -> (i64, i64, i64) {
    sqlx::query_as("SELECT version, revision, movies FROM catalogue_state").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn totals_are_exact_whoever_changes_the_catalogue(pool: PgPool) {
    // No cache, and changes of which the service is not told.
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    app.execute("INSERT INTO genres (tmdb_id, name) VALUES (1, 'Drama')").await;
    for (change, all, of_2000, dramas, aliens) in [
        (
            "INSERT INTO movies (title, release_date) SELECT 'Alien', '2000-01-01' FROM generate_series(1, 5)",
            5,
            5,
            0,
            5,
        ),
        ("INSERT INTO movie_genres VALUES (1, 1), (2, 1)", 5, 5, 2, 5),
        ("UPDATE movies SET release_date = '2001-01-01' WHERE id = 1", 5, 4, 2, 5),
        ("UPDATE movies SET title = 'Solaris' WHERE id > 3", 5, 4, 2, 3),
        ("DELETE FROM movies WHERE id = 1", 4, 4, 1, 2),
        ("UPDATE genres SET name = 'Other'; INSERT INTO genres (tmdb_id, name) VALUES (2, 'Drama')", 4, 4, 0, 2),
        ("TRUNCATE movies CASCADE", 0, 0, 0, 0),
    ] {
        app.execute(change).await;
        for round in 0..2 {
            for (query, total) in
                [("", all), ("year=2000", of_2000), ("with_genres=drama", dramas), ("q=alien", aliens)]
            {
                for page in 1..=2 {
                    let list = app.list(&format!("{query}&page={page}&page_size=2")).await;
                    assert_eq!(list["total_results"], total, "{query} in round {round} after {change}");
                }
            }
        }
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_total_is_counted_once_for_all_pages(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    app.execute("INSERT INTO movies (title, release_date) SELECT 'One', '2000-01-01' FROM generate_series(1, 30)")
        .await;
    assert_eq!(app.list("year=2000").await["total_results"], 30);
    // Something that no trigger sees: a count would find it.
    app.execute(
        "ALTER TABLE movies DISABLE TRIGGER USER; DELETE FROM movies WHERE id > 25; ALTER TABLE movies ENABLE TRIGGER USER",
    )
    .await;
    for query in ["year=2000", "year=2000&page=2", "year=2000&sort_by=title&page_size=3", "year=2000&order=asc"] {
        assert_eq!(app.list(query).await["total_results"], 30, "{query}");
    }
    app.execute("UPDATE movies SET overview = 'new' WHERE id = 1").await;
    assert_eq!(app.list("year=2000").await["total_results"], 25);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_total_is_of_the_same_moment_as_its_page(pool: PgPool) {
    let app = TestApp::with(&pool, &[("REDIS_ADDR", "127.0.0.1:1")]).await;
    let writer = async {
        for n in 1..=200 {
            sqlx::query("INSERT INTO movies (title, release_date) VALUES ($1, '2000-01-01')")
                .bind(n.to_string())
                .execute(&pool)
                .await
                .unwrap();
        }
    };
    let reader = async {
        for _ in 0..60 {
            let list = app.list("year=2000&page_size=100&sort_by=created_at&facets=year").await;
            let total = list["total_results"].as_i64().unwrap();
            assert_eq!(list["data"].as_array().unwrap().len() as i64, total.min(100));
            assert_eq!(list["next_cursor"].is_string(), total > 100);
            assert_eq!(list["facets"]["year"][0]["movies"].as_i64().unwrap_or_default(), total);
        }
    };
    tokio::join!(writer, reader);
    assert_eq!(app.list("year=2000").await["total_results"], 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_revision_follows_every_change_and_the_version_only_those_that_are_copied(pool: PgPool) {
    let mut before = state(&pool).await;
    for (change, version, movies) in [
        ("INSERT INTO movies (tmdb_id, title) VALUES (1, 'One'), (2, 'Two')", 1, 2),
        ("INSERT INTO genres (tmdb_id, name) VALUES (1, 'Drama')", 1, 0),
        ("INSERT INTO movie_genres VALUES (1, 1)", 1, 0),
        ("UPDATE movies SET overview = 'new', original_title = 'Un'", 0, 0),
        ("UPDATE movies SET runtime = 7, original_language = 'fr'", 1, 0),
        ("UPDATE movies SET title = 'Other' WHERE id = 1", 1, 0),
        ("UPDATE genres SET name = 'Comedy'", 1, 0),
        ("UPDATE genres SET tmdb_id = 7", 0, 0),
        (
            "INSERT INTO movies (tmdb_id, title) VALUES (2, 'Again'), (3, 'Three') ON CONFLICT (tmdb_id) DO NOTHING",
            1,
            1,
        ),
        ("DELETE FROM movies WHERE id = 2", 1, -1),
        ("TRUNCATE movie_genres", 1, 0),
    ] {
        sqlx::raw_sql(change).execute(&pool).await.unwrap();
        let after = state(&pool).await;
        assert_eq!((after.0 - before.0, after.2 - before.2), (version, movies), "{change}");
        assert_eq!(after.1 - before.1, 1, "{change}");
        before = after;
    }
    for change in ["DELETE FROM movies WHERE id = 99", "UPDATE movies SET title = '' WHERE id = 99", "TABLE movies"] {
        sqlx::raw_sql(change).execute(&pool).await.unwrap();
        assert_eq!(state(&pool).await, before, "{change}");
    }
    let mut undone = pool.begin().await.unwrap();
    sqlx::raw_sql("TRUNCATE movies CASCADE").execute(&mut *undone).await.unwrap();
    undone.rollback().await.unwrap();
    assert_eq!(state(&pool).await, before);
}

#[sqlx::test(migrations = false)]
async fn the_fourth_migration_keeps_what_is_there(pool: PgPool) {
    let mut migrations = MIGRATIONS.iter().map(|migration| migration.sql.clone());
    for migration in migrations.by_ref().take(3) {
        sqlx::raw_sql(migration).execute(&pool).await.unwrap();
    }
    let data = "INSERT INTO genres (tmdb_id, name) VALUES (18, 'Drama');
                INSERT INTO movies (tmdb_id, title, original_title, runtime, locked_fields)
                VALUES (1, 'Seven Samurai', '七人の侍', 207, '{title}'), (NULL, 'Two', NULL, NULL, '{}'), (3, '%', '', 1, '{}');
                INSERT INTO movie_genres VALUES (1, 1);
                DELETE FROM movies WHERE title = 'Two';";
    sqlx::raw_sql(data).execute(&pool).await.unwrap();
    let before = copy(&pool).await;
    let copied = version(&pool).await;
    sqlx::raw_sql(migrations.next().unwrap()).execute(&pool).await.unwrap();
    assert_eq!(copy(&pool).await, before);
    assert_eq!(version(&pool).await, copied, "copies of the catalogue are still up to date");
    assert_eq!(state(&pool).await.2, 2);
    // The service asks for more than this one has.
    for migration in migrations {
        sqlx::raw_sql(migration).execute(&pool).await.unwrap();
    }
    let app = TestApp::new(&pool).await;
    for (query, total) in [("", 2), ("q=seven", 1), ("q=七人の侍", 1), ("q=%25", 1), ("with_genres=drama", 1)] {
        assert_eq!(app.list(query).await["total_results"], total, "{query}");
    }
    sqlx::raw_sql("INSERT INTO movies (title) VALUES ('New')").execute(&pool).await.unwrap();
    assert_eq!((state(&pool).await.0, state(&pool).await.2), (copied.1 + 1, 3));
    let secret: i32 =
        sqlx::query_scalar("SELECT length(cursor_secret) FROM catalogue_state").fetch_one(&pool).await.unwrap();
    assert_eq!(secret, 32);
}

/// Everything in the tables of movies and links.
async fn copy(pool: &PgPool) -> (String, String) {
    let rows =
        "SELECT (SELECT json_agg(m ORDER BY id)::text FROM movies m), (SELECT json_agg(l)::text FROM movie_genres l)";
    sqlx::query_as(rows).fetch_one(pool).await.unwrap()
}

async fn version(pool: &PgPool) -> (String, i64) {
    sqlx::query_as("SELECT epoch::text, version FROM catalogue_state").fetch_one(pool).await.unwrap()
}
