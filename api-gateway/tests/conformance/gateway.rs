//! The gateway under test: this one, started for each test, or another one that the environment names.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, ToSocketAddrs},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    upstream::{Recorded, Upstream},
    wire::{Answer, exchange, exchange_due},
};

/// How long the program may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Requests that the limit of [`Gateway::start_limited`] lets through in an hour.
const LIMIT: usize = 20;

/// A gateway that forwards `/api/v1/movies` to an upstream that records.
pub struct Gateway {
    pub address: SocketAddr,
    pub upstream: Upstream,
    /// This gateway's process; `None` for another gateway.
    process: Option<Child>,
    /// Another gateway has one upstream for all tests, so they take turns.
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Gateway {
    /// A gateway whose rate limit is not in the way.
    pub fn start() -> Self {
        match std::env::var("CONFORMANCE_TARGET") {
            Ok(target) => Self::other(&target),
            Err(_) => Self::this(1_000_000),
        }
    }

    /// A gateway that lets a number of requests of each client through, and the number. `None` when another gateway is
    /// tested and the environment names none with a limit.
    pub fn start_limited() -> Option<(Self, usize)> {
        if std::env::var_os("CONFORMANCE_TARGET").is_none() {
            return Some((Self::this(LIMIT), LIMIT));
        }
        let target = std::env::var("CONFORMANCE_LIMITED_TARGET").ok()?;
        let limit = std::env::var("CONFORMANCE_LIMIT").map_or(LIMIT, |limit| limit.parse().unwrap());
        Some((Self::other(&target), limit))
    }

    fn this(limit: usize) -> Self {
        allow_many_files();
        let upstream = Upstream::start(0);
        let url = format!("http://{}", upstream.address);
        let (redis, database) = redis_database();
        let mut process = Command::new(env!("CARGO_BIN_EXE_api-gateway"))
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .env_clear()
            .envs([("SERVER_HOST", "127.0.0.1"), ("SERVER_PORT", "0"), ("LOG_FORMAT", "json")])
            .envs(
                ["MOVIE_SERVICE_URL", "USER_PREFERENCE_SERVICE_URL", "RECOMMENDATION_SERVICE_URL"]
                    .map(|name| (name, &url)),
            )
            .envs([("REDIS_ADDR", redis), ("REDIS_DB", database), ("REDIS_TIMEOUT_MS", "5000".to_owned())])
            .envs([("RATE_LIMIT_MAX", limit.to_string()), ("RATE_LIMIT_WINDOW_SECONDS", "3600".to_owned())])
            .env("HEADER_READ_TIMEOUT_SECONDS", "5")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let address = listening_address(&mut process);
        Self { address, upstream, process: Some(process), _turn: None }
    }

    fn other(target: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        static UPSTREAM: LazyLock<Upstream> = LazyLock::new(|| {
            let port = std::env::var("CONFORMANCE_UPSTREAM_PORT").expect("the port that the gateway forwards to");
            Upstream::start(port.parse().expect("a port"))
        });
        allow_many_files();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        UPSTREAM.forget();
        let address = target.to_socket_addrs().unwrap().next().unwrap();
        Self { address, upstream: UPSTREAM.clone(), process: None, _turn: Some(turn) }
    }

    /// Sends bytes on a connection of their own; every answer to them.
    pub async fn send(&self, bytes: impl AsRef<[u8]>) -> Vec<Answer> {
        exchange(self.address, bytes.as_ref()).await
    }

    /// The answer to a GET with a token and nothing special; fails when there is not exactly one.
    pub async fn get(&self, path: &str) -> Answer {
        let message = request("GET", path, "Connection: close\r\n", "");
        let mut answers = exchange_due(self.address, message.as_bytes()).await;
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    /// What the upstream has seen so far.
    pub fn seen(&self) -> Vec<Recorded> {
        self.upstream.seen()
    }

    /// The most memory that this gateway has had, in KiB; `None` for another gateway.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.as_ref()?.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A request with a token; `more` are further header lines, each ending in `\r\n`.
pub fn request(method: &str, path: &str, more: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer x\r\n{length}{more}\r\n{body}")
}

/// Reads the address in the first lines of the log, and goes on reading so that the program never waits for it.
fn listening_address(process: &mut Child) -> SocketAddr {
    let log = BufReader::new(process.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if line["message"] == "listening" {
                let _ = tell.send(line["address"].as_str().and_then(|address| address.parse().ok()));
            }
        }
    });
    told.recv_timeout(START_TIMEOUT).expect("the gateway listens").expect("its log names an address")
}

/// A Redis database of its own, empty. Without `TEST_REDIS_URL` there is none, and nothing is limited.
fn redis_database() -> (String, String) {
    let Ok(url) = std::env::var("TEST_REDIS_URL") else { return ("127.0.0.1:1".to_owned(), "0".to_owned()) };
    let mut redis = redis::Client::open(url.as_str()).and_then(|client| client.get_connection()).unwrap();
    let (_, databases): (String, usize) = redis::cmd("CONFIG").arg("GET").arg("databases").query(&mut redis).unwrap();
    let number: usize = redis::cmd("INCR").arg("test:next_database").query(&mut redis).unwrap();
    let number = (number % (databases - 1) + 1).to_string();
    redis::pipe().cmd("SELECT").arg(&number).cmd("FLUSHDB").exec(&mut redis).unwrap();
    (url.trim_start_matches("redis://").trim_end_matches('/').to_owned(), number)
}

/// Thousands of connections at once need more files than many systems allow at first.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
