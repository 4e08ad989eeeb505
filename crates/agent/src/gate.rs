//! Who is not answered: requests that come by a detour. A proxy that is talked into asking for somebody else adds
//! `X-Forwarded-For`; a page whose name was made to lead here (DNS rebinding) has that name in `Host`; a page of a browser
//! says its `Origin`. A program of this machine does none of that.
//!
//! Source: Amazon EC2 User Guide, "How Instance Metadata Service Version 2 works"; the AWS Security Blog, "Add defense in depth
//! against open firewalls, reverse proxies, and SSRF vulnerabilities".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::header::{FORWARDED, HOST, HeaderName, ORIGIN, VIA};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::answer::{Answer, text};

/// The addresses under which AWS's SDKs know these endpoints: instance metadata, container credentials, Pod Identity.
pub(crate) const KNOWN: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    PODS_V4,
    PODS_V6,
];
/// Where pods find theirs.
pub(crate) const PODS_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23));
/// The same by IPv6.
pub(crate) const PODS_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23));
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Browsers say it with every request, also where they say no `Origin` (W3C Fetch Metadata Request Headers, section 2.3).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request that came by a detour; `local` is the address that its connection came to.
pub(crate) fn refusal(head: &Parts, local: SocketAddr) -> Option<Answer> {
    let refused = |why: &'static str| Some(text(StatusCode::FORBIDDEN, format!("{why}\n")));
    if head.uri.authority().is_some() {
        return refused("This is no proxy.");
    }
    if !host(&head.headers).is_some_and(|host| is_here(host, local.ip())) {
        return refused("The request is for another host.");
    }
    if [FORWARDED_FOR, FORWARDED, VIA].iter().any(|name| head.headers.contains_key(name)) {
        return refused("The request was forwarded.");
    }
    if [ORIGIN, FETCH_SITE].iter().any(|name| head.headers.contains_key(name)) {
        return refused("The request comes from a page.");
    }
    None
}

/// The one `Host`, without its port.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?;
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)
        }
        None => match host.split_once(':') {
            Some((name, port)) => is_port(port).then_some(name),
            None => Some(host),
        },
    }
}

/// Whether a host is this machine as its programs call it: by address, or as `localhost`. No name leads here that somebody
/// else could give an address.
fn is_here(host: &str, local: IpAddr) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => {
            address.is_loopback()
                || address.to_canonical() == local.to_canonical()
                || KNOWN.contains(&address)
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    //! Which requests came by a detour.

    use http::Request;

    use super::*;

    fn refused(uri: &str, fields: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::get(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        refusal(&head, "10.1.2.3:80".parse().unwrap()).map(|answer| answer.status())
    }

    #[test]
    fn a_host_is_this_machine_or_nobody() {
        for host in [
            "169.254.169.254",
            "169.254.169.254:80",
            "[fd00:ec2::254]",
            "[fd00:ec2:0::254]:80",
            "169.254.170.2",
            "169.254.170.23",
            "[fd00:ec2::23]",
            "localhost",
            "LOCALHOST:1338",
            "127.0.0.1:1338",
            "[::1]:1338",
            "10.1.2.3",
            "10.1.2.3:8080",
            "[::ffff:10.1.2.3]",
        ] {
            assert_eq!(refused("/latest/", &[("host", host)]), None, "{host}");
        }
        for host in [
            "",
            "evil.example",
            "169.254.169.254.evil.example",
            "localhost.evil.example",
            "10.1.2.4",
            "169.254.169.253",
            "[fd00:ec2::255]",
            "127.0.0.1:x",
            "127.0.0.1:80:80",
            "[::1",
            "[::1]x",
            "0177.0.0.1",
            "2852039166",
            "a@127.0.0.1",
        ] {
            assert_eq!(refused("/latest/", &[("host", host)]), Some(StatusCode::FORBIDDEN), "{host}");
        }
        assert_eq!(refused("/latest/", &[]), Some(StatusCode::FORBIDDEN));
        let two = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(refused("/latest/", &two), Some(StatusCode::FORBIDDEN));
    }

    #[test]
    fn what_was_forwarded_or_comes_from_a_page_is_refused() {
        for (name, value) in [
            ("x-forwarded-for", "10.0.0.1"),
            ("X-Forwarded-For", ""),
            ("forwarded", "for=10.0.0.1"),
            ("via", "1.1 proxy"),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "cross-site"),
            ("Sec-Fetch-Site", "none"),
            ("origin", "null"),
        ] {
            let fields = [("host", "localhost"), (name, value)];
            assert_eq!(refused("/latest/api/token", &fields), Some(StatusCode::FORBIDDEN), "{name}");
        }
        let absolute = refused("http://localhost/latest/", &[("host", "localhost")]);
        assert_eq!(absolute, Some(StatusCode::FORBIDDEN));
    }
}
