//! Replicas of the previous release go on working on the newest schema.

use sqlx::{AssertSqlSafe, PgPool};

const MIGRATIONS: &sqlx::migrate::Migrator = &user_preference_service::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATIONS")]
async fn the_statements_of_the_previous_release_work_on_the_newest_schema(pool: PgPool) {
    let statements = include_str!("fixtures/previous_release.sql").split_inclusive(';').map(str::trim);
    for statement in statements.filter(|statement| !statement.is_empty()) {
        let rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(&pool).await;
        assert_eq!(rows.unwrap_or_else(|error| panic!("{error}: {statement}")).len(), 1, "{statement}");
    }
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
