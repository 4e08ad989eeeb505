//! `iam:GetSAMLProvider`. Private keys are never shown, their ids are.

use daypass_directory::record::AssertionEncryption;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::Tag;
use serde::{Deserialize, Serialize};

use super::rules as saml_rules;
use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct GetSamlProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

/// With its lists, empty ones too, as recorded.
#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "SAMLProviderUUID")]
    uuid: String,
    #[serde(rename = "SAMLMetadataDocument")]
    metadata: String,
    #[serde(rename = "CreateDate")]
    created: Time,
    #[serde(rename = "ValidUntil")]
    valid_until: Time,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
    #[serde(rename = "AssertionEncryptionMode")]
    encryption: AssertionEncryption,
    #[serde(rename = "PrivateKeyList")]
    private_keys: Vec<PrivateKey>,
}

/// `SAMLPrivateKey`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PrivateKey {
    key_id: String,
    timestamp: Time,
}

impl Action for GetSamlProvider {
    const NAME: &'static str = "iam:GetSAMLProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::saml_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let provider = target::find_saml_provider(&account, &call.input().arn)?;
        let record = &provider.record;
        let keys = record.private_keys.iter();
        Ok(Output {
            uuid: record.uuid(),
            metadata: record.metadata.clone(),
            created: Time(record.created),
            valid_until: Time(saml_rules::valid_until(&provider.metadata, record.metadata_since)),
            tags: record.tags.iter().cloned().collect(),
            encryption: record.encryption.unwrap_or(AssertionEncryption::Allowed),
            private_keys: keys
                .map(|key| PrivateKey { key_id: key.id.clone(), timestamp: Time(key.created) })
                .collect(),
        })
    }
}
