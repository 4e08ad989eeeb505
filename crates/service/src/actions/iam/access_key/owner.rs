//! Whose access keys a call is about: the user it names, or whoever calls.
//!
//! A user's keys are in the user's record, root's in the account's, so every write to them guards that record:
//! a key and the end of its owner cannot both win.

use std::sync::Arc;

use daypass_directory::record::{AccessKeyPointer, AccessKeyRecord, KeyOwner, Unknown};
use daypass_directory::{AccountEntity, AccountView, Change, Check, Scope, User, key};
use daypass_model::AccessKeyId;

use crate::actions::iam::{rules, target};
use crate::error::Error;

/// The owner of access keys.
#[derive(Clone, Copy)]
pub(in crate::actions::iam) enum Owner<'v> {
    /// The account's root user.
    Root(&'v Arc<AccountEntity>),
    /// A user.
    User(&'v Arc<User>),
}

/// What a call is authorised on: the user it names, or else the caller.
pub(in crate::actions::iam) fn check(action: &str, scope: &Scope, user_name: Option<&str>) -> Check {
    match user_name.or_else(|| scope.principal().user_name()) {
        Some(name) => target::user(action, scope, name),
        None => scope.check(action, scope.principal().principal_arn()),
    }
}

impl<'v> Owner<'v> {
    /// The user that a call names, or who calls; a role session must name one.
    pub(in crate::actions::iam) fn named(scope: &'v Scope, user_name: Option<&str>) -> Result<Self, Error> {
        let (account, who) = (scope.account(), scope.principal());
        // INVARIANT (root-keys): the root user's keys are its own calls' alone; no name leads to them.
        if user_name.is_none() && who.is_root() {
            let missing = || Error::internal("an open account has no root user");
            return account.root().map(Self::Root).ok_or_else(missing);
        }
        let name = rules::named_user(user_name, who)?;
        target::find_user(&account, name).map(Self::User)
    }

    /// The owner of a key, if the key is one of this account.
    pub(super) fn of_key(scope: &'v Scope, id: &str) -> Option<Self> {
        let account = scope.account();
        match scope.key_owner(&id.parse().ok()?)? {
            KeyOwner::Root => account.root().map(Self::Root),
            KeyOwner::User(user) => account.user_by_id(user).map(Self::User),
        }
    }

    /// The user's name; root has none.
    pub(in crate::actions::iam) fn user_name(self) -> Option<&'v str> {
        match self {
            Self::Root(_) => None,
            Self::User(user) => Some(&user.record.name),
        }
    }

    /// Its keys, oldest first.
    pub(super) fn keys(self) -> &'v [AccessKeyRecord] {
        match self {
            Self::Root(root) => &root.record.root_keys,
            Self::User(user) => &user.record.access_keys,
        }
    }

    /// The place of a key among [`Owner::keys`], or AWS's sentence: another's key is as absent as none.
    pub(super) fn position(self, id: &str) -> Result<usize, Error> {
        let missing = || Error::no_such_entity(format!("The Access Key with id {id} cannot be found."));
        self.keys().iter().position(|key| key.id.as_str() == id).ok_or_else(missing)
    }

    /// Write the owner's record with these keys.
    pub(super) fn put_keys(self, change: &mut Change, account: &AccountView<'_>, keys: Vec<AccessKeyRecord>) {
        match self {
            Self::Root(root) => {
                let place = key::account(account.id());
                let mut record = root.record.clone();
                record.written = change.written();
                record.root_keys = keys;
                change.unchanged(place.clone(), root.revision);
                change.put(place, &record);
            }
            Self::User(user) => {
                let mut record = user.record.clone();
                record.access_keys = keys;
                change.update(account.id(), user.revision, record);
            }
        }
    }

    /// Write whose key it is.
    pub(super) fn claim(self, change: &mut Change, account: &AccountView<'_>, id: &AccessKeyId) {
        let owner = match self {
            Self::Root(_) => KeyOwner::Root,
            Self::User(user) => KeyOwner::User(user.record.id.clone()),
        };
        // INVARIANT (key-ids-once): an id that ever was cannot be made again, because its pointer stays.
        change.absent(key::access_key(id));
        let (written, account) = (change.written(), account.id());
        let pointer = AccessKeyPointer { written, account, owner: Some(owner), unknown: Unknown::new() };
        change.put(key::access_key(id), &pointer);
    }

    /// Write that the key is nobody's any more.
    pub(super) fn disclaim(change: &mut Change, scope: &Scope, id: &AccessKeyId) {
        if let Some(pointer) = scope.key_pointer(id) {
            let written = change.written();
            change.put(key::access_key(id), &AccessKeyPointer { written, owner: None, ..pointer.clone() });
        }
    }
}
