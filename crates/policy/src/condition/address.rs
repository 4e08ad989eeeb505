//! IP addresses and networks, compared as numbers.
//!
//! IPv4 and IPv6 never match each other. A request address that is an IPv4 address in IPv6 form
//! (`::ffff:a.b.c.d`) is the IPv4 address; a network written that way in a policy is not.

use std::net::Ipv6Addr;

/// An address as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    V4(u32),
    V6(u128),
}

/// A network of a policy: the first address, and the mask of the bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    V4 { first: u32, mask: u32 },
    V6 { first: u128, mask: u128 },
}

impl Address {
    /// The address of a request.
    pub(super) fn parse(text: &str) -> Option<Address> {
        if let Some(v4) = parse_v4(text) {
            return Some(Address::V4(v4));
        }
        let v6: Ipv6Addr = text.parse().ok()?;
        Some(v6.to_ipv4_mapped().map_or(Address::V6(v6.to_bits()), |v4| Address::V4(v4.to_bits())))
    }
}

impl Network {
    /// `address` or `address/bits`. An IPv4 network may carry host bits; an IPv6 network that does, or that
    /// is written with dots, is no network.
    pub(super) fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(prefix(bits)?)),
            None => (text, None),
        };
        if let Some(v4) = parse_v4(address) {
            let mask = v4_mask(bits.unwrap_or(32))?;
            return Some(Network::V4 { first: v4 & mask, mask });
        }
        if address.contains('.') {
            return None;
        }
        let first = address.parse::<Ipv6Addr>().ok()?.to_bits();
        let mask = v6_mask(bits.unwrap_or(128))?;
        (first & mask == first).then_some(Network::V6 { first, mask })
    }

    pub(super) fn contains(&self, address: Address) -> bool {
        match (*self, address) {
            (Network::V4 { first, mask }, Address::V4(address)) => address & mask == first,
            (Network::V6 { first, mask }, Address::V6(address)) => address & mask == first,
            _ => false,
        }
    }
}

/// Whether so much of the internet is in the network that naming it chooses nobody: more than a /8 of IPv4 or a /32 of
/// IPv6, the private networks apart (Amazon S3 User Guide, "The meaning of 'public'").
pub(crate) fn is_wide_network(text: &str) -> bool {
    match Network::parse(text) {
        Some(Network::V4 { mask, .. }) => mask.count_ones() < 8,
        Some(Network::V6 { first, mask }) => mask.count_ones() < 32 && first >> 121 != 0xfc >> 1,
        None => false,
    }
}

fn v4_mask(bits: u32) -> Option<u32> {
    32_u32.checked_sub(bits).map(|host| u32::MAX.checked_shl(host).unwrap_or(0))
}

fn v6_mask(bits: u32) -> Option<u128> {
    128_u32.checked_sub(bits).map(|host| u128::MAX.checked_shl(host).unwrap_or(0))
}

/// Four decimal numbers; leading zeroes are decimal too.
fn parse_v4(text: &str) -> Option<u32> {
    let mut parts = text.split('.');
    let mut address = 0_u32;
    for _ in 0..4 {
        address = (address << 8) | number(parts.next()?, 255)?;
    }
    parts.next().is_none().then_some(address)
}

fn prefix(text: &str) -> Option<u32> {
    number(text, 128)
}

fn number(text: &str, most: u32) -> Option<u32> {
    if text.is_empty() || text.len() > 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(Address::parse(address).unwrap())
    }

    #[test]
    fn networks_are_compared_as_numbers() {
        assert!(contains("0.0.0.0/0", "203.0.113.7"));
        assert!(contains("128.0.0.0/1", "203.0.113.7"));
        assert!(!contains("0.0.0.0/1", "203.0.113.7"));
        assert!(contains("203.0.113.64/26", "203.0.113.127"));
        assert!(!contains("203.0.113.64/26", "203.0.113.128"));
        assert!(contains("203.0.113.7", "203.0.113.7"));
        assert!(contains("203.0.113.9/30", "203.0.113.8"));
        assert!(contains("010.001.002.003", "10.1.2.3"));
        assert!(contains("10.0.0.0000000009", "10.0.0.9"));
        assert!(contains("2001:DB8::1", "2001:db8:0:0::1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("::/0", "fe80::1"));
    }

    #[test]
    fn families_do_not_match_each_other() {
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
        assert!(!contains("::/0", "10.1.2.3"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!contains("::ffff:a01:203", "10.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
    }

    #[test]
    fn a_wide_network_is_one_of_few_fixed_bits() {
        for wide in
            ["0.0.0.0/0", "1.2.3.4/0", "128.0.0.0/1", "12.0.0.0/7", "0:0::0/0", "2000::/3", "2001:d00::/24"]
        {
            assert!(is_wide_network(wide), "{wide}");
        }
        for narrow in
            ["12.0.0.0/8", "10.0.0.0/8", "2001:db8::/32", "fc00::/7", "fd00::/8", "203.0.113.9", "x"]
        {
            assert!(!is_wide_network(narrow), "{narrow}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10",
            "10.0.0",
            "10.0.0.0.0",
            "10.0.0.256",
            "10.0.0.00000000001",
            "10.0.0.+1",
            "10.0.0.4294967296",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "2001:db8::1/64",
            "2001:db8::/129",
            "::ffff:10.0.0.0/104",
            "::10.0.0.1",
            "fe80::1%eth0",
            "10.0.0.x",
            " 10.0.0.1",
            "10.*",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        for text in ["", "10.0.0.0/8", "x", "2001:db8::/32"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
