//! `iam:ListAccessKeys`: without the secrets.

use daypass_directory::{Authorized, Checks, Operation, Principal, View};
use serde::{Deserialize, Serialize};

use super::owner::{self, Owner};
use crate::action::{Action, read};
use crate::actions::iam::shape::AccessKeyMetadata;
use crate::actions::iam::target;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(in crate::actions::iam) struct ListAccessKeys;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    user_name: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::iam) struct Output {
    access_key_metadata: Vec<AccessKeyMetadata>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for ListAccessKeys {
    const NAME: (&'static str, &'static str) = ("iam", "ListAccessKeys");
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params)
    }

    fn checks(view: &View, who: &Principal, input: &Input) -> Checks {
        Checks::one(owner::check("iam:ListAccessKeys", view, who, input.user_name.as_deref()))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, who, view) = (call.input(), call.principal(), call.view());
        let account = target::account(view, who)?;
        let owner = Owner::named(&account, who, input.user_name.as_deref())?;
        let of = match owner {
            Owner::Root(_) => "ListAccessKeys root".to_owned(),
            Owner::User(user) => format!("ListAccessKeys {}", user.record.id),
        };
        let (marker, max_items) = (input.marker.as_deref(), input.max_items);
        let selection = Selection { account: account.id(), of, marker, max_items };
        // Oldest first; the id tells keys of the same second apart.
        let mut keys: Vec<_> =
            owner.keys().iter().map(|key| (format!("{:020} {}", key.created, key.id), key)).collect();
        keys.sort_by(|(a, _), (b, _)| a.cmp(b));
        let keys = keys.into_iter().map(|(at, key)| (at, AccessKeyMetadata::of(owner.user_name(), key)));
        let page = page(house, view, &selection, keys)?;
        Ok(Output { access_key_metadata: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
