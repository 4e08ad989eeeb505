//! A role for a service, which somebody speaks for whom that service is: whoever runs it, or daypass itself.
//!
//! The role's trust policy alone decides, and tells nobody of another account what it says: a role that is not there, one
//! that does not let the service in, and one of an account that is closed are refused alike.

use daypass_directory::{Operation, Principal, Scope, Value, Vouched};
use daypass_model::{Arn, Tag};
use serde::Serialize;

use crate::actions::sts::assume_role::AssumedRoleUser;
use crate::actions::sts::issue::{self, Credentials, PolicyDescriptor};
use crate::actions::sts::vouched::{self, Asked, Lifetime};
use crate::decide::decide_of_service;
use crate::error::Error;
use crate::house::House;

/// What AssumeRole answers, too.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions) struct Output {
    pub(in crate::actions) assumed_role_user: AssumedRoleUser,
    pub(in crate::actions) credentials: Credentials,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::actions) packed_policy_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::actions) source_identity: Option<String>,
}

/// What a service asks for.
pub(in crate::actions) struct Wanted<'a> {
    /// Its name.
    pub(in crate::actions) service: &'a str,
    /// The role's ARN.
    pub(in crate::actions) role_arn: &'a str,
    pub(in crate::actions) session_name: &'a str,
    pub(in crate::actions) lifetime: Lifetime,
    pub(in crate::actions) policy: Option<&'a String>,
    pub(in crate::actions) policy_arns: &'a [PolicyDescriptor],
    pub(in crate::actions) tags: &'a [Tag],
    pub(in crate::actions) transitive_tag_keys: &'a [String],
    pub(in crate::actions) source_identity: Option<&'a str>,
    /// What the service says of whom it acts for: `aws:SourceArn`, `aws:SourceAccount`, `sts:ExternalId`.
    pub(in crate::actions) keys: Vec<(String, Value)>,
    /// What the session log says the session is for.
    pub(in crate::actions) description: Option<&'a str>,
}

/// Who speaks for a service: the session that comes of it descends from theirs.
pub(in crate::actions) struct Speaker<'a> {
    pub(in crate::actions) scope: &'a Scope,
}

impl Speaker<'_> {
    /// Get the service the role.
    ///
    /// # Errors
    /// AccessDenied, in the same words whatever is in the way; what AssumeRole refuses of policies, tags and durations.
    pub(in crate::actions) fn assume(
        &self,
        op: &Operation,
        house: &House,
        wanted: Wanted<'_>,
    ) -> Result<Output, Error> {
        let account = wanted.role_arn.parse().ok().and_then(|arn: Arn| arn.account_id());
        let vouched = Vouched {
            keys: wanted.keys,
            tags: wanted.tags.to_vec(),
            transitive_tag_keys: wanted.transitive_tag_keys.to_vec(),
            source_identity: wanted.source_identity.map(str::to_owned),
            ..Vouched::service(wanted.service)
        };
        let scope = account.and_then(|account| self.scope.of_service(account, vouched, op.now).ok());
        let scope = scope.ok_or_else(refused)?;
        let checks = vouched::checks("sts:AssumeRole", &scope, wanted.role_arn, wanted.session_name);
        let speaker: &Principal = self.scope.principal();
        let call = decide_of_service(op, house, &scope, &checks, speaker.account).map_err(|_| refused())?;
        let asked = Asked {
            role_arn: wanted.role_arn,
            session_name: wanted.session_name,
            policy: wanted.policy,
            policy_arns: wanted.policy_arns,
            lifetime: wanted.lifetime,
            ends_by: None,
        };
        let granted = vouched::grant_through(op, house, &call, &asked, speaker)?;
        // Another account hears that the service has its role, and not from where the service asks.
        let told = match account == Some(speaker.account) {
            true => op.clone(),
            false => Operation { source_ip: None, user_agent: None, ..op.clone() },
        };
        let issued = issue::issue_described(&told, house, &call, &granted.claims, None, wanted.description)?;
        Ok(Output {
            assumed_role_user: AssumedRoleUser::of(granted.role, wanted.session_name),
            credentials: issued.credentials,
            packed_policy_size: granted.is_packed.then_some(issued.packed_policy_size),
            source_identity: granted.claims.source_identity.clone(),
        })
    }
}

/// Neither whether there is such a role nor what it says of whom.
fn refused() -> Error {
    Error::access_denied("Not authorized to perform sts:AssumeRole")
}
