//! `./dev-services.sh` as its users call it, and what they are given to use a running platform with: the Postman collection,
//! the curl script and the web page.

use std::{
    fs::File,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::services::{binary, free_port, variable};

/// The longest that one command may take; the tests of the web page are the slowest.
const COMMAND_LIMIT: Duration = Duration::from_secs(2400);
const COLLECTION: &str = "output/postman/movie-discovery-platform.postman_collection.json";

/// A platform that was started by the script, in a folder of its own.
struct ScriptedPlatform {
    folder: PathBuf,
    ports: [u16; 4],
}

impl ScriptedPlatform {
    /// Starts nothing yet. `./dev-services.sh test` names the folder, and stops what an interrupted run has left there.
    fn new() -> Self {
        let folder = std::env::var_os("PLATFORM_DEV_DIR").map_or_else(
            || std::env::temp_dir().join(format!("movie-discovery-platform-commands-{}", std::process::id())),
            PathBuf::from,
        );
        std::fs::create_dir_all(&folder).expect("a folder for the platform");
        Self { folder, ports: std::array::from_fn(|_| free_port()) }
    }

    /// Runs `./dev-services.sh` with these arguments: whether it succeeded, and what it printed.
    fn script(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = self.command("bash");
        command.arg("dev-services.sh").args(arguments);
        self.run(command)
    }

    /// As `script`, of a command that must succeed.
    fn must(&self, arguments: &[&str]) -> String {
        let (succeeded, output) = self.script(arguments);
        assert!(succeeded, "dev-services.sh {arguments:?}:\n{output}");
        output
    }

    /// A command in the repository's folder, with the settings of this platform.
    fn command(&self, program: &str) -> Command {
        let database = reqwest::Url::parse(&variable("TEST_DATABASE_URL")).expect("TEST_DATABASE_URL is an address");
        let redis = reqwest::Url::parse(&variable("TEST_REDIS_URL")).expect("TEST_REDIS_URL is an address");
        let host = |url: &reqwest::Url, default| {
            (url.host_str().unwrap_or("127.0.0.1").to_owned(), url.port().unwrap_or(default).to_string())
        };
        let (db_host, db_port) = host(&database, 5432);
        let (redis_host, redis_port) = host(&redis, 6379);
        let [gateway, movies, preferences, recommendations] = self.ports.map(|port| port.to_string());
        let mut command = Command::new(program);
        command
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace"))
            .env("DEV_DIR", &self.folder)
            .env("DEV_IGNORE_DOTENV", "1")
            .env("PLATFORM_BIN_DIR", binary("api-gateway").parent().expect("a file is in a folder"))
            .env("DB_HOST", db_host)
            .env("DB_PORT", db_port)
            .env("DB_USER", database.username())
            .env("DB_PASSWORD", database.password().unwrap_or_default())
            .env("REDIS_ADDR", format!("{redis_host}:{redis_port}"))
            .env("RATE_LIMIT_MAX", "1000000")
            // A slow machine is not to get general lists.
            .env("PROFILE_TIMEOUT_MS", "10000")
            .env("API_GATEWAY_PORT", gateway)
            .env("MOVIE_SERVICE_PORT", movies)
            .env("USER_PREFERENCE_SERVICE_PORT", preferences)
            .env("RECOMMENDATION_SERVICE_PORT", recommendations);
        command
    }

    fn run(&self, mut command: Command) -> (bool, String) {
        let output = self.folder.join("output");
        let file = File::create(&output).expect("a file for the output");
        let mut child = command
            .stdin(Stdio::null())
            .stderr(file.try_clone().expect("a second handle"))
            .stdout(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("our own process") {
                break status;
            }
            if started.elapsed() > COMMAND_LIMIT {
                child.kill().expect("our own process");
                panic!("{command:?} took too long:\n{}", std::fs::read_to_string(&output).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        (status.success(), std::fs::read_to_string(&output).expect("what was printed"))
    }

    /// The web page in a browser, on a phone and on a desktop. Its screenshots stay in the folder that `./dev-services.sh test` names.
    fn use_the_web_page(&self) {
        let mut playwright = self.command(&variable("PLAYWRIGHT_PROGRAM"));
        playwright.args(["test", "--config", "api-gateway/tests/page"]);
        playwright.env("BASE_URL", self.url()).env("OUTPUT", variable("PAGE_OUTPUT"));
        let (succeeded, output) = self.run(playwright);
        assert!(succeeded, "{output}");
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// All that the script knows about the processes it started.
    fn run_files(&self) -> Vec<(PathBuf, String)> {
        let entries = std::fs::read_dir(self.folder.join("run")).expect("a folder of run files");
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.clone(), std::fs::read_to_string(path).expect("a run file")))
            .collect();
        files.sort();
        files
    }

    fn process_id(&self, service: &str) -> String {
        let file = std::fs::read_to_string(self.folder.join("run").join(service)).expect("the service was started");
        file.lines().find_map(|line| line.strip_prefix("pid=")).expect("a process id").to_owned()
    }

    fn open_ports(&self) -> Vec<u16> {
        self.ports.into_iter().filter(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()).collect()
    }
}

impl Drop for ScriptedPlatform {
    fn drop(&mut self) {
        let mut command = self.command("bash");
        let _ = command.args(["dev-services.sh", "stop"]).stdin(Stdio::null()).stdout(Stdio::null()).status();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

#[test]
fn the_script_starts_follows_repairs_and_stops_a_platform_that_answers_the_samples() {
    let platform = ScriptedPlatform::new();
    platform.must(&["start"]);

    let mut samples = platform.command("bash");
    samples.arg("output/curl/sample-requests.sh").env("BASE_URL", platform.url());
    let (succeeded, output) = platform.run(samples);
    assert!(succeeded, "{output}");

    let mut newman = platform.command(&variable("NEWMAN_PROGRAM"));
    let base_url = format!("base_url={}", platform.url());
    newman.args(["run", COLLECTION, "--env-var", &base_url, "--timeout", "600000"]);
    let (succeeded, output) = platform.run(newman);
    assert!(succeeded, "{output}");

    let before = platform.run_files();
    platform.must(&["start"]);
    assert_eq!(platform.run_files(), before, "a second start changes nothing");
    platform.must(&["status"]);

    platform.must(&["sync", "1"]);
    let synced = platform.must(&[
        "sync",
        "--pages",
        "2",
        "--years",
        "1994..1995",
        "--genres",
        "drama|Crime",
        "--language",
        "en",
    ]);
    assert!(synced.contains("completed: 2 of 2 pages stored, 0 failed; movies: 0 new, 0 changed"), "{synced}");
    assert!(!platform.script(&["sync", "--pages", "1", "--genres", "Dramas"]).0, "an unknown genre is refused");
    assert!(!platform.script(&["sync", "--page", "1"]).0, "an unknown option is refused");

    let killed = Command::new("kill").args(["-9", &platform.process_id("user-preference-service")]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert!(!platform.script(&["status"]).0, "status notices a killed service");
    platform.must(&["start"]);
    platform.must(&["status"]);

    let first = platform.must(&["demo"]);
    assert_eq!(platform.must(&["demo"]), first, "a second demo shows the same users and lists");

    platform.must(&["stop", "movie-service"]);
    assert_eq!(platform.open_ports().len(), 3, "stop with a name stops one service");
    platform.must(&["restart", "movie-service"]);
    platform.must(&["status"]);

    platform.use_the_web_page();

    platform.must(&["stop"]);
    assert_eq!(platform.open_ports(), [0; 0], "stop leaves nothing running");
}

#[test]
fn every_command_explains_itself_and_refuses_what_it_does_not_know() {
    let platform = ScriptedPlatform { folder: std::env::temp_dir(), ports: [1; 4] };
    let platform = std::mem::ManuallyDrop::new(platform); // nothing was started
    let run = |arguments: &[&str]| {
        let mut command = platform.command("bash");
        let output = command.arg("dev-services.sh").args(arguments).stdin(Stdio::null()).output().expect("bash runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let commands = "start stop restart status logs sync demo test bench openapi lint-openapi lint-page screenshots sqlx reset setup";
    for command in commands.split(' ') {
        let (code, text) = run(&[command, "--help"]);
        assert_eq!(code, Some(0), "{command}");
        assert!(text.starts_with(&format!("Usage: ./dev-services.sh {command}\n\n  {command}")), "{text}");
    }
    for arguments in [
        &["start", "now"][..],
        &["stop", "movies"],
        &["stop", "movie-service", "api-gateway"],
        &["restart", "--force"],
        &["status", "-v"],
        &["logs", "nginx"],
        &["demo", "1"],
        &["openapi", "x"],
        &["lint-openapi", "x"],
        &["lint-page", "x"],
        &["screenshots", "x"],
        &["sqlx", "--chekc"],
        &["reset", "-y"],
        &["setup", "x"],
        &["begin"],
    ] {
        assert_eq!(run(arguments).0, Some(1), "{arguments:?}");
    }
}
