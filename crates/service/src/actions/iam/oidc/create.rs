//! `iam:CreateOpenIDConnectProvider`: whose tokens may be exchanged for roles of the account.
//!
//! No thumbprint is fetched where none is given, as AWS does: only a root that this machine knows vouches for the server
//! then.

use daypass_directory::record::{OidcProviderRecord, Unknown};
use daypass_directory::{Authorized, Checks, Entity as _, Operation, Scope};
use daypass_model::limits::{OIDC_CLIENT_IDS_MAX, OIDC_PROVIDERS_PER_ACCOUNT_MAX};
use daypass_model::{EntityKind, Tag, UniqueId};
use serde::{Deserialize, Serialize};

use super::rules as oidc_rules;
use crate::action::Action;
use crate::actions::iam::shape::some_tags;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct CreateOidcProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "Url")]
    url: String,
    #[serde(rename = "ClientIDList", default)]
    client_ids: Vec<String>,
    #[serde(rename = "ThumbprintList", default)]
    thumbprints: Vec<String>,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl Action for CreateOidcProvider {
    const NAME: &'static str = "iam:CreateOpenIDConnectProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let url = input.url.split_once("://").map_or(input.url.as_str(), |(_, url)| url);
        let check =
            target::new(Self::NAME, scope, EntityKind::OidcProvider, "/", url).with_request_tags(&input.tags);
        Checks::one(check).also_if(!input.tags.is_empty(), "iam:TagOpenIDConnectProvider")
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let issuer = oidc_rules::issuer_url(&input.url, &house.settings.issuers)?;
        let mut client_ids: Vec<String> = Vec::new();
        for id in &input.client_ids {
            if !client_ids.contains(id) {
                client_ids.push(id.clone());
            }
        }
        rules::within("ClientIdsPerOpenIdConnectProvider", client_ids.len(), OIDC_CLIENT_IDS_MAX)?;
        if account.oidc_provider_at(&issuer.url).is_some() {
            return Err(Error::already_exists(format!("Provider with url {} already exists.", input.url)));
        }
        let mut change = call.change(op);
        let (count, max) = (account.oidc_provider_count(), OIDC_PROVIDERS_PER_ACCOUNT_MAX);
        let quota = "OpenIdConnectProvidersPerAccount";
        rules::room(&mut change, account.id(), EntityKind::OidcProvider, quota, count, max)?;
        let record = OidcProviderRecord {
            written: change.written(),
            id: UniqueId::generate(EntityKind::OidcProvider, house.directory.random()),
            url: issuer.url,
            plain_http: issuer.plain_http,
            created: op.now.as_second(),
            client_ids,
            thumbprints: oidc_rules::thumbprints(&input.thumbprints)?,
            algorithms: Vec::new(),
            condition_claims: Vec::new(),
            tags: rules::tags_of_policy(&input.tags)?,
            unknown: Unknown::new(),
        };
        let output = Output { arn: record.arn(account.id()), tags: some_tags(&record.tags) };
        change.create(account.id(), record);
        house.directory.commit(change).await?;
        Ok(output)
    }
}
