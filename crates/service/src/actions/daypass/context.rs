//! The facts of a request that the asking service says: which condition keys it may fill, and how.
//!
//! A service knows what was asked of *it* (`s3:prefix`) and how the request came (`aws:SourceIp`); it does not
//! get to say who the caller is, how they proved it or what time it is.

use std::collections::BTreeMap;
use std::net::IpAddr;

use daypass_authn::sigv4::is_s3_family;
use daypass_directory::Value;

use crate::error::Error;

const SOURCE_IP: &str = "aws:SourceIp";
const SECURE_TRANSPORT: &str = "aws:SecureTransport";

/// Global keys that a service may fill, as AWS spells them; those ending in `/` take a tag key behind it.
const GLOBAL: [&str; 8] = [
    SOURCE_IP,
    SECURE_TRANSPORT,
    "aws:UserAgent",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:ResourceTag/",
    "aws:RequestTag/",
    "aws:TagKeys",
];

/// Multivalued keys, by the Service Authorization Reference ("ArrayOf…"). Every other key is single-valued.
const MULTIVALUED: [&str; 12] = [
    "aws:tagkeys",
    "dynamodb:attributes",
    "dynamodb:leadingkeys",
    "kms:encryptioncontextkeys",
    "kms:grantoperations",
    "kms:resourcealiases",
    "route53:changeresourcerecordsetsactions",
    "route53:changeresourcerecordsetsnormalizedrecordnames",
    "route53:changeresourcerecordsetsrecordtypes",
    "s3:requestobjecttagkeys",
    "secretsmanager:addreplicaregion",
    "ssm:sourceinstancearn",
];

/// Keys of the S3 family that say how a request was signed, without their prefix: daypass verified the signature
/// (Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys").
const OF_SIGNATURE: [&str; 4] = ["signatureversion", "authtype", "signatureage", "x-amz-content-sha256"];

/// Keys with a service's prefix that say what the caller's session was given to: daypass's to know, where it is one of its machines.
const OF_MACHINE: [&str; 4] =
    ["ec2:sourceinstancearn", "ec2:roledelivery", "lambda:sourcefunctionarn", "ssm:sourceinstancearn"];

/// Whether condition keys with this prefix say who somebody is. No service may have it, or it would fill them as
/// its own. `aws` and `saml` are daypass's; the keys of an OpenID Connect provider begin with its host name (IAM
/// User Guide, "Available keys for AWS OIDC federation"), and no service has a dot in its prefix.
pub(super) fn is_about_identity(prefix: &str) -> bool {
    let folded = prefix.to_lowercase();
    matches!(folded.as_str(), "aws" | "saml")
        || folded.contains('.')
        || folded.starts_with("cognito-identity")
}

