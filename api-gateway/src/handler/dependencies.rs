//! What the gateway works with, as `/health/ready` finds it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, uri::Authority},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::Mutex, time::timeout};

use crate::{config::UpstreamsConfig, database::redis::RedisLink, lifecycle::Lifecycle, proxy::Upstream};

use super::readiness::{DependencyCheck, ReadinessReport};

/// Longest wait for a service to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// For how long a result is shown: anyone may ask, and must not make three requests of each.
const MAX_AGE: Duration = Duration::from_secs(1);

type Checks = BTreeMap<&'static str, DependencyCheck>;

/// Redis and the services. Clones share the latest result.
#[derive(Clone)]
pub struct Dependencies(Arc<Inner>);

struct Inner {
    redis: RedisLink,
    upstreams: UpstreamsConfig,
    client: Client<HttpConnector, Body>,
    lifecycle: Lifecycle,
    latest: Mutex<Option<(Instant, Checks)>>,
}

impl Dependencies {
    /// Looks at nothing yet.
    pub fn new(redis: RedisLink, upstreams: UpstreamsConfig, lifecycle: Lifecycle) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self(Arc::new(Inner { redis, upstreams, client, lifecycle, latest: Mutex::default() }))
    }

    /// The counters.
    pub fn redis(&self) -> &RedisLink {
        &self.0.redis
    }

    /// Where the services are.
    pub fn upstreams(&self) -> &UpstreamsConfig {
        &self.0.upstreams
    }

    /// A client for questions about the services, apart from the one that forwards.
    pub fn client(&self) -> &Client<HttpConnector, Body> {
        &self.0.client
    }

    /// The gateway needs none of them: without Redis requests pass, and each service is missed only by its own routes.
    pub async fn report(&self) -> ReadinessReport {
        ReadinessReport::new(self.0.checks().await, &[], &self.0.lifecycle)
    }
}

impl Inner {
    async fn checks(&self) -> Checks {
        // Held while it looks, so that those who ask meanwhile share the result.
        let mut latest = self.latest.lock().await;
        if let Some((_, checks)) = latest.as_ref().filter(|(at, _)| at.elapsed() < MAX_AGE) {
            return checks.clone();
        }
        let UpstreamsConfig { movie, user_preference, recommendation, .. } = &self.upstreams;
        let (redis, movie, user_preference, recommendation) = tokio::join!(
            DependencyCheck::run(self.redis.ping()),
            DependencyCheck::run(self.answers(movie)),
            DependencyCheck::run(self.answers(user_preference)),
            DependencyCheck::run(self.answers(recommendation)),
        );
        let checks = BTreeMap::from([
            ("redis", redis),
            (Upstream::Movie.name(), movie),
            (Upstream::UserPreference.name(), user_preference),
            (Upstream::Recommendation.name(), recommendation),
        ]);
        *latest = Some((Instant::now(), checks.clone()));
        checks
    }

    /// Whether a service is alive at one of its addresses.
    async fn answers(&self, addresses: &[Authority]) -> bool {
        for address in addresses {
            let uri = format!("http://{address}/api/v1/health");
            let Ok(request) = Request::get(uri).body(Body::empty()) else { continue };
            let response = timeout(PROBE_TIMEOUT, self.client.request(request)).await;
            if matches!(response, Ok(Ok(response)) if response.status().is_success()) {
                return true;
            }
        }
        false
    }
}
