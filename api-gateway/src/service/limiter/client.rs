//! Whose requests are counted together.

use std::net::{IpAddr, Ipv6Addr};

/// A client by its address. An IPv6 host may use any address of its network, so there the network is the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client {
    address: IpAddr,
    /// Bits that count, when it is the address of a network.
    prefix: Option<u8>,
}

impl Client {
    /// The client at `address`; `ipv6_prefix` is the number of bits that name an IPv6 network, 128 for the address.
    pub fn new(address: IpAddr, ipv6_prefix: u8) -> Self {
        match address {
            IpAddr::V6(address) if ipv6_prefix < 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(ipv6_prefix)).unwrap_or(0);
                let network = Ipv6Addr::from_bits(address.to_bits() & mask);
                Self { address: network.into(), prefix: Some(ipv6_prefix) }
            }
            address => Self { address, prefix: None },
        }
    }

    /// The Redis key of its counter.
    pub fn key(&self) -> String {
        match self.prefix {
            None => format!("ratelimit:{}", self.address),
            Some(prefix) => format!("ratelimit:{}/{prefix}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_client_is_its_network_and_an_ipv4_client_its_address() {
        for (address, prefix, key) in [
            ("192.0.2.1", 64, "ratelimit:192.0.2.1"),
            ("192.0.2.1", 8, "ratelimit:192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", 64, "ratelimit:2001:db8:1:2::/64"),
            ("2001:db8:1:2:3:4:5:6", 56, "ratelimit:2001:db8:1::/56"),
            ("2001:db8:1:2:3:4:5:6", 1, "ratelimit:::/1"),
            ("2001:db8::6", 128, "ratelimit:2001:db8::6"),
        ] {
            assert_eq!(Client::new(address.parse().expect("an address"), prefix).key(), key, "{address}/{prefix}");
        }
    }
}
