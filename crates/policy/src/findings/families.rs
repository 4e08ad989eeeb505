//! Families of condition keys whose members are all known: `sts:`, `saml:`, and the claims of well-known issuers.
//!
//! Sources: Service Authorization Reference, "Condition keys for AWS STS"; IAM User Guide, "Available keys for SAML-based
//! AWS STS federation" and, for issuers, what [`claims`] has. AWS ignores the case of keys.

use super::names::{self, KeyKind};
use crate::claims;

/// Keys of AWS STS with one value.
pub(super) const STS: [&str; 9] = [
    "sts:AWSServiceName",
    "sts:DurationSeconds",
    "sts:ExternalId",
    "sts:RoleAuthorizedByIdp",
    "sts:RoleSessionName",
    "sts:SigningAlgorithm",
    "sts:SourceIdentity",
    "sts:SubjectMode",
    "sts:TaskPolicyArn",
];

/// Keys of AWS STS with any number of values.
pub(super) const STS_LISTS: [&str; 4] = [
    "sts:IdentityTokenAudience",
    "sts:IdentityTokenScope",
    "sts:RequestContextProviders",
    "sts:TransitiveTagKeys",
];

/// A context that an identity provider asserts, each by its name.
const REQUEST_CONTEXT: &str = "requestcontext/";

/// What SAML assertions say, once.
const SAML: [&str; 19] = [
    "saml:aud",
    "saml:commonName",
    "saml:doc",
    "saml:eduPersonOrgDN",
    "saml:eduPersonPrimaryAffiliation",
    "saml:eduPersonPrimaryOrgUnitDN",
    "saml:eduPersonPrincipalName",
    "saml:givenName",
    "saml:iss",
    "saml:mail",
    "saml:name",
    "saml:namequalifier",
    "saml:organizationStatus",
    "saml:primaryGroupSID",
    "saml:sub",
    "saml:sub_type",
    "saml:surname",
    "saml:uid",
    "saml:x500UniqueIdentifier",
];

/// Attributes of SAML assertions that a user may have several of.
const SAML_LISTS: [&str; 13] = [
    "saml:cn",
    "saml:eduOrgHomePageURI",
    "saml:eduOrgIdentityAuthNPolicyURI",
    "saml:eduOrgLegalName",
    "saml:eduOrgSuperiorURI",
    "saml:eduOrgWhitePagesURI",
    "saml:eduPersonAffiliation",
    "saml:eduPersonAssurance",
    "saml:eduPersonEntitlement",
    "saml:eduPersonNickname",
    "saml:eduPersonOrgUnitDN",
    "saml:eduPersonScopedAffiliation",
    "saml:eduPersonTargetedID",
];

/// Words that people write in full, with the names that AWS has for them.
const IN_FULL: [(&str, &str); 7] = [
    ("audience", "aud"),
    ("email", "mail"),
    ("issuer", "iss"),
    ("nameid", "sub"),
    ("orig_aud", "oaud"),
    ("recipient", "aud"),
    ("subject", "sub"),
];

/// Names with no more letters are near to each other by one edit only: two make most of them of any.
const SHORT: usize = 4;

/// The family that a key belongs to, and its name in there.
pub(super) struct Member<'k> {
    /// What stands before the last colon, as it was written: a service or an issuer.
    pub(super) family: &'k str,
    name: &'k str,
    one: Vec<&'static str>,
    many: Vec<&'static str>,
    otherwise: KeyKind,
}

