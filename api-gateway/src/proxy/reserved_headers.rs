//! Headers that a client may not send, because services believe them: those of this gateway, and those of proxies in
//! front of it.

use axum::http::{HeaderMap, HeaderName, header};

/// Headers by which proxies tell who the client is and what it asked for.
const PROXY_HEADERS: [HeaderName; 8] = [
    header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("x-cluster-client-ip"),
    HeaderName::from_static("fastly-client-ip"),
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("x-remote-user"),
];
/// Beginnings of names of such headers.
const PROXY_PREFIXES: [&str; 7] =
    ["x-forwarded-", "x-original-", "x-rewrite-", "x-envoy-", "x-auth-", "x-authenticated-", "cf-"];

/// Removes what only this gateway may say, and from an untrusted peer, which could have sent anything, also what only a
/// proxy may.
pub fn remove_reserved(headers: &mut HeaderMap, peer_is_trusted: bool) {
    let is_removed = |name: &&HeaderName| is_reserved(name) || !peer_is_trusted && is_of_proxies(name);
    let removed: Vec<_> = headers.keys().filter(is_removed).cloned().collect();
    for name in removed {
        headers.remove(name);
    }
}

/// `X-User-*` tells services who the caller is. `Proxy` becomes the variable `HTTP_PROXY` in CGI, where `_` and `-` are
/// the same too, so that `X_User_Id` would be `X-User-Id`.
fn is_reserved(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-user-") || name == "proxy" || name.as_str().contains('_')
}

fn is_of_proxies(name: &HeaderName) -> bool {
    PROXY_HEADERS.contains(name) || PROXY_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the names stay.
    fn kept<'a>(names: &[&'a str], peer_is_trusted: bool) -> Vec<&'a str> {
        let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).expect("a legal name");
        let mut headers: HeaderMap = names.iter().map(|it| (name(it), "1".parse().expect("a legal value"))).collect();
        remove_reserved(&mut headers, peer_is_trusted);
        names.iter().copied().filter(|name| headers.contains_key(*name)).collect()
    }

    #[test]
    fn what_only_the_gateway_may_say_is_removed_whoever_sends_it() {
        let names = ["x-user-id", "x-user-scope", "x_user_id", "content_length", "proxy", "x-users", "proxy-x"];
        for trusted in [false, true] {
            assert_eq!(kept(&names, trusted), ["x-users", "proxy-x"], "from a trusted peer: {trusted}");
        }
    }

    #[test]
    fn what_only_a_proxy_may_say_is_removed_from_an_untrusted_peer() {
        let names = [
            "x-forwarded-user",
            "x-forwarded-port",
            "x-forwarded-prefix",
            "x-forwarded-server",
            "x-original-url",
            "x-rewrite-url",
            "true-client-ip",
            "cf-connecting-ip",
            "x-client-ip",
            "remote-user",
        ];
        assert!(kept(&names, false).is_empty());
        assert_eq!(kept(&names, true), names);
    }
}
