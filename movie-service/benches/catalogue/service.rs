//! The real movie-service, as a process of its own.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{http::Client, postgres::Server};

const READY_LIMIT: Duration = Duration::from_secs(60);

/// A running service; ends with its value.
pub struct Service {
    process: Child,
    /// Where it listens.
    pub port: u16,
}

impl Service {
    /// Starts it on a database, with its migrations done when this returns. Without `redis` (address, database number)
    /// it does without a cache.
    pub fn start(server: &Server, database: &str, redis: Option<(&str, u32)>) -> Self {
        let port = free_port();
        let (address, number) = redis.unwrap_or(("127.0.0.1:1", 0));
        let process = Command::new(binary())
            .env_clear()
            // Away from the package, whose `.env` is for people.
            .current_dir(std::env::temp_dir())
            .envs([
                ("DB_HOST", server.host.as_str()),
                ("DB_PORT", &server.port.to_string()),
                ("DB_USER", &server.user),
                ("DB_PASSWORD", &server.password),
                ("DB_NAME", database),
                ("DB_STATEMENT_TIMEOUT_MS", "30000"),
                ("REQUEST_TIMEOUT_SECONDS", "60"),
                ("REDIS_ADDR", address),
                ("REDIS_DB", &number.to_string()),
                ("SERVER_PORT", &port.to_string()),
                ("LOG_LEVEL", "warn"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("movie-service starts");
        let service = Self { process, port };
        service.wait_until_ready();
        service
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(self.port).expect("the service listens")
    }

    /// The most memory that it has used so far in MiB, where the operating system tells (Linux).
    pub fn peak_mebibytes(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        while !Client::connect(self.port).is_ok_and(|mut client| client.good("/api/v1/ready").is_ok()) {
            assert!(begun.elapsed() < READY_LIMIT, "movie-service does not become ready");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn binary() -> PathBuf {
    let directory =
        std::env::var_os("PLATFORM_BIN_DIR").expect("PLATFORM_BIN_DIR: run ./dev-services.sh bench catalogue");
    PathBuf::from(directory).join("movie-service")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
