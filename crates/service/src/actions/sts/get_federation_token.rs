//! `sts:GetFederationToken`: an identity broker asks, with its own long-term keys, for credentials of a
//! person whom only the broker knows. What they may do is the broker's own permission *and* the policy
//! passed here, looked at again at every use.

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::{Authorized, Checks, Operation, Scope, federated_user_arn};
use daypass_model::Tag;
use serde::{Deserialize, Serialize};

use super::claims;
use super::issue::{self, Credentials, PolicyDescriptor};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct GetFederationToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Input {
    name: String,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyDescriptor>,
    duration_seconds: Option<i64>,
    #[serde(default)]
    tags: Vec<Tag>,
    minimum_session_token_size: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    credentials: Credentials,
    federated_user: FederatedUser,
    packed_policy_size: u32,
    session_token_size: usize,
    session_token_utilization: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FederatedUser {
    federated_user_id: String,
    arn: String,
}

impl Action for GetFederationToken {
    const NAME: &'static str = "sts:GetFederationToken";
    const CALLERS: Callers = Callers::LongTermKeys;
    const READ_ONLY: bool = false;
    const ISSUES: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let arn = federated_user_arn(scope.account().id(), &input.name);
        let check = scope.check(Self::NAME, arn).with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "sts:TagSession")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who, account) = (call.input(), call.principal(), call.account());
        issue::check_tags(&input.tags)?;
        let layer = issue::layer(|arn| account.policy(arn), input.policy.as_ref(), &input.policy_arns)?;
        let kinds = (SessionKind::Federated, SessionKind::FederatedByRoot);
        let (of, seconds) = claims::of_caller(who, kinds, input.duration_seconds)?;
        let claims = SessionClaims {
            session_name: input.name.clone(),
            layers: layer.into_iter().collect(),
            tags: input.tags.clone(),
            ..claims::begin(op, house, who, of, seconds)?
        };
        let issued = issue::issue(op, house, &call, &claims, input.minimum_session_token_size)?;
        Ok(Output {
            credentials: issued.credentials,
            federated_user: FederatedUser {
                federated_user_id: format!("{}:{}", who.account, input.name),
                arn: federated_user_arn(who.account, &input.name),
            },
            packed_policy_size: issued.packed_policy_size,
            session_token_size: issued.session_token_size,
            session_token_utilization: issued.session_token_utilization,
        })
    }
}
