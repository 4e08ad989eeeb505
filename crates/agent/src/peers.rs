//! Who may ask at all. The agent is the machine itself: what it sends to a container's network or to a neighbour on the link is
//! forwarded by nobody, so that no TTL runs out on the way and hops alone keep nobody out. At a hop limit of 1 it is the
//! peer's address that decides: it must be one of this machine's own.
//!
//! Source: Amazon EC2 User Guide, "Configure the Instance Metadata Service options" (`HttpPutResponseHopLimit`); ip(7).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Settings, Trouble};

/// Addresses that no machine has (RFC 5737, RFC 3849).
const NOBODYS_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const NOBODYS_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// Connections of one address at once, of those that are not this machine's: one container does not take all.
const CONNECTIONS_MAX: usize = 32;

/// Connections that there are, by address.
type Guests = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// See the module.
pub(crate) struct Peers {
    hop_limit: u8,
    is_own: fn(SocketAddr, SocketAddr) -> bool,
    guests: Guests,
}

impl Peers {
    pub(crate) fn new(hop_limit: u8) -> Self {
        Self::of(hop_limit, is_own)
    }

    /// With another way to tell whether a peer is of this machine; its second argument is the connection's local address.
    pub(crate) fn of(hop_limit: u8, is_own: fn(SocketAddr, SocketAddr) -> bool) -> Self {
        Self { hop_limit, is_own, guests: Guests::default() }
    }

    pub(crate) fn hop_limit(&self) -> u8 {
        self.hop_limit
    }

    /// Take a peer in, if it is answered and has not too many connections; `local` is the address that this one came to.
    pub(crate) fn admit(&self, peer: SocketAddr, local: SocketAddr) -> Option<Guest> {
        let address = peer.ip().to_canonical();
        if (self.is_own)(peer, local) {
            return Some(Guest(None));
        }
        if self.hop_limit == 1 {
            tracing::debug!(peer = %address, "not an address of this machine, and --hop-limit is 1: closed");
            return None;
        }
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = guests.entry(address).or_default();
        if *count >= CONNECTIONS_MAX {
            tracing::debug!(peer = %address, "it has as many connections as a peer may: closed");
            return None;
        }
        *count += 1;
        Some(Guest(Some((address, self.guests.clone()))))
    }
}

/// A peer's connection, counted as long as this lives.
pub(crate) struct Guest(Option<(IpAddr, Guests)>);

impl Drop for Guest {
    fn drop(&mut self) {
        let Some((address, guests)) = self.0.take() else { return };
        let mut guests = guests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = guests.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                guests.remove(&address);
            }
        }
    }
}

/// Whether a peer's address is one of this machine's.
fn is_own(peer: SocketAddr, local: SocketAddr) -> bool {
    let address = peer.ip().to_canonical();
    if address.is_loopback() || address == local.ip().to_canonical() {
        return true;
    }
    // A socket can be bound to the machine's own addresses only, without any privilege ...
    let mut own = peer;
    own.set_ip(address);
    own.set_port(0);
    let nobodys = if address.is_ipv4() { NOBODYS_4 } else { NOBODYS_6 };
    // ... unless the system allows all others, too (`net.ipv4.ip_nonlocal_bind`): then it tells nothing.
    can_bind(own) && !can_bind(SocketAddr::new(nobodys, 0))
}

fn can_bind(address: SocketAddr) -> bool {
    UdpSocket::bind(address).is_ok()
}

/// Who reaches an address where the agent listens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Programs of this machine alone.
    Nothing,
    /// Others as well, who are refused: a line that says so.
    Own(String),
    /// Others as well, who are answered: a line that says so.
    Others(String),
}

impl Beyond {
    /// # Errors
    /// Whoever reaches the address would get the machine's credentials by one `GET`.
    pub(crate) fn of(listen: SocketAddr, settings: &Settings) -> Result<Self, Trouble> {
        if listen.ip().to_canonical().is_loopback() {
            return Ok(Self::Nothing);
        }
        if settings.hop_limit == 1 {
            return Ok(Self::Own(format!(
                "--listen {listen} can be reached from outside this machine: who comes from another address than its own is refused, since --hop-limit is 1"
            )));
        }
        if settings.allow_version_1 {
            return Err(Trouble::new(format!(
                "--listen {listen} with --http-tokens optional and --hop-limit {}: one GET from any container or neighbour would get this machine's credentials; leave the hop limit at 1, or require session tokens",
                settings.hop_limit
            )));
        }
        Ok(Self::Others(format!(
            "--listen {listen} with --hop-limit {}: whoever reaches this address, containers and neighbours on the network, can get this machine's credentials; let a firewall say who does",
            settings.hop_limit
        )))
    }
}

#[cfg(test)]
mod tests {
    //! Whose address is whose, and where others come in.

    use super::*;
    use crate::test_support::settings;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_container_and_a_neighbour_are_not_this_machine() {
        let local = at("169.254.169.254:80");
        for own in ["127.0.0.1:5", "127.9.9.9:5", "[::1]:5", "[::ffff:127.0.0.1]:5", "169.254.169.254:5"] {
            assert!(is_own(at(own), local), "{own}");
        }
        assert!(is_own(at("[::ffff:169.254.169.254]:5"), local));
        // Documentation's addresses (RFC 5737, RFC 3849): on no interface.
        for other in
            ["192.0.2.1:5", "198.51.100.7:5", "203.0.113.9:5", "[2001:db8::2]:5", "[::ffff:198.51.100.7]:5"]
        {
            assert!(!is_own(at(other), local), "{other}");
        }
    }

    #[test]
    fn one_container_does_not_take_all_connections() {
        let (peers, local) = (Peers::of(2, |peer, _| peer.ip().is_loopback()), at("10.0.0.1:80"));
        let many: Vec<_> = (0..100).filter_map(|_| peers.admit(at("10.0.0.2:5"), local)).collect();
        assert_eq!(many.len(), 32);
        assert!(peers.admit(at("10.0.0.3:5"), local).is_some());
        let own: Vec<_> = (0..100).filter_map(|_| peers.admit(at("127.0.0.1:5"), local)).collect();
        assert_eq!(own.len(), 100);
        drop(many);
        assert!(peers.admit(at("10.0.0.2:5"), local).is_some());
        assert!(peers.guests.lock().unwrap().is_empty());
    }

    #[test]
    fn others_come_in_by_a_hop_limit_alone_and_never_by_one_get() {
        let of = |listen: &str, hop_limit, allow_version_1| {
            Beyond::of(at(listen), &Settings { hop_limit, allow_version_1, ..settings() })
        };
        for hop_limit in [1, 2] {
            for listen in ["127.0.0.1:1338", "[::1]:80"] {
                assert_eq!(of(listen, hop_limit, true), Ok(Beyond::Nothing));
            }
        }
        for listen in ["0.0.0.0:80", "169.254.169.254:80", "[::]:80", "[fd00:ec2::254]:80"] {
            assert!(matches!(of(listen, 1, true), Ok(Beyond::Own(_))), "{listen}");
            assert!(matches!(of(listen, 2, false), Ok(Beyond::Others(_))), "{listen}");
            assert!(of(listen, 2, true).is_err(), "{listen}");
        }
    }
}