impl<'k> Member<'k> {
    /// Of a key whose family has known members only.
    pub(super) fn of(key: &'k str) -> Option<Member<'k>> {
        let (family, name) = key.split_once(':')?;
        let behind =
            |keys: &[&'static str]| keys.iter().filter_map(|key| Some(key.split_once(':')?.1)).collect();
        let of_service = |one: &[&'static str], many: &[&'static str]| Member {
            family,
            name,
            one: behind(one),
            many: behind(many),
            otherwise: KeyKind::NoSuchOfService,
        };
        match family.to_ascii_lowercase().as_str() {
            "sts" => Some(of_service(&STS, &STS_LISTS)),
            "saml" => Some(of_service(&SAML, &SAML_LISTS)),
            _ => Member::of_issuer(key),
        }
    }

    fn of_issuer(key: &'k str) -> Option<Member<'k>> {
        let (family, name) = key.rsplit_once(':')?;
        let names = claims::all_of_known_issuer(&family.to_ascii_lowercase())?;
        let (many, one) = names.into_iter().partition(|name| *name == "amr");
        Some(Member { family, name, one, many, otherwise: KeyKind::NoSuchClaim })
    }

    pub(super) fn kind(&self) -> KeyKind {
        let is = |known: &&str| known.eq_ignore_ascii_case(self.name);
        let name = self.name.to_ascii_lowercase();
        let asserted = || name.strip_prefix(REQUEST_CONTEXT).is_some_and(|context| !context.is_empty());
        if self.many.iter().any(is) {
            KeyKind::Multivalued
        } else if self.one.iter().any(is) || (self.family.eq_ignore_ascii_case("sts") && asserted()) {
            KeyKind::Single
        } else {
            self.otherwise
        }
    }

    /// The key of the family that was probably meant.
    pub(super) fn meant(&self) -> Option<String> {
        let known = || self.one.iter().chain(&self.many).copied();
        let short = IN_FULL.iter().find(|(word, _)| word.eq_ignore_ascii_case(self.name));
        let in_full = short.and_then(|(_, short)| known().find(|known| known == short));
        let near = || names::nearest(self.name, known().filter(|known| self.is_comparable(known)));
        in_full.or_else(near).map(|name| format!("{}:{name}", self.family))
    }

    fn is_comparable(&self, known: &str) -> bool {
        let short = known.len().max(self.name.len()) <= SHORT;
        !short || names::few_edits(self.name.as_bytes(), known.as_bytes()).is_some_and(|edits| edits < 2)
    }

    /// Whether what is set for a provider can make claims keys of this family.
    pub(super) fn can_have_more(&self) -> bool {
        self.otherwise == KeyKind::NoSuchClaim && claims::can_have_more(&self.family.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_to_its_family_or_is_none() {
        use KeyKind::{Multivalued, NoSuchClaim, NoSuchOfService, Single};
        for (key, kind) in [
            ("sts:ExternalID", Some(Single)),
            ("STS:transitivetagkeys", Some(Multivalued)),
            ("sts:RequestContext/identitystore:UserId", Some(Single)),
            ("sts:RequestContext/", Some(NoSuchOfService)),
            ("sts:RequestContext", Some(NoSuchOfService)),
            ("sts:RoleSessionNam", Some(NoSuchOfService)),
            ("sts:", Some(NoSuchOfService)),
            ("saml:requestcontext/x", Some(NoSuchOfService)),
            ("SAML:aud", Some(Single)),
            ("saml:edupersonaffiliation", Some(Multivalued)),
            ("saml:audience", Some(NoSuchOfService)),
            ("gitlab.com:Project_ID", Some(Single)),
            ("GitLab.com:projectid", Some(NoSuchClaim)),
            ("gitlab.com:amr", Some(Multivalued)),
            ("www.amazon.com:amr", Some(NoSuchClaim)),
            ("accounts.google.com:google/organization_number", Some(Single)),
            ("oidc.circleci.com/org/0a:oidc.circleci.com/project-id", Some(Single)),
            ("oidc.circleci.com/org/0a:project-id", Some(NoSuchClaim)),
            // Nobody but the operator knows what is set for these.
            ("idp.example.com:department", None),
            ("gitlab.com:https://example.com/claim", None),
            ("gitlab.com", None),
            ("s3:prefix", None),
        ] {
            assert_eq!(Member::of(key).map(|member| member.kind()), kind, "{key}");
        }
    }

    #[test]
    fn a_key_that_is_none_names_the_one_that_was_meant() {
        for (key, meant) in [
            ("sts:RoleSessionNam", Some("sts:RoleSessionName")),
            ("saml:audience", Some("saml:aud")),
            ("SAML:NameID", Some("SAML:sub")),
            ("saml:eduPersonAfiliation", Some("saml:eduPersonAffiliation")),
            ("saml:su", Some("saml:sub")),
            ("gitlab.com:projectid", Some("gitlab.com:project_id")),
            ("gitlab.com:subject", Some("gitlab.com:sub")),
            // Two letters of three are another word, and one of AWS's for another issuer is none for this.
            ("gitlab.com:sha", None),
            ("gitlab.com:issuer", None),
            ("gitlab.com:project_path", None),
            ("sts:whatever", None),
        ] {
            assert_eq!(Member::of(key).and_then(|member| member.meant()).as_deref(), meant, "{key}");
        }
    }
}
