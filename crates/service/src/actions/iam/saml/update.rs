//! `iam:UpdateSAMLProvider`: other metadata, how assertions come, a private key more or less; each on its own.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::rules as saml_rules;
use crate::action::Action;
use crate::actions::iam::target;
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct UpdateSamlProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
    #[serde(rename = "SAMLMetadataDocument")]
    metadata: Option<String>,
    #[serde(rename = "AssertionEncryptionMode")]
    encryption: Option<String>,
    #[serde(rename = "AddPrivateKey")]
    added_key: Option<String>,
    #[serde(rename = "RemovePrivateKey")]
    removed_key: Option<String>,
}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

impl Action for UpdateSamlProvider {
    const NAME: &'static str = "iam:UpdateSAMLProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    const AUDIT: AuditTraits = AuditTraits { hidden: &["/addPrivateKey"], ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::saml_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let provider = target::find_saml_provider(&account, &input.arn)?;
        let mut record = provider.record.clone();
        let now = op.now.as_second();
        if let Some(metadata) = &input.metadata {
            saml_rules::metadata(metadata)?;
            record.metadata.clone_from(metadata);
            record.metadata_since = now;
        }
        if let Some(id) = &input.removed_key {
            let before = record.private_keys.len();
            record.private_keys.retain(|key| key.id != *id);
            if record.private_keys.len() == before {
                let message = format!("The private key with id {id} cannot be found.");
                return Err(Error::no_such_entity(message));
            }
        }
        if let Some(pem) = &input.added_key {
            let kept = |(id, key)| (input.removed_key.as_deref() != Some(id)).then_some(key);
            let others: Vec<_> = provider.private_keys().filter_map(kept).collect();
            let key = saml_rules::private_key(house, account.id(), &record.id, &others, pem.clone(), now)?;
            record.private_keys.push(key);
        }
        record.encryption = saml_rules::encryption(input.encryption.as_deref()).or(record.encryption);
        saml_rules::check(&record)?;
        let output = Output { arn: provider.arn.clone() };
        let mut change = call.change(op);
        change.update(account.id(), provider.revision, record);
        house.directory.commit(change).await?;
        Ok(output)
    }
}
