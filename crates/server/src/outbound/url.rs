//! URLs that may be asked for a document.

use daypass_model::Authority;

const HTTPS_PORT: u16 = 443;

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    authority: Authority,
    path: String,
    is_insecure: bool,
}

impl Url {
    /// Read a URL: https on its own port, without a user; or anything at host and port of an issuer that is listed as
    /// insecure.
    pub(super) fn parse(text: &str, insecure: Option<&str>) -> Result<Url, &'static str> {
        let (authority, path) = Authority::split_url(text).map_err(|_| "it is no http or https URL")?;
        if !path.is_empty() && !path.starts_with('/') {
            return Err("it has no path");
        }
        if path.contains('#') || path.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err("its path is none");
        }
        let listed = insecure.and_then(|issuer| Authority::split_url(issuer).ok());
        let same =
            |listed: &Authority| listed.host() == authority.host() && listed.port() == authority.port();
        let is_insecure = listed.is_some_and(|(listed, _)| same(&listed));
        match (authority.is_https(), authority.port()) {
            _ if is_insecure => {}
            (true, HTTPS_PORT) => {}
            (true, _) => return Err("it names a port"),
            (false, _) => return Err("it is not https"),
        }
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        Ok(Url { authority, path, is_insecure })
    }

    /// A name or an address, that of IPv6 without brackets.
    pub(super) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) fn port(&self) -> u16 {
        self.authority.port()
    }

    pub(super) fn is_tls(&self) -> bool {
        self.authority.is_https()
    }

    /// Whether the operator lists it.
    pub(super) fn is_insecure(&self) -> bool {
        self.is_insecure
    }

    /// The value of `Host`, and what a proxy is told.
    pub(super) fn host_and_port(&self) -> String {
        format!("{}:{}", self.authority.host(), self.authority.port())
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_on_its_own_port_is_asked() {
        let url = Url::parse("https://Issuer.example:443/a?b=c", None).unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("issuer.example", 443, "/a?b=c"));
        assert!(url.is_tls() && !url.is_insecure());
        let url = Url::parse("https://[2001:db8::1]", None).unwrap();
        assert_eq!((url.host(), url.path()), ("2001:db8::1", "/"));
        for (bad, why) in [
            ("http://issuer.example/", "it is not https"),
            ("https://issuer.example:8443/", "it names a port"),
            ("https://issuer.example?a=b", "it has no path"),
            ("https://issuer.example/#x", "its path is none"),
            ("https://issuer.example/\u{e9}", "its path is none"),
            ("https://issuer.example/a b", "its path is none"),
            ("https://issuer.example/a\r\nx: y", "its path is none"),
        ] {
            assert_eq!(Url::parse(bad, None), Err(why), "{bad}");
        }
        for bad in [
            "ftp://issuer.example/",
            "file:///etc/passwd",
            "https://user@issuer.example/",
            "https://user:word@issuer.example/",
            "https://issuer.example@127.0.0.1/",
            "issuer.example",
            "/keys",
            "https://",
            "https:///keys",
            "https://issuer.example:/",
            "https://issuer.example:99999/",
            "",
        ] {
            assert_eq!(Url::parse(bad, None), Err("it is no http or https URL"), "{bad}");
        }
    }

    #[test]
    fn an_issuer_that_is_listed_is_asked_at_its_own_host_and_port_alone() {
        let parse = |text: &str| Url::parse(text, Some("http://127.0.0.1:9000/realm"));
        assert!(parse("http://127.0.0.1:9000/keys").unwrap().is_insecure());
        assert!(parse("https://127.0.0.1:9000/keys").unwrap().is_insecure());
        assert!(!parse("https://issuer.example/keys").unwrap().is_insecure());
        for other in [
            "http://127.0.0.1:9001/keys",
            "http://127.0.0.1/keys",
            "http://127.0.0.2:9000/",
            "https://issuer.example:9000/",
        ] {
            assert!(parse(other).is_err(), "{other}");
        }
    }
}
