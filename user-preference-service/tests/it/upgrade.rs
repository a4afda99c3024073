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
