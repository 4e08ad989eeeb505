//! `rolesanywhere:CreateProfile`: roles for holders of certificates. Each role needs `iam:PassRole`.

use daypass_authn::x509::FIELDS;
use daypass_directory::anywhere::record::{MappingRecord, ProfileRecord};
use daypass_directory::record::Unknown;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Deserialize;

use super::limits;
use crate::action::Action;
use crate::actions::rolesanywhere::kind::{Profiles, Resource as _};
use crate::actions::rolesanywhere::rules;
use crate::actions::rolesanywhere::shape::{ProfileDetail, TagShape, Wrapped};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

/// How long a session is where the profile does not say, in seconds.
const DURATION: i64 = 3600;

pub(in crate::actions::rolesanywhere) struct CreateProfile;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::actions::rolesanywhere) struct Input {
    name: String,
    role_arns: Vec<String>,
    #[serde(default)]
    managed_policy_arns: Vec<String>,
    session_policy: Option<String>,
    duration_seconds: Option<i64>,
    #[serde(default)]
    require_instance_properties: bool,
    #[serde(default)]
    accept_role_session_name: bool,
    enabled: Option<bool>,
    #[serde(default)]
    tags: Vec<TagShape>,
}

impl Action for CreateProfile {
    const NAME: &'static str = "rolesanywhere:CreateProfile";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Wrapped<ProfileDetail>;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let own = scope.check(Self::NAME, "*").with_request_tags(&rules::given(&input.tags));
        limits::passing(Checks::one(own), scope, &input.role_arns, None)
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Self::Output, Error> {
        let (input, account) = (call.input(), call.account());
        let roles = limits::roles(&account, &input.role_arns, &[])?;
        limits::check_policies(&account, input.session_policy.as_ref(), &input.managed_policy_arns)?;
        let tags = rules::tags(&rules::given(&input.tags))?;
        rules::room("profiles", account.anywhere_profiles().count(), rules::PROFILES_MAX)?;
        let mut change = call.change(op);
        let record = ProfileRecord {
            written: change.written(),
            common: rules::common(op, house, (&input.name, input.enabled, tags))?,
            roles,
            managed_policies: input.managed_policy_arns.clone(),
            session_policy: input.session_policy.clone(),
            duration: input.duration_seconds.unwrap_or(DURATION),
            require_instance_properties: input.require_instance_properties,
            accept_role_session_name: input.accept_role_session_name,
            mappings: FIELDS.map(|field| everything_of(field.as_str())).into(),
            created_by: call.principal().arn.clone(),
            unknown: Unknown::new(),
        };
        let arn = Profiles::KIND.arn(&record.common.region, account.id(), &record.common.id);
        let shown = Profiles::detail(&account, &record, &arn, false);
        change.create_anywhere(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Wrapped { name: Profiles::ONE, of: shown })
    }
}

fn everything_of(field: &str) -> MappingRecord {
    MappingRecord { field: field.to_owned(), specifiers: vec!["*".to_owned()], unknown: Unknown::new() }
}
