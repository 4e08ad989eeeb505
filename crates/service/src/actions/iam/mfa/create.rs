//! `iam:CreateVirtualMFADevice`: the only time that the seed is shown.

use data_encoding::BASE64;
use daypass_directory::record::{MfaDeviceRecord, Unknown};
use daypass_directory::{Authorized, Checks, Entity, Operation, Scope};
use daypass_model::limits::{MFA_DEVICES_PER_ACCOUNT_MAX, MFA_SERIAL_NUMBER_LENGTH_MAX};
use daypass_model::{EntityKind, Secret, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use super::picture;
use crate::action::Action;
use crate::actions::iam::shape::some_tags;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::exposed;

pub(in crate::actions::iam) struct CreateVirtualMfaDevice;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "Path")]
    path: Option<String>,
    #[serde(rename = "VirtualMFADeviceName")]
    name: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "VirtualMFADevice")]
    device: NewDevice,
}

/// `VirtualMFADevice` with what is shown once: blobs, so base64 on the wire, the seed's of its base32.
#[derive(Serialize)]
struct NewDevice {
    #[serde(rename = "SerialNumber")]
    serial_number: String,
    #[serde(rename = "Base32StringSeed", serialize_with = "exposed")]
    seed: Secret,
    #[serde(rename = "QRCodePNG", serialize_with = "exposed")]
    picture: Secret,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl Action for CreateVirtualMfaDevice {
    const NAME: &'static str = "iam:CreateVirtualMFADevice";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let path = input.path.as_deref().unwrap_or("/");
        let check = target::new(Self::NAME, scope, EntityKind::MfaDevice, path, &input.name)
            .with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "iam:TagMFADevice")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let id = UniqueId::generate(EntityKind::MfaDevice, house.directory.random());
        let sealed = house.directory.new_mfa_seed(account.id(), &id);
        let (sealed_seed, seed) = sealed.map_err(|_| Error::internal("a new seed was not sealed"))?;
        let mut change = call.change(op);
        let record = MfaDeviceRecord {
            written: change.written(),
            id,
            name: input.name.clone(),
            path: input.path.clone().unwrap_or_else(|| "/".into()),
            created: op.now.as_second(),
            sealed_seed,
            owner: None,
            enabled: None,
            clock_offset: 0,
            last_pair: None,
            tags: rules::tags_of_policy(&input.tags)?,
            unknown: Unknown::new(),
        };
        let serial_number = record.arn(account.id());
        if serial_number.chars().count() > MFA_SERIAL_NUMBER_LENGTH_MAX {
            // No call could name it.
            let what = "The path and name make a serial number of more than 256 characters.";
            return Err(Error::invalid_input(what));
        }
        if account.mfa_device_claimed(&record.claim()).is_some() {
            return Err(Error::already_exists("MFA device already exists."));
        }
        let (count, max) = (account.mfa_device_count(), MFA_DEVICES_PER_ACCOUNT_MAX);
        rules::room(
            &mut change,
            account.id(),
            EntityKind::MfaDevice,
            "VirtualMFADevicesPerAccount",
            count,
            max,
        )?;
        let device = NewDevice {
            seed: Secret::new(BASE64.encode(seed.expose())),
            picture: picture::of_device(account.id(), &record.name, &seed)?,
            tags: some_tags(&record.tags),
            serial_number,
        };
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(Output { device })
    }
}
