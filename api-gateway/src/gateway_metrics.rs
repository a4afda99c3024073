//! What only the gateway measures, beside [`crate::metrics`].

use std::sync::LazyLock;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

use crate::{metrics::metrics, service::limiter::Decision};

static METRICS: LazyLock<GatewayMetrics> = LazyLock::new(GatewayMetrics::new);

/// The handles are looked up once: each request uses some of them.
pub struct GatewayMetrics {
    allowed: Counter,
    refused: Counter,
    uncounted: Counter,
    resends: Counter,
    connections: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
}

/// The metrics of this process.
pub fn gateway_metrics() -> &'static GatewayMetrics {
    &METRICS
}

impl GatewayMetrics {
    fn new() -> Self {
        let decisions = Family::<DecisionLabels, Counter>::default();
        let (resends, connections) = (Counter::default(), Gauge::default());
        metrics().with_registry(|registry| {
            let text = "Decisions of the rate limit; uncounted ones passed because Redis did not answer";
            registry.register("rate_limit_decisions", text, decisions.clone());
            let text = "Requests that were sent to a service once more, because their connection had broken";
            registry.register("http_client_resends", text, resends.clone());
            registry.register("http_client_open_connections", "Connections to the services", connections.clone());
        });
        let decision = |decision| decisions.get_or_create_owned(&DecisionLabels { decision });
        Self {
            allowed: decision("allowed"),
            refused: decision("refused"),
            uncounted: decision("uncounted"),
            resends,
            connections,
        }
    }

    /// Counts a decision of the rate limit; `None` is one that could not be made.
    pub fn count_decision(&self, decision: Option<&Decision>) {
        match decision {
            Some(decision) if decision.allowed => self.allowed.inc(),
            Some(_) => self.refused.inc(),
            None => self.uncounted.inc(),
        };
    }

    /// Counts a request that is sent once more.
    pub fn count_resend(&self) {
        self.resends.inc();
    }

    /// Counts a connection to a service until the guard is dropped.
    pub fn open_connection(&'static self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(&self.connections)
    }
}

/// A connection that is open.
pub struct OpenConnection(&'static Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
