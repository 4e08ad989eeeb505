//! Where calls that nobody signs come from, for sharing out what they take: all that is known of whoever makes them.

use std::net::{IpAddr, Ipv6Addr};

/// The address, or the network that it stands for: whoever has one address of a network of IPv6 has them all (RFC 4291,
/// section 2.5.4). One of IPv4 in another's clothes is one of IPv4.
pub(crate) fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    })
}
