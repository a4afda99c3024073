//! Sends requests to one service over new or kept connections, and again where nothing can be done twice by it.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::{Body, Incoming};

use crate::{config::Origin, gateway_metrics::gateway_metrics};

use super::{
    body::RequestBody,
    connection::{Connection, SendError},
    error::UpstreamError,
    pool::Pool,
};

/// A response and the connection that carries its body.
pub struct Exchange {
    /// The response.
    pub response: Response<Incoming>,
    /// Its connection.
    pub connection: Box<Connection>,
    /// Where the connection goes after that.
    pub pool: Arc<Pool>,
}

/// The client of a service.
pub struct ServiceClient {
    origin: Origin,
    host: HeaderValue,
    connect_timeout: Duration,
    pool: Arc<Pool>,
}

impl ServiceClient {
    /// A client without connections yet.
    pub fn new(origin: Origin, connect_timeout: Duration) -> Self {
        let host = HeaderValue::from_str(origin.authority.as_str()).expect("an authority is ASCII");
        Self { origin, host, connect_timeout, pool: Arc::default() }
    }

    /// Closes connections that have ended or were idle for too long.
    pub fn sweep(&self) {
        self.pool.sweep();
    }

    /// Sends a request in origin form.
    ///
    /// A kept connection may end at any moment: the service closes it while the request is on its way. Then the request
    /// is sent again on a new one, if nothing of it was written or doing it twice is the same as doing it once.
    ///
    /// # Errors
    /// [`UpstreamError`] when there was no response.
    pub async fn send(&self, mut request: Request<RequestBody>) -> Result<Exchange, UpstreamError> {
        request.headers_mut().insert(header::HOST, self.host.clone());
        while let Some(connection) = self.pool.take().await {
            let copy = copy_if_repeatable(&request);
            match connection.send(request).await {
                Ok(answer) => return Ok(self.exchange(answer)),
                Err(SendError { unsent: Some(unsent), .. }) => {
                    gateway_metrics().count_resend();
                    request = *unsent;
                }
                Err(error) => {
                    let Some(copy) = copy.filter(|_| !error.response_began) else { return Err(error.into()) };
                    gateway_metrics().count_resend();
                    request = copy;
                    break;
                }
            }
        }
        let connection = Connection::open(&self.origin.authority, self.connect_timeout).await?;
        Ok(self.exchange(connection.send(request).await?))
    }

    fn exchange(&self, (response, connection): (Response<Incoming>, Box<Connection>)) -> Exchange {
        Exchange { response, connection, pool: self.pool.clone() }
    }
}

/// A copy of a request that may be sent twice (RFC 9110, section 9.2.2).
fn copy_if_repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(RequestBody::default());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}
