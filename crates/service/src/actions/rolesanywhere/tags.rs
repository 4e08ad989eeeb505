//! `rolesanywhere:TagResource`, `UntagResource` and `ListTagsForResource`, for every kind of resource.

use daypass_directory::anywhere::{AnywhereKind, AnywhereRecord as _, Kept};
use daypass_directory::{AccountView, Authorized, Checks, Operation, Scope};
use daypass_model::TagSet;
use serde::{Deserialize, Serialize};

use super::kind::{Crls, Profiles, Resource, Subjects, TrustAnchors};
use super::rules;
use super::shape::TagShape;
use super::target;
use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(super) struct Tag;
pub(super) struct Untag;
pub(super) struct ListTags;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TagInput {
    resource_arn: String,
    tags: Vec<TagShape>,
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
    tags: Vec<TagShape>,
}

impl Action for Tag {
    const NAME: &'static str = "rolesanywhere:TagResource";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = TagInput;
    type Output = ();

    fn checks(scope: &Scope, input: &TagInput) -> Checks {
        let check = target::check_arn(Self::NAME, scope, &input.resource_arn);
        Checks::one(check.with_request_tags(&rules::given(&input.tags)))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<TagInput>) -> Result<(), Error> {
        let new = rules::tags(&rules::given(&call.input().tags))?;
        let change = |tags: &mut TagSet| {
            new.iter().for_each(|tag| tags.insert(tag.clone()));
            rules::within_tags(tags)
        };
        rewrite_any(op, house, &call, &call.input().resource_arn, change).await
    }
}

impl Action for Untag {
    const NAME: &'static str = "rolesanywhere:UntagResource";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = false;
    type Input = UntagInput;
    type Output = ();

    fn checks(scope: &Scope, input: &UntagInput) -> Checks {
        let keys = (!input.tag_keys.is_empty()).then(|| input.tag_keys.clone());
        let check = target::check_arn(Self::NAME, scope, &input.resource_arn);
        Checks::one(check.with_some("aws:TagKeys", keys))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<UntagInput>) -> Result<(), Error> {
        let keys = &call.input().tag_keys;
        let change = |tags: &mut TagSet| {
            keys.iter().for_each(|key| _ = tags.remove(key));
            Ok(())
        };
        rewrite_any(op, house, &call, &call.input().resource_arn, change).await
    }
}

impl Action for ListTags {
    const NAME: &'static str = "rolesanywhere:ListTagsForResource";
    const CALLERS: Callers = Callers::Anyone;
    const READ_ONLY: bool = true;
    type Input = ListInput;
    type Output = ListOutput;

    fn checks(scope: &Scope, input: &ListInput) -> Checks {
        Checks::one(target::check_arn(Self::NAME, scope, &input.resource_arn))
    }

    async fn act(_: &Operation, _: &House, call: Authorized<ListInput>) -> Result<ListOutput, Error> {
        let (account, arn) = (call.account(), &call.input().resource_arn);
        let mut tags = match target::kind_of(arn) {
            Some(AnywhereKind::TrustAnchor) => target::find::<TrustAnchors>(&account, arn).map(tags_of),
            Some(AnywhereKind::Profile) => target::find::<Profiles>(&account, arn).map(tags_of),
            Some(AnywhereKind::Crl) => target::find::<Crls>(&account, arn).map(tags_of),
            Some(AnywhereKind::Subject) => target::find::<Subjects>(&account, arn).map(tags_of),
            None => None,
        }
        .ok_or_else(not_found)?;
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(ListOutput { tags: tags.iter().map(TagShape::from).collect() })
    }
}

fn tags_of<R: daypass_directory::anywhere::AnywhereRecord + Clone, P>(
    found: &std::sync::Arc<Kept<R, P>>,
) -> Vec<daypass_model::Tag> {
    found.record.clone().tags().iter().cloned().collect()
}

fn not_found() -> Error {
    Error::no_such_entity("Resource not found.")
}

async fn rewrite_any<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    arn: &str,
    change: impl Fn(&mut TagSet) -> Result<(), Error>,
) -> Result<(), Error> {
    let account = call.account();
    match target::kind_of(arn) {
        Some(AnywhereKind::TrustAnchor) => {
            rewrite::<TrustAnchors, I>(op, house, call, account, arn, change).await
        }
        Some(AnywhereKind::Profile) => rewrite::<Profiles, I>(op, house, call, account, arn, change).await,
        Some(AnywhereKind::Crl) => rewrite::<Crls, I>(op, house, call, account, arn, change).await,
        Some(AnywhereKind::Subject) => rewrite::<Subjects, I>(op, house, call, account, arn, change).await,
        None => Err(not_found()),
    }
}

async fn rewrite<R: Resource, I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    account: AccountView<'_>,
    arn: &str,
    change_tags: impl Fn(&mut TagSet) -> Result<(), Error>,
) -> Result<(), Error> {
    let found = target::find::<R>(&account, arn).ok_or_else(not_found)?;
    let mut record = found.record.clone();
    change_tags(record.tags())?;
    let mut change = call.change(op);
    change.update_anywhere(account.id(), found.revision, record);
    Ok(house.directory.commit(change).await?)
}
