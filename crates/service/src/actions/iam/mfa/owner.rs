//! Whose MFA devices a call is about, and who may change them.

use std::sync::Arc;

use daypass_directory::record::KeyOwner;
use daypass_directory::{AccountView, Authorized, Change, Check, MfaDevice, NotProven, Scope, key};
use daypass_model::EntityKind;

use crate::actions::iam::access_key::owner::{self, Owner};
use crate::actions::iam::target;
use crate::error::Error;

/// What a call is authorised on: the user it names, or else the caller.
pub(super) fn check(action: &str, scope: &Scope, user_name: Option<&str>) -> Check {
    owner::check(action, scope, named(scope, user_name))
}

/// The user that a call names, or who calls; a role session must name one.
pub(super) fn find<'v>(scope: &'v Scope, user_name: Option<&str>) -> Result<Owner<'v>, Error> {
    Owner::named(scope, named(scope, user_name))
}

/// The root user has no name, and EnableMFADevice and ResyncMFADevice must have one: for root's own devices that is
/// its `UserId`, the account number, unless a user has that name.
fn named<'a>(scope: &Scope, user_name: Option<&'a str>) -> Option<&'a str> {
    let account = scope.account();
    let root = |name: &str| {
        scope.principal().is_root() && name == account.id().as_str() && account.user(name).is_none()
    };
    user_name.filter(|name| !root(name))
}

impl Owner<'_> {
    /// As records name it.
    pub(super) fn in_records(self) -> KeyOwner {
        match self {
            Self::Root(_) => KeyOwner::Root,
            Self::User(user) => KeyOwner::User(user.record.id.clone()),
        }
    }

    /// Guard its record: who deletes it meanwhile, or this call, decides again.
    pub(super) fn stays(self, change: &mut Change, account: &AccountView<'_>) {
        match self {
            Self::Root(root) => change.unchanged(key::account(account.id()), root.revision),
            Self::User(user) => {
                let place = key::entity(account.id(), EntityKind::User, &user.record.id);
                change.unchanged(place, user.revision);
            }
        }
    }
}

/// The device of this owner, or AWS's sentence: there is none, or it is not this owner's.
pub(super) fn device<'v>(
    account: &AccountView<'v>,
    owner: &KeyOwner,
    serial_number: &str,
) -> Result<&'v Arc<MfaDevice>, Error> {
    let device = target::find_mfa_device(account, serial_number)?;
    let own = Some(device).filter(|device| device.record.owner.as_ref() == Some(owner));
    own.ok_or_else(|| Error::no_such_entity("MFA Device invalid for user."))
}

/// The rule that no policy lifts: a user who has a device changes its own devices in a session with MFA only, or
/// whoever has the user's key could give itself one. Its first needs none. Source: AWS security bulletin 2023-001.
pub(super) fn may_change_own<I>(
    call: &Authorized<I>,
    owner: &KeyOwner,
    action: &str,
    shown: &str,
) -> Result<(), Error> {
    let who = call.principal();
    let own = who.user().is_some() && KeyOwner::of(who).as_ref() == Some(owner);
    if !own || who.has_mfa() || call.account().mfa_devices_of(owner).next().is_none() {
        return Ok(());
    }
    Err(Error::access_denied(format!(
        "User: {} is not authorized to perform: {action} on resource: {shown} because the user has an MFA device \
         and the call was not made with MFA",
        who.arn
    )))
}

/// How a denial names the user.
pub(super) fn shown(owner: Owner<'_>, account: &AccountView<'_>) -> String {
    owner.user_name().map_or_else(|| account.id().root_arn(), |name| format!("user {name}"))
}

/// Two codes that show no clock. That the tries are used up is not said in another way.
pub(super) fn not_synchronized(why: NotProven) -> Error {
    match why {
        NotProven::NotSpent(error) => error.into(),
        NotProven::Half | NotProven::Unable | NotProven::WrongCode => {
            Error::new("InvalidAuthenticationCode", "Authentication code for device is not valid.")
        }
    }
}
