//! Identical in every service (a test compares the copies).
//!
//! How many connections are served at once, in all and for one client, and how many more are still told so.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most connections beyond the limit that are answered at the same time: probes of health, and refusals in words.
const MAX_OVERFLOW: usize = 64;
/// There are fewer where there are few descriptors: this part of the limit.
const OVERFLOW_PART: usize = 8;
/// Leading bits of an IPv6 address that stand for one client: its network.
const IPV6_PREFIX: u32 = 64;

/// Counts open connections. Clones share the counts.
#[derive(Debug, Clone)]
pub struct ConnectionSlots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    max_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    served: usize,
    overflow: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: ConnectionSlots,
    /// Whose connection is counted; `None` for one beyond the limit.
    address: Option<IpAddr>,
}

impl ConnectionSlots {
    /// Places for `max` connections, `max_per_address` of them for one client.
    pub fn new(max: usize, max_per_address: usize) -> Self {
        Self(Arc::new(Inner { max, max_per_address, open: Mutex::default() }))
    }

    /// A place for a connection from `peer`; `None` when there is not even one to say so.
    pub fn take(&self, peer: IpAddr) -> Option<Slot> {
        let address = network(peer);
        let mut open = self.lock();
        let of_address = open.by_address.get(&address).copied().unwrap_or(0);
        let is_within = open.served < self.0.max && of_address < self.0.max_per_address;
        if is_within {
            open.served += 1;
            open.by_address.insert(address, of_address + 1);
        } else if open.overflow < (self.0.max / OVERFLOW_PART).clamp(1, MAX_OVERFLOW) {
            open.overflow += 1;
        } else {
            return None;
        }
        Some(Slot { slots: self.clone(), address: is_within.then_some(address) })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whether the limit was reached before this connection.
    pub fn is_overflow(&self) -> bool {
        self.address.is_none()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.lock();
        let Some(address) = self.address else {
            open.overflow -= 1;
            return;
        };
        open.served -= 1;
        match open.by_address.get_mut(&address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.by_address.remove(&address);
            }
        }
    }
}

/// An IPv4 address, or the network of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() >> (128 - IPV6_PREFIX) << (128 - IPV6_PREFIX)).into()
        }
        address => address,
    }
}

/// Raises the number of file descriptors of the process to what the system allows, and gives how many of `wanted`
/// connections they suffice for: half of them are kept for connections to other services, databases and files.
pub fn usable_connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = if raised { maximum } else { current };
    let usable = limit.map_or(wanted, |limit| usize::try_from(limit / 2).unwrap_or(usize::MAX).clamp(1, wanted));
    if usable < wanted {
        tracing::warn!(wanted, usable, "fewer connections than MAX_CONNECTIONS: the system allows too few open files");
    }
    usable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn beyond_the_limit_some_more_are_told_so_and_then_none() {
        let slots = ConnectionSlots::new(16, 16);
        let mut taken: Vec<_> = (0..100).filter_map(|_| slots.take(address("192.0.2.1"))).collect();
        assert_eq!(taken.iter().filter(|slot| !slot.is_overflow()).count(), 16);
        assert_eq!(taken.len(), 16 + 16 / OVERFLOW_PART);
        assert!(slots.take(address("192.0.2.2")).is_none());
        taken.swap_remove(0);
        assert!(!slots.take(address("192.0.2.2")).expect("a place is free").is_overflow());
    }

    #[test]
    fn a_client_cannot_take_the_places_of_others() {
        let slots = ConnectionSlots::new(64, 2);
        let _held: Vec<_> = (0..3).map(|_| slots.take(address("2001:db8::1")).expect("a place")).collect();
        assert!(slots.take(address("2001:db8::ffff:2")).expect("one to say so").is_overflow(), "the same network");
        assert!(!slots.take(address("2001:db8:0:1::1")).expect("a place").is_overflow());
        assert!(!slots.take(address("::ffff:192.0.2.1")).expect("a place").is_overflow());
        assert!(!slots.take(address("192.0.2.1")).expect("a place").is_overflow());
    }

    #[test]
    fn every_place_is_given_back() {
        let slots = ConnectionSlots::new(1, 1);
        for _ in 0..100 {
            let first = slots.take(address("192.0.2.1")).expect("a place");
            let second = slots.take(address("192.0.2.1")).expect("one to say so");
            assert_eq!((first.is_overflow(), second.is_overflow()), (false, true));
        }
        assert!(slots.lock().by_address.is_empty());
    }
}
