//! The load generator wrk (of Debian's packages), which costs little itself.

use std::{net::SocketAddr, process::Command, time::Duration};

/// What came of a load.
pub struct Load {
    /// Answers in all.
    pub requests: u64,
    /// Answers per second.
    pub per_second: f64,
    /// Answers that were not 2xx, and connections that broke.
    pub failed: u64,
    /// Median time of an answer in milliseconds.
    pub p50_millis: f64,
    /// 99th percentile in milliseconds.
    pub p99_millis: f64,
}

/// Keeps up a load for `time`: each connection sends the same GET again as soon as the answer is there.
pub fn run(address: SocketAddr, connections: usize, time: Duration) -> Load {
    let output = Command::new("wrk")
        .args(["--latency", "-t", "1", "-H", "Authorization: Bearer x", "-c", &connections.to_string()])
        .args(["-d", &format!("{}s", time.as_secs()), &format!("http://{address}/api/v1/movies")])
        .output()
        .expect("wrk is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
    parse(&text)
}

fn parse(text: &str) -> Load {
    let value = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let count = |name: &str| value(name).map_or(0, |value| value.parse::<u64>().unwrap_or_default());
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in ")).map(|(number, _)| number);
    let broken = value("Socket errors:").map_or(0, |errors| {
        errors.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u64>().ok()).sum()
    });
    Load {
        requests: requests.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no requests in {text}")),
        per_second: value("Requests/sec:").and_then(|value| value.parse().ok()).expect("wrk counts"),
        failed: count("Non-2xx or 3xx responses:") + broken,
        p50_millis: value("50%").and_then(millis).expect("wrk measures"),
        p99_millis: value("99%").and_then(millis).expect("wrk measures"),
    }
}

/// Milliseconds of a time such as `1.25ms`, `310.00us` or `1.02s`.
fn millis(text: &str) -> Option<f64> {
    let (number, factor) = match text {
        text if text.ends_with("us") => (text.strip_suffix("us")?, 0.001),
        text if text.ends_with("ms") => (text.strip_suffix("ms")?, 1.0),
        text => (text.strip_suffix('s')?, 1000.0),
    };
    Some(number.parse::<f64>().ok()? * factor)
}
