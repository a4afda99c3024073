//! Forwarded headers: end-to-end ones are kept, hop-by-hop ones (RFC 9110, section 7.6.1) are removed.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header, uri::Authority};

use crate::{
    auth::Identity,
    phases::{
        client_ip::X_FORWARDED_FOR, message_validation::is_valid_host, request_id::X_REQUEST_ID,
        trace_context::TRACEPARENT,
    },
};

use super::reserved_headers::remove_reserved;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const X_USER_SCOPE: HeaderName = HeaderName::from_static("x-user-scope");
const HTTP: HeaderValue = HeaderValue::from_static("http");
const CHUNKED: HeaderValue = HeaderValue::from_static("chunked");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
/// Headers about one connection, besides those listed in `Connection`.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
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
    } else {
        // Only a chunked message can have trailers.
        headers.remove(header::TRAILER);
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

/// Whether the sender takes trailers with the response. It must say so for this connection (RFC 9110, section 10.1.4).
fn takes_trailers(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::TE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
        && listed_in_connection(headers).contains(&header::TE)
}

/// Says how long a request's body is when its length is not known before its end. hyper would send a GET without it.
pub fn frame_body(headers: &mut HeaderMap) {
    if !headers.contains_key(header::CONTENT_LENGTH) {
        headers.insert(header::TRANSFER_ENCODING, CHUNKED);
    }
}

/// Makes the headers of a client's request those of the request to a service.
pub fn prepare_request(headers: &mut HeaderMap, peer: IpAddr, peer_is_trusted: bool, host: Option<&Authority>) {
    let takes_trailers = takes_trailers(headers);
    remove_hop_by_hop(headers);
    if takes_trailers {
        // It is about one connection, so this gateway says it for its own: it forwards trailers.
        headers.insert(header::TE, TRAILERS);
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    // This server has answered it already.
    headers.remove(header::EXPECT);
    let host = match host {
        // Without the user that a target may name.
        Some(authority) => authority.as_str().rsplit('@').next().and_then(|host| HeaderValue::from_str(host).ok()),
        None => headers.get(header::HOST).cloned(),
    };
    headers.remove(header::HOST);
    remove_reserved(headers, peer_is_trusted);
    let peer = HeaderValue::from_str(&peer.to_string()).expect("an address is ASCII");
    if peer_is_trusted {
        headers.append(X_FORWARDED_FOR, peer);
    } else {
        headers.insert(X_FORWARDED_FOR, peer);
    }
    if !has_valid_forwarded_host(headers) {
        headers.remove(X_FORWARDED_HOST);
        headers.extend(host.map(|host| (X_FORWARDED_HOST, host)));
    }
    headers.entry(X_FORWARDED_PROTO).or_insert(HTTP);
}

/// Tells the service who the caller is, instead of the token that said it.
pub fn set_identity(headers: &mut HeaderMap, identity: &Identity) {
    let (subject, scope) = identity.header_values();
    headers.remove(header::AUTHORIZATION);
    headers.insert(X_USER_ID, subject);
    headers.insert(X_USER_SCOPE, scope);
}

fn has_valid_forwarded_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(X_FORWARDED_HOST).iter();
    let host = hosts.next().filter(|host| !host.is_empty() && is_valid_host(host.as_bytes()));
    host.is_some() && hosts.next().is_none()
}

/// Notes in `Via` that a message passed here, with the version in which it was received (RFC 9110, section 7.6.3).
pub fn add_via(headers: &mut HeaderMap, received: Version) {
    let entry = match received {
        Version::HTTP_10 => "1.0 api-gateway",
        Version::HTTP_2 => "2 api-gateway",
        _ => "1.1 api-gateway",
    };
    headers.append(header::VIA, HeaderValue::from_static(entry));
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
    fn a_forwarded_host_is_a_host() {
        for (given, expected) in [
            (&["movies.example:8443"][..], "movies.example:8443"),
            (&["[::1]"], "[::1]"),
            (&["u:p@evil"], "internal"),
            (&["evil/path"], "internal"),
            (&["a, b"], "internal"),
            (&["a", "b"], "internal"),
            (&[""], "internal"),
        ] {
            let mut headers = headers(&[("host", "internal")]);
            headers.extend(given.iter().map(|host| (X_FORWARDED_HOST, host.parse().expect("a legal value"))));
            prepare_request(&mut headers, [10, 0, 0, 1].into(), true, None);
            assert_eq!(headers.get_all(X_FORWARDED_HOST).iter().collect::<Vec<_>>(), [expected], "{given:?}");
        }
        let (mut headers, authority) = (HeaderMap::new(), Authority::from_static("u:p@movies.example:80"));
        prepare_request(&mut headers, [10, 0, 0, 1].into(), false, Some(&authority));
        assert_eq!(headers[X_FORWARDED_HOST], "movies.example:80");
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
