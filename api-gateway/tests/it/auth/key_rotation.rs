//! Keys by URL: fetched, cached, rotated.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{EchoService, GatewayBuilder, TestGateway, eventually, send};

use super::issuer::{AUDIENCE, ISSUER, Issuer, claims};

/// What an issuer's server answers with, and how often it was asked.
#[derive(Clone, Default)]
struct KeyServer(Arc<Mutex<(Option<Value>, usize)>>);

impl KeyServer {
    /// Answers with an error as long as there are no keys.
    async fn start(keys: Option<Value>) -> (Self, String) {
        let server = Self(Arc::new(Mutex::new((keys, 0))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (server, url)
    }

    fn set(&self, keys: Value) {
        self.0.lock().unwrap().0 = Some(keys);
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

async fn answer(State(server): State<KeyServer>) -> Result<String, StatusCode> {
    let mut state = server.0.lock().unwrap();
    state.1 += 1;
    state.0.as_ref().map(Value::to_string).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

async fn gateway(url: &str, refresh_seconds: u64) -> (TestGateway, EchoService) {
    let movies = EchoService::start("movie-service").await;
    let builder = GatewayBuilder::new().await.movies(movies.address).set("AUTH_MODE", "jwt").set("JWT_ISSUER", ISSUER);
    let builder = builder.set("JWT_AUDIENCE", AUDIENCE).set("JWT_JWKS_URL", url);
    (builder.set("JWT_JWKS_REFRESH_SECONDS", refresh_seconds).start().await, movies)
}

async fn status(gateway: &TestGateway, token: &str) -> u16 {
    let bytes = format!("GET /api/v1/movies HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {token}\r\n\r\n");
    send(gateway.address, bytes).await.status
}

/// A key set with an issuer's EdDSA key under another name, and a token by it.
fn renamed(issuer: &Issuer, name: &str) -> (Value, String) {
    let mut key = issuer.key_set()["keys"][0].clone();
    key["kid"] = json!(name);
    (json!({"keys": [key]}), issuer.token("EdDSA", name, &claims(&[])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_fetched_when_a_token_names_it_and_unknown_ones_cause_one_fetch_at_most() {
    let (first, first_token) = renamed(&Issuer::new(), "first");
    let (second, second_token) = renamed(&Issuer::new(), "second");
    let (server, url) = KeyServer::start(Some(first)).await;
    let (gateway, _movies) = gateway(&url, 3600).await;
    assert_eq!((status(&gateway, &first_token).await, server.asked()), (200, 1));
    server.set(second);
    // Both at once: one waits for the fetch of the other.
    let (one, other) = tokio::join!(status(&gateway, &second_token), status(&gateway, &second_token));
    assert_eq!((one, other, server.asked()), (200, 200, 2));
    assert_eq!(status(&gateway, &first_token).await, 401, "a key that was withdrawn");
    let stranger = Issuer::new();
    for number in 0..20 {
        let token = stranger.token("EdDSA", &format!("unknown-{number}"), &claims(&[]));
        assert_eq!(status(&gateway, &token).await, 401);
    }
    assert_eq!(server.asked(), 2, "within 30 seconds there is no further fetch");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_anew_in_the_background() {
    let (first, first_token) = renamed(&Issuer::new(), "first");
    let (second, _) = renamed(&Issuer::new(), "second");
    let (server, url) = KeyServer::start(Some(first)).await;
    let (gateway, _movies) = gateway(&url, 1).await;
    assert_eq!(status(&gateway, &first_token).await, 200);
    server.set(second);
    eventually("the withdrawn key is forgotten", async || status(&gateway, &first_token).await == 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_it_is_503_until_there_are_some() {
    let (server, url) = KeyServer::start(None).await;
    let (gateway, _movies) = gateway(&url, 1).await;
    let (keys, token) = renamed(&Issuer::new(), "first");
    assert_eq!(status(&gateway, &token).await, 503);
    assert_eq!(status(&gateway, "x").await, 401, "what is no token needs no key");
    server.set(keys);
    eventually("tokens are verified", async || status(&gateway, &token).await == 200).await;
    // An error keeps the keys of before.
    server.0.lock().unwrap().0 = None;
    let asked = server.asked();
    eventually("it is asked again", async || server.asked() > asked + 1).await;
    assert_eq!(status(&gateway, &token).await, 200);
}
