//! Where a server may listen: beyond loopback with TLS only, unless told, and each listener at a port of its own.

use std::net::SocketAddr;

use crate::failure::Failure;

/// # Errors
/// Whoever is on the way would read what is said, or the two are in each other's way.
pub(super) fn check_listeners(
    listen: SocketAddr,
    admin_listen: SocketAddr,
    has_tls: bool,
    plain_allowed: bool,
) -> Result<(), Failure> {
    let plain = [("--listen", listen, !has_tls), ("--admin-listen", admin_listen, true)];
    for (flag, address, _) in plain.into_iter().filter(|(.., is_plain)| *is_plain) {
        if !address.ip().is_loopback() && !plain_allowed {
            let own = if flag == "--listen" { "give --tls-cert and --tls-key, or " } else { "" };
            return Err(Failure::new(format!(
                "{flag} {address}: plain HTTP is served on loopback only; {own}put a TLS proxy in front and say --allow-plain-http"
            )));
        }
    }
    if overlap(listen, admin_listen) {
        return Err(Failure::new(format!(
            "--listen {listen} and --admin-listen {admin_listen} are one port; give each its own"
        )));
    }
    Ok(())
}

/// Whether a listener at one address has the other's port too.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    let everywhere = a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified());
    one.port() != 0 && one.port() == other.port() && (a == b || everywhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_listeners_have_two_ports() {
        for (one, other, expected) in [
            ("127.0.0.1:7777", "127.0.0.1:7777", true),
            ("0.0.0.0:7777", "127.0.0.1:7777", true),
            ("[::1]:7777", "[::]:7777", true),
            ("127.0.0.1:7777", "127.0.0.2:7777", false),
            ("127.0.0.1:7777", "127.0.0.1:7778", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            assert_eq!(overlap(one.parse().unwrap(), other.parse().unwrap()), expected, "{one} {other}");
        }
    }
}
