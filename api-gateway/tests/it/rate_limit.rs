//! The rate limit is exact, whatever happens at once.

use std::{collections::HashSet, net::SocketAddr};

use tokio::task::JoinSet;

use crate::support::{Client, EchoService, GatewayBuilder, TestGateway, TestResponse, eventually, get, request, send};

const KEY: &str = "ratelimit:127.0.0.1";

async fn limited_to(max: u64) -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    (GatewayBuilder::new().await.movies(movies.address).set("RATE_LIMIT_MAX", max).start().await, movies)
}

/// `number` requests at once, each on a connection of its own that is open before the first one is sent.
async fn at_once(gateways: &[SocketAddr], number: usize) -> Vec<TestResponse> {
    let mut clients = Vec::new();
    for at in 0..number {
        clients.push(Client::connect(gateways[at % gateways.len()]).await);
    }
    let asking =
        clients.into_iter().map(async |mut client| client.send(request("GET", "/api/v1/movies", "", "")).await);
    let mut asked = JoinSet::new();
    for bytes in asking {
        asked.spawn(bytes);
    }
    asked.join_all().await
}

/// Exactly `max` passed, and each saw a place of its own.
fn assert_exact(responses: &[TestResponse], max: u64) {
    let passed: Vec<_> = responses.iter().filter(|response| response.status == 200).collect();
    let places: HashSet<u64> = passed.iter().map(|response| remaining(response)).collect();
    assert_eq!((passed.len() as u64, places), (max, (0..max).collect()));
    for refused in responses.iter().filter(|response| response.status != 200) {
        assert_eq!((refused.status, remaining(refused)), (429, 0));
    }
}

