//! `iam:CreateSAMLProvider`: whose assertions may be exchanged for roles of the account.

use daypass_directory::record::{SamlProviderRecord, Unknown};
use daypass_directory::{Authorized, Checks, Entity as _, Operation, Scope};
use daypass_model::limits::SAML_PROVIDERS_PER_ACCOUNT_MAX;
use daypass_model::{EntityKind, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use super::rules as saml_rules;
use crate::action::Action;
use crate::actions::iam::shape::some_tags;
use crate::actions::iam::{rules, target};
use crate::audit::AuditTraits;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateSamlProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "SAMLMetadataDocument")]
    metadata: String,
    #[serde(rename = "AssertionEncryptionMode")]
    encryption: Option<String>,
    #[serde(rename = "AddPrivateKey")]
    private_key: Option<String>,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl Action for CreateSamlProvider {
    const NAME: &'static str = "iam:CreateSAMLProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    const AUDIT: AuditTraits = AuditTraits { hidden: &["/addPrivateKey"], ..AuditTraits::PLAIN };
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::new(Self::NAME, scope, EntityKind::SamlProvider, "/", &input.name)
            .with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "iam:TagSAMLProvider")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        saml_rules::metadata(&input.metadata)?;
        if account.saml_provider_named(&input.name).is_some() {
            return Err(Error::already_exists(format!("Provider with name {} already exists.", input.name)));
        }
        let mut change = call.change(op);
        let (count, max) = (account.saml_provider_count(), SAML_PROVIDERS_PER_ACCOUNT_MAX);
        rules::room(
            &mut change,
            account.id(),
            EntityKind::SamlProvider,
            "SAMLProvidersPerAccount",
            count,
            max,
        )?;
        let id = UniqueId::generate(EntityKind::SamlProvider, house.directory.random());
        let now = op.now.as_second();
        let key = input.private_key.clone();
        let key =
            key.map(|pem| saml_rules::private_key(house, account.id(), &id, &[], pem, now)).transpose()?;
        let record = SamlProviderRecord {
            written: change.written(),
            id,
            name: input.name.clone(),
            created: now,
            metadata: input.metadata.clone(),
            metadata_since: now,
            encryption: saml_rules::encryption(input.encryption.as_deref()),
            private_keys: key.into_iter().collect(),
            tags: rules::tags_of_policy(&input.tags)?,
            unknown: Unknown::new(),
        };
        saml_rules::check(&record)?;
        let output = Output { arn: record.arn(account.id()), tags: some_tags(&record.tags) };
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(output)
    }
}
