//! Upgrades without a stop: the statements of the previous release work on the schema of this one.

use movie_service::MIGRATIONS;
use sqlx::{AssertSqlSafe, Column, Connection, Executor, PgConnection, PgPool, SqlSafeStr, Statement, TypeInfo};

/// The last migration of the previous release.
const PREVIOUS_SCHEMA: i64 = 7;
/// Added later than the schema of the previous release, for replicas of an even older one.
const ADDED_LATER: [&str; 2] = ["movies_spelt_like", "movies_spelt_closely"];

/// The statements, each with its values as SQL.
fn statements() -> Vec<(&'static str, &'static str)> {
    let blocks = include_str!("fixtures/previous_release.sql").split("\n\n").map(str::trim);
    let without_comment = |block: &'static str| {
        if block.starts_with("--") {
            block.split_once("\nSELECT").map(|(comment, _)| &block[comment.len() + 1..])
        } else {
            Some(block)
        }
    };
    blocks.filter_map(without_comment).map(|block| block.split_once("\n-- ").unwrap_or((block, ""))).collect()
}

/// Names and types of the columns, and types of the parameters.
async fn shape(connection: &mut PgConnection, sql: &'static str) -> String {
    let statement =
        connection.prepare(AssertSqlSafe(sql).into_sql_str()).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let columns: Vec<_> =
        statement.columns().iter().map(|column| format!("{} {}", column.name(), column.type_info().name())).collect();
    format!("{columns:?} {:?}", statement.parameters())
}

async fn migrate(pool: &PgPool, versions: impl Fn(i64) -> bool) {
    for migration in MIGRATIONS.iter().filter(|migration| versions(migration.version)) {
        sqlx::raw_sql(migration.sql.clone()).execute(pool).await.unwrap();
    }
}

#[sqlx::test(migrations = false)]
async fn statements_of_the_previous_release_work_on_this_schema(pool: PgPool) {
    let statements = statements();
    assert!(statements.len() > 80, "{}", statements.len());
    migrate(&pool, |version| version <= PREVIOUS_SCHEMA).await;
    let mut connection = pool.acquire().await.unwrap();
    let mut before = Vec::new();
    for (sql, _) in &statements {
        let is_new = ADDED_LATER.iter().any(|function| sql.contains(function));
        before.push(if is_new { None } else { Some(shape(&mut connection, sql).await) });
    }
    connection.close().await.unwrap();

    migrate(&pool, |version| version > PREVIOUS_SCHEMA).await;
    let mut connection = pool.acquire().await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO genres (tmdb_id, name) VALUES (28, 'Action');
         INSERT INTO movies (tmdb_id, title, release_date, popularity) VALUES (603, 'The Matrix', '1999-03-31', 85.5);
         INSERT INTO movie_genres VALUES (1, 1)",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    for ((sql, values), before) in statements.into_iter().zip(before) {
        let after = shape(&mut connection, sql).await;
        assert!(before.is_none_or(|before| before == after), "{after}: {sql}");
        let mut transaction = connection.begin().await.unwrap();
        let values = if values.is_empty() { String::new() } else { format!("({values})") };
        let execute = format!("PREPARE previous AS {sql}; EXECUTE previous {values}; DEALLOCATE previous");
        let executed = sqlx::raw_sql(AssertSqlSafe(execute)).execute(&mut *transaction).await;
        executed.unwrap_or_else(|error| panic!("{error}: {sql} {values}"));
        let is_logged = "SELECT version = (SELECT count(*) FROM catalogue_changes) FROM catalogue_state";
        let is_logged: bool = sqlx::query_scalar(is_logged).fetch_one(&mut *transaction).await.unwrap();
        assert!(is_logged, "copies of the catalogue would miss what this changed: {sql} {values}");
        transaction.rollback().await.unwrap();
    }
}

#[sqlx::test(migrations = "./migrations")]
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
