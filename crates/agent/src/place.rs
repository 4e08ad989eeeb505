//! From where somebody asks, as far as programs do not choose it: any of this machine may take whatever loopback address it likes,
//! and whoever has an IPv6 address may have the network around it (RFC 4291, section 2.5.4; RFC 6177).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// On this machine, with all programs that nothing tells apart from it.
    Here,
    /// At another address.
    At(IpAddr),
}

impl Place {
    /// Of a connection.
    pub(crate) fn of(peer: IpAddr, local: IpAddr) -> Self {
        let address = address(peer);
        let is_here = address.is_loopback() || address == self::address(local);
        if is_here { Self::Here } else { Self::At(address) }
    }

    /// The network of an address, where it has one that somebody else may not share.
    pub(crate) fn network(self) -> Option<IpAddr> {
        match self {
            Self::At(address @ IpAddr::V6(_)) => Some(network(address)),
            Self::At(IpAddr::V4(_)) | Self::Here => None,
        }
    }
}

/// An address in one spelling, and one for all of 127.0.0.0/8 (RFC 1122, section 3.2.1.3).
pub(crate) fn address(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) if address.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        address => address,
    }
}

/// What one who has this address may have besides: of IPv6 its /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    //! What is one place.

    use super::*;

    #[test]
    fn loopback_is_one_place_and_a_pod_another() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let of = |peer: &str| Place::of(ip(peer), ip("169.254.170.23"));
        for here in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.3.2.1", "169.254.170.23"] {
            assert_eq!(of(here), Place::Here, "{here}");
        }
        assert_eq!(of("::ffff:10.0.0.7"), Place::At(ip("10.0.0.7")));
        assert_eq!((of("10.0.0.7").network(), of("127.0.0.1").network()), (None, None));
        assert_eq!(of("fd00:1:2:3:4:5:6:7").network(), Some(ip("fd00:1:2:3::")));
    }
}
