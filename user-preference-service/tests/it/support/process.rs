//! The real binary on a port of its own.

use std::{
    collections::HashMap,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::settings_for;

/// A running service; killed when dropped.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it and waits until it listens.
    pub async fn start(pool: &PgPool, overrides: &[(&'static str, String)]) -> Self {
        let mut child = command(settings_for(pool, overrides).await).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = wait_for_address(&mut lines).await;
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push(line);
            }
        });
        Self { address, child, log }
    }

    /// Asks it to stop, as a supervisor does.
    pub fn terminate(&self) {
        let pid = self.child.id().expect("still running").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    pub async fn wait(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }
}

/// The binary with these settings and no others.
pub fn command(settings: HashMap<&'static str, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_user-preference-service"));
    command
        .env_clear()
        .env("METRICS_ADDR", "off")
        .envs(settings)
        .env("LOG_FORMAT", "json")
        // A folder without .env files.
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn wait_for_address(lines: &mut Lines<BufReader<ChildStdout>>) -> SocketAddr {
    while let Some(line) = lines.next_line().await.unwrap() {
        let line: Value = serde_json::from_str(&line).expect("each log line is a JSON object");
        if line["message"] == "listening" {
            return line["address"].as_str().unwrap().parse().unwrap();
        }
    }
    panic!("the service ended before it listened");
}
