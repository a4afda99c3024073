//! Forwarded headers: end-to-end ones are kept, hop-by-hop ones (RFC 9110, section 7.6.1) are removed.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header, uri::Authority};

use crate::phases::{client_ip::X_FORWARDED_FOR, request_id::X_REQUEST_ID, trace_context::TRACEPARENT};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HTTP: HeaderValue = HeaderValue::from_static("http");
/// Headers about one connection, besides those listed in `Connection`.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// Headers that stay even when `Connection` lists them: those that frame the message, and those the services rely on.
const ALWAYS_END_TO_END: [HeaderName; 5] =
    [header::CONTENT_LENGTH, header::HOST, header::AUTHORIZATION, X_REQUEST_ID, TRACEPARENT];

/// Removes the hop-by-hop headers and those listed in `Connection`.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in listed_in_connection(headers) {
            headers.remove(name);
        }
    }
    // Beside it a length has no meaning (RFC 9112, section 6.3).
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

fn listed_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(header::CONNECTION).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| !ALWAYS_END_TO_END.contains(name))
        .collect()
}

/// Makes the headers of a client's request those of the request to a service.
pub fn prepare_request(headers: &mut HeaderMap, peer: IpAddr, peer_is_trusted: bool, host: Option<&Authority>) {
    remove_hop_by_hop(headers);
    // This server has answered it already.
    headers.remove(header::EXPECT);
    let host = match host {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => headers.get(header::HOST).cloned(),
    };
    headers.remove(header::HOST);
    let peer = HeaderValue::from_str(&peer.to_string()).expect("an address is ASCII");
    if peer_is_trusted {
        headers.append(X_FORWARDED_FOR, peer);
    } else {
        // An untrusted peer could have sent anything.
        headers.remove(header::FORWARDED);
        headers.remove(HeaderName::from_static("x-real-ip"));
        headers.insert(X_FORWARDED_FOR, peer);
        headers.remove(X_FORWARDED_HOST);
        headers.remove(X_FORWARDED_PROTO);
    }
    if let Some(host) = host {
        headers.entry(X_FORWARDED_HOST).or_insert(host);
    }
    headers.entry(X_FORWARDED_PROTO).or_insert(HTTP);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a legal value"));
        }
        headers
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII"))).collect();
        lines.sort();
        lines
    }

    #[test]
    fn hop_by_hop_headers_and_those_listed_in_connection_are_removed() {
        let mut headers = headers(&[
            ("connection", "close, X-Secret, content-length"),
            ("connection", "x-other"),
            ("x-secret", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("content-length", "3"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ]);
        remove_hop_by_hop(&mut headers);
        assert_eq!(lines(&headers), ["content-length: 3", "set-cookie: a=1", "set-cookie: b=2"]);
    }

    #[test]
    fn forwarded_headers_of_an_untrusted_peer_are_replaced() {
        let mut headers = headers(&[
            ("host", "movies.example:8080"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "1.1.1.1"),
            ("forwarded", "for=1.1.1.1"),
            ("authorization", "Bearer x"),
        ]);
        prepare_request(&mut headers, [192, 0, 2, 1].into(), false, None);
        assert_eq!(
            lines(&headers),
            [
                "authorization: Bearer x",
                "x-forwarded-for: 192.0.2.1",
                "x-forwarded-host: movies.example:8080",
                "x-forwarded-proto: http",
            ]
        );
    }

    #[test]
    fn forwarded_headers_of_a_trusted_proxy_are_kept_and_appended_to() {
        let mut headers = headers(&[
            ("host", "internal"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-host", "movies.example"),
            ("x-forwarded-proto", "https"),
        ]);
        prepare_request(&mut headers, [10, 0, 0, 1].into(), true, None);
        assert_eq!(
            lines(&headers),
            [
                "x-forwarded-for: 1.1.1.1",
                "x-forwarded-for: 10.0.0.1",
                "x-forwarded-host: movies.example",
                "x-forwarded-proto: https",
            ]
        );
    }
}
