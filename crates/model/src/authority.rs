//! Whom a request is for: the host and port that a URL names and a client signs.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Host and port of an `http` or `https` URL (RFC 3986, section 3.2). The scheme's own port may be written or
/// left out: that is one authority. Prints in lower case, without the scheme's own port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    host: String,
    port: u16,
    default_port: u16,
}

/// The text was not an absolute `http` or `https` URL without user information.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an absolute http or https URL, such as https://sts.example.com")]
pub struct InvalidAuthority;

impl Authority {
    /// The authority of a URL, and what follows it in the URL, nothing decoded.
    ///
    /// # Errors
    /// [`InvalidAuthority`].
    pub fn split_url(url: &str) -> Result<(Self, &str), InvalidAuthority> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidAuthority)?;
        let default_port = match scheme.to_ascii_lowercase().as_str() {
            "https" => 443,
            "http" => 80,
            _ => return Err(InvalidAuthority),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = host_and_port(authority).ok_or(InvalidAuthority)?;
        Ok((Self { host, port: port.unwrap_or(default_port), default_port }, rest))
    }

    /// Whether it is this machine alone, whatever its names lead to elsewhere.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether the URL was an `https` one: its clients speak TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.default_port == 443
    }

    /// The URL that is this authority and nothing more.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_https() { "https" } else { "http" };
        format!("{scheme}://{self}")
    }

    /// The host: a name in lower case, or an address, of IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own where none was named.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether `host` or `host:port`, as in a Host header, is this authority.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        host_and_port(host)
            .is_some_and(|(host, port)| host == self.host && port.unwrap_or(self.default_port) == self.port)
    }
}

impl FromStr for Authority {
    type Err = InvalidAuthority;

    /// Of a URL that names nothing else.
    fn from_str(url: &str) -> Result<Self, InvalidAuthority> {
        match Self::split_url(url)? {
            (authority, "" | "/") => Ok(authority),
            _ => Err(InvalidAuthority),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if self.port == self.default_port { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// The host in one spelling, and the port if there is one.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            // An address can be written in many ways (RFC 5952, section 2).
            (format!("[{}]", address.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            if host.is_empty() || !host.bytes().all(of_a_name) {
                return None;
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(url: &str) -> Authority {
        url.parse().unwrap()
    }

    #[test]
    fn the_schemes_own_port_may_be_left_out_on_either_side() {
        for (scheme, own, other) in [("https", 443, 80), ("http", 80, 443)] {
            let short = authority(&format!("{scheme}://sts.example.com"));
            let long = authority(&format!("{scheme}://sts.example.com:{own}/"));
            assert_eq!(short, long);
            assert_eq!(long.to_string(), "sts.example.com");
            for host in ["sts.example.com".to_owned(), format!("sts.example.com:{own}")] {
                assert!(short.matches(&host) && long.matches(&host), "{scheme} {host}");
            }
            assert!(!short.matches(&format!("sts.example.com:{other}")), "{scheme}");
            let another = authority(&format!("{scheme}://sts.example.com:{other}"));
            assert_eq!(another.to_string(), format!("sts.example.com:{other}"));
            assert!(!another.matches("sts.example.com"), "{scheme}");
        }
    }

    #[test]
    fn hosts_are_compared_whole_and_without_regard_to_case() {
        let authority = authority("HTTPS://STS.example.com:8443");
        assert_eq!(authority.to_string(), "sts.example.com:8443");
        assert!(authority.matches("sts.EXAMPLE.com:8443"));
        for other in [
            "sts.example.com",
            "sts.example.com:843",
            "sts.example.com:84430",
            "xsts.example.com:8443",
            "sts.example.com.:8443",
            "sts.example.com:8443:8443",
            "user@sts.example.com:8443",
            "sts.example.com:+8443",
            "sts.example.com:8443 ",
            "sts.example.com:",
            "",
        ] {
            assert!(!authority.matches(other), "{other}");
        }
    }

    #[test]
    fn an_ipv6_literal_is_one_address_however_it_is_written() {
        let local = authority("http://[::1]:7777");
        assert_eq!(local.to_string(), "[::1]:7777");
        assert!(local.matches("[::1]:7777") && local.matches("[0:0:0:0:0:0:0:1]:7777"));
        for other in ["[::1]", "[::2]:7777", "::1:7777", "[::1]7777", "[::1:7777", "[::1%lo]:7777", "[]:7777"]
        {
            assert!(!local.matches(other), "{other}");
        }
        let written = authority("https://[2001:DB8::A]:443");
        assert_eq!(written.to_string(), "[2001:db8::a]");
        assert!(written.matches("[2001:db8:0::a]"));
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for url in [
            "http://localhost",
            "http://LOCALHOST:1",
            "http://127.0.0.1:9000",
            "https://127.9.9.9",
            "http://[::1]:1",
        ] {
            assert!(authority(url).is_loopback(), "{url}");
        }
        for url in [
            "http://localhost.example",
            "http://10.0.0.1",
            "http://127.0.0.1.example",
            "http://[::2]",
            "http://a",
        ] {
            assert!(!authority(url).is_loopback(), "{url}");
        }
    }

    #[test]
    fn a_url_is_split_without_decoding() {
        for (url, authority, rest) in [
            ("https://B.example:8443/a%2Fb?x=%20", "b.example:8443", "/a%2Fb?x=%20"),
            ("http://b.example:80?list", "b.example", "?list"),
            ("https://b.example#x", "b.example", "#x"),
        ] {
            let (found, after) = Authority::split_url(url).unwrap();
            assert_eq!((found.to_string().as_str(), after), (authority, rest));
        }
        for bad in [
            "",
            "b.example/x",
            "//b.example",
            "ftp://b/x",
            "https:///x",
            "https://user@b/x",
            "https://b:/x",
            "https://b:x/",
            "https://b:70000/",
            "https://b c/",
            "https://[b]/",
            "https://:443/",
        ] {
            assert_eq!(Authority::split_url(bad), Err(InvalidAuthority), "{bad}");
        }
        assert!("https://b.example/path".parse::<Authority>().is_err());
        assert!("https://b.example?x".parse::<Authority>().is_err());
    }
}
