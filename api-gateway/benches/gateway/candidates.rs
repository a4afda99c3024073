//! The gateways that are compared, each with settings for the same work: a token is needed, requests are logged and limited
//! (by a limit that is never reached), connections to the upstream are kept.

pub mod envoy;
pub mod nginx;

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{process::family, upstream::Upstreams};

/// The one that the others are compared with.
pub const NGINX: &str = "nginx";

/// A gateway that runs; it ends when it is dropped.
pub struct Candidate {
    /// In the tables.
    pub name: &'static str,
    /// What the reader of the tables should know of it.
    pub settings: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    running: Running,
}

impl Candidate {
    /// The ids of its processes.
    pub fn processes(&self) -> Vec<u32> {
        family(self.running.0.id())
    }
}

/// Starts every gateway that there is.
pub fn start_all(folder: &Path, upstreams: &Upstreams) -> Vec<Candidate> {
    let redis = std::env::var("TEST_REDIS_URL").expect("run this by `./dev-services.sh bench gateway`");
    let redis = redis.trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let mut candidates = vec![
        nginx::start(folder, upstreams),
        this(
            folder,
            upstreams,
            "api-gateway",
            "a worker for each core, each request counted in Redis",
            &[("REDIS_ADDR", &redis)],
        ),
        this(
            folder,
            upstreams,
            "api-gateway, local",
            "the same without Redis, RATE_LIMIT_FALLBACK=local",
            &[("REDIS_ADDR", "127.0.0.1:1"), ("RATE_LIMIT_FALLBACK", "local")],
        ),
    ];
    match std::env::var_os("BENCH_ENVOY").map(PathBuf::from) {
        Some(program) => candidates.push(envoy::start(&program, folder, upstreams)),
        None => std::println!("Envoy is left out: BENCH_ENVOY does not name its program"),
    }
    candidates
}

fn this(
    folder: &Path,
    upstreams: &Upstreams,
    name: &'static str,
    settings: &'static str,
    environment: &[(&str, &str)],
) -> Candidate {
    let (address, program) = (free_address(), PathBuf::from(std::env::var_os("PLATFORM_BIN_DIR").expect("a folder")));
    let mut command = Command::new(program.join("api-gateway"));
    command
        .env_clear()
        .envs([("SERVER_HOST", "127.0.0.1".to_owned()), ("SERVER_PORT", address.port().to_string())])
        .envs([("MOVIE_SERVICE_URL", format!("http://{}", upstreams.small))])
        .envs([("USER_PREFERENCE_SERVICE_URL", format!("http://{}", upstreams.large))])
        .envs([("RATE_LIMIT_MAX", "1000000000"), ("MAX_BODY_BYTES", "2147483648")])
        .envs(environment.iter().copied());
    let running = Running::start(name, command, folder);
    wait_until_open(address, name);
    Candidate { name, settings, address, running }
}

/// A started program; killed when it is dropped.
pub struct Running(Child);

impl Running {
    /// Starts it with its output in a file below `folder`.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Self {
        let log = File::create(folder.join(format!("{name}.log"))).expect("a log file");
        command.current_dir(folder).stdin(Stdio::null()).stderr(log.try_clone().expect("a log file")).stdout(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM, so that a parent takes its children with it.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// An address that nothing listened on a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is a free port")
}

/// Waits until something listens.
pub fn wait_until_open(address: SocketAddr, name: &str) {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "{name} does not listen on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
