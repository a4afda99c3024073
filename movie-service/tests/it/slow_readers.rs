//! Clients that leave their answers unread, on the real server.

use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    bulk_failures::serve,
    hung_postgres::soon,
    support::{TestApp, jobs::gated},
};

/// Reads until `text` has come.
async fn read_until(client: &mut TcpStream, text: &str) {
    let mut all = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&all).contains(text) {
            assert!(client.read_buf(&mut all).await.unwrap() > 0, "{}", String::from_utf8_lossy(&all));
        }
    };
    soon(reading).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn who_leaves_an_answer_unread_loses_its_place_and_who_follows_a_quiet_job_does_not(pool: PgPool) {
    let (tmdb, _gate) = gated(1).await;
    let limits = [("WRITE_TIMEOUT_SECONDS", "1"), ("MAX_CONNECTIONS", "2")];
    let app = TestApp::with(&pool, &[&tmdb.settings()[..], &limits].concat()).await;
    app.execute("INSERT INTO movies (title, overview) SELECT 'x', repeat('x', 50000) FROM generate_series(1, 100)")
        .await;
    let id = app.start_job("pages=5").await;
    let (address, _serving) = serve(&app);
    let ask = async |path: &str| {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(format!("GET /api/v1/{path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        client
    };
    let mut follower = ask(&format!("admin/sync/jobs/{id}/events")).await;
    read_until(&mut follower, "event: progress").await;
    let _unread = ask("movies?page_size=100&include=overview").await;
    let mut next = ask("health").await;
    read_until(&mut next, "HTTP/1.1 200").await;
    app.cancel_job(id).await;
    read_until(&mut follower, "event: end").await;
}
