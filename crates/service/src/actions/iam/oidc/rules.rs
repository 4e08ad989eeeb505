//! What an OpenID Connect provider may be (IAM User Guide, "Create an OpenID Connect identity provider in IAM").

use daypass_model::Authority;
use daypass_model::limits::OIDC_THUMBPRINTS_MAX;

use crate::error::Error;
use crate::federation::{BuiltIn, Issuers};

/// An issuer's URL in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IssuerUrl {
    /// Without the scheme: what ARN and condition keys are made of.
    pub(super) url: String,
    /// Whether it is plain HTTP.
    pub(super) plain_http: bool,
}

/// Read the URL of a provider: https, no port, no query, unless the operator lists the very issuer as insecure.
pub(super) fn issuer_url(url: &str, issuers: &Issuers) -> Result<IssuerUrl, Error> {
    const INVALID: &str = "Invalid Open ID Connect Provider URL";
    let invalid = |why: &str| Err(Error::validation(format!("{INVALID}: it must {why}")));
    // AWS's words, as recorded, and nothing more.
    let Some((scheme, rest)) = url.split_once("://") else { return Err(Error::validation(INVALID)) };
    let plain_http = match scheme {
        "https" => false,
        "http" if issuers.is_insecure(url) => true,
        _ => return invalid("begin with https://"),
    };
    let Ok((authority, path)) = Authority::split_url(url) else { return invalid("name a host") };
    let host = rest.strip_suffix(path).unwrap_or(rest);
    if host != authority.host() && !issuers.is_insecure(url) {
        return invalid("name a host in lower case, and no port");
    }
    if !issuers.is_insecure(url) && !is_public_name(host) {
        return invalid("name a host by a name of several parts");
    }
    if BuiltIn::of_issuer(url).is_some() {
        return invalid("be of a provider that is not known without it");
    }
    if path.contains(['?', '#', '*']) || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("have no query, no fragment and no wildcard");
    }
    Ok(IssuerUrl { url: rest.to_owned(), plain_http })
}

/// Whether a host is a name that can be somebody's in the world: neither an address nor a word alone, which condition keys
/// would share with a service of AWS.
fn is_public_name(host: &str) -> bool {
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let last = labels.clone().next_back().unwrap_or_default();
    labels.clone().count() > 1
        && labels.clone().all(|label| !label.is_empty())
        && !host.starts_with('[')
        && last.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// Thumbprints as they are kept: in lower case.
pub(super) fn thumbprints(given: &[String]) -> Result<Vec<String>, Error> {
    if given.len() > OIDC_THUMBPRINTS_MAX {
        return Err(Error::invalid_input("Thumbprint list must contain fewer than 5 entries."));
    }
    match given.iter().find(|text| !text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        Some(_) => {
            Err(Error::invalid_input("A thumbprint is the SHA-1 of a certificate in 40 hexadecimal digits."))
        }
        None => Ok(given.iter().map(|text| text.to_ascii_lowercase()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> bool {
        issuer_url(url, &Issuers::default()).is_err_and(|error| error.code == "ValidationError")
    }

    #[test]
    fn an_issuer_is_https_without_port_or_query() {
        let url = issuer_url("https://oidc.example/id/ABC", &Issuers::default()).unwrap();
        assert_eq!(url, IssuerUrl { url: "oidc.example/id/ABC".into(), plain_http: false });
        assert!(issuer_url("https://oidc.example/", &Issuers::default()).is_ok());
        for bad in [
            "http://oidc.example",
            "HTTPS://oidc.example",
            "oidc.example",
            "https://",
            "https:///id",
            "https://oidc.example:443",
            "https://oidc.example:8443/id",
            "https://Oidc.example/id",
            "https://user@oidc.example",
            "https://oidc.example/?a=b",
            "https://oidc.example?a=b",
            "https://oidc.example/#a",
            "https://oidc.example/*",
            "https://oidc.example/a b",
            "https://oidc.example/\u{e9}",
            "https://oidc.example/a\n",
            "https://accounts.google.com",
            "https://cognito-identity.amazonaws.com",
            "https://localhost",
            "https://saml/x",
            "https://a..example/",
            "https://10.0.0.1/x",
            "https://127.1",
            "https://[2606:4700::1111]/x",
        ] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn an_issuer_that_the_operator_lists_may_be_plain_and_have_a_port() {
        let issuers = Issuers { insecure: vec!["http://127.0.0.1:8080/realm".into()], ..Issuers::default() };
        let url = issuer_url("http://127.0.0.1:8080/realm", &issuers).unwrap();
        assert_eq!(url, IssuerUrl { url: "127.0.0.1:8080/realm".into(), plain_http: true });
        for other in
            ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/realm/", "https://127.0.0.1:8080/realm"]
        {
            assert!(issuer_url(other, &issuers).is_err(), "{other}");
        }
    }

    #[test]
    fn thumbprints_are_hexadecimal_and_five_at_the_most() {
        let one = "ABCDEF0123456789ABCDEF0123456789ABCDEF01".to_owned();
        assert_eq!(thumbprints(std::slice::from_ref(&one)).unwrap(), [one.to_lowercase()]);
        assert!(thumbprints(&["g".repeat(40)]).is_err());
        assert!(thumbprints(&vec![one.clone(); 5]).is_ok());
        assert!(thumbprints(&vec![one; 6]).is_err());
    }
}
