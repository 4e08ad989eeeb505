//! Where a request came from. That is the peer, unless the operator trusts the peer to say so of others
//! (`--trust-proxy`): then `X-Forwarded-For` and `X-Forwarded-Proto` count.
//!
//! Each proxy appends the address that it saw, so the list is read from its end: the first address that is no
//! trusted proxy's is the client's, and what stands before it is the client's own claim, and is not looked at. What has to be looked
//! at and is no address refuses the request: a condition on `aws:SourceIp` must not be held against the proxy's address instead.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use daypass_service::Error;
use http::HeaderMap;
use ipnet::IpNet;

/// Whose headers count, by the operator's choice.
#[derive(Debug, Default)]
pub struct TrustedProxies {
    nets: Vec<IpNet>,
    /// Whether somebody was told of headers that do not count.
    told: AtomicBool,
}

impl From<Vec<IpNet>> for TrustedProxies {
    fn from(nets: Vec<IpNet>) -> Self {
        Self { nets, ..Self::default() }
    }
}

impl TrustedProxies {
    fn has(&self, ip: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(&ip))
    }

    /// A header is passed over. Somebody may have forgotten their proxy, which is told once: anybody can send one.
    fn pass_over(&self, peer: IpAddr) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For is not looked at: whoever comes through this peer counts as its address. A proxy of yours needs --trust-proxy"
            );
        }
    }
}

/// Who a connection is with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// Where it comes from.
    pub(crate) address: IpAddr,
    /// It speaks TLS.
    pub(crate) tls: bool,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) ip: IpAddr,
    /// Whether it came over TLS; `None` where neither the connection nor a trusted proxy says.
    pub(super) secure: Option<bool>,
}

impl Peer {
    /// Itself.
    pub(super) fn origin(self) -> Origin {
        Origin { ip: self.address.to_canonical(), secure: self.tls.then_some(true) }
    }
}

/// # Errors
/// A trusted proxy says something that cannot be understood.
pub(super) fn origin(trusted: &TrustedProxies, peer: Peer, headers: &HeaderMap) -> Result<Origin, Error> {
    let itself = peer.origin();
    let is_trusted = |ip: IpAddr| trusted.has(ip);
    if !is_trusted(itself.ip) {
        if headers.contains_key("x-forwarded-for") {
            trusted.pass_over(itself.ip);
        }
        return Ok(itself);
    }
    let (client, scheme) = (client(headers, is_trusted)?, scheme(headers)?);
    Ok(match client {
        // The proxy's host itself, or whoever else comes from a trusted address without a proxy.
        None => Origin { ip: itself.ip, secure: scheme.or(itself.secure) },
        // The connection is the proxy's; how the client came to it only it can say.
        Some(ip) => Origin { ip, secure: scheme },
    })
}

/// The last address that is no trusted proxy's; the first of all where every one is.
fn client(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Result<Option<IpAddr>, Error> {
    let mut first = None;
    // Several fields of one name are one list (RFC 9110, section 5.3).
    for field in headers.get_all("x-forwarded-for").iter().rev() {
        let text = field.to_str().map_err(|_| malformed("X-Forwarded-For"))?;
        for entry in text.rsplit(',') {
            let ip = address(entry.trim()).ok_or_else(|| malformed("X-Forwarded-For"))?;
            if !is_trusted(ip) {
                return Ok(Some(ip));
            }
            first = Some(ip);
        }
    }
    Ok(first)
}

/// An address as proxies write it: alone, or with the port, an IPv6 address then in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let alone = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    alone().or_else(bracketed).or_else(with_port).map(|ip| ip.to_canonical())
}

fn scheme(headers: &HeaderMap) -> Result<Option<bool>, Error> {
    let mut fields = headers.get_all("x-forwarded-proto").iter();
    let Some(field) = fields.next() else { return Ok(None) };
    match field.as_bytes() {
        _ if fields.next().is_some() => Err(malformed("X-Forwarded-Proto")),
        text if text.eq_ignore_ascii_case(b"https") => Ok(Some(true)),
        text if text.eq_ignore_ascii_case(b"http") => Ok(Some(false)),
        _ => Err(malformed("X-Forwarded-Proto")),
    }
}

