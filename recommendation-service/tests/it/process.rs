//! The real binary: its start, its end, and what it says when it cannot start.

use std::{
    collections::HashMap,
    process::{Command, Output, Stdio},
    time::Duration,
};

use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::support::{Catalogue, PeerBehaviour, Peers, eventually, settings};

/// A process that does not outlive its test.
struct Process(Option<std::process::Child>);

impl Process {
    fn start(settings: &HashMap<String, String>) -> Self {
        let child = command(settings).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self(Some(child))
    }

    fn terminate(&self) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its end.
    async fn output(mut self) -> Output {
        let child = self.0.take().unwrap();
        tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The binary in a folder without `.env` files and with nothing of this process's environment.
fn command(settings: &HashMap<String, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recommendation-service"));
    command.env_clear().env("METRICS_ADDR", "off").envs(settings).current_dir(std::env::temp_dir());
    command
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn get(url: &str) -> Option<(u16, String)> {
    let response = client().get(url).send().await.ok()?;
    Some((response.status().as_u16(), response.text().await.ok()?))
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn on_sigterm_what_is_in_flight_is_answered_and_recorded_and_each_step_logged(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    let port = free_port().await;
    settings.insert("SERVER_PORT".into(), port.to_string());
    settings.insert("PEER_TIMEOUT_MS".into(), "5000".into());
    settings.insert("PROFILE_TIMEOUT_MS".into(), "5000".into());
    let process = Process::start(&settings);
    let url = format!("http://127.0.0.1:{port}/api/v1");
    eventually("ready", async || matches!(get(&format!("{url}/ready")).await, Some((200, _)))).await;

    peers.user_service(PeerBehaviour::Delay(Duration::from_millis(700)));
    let in_flight = format!("{url}/users/1/recommendations");
    let request = tokio::spawn(async move { get(&in_flight).await });
    eventually("the request to the peer", async || peers.profile_calls() == 1).await;
    process.terminate();
    let (status, body) = request.await.unwrap().expect("an answer");
    assert_eq!(status, 200, "{body}");

    let output = process.output().await;
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{log}");
    let steps =
        ["stopping", "not accepting connections", "waiting for background tasks", "PostgreSQL closed", "Redis closed"];
    let positions: Vec<Option<usize>> = steps.iter().map(|step| log.find(step)).collect();
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{positions:?}\n{log}");
    let recorded: i64 = sqlx::query_scalar("SELECT count(*) FROM user_recommendation_snapshots WHERE user_id = 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(recorded, 4);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_port_that_is_taken_ends_the_start_and_is_named(pool: PgPool) {
    let peers = Peers::start(Catalogue::small()).await;
    let mut settings = settings(&pool, &peers).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    settings.insert("SERVER_PORT".into(), port.to_string());
    let output = Process::start(&settings).output().await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("taken"), "{said}");
}

#[tokio::test]
async fn invalid_settings_end_the_start_and_are_reported_together() {
    let settings = [("PEER_TIMEOUT_MS", "x"), ("DB_PORT", "x"), ("REDIS_ADDR", "x")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let output = Process::start(&settings).output().await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(["PEER_TIMEOUT_MS", "DB_PORT", "REDIS_ADDR"].iter().all(|name| said.contains(name)), "{said}");
}

#[test]
fn openapi_prints_the_specification() {
    let output = command(&HashMap::new()).arg("openapi").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), recommendation_service::handler::openapi_yaml());
}
