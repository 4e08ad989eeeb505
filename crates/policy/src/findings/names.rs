//! Names that findings compare with: actions and condition keys.
//!
//! Sources: Service Authorization Reference (actions and their resources); IAM User Guide, "AWS global condition context
//! keys".

use super::families::{Member, STS, STS_LISTS};

/// The services whose actions are all known. Of others any name is taken as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Catalog<'a> {
    /// Service prefix and the names of its actions.
    pub services: &'a [(&'a str, &'a [&'a str])],
}

impl<'a> Catalog<'a> {
    /// The actions of a service, if it is one of those.
    pub(super) fn actions(&self, service: &str) -> Option<&'a [&'a str]> {
        self.services
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(service))
            .map(|(_, actions)| *actions)
    }
}

/// Global condition keys with one value.
const GLOBAL: [&str; 46] = [
    "aws:AssumedRoot",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:IsMcpServiceAction",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalServiceName",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:SecureTransport",
    "aws:SignInSessionArn",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSMCPService",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:userid",
    "aws:username",
    "iam:AWSServiceName",
    "iam:AssociatedResourceArn",
    "iam:PassedToService",
    "iam:PermissionsBoundary",
];

/// Condition keys with any number of values.
const MULTIVALUED: [&str; 8] = [
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceNamesList",
    "aws:ResourceOrgPaths",
    "aws:SourceOrgPaths",
    "aws:TagKeys",
    "aws:VpceOrgPaths",
    "iam:AccountPropertyNamespaces",
];

/// Families of keys that end in the name of a tag.
const TAGS: [&str; 4] = ["aws:PrincipalTag", "aws:RequestTag", "aws:ResourceTag", "iam:ResourceTag"];

/// Keys that every signed request has.
const ALWAYS: [&str; 11] = [
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:userid",
];

/// What a condition key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Single,
    Multivalued,
    /// `aws:PrincipalTag` without the name of a tag.
    TagWithoutName,
    /// A key in `aws:` that does not exist.
    NoSuchGlobal,
    /// A key in `sts:` or `saml:` that does not exist.
    NoSuchOfService,
    /// A claim of a well-known issuer that is no key by itself.
    NoSuchClaim,
    /// A key of some service, which may be anything.
    Unknown,
}

/// What is known about a condition key, whatever its case.
pub(super) fn key_kind(key: &str) -> KeyKind {
    let is = |known: &str| known.eq_ignore_ascii_case(key);
    let (family, tag) = key.split_once('/').unwrap_or((key, ""));
    if TAGS.iter().any(|known| known.eq_ignore_ascii_case(family)) {
        return if tag.is_empty() { KeyKind::TagWithoutName } else { KeyKind::Single };
    }
    let lower = key.to_ascii_lowercase();
    if let Some(member) = Member::of(key) {
        return member.kind();
    }
    if MULTIVALUED.into_iter().any(is) || (key.len() > 4 && lower.ends_with(":amr")) {
        return KeyKind::Multivalued;
    }
    if GLOBAL.into_iter().any(is) {
        return KeyKind::Single;
    }
    // Claims of tokens, behind the name of their issuer: all but `amr` have one value.
    if lower.rsplit_once(':').is_some_and(|(issuer, _)| issuer.contains('.')) {
        return KeyKind::Single;
    }
    let global = key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if global { KeyKind::NoSuchGlobal } else { KeyKind::Unknown }
}

/// Whether every signed request has the key.
pub(super) fn is_always_there(key: &str) -> bool {
    ALWAYS.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The key that was probably meant.
pub(super) fn meant_key(key: &str) -> Option<String> {
    let named = || GLOBAL.into_iter().chain(MULTIVALUED).chain(TAGS).chain(STS).chain(STS_LISTS);
    match Member::of(key) {
        Some(member) => member.meant(),
        None => nearest(key, named()).map(str::to_owned),
    }
}

/// Condition keys that say who the caller is or where it comes from, in lower case: with a fixed value they keep a
/// statement for everybody from being for everybody. No name of a user is: there may be one in every account.
pub(super) const WHO: [&str; 20] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:userid",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
];

/// Those of them that say for whom a service acts.
pub(super) const SOURCE: [&str; 5] =
    ["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"];

/// Actions that take no resource, in lower case: of IAM and STS, and the one of S3 that people meet.
const WITHOUT_RESOURCE: [&str; 36] = [
    "iam:createaccountalias",
    "iam:deleteaccountalias",
    "iam:deleteaccountpasswordpolicy",
    "iam:disableorganizationsrootcredentialsmanagement",
    "iam:disableorganizationsrootsessions",
    "iam:disableoutboundwebidentityfederation",
    "iam:enableorganizationsrootcredentialsmanagement",
    "iam:enableorganizationsrootsessions",
    "iam:enableoutboundwebidentityfederation",
    "iam:generatecredentialreport",
    "iam:getaccountauthorizationdetails",
    "iam:getaccountpasswordpolicy",
    "iam:getaccountproperties",
    "iam:getaccountsummary",
    "iam:getcontextkeysforcustompolicy",
    "iam:getcredentialreport",
    "iam:getorganizationsaccessreport",
    "iam:getoutboundwebidentityfederationinfo",
    "iam:getservicelastaccesseddetails",
    "iam:getservicelastaccesseddetailswithentities",
    "iam:listaccountaliases",
    "iam:listdelegationrequests",
    "iam:listopenidconnectproviders",
    "iam:listorganizationsfeatures",
    "iam:listsamlproviders",
    "iam:putaccountproperties",
    "iam:setsecuritytokenservicepreferences",
    "iam:simulatecustompolicy",
    "iam:updateaccountpasswordpolicy",
    "s3:listallmybuckets",
    "sts:decodeauthorizationmessage",
    "sts:getaccesskeyinfo",
    "sts:getcalleridentity",
    "sts:getdelegatedaccesstoken",
    "sts:getservicebearertoken",
    "sts:getsessiontoken",
];

