//! `eks:ListPodIdentityAssociations`: those of a cluster, by id; all, or those of a namespace or a service account.

use std::sync::Arc;

use daypass_directory::pods::PodAssociation;
use daypass_directory::{Authorized, Checks, Operation, Scope};
use serde::{Deserialize, Serialize};

use super::shape::Summary;
use super::{rules, target};
use crate::action::Action;
use crate::actions::paging::{Selection, page};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct ListPodIdentityAssociations;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    cluster_name: String,
    namespace: Option<String>,
    service_account: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    associations: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListPodIdentityAssociations {
    const NAME: &'static str = "eks:ListPodIdentityAssociations";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = Input;
    type Output = Output;

    fn checks(scope: &Scope, input: &Input) -> Checks {
        Checks::one(target::check_cluster(Self::NAME, scope, &input.cluster_name))
    }

    async fn act(_: &Operation, house: &House, call: Authorized<Input>) -> Result<Output, Error> {
        let (input, account) = (call.input(), call.account());
        target::cluster(&account, &input.cluster_name)?;
        let (namespace, name) = (input.namespace.as_deref(), input.service_account.as_deref());
        let filter = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let selection = Selection {
            of: format!("{} {}/{}/{}", Self::NAME, input.cluster_name, filter(namespace), filter(name)),
            marker: input.next_token.as_deref(),
            max_items: input.max_results,
        };
        let wanted = |found: &&Arc<PodAssociation>| {
            namespace.is_none_or(|namespace| found.record.namespace == namespace)
                && name.is_none_or(|name| found.record.service_account == name)
        };
        let found = account.pod_associations(&input.cluster_name).filter(wanted);
        let items = found.map(|found| (found.record.id.clone(), found));
        let page = page(house, call.scope(), &selection, items).map_err(|error| match selection.marker {
            Some(_) if error.why().is_none() => rules::invalid("Invalid nextToken."),
            _ => error,
        })?;
        let page = page.map(|found| Summary::of(&found.record, &found.arn));
        Ok(Output { associations: page.items, next_token: page.marker })
    }
}
