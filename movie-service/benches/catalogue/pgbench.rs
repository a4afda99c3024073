//! The bare SQL: the statements that the service sent, with the same values, run by `pgbench -M prepared`.

use std::{path::PathBuf, process::Stdio, time::Duration};

use crate::postgres::{Server, Statement};

const SECONDS: &str = "3";

/// The time of each run of the statements, one after the other, on one connection.
pub fn times(server: &Server, database: &str, statements: &[Statement]) -> Result<Vec<Duration>, String> {
    if statements.is_empty() {
        return Err("the service asked nothing".to_owned());
    }
    let directory = scratch();
    let (script, values) = script(server, database, statements)?;
    let file = directory.join("script.sql");
    std::fs::write(&file, script).map_err(|error| error.to_string())?;
    let mut pgbench = server.tool("pgbench");
    pgbench.args(["-n", "-M", "prepared", "-c", "1", "-T", SECONDS, "-l", "--log-prefix"]).arg(directory.join("log"));
    for (name, value) in values {
        pgbench.arg("-D").arg(format!("{name}={value}"));
    }
    let output = pgbench.arg("-f").arg(&file).arg(database).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("pgbench: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || errors.contains("aborted") {
        return Err(format!("pgbench: {errors}"));
    }
    let times = read_log(&directory)?;
    std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    Ok(times)
}

fn scratch() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("movie-service-bench-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory for temporary files");
    directory
}

/// Each use of a placeholder becomes one of pgbench's variables, which it sends as a parameter of its own: hence the types.
/// It has no variables that are NULL.
fn script(
    server: &Server,
    database: &str,
    statements: &[Statement],
) -> Result<(String, Vec<(String, String)>), String> {
    let (mut script, mut values) = (String::new(), Vec::new());
    for (number, statement) in statements.iter().enumerate() {
        let types = server.parameter_types(database, &statement.sql)?;
        let mut sql = statement.sql.clone();
        // The last first: $1 is the beginning of $10.
        for (at, (value, kind)) in statement.parameters.iter().zip(types).enumerate().rev() {
            let name = format!("s{number}p{}", at + 1);
            let variable = value.as_ref().map_or("NULL".to_owned(), |_| format!(":{name}"));
            sql = sql.replace(&format!("${}", at + 1), &format!("({variable}::{kind})"));
            values.extend(value.clone().map(|value| (name, value)));
        }
        script.push_str(&sql);
        script.push_str(";\n");
    }
    Ok((script, values))
}

/// Each line of the log begins with the client, the number of the transaction and its time in microseconds.
fn read_log(directory: &std::path::Path) -> Result<Vec<Duration>, String> {
    let mut times = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            continue;
        }
        let log = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let micros = log.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
        times.extend(micros.map(Duration::from_micros));
    }
    if times.is_empty() { Err("pgbench finished nothing".to_owned()) } else { Ok(times) }
}
