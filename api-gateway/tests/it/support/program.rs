//! The program itself, with its log.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
};

use super::{WAIT_TIMEOUT, eventually};

/// The binary with nothing set but `settings`, in an empty folder.
pub fn command(settings: &[(&str, &str)]) -> Command {
    let folder = empty_folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
    command.env_clear().env("METRICS_ADDR", "off").envs(settings.iter().copied()).current_dir(folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A new folder.
pub fn empty_folder() -> PathBuf {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("run-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A started program; killed when the test fails.
pub struct Running(Option<Child>);

impl Running {
    /// Resident memory in KiB.
    #[cfg(target_os = "linux")]
    pub fn resident_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.as_ref().unwrap().id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    pub fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    pub fn signal(&self, name: &str) {
        let pid = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([format!("-{name}"), pid]).status().unwrap().success());
    }

    /// Waits for the end, and reads meanwhile: what it writes may be more than a pipe holds.
    pub fn end(mut self) -> Output {
        let child = self.0.take().unwrap();
        let pid = child.id().to_string();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(child.wait_with_output()));
        told.recv_timeout(WAIT_TIMEOUT).map(Result::unwrap).unwrap_or_else(|_| {
            let _ = Command::new("kill").args(["-KILL", &pid]).status();
            panic!("does not end");
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Its address, once it listens.
pub async fn listening(port: u16) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    eventually("it listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    address
}
