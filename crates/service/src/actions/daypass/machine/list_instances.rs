//! `daypass:ListInstances`: the account's machines, by id.

use std::net::IpAddr;
use std::sync::Arc;

use daypass_directory::{AccountView, Authorized, Checks, Instance, Operation, Scope};
use serde::Serialize;

use super::profile_of;
use crate::action::Action;
use crate::actions::daypass::listed::{Listed, Whole};
use crate::actions::paging::page;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::daypass) struct ListInstances;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Shown {
    instance_id: String,
    instance_arn: String,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_profile_arn: Option<String>,
    create_date: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_date: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_from: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_secret_expiration: Option<Time>,
}

impl Action for ListInstances {
    const NAME: &'static str = "daypass:ListInstances";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Whole;
    type Output = Listed<Shown>;

    fn checks(scope: &Scope, _: &Whole) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Whole>) -> Result<Listed<Shown>, Error> {
        let (selection, account) = (call.input().of("ListInstances"), call.account());
        let items = account.instances().map(|instance| (instance.record.id.clone(), instance));
        let page = page(house, call.scope(), &selection, items)?.map(|found| Shown::of(&account, found));
        Ok(Listed { name: "Instances", page })
    }
}

impl Shown {
    fn of(account: &AccountView<'_>, instance: &Arc<Instance>) -> Self {
        let record = &instance.record;
        let joined = record.joined.as_ref();
        Self {
            instance_id: record.id.clone(),
            instance_arn: instance.arn.clone(),
            region: record.region.clone(),
            instance_profile_arn: profile_of(account, instance).map(|profile| profile.arn.clone()),
            create_date: Time(record.created),
            joined_date: joined.map(|joined| Time(joined.at)),
            joined_from: joined.and_then(|joined| joined.source_ip),
            join_secret_expiration: joined.is_none().then_some(Time(record.join.expires)),
        }
    }
}
