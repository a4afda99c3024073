//! What Prometheus reads from the gateway.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::support::{
    EchoService, TestRedis, eventually, get,
    program::{Running, command, free_port, listening},
    send,
};

/// The program with movie-service at the URLs `movies` and a limit of three requests: itself, its address, and that of its
/// metrics.
async fn start(movies: &str, metrics: SocketAddr) -> (Running, SocketAddr) {
    let (redis, port) = (TestRedis::new().await, free_port());
    let settings = [
        ("SERVER_PORT", &*port.to_string()),
        ("METRICS_ADDR", &metrics.to_string()),
        ("REDIS_ADDR", &redis.address),
        ("REDIS_DB", &redis.database.to_string()),
        ("RATE_LIMIT_MAX", "3"),
        ("MOVIE_SERVICE_URL", movies),
        ("USER_PREFERENCE_SERVICE_URL", "http://127.0.0.1:1"),
    ];
    let program = Running::start(&mut command(&settings));
    (program, listening(port).await)
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_decisions_and_calls_are_counted_by_conventional_names() {
    let movies = EchoService::start("movie-service").await;
    let metrics = local(free_port());
    let (_program, address) = start(&format!("http://{}", movies.address), metrics).await;
    listening(metrics.port()).await;
    for (path, status) in
        [("/api/v1/movies", 200), ("/api/v1/movies", 200), ("/api/v1/users/1", 502), ("/api/v1/movies", 429)]
    {
        assert_eq!(get(address, path).await.status, status);
    }
    send(address, "BREW /health HTTP/1.1\r\nHost: gateway\r\n\r\n").await;
    let text = get(metrics, "/metrics").await.text();
    for line in [
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="movie-service",http_response_status_code="200"} 2"#,
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="movie-service",http_response_status_code="429"} 1"#,
        r#"http_server_request_duration_seconds_count{http_request_method="_OTHER",http_route="health",http_response_status_code="405"} 1"#,
        r#"http_server_request_duration_seconds_bucket{le="0.005","#,
        r#"http_client_request_duration_seconds_count{server_address="movie-service",http_request_method="GET",http_response_status_code="200",error_type=""} 2"#,
        r#"http_client_request_duration_seconds_count{server_address="user-preference-service",http_request_method="GET",http_response_status_code="",error_type="no_response"} 1"#,
        r#"rate_limit_decisions_total{decision="allowed"} 3"#,
        r#"rate_limit_decisions_total{decision="refused"} 1"#,
        r#"rate_limit_decisions_total{decision="uncounted"} 0"#,
        r#"circuit_breaker_open{breaker="redis"} 0"#,
        "http_server_active_requests 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|it| it.starts_with(line)), "{line} is missing in\n{text}");
    }
    assert!(text.contains(r#"db_client_operation_duration_seconds_count{db_system_name="redis""#), "{text}");
    assert_eq!(get(metrics, "/").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_left_out_are_shown() {
    let movies = EchoService::start("movie-service").await;
    let metrics = local(free_port());
    let (_program, _) = start(&format!("http://{},http://127.0.0.1:1", movies.address), metrics).await;
    listening(metrics.port()).await;
    let shown = |text: &str, service: &str, number: u32| {
        let line = format!("http_client_ejected_addresses{{server_address=\"{service}\"}} {number}");
        text.lines().any(|it| it.starts_with(&line))
    };
    eventually("nobody is found at the second address", async || {
        shown(&get(metrics, "/metrics").await.text(), "movie-service", 1)
    })
    .await;
    assert!(shown(&get(metrics, "/metrics").await.text(), "user-preference-service", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_metrics_that_is_taken_is_waited_for_and_stops_nothing() {
    let movies = EchoService::start("movie-service").await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let metrics = taken.local_addr().unwrap();
    let (_program, address) = start(&format!("http://{}", movies.address), metrics).await;
    assert_eq!(get(address, "/api/v1/movies").await.status, 200);
    drop(taken);
    eventually("the metrics are shown", async || tokio::net::TcpStream::connect(metrics).await.is_ok()).await;
    assert_eq!(get(metrics, "/metrics").await.status, 200);
}
