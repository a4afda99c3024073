//! A property: no request that a client without a token can form gets an answer that the upstream produced, except from
//! the public list.

use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_oneof},
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};

use crate::{gateway::Gateway, spelling::resolve, upstream::MARK, wire::exchange};

/// Connections at once; when one of them breaks the rule, proptest finds out which.
const CONNECTIONS: usize = 96;
/// Sets of connections, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 64;
/// Ends whatever head was begun, and is answered last.
const LAST: &str = "\r\n\r\nGET /health HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n";

const ODD_METHODS: &[&str] =
    &["HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PRI", "", "GET /health HTTP/1.1\r\n\r\nGET"];
const ODD_VERSIONS: &[&str] = &["HTTP/1.0", "HTTP/1.2", "HTTP/0.9", "HTTP/2.0", "http/1.1", "", "HTTP/1.1 HTTP/1.1"];
const ORIGINS: &[&str] =
    &["http://gateway", "http://gateway:80", "http://health@gateway", "//gateway", "gateway:80", "*", "http:", "/."];
const PUBLIC: &[&str] =
    &["/health", "/ready", "/api/v1/health", "/swagger", "/swagger/doc.yaml", "/", "/favicon.ico", "/api/v1/movies"];
/// From a public path to another one.
const WAYS: &[&str] = &[
    "/..",
    "/.",
    "//",
    "/%2e%2e",
    "/.%2E",
    "/..;",
    "/..;x=y",
    "\\..",
    "/..%2f",
    "%2f..",
    "/%252e%252e",
    "/%c0%ae%c0%ae",
    "%5c..",
    "/...",
    ";",
    "%00",
    "%20",
    "/x/..",
    "#",
    "?",
    "%23",
    "%3f",
    ".",
    "/%2e%2e%2f",
    "\t",
];
const PROTECTED: &[&str] = &[
    "/api/v1/movies",
    "/api/v1/movies/1",
    "/api/v1/users",
    "/api/v1/users/1/recommendations",
    "/api/v1/admin/sync",
    "/api/v1/rules",
    "/api/v1/genres",
    "/API/v1/movies",
    "/api/v1/models/train",
    "/api/v1//movies",
];
const ENDS: &[&str] = &["/", "?", "?/health", "#/health", ";/health", "/../../../health", "%00/health", "/.", "%2f"];
const NO_TOKENS: &[&str] = &[
    "Authorization:",
    "Authorization: Bearer",
    "Authorization: Bearer  ",
    "Authorization: bearer x",
    "Authorization: Bearer\tx",
    "Authorization: Basic eDp4",
    "Authorization: BearerX",
    "Authorization: Token x",
    "Authorization: Bearer:x",
    "Proxy-Authorization: Bearer x",
    "X-Authorization: Bearer x",
    "X-Forwarded-Authorization: Bearer x",
    "Authorization_: Bearer x",
    "Authorization : Bearer x",
    "Cookie: token=x; Authorization=Bearer x",
];
/// What some server took for a path, a client, a user or the end of a message.
const HEADERS: &[&str] = &[
    "X-Original-URL: /health",
    "X-Rewrite-URL: /health",
    "X-Original-URL: /api/v1/movies",
    "X-Forwarded-Uri: /health",
    "X-Forwarded-Prefix: /health",
    "X-HTTP-Method-Override: OPTIONS",
    "X-Method-Override: OPTIONS",
    "X-Real-IP: ::1",
    "X-Forwarded-For: 127.0.0.1",
    "X-User-Id: 1",
    "X-Forwarded-User: admin",
    "Host: health",
    "Host:",
    "Connection: Authorization",
    "Connection: keep-alive",
    "Connection: Upgrade",
    "Connection: close",
    "Upgrade: h2c",
    "Upgrade: websocket",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: 60",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding : chunked",
    "Expect: 100-continue",
    "TE: trailers",
    "Origin: null",
    "X: a\n b",
    ": x",
    "X",
    "Access-Control-Request-Method: GET",
    "Range: bytes=0-",
];

#[test]
fn no_request_without_a_token_gets_an_answer_of_the_upstream() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gateway = Gateway::start();
    let mut config = Config { failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let result = TestRunner::new(config).run(&vec(connection(), 1..=CONNECTIONS), |connections| {
        gateway.upstream.forget();
        runtime.block_on(rule(&gateway, &connections)).map_err(TestCaseError::fail)
    });
    result.unwrap_or_else(|broken| panic!("{broken}"));
}

