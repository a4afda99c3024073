//! Loads whose client, database or service goes away.

use std::{net::SocketAddr, time::Duration};

use axum::{body::Body, http::Method};
use futures_util::{
    StreamExt,
    future::join_all,
    stream::{self, FuturesUnordered},
};
use movie_service::server;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinHandle,
};

use crate::{
    bulk::{BULK, lines},
    hung_postgres::{behind, soon},
    support::{TestApp, eventually, proxy::Proxy},
};

const HEAD: &str = "POST /api/v1/movies/bulk HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
const COUNT: &str = "SELECT count(*) FROM movies";

/// The service on a port.
pub fn serve(app: &TestApp) -> (SocketAddr, JoinHandle<bool>) {
    let listener = server::bind(app.config.server.address, false).unwrap().listen().unwrap();
    let address = listener.local_addr().unwrap();
    let (router, config, stop) = (app.router.clone(), app.config.server.clone(), app.lifecycle.stop_token());
    (address, tokio::spawn(async move { server::serve(listener, router, &config, stop).await }))
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[sqlx::test(migrations = "./migrations")]
async fn lines_are_answered_while_others_are_still_to_come(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, _serving) = serve(&app);
    let (read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let mut answer = BufReader::new(read).lines();
    write.write_all(HEAD.as_bytes()).await.unwrap();
    for number in 1..4 {
        write.write_all(chunk(&format!("{{\"title\":\"Movie {number}\"}}\n")).as_bytes()).await.unwrap();
        let report = format!("{{\"line\":{number},\"status\":201,\"id\":{number}}}");
        soon(async { while answer.next_line().await.unwrap().unwrap() != report {} }).await;
        assert_eq!(app.count(COUNT).await, number, "it is stored when it is acknowledged");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_client_may_send_everything_before_it_reads_anything(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, _serving) = serve(&app);
    let mut client = TcpStream::connect(address).await.unwrap();
    // Each with a long answer.
    let body = "{\"title\":\"x\",\"poster_url\":\"nowhere\"}\n".repeat(9_999) + "{\"title\":\"Last\"}";
    let head =
        format!("POST {BULK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    soon(client.write_all((head + &body).as_bytes())).await.unwrap();
    eventually("the last line is stored", || async { app.count(COUNT).await == 1 }).await;
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("{\"end\":true,\"stored\":1,\"failed\":9999}"), "{answer:.200}");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_client_that_sends_far_too_many_lines_gets_to_read_why(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, _serving) = serve(&app);
    let mut client = TcpStream::connect(address).await.unwrap();
    let body = "{\"title\":\"x\",\"poster_url\":\"nowhere\"}\n".repeat(200_000);
    let head =
        format!("POST {BULK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    soon(client.write_all((head + &body).as_bytes())).await.unwrap();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(
        answer.contains("too_many_lines")
            && answer.contains("{\"end\":true,\"stored\":0,\"failed\":10001,\"not_tried_from\":10002,")
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn of_a_body_that_is_cut_off_what_was_complete_is_stored(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, _serving) = serve(&app);
    let mut client = TcpStream::connect(address).await.unwrap();
    let body = "{\"title\":\"One\"}\n{\"title\":\"Two\"}\n{\"title\":\"Three\"}";
    client.write_all((HEAD.to_owned() + &chunk(body)).as_bytes()).await.unwrap();
    client.flush().await.unwrap();
    drop(client);
    eventually("two are stored", || async { app.count(COUNT).await == 2 }).await;
    app.lifecycle.stop();
    assert!(app.lifecycle.drain(movie_service::lifecycle::deadline(Duration::from_secs(5))).await);
    assert_eq!(app.count(COUNT).await, 2, "the third one was not complete");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_load_that_asks_before_it_sends_is_let_in(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, _serving) = serve(&app);
    let mut client = TcpStream::connect(address).await.unwrap();
    let body = "{\"title\":\"One\"}";
    let head = format!(
        "POST {BULK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut go = [0; 25];
    soon(client.read_exact(&mut go)).await.unwrap();
    assert_eq!(&go, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"stored\":1"), "{answer}");
}

#[sqlx::test(migrations = "./migrations")]
async fn on_shutdown_a_load_ends_with_the_batch_at_hand_and_says_so(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, serving) = serve(&app);
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all((HEAD.to_owned() + &chunk("{\"title\":\"One\"}\n{\"title\":\"Two\"")).as_bytes()).await.unwrap();
    eventually("the first line is stored", || async { app.count(COUNT).await == 1 }).await;
    app.lifecycle.stop();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    let stopping = r#"{"line":2,"status":503,"error":"the service is stopping","code":"unavailable"}"#;
    let end = r#"{"end":true,"stored":1,"failed":1,"not_tried_from":3,"error":"the service is stopping","code":"unavailable"}"#;
    assert!(answer.contains(stopping) && answer.contains(end), "{answer}");
    assert!(
        soon(serving).await.unwrap()
            && app.lifecycle.drain(movie_service::lifecycle::deadline(Duration::from_secs(5))).await
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn a_shutdown_accounts_for_each_of_ten_thousand_lines(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let (address, serving) = serve(&app);
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let movies = |range: std::ops::Range<usize>| -> String {
        range.map(|number| format!("{{\"title\":\"Movie {number}\"}}\n")).collect()
    };
    write.write_all((HEAD.to_owned() + &chunk(&movies(1..3001))).as_bytes()).await.unwrap();
    eventually("the first lines are stored", || async { app.count(COUNT).await == 3000 }).await;
    app.lifecycle.stop();
    let mut answer = String::new();
    let rest = chunk(&movies(3001..10_001)) + "0\r\n\r\n";
    let (_, read) = tokio::join!(write.write_all(rest.as_bytes()), soon(read.read_to_string(&mut answer)));
    read.unwrap();
    let reports: Vec<_> = answer
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .collect();
    let (end, reports) = reports.split_last().unwrap();
    for (line, report) in (1..=3000).zip(reports) {
        assert_eq!((&report["line"], &report["status"]), (&json!(line), &json!(201)));
    }
    let stopping = json!({ "line": 3001, "status": 503, "error": "the service is stopping", "code": "unavailable" });
    assert_eq!(reports[3000..], [stopping]);
    let expected = json!({ "end": true, "stored": 3000, "failed": 1, "not_tried_from": 3002,
                           "error": "the service is stopping", "code": "unavailable" });
    assert_eq!(*end, expected, "lines 3002 to 10000");
    let deadline = movie_service::lifecycle::deadline(Duration::from_secs(5));
    assert!(soon(serving).await.unwrap() && app.lifecycle.drain(deadline).await);
    assert_eq!(app.count(COUNT).await, 3000);
}

#[sqlx::test(migrations = "./migrations")]
async fn without_postgresql_nothing_is_read(pool: PgPool) {
    let app = TestApp::with(&pool, &[("DB_PORT", "1"), ("DB_ACQUIRE_TIMEOUT_MS", "200")]).await;
    app.write(Method::POST, BULK, "{\"title\":\"One\"}").await.assert_error(503, "database unavailable");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_database_that_falls_silent_leaves_a_batch_unconfirmed_and_the_rest_is_not_tried(pool: PgPool) {
    let proxy = Proxy::postgres().await;
    let app = behind(&proxy, &pool, &[]).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let body: String = (1..=3500).map(|number| format!("{{\"title\":\"Movie {number}\"}}\n")).collect();
    let silence = async {
        eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
        proxy.freeze();
        eventually("it was given up", || async { app.waiting_for_locks().await == 0 }).await;
        lock.rollback().await.unwrap();
    };
    let started = std::time::Instant::now();
    let (reply, ()) = tokio::join!(soon(app.write(Method::POST, BULK, body)), silence);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let answer = lines(reply.text());
    assert_eq!((answer.len(), &answer[3500]), (3501, &json!({ "end": true, "stored": 0, "failed": 3500 })));
    let code = |from: usize, to: usize, status: u64, code: &str| {
        assert!(
            answer[from..to].iter().all(|report| report["status"] == status && report["code"] == code),
            "{code}: {}",
            answer[from]
        );
    };
    code(0, 1000, 504, "unconfirmed");
    code(1000, 3500, 503, "unavailable");
    eventually("loads work again", || async {
        soon(app.write(Method::POST, BULK, "{\"title\":\"One\"}")).await.text().contains("\"stored\":1")
    })
    .await;
}

#[sqlx::test(migrations = "./migrations")]
async fn any_number_of_loads_wait_for_their_turn(pool: PgPool) {
    let app = TestApp::with(&pool, &[("DB_STATEMENT_TIMEOUT_MS", "1500"), ("DB_ACQUIRE_TIMEOUT_MS", "500")]).await;
    app.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END';
         CREATE TRIGGER slow BEFORE INSERT ON movies FOR EACH STATEMENT EXECUTE FUNCTION slow()",
    )
    .await;
    // All of them take longer than any one statement may.
    let replies = join_all((0..24).map(|_| app.write(Method::POST, BULK, "{\"title\":\"One\"}"))).await;
    assert!(replies.iter().all(|reply| reply.text().contains("\"stored\":1")), "{}", replies[23].text());
}

#[sqlx::test(migrations = "./migrations")]
async fn on_shutdown_a_load_does_not_wait_for_its_turn_any_longer(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let load = || app.write(Method::POST, BULK, "{\"title\":\"One\"}");
    let mut loads: FuturesUnordered<_> = (0..3).map(|_| load()).collect();
    tokio::select! {
        _ = loads.next() => unreachable!("two wait for the lock, and one for its turn"),
        () = eventually("two wait", || async { app.waiting_for_locks().await == 2 }) => {}
    }
    app.lifecycle.stop();
    let first = soon(loads.next()).await.unwrap();
    assert!(first.text().contains("the service is stopping"), "{}", first.text());
    lock.rollback().await.unwrap();
    while let Some(reply) = soon(loads.next()).await {
        assert!(reply.text().contains("\"stored\":1"), "{}", reply.text());
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_arrives_is_taken_while_what_came_before_waits_to_be_stored(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE movies IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    // Three batches: one is being stored, one waits, and one cannot be handed on. The sender is not to blame for that.
    let first = "{\"title\":\"x\"}\n".repeat(3000);
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let second = stream::once(async move {
        taken.send(()).unwrap();
        Ok("{\"title\":\"Last\"}".to_owned())
    });
    let body = Body::from_stream(stream::iter([Ok::<_, std::io::Error>(first)]).chain(second));
    let seen = async {
        soon(is_taken).await.unwrap();
        eventually("it waits", || async { app.waiting_for_locks().await == 1 }).await;
        lock.rollback().await.unwrap();
    };
    let (reply, ()) = tokio::join!(soon(app.write(Method::POST, BULK, body)), seen);
    assert!(reply.text().contains("\"stored\":3001"), "{:.200}", reply.text());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_body_that_stalls_is_given_up_and_what_was_complete_is_stored(pool: PgPool) {
    let app = TestApp::new(&pool).await;
    let stalling = || {
        let begun = stream::iter([Ok::<_, std::io::Error>("{\"title\":\"One\"}\n{\"title\":\"Two\"")]);
        Body::from_stream(begun.chain(stream::pending()))
    };
    let load = soon(app.write(Method::POST, BULK, stalling()));
    let single = soon(app.write(Method::POST, "/api/v1/movies", stalling()));
    let (load, single) = tokio::join!(load, single);
    let too_slow = json!({ "line": 2, "status": 408, "error": "the request body did not arrive in time", "code": "request_timeout" });
    let end = json!({ "end": true, "stored": 1, "failed": 1, "not_tried_from": 3,
                      "error": "the request body did not arrive in time", "code": "request_timeout" });
    assert_eq!(lines(load.text()), [json!({ "line": 1, "status": 201, "id": 1 }), too_slow, end]);
    single.assert_error(408, "the request body did not arrive in time");
    assert_eq!(app.count(COUNT).await, 1);
}
