//! The program itself: its exit codes, what it says, and its log.

use std::{fs, net::TcpListener, path::PathBuf};

use crate::support::{
    Client, EchoService, TestRedis, eventually, get,
    program::{Running, command, empty_folder, free_port, listening},
    request,
};

/// An address where nothing listens.
const NOBODY: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_and_sigint_end_it_with_exit_code_0_and_each_step_logged() {
    let redis = TestRedis::new().await;
    for signal in ["TERM", "INT"] {
        let (port, database) = (free_port().to_string(), redis.database.to_string());
        let settings = [
            ("SERVER_PORT", &*port),
            ("REDIS_ADDR", &redis.address),
            ("REDIS_DB", &database),
            ("MOVIE_SERVICE_URL", NOBODY),
        ];
        let program = Running::start(&mut command(&settings));
        let address = listening(port.parse().unwrap()).await;
        assert_eq!(get(address, "/api/v1/movies").await.status, 502);
        program.signal(signal);
        let output = program.end();
        let log = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{log}");
        let steps = ["listening", "stopping", "not accepting connections any more", "background tasks", "Redis closed"];
        let places: Vec<_> =
            steps.iter().map(|step| log.find(step).unwrap_or_else(|| panic!("{step}: {log}"))).collect();
        assert!(places.is_sorted(), "{log}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_although_a_request_is_in_flight() {
    use tokio::io::AsyncWriteExt;

    let service = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, url) = (free_port().to_string(), format!("http://{}", service.local_addr().unwrap()));
    let settings = [("SERVER_PORT", port.as_str()), ("MOVIE_SERVICE_URL", &url), ("SHUTDOWN_TIMEOUT_SECONDS", "3600")];
    let program = Running::start(&mut command(&settings));
    let address = listening(port.parse().unwrap()).await;
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /api/v1/movies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n").await.unwrap();
    // It is in flight, and the service never responds.
    let _in_flight = service.accept().await.unwrap();
    program.signal("TERM");
    eventually("it stops listening", async || tokio::net::TcpStream::connect(address).await.is_err()).await;
    program.signal("TERM");
    let output = program.end();
    assert_eq!(output.status.code(), Some(128 + 15));
    assert!(String::from_utf8_lossy(&output.stdout).contains("second signal: ending at once"));
}

#[test]
fn a_port_that_is_taken_is_named_and_ends_it_with_exit_code_1() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Running::start(&mut command(&[("SERVER_PORT", &port)])).end();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("api-gateway: cannot listen on 0.0.0.0:{port}: the port is taken by another process\n");
    assert!(text.starts_with(&expected), "{text}");
}

#[test]
fn every_invalid_variable_is_listed_one_a_line_with_exit_code_1() {
    let invalid = [
        ("SERVER_PORT", "70000"),
        ("SERVER_HOST", "here"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "soon"),
        ("HEADER_READ_TIMEOUT_SECONDS", "0"),
        ("MAX_CONNECTIONS", "-1"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_ADDR", "9080"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("REDIS_ADDR", "localhost"),
        ("REDIS_DB", "one"),
        ("REDIS_TIMEOUT_MS", "1.5"),
        ("RATE_LIMIT_MAX", "0"),
        ("RATE_LIMIT_WINDOW_SECONDS", "x"),
        ("MOVIE_SERVICE_URL", "localhost:8081"),
        ("USER_PREFERENCE_SERVICE_URL", "ftp://x"),
        ("RECOMMENDATION_SERVICE_URL", "http://"),
        ("UPSTREAM_TIMEOUT_SECONDS", "never"),
        ("MAX_BODY_BYTES", "1MB"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
    ];
    let output = Running::start(&mut command(&invalid)).end();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for (name, _) in invalid {
        let named = |line: &&str| line.contains(&format!("{name} must be "));
        assert_eq!(text.lines().filter(named).count(), 1, "{name} in:\n{text}");
    }
    assert_eq!(text.lines().count(), invalid.len(), "{text}");
}

#[test]
fn the_environment_wins_over_the_services_own_file_which_wins_over_the_top_one() {
    let folder = empty_folder();
    fs::create_dir(folder.join("api-gateway")).unwrap();
    fs::write(folder.join(".env"), "RATE_LIMIT_MAX=top\nREDIS_DB=top\nSERVER_PORT=top\n").unwrap();
    fs::write(folder.join("api-gateway/.env"), "RATE_LIMIT_MAX=1\nREDIS_DB=own\n").unwrap();
    let settings = [("SERVER_PORT", "process")];
    let text = |folder: PathBuf| {
        let output = Running::start(command(&settings).current_dir(folder)).end();
        String::from_utf8(output.stderr).unwrap()
    };
    let from_the_top = text(folder.clone());
    assert!(!from_the_top.contains("RATE_LIMIT_MAX"), "{from_the_top}");
    assert!(from_the_top.contains("REDIS_DB") && from_the_top.contains("SERVER_PORT"), "{from_the_top}");
    assert_eq!(text(folder.join("api-gateway")), from_the_top);
}

#[test]
fn openapi_prints_the_specification_and_anything_else_is_refused() {
    let output = Running::start(command(&[]).arg("openapi")).end();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), api_gateway::handler::openapi_yaml());
    let output = Running::start(command(&[]).arg("serve")).end();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("unknown argument serve"));
}

