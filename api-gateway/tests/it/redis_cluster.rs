//! The counters in a Redis Cluster.

use std::{net::SocketAddr, ops::Range};

use tokio::task::JoinSet;

use crate::support::{EchoService, GatewayBuilder, RedisServer, TestGateway, TestRedis, eventually, request, send};

const SLOTS: u16 = 16_384;

/// A node of a cluster.
async fn start_node(slots: Range<u16>) -> (RedisServer, TestRedis) {
    let server = RedisServer::start(&["--cluster-enabled", "yes"]).await;
    let redis = server.database(0).await;
    // Redis 6 has no command for a range.
    let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
    let command: Vec<_> = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
    redis.command::<()>(&command).await;
    (server, redis)
}

async fn wait_for_cluster(node: &TestRedis, nodes: usize) {
    eventually("the cluster is complete", async || {
        let info = node.command::<String>(&["CLUSTER", "INFO"]).await;
        info.contains("cluster_state:ok") && info.contains(&format!("cluster_known_nodes:{nodes}\r"))
    })
    .await;
}

async fn gateway(node: TestRedis) -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    let builder = GatewayBuilder::with_redis(node).movies(movies.address).set("RATE_LIMIT_MAX", 9);
    (builder.set("TRUSTED_PROXIES", "127.0.0.1").start().await, movies)
}

fn address(client: u8) -> String {
    format!("203.0.113.{client}")
}

/// A client's first request of the nine that it may send.
async fn assert_first_is_counted(gateway: SocketAddr, client: u8) {
    let line = format!("X-Forwarded-For: {}\r\n", address(client));
    let response = send(gateway, request("GET", "/api/v1/movies", &line, "")).await;
    assert_eq!((response.status, response.header("x-ratelimit-remaining")), (200, Some("8")));
}

/// The first requests of 64 clients, all at once.
async fn assert_clients_are_counted(gateway: &TestGateway) {
    let asked: JoinSet<()> = (0..64).map(|client| assert_first_is_counted(gateway.address, client)).collect();
    asked.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_counts_clients_whose_keys_are_in_different_slots() {
    let (_server, node) = start_node(0..SLOTS).await;
    wait_for_cluster(&node, 1).await;
    let (gateway, _movies) = gateway(node).await;
    assert_clients_are_counted(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_on_every_node_of_a_cluster_and_found_when_they_move() {
    let ((_first_server, first), (_second_server, second)) =
        tokio::join!(start_node(0..SLOTS / 2), start_node(SLOTS / 2..SLOTS));
    let (host, port) = second.address.split_once(':').unwrap();
    first.command::<()>(&["CLUSTER", "MEET", host, port]).await;
    tokio::join!(wait_for_cluster(&first, 2), wait_for_cluster(&second, 2));
    let (gateway, _movies) = gateway(first.clone()).await;
    assert_clients_are_counted(&gateway).await;
    let (on_first, on_second) = (first.command::<usize>(&["DBSIZE"]).await, second.command::<usize>(&["DBSIZE"]).await);
    assert!(on_first > 0 && on_second > 0 && on_first + on_second == 64, "{on_first} + {on_second}");

    // The slot of a counter moves to the first node.
    let mut moved = None;
    for client in 0..64 {
        let slot = first.command::<u16>(&["CLUSTER", "KEYSLOT", &format!("ratelimit:{}", address(client))]).await;
        moved = moved.or((slot >= SLOTS / 2).then_some((client, slot.to_string())));
    }
    let (client, slot) = moved.expect("the second node has counters");
    second.command::<()>(&["FLUSHALL"]).await;
    let id = first.command::<String>(&["CLUSTER", "MYID"]).await;
    for node in [&first, &second] {
        node.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]).await;
    }
    assert_first_is_counted(gateway.address, client).await;
    assert_eq!(first.command::<usize>(&["DBSIZE"]).await, on_first + 1);
}
