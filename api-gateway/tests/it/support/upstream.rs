//! Stand-ins for the services behind the gateway.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::HeaderMap,
    serve::ListenerExt,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::soon;

/// A request as a service saw it.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub method: String,
    pub target: String,
    pub headers: HeaderMap,
    /// `None` when it was cut off.
    pub body: Option<Vec<u8>>,
}

impl RecordedRequest {
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

/// A service that notes every request and answers with its name.
#[derive(Clone)]
pub struct EchoService {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<RecordedRequest>>>,
    connections: Arc<AtomicUsize>,
}

impl EchoService {
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Self { address, seen: Arc::default(), connections: Arc::default() };
        let (seen, connections) = (service.seen.clone(), service.connections.clone());
        let app = Router::new().fallback(async move |request: Request| note(request, &seen, name).await);
        let listener = listener.tap_io(move |_| {
            connections.fetch_add(1, Ordering::SeqCst);
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        service
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<RecordedRequest> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn note(
    request: Request,
    seen: &Mutex<Vec<RecordedRequest>>,
    name: &'static str,
) -> ([(&'static str, &'static str); 1], Body) {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.ok().map(|body| body.to_vec());
    let target = parts.uri.to_string();
    seen.lock().unwrap().push(RecordedRequest {
        method: parts.method.to_string(),
        target,
        headers: parts.headers,
        body,
    });
    ([("x-upstream", name)], Body::from(name))
}

/// A service that is told what to do with each connection, byte by byte.
pub struct ScriptedService {
    pub address: SocketAddr,
}

impl ScriptedService {
    /// `script` gets each connection with its number, counted from 0.
    pub async fn start<F>(script: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(script(stream, number));
            }
        });
        Self { address }
    }

    /// Answers every request head with the same bytes, then closes.
    pub async fn responding(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |mut stream, _| {
            let bytes = bytes.clone();
            async move {
                read_head(&mut stream).await;
                stream.write_all(&bytes).await.unwrap();
            }
        })
        .await
    }
}

/// Reads up to the end of a request head, byte by byte so that nothing of the body is lost; empty when the connection
/// closes before.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match soon("a request head", stream.read_u8()).await {
            Ok(byte) => head.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(head).unwrap()
}
