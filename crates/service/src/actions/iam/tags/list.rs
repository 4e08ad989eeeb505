//! `iam:ListUserTags`, `iam:ListRoleTags`, `iam:ListPolicyTags`, `iam:ListMFADeviceTags`

use std::marker::PhantomData;

use daypass_directory::{Authorized, Checks, Operation, Scope};
use daypass_model::Tag;
use serde::{Deserialize, Serialize};

use super::Taggable;
use crate::action::Action;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct ListTags<K>(PhantomData<K>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    #[serde(
        rename = "UserName",
        alias = "RoleName",
        alias = "PolicyArn",
        alias = "InstanceProfileName",
        alias = "SerialNumber",
        alias = "OpenIDConnectProviderArn",
        alias = "SAMLProviderArn"
    )]
    name: String,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    tags: Vec<Tag>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl<K: Taggable> Action for ListTags<K> {
    const NAME: &'static str = K::LIST;
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(K::check(Self::NAME, scope, &input.name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        let (id, tags) = K::find_tags(&account, &input.name)?;
        let selection = Selection {
            of: format!("{} {id}", K::LIST),
            marker: input.marker.as_deref(),
            max_items: input.max_items,
        };
        let mut tags: Vec<_> = tags.iter().cloned().collect();
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        let page = page(house, call.scope(), &selection, tags.into_iter().map(|tag| (tag.key.clone(), tag)))?;
        Ok(Output { tags: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
