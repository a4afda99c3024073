//! What an operator can choose about the rate limit: algorithm, policies of their own, and what holds without Redis.

use tokio::task::JoinSet;

use crate::support::{
    EchoService, GatewayBuilder, Proxy, TestGateway, TestRedis, TestResponse, eventually, get, proxy::Traffic, request,
    send,
};

const MOVIES: &str = "/api/v1/movies";
const GCRA_KEY: &str = "ratelimit:gcra:127.0.0.1";

async fn start(settings: &[(&str, &str)]) -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address);
    (settings.iter().fold(builder, |builder, (name, value)| builder.set(name, value)).start().await, movies)
}

async fn statuses(gateway: &TestGateway, number: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..number {
        statuses.push(get(gateway.address, MOVIES).await.status);
    }
    statuses
}

/// The headers `RateLimit-Policy` and `RateLimit`.
fn draft(response: &TestResponse) -> (&str, &str) {
    (response.header("ratelimit-policy").unwrap(), response.header("ratelimit").unwrap())
}

#[tokio::test]
async fn every_limited_answer_says_policy_and_what_is_left_as_the_draft_has_it() {
    let (gateway, _movies) = start(&[("RATE_LIMIT_MAX", "2")]).await;
    let unauthorized = send(gateway.address, "GET /api/v1/movies HTTP/1.1\r\nHost: g\r\n\r\n").await;
    let mut responses = vec![unauthorized];
    for path in [MOVIES, MOVIES] {
        responses.push(get(gateway.address, path).await);
    }
    for (response, (status, left)) in responses.iter().zip([(401, 1), (200, 0), (429, 0)]) {
        assert_eq!(response.status, status);
        let reset = response.header("x-ratelimit-reset").unwrap();
        assert_eq!(draft(response), (r#""default";q=2;w=60"#, format!(r#""default";r={left};t={reset}"#).as_str()));
    }
    assert!(get(gateway.address, "/health").await.header("ratelimit").is_none());
}

#[tokio::test]
async fn a_class_of_routes_is_counted_by_itself() {
    let settings = [("RATE_LIMIT_MAX", "3"), ("RATE_LIMIT_ADMIN_MAX", "1"), ("RATE_LIMIT_WRITE_MAX", "2")];
    let (gateway, _movies) = start(&settings).await;
    for (method, path, policy, limit) in
        [("POST", "/api/v1/admin/sync", "admin", 1), ("POST", MOVIES, "write", 2), ("GET", MOVIES, "default", 3)]
    {
        for number in 1..=limit + 1 {
            let response = send(gateway.address, request(method, path, "", "")).await;
            assert_eq!(response.status, if number > limit { 429 } else { 200 }, "{method} {path}");
            assert_eq!(draft(&response).0, format!("\"{policy}\";q={limit};w=60"));
        }
    }
    let mut keys: Vec<String> = gateway.redis.command(&["KEYS", "*"]).await;
    keys.sort();
    assert_eq!(keys, ["ratelimit:127.0.0.1", "ratelimit:admin:127.0.0.1", "ratelimit:write:127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_gcra_exactly_the_quota_passes_at_once_through_two_gateways() {
    let settings = [("RATE_LIMIT_ALGORITHM", "gcra"), ("RATE_LIMIT_MAX", "20"), ("RATE_LIMIT_WINDOW_SECONDS", "3600")];
    let (one, movies) = start(&settings).await;
    let builder = GatewayBuilder::with_redis(one.redis.clone()).movies(movies.address);
    let other = settings.iter().fold(builder, |builder, (name, value)| builder.set(name, value)).start().await;
    let mut asked = JoinSet::new();
    for number in 0..64 {
        let address = [one.address, other.address][number % 2];
        asked.spawn(get(address, MOVIES));
    }
    let mut left: Vec<u64> = Vec::new();
    for response in asked.join_all().await {
        match response.status {
            200 => left.push(response.header("x-ratelimit-remaining").unwrap().parse().unwrap()),
            status => {
                let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
                assert!(status == 429 && (170..=180).contains(&wait), "{status} {wait}");
            }
        }
    }
    left.sort_unstable();
    assert_eq!(left, (0..20).collect::<Vec<_>>());
    let millis: i64 = one.redis.command(&["PTTL", GCRA_KEY]).await;
    assert!((3_500_000..=3_600_000).contains(&millis), "{millis}");
}

#[tokio::test]
async fn with_gcra_the_quota_comes_back_one_by_one() {
    let settings = [("RATE_LIMIT_ALGORITHM", "gcra"), ("RATE_LIMIT_MAX", "2"), ("RATE_LIMIT_WINDOW_SECONDS", "4")];
    let (gateway, _movies) = start(&settings).await;
    assert_eq!(statuses(&gateway, 3).await, [200, 200, 429]);
    eventually("one request is allowed again", async || get(gateway.address, MOVIES).await.status == 200).await;
    assert_eq!(statuses(&gateway, 1).await, [429]);
}

#[tokio::test]
async fn with_gcra_no_value_in_redis_locks_a_client_out() {
    let (gateway, _movies) = start(&[("RATE_LIMIT_ALGORITHM", "gcra"), ("RATE_LIMIT_MAX", "5")]).await;
    for value in ["rubbish", "nan", "inf", "-1", "9223372036854775807", "1e300", ""] {
        gateway.redis.command::<()>(&["SET", GCRA_KEY, value]).await;
        assert_eq!(get(gateway.address, MOVIES).await.header("x-ratelimit-remaining"), Some("4"), "{value:?}");
    }
    gateway.redis.command::<()>(&["DEL", GCRA_KEY]).await;
    gateway.redis.command::<i64>(&["LPUSH", GCRA_KEY, "x"]).await;
    assert_eq!(get(gateway.address, MOVIES).await.header("x-ratelimit-remaining"), Some("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_local_fallback_a_gateway_limits_while_redis_is_away_and_shares_again_afterwards() {
    for algorithm in ["fixed-window", "gcra"] {
        let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
        let proxy = Proxy::to(redis.address.clone(), Traffic::Cut).await;
        let builder = GatewayBuilder::with_redis(redis).movies(movies.address).set("REDIS_ADDR", proxy.address);
        let builder = builder.set("RATE_LIMIT_ALGORITHM", algorithm).set("RATE_LIMIT_MAX", 3);
        let builder = builder.set("RATE_LIMIT_WINDOW_SECONDS", 3600);
        let gateway = builder.set("RATE_LIMIT_FALLBACK", "local").start().await;
        // Whichever worker has the connection.
        assert_eq!(statuses(&gateway, 6).await, [200, 200, 200, 429, 429, 429], "{algorithm}");
        proxy.set(Traffic::Open);
        eventually("Redis counts again", async || get(gateway.address, MOVIES).await.status == 200).await;
    }
}
