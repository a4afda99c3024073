//! What becomes of connections to PostgreSQL that requests have used.

use sqlx::PgPool;

use crate::support::{TestApp, log};

#[sqlx::test(migrations = "./migrations")]
async fn a_connection_that_is_given_back_draws_no_warning_from_the_server(pool: PgPool) {
    let warning = "there is no transaction in progress";
    log::capture();
    sqlx::raw_sql("ROLLBACK").execute(&pool).await.unwrap();
    assert!(log::captured().contains(warning), "a warning of the server would be seen");

    // With one connection, each request needs the one that the request before it has given back.
    let app = TestApp::with(&pool, &[("DB_MAX_CONNECTIONS", "1")]).await;
    log::capture();
    for page in 1..=3 {
        assert_eq!(app.get(&format!("/api/v1/movies?page={page}")).await.status, 200);
    }
    let log = log::captured();
    assert!(!log.contains(warning), "{log}");
}
