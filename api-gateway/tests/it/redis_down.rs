//! The gateway without Redis: requests pass, quickly, and are counted again once it is back.

use std::time::{Duration, Instant};

use crate::support::{
    EchoService, GatewayBuilder, Proxy, RedisServer, TestGateway, TestRedis, eventually, get,
    proxy::Traffic::{self, Cut, Hung, Open, Slow},
    request,
};

async fn behind_proxy(traffic: Traffic) -> (TestGateway, Proxy, EchoService) {
    let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
    let proxy = Proxy::to(redis.address.clone(), traffic).await;
    let builder = GatewayBuilder::with_redis(redis).movies(movies.address).set("REDIS_ADDR", proxy.address);
    (builder.set("REDIS_TIMEOUT_MS", 300).set("RATE_LIMIT_MAX", 1000).start().await, proxy, movies)
}

/// A few requests that may each wait for Redis once, then many that do not.
async fn assert_requests_pass_quickly(gateway: &TestGateway) {
    let mut client = gateway.client().await;
    let bytes = request("GET", "/api/v1/movies", "", "");
    let started = Instant::now();
    for _ in 0..4 {
        assert_eq!(client.send(&bytes).await.status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let started = Instant::now();
    for _ in 0..20 {
        let response = client.send(&bytes).await;
        assert_eq!((response.status, response.header("x-ratelimit-limit")), (200, None));
    }
    // One wait for Redis alone would cost 300 ms; twenty would cost six seconds.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

async fn assert_counted_again(gateway: &TestGateway) {
    eventually("requests are counted again", async || {
        get(gateway.address, "/api/v1/movies").await.header("x-ratelimit-limit") == Some("1000")
    })
    .await;
}

async fn redis_check(gateway: &TestGateway) -> String {
    let response = get(gateway.address, "/ready").await;
    assert_eq!(response.status, 200, "ready without Redis too");
    response.json()["checks"]["redis"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_not_there_at_the_start_is_used_as_soon_as_it_is() {
    let (gateway, proxy, _movies) = behind_proxy(Cut).await;
    assert_requests_pass_quickly(&gateway).await;
    assert_eq!(redis_check(&gateway).await, "unavailable");
    proxy.set(Open);
    assert_counted_again(&gateway).await;
    eventually("readiness says so", async || redis_check(&gateway).await == "ok").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_is_gone_without_and_used_again_when_it_is_back() {
    let (gateway, proxy, _movies) = behind_proxy(Open).await;
    assert_counted_again(&gateway).await;
    proxy.set(Cut);
    assert_requests_pass_quickly(&gateway).await;
    proxy.set(Open);
    assert_counted_again(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_costs_a_few_requests_one_wait_each() {
    let (gateway, proxy, _movies) = behind_proxy(Open).await;
    assert_counted_again(&gateway).await;
    proxy.set(Hung);
    assert_requests_pass_quickly(&gateway).await;
    assert_eq!(redis_check(&gateway).await, "unavailable");
    proxy.set(Open);
    assert_counted_again(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_answers_slowly_is_gone_without_until_it_is_quick_again() {
    let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
    let proxy = Proxy::to(redis.address.clone(), Open).await;
    let builder = GatewayBuilder::with_redis(redis).movies(movies.address).set("REDIS_ADDR", proxy.address);
    // The default, which is what this is about.
    let gateway = builder.set("REDIS_TIMEOUT_MS", "").set("RATE_LIMIT_MAX", 1000).start().await;
    assert_counted_again(&gateway).await;
    proxy.set(Slow(Duration::from_millis(60)));
    assert_requests_pass_quickly(&gateway).await;
    assert_eq!(redis_check(&gateway).await, "unavailable");
    proxy.set(Open);
    assert_counted_again(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_lets_requests_pass_uncounted_and_keeps_its_counters() {
    let (server, movies) =
        (RedisServer::start(&["--maxmemory-policy", "noeviction"]).await, EchoService::start("m").await);
    let redis = server.database(0).await;
    let gateway = GatewayBuilder::with_redis(redis).movies(movies.address).set("RATE_LIMIT_MAX", 9).start().await;
    let get = async || get(gateway.address, "/api/v1/movies").await;
    assert_eq!(get().await.header("x-ratelimit-remaining"), Some("8"));
    gateway.redis.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for _ in 0..3 {
        let response = get().await;
        assert_eq!((response.status, response.header("x-ratelimit-limit")), (200, None));
    }
    gateway.redis.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(get().await.header("x-ratelimit-remaining"), Some("7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_refuses_every_command_lets_requests_pass() {
    let (redis, movies) = (TestRedis::new().await, EchoService::start("movie-service").await);
    let refusing = crate::support::ScriptedService::start(|mut stream, _| async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut buffer = [0; 4096];
        while let Ok(1..) = stream.read(&mut buffer).await {
            if stream.write_all(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n").await.is_err() {
                return;
            }
        }
    })
    .await;
    let builder = GatewayBuilder::with_redis(redis).movies(movies.address).set("REDIS_TIMEOUT_MS", 300);
    let gateway = builder.set("REDIS_ADDR", refusing.address).start().await;
    assert_requests_pass_quickly(&gateway).await;
}
