//! Jobs of a service.

use axum::{
    body::Body,
    http::{Method, Request},
};
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

use super::{TestApp, TestResponse, eventually, stub, stub::Stub};

impl TestApp {
    /// Asks for a job.
    pub async fn post_job(&self, query: &str) -> TestResponse {
        self.send(Method::POST, &format!("/api/v1/admin/sync?mode=async&{query}")).await
    }

    /// Starts a job; its id.
    pub async fn start_job(&self, query: &str) -> i64 {
        let reply = self.post_job(query).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        reply.json()["id"].as_i64().unwrap()
    }

    pub async fn job(&self, id: i64) -> Value {
        let reply = self.get(&format!("/api/v1/admin/sync/jobs/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// The job when it has ended.
    pub async fn ended_job(&self, id: i64) -> Value {
        eventually("the job ends", || async { self.job(id).await["state"] != "running" }).await;
        self.job(id).await
    }

    /// Runs a job to its end.
    pub async fn run_job(&self, query: &str) -> Value {
        let id = self.start_job(query).await;
        self.ended_job(id).await
    }

    pub async fn cancel_job(&self, id: i64) -> TestResponse {
        self.send(Method::DELETE, &format!("/api/v1/admin/sync/jobs/{id}")).await
    }

    /// The events of a job, each with its name and data; comments are events without a name.
    pub async fn events(&self, id: i64) -> impl Stream<Item = (String, Value)> + Unpin {
        let request = Request::get(format!("/api/v1/admin/sync/jobs/{id}/events")).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let pieces = response.into_body().into_data_stream().map(|piece| {
            let text = String::from_utf8(piece.unwrap().to_vec()).unwrap();
            let field =
                |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            let data = field("data: ");
            (field("event: "), serde_json::from_str(&data).unwrap_or(Value::Null))
        });
        Box::pin(pieces)
    }

    /// What a job needs to work: how many movies are in the catalogue.
    pub async fn movies(&self) -> i64 {
        self.count("SELECT count(*) FROM movies").await
    }
}

/// Lets pages pass in their order, whatever the order they are asked for in, and whoever has gone away meanwhile.
pub struct Gate(watch::Sender<u32>);

impl Gate {
    /// So many more pages pass.
    pub fn add_permits(&self, more: u32) {
        self.0.send_modify(|last| *last += more);
    }
}

/// A TMDB whose discover pages from `from` on wait until the gate lets them pass.
pub async fn gated(from: u32) -> (Stub, Gate) {
    let gate = watch::Sender::new(from - 1);
    let passing = gate.clone();
    let tmdb = Stub::start(move |request| {
        let mut last = passing.subscribe();
        async move {
            last.wait_for(|last| request.page() <= *last).await.unwrap();
            stub::plain(&request, u32::MAX)
        }
    })
    .await;
    (tmdb, Gate(gate))
}