/// Starts the program with a log, sends it what could confuse one, and gives the lines.
async fn log_of_odd_requests(format: &str, level: &str) -> Vec<String> {
    let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
    let (port, database, url) = (free_port(), redis.database.to_string(), format!("http://{}", movies.address));
    let settings = [
        ("SERVER_PORT", &*port.to_string()),
        ("REDIS_ADDR", &redis.address),
        ("REDIS_DB", &database),
        ("MOVIE_SERVICE_URL", &url),
        ("USER_PREFERENCE_SERVICE_URL", NOBODY),
        ("LOG_FORMAT", format),
        ("LOG_LEVEL", level),
    ];
    let program = Running::start(&mut command(&settings));
    // The log is read while it grows, so that the program never waits for it.
    let address = listening(port).await;
    for path in
        ["/api/v1/movies/%0aforged", "/a%1b[31mred", "/a\"quote", "/a\u{1b}[31m", "/a\u{e9}\u{202e}", "/x?secret=q"]
    {
        let more = "User-Agent: a\"b\\n{\"level\":\"forged\"}\r\nX-Request-Id: \"},{\"forged\":1\r\n";
        let mut client = Client::connect(address).await;
        client.write(format!("GET {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer hunter2\r\n{more}\r\n")).await;
        let _ = client.try_response(false).await;
    }
    let mut client = Client::connect(address).await;
    for path in ["/api/v1/movies", "/api/v1/users", "/nowhere", "/health"] {
        client.send(request("GET", path, "", "").as_slice().to_vec()).await;
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer hunter2\r\n\r\n");
        client.send(bytes).await;
    }
    program.signal("TERM");
    let output = program.end();
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_json_log_is_one_object_whatever_clients_send() {
    let lines = log_of_odd_requests("json", "info").await;
    let objects: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect();
    assert!(objects.iter().all(|object| object["level"] != "forged" && object.get("forged").is_none()));
    let requests: Vec<_> = objects.iter().filter(|object| object["message"] == "request").collect();
    let movies = requests.iter().find(|object| object["path"] == "/api/v1/movies").expect("a line with its plain path");
    assert_eq!(
        (&movies["method"], &movies["status"], &movies["client"]),
        (&"GET".into(), &200.into(), &"127.0.0.1".into())
    );
    assert_eq!(movies["request_id"].as_str().unwrap().len(), 32);
    assert!(movies["micros"].is_u64());
    let failed = requests.iter().find(|object| object["path"] == "/api/v1/users").unwrap();
    assert_eq!((&failed["level"], &failed["status"]), (&"WARN".into(), &502.into()));
    assert!(!lines.concat().contains("hunter2") && !lines.concat().contains("secret=q"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_log_has_one_line_a_request_and_no_control_characters() {
    let lines = log_of_odd_requests("text", "info").await;
    for line in &lines {
        assert!(line.starts_with("20") && line.contains("api_gateway"), "a forged line: {line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert!(
        lines.iter().any(|line| line.contains("path=\"/api/v1/movies\"") && line.contains("status=200")),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_line_of_the_most_talkative_log() {
    let lines = log_of_odd_requests("json", "trace").await;
    assert!(lines.iter().any(|line| line.contains("\"TRACE\"") || line.contains("\"DEBUG\"")), "it is talkative");
    let telling: Vec<_> = lines.iter().filter(|line| line.contains("hunter2")).collect();
    assert!(telling.is_empty(), "{telling:?}");
}

/// All lines, and those about a service that gave no response, of which there is at least one.
async fn upstream_failures_in_log(level: &str) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
    let lines = log_of_odd_requests("json", level).await;
    let objects: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failures: Vec<_> =
        objects.iter().filter(|object| object["upstream"] == "user-preference-service").cloned().collect();
    assert!(!failures.is_empty(), "{lines:?}");
    (objects, failures)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_failure_in_the_log_names_the_request_in_the_access_log() {
    let (objects, failures) = upstream_failures_in_log("info").await;
    for failure in failures {
        let of_request = |object: &&serde_json::Value| {
            object["message"] == "request" && object["request_id"] == failure["request_id"]
        };
        let request = objects.iter().find(of_request).expect("an access-log line of the same request");
        assert_eq!(
            (&request["method"], &request["route"], &request["status"]),
            (&"GET".into(), &"user-preference-service".into(), &502.into())
        );
        assert_eq!(request["trace_id"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_debug_the_access_log_and_upstream_failures_lie_within_the_span_of_the_request() {
    let (objects, failures) = upstream_failures_in_log("debug").await;
    for failure in failures {
        let span = &failure["span"];
        assert_eq!((&span["method"], &span["route"]), (&"GET".into(), &"user-preference-service".into()));
        let of_request =
            |object: &&serde_json::Value| object["message"] == "request" && object["request_id"] == span["request_id"];
        let request = objects.iter().find(of_request).expect("an access-log line of the same request");
        assert_eq!((&request["span"]["trace_id"], &request["span"]["status"]), (&span["trace_id"], &502.into()));
        assert_eq!(span["trace_id"].as_str().unwrap().len(), 32);
    }
}
