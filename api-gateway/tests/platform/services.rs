//! The four real binaries, started on free ports with databases of their own.

use std::{
    collections::HashMap,
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};

/// The backends with the variable that tells their address, in the order they are started.
const BACKENDS: [(&str, &str); 3] = [
    ("movie-service", "MOVIE_SERVICE_URL"),
    ("user-preference-service", "USER_PREFERENCE_SERVICE_URL"),
    ("recommendation-service", "RECOMMENDATION_SERVICE_URL"),
];
const GATEWAY: &str = "api-gateway";
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running platform; everything it started ends when it is dropped.
pub struct Platform {
    /// For requests; follows no redirects.
    pub http: reqwest::Client,
    environment: Vec<(String, String)>,
    own_environment: HashMap<&'static str, Vec<(String, String)>>,
    ports: HashMap<&'static str, u16>,
    processes: HashMap<&'static str, Child>,
    folder: PathBuf,
}

impl Platform {
    /// Starts the platform and waits until every service is ready; `settings` are added to the environment of all.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let name = format!("{}_{}", std::process::id(), rand::random::<u32>());
        let folder = std::env::temp_dir().join(format!("movie-discovery-platform-{name}"));
        std::fs::create_dir_all(&folder).expect("a folder for logs");
        let mut platform = Self {
            http: client(),
            environment: common_environment(settings),
            own_environment: own_environments(&name).await,
            ports: [GATEWAY, BACKENDS[0].0, BACKENDS[1].0, BACKENDS[2].0].map(|service| (service, free_port())).into(),
            processes: HashMap::new(),
            folder,
        };
        for (service, variable) in BACKENDS {
            let url = format!("http://127.0.0.1:{}", platform.ports[service]);
            platform.environment.push((variable.to_owned(), url));
        }
        for service in platform.services() {
            platform.start_service(service);
        }
        for service in platform.services() {
            platform.wait_until_ready(service).await;
        }
        platform
    }

    /// All services, the gateway last.
    pub fn services(&self) -> [&'static str; 4] {
        [BACKENDS[0].0, BACKENDS[1].0, BACKENDS[2].0, GATEWAY]
    }

    /// An address below the gateway.
    pub fn url(&self, path: &str) -> String {
        self.service_url(GATEWAY, path)
    }

    /// An address below one service.
    pub fn service_url(&self, service: &str, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[service])
    }

    /// The port of a service.
    pub fn port(&self, service: &str) -> u16 {
        self.ports[service]
    }

    /// The process id of a service that runs.
    pub fn process_id(&self, service: &str) -> u32 {
        self.processes[service].id()
    }

    /// What a service has written to its log.
    pub fn log(&self, service: &str) -> String {
        std::fs::read_to_string(self.log_file(service)).unwrap_or_default()
    }

    /// Starts one service, which must not run.
    pub fn start_service(&mut self, service: &'static str) {
        self.start_service_with(service, &[]);
    }

    /// Starts one service, which must not run, with settings of its own that win over the others.
    pub fn start_service_with(&mut self, service: &'static str, settings: &[(&str, &str)]) {
        let log = File::options().create(true).append(true).open(self.log_file(service)).expect("a log file");
        let own = self.own_environment.get(service).into_iter().flatten();
        let child = Command::new(binary(service))
            .current_dir(&self.folder)
            .env_clear()
            .env("METRICS_ADDR", "off")
            .envs(own.chain(&self.environment).map(|(name, value)| (name, value)))
            .env("SERVER_HOST", "127.0.0.1")
            .env("SERVER_PORT", self.ports[service].to_string())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a log file"))
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", binary(service).display()));
        self.processes.insert(service, child);
    }

    /// Waits until a service says that it is ready.
    pub async fn wait_until_ready(&self, service: &str) {
        let path = if service == GATEWAY { "/ready" } else { "/api/v1/ready" };
        let started = Instant::now();
        while started.elapsed() < START_LIMIT {
            let answer = self.http.get(self.service_url(service, path)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{service} is not ready; its log:\n{}", self.log(service));
    }

    /// Kills a service as `kill -9` does.
    pub fn kill(&mut self, service: &str) {
        let mut process = self.processes.remove(service).expect("the service runs");
        process.kill().expect("our own process can be killed");
        process.wait().expect("our own process can be waited for");
    }

    /// Stops a service with SIGTERM; its exit code.
    pub fn terminate(&mut self, service: &str) -> Option<i32> {
        let mut process = self.processes.remove(service).expect("the service runs");
        let status = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "SIGTERM could not be sent");
        process.wait().expect("our own process can be waited for").code()
    }

    /// Waits for a service that ends by itself; its exit code.
    pub fn exit_code(&mut self, service: &str) -> Option<i32> {
        self.processes.remove(service).expect("the service was started").wait().expect("our own process").code()
    }

    fn log_file(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.log"))
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        for process in self.processes.values_mut() {
            // It may have ended already, which is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client without special needs")
}

/// What all services are told: where the test servers are, and a limit that is not in the way.
fn common_environment(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let database = reqwest::Url::parse(&variable("TEST_DATABASE_URL")).expect("TEST_DATABASE_URL is an address");
    let redis = reqwest::Url::parse(&variable("TEST_REDIS_URL")).expect("TEST_REDIS_URL is an address");
    let port = |url: &reqwest::Url, default: u16| url.port().unwrap_or(default);
    let host = |url: &reqwest::Url| url.host_str().expect("an address has a host").to_owned();
    let mut environment = vec![
        ("DB_HOST".to_owned(), host(&database)),
        ("DB_PORT".to_owned(), port(&database, 5432).to_string()),
        ("DB_USER".to_owned(), database.username().to_owned()),
        ("DB_PASSWORD".to_owned(), database.password().unwrap_or_default().to_owned()),
        ("REDIS_ADDR".to_owned(), format!("{}:{}", host(&redis), port(&redis, 6379))),
        ("RATE_LIMIT_MAX".to_owned(), "1000000000".to_owned()),
    ];
    environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    environment
}

/// A database for each backend and a Redis database for each service, nobody else's.
async fn own_environments(name: &str) -> HashMap<&'static str, Vec<(String, String)>> {
    let url = variable("TEST_DATABASE_URL");
    let mut admin = PgConnection::connect(&url).await.expect("TEST_DATABASE_URL leads to a PostgreSQL server");
    let first_index = free_redis_databases(4).await;
    let mut environments = HashMap::new();
    for (at, service) in [GATEWAY, BACKENDS[0].0, BACKENDS[1].0, BACKENDS[2].0].into_iter().enumerate() {
        let database = format!("platform_{name}_{at}");
        if service != GATEWAY {
            let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"));
            admin.execute(create).await.expect("the test user may create databases");
        }
        let index = (first_index + at).to_string();
        environments.insert(service, vec![("DB_NAME".to_owned(), database), ("REDIS_DB".to_owned(), index)]);
    }
    environments
}

/// The first of `count` Redis databases that no other test uses, emptied.
async fn free_redis_databases(count: usize) -> usize {
    let client = redis::Client::open(variable("TEST_REDIS_URL")).expect("TEST_REDIS_URL is an address");
    let mut redis = client.get_multiplexed_async_connection().await.expect("TEST_REDIS_URL leads to a Redis server");
    let mut commands = redis::pipe();
    commands.cmd("INCRBY").arg("test:next_database").arg(count);
    let (last,): (usize,) = commands.query_async(&mut redis).await.expect("Redis counts");
    let first = (last - count) % 19_000 + 1;
    let mut empty = redis::pipe();
    for index in first..first + count {
        empty.cmd("SELECT").arg(index).cmd("FLUSHDB");
    }
    empty.exec_async(&mut redis).await.expect("Redis has that many databases");
    first
}

/// The built binary of a service: beside this one's, or where `PLATFORM_BIN_DIR` says.
pub fn binary(service: &str) -> PathBuf {
    let folder = std::env::var_os("PLATFORM_BIN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_api-gateway")).parent().expect("a file is in a folder").to_owned(),
        PathBuf::from,
    );
    let binary = folder.join(service);
    assert!(binary.is_file(), "{} is not built: run `cargo build --workspace` first", binary.display());
    binary
}

/// An environment variable that the tests need.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `./dev-services.sh test`"))
}

/// A port that nothing listened on a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
