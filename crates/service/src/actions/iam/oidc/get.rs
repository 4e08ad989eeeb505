//! `iam:GetOpenIDConnectProvider`

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::Tag;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::actions::iam::target;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::request::Time;

pub(in crate::actions::iam) struct GetOidcProvider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

/// The URL comes without its scheme; tags come where there are none, too, as recorded.
#[derive(Serialize)]
pub(in crate::actions::iam) struct Output {
    #[serde(rename = "Url")]
    url: String,
    #[serde(rename = "ClientIDList")]
    client_ids: Vec<String>,
    #[serde(rename = "ThumbprintList")]
    thumbprints: Vec<String>,
    #[serde(rename = "CreateDate")]
    created: Time,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

impl Action for GetOidcProvider {
    const NAME: &'static str = "iam:GetOpenIDConnectProvider";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::oidc_provider(Self::NAME, scope, &input.arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let account = call.account();
        let record = &target::find_oidc_provider(&account, &call.input().arn)?.record;
        Ok(Output {
            url: record.url.clone(),
            client_ids: record.client_ids.clone(),
            thumbprints: record.thumbprints.clone(),
            created: Time(record.created),
            tags: record.tags.iter().cloned().collect(),
        })
    }
}
