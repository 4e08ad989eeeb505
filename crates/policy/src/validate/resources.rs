//! Rules for `Resource` and `NotResource`.

use super::Kind;
use crate::code::Code;
use crate::document::{Fault, StatementText, Text};

/// Trust policies take no resource, every other kind needs one. An empty text names none: it would never match, and a
/// Deny with it would deny nothing. In policies of IAM it has been told by its form.
pub(super) fn check_present(kind: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    let missing = |at| Fault::rule(Code::MissingResource, "Policy statement must contain resources.", at);
    match (&statement.resource, kind) {
        (None, Kind::Trust) => {}
        (Some(resource), Kind::Trust) => {
            found.push(Fault::rule(Code::UnsupportedResource, "Has prohibited field Resource", resource.at));
        }
        (Some(_), _) if !kind.is_iam() => {
            found.extend(items(statement).filter(|item| item.value.is_empty()).map(|item| missing(item.at)));
        }
        (Some(resource), _) if !resource.items.is_empty() => {}
        _ => found.push(missing(statement.at)),
    }
}

/// The form of each resource in a policy of IAM.
pub(super) fn check_format(_: Kind, statement: &StatementText, found: &mut Vec<Fault>) {
    let faults = items(statement).filter_map(|item| Some((fault(&item.value)?, item.at)));
    found.extend(faults.map(|(message, at)| Fault::rule(Code::InvalidArn, message, at)));
}

pub(super) fn has_format_fault(statement: &StatementText) -> bool {
    items(statement).any(|item| fault(&item.value).is_some())
}

fn items(statement: &StatementText) -> impl Iterator<Item = &Text> {
    statement.resource.iter().flat_map(|resource| &resource.items)
}

fn fault(text: &str) -> Option<String> {
    if text == "*" {
        return None;
    }
    let Some((_, rest)) = text.split_once(':') else {
        return Some(format!("Resource {text} must be in ARN format or \"*\"."));
    };
    let mut fields = rest.splitn(5, ':');
    let partition = fields.next().unwrap_or_default();
    if !is_partition(partition) {
        return Some(partition_fault(rest, partition));
    }
    if !text.starts_with("arn:") && !text.starts_with(['*', '?']) {
        return Some(format!("Resource {text} must be in ARN format or \"*\"."));
    }
    let Some(service) = fields.next().filter(|service| !service.contains(['*', '?'])) else {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".to_owned());
    };
    let region = fields.next().unwrap_or_default();
    let account = fields.next().unwrap_or_default();
    let resource = fields.next();
    match service {
        "iam" if !region.is_empty() => {
            Some(format!("IAM resource {text} cannot contain region information."))
        }
        "iam" if account.starts_with("${") => Some(super::literals::FAILED.to_owned()),
        "iam" => resource.filter(|resource| !is_iam_path(resource)).map(|_| IAM_PATHS_FAULT.to_owned()),
        // Buckets and objects have neither region nor account; what has an account (access points, jobs) has
        // a region too.
        "s3" if !region.is_empty() && account.is_empty() => {
            Some(format!("Resource {text} can not contain region information."))
        }
        "route53" if !region.is_empty() => {
            Some(format!("Resource {text} can not contain region information."))
        }
        "route53" if !account.is_empty() => Some(format!("Resource {text} cannot contain an account id.")),
        _ => None,
    }
}

/// There is one partition here, as for everybody who calls AWS from within one.
fn is_partition(partition: &str) -> bool {
    partition == "aws" || partition.contains(['*', '?'])
}

/// The message spells the ARN out, with `*` for fields that are missing.
fn partition_fault(rest: &str, partition: &str) -> String {
    let mut fields = rest.splitn(5, ':').skip(1);
    let mut next = || fields.next().unwrap_or("*");
    let (service, region, account, resource) = (next(), next(), next(), next());
    format!(
        "Partition \"{partition}\" is not valid for resource \
         \"arn:{partition}:{service}:{region}:{account}:{resource}\"."
    )
}

const IAM_PATHS_FAULT: &str = "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, \
     group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, \
     report/, access-report/.";

/// The resource types of the message, those IAM got since, and `root` (AssumeRoot). A wildcard may stand for all of
/// them, and not for a part.
fn is_iam_path(resource: &str) -> bool {
    let Some((kind, _)) = resource.split_once('/') else {
        return matches!(resource, "*" | "root");
    };
    matches!(
        kind,
        "user"
            | "federated-user"
            | "role"
            | "group"
            | "instance-profile"
            | "mfa"
            | "server-certificate"
            | "policy"
            | "sms-mfa"
            | "saml-provider"
            | "oidc-provider"
            | "report"
            | "access-report"
            | "delegation-request"
            | "role-template"
            | "contextProvider"
    )
}
