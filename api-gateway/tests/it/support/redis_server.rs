//! A Redis server of a test's own, for what would disturb others on the shared one.

use std::{
    fs,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{TestRedis, eventually, redis::connect};

/// Debian's package of tools has the server under another name: it is the program's name that makes it one.
const PROGRAMS: [&str; 3] = ["redis-server", "valkey-server", "/usr/bin/redis-check-rdb"];

/// A running server; ends when dropped.
pub struct RedisServer {
    address: String,
    process: Child,
    /// What a node of a cluster remembers; it would be read again by a server that gets the same port.
    nodes: PathBuf,
}

impl RedisServer {
    /// With further `options`, and nothing written to disk that would be read again.
    pub async fn start(options: &[&str]) -> Self {
        let port = free_port();
        let name = format!("nodes-{port}.conf");
        let nodes = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        let _ = fs::remove_file(&nodes);
        let run = |program| {
            let mut command = Command::new(program);
            command.arg0("redis-server").args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
            command.args(["--dir", env!("CARGO_TARGET_TMPDIR"), "--cluster-config-file", &name]).args(options);
            command.stdout(Stdio::null()).spawn().ok()
        };
        let process = PROGRAMS.into_iter().find_map(run).expect("a Redis server is installed");
        let server = Self { address: format!("127.0.0.1:{port}"), process, nodes };
        eventually("Redis listens", async || tokio::net::TcpStream::connect(&server.address).await.is_ok()).await;
        server
    }

    /// One of its databases.
    pub async fn database(&self, database: i64) -> TestRedis {
        let address = self.address.clone();
        TestRedis { connection: connect(&address, database).await, address, database }
    }
}

/// Nodes of a cluster talk to each other on the port that is 10,000 higher.
fn free_port() -> u16 {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::iter::repeat_with(free).find(|port| port.checked_add(10_000).is_some()).unwrap()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.nodes);
    }
}
