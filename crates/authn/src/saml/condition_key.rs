//! What trust policies can ask of an assertion: the `saml:` condition keys, and the qualifier of a subject's name.
//!
//! Governing documents: IAM User Guide, "IAM and AWS STS condition context keys", with "Available keys for SAML-based
//! AWS STS federation" and "Mapping SAML attributes to AWS trust policy context keys"; AWS STS API Reference,
//! AssumeRoleWithSAML (`NameQualifier`).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::BASE64;
use daypass_model::AccountId;

use super::assertion::VerifiedAssertion;
use super::error::SamlError;

/// A condition key with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionKey {
    /// `saml:aud`, …
    pub name: &'static str,
    /// Its values; one where the key holds no list.
    pub values: Vec<String>,
    /// Whether the key holds a list, however many values there are.
    pub list: bool,
}

/// The name of a subject is unique with this: base64 of the SHA-1 of issuer, account and provider name.
#[must_use]
pub fn name_qualifier(issuer: &str, account: AccountId, provider_name: &str) -> String {
    let text = format!("{issuer}{}/{provider_name}", account.as_str());
    BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

impl VerifiedAssertion {
    /// The condition keys that it answers to, at a provider of this name in this account.
    #[must_use]
    pub fn condition_keys(&self, account: AccountId, provider_name: &str) -> Vec<ConditionKey> {
        let one = |name: &'static str, value: String| ConditionKey { name, values: vec![value], list: false };
        let mut keys = vec![
            one("saml:aud", self.recipient.clone()),
            one("saml:iss", self.issuer.clone()),
            one("saml:sub", self.subject.clone()),
            one("saml:sub_type", self.subject_type().to_owned()),
            one("saml:namequalifier", name_qualifier(&self.issuer, account, provider_name)),
            one("saml:doc", format!("{}/{provider_name}", account.as_str())),
        ];
        keys.extend(self.mapped.iter().cloned());
        keys
    }
}

/// The condition keys that attributes are mapped to, each with its values: one where the key holds no list.
pub(super) fn mapped(attributes: &BTreeMap<String, Vec<String>>) -> Result<Vec<ConditionKey>, SamlError> {
    let mut keys: Vec<ConditionKey> = Vec::new();
    for (attribute, name, list) in MAPPED {
        for value in attributes.get(*attribute).into_iter().flatten() {
            // Two attributes may feed one key.
            match keys.iter_mut().find(|key| key.name == *name) {
                None => keys.push(ConditionKey { name, values: vec![value.clone()], list: *list }),
                Some(key) if key.list => key.values.push(value.clone()),
                // Said twice it is one value.
                Some(key) if key.values.contains(value) => {}
                Some(_) => return Err(SamlError::SeveralValues { key: name }),
            }
        }
    }
    Ok(keys)
}

/// Attribute, key, and whether the key holds a list, as the User Guide's tables have them.
const MAPPED: &[(&str, &str, bool)] = &[
    // eduPerson
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "saml:eduPersonAffiliation", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "saml:eduPersonNickname", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "saml:eduPersonOrgDN", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "saml:eduPersonOrgUnitDN", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "saml:eduPersonPrimaryAffiliation", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "saml:eduPersonPrincipalName", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "saml:eduPersonEntitlement", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "saml:eduPersonPrimaryOrgUnitDN", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "saml:eduPersonScopedAffiliation", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "saml:eduPersonTargetedID", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "saml:eduPersonAssurance", true),
    // eduOrg
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "saml:eduOrgHomePageURI", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "saml:eduOrgIdentityAuthNPolicyURI", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "saml:eduOrgLegalName", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "saml:eduOrgSuperiorURI", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "saml:eduOrgWhitePagesURI", true),
    ("urn:oid:2.5.4.3", "saml:cn", true),
    // Active Directory
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "saml:name", false),
    ("http://schemas.xmlsoap.org/claims/CommonName", "saml:commonName", false),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "saml:givenName", false),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "saml:surname", false),
    ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "saml:mail", false),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid", "saml:uid", false),
    // X.500, the given name with the guide's own spelling of its number
    ("2.5.4.3", "saml:commonName", false),
    ("2.5.4.4", "saml:surname", false),
    ("2.4.5.42", "saml:givenName", false),
    ("2.5.4.45", "saml:x500UniqueIdentifier", false),
    ("0.9.2342.19200300100.1.1", "saml:uid", false),
    ("0.9.2342.19200300100.1.3", "saml:mail", false),
    ("0.9.2342.19200300100.1.45", "saml:organizationStatus", false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_qualifier_is_awss() {
        let account = "123456789012".parse().unwrap();
        assert_eq!(
            name_qualifier("https://example.com/saml", account, "MySAMLIdP"),
            "1uAJanUnBc2XeUkHURMht+xam2c="
        );
    }

    /// The keys of the Service Authorization Reference ("Condition keys for AWS STS"), which ignores case, but for those
    /// that every assertion answers to and one that no attribute is mapped to.
    #[test]
    fn every_key_of_the_reference_is_mapped_and_no_other() {
        let strings = "commonname givenname surname mail name uid organizationstatus x500uniqueidentifier \
                       edupersonorgdn edupersonprimaryaffiliation edupersonprimaryorgunitdn edupersonprincipalname";
        let lists = "cn edupersonaffiliation edupersonassurance edupersonentitlement edupersonnickname \
                     edupersonorgunitdn edupersonscopedaffiliation edupersontargetedid eduorghomepageuri \
                     eduorgidentityauthnpolicyuri eduorglegalname eduorgsuperioruri eduorgwhitepagesuri";
        for (names, list) in [(strings, false), (lists, true)] {
            let mut names: Vec<String> =
                names.split_whitespace().map(|name| format!("saml:{name}")).collect();
            let mut mapped: Vec<String> =
                MAPPED.iter().filter(|row| row.2 == list).map(|row| row.1.to_lowercase()).collect();
            names.sort_unstable();
            mapped.sort_unstable();
            mapped.dedup();
            assert_eq!(mapped, names);
        }
        let mut attributes: Vec<&str> = MAPPED.iter().map(|row| row.0).collect();
        attributes.sort_unstable();
        attributes.dedup();
        assert_eq!(attributes.len(), MAPPED.len());
    }
}
