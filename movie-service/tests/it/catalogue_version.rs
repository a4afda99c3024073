//! The version of the catalogue: it changes when, and only when, what other services copy does, whoever changes it.

use futures_util::future::join_all;
use sqlx::PgPool;

use crate::support::TestApp;

const VERSION: &str = "SELECT version FROM catalogue_state";

#[sqlx::test(migrations = "./migrations")]
async fn every_change_of_the_catalogue_changes_its_version(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    for change in [
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action'), (18, 'Drama')",
        "INSERT INTO movies (tmdb_id, title) VALUES (1, 'One'), (2, 'Two')",
        "INSERT INTO movie_genres VALUES (1, 1)",
        "UPDATE movies SET title = 'Eins' WHERE id = 1",
        "UPDATE movies SET release_date = '2024-01-01' WHERE id = 1",
        "UPDATE movies SET popularity = 1 WHERE id = 1",
        "UPDATE movies SET poster_path = '/p.jpg' WHERE id = 1",
        "UPDATE movies SET vote_average = 7, vote_count = 3 WHERE id = 1",
        "UPDATE movies SET popularity = NULL WHERE id = 1",
        "UPDATE movies SET original_language = 'fr' WHERE id = 1",
        "UPDATE movies SET runtime = 90 WHERE id = 1",
        "UPDATE movies SET id = 7 WHERE id = 2",
        "UPDATE movies SET id = 2 WHERE id = 7",
        "UPDATE genres SET name = 'Aktion' WHERE id = 1",
        "UPDATE movie_genres SET genre_id = 2",
        "DELETE FROM movie_genres",
        "DELETE FROM movies WHERE id = 2",
        "DELETE FROM genres WHERE id = 2",
        "TRUNCATE movies CASCADE",
    ] {
        let before = app.version().await;
        app.execute(change).await;
        assert_ne!(app.version().await, before, "{change}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_changes_nothing_keeps_the_version(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action');
         INSERT INTO movies (tmdb_id, title, popularity) VALUES (1, 'One', 2.5), (2, 'Two', NULL);
         INSERT INTO movie_genres VALUES (1, 1)",
    )
    .await;
    let before = app.version().await;
    for change in [
        "UPDATE movies SET title = title, popularity = popularity",
        "UPDATE movies SET runtime_checked_at = now(), updated_at = now()",
        "UPDATE movies SET overview = 'Long.'",
        "UPDATE movies SET runtime = 0, original_language = '', poster_path = '', vote_count = 0, vote_average = 3",
        "UPDATE movies SET title = 'x' WHERE id = 99",
        "DELETE FROM movies WHERE id = 99",
        "DELETE FROM movie_genres WHERE movie_id = 99",
        "UPDATE genres SET name = name",
        "INSERT INTO movie_genres VALUES (1, 1) ON CONFLICT DO NOTHING",
        "BEGIN; UPDATE movies SET title = 'y'; ROLLBACK",
    ] {
        app.execute(change).await;
        assert_eq!(app.version().await, before, "{change}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn writers_of_several_statements_in_any_order_do_not_deadlock(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute("INSERT INTO movies (tmdb_id, title) SELECT n, 'M' FROM generate_series(1, 40) n").await;
    let before: i64 = app.count(VERSION).await;
    let write = |writer: i32| {
        let pool = &app.pool;
        async move {
            for round in 0..10 {
                let mut transaction = pool.begin().await.unwrap();
                for step in 0..5 {
                    let id = (writer * 7 + round * 11 + step * 13) % 40 + 1;
                    sqlx::query("UPDATE movies SET popularity = COALESCE(popularity, 0) + 1 WHERE id = $1")
                        .bind(id)
                        .execute(&mut *transaction)
                        .await
                        .unwrap();
                }
                transaction.commit().await.unwrap();
            }
        }
    };
    join_all((0..4).map(write)).await;
    assert_eq!(app.count(VERSION).await - before, 4 * 10 * 5, "no change was missed");
}

#[sqlx::test(migrations = "./migrations")]
async fn another_database_has_another_epoch(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let before = app.version().await;
    app.execute("UPDATE catalogue_state SET epoch = gen_random_uuid()").await;
    assert_ne!(app.version().await, before);
}

#[sqlx::test(migrations = "./migrations")]
async fn each_order_of_the_list_is_read_from_an_index(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    app.execute(
        "INSERT INTO movies (tmdb_id, title, popularity, release_date, vote_average, vote_count, runtime, created_at)
         SELECT n, 'M' || n, n, date '2000-01-01' + n, 5, n, n, now() + n * interval '1 second'
         FROM generate_series(1, 2000) n;
         INSERT INTO movies (title) SELECT 'N' || n FROM generate_series(1, 200) n;
         ANALYZE movies",
    )
    .await;
    // In both directions, what is known and what is not: as the list asks for them.
    for (key, index) in [
        ("popularity", "movies_by_popularity"),
        ("release_date", "movies_by_release_date"),
        ("title COLLATE title_order", "movies_by_title"),
        ("rating", "movies_by_rating"),
        ("vote_count", "movies_by_vote_count"),
        ("runtime", "movies_by_runtime"),
        ("created_at", "movies_by_creation"),
    ] {
        for (order, known) in [("ASC", "IS NOT NULL"), ("DESC", "IS NOT NULL"), ("ASC", "IS NULL"), ("DESC", "IS NULL")]
        {
            let explain = format!(
                "EXPLAIN SELECT id FROM movies WHERE {key} {known} ORDER BY {key} {order}, id {order} LIMIT 20"
            );
            let plan: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&app.pool).await.unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains(&format!(" {index} ")) && !plan.contains("Sort"), "{key} {order} {known}: {plan}");
        }
    }
}
