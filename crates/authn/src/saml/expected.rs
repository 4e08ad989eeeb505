//! What the server that an authentication response came to expects of it. Plain data; [`verify`](super::verify) obeys it.
//!
//! Governing documents: IAM User Guide, "Configure SAML assertions for the authentication response"; AWS IAM API
//! Reference, CreateSAMLProvider (`AssertionEncryptionMode`).

use super::encryption::DecryptionKey;

/// A role and the provider to enter it through, as the call names them.
#[derive(Debug, Clone, Copy)]
pub struct Requested<'a> {
    /// `RoleArn`.
    pub role_arn: &'a str,
    /// `PrincipalArn`, the provider's.
    pub provider_arn: &'a str,
}

/// How the provider's assertions come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Encryption<'a> {
    /// The provider's private keys, the newest first.
    pub keys: &'a [&'a DecryptionKey],
    /// `AssertionEncryptionMode` `Required`: one that is not encrypted is refused.
    pub required: bool,
}

/// What a response must be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The pair that the assertion must list; `None` at sign-in, where the user chooses from what it lists.
    pub requested: Option<Requested<'a>>,
    /// The server's own addresses for responses, beside AWS's.
    pub endpoints: &'a [&'a str],
    /// The server's own names as a service provider, beside its addresses and AWS's.
    pub audiences: &'a [&'a str],
    /// The provider's unique id, which is part of its address when it encrypts.
    pub provider_unique_id: Option<&'a str>,
    /// Whether a `Destination` must be one of those addresses: at sign-in, and not by the call.
    pub destination: bool,
    /// How far a time may lie ahead of now, in seconds: clocks differ. What is over is over.
    pub leeway_seconds: i64,
    /// How old an assertion may be, in seconds.
    pub age_seconds_max: i64,
    /// Whether signatures with SHA-1 count.
    pub sha1: bool,
    /// How the provider's assertions come.
    pub encryption: Encryption<'a>,
}

impl Default for Expected<'_> {
    /// What AWS expects, for any role: five minutes either way.
    fn default() -> Self {
        Self {
            requested: None,
            endpoints: &[],
            audiences: &[],
            provider_unique_id: None,
            destination: false,
            leeway_seconds: 300,
            age_seconds_max: 300,
            sha1: false,
            encryption: Encryption::default(),
        }
    }
}

impl Expected<'_> {
    /// Whether responses may be sent to `url`.
    pub(super) fn is_recipient(&self, url: &str) -> bool {
        self.endpoints.contains(&url) || is_aws_endpoint(url, self.provider_unique_id)
    }

    /// Whether assertions may be made for `audience`: AWS's name as a service provider, or an address.
    pub(super) fn is_audience(&self, audience: &str) -> bool {
        audience == "urn:amazon:webservices"
            || self.audiences.contains(&audience)
            || self.is_recipient(audience)
    }
}

/// Whether `url` is one of AWS's addresses for responses: `https://signin.aws.amazon.com/saml`, the older
/// `/static/saml`, `/saml` in a region, and `/saml/acs/` with the provider's unique id.
#[must_use]
pub fn is_aws_endpoint(url: &str, provider_unique_id: Option<&str>) -> bool {
    const HOST: &str = "signin.aws.amazon.com";
    let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let is_region = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let global = host == HOST;
    let regional = host.strip_suffix(HOST).and_then(|label| label.strip_suffix('.')).is_some_and(is_region);
    match path {
        "saml" => global || regional,
        "static/saml" => global,
        path => {
            let id = path.strip_prefix("saml/acs/").filter(|id| !id.is_empty());
            (global || regional) && id.is_some() && id == provider_unique_id
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_awss_to_the_letter() {
        for good in [
            "https://signin.aws.amazon.com/saml",
            "https://signin.aws.amazon.com/static/saml",
            "https://eu-west-1.signin.aws.amazon.com/saml",
            "https://us-gov-east-1.signin.aws.amazon.com/saml/acs/SAMLSPXYZ",
            "https://signin.aws.amazon.com/saml/acs/SAMLSPXYZ",
        ] {
            assert!(is_aws_endpoint(good, Some("SAMLSPXYZ")), "{good}");
        }
        for bad in [
            "",
            "http://signin.aws.amazon.com/saml",
            "https://signin.aws.amazon.com",
            "https://signin.aws.amazon.com/",
            "https://signin.aws.amazon.com/saml/",
            "https://signin.aws.amazon.com/saml/acs",
            "https://signin.aws.amazon.com/saml/acs/",
            "https://signin.aws.amazon.com/saml/acs/SAMLSPOTHER",
            "https://signin.aws.amazon.com/SAML",
            "https://signin.aws.amazon.com/saml?x",
            "https://eu-west-1.signin.aws.amazon.com/static/saml",
            "https://.signin.aws.amazon.com/saml",
            "https://a.b.signin.aws.amazon.com/saml",
            "https://evil@signin.aws.amazon.com/saml",
            "https://evil.example:signin.aws.amazon.com/saml",
            "https://evilsignin.aws.amazon.com/saml",
            "https://signin.aws.amazon.com.evil.example/saml",
        ] {
            assert!(!is_aws_endpoint(bad, Some("SAMLSPXYZ")), "{bad}");
        }
        assert!(!is_aws_endpoint("https://signin.aws.amazon.com/saml/acs/SAMLSPXYZ", None));
        assert!(!is_aws_endpoint("https://signin.aws.amazon.com/saml/acs/", Some("")));
    }

    #[test]
    fn an_audience_is_aws_or_an_address() {
        let own = ["https://sts.example.com/saml"];
        let expected = Expected { endpoints: &own, ..Expected::default() };
        assert!(expected.is_audience("urn:amazon:webservices"));
        assert!(expected.is_audience("https://signin.aws.amazon.com/saml"));
        assert!(expected.is_audience("https://sts.example.com/saml"));
        assert!(!expected.is_audience("https://sts.example.com/saml/"));
        assert!(!expected.is_audience("urn:amazon:webservices/"));
        assert!(!expected.is_recipient("urn:amazon:webservices"));
        let named = Expected { audiences: &["urn:example:sts"], ..expected };
        assert!(named.is_audience("urn:example:sts") && !named.is_recipient("urn:example:sts"));
        assert!(!expected.is_audience("urn:example:sts"));
    }
}