/// Whether this one action, in lower case, takes no resource.
pub(super) fn takes_no_resource(action: &str) -> bool {
    WITHOUT_RESOURCE.contains(&action)
}

/// The services whose resources a service's actions work on, where that is known.
pub(super) fn services_of_resources(service: &str) -> Option<&'static [&'static str]> {
    Some(match service {
        "iam" => &["iam"],
        "sts" => &["iam", "sts"],
        "s3" => &["s3", "s3-object-lambda", "s3-outposts", "s3express"],
        _ => return None,
    })
}

/// The name that was probably meant: within two edits, or the same but for case.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_ascii_lowercase();
    let distances = known.into_iter().filter_map(|candidate| {
        let near = candidate.len().abs_diff(lower.len()) <= EDITS_MAX && lower.len() <= 128;
        let edits = || few_edits(lower.as_bytes(), candidate.to_ascii_lowercase().as_bytes());
        near.then(edits).flatten().map(|distance| (distance, candidate))
    });
    distances.min().map(|(_, candidate)| candidate)
}

/// Edits within which a name was meant.
const EDITS_MAX: usize = 2;

/// Levenshtein distance, up to [`EDITS_MAX`]. Of names that have little in common a few letters are looked at.
pub(super) fn few_edits(a: &[u8], b: &[u8]) -> Option<usize> {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let (&[diagonal, above], Some(&left)) = (pair, next.last()) else { continue };
            next.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        row = next;
        // No row has a smaller number than the least of the row before.
        if row.iter().all(|&edits| edits > EDITS_MAX) {
            return None;
        }
    }
    row.last().copied().filter(|&edits| edits <= EDITS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_as_far_as_they_matter() {
        for (a, b, edits) in [
            ("abc", "abc", Some(0)),
            ("", "ab", Some(2)),
            ("getuser", "getusers", Some(1)),
            ("getuser", "egtuser", Some(2)),
            ("getuser", "xgetuse", Some(2)),
            ("kitten", "sitting", None),
            ("", "abc", None),
        ] {
            assert_eq!(few_edits(a.as_bytes(), b.as_bytes()), edits, "{a} {b}");
            assert_eq!(few_edits(b.as_bytes(), a.as_bytes()), edits, "{b} {a}");
        }
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("GetUsr", ["GetUser", "GetRole"]), Some("GetUser"));
        assert_eq!(nearest("getuser", ["GetUser", "GetRole"]), Some("GetUser"));
        assert_eq!(nearest("Whatever", ["GetUser", "GetRole"]), None);
        assert_eq!(meant_key("aws:PrincipalOrgId2").as_deref(), Some("aws:PrincipalOrgID"));
        assert_eq!(meant_key("aws:ExternalId").as_deref(), Some("sts:ExternalId"));
        assert_eq!(meant_key("gitlab.com:projectid").as_deref(), Some("gitlab.com:project_id"));
    }

    #[test]
    fn keys_are_known_whatever_their_case() {
        assert_eq!(key_kind("AWS:sourceip"), KeyKind::Single);
        assert_eq!(key_kind("aws:tagkeys"), KeyKind::Multivalued);
        assert_eq!(key_kind("aws:PrincipalTag/x"), KeyKind::Single);
        assert_eq!(key_kind("aws:PrincipalTag/"), KeyKind::TagWithoutName);
        assert_eq!(key_kind("aws:PrincipalTag"), KeyKind::TagWithoutName);
        assert_eq!(key_kind("aws:SourceIpp"), KeyKind::NoSuchGlobal);
        assert_eq!(key_kind("s3:prefix"), KeyKind::Unknown);
        assert_eq!(key_kind("gitlab.com:amr"), KeyKind::Multivalued);
        assert_eq!(key_kind("oidc.example.com/id/X:sub"), KeyKind::Single);
        assert_eq!(key_kind("sts:RequestContextProviders"), KeyKind::Multivalued);
        assert_eq!(key_kind("iam:accountpropertynamespaces"), KeyKind::Multivalued);
        assert_eq!(key_kind("SAML:eduPersonAffiliation"), KeyKind::Multivalued);
        assert_eq!(key_kind("saml:aud"), KeyKind::Single);
        assert_eq!(key_kind("saml:audience"), KeyKind::NoSuchOfService);
        assert_eq!(key_kind("gitlab.com:projectid"), KeyKind::NoSuchClaim);
    }
}
