//! `iam:ListVirtualMFADevices`: all of the account, assigned or not, without what was shown once and without tags.

use daypass_directory::record::KeyOwner;
use daypass_directory::{AccountView, Authorized, Checks, MfaDevice, Operation, Scope};
use daypass_model::{EntityKind, fold_name};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::shape::{RootShape, UserShape};
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct ListVirtualMfaDevices;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(default)]
    assignment_status: Assignment,
    marker: Option<String>,
    max_items: Option<i64>,
}

/// `assignmentStatusType`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Assignment {
    Assigned,
    Unassigned,
    #[default]
    Any,
}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "VirtualMFADevices")]
    virtual_mfa_devices: Vec<Device>,
    #[serde(rename = "IsTruncated")]
    is_truncated: bool,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// `VirtualMFADevice` in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Device {
    serial_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<OwnerShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_date: Option<Time>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OwnerShape {
    User(UserShape),
    Root(RootShape),
}

impl Action for ListVirtualMfaDevices {
    const NAME: &'static str = "iam:ListVirtualMFADevices";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, _: &Input) -> Checks {
        Checks::one(target::collection(Self::NAME, scope, EntityKind::MfaDevice, None))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let selection = Selection {
            of: format!("ListVirtualMFADevices {:?}", input.assignment_status),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let wanted = |device: &MfaDevice| match input.assignment_status {
            Assignment::Any => true,
            Assignment::Assigned => device.record.owner.is_some(),
            Assignment::Unassigned => device.record.owner.is_none(),
        };
        let found = account.mfa_devices().filter(|device| wanted(device));
        let found = found.map(|device| (fold_name(&device.arn), device));
        let page = page(house, call.scope(), &selection, found)?.map(|device| Device {
            serial_number: device.arn.clone(),
            user: owner(&account, device),
            enable_date: device.record.enabled.map(Time),
        });
        Ok(Output { virtual_mfa_devices: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}

fn owner(account: &AccountView<'_>, device: &MfaDevice) -> Option<OwnerShape> {
    match device.record.owner.as_ref()? {
        KeyOwner::Root => Some(OwnerShape::Root(RootShape::of(account))),
        KeyOwner::User(id) => {
            let user = account.user_by_id(id)?;
            Some(OwnerShape::User(UserShape::listed(&user.arn, &user.record)))
        }
    }
}
