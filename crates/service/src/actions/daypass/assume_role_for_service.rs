//! `daypass:AssumeRoleForService`: an account that runs a service gets it a role, of whatever account, whose trust policy lets the
//! service in.
//!
//! Two decisions. The caller's policies must allow it to speak for the service, which the operator must have registered to its
//! account; and the role's trust policy must let the service in, by `aws:SourceArn` and `aws:SourceAccount` for whom it acts.
//! On AWS a service does this on its own; the keys are those of "The confused deputy problem" (IAM User Guide).

use daypass_directory::{Authorized, Checks, Operation, Scope, Value};
use daypass_model::{AccountId, Arn, Tag};
use serde::Deserialize;

use crate::action::{Action, read};
use crate::actions::service_role::{Output, Speaker, Wanted};
use crate::actions::sts::issue::PolicyDescriptor;
use crate::actions::sts::vouched::{Lifetime, check_role_arn};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(super) struct AssumeRoleForService;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    service_name: String,
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<i64>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    source_identity: Option<String>,
    external_id: Option<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
}

impl Action for AssumeRoleForService {
    const NAME: &'static str = "daypass:AssumeRoleForService";
    const CALLERS: Callers = Callers::UsersAndRoles;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    const AUDIT: AuditTraits =
        AuditTraits { role: Some("RoleArn"), service: Some("ServiceName"), ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        let input = read::<Self>(params, Self::READ_ONLY)?;
        check_role_arn(&input.role_arn)?;
        input.check_source()?;
        Ok(input)
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = scope
            .check(Self::NAME, service_arn(scope.account().id(), &input.service_name))
            .with("daypass:RoleArn", input.role_arn.as_str())
            .with_some("daypass:SourceArn", input.source_arn.as_deref())
            .with_some("daypass:SourceAccount", input.source_account.as_deref());
        Checks::one(check)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, own) = (call.input(), call.account().id());
        // A name that is nobody's and one that is another account's are refused alike.
        if house.settings.services.run_by(&input.service_name) != Some(own) {
            let (who, arn) = (&call.principal().arn, service_arn(own, &input.service_name));
            return Err(Error::access_denied(format!(
                "User: {who} is not authorized to perform: {} on resource: {arn}",
                Self::NAME
            )));
        }
        Speaker { scope: call.scope() }.assume(op, house, input.wanted())
    }
}

impl Input {
    /// Of whom the service acts for: an ARN, an account, and not two that contradict each other.
    fn check_source(&self) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::validation(message));
        let arn: Option<Arn> = match &self.source_arn {
            None => None,
            Some(text) => match text.parse::<Arn>() {
                // A bucket's ARN has no account.
                Ok(arn) if arn.account().is_empty() || arn.account_id().is_some() => Some(arn),
                _ => return invalid(format!("SourceArn {text} is no ARN.")),
            },
        };
        let Some(account) = &self.source_account else { return Ok(()) };
        let Ok(account) = account.parse::<AccountId>() else {
            return invalid(format!("SourceAccount {account} is no account number."));
        };
        match arn.as_ref().and_then(Arn::account_id) {
            Some(owner) if owner != account => {
                invalid("SourceArn is of another account than SourceAccount.".into())
            }
            _ => Ok(()),
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        let said = [
            ("aws:SourceArn", &self.source_arn),
            ("aws:SourceAccount", &self.source_account),
            ("sts:ExternalId", &self.external_id),
        ];
        let keys = said.into_iter().filter_map(|(key, value)| {
            value.as_ref().map(|value| (key.to_owned(), Value::from(value.as_str())))
        });
        Wanted {
            service: &self.service_name,
            role_arn: &self.role_arn,
            session_name: &self.role_session_name,
            lifetime: Lifetime::OfRole(self.duration_seconds),
            policy: self.policy.as_ref(),
            policy_arns: &self.policy_arns,
            tags: &self.tags,
            transitive_tag_keys: &self.transitive_tag_keys,
            source_identity: self.source_identity.as_deref(),
            keys: keys.collect(),
            description: None,
        }
    }
}

/// What the permission is asked for on.
fn service_arn(account: AccountId, name: &str) -> String {
    format!("arn:aws:daypass::{account}:service/{name}")
}
