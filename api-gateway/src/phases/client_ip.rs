//! The address of the client: the peer of the connection, or the one that a trusted proxy reports.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The header in which proxies report their client.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The canonical form of an address: an IPv4 client is the same client over IPv6.
pub fn canonical_ip(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// Whether `peer` is one of the networks whose `X-Forwarded-*` headers are trusted.
pub fn is_trusted(peer: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&peer))
}

/// The client of a request that came from `peer`. Behind a trusted proxy it is the last address of `X-Forwarded-For`
/// that is not a trusted proxy itself. Entries that cannot be read are passed over: stopping at one would give all
/// clients of the proxy that wrote it the same address, and with it one rate limit.
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = canonical_ip(peer);
    if !is_trusted(client, trusted) {
        return client;
    }
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    let entries = lines.into_iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    for hop in entries.filter_map(parse_entry) {
        client = hop;
        if !is_trusted(client, trusted) {
            break;
        }
    }
    client
}

/// An address, which some proxies write with a port and IPv6 ones in brackets.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?.trim();
    let in_brackets = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(in_brackets).or_else(with_port).map(canonical_ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, line.parse().expect("a legal value"));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().expect("a network")).collect();
        client_ip(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn an_untrusted_peer_cannot_choose_its_address() {
        assert_eq!(client("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["203.0.113.9"], &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn behind_trusted_proxies_the_last_untrusted_address_is_the_client() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client("10.0.0.1", &["203.0.113.9"], &trusted), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"], &trusted), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "203.0.113.9"], &trusted), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[], &trusted), "10.0.0.1");
    }

    #[test]
    fn entries_that_cannot_be_read_are_passed_over() {
        let trusted = ["10.0.0.0/8"];
        for (line, expected) in [
            ("203.0.113.9, unknown", "203.0.113.9"),
            ("203.0.113.9, rubbish, 10.0.0.2", "203.0.113.9"),
            ("1.1.1.1, 203.0.113.9, , _hidden", "203.0.113.9"),
            ("rubbish, 10.0.0.2", "10.0.0.2"),
            ("rubbish", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[line], &trusted), expected, "{line:?}");
        }
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "unknown"], &trusted), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, \u{e9}"], &trusted), "203.0.113.9");
    }

    #[test]
    fn an_address_may_have_a_port_or_brackets() {
        for (entry, expected) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[::ffff:203.0.113.9]:1", "203.0.113.9"),
        ] {
            assert_eq!(client("10.0.0.1", &[entry], &["10.0.0.0/8"]), expected, "{entry}");
        }
    }

    #[test]
    fn an_ipv4_client_is_the_same_over_ipv6() {
        assert_eq!(client("::ffff:192.0.2.1", &[], &[]), "192.0.2.1");
    }
}
