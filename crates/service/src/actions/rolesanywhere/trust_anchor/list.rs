//! `rolesanywhere:ListTrustAnchors`.

use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::Serialize;

use crate::action::Action;
use crate::actions::rolesanywhere::lists::{ListInput, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::rolesanywhere) struct ListTrustAnchors;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::actions::rolesanywhere) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    trust_anchors: Vec<()>,
}

impl Action for ListTrustAnchors {
    const NAME: &'static str = "rolesanywhere:ListTrustAnchors";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = ListInput;
    type Output = Output;

    fn checks(scope: &Scope, _: &ListInput) -> Checks {
        Checks::one(scope.check(Self::NAME, "*"))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<ListInput>) -> Result<Output, Error> {
        let all = std::iter::empty();
        let page = page(house, call.scope(), Self::NAME, call.input(), all, |()| 0)?;
        Ok(Output { next_token: page.marker, trust_anchors: page.items })
    }
}