/// The keys of `Context`, checked; `service` is the prefix of the action in question.
pub(super) fn keys(
    service: &str,
    context: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<(String, Value)>, Error> {
    let mut keys: Vec<(String, Value)> = Vec::with_capacity(context.len());
    for (key, values) in context {
        let folded = key.to_lowercase();
        if !may_say(service, &folded) {
            return Err(Error::validation(format!("The condition key {key} is not for a service to fill.")));
        }
        if keys.iter().any(|(earlier, _)| earlier.to_lowercase() == folded) {
            return Err(Error::validation(format!("The condition key {key} is given twice.")));
        }
        let value = match values.as_slice() {
            _ if MULTIVALUED.contains(&folded.as_str()) => Value::Many(values.clone()),
            [one] => Value::One(one.clone()),
            _ => return Err(Error::validation(format!("The condition key {key} takes exactly one value."))),
        };
        let key = spelled(key);
        let value = checked(&key, value)?;
        keys.push((key, value));
    }
    Ok(keys)
}

/// A global key as AWS spells it, any other as it was given.
fn spelled(key: &str) -> String {
    let global = GLOBAL.into_iter().find_map(|global| {
        let (start, tag) = key.split_at_checked(global.len())?;
        let may_go_on = global.ends_with('/') || tag.is_empty();
        (may_go_on && start.eq_ignore_ascii_case(global)).then(|| format!("{global}{tag}"))
    });
    global.unwrap_or_else(|| key.to_owned())
}

/// A value that its key can have. A condition on one that is none would not be met, and a Deny that asks for an address
/// outside of a network would not apply.
fn checked(key: &str, value: Value) -> Result<Value, Error> {
    let Value::One(text) = &value else { return Ok(value) };
    match key {
        SOURCE_IP => match text.parse::<IpAddr>() {
            Ok(address) => Ok(Value::One(address.to_canonical().to_string())),
            Err(_) => Err(Error::validation("aws:SourceIp is one IPv4 or IPv6 address, and nothing else.")),
        },
        SECURE_TRANSPORT if !["true", "false"].iter().any(|known| text.eq_ignore_ascii_case(known)) => {
            Err(Error::validation("aws:SecureTransport is true or false."))
        }
        _ => Ok(value),
    }
}

fn may_say(service: &str, folded: &str) -> bool {
    let service = service.to_lowercase();
    let own = folded.strip_prefix(&service).and_then(|rest| rest.strip_prefix(':'));
    let daypass_says = |name: &str| is_s3_family(&service) && OF_SIGNATURE.contains(&name);
    let own =
        own.is_some_and(|name| !name.is_empty() && !daypass_says(name) && !OF_MACHINE.contains(&folded));
    own || GLOBAL.iter().any(|global| match global.strip_suffix('/') {
        Some(prefix) => folded
            .strip_prefix(&prefix.to_lowercase())
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('/')),
        None => folded == global.to_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(key: &str, values: &[&str]) -> Result<Vec<(String, Value)>, Error> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        keys("s3", &BTreeMap::from([(key.to_owned(), values)]))
    }

    #[test]
    fn a_service_fills_its_own_keys_and_how_the_request_came() {
        for key in ["s3:prefix", "S3:Prefix", "aws:UserAgent", "aws:ResourceTag/team", "aws:requesttag/a b"] {
            assert!(say(key, &["x"]).is_ok(), "{key}");
        }
        assert!(say("aws:SourceIp", &["192.0.2.1"]).is_ok());
        assert!(say("aws:SecureTransport", &["true"]).is_ok());
        for key in [
            "aws:PrincipalArn",
            "aws:userid",
            "aws:CurrentTime",
            "aws:TokenIssueTime",
            "aws:PrincipalTag/a",
            "aws:MultiFactorAuthPresent",
            "sqs:x",
            "aws:ResourceTag",
            "aws:ResourceTag/",
            "s3:",
            "s3",
            "s3x:y",
            "sts:ExternalId",
            "s3:authType",
            "S3:SignatureAge",
            "s3:signatureversion",
            "s3:x-amz-content-sha256",
        ] {
            assert_eq!(say(key, &["x"]).unwrap_err().code, "ValidationError", "{key}");
        }
    }

    #[test]
    fn an_address_is_one_address_and_nothing_around_it() {
        for (given, told) in
            [("192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1")]
        {
            assert_eq!(say("AWS:sourceip", &[given]).unwrap(), [(SOURCE_IP.into(), Value::from(told))]);
        }
        for bad in [
            "",
            "unix",
            "192.0.2.1:443",
            "[2001:db8::1]:443",
            "[2001:db8::1]",
            "192.0.2.1, 10.0.0.1",
            "192.0.2.1 ",
            "192.0.2.0/24",
            "fe80::1%eth0",
            "010.1.1.1",
        ] {
            assert_eq!(say("aws:SourceIp", &[bad]).unwrap_err().code, "ValidationError", "{bad:?}");
        }
        for bad in ["", "yes", "1"] {
            assert_eq!(say("aws:SecureTransport", &[bad]).unwrap_err().code, "ValidationError", "{bad:?}");
        }
    }

    #[test]
    fn global_keys_are_spelled_as_aws_does_and_others_as_they_came() {
        for (given, told) in [
            ("AWS:resourcetag/Team", "aws:ResourceTag/Team"),
            ("aws:useragent", "aws:UserAgent"),
            ("S3:Prefix", "S3:Prefix"),
        ] {
            assert_eq!(say(given, &["x"]).unwrap()[0].0, told);
        }
    }

    #[test]
    fn the_key_and_not_its_list_says_whether_it_is_multivalued() {
        assert_eq!(say("s3:prefix", &["a"]).unwrap()[0].1, Value::One("a".into()));
        assert_eq!(say("aws:TagKeys", &["a"]).unwrap()[0].1, Value::Many(vec!["a".into()]));
        assert!(say("s3:prefix", &["a", "b"]).is_err());
        assert!(say("s3:prefix", &[]).is_err());
    }
}
