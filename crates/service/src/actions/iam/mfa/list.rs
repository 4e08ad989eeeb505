//! `iam:ListMFADevices`: those of a user.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::owner;
use crate::action::Action;
use crate::actions::iam::access_key::owner::Owner;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct ListMfaDevices;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "MFADevices")]
    mfa_devices: Vec<Device>,
    #[serde(rename = "IsTruncated")]
    is_truncated: bool,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// `MFADevice`; root has no user name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Device {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    serial_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_date: Option<Time>,
}

impl Action for ListMfaDevices {
    const NAME: &'static str = "iam:ListMFADevices";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let user = owner::find(call.scope(), input.user_name.as_deref())?;
        let of = match user {
            Owner::Root(_) => "ListMFADevices root".to_owned(),
            Owner::User(user) => format!("ListMFADevices {}", user.record.id),
        };
        let selection = Selection { of, marker: input.marker.as_deref(), max_items: input.max_items };
        let mut devices: Vec<_> = account.mfa_devices_of(&user.in_records()).collect();
        devices.sort_by(|a, b| a.arn.cmp(&b.arn));
        let page = page(
            house,
            call.scope(),
            &selection,
            devices.into_iter().map(|device| (device.arn.clone(), device)),
        )?;
        let page = page.map(|device| Device {
            user_name: user.user_name().map(str::to_owned),
            serial_number: device.arn.clone(),
            enable_date: device.record.enabled.map(Time),
        });
        Ok(Output { mfa_devices: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
