//! The server's own tools: `psql` for what has to be arranged, and its log for what the service really asks.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

/// Time for the settings to reach every session, and for the log to be written.
const SETTLE: Duration = Duration::from_millis(300);

/// Where PostgreSQL is, and who we are there.
pub struct Server {
    /// Its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// A superuser.
    pub user: String,
    /// The password.
    pub password: String,
    tools: PathBuf,
    log: PathBuf,
}

/// A statement that the service sent.
pub struct Statement {
    /// With placeholders from `$1`.
    pub sql: String,
    /// The values of the placeholders as texts; `None` for NULL.
    pub parameters: Vec<Option<String>>,
}

impl Statement {
    /// With those parameters only that the statement uses: of others nobody can tell the type.
    fn renumbered(self) -> Self {
        let (mut pieces, mut used) = (self.sql.split('$'), Vec::new());
        let mut sql = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (number, rest) = piece.split_at(piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len()));
            let number: usize = number.parse().expect("the number of a parameter");
            let place = used.iter().position(|used| *used == number).unwrap_or_else(|| {
                used.push(number);
                used.len() - 1
            });
            sql += &format!("${}{rest}", place + 1);
        }
        let parameters = used.into_iter().map(|number| self.parameters[number - 1].clone()).collect();
        Self { sql, parameters }
    }
}

impl Server {
    /// What `./dev-services.sh bench catalogue` has started.
    pub fn from_environment() -> Self {
        let variable =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name}: run ./dev-services.sh bench catalogue"));
        let url = variable("TEST_DATABASE_URL");
        let parts = url.strip_prefix("postgres://").and_then(|rest| {
            let (login, place) = rest.split_once('@')?;
            let ((user, password), (host, port)) = (login.split_once(':')?, place.split('/').next()?.split_once(':')?);
            Some((user.to_owned(), password.to_owned(), host.to_owned(), port.parse().ok()?))
        });
        let (user, password, host, port) = parts.expect("postgres://user:password@host:port/database");
        Self {
            host,
            port,
            user,
            password,
            tools: variable("BENCH_PG_BIN").into(),
            log: variable("BENCH_PG_LOG").into(),
        }
    }

    /// One of the server's tools, connecting as we do.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.tools.join(name));
        command.env("PGPASSWORD", &self.password).env("LC_ALL", "C");
        command.args(["-h", &self.host, "-p", &self.port.to_string(), "-U", &self.user]);
        command
    }

    /// Runs statements, each on its own, and gives the values that come back, a row a line.
    pub fn run(&self, database: &str, statements: &[&str]) -> String {
        self.try_run(database, statements).unwrap_or_else(|error| panic!("{statements:?}: {error}"))
    }

    fn try_run(&self, database: &str, statements: &[&str]) -> Result<String, String> {
        let mut command = self.tool("psql");
        command.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]);
        for statement in statements {
            command.args(["-c", statement]);
        }
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("psql: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// What the placeholders of a statement stand for.
    pub fn parameter_types(&self, database: &str, sql: &str) -> Result<Vec<String>, String> {
        let types = "SELECT unnest(parameter_types) FROM pg_prepared_statements WHERE name = 'bench'";
        let types = self.try_run(database, &[&format!("PREPARE bench AS {sql}"), types])?;
        Ok(types.lines().map(str::to_owned).collect())
    }

    /// What the service asks PostgreSQL while `work` is done, in order.
    pub fn statements_of<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Statement>) {
        self.run("postgres", &["ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"]);
        std::thread::sleep(SETTLE);
        let from = std::fs::metadata(&self.log).expect("the server's log").len();
        let done = work();
        std::thread::sleep(SETTLE);
        let mut log = File::open(&self.log).expect("the server's log");
        log.seek(SeekFrom::Start(from)).expect("a position in the log");
        let mut text = Vec::new();
        log.read_to_end(&mut text).expect("the server's log");
        self.run("postgres", &["ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()"]);
        (done, statements(&String::from_utf8_lossy(&text)).into_iter().map(Statement::renumbered).collect())
    }
}

/// Entries of the log are `time [pid] LEVEL:  text`; further lines of the text begin with a tab.
fn statements(log: &str) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    let text = log.replace("\n\t", "\u{1}");
    for line in text.lines().map(|line| line.replace('\u{1}', "\n")) {
        if let Some((_, execute)) = line.split_once("LOG:  execute ") {
            let sql = execute.split_once(": ").map_or(execute, |(_, sql)| sql).to_owned();
            found.push(Statement { sql, parameters: Vec::new() });
        } else if let (Some(at), Some(last)) =
            (line.to_ascii_lowercase().find("detail:  parameters: "), found.last_mut())
        {
            last.parameters = parameters(&line[at + "detail:  parameters: ".len()..]);
        }
    }
    found
}

/// `$1 = 'it''s', $2 = NULL`.
fn parameters(text: &str) -> Vec<Option<String>> {
    let (mut values, mut rest) = (Vec::new(), text);
    while let Some((_, value)) = rest.split_once(" = ") {
        if let Some(after) = value.strip_prefix("NULL") {
            values.push(None);
            rest = after;
            continue;
        }
        let quoted = value.strip_prefix('\'').expect("a quote");
        let (mut value, mut letters) = (String::new(), quoted.char_indices().peekable());
        let mut end = quoted.len();
        while let Some((at, letter)) = letters.next() {
            if letter == '\'' && letters.next_if(|(_, next)| *next == '\'').is_none() {
                end = at + 1;
                break;
            }
            value.push(letter);
        }
        values.push(Some(value));
        rest = &quoted[end..];
    }
    values
}