fn malformed(name: &str) -> Error {
    Error::new("MalformedInput", format!("The header field {name} that the proxy sent cannot be understood."))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn trusted() -> TrustedProxies {
        vec!["10.0.0.0/8".parse().unwrap(), "fd00::/16".parse().unwrap()].into()
    }

    fn from(peer: &str, tls: bool, fields: &[(&'static str, &str)]) -> Result<(String, Option<bool>), Error> {
        let trusted = trusted();
        let peer = Peer { address: peer.parse().unwrap(), tls };
        origin(&trusted, peer, &headers(fields)).map(|origin| (origin.ip.to_string(), origin.secure))
    }

    /// The address that counts when a trusted proxy sends these fields.
    fn of(fields: &[&str]) -> Option<String> {
        let fields: Vec<_> = fields.iter().map(|value| ("x-forwarded-for", *value)).collect();
        from("10.0.0.1", false, &fields).ok().map(|(ip, _)| ip)
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_listened_to() {
        let spoofed = [("x-forwarded-for", "10.9.9.9"), ("x-forwarded-proto", "https")];
        assert_eq!(from("192.0.2.1", false, &spoofed).unwrap(), ("192.0.2.1".into(), None));
        assert_eq!(from("192.0.2.1", true, &spoofed).unwrap(), ("192.0.2.1".into(), Some(true)));
        // Not even to be told that it makes no sense.
        let junk = [("x-forwarded-for", "?"), ("x-forwarded-proto", "?")];
        assert_eq!(from("192.0.2.1", false, &junk).unwrap(), ("192.0.2.1".into(), None));
        assert_eq!(
            origin(
                &TrustedProxies::default(),
                Peer { address: [127, 0, 0, 1].into(), tls: false },
                &headers(&spoofed)
            )
            .unwrap()
            .ip,
            IpAddr::from([127, 0, 0, 1])
        );
    }

    /// Lines of the log, as they come.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_header_that_does_not_count_is_told_and_no_other() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(log);
        let said = || String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let trusted = trusted();
        let come = |peer: &str, fields: &[(&'static str, &str)]| {
            let peer = Peer { address: peer.parse().unwrap(), tls: false };
            origin(&trusted, peer, &headers(fields)).unwrap();
        };
        come("192.0.2.1", &[]);
        come("10.0.0.1", &[("x-forwarded-for", "192.0.2.7")]);
        assert_eq!(said(), "");
        for peer in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
            come(peer, &[("x-forwarded-for", "198.51.100.77")]);
        }
        let said = said();
        assert!(
            said.contains("WARN") && said.contains("peer=192.0.2.1") && said.contains("--trust-proxy"),
            "{said}"
        );
        assert!(said.lines().count() == 1 && !said.contains("198.51.100.77"), "{said}");
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_clients() {
        for (fields, client) in [
            (&["192.0.2.7"][..], "192.0.2.7"),
            // What a client claims stands before what was seen of it.
            (&["10.1.1.1, 192.0.2.7"], "192.0.2.7"),
            (&["198.51.100.1,192.0.2.7 , 10.2.2.2"], "192.0.2.7"),
            (&["198.51.100.1", "192.0.2.7", "10.2.2.2, 10.3.3.3"], "192.0.2.7"),
            (&["junk, ' OR 1=1, 192.0.2.7"], "192.0.2.7"),
            (&["junk", "192.0.2.7"], "192.0.2.7"),
            // Everybody is within: the farthest.
            (&["10.4.4.4, 10.5.5.5"], "10.4.4.4"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(of(fields).as_deref(), Some(client), "{fields:?}");
        }
    }

    #[test]
    fn one_address_is_one_however_it_is_written() {
        for (field, client) in [
            ("2001:DB8::7", "2001:db8::7"),
            ("[2001:db8:0:0::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("192.0.2.7:4711", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            // A trusted proxy in another spelling is one still.
            ("192.0.2.7, ::ffff:10.0.0.9", "192.0.2.7"),
            ("192.0.2.7, [fd00::1]:443", "192.0.2.7"),
        ] {
            assert_eq!(of(&[field]).as_deref(), Some(client), "{field}");
        }
        let from_mapped = from("::ffff:10.0.0.1", false, &[("x-forwarded-for", "192.0.2.7")]).unwrap();
        assert_eq!(from_mapped.0, "192.0.2.7");
    }

    #[test]
    fn what_has_to_be_understood_and_is_not_refuses_the_request() {
        for field in [
            "",
            "unknown",
            "192.0.2.7,",
            "192.0.2.7, ",
            "192.0.2.7, junk, 10.0.0.1",
            "192.0.2.7 192.0.2.8",
            "192.0.2.256",
            "0300.0.2.7",
            "192.0.2",
            "3221225991",
            "fe80::1%eth0",
            "[192.0.2.7]",
            "2001:db8::7]:1",
            "_hidden",
            "\"192.0.2.7\"",
            "192.0.2.7:99999",
            "192.0.2.7;",
            "for=192.0.2.7",
        ] {
            assert_eq!(of(&[field]), None, "{field:?}");
        }
        assert_eq!(of(&["192.0.2.7", ""]), None);
        let scheme = |values: &[&'static str]| {
            let fields: Vec<_> = values.iter().map(|value| ("x-forwarded-proto", *value)).collect();
            from("10.0.0.1", false, &fields).map(|(_, secure)| secure).ok()
        };
        assert_eq!(scheme(&["HTTPS"]), Some(Some(true)));
        assert_eq!(scheme(&["http"]), Some(Some(false)));
        assert_eq!(scheme(&[]), Some(None));
        for values in [&["https, http"][..], &["https", "https"], &[""], &["wss"], &["https "]] {
            // Space around a field's value is no part of it, which hyper sees to.
            assert_eq!(scheme(values), None, "{values:?}");
        }
    }

    #[test]
    fn a_proxys_own_tls_says_nothing_of_the_clients() {
        let client = ("x-forwarded-for", "192.0.2.7");
        assert_eq!(from("10.0.0.1", true, &[client]).unwrap().1, None);
        assert_eq!(from("10.0.0.1", true, &[client, ("x-forwarded-proto", "http")]).unwrap().1, Some(false));
        assert_eq!(from("10.0.0.1", false, &[client, ("x-forwarded-proto", "https")]).unwrap().1, Some(true));
        assert_eq!(
            from("10.0.0.1", true, &[]).unwrap().1,
            Some(true),
            "no proxy: the connection is the client's"
        );
    }
}
