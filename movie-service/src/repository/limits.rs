//! How long to wait for PostgreSQL. It ends a statement that takes too long by itself, but a server that is gone without
//! a word (a dead network, a stopped process) does not, and must not keep anybody waiting for good.

use std::{future::Future, time::Duration};

use sqlx::PgPool;

use crate::database::postgres::within;

/// Used when the pool was opened without a limit for statements.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for one statement and its connection.
pub fn statement(pool: &PgPool) -> Duration {
    connection(pool) + statement_timeout(pool)
}

/// Longest wait for a connection.
pub fn connection(pool: &PgPool) -> Duration {
    pool.options().get_acquire_timeout()
}

/// One statement, in the time that [`statement`] gives.
///
/// # Errors
/// Those of `work`, or that it took too long.
pub async fn one_statement<T>(pool: &PgPool, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    within(statement(pool), work).await
}

/// A transaction of a few statements, in the time of two.
///
/// # Errors
/// Those of `work`, or that it took too long; then it is not known whether it was committed.
pub async fn one_transaction<T>(pool: &PgPool, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    within(statement(pool) + statement_timeout(pool), work).await
}

/// What the pool asks each of its sessions to keep to.
fn statement_timeout(pool: &PgPool) -> Duration {
    let options = pool.connect_options();
    let settings = options.get_options().unwrap_or_default();
    let millis = settings.split_whitespace().find_map(|setting| setting.strip_prefix("statement_timeout="));
    millis.and_then(|millis| millis.parse().ok()).map_or(STATEMENT_TIMEOUT, Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use crate::{
        config::env::Env,
        database::postgres::{PostgresConfig, pool},
    };

    use super::*;

    #[tokio::test]
    async fn limits_follow_the_settings() {
        let mut env = Env::from_fn(|name| match name {
            "DB_STATEMENT_TIMEOUT_MS" => Some("700".to_owned()),
            "DB_ACQUIRE_TIMEOUT_MS" => Some("30".to_owned()),
            _ => None,
        });
        let pool = pool(&PostgresConfig::from_env(&mut env, "movie_service"));
        assert_eq!(connection(&pool), Duration::from_millis(30));
        assert_eq!(statement(&pool), Duration::from_millis(730));
    }
}