/// The rule for what is sent on some connections.
async fn rule(gateway: &Gateway, connections: &[String]) -> Result<(), String> {
    let answers = join_all(connections.iter().map(|bytes| exchange(gateway.address, bytes.as_bytes()))).await;
    let seen = gateway.seen();
    let is_public =
        |target: &str| resolve(target).starts_with("/swagger") && !target.to_ascii_lowercase().starts_with("/api");
    if let Some(protected) = seen.iter().find(|seen| !is_public(seen.target())) {
        return Err(format!("forwarded without a token: {:?}", protected.head));
    }
    let marked = answers.iter().flatten().filter(|answer| answer.header(MARK).is_some()).count();
    if marked > seen.len() {
        return Err(format!("{marked} answers of the upstream to {} requests", seen.len()));
    }
    Ok(())
}

/// What is sent on one connection: a few messages, whole or not.
fn connection() -> impl Strategy<Value = String> {
    vec(message(), 1..4).prop_map(|messages| messages.concat() + LAST)
}

fn message() -> impl Strategy<Value = String> {
    let headers = (authorization(), vec(mostly("X: x", 3, HEADERS), 0..4));
    (request_line(), headers, body()).prop_map(|(line, (authorization, headers), body)| {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        format!("{line}\r\nHost: gateway\r\n{authorization}{headers}\r\n{body}")
    })
}

/// `usual`, and in one of `parts` cases one of `others`: a message with many oddities is refused for the first of them.
fn mostly(usual: &'static str, parts: u32, others: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![parts - 1 => Just(usual), 1 => select(others)]
}

fn request_line() -> impl Strategy<Value = String> {
    let method = prop_oneof![9 => select(&["GET", "POST", "PUT", "PATCH", "DELETE"]), 1 => select(ODD_METHODS)];
    let version = mostly("HTTP/1.1", 12, ODD_VERSIONS);
    let space = mostly(" ", 20, &["  ", "\t", "\x0b", "\u{a0}"]);
    (method, target(), version, space)
        .prop_map(|(method, target, version, space)| format!("{method}{space}{target} {version}"))
}

/// Protected paths in odd spellings, and public ones that may lead to them.
fn target() -> impl Strategy<Value = String> {
    let origin = mostly("", 8, ORIGINS);
    let way = prop_oneof![2 => Just(Vec::new()), 1 => vec(select(WAYS), 0..4)];
    let end = mostly("", 5, ENDS);
    let escaped = prop_oneof![2 => Just(Vec::new()), 1 => vec(0usize..100, 0..6)];
    let path = (mostly("", 3, PUBLIC), way, select(PROTECTED), end);
    (origin, path, escaped).prop_map(|(origin, (public, way, protected, end), escaped)| {
        let path = [public, &way.concat(), protected, end].concat();
        origin.to_owned() + &escape(&path, &escaped)
    })
}

/// Writes some of the characters as escapes, in upper or lower case.
fn escape(path: &str, places: &[usize]) -> String {
    let escaped = |(at, byte): (usize, u8)| match places.iter().find(|place| **place / 2 == at) {
        Some(place) if place % 2 == 0 => format!("%{byte:02x}"),
        Some(_) => format!("%{byte:02X}"),
        None => char::from(byte).to_string(),
    };
    path.bytes().enumerate().map(escaped).collect()
}

/// No token, in some way.
fn authorization() -> impl Strategy<Value = String> {
    let line = prop_oneof![4 => select(NO_TOKENS).prop_map(ToOwned::to_owned), 1 => random_line()];
    prop_oneof![1 => Just(String::new()), 1 => line.prop_map(|line| format!("{line}\r\n"))]
}

/// Any line without a token.
fn random_line() -> impl Strategy<Value = String> {
    "[A-Z][a-z-]{0,12}: [ -~]{0,30}".prop_filter("no token", |line| !line.contains("earer"))
}

fn body() -> impl Strategy<Value = String> {
    let request = "GET /api/v1/movies HTTP/1.1\r\nHost: gateway\r\n\r\n";
    let odd = vec![
        request.to_owned(),
        format!("0\r\n\r\n{request}"),
        format!("{:x}\r\n{request}\r\n0\r\n\r\n", request.len()),
        format!("0\r\nAuthorization: x\r\n\r\n{request}"),
        format!("5\nhello\r\n0\r\n\r\n{request}"),
        "five!".to_owned(),
    ];
    prop_oneof![2 => Just(String::new()), 1 => select(odd)]
}
