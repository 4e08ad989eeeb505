//! One write, built against a snapshot: what must still be true, what is put, what goes.
//!
//! Every change names the revision it was decided on. The store refuses it when a record it was
//! decided on has changed since, and the call is decided again from a newer snapshot; nothing is
//! written on a stale authorization.

use std::borrow::Cow;

use bytes::Bytes;
use daypass_model::{AccountId, EntityKind, UniqueId, entity_arn};
use daypass_store::{Commit, Guard, Revision};
use serde::Serialize;

use crate::key;
use crate::record::{
    GroupRecord, InstanceProfileRecord, MfaDeviceRecord, OidcProviderRecord, Pointer, PolicyRecord,
    RoleRecord, SamlProviderRecord, Unknown, UserRecord, Written,
};
use crate::view::View;

/// A write in the making.
#[derive(Debug)]
pub struct Change {
    request_id: String,
    since: Revision,
    guards: Vec<Guard>,
    puts: Vec<(String, Bytes)>,
    deletes: Vec<String>,
}

/// A record with an id and a name that is unique in its account.
pub trait Entity: Serialize {
    /// Its kind.
    const KIND: EntityKind;
    /// Its unique id.
    fn id(&self) -> &UniqueId;
    /// Its name, in the case it was given.
    fn name(&self) -> &str;
    /// Its path: `/` or `/…/`.
    fn path(&self) -> &str;
    /// Its bookkeeping.
    fn written(&mut self) -> &mut Written;

    /// What nobody else of its kind may have in the account: mostly the name.
    fn claim(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.name())
    }

    /// Its ARN in the account that it is in.
    fn arn(&self, account: AccountId) -> String {
        entity_arn(account, Self::KIND, self.path(), self.name())
    }
}

impl Change {
    /// A change that `request_id` decides on `view`.
    #[must_use]
    pub fn new(request_id: &str, view: &View) -> Self {
        Self::since(request_id, view.revision())
    }

    /// The same on what the store held at a revision.
    pub(crate) fn since(request_id: &str, revision: Revision) -> Self {
        Self {
            request_id: request_id.to_owned(),
            since: revision,
            guards: Vec::new(),
            puts: Vec::new(),
            deletes: Vec::new(),
        }
    }

    /// Bookkeeping for a record that this change puts.
    #[must_use]
    pub fn written(&self) -> Written {
        Written::by(&self.request_id)
    }

    /// Make an entity: its name must be free.
    pub fn create<E: Entity>(&mut self, account: AccountId, mut entity: E) {
        let (place, name) =
            (key::entity(account, E::KIND, entity.id()), key::name(account, E::KIND, &entity.claim()));
        *entity.written() = self.written();
        self.absent(place.clone());
        self.absent(name.clone());
        self.point(name, entity.id().as_str());
        self.put(place, &entity);
    }

    /// Rewrite an entity as it was at `revision`.
    pub fn update<E: Entity>(&mut self, account: AccountId, revision: Revision, mut entity: E) {
        let place = key::entity(account, E::KIND, entity.id());
        *entity.written() = self.written();
        self.unchanged(place.clone(), revision);
        self.put(place, &entity);
    }

    /// Move an entity's claim from one name to another; the caller updates the record itself.
    pub fn rename<E: Entity>(&mut self, account: AccountId, old_name: &str, entity: &E) {
        let (old, new) = (key::name(account, E::KIND, old_name), key::name(account, E::KIND, entity.name()));
        if old != new {
            self.absent(new.clone());
            self.point(new, entity.id().as_str());
            self.deletes.push(old);
        }
    }

    /// Remove an entity as it was at `revision`, and its name.
    pub fn remove<E: Entity>(&mut self, account: AccountId, revision: Revision, entity: &E) {
        let place = key::entity(account, E::KIND, entity.id());
        self.unchanged(place.clone(), revision);
        self.deletes.push(key::name(account, E::KIND, &entity.claim()));
        self.deletes.push(place);
    }

    /// Put a record that is no entity.
    pub fn put<T: Serialize>(&mut self, place: String, record: &T) {
        // Records are plain structs with string keys; serde_json has no way to fail on them.
        self.puts.push((place, serde_json::to_vec(record).unwrap_or_default().into()));
    }

    /// Put a record that is a sealed text and nothing else.
    pub(crate) fn put_text(&mut self, place: String, text: String) {
        self.puts.push((place, text.into_bytes().into()));
    }

    /// Put a name or link.
    pub fn point(&mut self, place: String, to: &str) {
        let pointer = Pointer { written: self.written(), to: to.to_owned(), unknown: Unknown::new() };
        self.put(place, &pointer);
    }

    /// Remove a record.
    pub fn delete(&mut self, place: String) {
        self.deletes.push(place);
    }

    /// The record must be as it was at `revision`.
    pub fn unchanged(&mut self, place: String, revision: Revision) {
        self.guards.push(Guard::Unchanged { key: place, since: revision });
    }

    /// There must be no such record.
    pub fn absent(&mut self, place: String) {
        self.guards.push(Guard::Absent { key: place });
    }

    /// Nothing under the prefix may have come since the snapshot this change was decided on.
    pub fn quiet(&mut self, prefix: String) {
        self.guards.push(Guard::PrefixQuiet { prefix, since: self.since });
    }

    /// Whether it puts this record.
    pub(crate) fn puts(&self, place: &str) -> bool {
        self.puts.iter().any(|(put, _)| put == place)
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }

    /// INVARIANT (sealed-by-present): what may hold something sealed is written only while the master key stands that
    /// was in force in the snapshot (`directory/master_rotation.rs`).
    pub(crate) fn into_commit(mut self) -> Commit {
        if self.puts.iter().any(|(place, _)| key::may_hold_sealed(place)) {
            self.unchanged(key::MASTER_KEY_CHECK.into(), self.since);
        }
        Commit { guards: self.guards, puts: self.puts, deletes: self.deletes }
    }
}

macro_rules! entity {
    ($record:ty, $kind:ident $(, $claim:item)?) => {
        impl Entity for $record {
            const KIND: EntityKind = EntityKind::$kind;
            fn id(&self) -> &UniqueId {
                &self.id
            }
            fn name(&self) -> &str {
                &self.name
            }
            fn path(&self) -> &str {
                &self.path
            }
            fn written(&mut self) -> &mut Written {
                &mut self.written
            }
            $($claim)?
        }
    };
}
entity!(UserRecord, User);
entity!(GroupRecord, Group);
entity!(RoleRecord, Role);
entity!(PolicyRecord, Policy);
entity!(InstanceProfileRecord, InstanceProfile);
entity!(
    MfaDeviceRecord,
    MfaDevice,
    fn claim(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}{}", self.path, self.name))
    }
);

impl Entity for OidcProviderRecord {
    const KIND: EntityKind = EntityKind::OidcProvider;
    fn id(&self) -> &UniqueId {
        &self.id
    }
    fn name(&self) -> &str {
        &self.url
    }
    fn path(&self) -> &str {
        "/"
    }
    fn written(&mut self) -> &mut Written {
        &mut self.written
    }
}

impl Entity for SamlProviderRecord {
    const KIND: EntityKind = EntityKind::SamlProvider;
    fn id(&self) -> &UniqueId {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        "/"
    }
    fn written(&mut self) -> &mut Written {
        &mut self.written
    }
}
