//! Active health checks: the addresses of a service that has several are asked regularly, so that requests do not have to
//! find out that one is away or back.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderValue, Request, Uri, header, uri::Authority};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{body::RequestBody, connection::Connection, service::Service};

/// What every service answers without looking at anything else.
const HEALTH_PATH: &str = "/api/v1/health";
/// Longest wait for the answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Failures in a row after which an address is left out.
const FAILURES: u32 = 2;

/// Checks all addresses of a service every `pause`; never ends.
pub async fn check_regularly(service: Arc<Service>, pause: Duration) {
    let mut failures = vec![0; service.endpoints().len()];
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (endpoint, failures) in service.endpoints().iter().zip(&mut failures) {
            *failures = if is_healthy(&endpoint.authority).await { 0 } else { *failures + 1 };
            if *failures == 0 || *failures >= FAILURES {
                endpoint.set_healthy(*failures == 0);
            }
        }
    }
}

/// Whether a service at this address says within a second that it is alive.
async fn is_healthy(authority: &Authority) -> bool {
    let asking = async {
        let connection = Connection::open(authority, TIMEOUT).await.ok()?;
        let mut request = Request::new(RequestBody::default());
        *request.uri_mut() = Uri::from_static(HEALTH_PATH);
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(authority.as_str()).ok()?);
        connection.send(request).await.ok()
    };
    matches!(timeout(TIMEOUT, asking).await, Ok(Some((response, _))) if response.status().is_success())
}
