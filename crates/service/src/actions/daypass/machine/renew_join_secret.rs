//! `daypass:RenewJoinSecret`: another machine may take the place of the one that joined. Whoever asks could join a machine of its
//! own, so it must be allowed to pass the role.

use daypass_directory::record::JoinSecretRecord;
use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use daypass_model::SessionId;
use serde::Deserialize;

use super::{Joinable, arn_of, find, join_secret, profile_of, role_of};
use crate::action::Action;
use crate::actions::pass_role;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;
use crate::services::OwnService;

pub(in crate::actions::daypass) struct RenewJoinSecret;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::daypass) struct Input {
    instance_id: String,
    join_secret_seconds: Option<i64>,
}

impl Action for RenewJoinSecret {
    const NAME: &'static str = "daypass:RenewJoinSecret";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Joinable;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let (account, arn) = (scope.account(), arn_of(scope, &input.instance_id));
        let profile = account.instance(&input.instance_id).and_then(|found| profile_of(&account, found));
        let check = scope.check(Self::NAME, arn.as_str());
        let checks =
            Checks::one(check.with_some("ec2:InstanceProfile", profile.map(|found| found.arn.clone())));
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
        let instance = find(&account, &input.instance_id)?;
        let (join, secret) = join_secret(op, house, input.join_secret_seconds);
        let expires = join.expires;
        let mut change = call.change(op);
        if let Some(profile) = profile_of(&account, instance) {
            let place =
                key::entity(account.id(), daypass_model::EntityKind::InstanceProfile, &profile.record.id);
            change.unchanged(place, profile.revision);
        }
        let mut record = instance.record.clone();
        if record.joined.take().is_some() && !record.unused {
            account.end_sessions_below(&mut change, record.sessions, op.now.as_second())?;
            record.sessions = SessionId::generate(account.id(), house.directory.random());
            record.unused = true;
        }
        record.join = JoinSecretRecord { unknown: record.join.unknown, ..join };
        record.written = change.written();
        let place = key::instance(account.id(), &record.id);
        change.unchanged(place.clone(), instance.revision);
        change.put(place, &record);
        house.directory.commit(change).await?;
        Ok(Joinable {
            instance_id: record.id,
            instance_arn: instance.arn.clone(),
            join_secret: secret,
            join_secret_expiration: Time(expires),
        })
    }
}
