//! What a cached answer costs at least: one `MGET` on a connection that is kept.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// A connection to Redis.
pub struct Redis {
    reader: BufReader<TcpStream>,
}

impl Redis {
    /// Connects and chooses a database.
    pub fn connect(address: &str, database: u32) -> Self {
        let stream = TcpStream::connect(address).expect("Redis listens");
        stream.set_nodelay(true).expect("a socket option");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket option");
        let mut redis = Self { reader: BufReader::new(stream) };
        redis.command(&["SELECT", &database.to_string()]);
        redis
    }

    /// Forgets everything in the database.
    pub fn flush(&mut self) {
        self.command(&["FLUSHDB"]);
    }

    /// How many commands the server has run.
    pub fn commands_run(&mut self) -> u64 {
        let info = self.command(&["INFO", "stats"]).remove(0).unwrap_or_default();
        let info = String::from_utf8_lossy(&info).into_owned();
        let count = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        count.and_then(|count| count.trim().parse().ok()).expect("a number of commands")
    }

    /// The times of reading an entry as the service does; an error when it is not there.
    pub fn times(&mut self, key: &str, requests: usize) -> Result<Vec<Duration>, String> {
        let mut times = Vec::with_capacity(requests);
        for _ in 0..requests {
            let sent = Instant::now();
            let found = self.command(&["MGET", "movies:generation", key]);
            times.push(sent.elapsed());
            if found.iter().any(Option::is_none) {
                return Err(format!("{key} is not in the cache"));
            }
        }
        Ok(times)
    }

    /// The bulk strings of the answer.
    fn command(&mut self, parts: &[&str]) -> Vec<Option<Vec<u8>>> {
        let mut request = format!("*{}\r\n", parts.len());
        for part in parts {
            request.push_str(&format!("${}\r\n{part}\r\n", part.len()));
        }
        self.reader.get_mut().write_all(request.as_bytes()).expect("Redis reads");
        let line = self.line();
        match line.split_at(1) {
            ("*", count) => (0..count.parse().expect("a count")).map(|_| self.bulk()).collect(),
            ("$", length) => vec![self.text(length)],
            _ => Vec::new(),
        }
    }

    fn bulk(&mut self) -> Option<Vec<u8>> {
        let line = self.line();
        self.text(&line[1..])
    }

    fn text(&mut self, length: &str) -> Option<Vec<u8>> {
        let length = length.parse::<i64>().ok().and_then(|length| usize::try_from(length).ok())?;
        let mut text = vec![0; length + 2];
        self.reader.read_exact(&mut text).expect("Redis answers");
        text.truncate(length);
        Some(text)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("Redis answers");
        assert!(!line.starts_with('-') && line.len() > 2, "Redis: {line}");
        line.trim_end().to_owned()
    }
}
