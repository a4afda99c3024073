//! Replicas of the previous release go on working on the newest schema.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

const MIGRATIONS: &sqlx::migrate::Migrator = &recommendation_service::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn statements_of_the_previous_release_work_on_this_schema(pool: PgPool) {
    let statements: Vec<&str> = include_str!("fixtures/previous_release.sql").split_terminator(";\n").collect();
    let [rules, lock, store] = statements.try_into().expect("three statements");
    let rules: Vec<(i64, String, f64, String, bool, DateTime<Utc>)> =
        sqlx::query_as(rules).fetch_all(&pool).await.unwrap();
    assert_eq!(rules.len(), 3);

    for (second, movies) in [(1, [7, 8]), (2, [8, 9])] {
        let time = DateTime::from_timestamp(second, 0).unwrap();
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query(lock).bind([1_i64]).execute(&mut *transaction).await.unwrap();
        let store = sqlx::query(store).bind([1_i64]).bind([time]).bind([1_i64, 1]).bind(movies).bind([0.5, 0.4]);
        store.execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let stored: Vec<(i64, i32, f64)> =
        sqlx::query_as("SELECT user_id, movie_id, score FROM user_recommendation_snapshots ORDER BY movie_id")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(stored, [(1, 8, 0.5), (1, 9, 0.4)]);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_replica_that_is_started_again_ignores_migrations_of_a_newer_release(pool: PgPool) {
    sqlx::raw_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a newer release', TRUE, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    MIGRATIONS.run(&pool).await.unwrap();
}
