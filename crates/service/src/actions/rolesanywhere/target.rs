//! Which resource a call is about: by UUID, or by ARN, of the caller's account.

use daypass_directory::anywhere::{AnywhereKind, AnywhereRecord as _, Kept};
use daypass_directory::{AccountView, Check, Scope};
use daypass_model::{Arn, TagSet};
use serde::Deserialize;

use super::kind::{Crls, Found, Profiles, Resource, Subjects, TrustAnchors};
use crate::error::Error;

/// `ScalarTrustAnchorRequest` and its kin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    #[serde(alias = "trustAnchorId", alias = "profileId", alias = "crlId", alias = "subjectId")]
    pub(super) id: String,
}

/// Where an ARN stands in for no region: of what is not there.
const ANY_REGION: &str = "us-east-1";

/// The id in what a call gives, if that names one of this kind in the account.
fn id<'a>(account: &AccountView<'_>, kind: AnywhereKind, given: &'a str) -> Option<&'a str> {
    if !given.starts_with("arn:") {
        return Some(given);
    }
    let arn: Arn = given.parse().ok()?;
    let own = arn.service() == "rolesanywhere" && arn.account_id() == Some(account.id());
    let id = given.rsplit('/').next()?;
    (own && arn.resource_parts() == Some((kind.word(), id))).then_some(id)
}

/// The resource that a call names, by the letter where it gives an ARN.
pub(super) fn find<'v, R: Resource>(account: &AccountView<'v>, given: &str) -> Option<Found<'v, R>> {
    let found = R::find(account, id(account, R::KIND, given)?)?;
    (!given.starts_with("arn:") || found.arn == given).then_some(found)
}

/// The same where it must be there.
///
/// # Errors
/// ResourceNotFoundException.
pub(super) fn existing<'v, R: Resource>(
    account: &AccountView<'v>,
    given: &str,
) -> Result<Found<'v, R>, Error> {
    find::<R>(account, given).ok_or_else(|| Error::no_such_entity(format!("{} not found.", R::CALLED)))
}

/// The check on a resource. One that is not there is asked about under the ARN that it would have.
pub(super) fn check<R: Resource>(action: &'static str, scope: &Scope, given: &str) -> Check {
    let account = scope.account();
    match find::<R>(&account, given) {
        Some(found) => of::<R>(action, scope, found),
        None if given.starts_with("arn:") => missing(action, scope, given),
        None => scope.check(action, R::KIND.arn(ANY_REGION, account.id(), given)),
    }
}

/// Another account's is asked about as another account's: nobody may.
fn missing(action: &'static str, scope: &Scope, arn: &str) -> Check {
    let owner = arn.parse::<Arn>().ok().and_then(|arn| arn.account_id());
    Check { owner: owner.unwrap_or_else(|| scope.account().id()), ..scope.check(action, arn) }
}

fn of<R: Resource>(action: &'static str, scope: &Scope, found: &Kept<R::Record, R::Read>) -> Check {
    with_tags(scope.check(action, &*found.arn), found.record.clone().tags())
}

fn with_tags(check: Check, tags: &TagSet) -> Check {
    let keyed = |check: Check, (key, value): (&String, &String)| {
        check.with(format!("aws:ResourceTag/{key}"), value.as_str())
    };
    tags.iter().map(|tag| (&tag.key, &tag.value)).fold(check, keyed)
}

/// The check on a resource of whatever kind its ARN says.
pub(super) fn check_arn(action: &'static str, scope: &Scope, arn: &str) -> Check {
    match kind_of(arn) {
        Some(AnywhereKind::TrustAnchor) => check::<TrustAnchors>(action, scope, arn),
        Some(AnywhereKind::Profile) => check::<Profiles>(action, scope, arn),
        Some(AnywhereKind::Crl) => check::<Crls>(action, scope, arn),
        Some(AnywhereKind::Subject) => check::<Subjects>(action, scope, arn),
        None => missing(action, scope, arn),
    }
}

/// What kind of resource an ARN names.
pub(super) fn kind_of(arn: &str) -> Option<AnywhereKind> {
    let arn: Arn = arn.parse().ok()?;
    let (word, _) = arn.resource_parts().filter(|_| arn.service() == "rolesanywhere")?;
    AnywhereKind::ALL.into_iter().find(|kind| kind.word() == word)
}