fn remaining(response: &TestResponse) -> u64 {
    response.header("x-ratelimit-remaining").expect("a limited response").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_limit_passes_among_64_parallel_requests() {
    for _ in 0..10 {
        let (gateway, movies) = limited_to(20).await;
        assert_exact(&at_once(&[gateway.address], 64).await, 20);
        assert_eq!(movies.seen().len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_limit_passes_among_1000_concurrent_requests() {
    for _ in 0..3 {
        let (gateway, movies) = limited_to(100).await;
        assert_exact(&at_once(&[gateway.address], 1000).await, 100);
        assert_eq!(movies.seen().len(), 100);
        let count: i64 = gateway.redis.command(&["GET", KEY]).await;
        assert_eq!(count, 1000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_that_share_a_redis_are_exact_together() {
    let (one, movies) = limited_to(100).await;
    let other =
        GatewayBuilder::with_redis(one.redis.clone()).movies(movies.address).set("RATE_LIMIT_MAX", 100).start().await;
    assert_exact(&at_once(&[one.address, other.address], 400).await, 100);
    assert_eq!(movies.seen().len(), 100);
}

#[tokio::test]
async fn a_limited_answer_says_limit_remaining_and_reset() {
    let (gateway, _movies) = limited_to(3).await;
    for expected in ["2", "1", "0"] {
        let response = get(gateway.address, "/api/v1/movies").await;
        assert_eq!(response.header("x-ratelimit-limit"), Some("3"));
        assert_eq!(response.header("x-ratelimit-remaining"), Some(expected));
        let reset: u64 = response.header("x-ratelimit-reset").unwrap().parse().unwrap();
        assert!((50..=60).contains(&reset), "{reset}");
    }
}

#[tokio::test]
async fn a_429_says_when_to_come_back_in_every_usual_way() {
    let (gateway, _movies) = limited_to(1).await;
    get(gateway.address, "/api/v1/movies").await;
    let response = get(gateway.address, "/api/v1/movies").await;
    let reset = response.header("x-ratelimit-reset").unwrap().to_owned();
    assert_eq!(response.status, 429);
    let body = format!(r#"{{"error":"rate limit exceeded","code":"rate_limited","retry_after":{reset}}}"#);
    assert_eq!(response.text(), body);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("retry-after"), Some(reset.as_str()));
    assert_eq!(response.header("ratelimit-policy"), Some(r#""default";q=1;w=60"#));
    assert_eq!(response.header("ratelimit"), Some(format!(r#""default";r=0;t={reset}"#).as_str()));
    assert_eq!(response.header("x-ratelimit-limit"), Some("1"));
    assert_eq!(response.header("x-ratelimit-remaining"), Some("0"));
}

#[tokio::test]
async fn answers_of_every_status_carry_the_headers() {
    let gateway = GatewayBuilder::new().await.set("RATE_LIMIT_MAX", 9).start().await;
    let unauthorized = send(gateway.address, "GET /api/v1/movies HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let others = ["/nowhere", "/api/v1/movies", "/api/v1/.."];
    let mut responses = vec![unauthorized];
    for path in others {
        responses.push(get(gateway.address, path).await);
    }
    let seen: Vec<_> = responses.iter().map(|response| (response.status, remaining(response))).collect();
    assert_eq!(seen, [(401, 8), (404, 7), (502, 6), (400, 5)]);
}

#[tokio::test]
async fn a_window_ends_and_a_new_one_begins() {
    let movies = EchoService::start("movie-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("RATE_LIMIT_MAX", 2);
    let gateway = builder.set("RATE_LIMIT_WINDOW_SECONDS", 1).start().await;
    for _ in 0..3 {
        get(gateway.address, "/api/v1/movies").await;
    }
    eventually("a new window", async || get(gateway.address, "/api/v1/movies").await.status == 200).await;
    let left: i64 = gateway.redis.command(&["PTTL", KEY]).await;
    assert!((1..=1000).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_always_has_an_expiry() {
    let (gateway, _movies) = limited_to(1_000_000).await;
    let asking = tokio::spawn({
        let address = gateway.address;
        async move { at_once(&[address], 300).await }
    });
    let mut seen = 0;
    while !asking.is_finished() || seen == 0 {
        let left: i64 = gateway.redis.command(&["PTTL", KEY]).await;
        assert_ne!(left, -1, "a counter without an expiry");
        seen += usize::from(left > 0);
        assert!(left <= 60_000);
    }
    let keys: Vec<String> = gateway.redis.command(&["KEYS", "*"]).await;
    assert_eq!(keys, [KEY]);
    asking.await.unwrap();
}

#[tokio::test]
async fn a_counter_that_lost_its_expiry_or_its_meaning_is_mended() {
    let (gateway, _movies) = limited_to(5).await;
    gateway.redis.command::<()>(&["SET", KEY, "3"]).await;
    assert_eq!(remaining(&get(gateway.address, "/api/v1/movies").await), 1);
    let left: i64 = gateway.redis.command(&["TTL", KEY]).await;
    assert!((1..=60).contains(&left), "{left}");
    for broken in [&["SET", KEY, "rubbish"][..], &["SET", KEY, "9223372036854775807"]] {
        gateway.redis.command::<()>(broken).await;
        assert_eq!(remaining(&get(gateway.address, "/api/v1/movies").await), 4, "{broken:?}");
    }
    for broken in [&["LPUSH", KEY, "x"][..], &["HSET", KEY, "a", "b"], &["SADD", KEY, "x"]] {
        gateway.redis.command::<()>(&["DEL", KEY]).await;
        gateway.redis.command::<i64>(broken).await;
        assert_eq!(remaining(&get(gateway.address, "/api/v1/movies").await), 4, "{broken:?}");
    }
    gateway.redis.command::<()>(&["SET", KEY, "1", "EX", "5000"]).await;
    let reset = get(gateway.address, "/api/v1/movies").await.header("x-ratelimit-reset").unwrap().to_owned();
    assert_eq!(reset, "60", "a longer window than configured is shortened");
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_sent_again_within_the_same_request() {
    let (gateway, _movies) = limited_to(10).await;
    for expected in [9, 8, 7] {
        gateway.redis.command::<()>(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(remaining(&get(gateway.address, "/api/v1/movies").await), expected);
    }
}

#[tokio::test]
async fn clients_of_different_addresses_have_limits_of_their_own() {
    let (gateway, _movies) = limited_to(1).await;
    for address in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        let mut client = Client::connect_from(address, gateway.address).await;
        let bytes = request("GET", "/api/v1/movies", "", "");
        assert_eq!((client.send(&bytes).await.status, client.send(&bytes).await.status), (200, 429));
    }
}

#[tokio::test]
async fn an_ipv4_client_that_comes_over_ipv6_is_the_same_client() {
    let movies = EchoService::start("movie-service").await;
    let gateway = GatewayBuilder::new().await.movies(movies.address).listen("[::]:0").start().await;
    assert_eq!(get(gateway.address, "/api/v1/movies").await.status, 200);
    let keys: Vec<String> = gateway.redis.command(&["KEYS", "*"]).await;
    assert_eq!(keys, [KEY]);
    assert_eq!(movies.seen()[0].all("x-forwarded-for"), ["127.0.0.1"]);
}

/// Header lines that claim to be someone else, a different one each time.
fn claims(number: usize) -> String {
    let ip = format!("203.0.113.{}", number % 250);
    let many = vec![ip.as_str(); 100].join(", ");
    match number % 6 {
        0 => format!("X-Forwarded-For: {ip}\r\n"),
        1 => format!("X-Forwarded-For: {many}\r\n"),
        2 => format!("X-Real-IP: {ip}\r\nForwarded: for={ip}\r\n"),
        3 => format!("CF-Connecting-IP: {ip}\r\nTrue-Client-IP: {ip}\r\n"),
        4 => format!("X-Forwarded-For: ,, {ip} \u{e9}\r\nX-Forwarded-For:\r\n"),
        _ => format!("X-Forwarded-For: ::ffff:{ip}\r\nX-Forwarded-For: unknown\r\n"),
    }
}

#[tokio::test]
async fn a_stranger_cannot_get_a_second_limit_by_claiming_other_addresses() {
    for trusted in ["", "10.0.0.0/8"] {
        let movies = EchoService::start("movie-service").await;
        let builder = GatewayBuilder::new().await.movies(movies.address).set("RATE_LIMIT_MAX", 100);
        let gateway = builder.set("TRUSTED_PROXIES", trusted).start().await;
        let mut client = gateway.client().await;
        for number in 0..300 {
            let response = client.send(request("GET", "/api/v1/movies", &claims(number), "")).await;
            assert_eq!(response.status, if number < 100 { 200 } else { 429 }, "request {number}");
        }
        for seen in movies.seen() {
            assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
            assert_eq!((seen.all("x-real-ip").len(), seen.all("forwarded").len()), (0, 0));
        }
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_client_that_it_names_is_counted() {
    let movies = EchoService::start("movie-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("RATE_LIMIT_MAX", 1);
    let gateway = builder.set("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8").start().await;
    let mut client = gateway.client().await;
    for (claim, status) in [
        ("203.0.113.1", 200),
        ("203.0.113.1", 429),
        ("1.1.1.1, 203.0.113.1", 429),
        ("1.1.1.1, 203.0.113.1, 10.0.0.9", 429),
        ("::ffff:203.0.113.1", 429),
        ("203.0.113.2", 200),
        ("2001:db8::1", 200),
        ("2001:db8::2", 429),
        ("203.0.113.1, unknown", 429),
        ("[2001:db8::3]:4711", 429),
    ] {
        let line = format!("X-Forwarded-For: {claim}\r\n");
        assert_eq!(client.send(request("GET", "/api/v1/movies", &line, "")).await.status, status, "{claim}");
    }
    let mut keys: Vec<String> = gateway.redis.command(&["KEYS", "*"]).await;
    keys.sort();
    assert_eq!(keys, ["ratelimit:2001:db8::/64", "ratelimit:203.0.113.1", "ratelimit:203.0.113.2"]);
}
