//! `rolesanywhere:ListTrustAnchors`, `ListProfiles`, `ListCrls` and `ListSubjects`, by id.

use std::marker::PhantomData;

use daypass_directory::anywhere::AnywhereRecord as _;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::kind::Resource;
use super::lists::{ListInput, page};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct List<R>(PhantomData<R>);

pub(super) struct Output<D> {
    name: &'static str,
    items: Vec<D>,
    next_token: Option<String>,
}

impl<D: Serialize> Serialize for Output<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(token) = &self.next_token {
            map.serialize_entry("nextToken", token)?;
        }
        map.serialize_entry(self.name, &self.items)?;
        map.end()
    }
}

impl<R: Resource> Action for List<R> {
    const NAME: &'static str = R::NAMES.list;
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = ListInput;
    type Output = Output<R::Detail>;

    fn checks(scope: &Scope, _: &ListInput) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<ListInput>) -> Result<Self::Output, Error> {
        let account = call.account();
        let all = R::all(&account).map(|found| {
            let shown = R::detail(&account, &found.record, &found.arn, true);
            (found.record.id().to_owned(), shown)
        });
        let size = |detail: &R::Detail| serde_json::to_string(detail).map_or(0, |text| text.len());
        let page = page(house, call.scope(), Self::NAME, call.input(), all, size)?;
        Ok(Output { name: R::MANY, items: page.items, next_token: page.marker })
    }
}
