//! Who asks faster than programs of a machine do. An agent answers so many requests of one address in a second; the next hears
//! what instance metadata says then, and the SDKs try again.
//!
//! Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" (throttling, and 503 among the
//! status codes); the number is that of the public EKS Pod Identity agent.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

use crate::answer::{Answer, text};
use crate::place::{address, network};

/// Requests of one address in one second.
const PER_SECOND_MAX: u32 = 1000;
/// Addresses that are counted each by itself; all others are one.
const ADDRESSES_MAX: usize = 1024;
/// Those of one IPv6 network: as many as pods of a node, which share one where each node has a /64. All others of it are one, so
/// that who has a network takes no count from those outside.
const NEIGHBOURS_MAX: usize = 128;
/// All others.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Requests of the present second, by address.
#[derive(Default)]
pub(crate) struct Rush(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    /// Unix seconds.
    second: i64,
    by_address: HashMap<IpAddr, u32>,
    /// Addresses that are counted each by itself, by network.
    of_network: HashMap<IpAddr, usize>,
}

impl Rush {
    /// Count a request of `peer` at `now` (Unix seconds), and refuse it if that are too many.
    pub(crate) fn refusal(&self, peer: IpAddr, now: i64) -> Option<Answer> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another second, whichever way the clock went.
        if counted.second != now {
            *counted = Counted { second: now, ..Counted::default() };
        }
        let place = counted.place(address(peer));
        let count = counted.by_address.entry(place).or_default();
        *count = count.saturating_add(1);
        let sentence = "The request could not be completed. Retry the request.\n";
        (*count > PER_SECOND_MAX).then(|| text(StatusCode::SERVICE_UNAVAILABLE, sentence))
    }
}

impl Counted {
    /// As what an address is counted.
    fn place(&mut self, address: IpAddr) -> IpAddr {
        if self.by_address.contains_key(&address) {
            return address;
        }
        let network = network(address);
        let has_room = self.by_address.len() < ADDRESSES_MAX;
        match self.of_network.get(&network) {
            Some(&neighbours) if neighbours >= NEIGHBOURS_MAX => {
                if has_room || self.by_address.contains_key(&network) { network } else { OTHERS }
            }
            _ if has_room => {
                *self.of_network.entry(network).or_default() += 1;
                address
            }
            _ => OTHERS,
        }
    }
}

#[cfg(test)]
mod tests {
    //! How many, of whom, and when again.

    use std::net::Ipv4Addr;

    use super::*;

    fn refused(rush: &Rush, peer: &str, now: i64, requests: u32) -> usize {
        let peer: IpAddr = peer.parse().unwrap();
        (0..requests).filter(|_| rush.refusal(peer, now).is_some()).count()
    }

    #[test]
    fn each_address_has_its_own_thousand_in_each_second() {
        let rush = Rush::default();
        assert_eq!(refused(&rush, "127.0.0.1", 5, 1001), 1);
        assert_eq!(refused(&rush, "::ffff:127.0.0.1", 5, 1), 1, "the same address");
        assert_eq!(refused(&rush, "127.0.0.2", 5, 1), 1, "whatever loopback address a program takes");
        assert_eq!(refused(&rush, "10.0.0.2", 5, 1000), 0);
        assert_eq!(refused(&rush, "127.0.0.1", 6, 1000), 0);
        // The clock was ahead.
        assert_eq!(refused(&rush, "127.0.0.1", 5, 1001), 1);
        let answer = rush.refusal("127.0.0.1".parse().unwrap(), 5).unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn of_however_many_addresses_no_more_are_counted() {
        let rush = Rush::default();
        for number in 0..3000_u32 {
            drop(rush.refusal(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + number)), 5));
        }
        assert_eq!(rush.0.lock().unwrap().by_address.len(), ADDRESSES_MAX + 1);
        // Those who came later share one thousand, and who came before has its own still.
        assert_eq!((refused(&rush, "fd00::1", 5, 1), refused(&rush, "10.0.0.1", 5, 1)), (1, 0));
    }

    #[test]
    fn who_has_a_network_takes_no_count_from_others() {
        let rush = Rush::default();
        let of_network = |number: u32| Ipv6Addr::from_bits((0xfd00 << 112) + u128::from(number) + 1);
        for number in 0..5000 {
            drop(rush.refusal(of_network(number).into(), 5));
        }
        assert_eq!(rush.0.lock().unwrap().by_address.len(), NEIGHBOURS_MAX + 1);
        for number in 0..5000_u32 {
            drop(rush.refusal(Ipv4Addr::from_bits(0x7f01_0000 + number).into(), 5));
        }
        // One more of it, a neighbour that came before, a pod of another network, by whatever version.
        let later = refused(&rush, "fd00::ffff:1", 5, 1);
        assert_eq!((later, refused(&rush, "fd00::1", 5, 1)), (1, 0));
        assert_eq!((refused(&rush, "fd00:0:0:1::1", 5, 1), refused(&rush, "10.0.0.7", 5, 1)), (0, 0));
    }
}
