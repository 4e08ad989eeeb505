//! `daypass:RegisterInstance`: a place for one machine, whose programs get the role of an instance profile. Whoever makes it
//! hands that role out, and must be allowed to pass it.

use std::sync::Arc;

use daypass_directory::record::{InstanceRecord, Unknown};
use daypass_directory::{
    AccountView, Authorized, Checks, InstanceProfile, Operation, Scope, instance_arn, key,
};
use daypass_model::limits::INSTANCES_PER_ACCOUNT_MAX;
use daypass_model::{EntityKind, Random, SessionId, entity_arn};
use serde::Deserialize;

use super::{Joinable, join_secret, role_of};
use crate::action::{Action, read};
use crate::actions::pass_role;
use crate::actions::region::region_name;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;
use crate::request::Time;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct RegisterInstance;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_profile_name: Option<String>,
    instance_profile_arn: Option<String>,
    instance_id: Option<String>,
    region: Option<String>,
    join_secret_seconds: Option<i64>,
}

impl Action for RegisterInstance {
    const NAME: &'static str = "daypass:RegisterInstance";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Joinable;

    fn parse(params: &Params) -> Result<Input, Error> {
        let input = read::<Self>(params, Self::READ_ONLY)?;
        match (&input.instance_profile_name, &input.instance_profile_arn) {
            (Some(_), None) | (None, Some(_)) => Ok(input),
            _ => Err(Error::validation("Give either InstanceProfileName or InstanceProfileArn.")),
        }
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let account = scope.account();
        // The id may be drawn only later: then it is asked for any, as where machines are started on AWS.
        let region = input.region(scope);
        let arn = instance_arn(account.id(), &region, input.instance_id.as_deref().unwrap_or("*"));
        let profile = input.profile(&account);
        let profile_arn = profile.map_or_else(|| input.named(scope), |profile| profile.arn.clone());
        let check = scope.check(Self::NAME, arn.as_str()).with("ec2:InstanceProfile", profile_arn);
        let checks = Checks::one(check);
        match profile.and_then(|profile| role_of(&account, profile)) {
            Some(role) => {
                let passed = pass_role::of_role(scope, role, OwnService::Ec2);
                checks.and(pass_role::for_one(passed, &arn))
            }
            None => checks,
        }
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Joinable, Error> {
        let (input, account) = (call.input(), call.account());
        let missing = || {
            let named = input.named(call.scope());
            Error::no_such_entity(format!("Instance Profile {named} cannot be found."))
        };
        let profile = input.profile(&account).ok_or_else(missing)?;
        if account.instance_count() >= INSTANCES_PER_ACCOUNT_MAX {
            let message = format!("Cannot exceed quota for InstancesPerAccount: {INSTANCES_PER_ACCOUNT_MAX}");
            return Err(Error::limit_exceeded(message));
        }
        let random = house.directory.random();
        let id = input.instance_id.clone().unwrap_or_else(|| instance_id(random));
        if account.instance(&id).is_some() {
            return Err(Error::already_exists(format!("Instance with id {id} already exists.")));
        }
        let region = input.region(call.scope());
        // An id is one machine's for ever: policies may name it.
        if !house.directory.spend_instance_id(op, account.id(), &id).await? {
            return Err(Error::already_exists(format!("Instance with id {id} was there before.")));
        }
        let (join, secret) = join_secret(op, house, input.join_secret_seconds);
        let expires = join.expires;
        let mut change = call.change(op);
        let record = InstanceRecord {
            written: change.written(),
            id: id.clone(),
            region: region.clone(),
            created: op.now.as_second(),
            profile: profile.record.id.clone(),
            sessions: SessionId::generate(account.id(), random),
            unused: true,
            join,
            joined: None,
            unknown: Unknown::new(),
        };
        // The profile as it was when the caller was allowed to pass its role.
        let of_profile = key::entity(account.id(), EntityKind::InstanceProfile, &profile.record.id);
        change.unchanged(of_profile, profile.revision);
        change.absent(key::instance(account.id(), &id));
        change.quiet(key::instances(account.id()));
        change.put(key::instance(account.id(), &id), &record);
        house.directory.commit(change).await?;
        Ok(Joinable {
            instance_arn: instance_arn(account.id(), &region, &id),
            instance_id: id,
            join_secret: secret,
            join_secret_expiration: Time(expires),
        })
    }
}

impl Input {
    /// The region that was given, or else that the call was signed for.
    fn region(&self, scope: &Scope) -> String {
        self.region.clone().unwrap_or_else(|| region_name(scope.region()).to_owned())
    }

    fn profile<'v>(&self, account: &AccountView<'v>) -> Option<&'v Arc<InstanceProfile>> {
        match (&self.instance_profile_name, &self.instance_profile_arn) {
            (Some(name), _) => account.instance_profile(name),
            (None, Some(arn)) => account.instance_profile_at(arn),
            (None, None) => None,
        }
    }

    /// ARN of a profile that may not be there.
    fn named(&self, scope: &Scope) -> String {
        match (&self.instance_profile_name, &self.instance_profile_arn) {
            (Some(name), _) => entity_arn(scope.account().id(), EntityKind::InstanceProfile, "/", name),
            (None, arn) => arn.clone().unwrap_or_default(),
        }
    }
}

/// `i-` and 17 hexadecimal digits.
fn instance_id(random: &dyn Random) -> String {
    let mut bytes = [0; 9];
    random.fill(&mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("i-{}", digits.get(..17).unwrap_or_default())
}
