//! Identical in the three services behind the gateway (a test compares the copies).
//!
//! The pool of connections to PostgreSQL, as metrics show it.

use crate::metrics::metrics;

use super::postgres::Database;

/// Shows the pool from now on.
pub fn show(database: &Database) {
    let (pool, max) = (database.pool().clone(), database.pool().max_size());
    metrics().compute_gauge("db_client_connection_count", "Connections to PostgreSQL", move || {
        let (all, idle) = (pool.size(), pool.idle());
        vec![(&[("state", "idle")], idle as f64), (&[("state", "used")], all.saturating_sub(idle) as f64)]
    });
    let text = "Connections to PostgreSQL that may be open";
    metrics().compute_gauge("db_client_connection_max", text, move || vec![(&[], max as f64)]);
}
