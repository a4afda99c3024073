//! Sends requests to one service over new or kept connections, and again where nothing can be done twice by it.

use std::{sync::Arc, time::Duration};

use axum::http::{Request, Response, header};
use hyper::body::{Body, Incoming};
use tokio::time::sleep;

use crate::gateway_metrics::gateway_metrics;

use super::{
    body::RequestBody,
    connection::{ConnectError, Connection, SendError},
    error::UpstreamError,
    pool::Pool,
    service::{Load, Service},
};

/// How often a request is sent to an address that looked usable.
const MAX_TRIES: u32 = 3;
/// Pause between two looks at whether a service is back.
const RESTART_PAUSE: Duration = Duration::from_millis(50);

/// A response and the connection that carries its body.
pub struct Exchange {
    /// The response.
    pub response: Response<Incoming>,
    /// Its connection.
    pub connection: Box<Connection>,
    /// Where the connection goes after that.
    pub pool: Arc<Pool>,
}

/// A try that failed.
struct Failure {
    error: UpstreamError,
    /// The request, when it may be sent again.
    request: Option<Box<Request<RequestBody>>>,
}

/// The client of a service, with connections of its own for each worker.
pub struct ServiceClient {
    /// What all workers share.
    pub service: Arc<Service>,
    /// In the order of the addresses.
    pools: Vec<Arc<Pool>>,
    connect_timeout: Duration,
}

impl ServiceClient {
    /// A client without connections yet.
    pub fn new(service: Arc<Service>, connect_timeout: Duration) -> Self {
        let pools = service.endpoints().iter().map(|_| Arc::default()).collect();
        Self { service, pools, connect_timeout }
    }

    /// Closes connections that have ended or were idle for too long.
    pub fn sweep(&self) {
        self.pools.iter().for_each(|pool| pool.sweep());
    }

    /// Sends a request in origin form; again, to another address if there is one, while that is safe and within the
    /// budget.
    ///
    /// # Errors
    /// [`UpstreamError`] when there was no response.
    pub async fn send(&self, mut request: Request<RequestBody>, load: &mut Load) -> Result<Exchange, UpstreamError> {
        self.service.retries.deposit();
        let (mut tries, mut failed_at) = (0, None);
        loop {
            let at = self.service.choose(failed_at);
            load.move_to(at);
            let failure = match self.try_at(at, request).await {
                Ok(exchange) => {
                    self.service.reached();
                    self.service.endpoints()[at].succeeded();
                    return Ok(exchange);
                }
                Err(failure) => failure,
            };
            if failure.error.is_of_the_service() {
                self.service.endpoints()[at].failed();
            }
            tries += 1;
            let Some(again) = failure.request else { return Err(failure.error) };
            if !self.should_try_again(&failure.error, tries).await {
                return Err(failure.error);
            }
            (request, failed_at) = (*again, Some(at));
        }
    }

    /// Whether a request that may be sent again should be; waits for a service that may be restarting.
    async fn should_try_again(&self, error: &UpstreamError, tries: u32) -> bool {
        let has_others = self.service.endpoints().len() > 1;
        let is_promising = match error {
            UpstreamError::NotConnected(_) => has_others,
            _ => true,
        };
        if is_promising && tries < MAX_TRIES && self.service.retries.withdraw() {
            gateway_metrics().count_resend();
            return true;
        }
        let may_wait = matches!(error, UpstreamError::NotConnected(ConnectError::Refused(_)));
        if may_wait && self.service.may_be_restarting() {
            sleep(RESTART_PAUSE).await;
            return true;
        }
        false
    }

    /// One try at one address. A kept connection may end at any moment: the service closes it while the request is on
    /// its way. Then a new one is used at once, if nothing of the request was written or it may be sent twice.
    async fn try_at(&self, at: usize, mut request: Request<RequestBody>) -> Result<Exchange, Failure> {
        let (endpoint, pool) = (&self.service.endpoints()[at], &self.pools[at]);
        request.headers_mut().insert(header::HOST, endpoint.host.clone());
        while let Some(connection) = pool.take().await {
            let copy = copy_if_repeatable(&request);
            match connection.send(request).await {
                Ok(answer) => return Ok(exchange(answer, pool)),
                Err(SendError { unsent: Some(unsent), .. }) => {
                    gateway_metrics().count_resend();
                    request = *unsent;
                }
                Err(error) => match copy.filter(|_| !error.response_began) {
                    Some(copy) => {
                        gateway_metrics().count_resend();
                        request = *copy;
                        break;
                    }
                    None => return Err(Failure { error: UpstreamError::Broken(error.source), request: None }),
                },
            }
        }
        // Boxed: it is large and rare, and every request would be as large.
        let connection = match Box::pin(Connection::open(&endpoint.authority, self.connect_timeout)).await {
            Ok(connection) => connection,
            Err(error) => return Err(Failure { error: error.into(), request: Some(Box::new(request)) }),
        };
        let copy = copy_if_repeatable(&request);
        match connection.send(request).await {
            Ok(answer) => Ok(exchange(answer, pool)),
            Err(SendError { unsent: Some(unsent), source, .. }) => {
                Err(Failure { error: UpstreamError::NotSent(source), request: Some(unsent) })
            }
            Err(error) => {
                let request = copy.filter(|_| !error.response_began);
                Err(Failure { error: UpstreamError::Broken(error.source), request })
            }
        }
    }
}

fn exchange((response, connection): (Response<Incoming>, Box<Connection>), pool: &Arc<Pool>) -> Exchange {
    Exchange { response, connection, pool: pool.clone() }
}

/// A copy of a request that may be sent twice (RFC 9110, section 9.2.2).
fn copy_if_repeatable(request: &Request<RequestBody>) -> Option<Box<Request<RequestBody>>> {
    if !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(RequestBody::default());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(Box::new(copy))
}
