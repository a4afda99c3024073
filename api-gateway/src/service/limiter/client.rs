//! Whose requests are counted together.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use super::Policy;

/// A client, mostly by its address. An IPv6 host may use any address of its network, so there the network is the client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Client {
    /// A host.
    Address(IpAddr),
    /// A network with the number of bits that name it.
    Network(Ipv6Addr, u8),
    /// Whom a token was issued to.
    Subject(Arc<str>),
}

impl Client {
    /// The client at `address`; `ipv6_prefix` is the number of bits that name an IPv6 network, 128 for the address.
    pub fn new(address: IpAddr, ipv6_prefix: u8) -> Self {
        match address {
            IpAddr::V6(address) if ipv6_prefix < 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(ipv6_prefix)).unwrap_or(0);
                Self::Network(Ipv6Addr::from_bits(address.to_bits() & mask), ipv6_prefix)
            }
            address => Self::Address(address),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Network(network, prefix) => write!(formatter, "{network}/{prefix}"),
            Self::Subject(subject) => write!(formatter, "subject:{subject}"),
        }
    }
}

/// A counter: what `ratelimit:` stands before in Redis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The policy.
    pub policy: Policy,
    /// The client.
    pub client: Client,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.policy {
            Policy::Default => self.client.fmt(formatter),
            policy => write!(formatter, "{}:{}", policy.name(), self.client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_client_is_its_network_and_an_ipv4_client_its_address() {
        for (address, prefix, key) in [
            ("192.0.2.1", 64, "192.0.2.1"),
            ("192.0.2.1", 8, "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:2:3:4:5:6", 56, "2001:db8:1::/56"),
            ("2001:db8:1:2:3:4:5:6", 1, "::/1"),
            ("2001:db8::6", 128, "2001:db8::6"),
        ] {
            let client = Client::new(address.parse().expect("an address"), prefix);
            assert_eq!(Key { policy: Policy::Default, client }.to_string(), key, "{address}/{prefix}");
        }
    }
}
