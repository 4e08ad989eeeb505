//! `eks:TagResource`, `UntagResource` and `ListTagsForResource`, for associations. These operations have errors of their own.

use std::sync::Arc;

use daypass_directory::pods::PodAssociation;
use daypass_directory::{AccountView, Authorized, Checks, Operation, Scope};
use daypass_model::TagSet;
use serde::{Deserialize, Serialize};

use super::shape::{Tags, shown};
use super::{rules, target};
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct TagResource;
pub(super) struct UntagResource;
pub(super) struct ListTagsForResource;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TagInput {
    resource_arn: String,
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UntagInput {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListInput {
    resource_arn: String,
}

#[derive(Serialize)]
pub(super) struct ListOutput {
    tags: Tags,
}

/// An answer that says nothing.
#[derive(Serialize)]
pub(super) struct Done {}

impl Action for TagResource {
    const NAME: &'static str = "eks:TagResource";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = TagInput;
    type Output = Done;

    fn checks(scope: &Scope, input: &TagInput) -> Checks {
        let check = target::check_arn(Self::NAME, scope, &input.resource_arn);
        Checks::one(check.with_request_tags(&rules::given(&input.tags)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<TagInput>) -> Result<Done, Error> {
        let bad = |message: String| Error::new("BadRequestException", message);
        let TagInput { resource_arn, tags } = call.input();
        rewrite(op, house, &call, resource_arn, |old| rules::add_tags(old, tags, bad)).await
    }
}

impl Action for UntagResource {
    const NAME: &'static str = "eks:UntagResource";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = UntagInput;
    type Output = Done;

    fn checks(scope: &Scope, input: &UntagInput) -> Checks {
        let check = target::check_arn(Self::NAME, scope, &input.resource_arn);
        Checks::one(check.with("aws:TagKeys", input.tag_keys.clone()))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<UntagInput>) -> Result<Done, Error> {
        let UntagInput { resource_arn, tag_keys } = call.input();
        let remove = |old: &mut TagSet| {
            tag_keys.iter().for_each(|key| _ = old.remove(key));
            Ok(())
        };
        rewrite(op, house, &call, resource_arn, remove).await
    }
}

impl Action for ListTagsForResource {
    const NAME: &'static str = "eks:ListTagsForResource";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = ListInput;
    type Output = ListOutput;

    fn checks(scope: &Scope, input: &ListInput) -> Checks {
        Checks::one(target::check_arn(Self::NAME, scope, &input.resource_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<ListInput>) -> Result<ListOutput, Error> {
        let found = find(&call.account(), &call.input().resource_arn)?;
        Ok(ListOutput { tags: shown(&found.record.tags) })
    }
}

fn find<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<PodAssociation>, Error> {
    let missing = || Error::new("NotFoundException", format!("Resource not found: {arn}"));
    target::by_arn(account, arn).ok_or_else(missing)
}

async fn rewrite<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    arn: &str,
    change_tags: impl Fn(&mut TagSet) -> Result<(), Error>,
) -> Result<Done, Error> {
    let account = call.account();
    let found = find(&account, arn)?;
    let mut record = found.record.clone();
    change_tags(&mut record.tags)?;
    let mut change = call.change(op);
    change.update_pod_association(account.id(), found.revision, record);
    house.directory.commit(change).await?;
    Ok(Done {})
}
