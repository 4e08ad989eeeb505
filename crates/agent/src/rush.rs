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

/// Requests of one address in one second.
const PER_SECOND_MAX: u32 = 1000;
/// Addresses that are counted each by itself; all others are one.
const ADDRESSES_MAX: usize = 1024;
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
}

impl Rush {
    /// Count a request of `peer` at `now` (Unix seconds), and refuse it if that are too many.
    pub(crate) fn refusal(&self, peer: IpAddr, now: i64) -> Option<Answer> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another second, whichever way the clock went.
        if counted.second != now {
            counted.second = now;
            counted.by_address.clear();
        }
        let peer = peer.to_canonical();
        let has_room = counted.by_address.len() < ADDRESSES_MAX || counted.by_address.contains_key(&peer);
        let count = counted.by_address.entry(if has_room { peer } else { OTHERS }).or_default();
        *count = count.saturating_add(1);
        let sentence = "The request could not be completed. Retry the request.\n";
        (*count > PER_SECOND_MAX).then(|| text(StatusCode::SERVICE_UNAVAILABLE, sentence))
    }
}

#[cfg(test)]
mod tests {
    //! How many, of whom, and when again.

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
        assert_eq!(refused(&rush, "127.0.0.2", 5, 1000), 0);
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
            drop(rush.refusal(IpAddr::V6(Ipv6Addr::from_bits(u128::from(number) + 1)), 5));
        }
        assert_eq!(rush.0.lock().unwrap().by_address.len(), ADDRESSES_MAX + 1);
        // Those who came later share one thousand, and who came before has its own still.
        assert_eq!((refused(&rush, "fd00::1", 5, 1), refused(&rush, "::1", 5, 1)), (1, 0));
    }
}
