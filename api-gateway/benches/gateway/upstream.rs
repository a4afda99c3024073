//! What stands behind every gateway: nginx with an answer of 2 kB for the load, and a small server for large bodies.

use std::{convert::Infallible, net::SocketAddr, path::Path};

use axum::{
    Router,
    body::{Body, Bytes},
    http::header::CONTENT_LENGTH,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};

use crate::{
    bodies::BYTES,
    candidates::{Running, free_address, nginx, wait_until_open},
};

/// The upstreams of all gateways.
pub struct Upstreams {
    /// Answers any GET with 2 kB.
    pub small: SocketAddr,
    /// `/api/v1/users/sink` counts a body, `/api/v1/users/source` sends one.
    pub large: SocketAddr,
    _nginx: Running,
}

/// Starts both.
pub fn start(folder: &Path) -> Upstreams {
    let (small, large) = (free_address(), free_address());
    let file = folder.join("upstream.conf");
    let body = "x".repeat(2048);
    let config = format!(
        "daemon off;\nworker_processes 1;\npid {folder}/upstream.pid;\nevents {{ worker_connections 4096; }}\nhttp {{\n    access_log off;\n\
         {paths}\n    server {{\n        listen {small} backlog=4096;\n        keepalive_requests 1000000000;\n        \
         location / {{ default_type application/json; return 200 '{body}'; }}\n    }}\n}}\n",
        folder = folder.display(),
        paths = nginx::temporary_paths(folder),
    );
    std::fs::write(&file, config).expect("a configuration can be written");
    let nginx = Running::start("upstream", nginx::command(&file), folder);
    wait_until_open(small, "the upstream");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(serve(large));
    });
    wait_until_open(large, "the upstream of large bodies");
    Upstreams { small, large, _nginx: nginx }
}

async fn serve(address: SocketAddr) {
    let sink = async |body: Body| {
        let mut body = body.into_data_stream();
        let mut length = 0;
        while let Some(Ok(chunk)) = body.next().await {
            length += chunk.len();
        }
        length.to_string()
    };
    let source = async || {
        let chunk = Bytes::from(vec![b'x'; 64 << 10]);
        let chunks = stream::iter(std::iter::repeat_n(Ok::<_, Infallible>(chunk.clone()), BYTES / chunk.len()));
        ([(CONTENT_LENGTH, BYTES)], Body::from_stream(chunks))
    };
    let app = Router::new().route("/api/v1/users/sink", post(sink)).route("/api/v1/users/source", get(source));
    let listener = tokio::net::TcpListener::bind(address).await.expect("a free port");
    axum::serve(listener, app).await.expect("the upstream serves");
}
