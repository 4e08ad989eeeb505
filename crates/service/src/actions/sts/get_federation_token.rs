//! `sts:GetFederationToken`: an identity broker asks, with its own long-term keys, for credentials of a
//! person whom only the broker knows. What they may do is the broker's own permission *and* the policy
//! passed here, looked at again at every use.

use daypass_authn::token::{SessionClaims, SessionKind};
use daypass_directory::{
    Authorized, Check, Checks, Identity, Operation, Principal, View, federated_user_arn,
};
use daypass_model::Tag;
use daypass_model::limits::{ROOT_SESSION_SECONDS_MAX, USER_SESSION_SECONDS_DEFAULT};
use serde::{Deserialize, Serialize};

use super::issue::{self, Credentials, PolicyDescriptor};
use crate::action::{Action, read};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

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
    const NAME: (&'static str, &'static str) = ("sts", "GetFederationToken");
    const CALLERS: Callers = Callers::LongTermKeys;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(_: &View, who: &Principal, input: &Input) -> Checks {
        let arn = federated_user_arn(who.account, &input.name);
        let mut check = Check::new("sts:GetFederationToken", arn, who.account);
        for tag in &input.tags {
            check = check.with(format!("aws:RequestTag/{}", tag.key), tag.value.as_str());
        }
        if !input.tags.is_empty() {
            check =
                check.with("aws:TagKeys", input.tags.iter().map(|tag| tag.key.clone()).collect::<Vec<_>>());
        }
        let tag = check.also("sts:TagSession");
        Checks::one(check).and_if(!input.tags.is_empty(), || tag)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who, view) = (call.input(), call.principal(), call.view());
        issue::check_tags(&input.tags)?;
        let account = view.account(who.account).ok_or_else(Error::internal)?;
        let layer = issue::layer(&account, input.policy.as_ref(), &input.policy_arns)?;
        let asked = input.duration_seconds.unwrap_or(USER_SESSION_SECONDS_DEFAULT);
        let (kind, principal_id, seconds) = match &who.identity {
            Identity::User(user) => (SessionKind::Federated, user.record.id.to_string(), asked),
            _ => (SessionKind::FederatedByRoot, who.account.to_string(), asked.min(ROOT_SESSION_SECONDS_MAX)),
        };
        let (session_id, ancestry) = issue::lineage(house, None);
        let issued_at = op.now.as_second();
        let claims = SessionClaims {
            session_id,
            ancestry,
            kind,
            account: who.account,
            principal_id,
            principal_arn: who.arn.clone(),
            session_name: input.name.clone(),
            issued_at,
            expires_at: issued_at + seconds,
            layers: layer.into_iter().collect(),
            tags: input.tags.clone(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            mfa_authenticated_at: None,
            federation: Vec::new(),
            chained: false,
        };
        let issued = issue::issue(house, view, &claims, input.minimum_session_token_size)?;
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
