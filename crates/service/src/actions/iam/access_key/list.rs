//! `iam:ListAccessKeys`: without the secrets.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::owner::{self, Owner};
use crate::action::Action;
use crate::actions::iam::shape::AccessKeyMetadata;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

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
    const NAME: &'static str = "iam:ListAccessKeys";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(owner::check(Self::NAME, scope, input.user_name.as_deref()))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let input = call.input();
        let owner = Owner::named(call.scope(), input.user_name.as_deref())?;
        let of = match owner {
            Owner::Root(_) => "ListAccessKeys root".to_owned(),
            Owner::User(user) => format!("ListAccessKeys {}", user.record.id),
        };
        let (marker, max_items) = (input.marker.as_deref(), input.max_items);
        let selection = Selection { of, marker, max_items };
        // Oldest first; the id tells keys of the same second apart.
        let mut keys: Vec<_> =
            owner.keys().iter().map(|key| (format!("{:020} {}", key.created, key.id), key)).collect();
        keys.sort_by(|(a, _), (b, _)| a.cmp(b));
        let keys = keys.into_iter().map(|(at, key)| (at, AccessKeyMetadata::of(owner.user_name(), key)));
        let page = page(house, call.scope(), &selection, keys)?;
        Ok(Output { access_key_metadata: page.items, is_truncated: page.is_truncated, marker: page.marker })
    }
}
