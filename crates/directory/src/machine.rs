//! Machines and what runs on them: instances, whose agents get credentials of the role of an instance profile, and tasks, which
//! have roles of their own.
//!
//! Every session of an instance or a task descends from one that nobody ever had, whose id stands in the record: to end that
//! one with all that it issued is to end them (`revocation.rs`), whoever holds them.

use std::sync::Arc;

use daypass_model::{AccountId, Arn, SessionId};
use daypass_store::{Record, Revision};
use rpds::RedBlackTreeMapSync;

use crate::account_view::AccountView;
use crate::change::Change;
use crate::entity::Unreadable;
use crate::key::{self, Named};
use crate::record::{InstanceRecord, TaskRecord};
use crate::revocation::{NotRevoked, Revocation};
use crate::view::{View, read};

/// A machine, as its record was at this revision.
#[derive(Debug)]
pub struct Instance {
    /// The account it is in.
    pub account: AccountId,
    /// Its record.
    pub record: InstanceRecord,
    /// The revision of that.
    pub revision: Revision,
    /// `arn:aws:ec2:<region>:<account>:instance/<id>`
    pub arn: String,
}

/// A task, as its record was at this revision.
#[derive(Debug)]
pub struct Task {
    /// Its record.
    pub record: TaskRecord,
    /// The revision of that.
    pub revision: Revision,
}

/// Of one account, by id.
pub(crate) type Instances = RedBlackTreeMapSync<String, Arc<Instance>>;
/// Of one account, by id.
pub(crate) type Tasks = RedBlackTreeMapSync<String, Arc<Task>>;

impl Instance {
    pub(crate) fn of(account: AccountId, record: InstanceRecord, revision: Revision) -> Self {
        let arn = instance_arn(account, &record.region, &record.id);
        Self { account, record, revision, arn }
    }
}

/// `arn:aws:ec2:<region>:<account>:instance/<id>`
#[must_use]
pub fn instance_arn(account: AccountId, region: &str, id: &str) -> String {
    format!("arn:aws:ec2:{region}:{account}:instance/{id}")
}

impl View {
    /// A machine by its exact ARN. May lead into any account because an agent has no account to begin with, and names its
    /// own machine: nothing comes of it without that machine's join secret or key.
    #[must_use]
    pub fn instance(&self, arn: &Arn) -> Option<&Arc<Instance>> {
        let (kind, id) = arn.resource_parts()?;
        let found = self.open_account(arn.account_id()?)?.instances.get(id)?;
        (kind == "instance" && found.arn == arn.as_str()).then_some(found)
    }

    /// The record of an instance or a task.
    pub(crate) fn put_machine(&mut self, record: &Record) -> Result<(), Unreadable> {
        let revision = record.revision;
        match key::parse(&record.key) {
            Named::Instance(id, name) => {
                let instance = Arc::new(Instance::of(id, read(record)?, revision));
                self.edit(id, |account| account.instances.insert_mut(name.to_owned(), instance));
            }
            Named::Task(id, name) => {
                let task = Arc::new(Task { record: read(record)?, revision });
                self.edit(id, |account| account.tasks.insert_mut(name.to_owned(), task));
            }
            _ => {}
        }
        Ok(())
    }

    /// The same that is gone.
    pub(crate) fn delete_machine(&mut self, place: &str) {
        match key::parse(place) {
            Named::Instance(id, name) => self.edit(id, |account| _ = account.instances.remove_mut(name)),
            Named::Task(id, name) => self.edit(id, |account| _ = account.tasks.remove_mut(name)),
            _ => {}
        }
    }
}

impl<'v> AccountView<'v> {
    /// A machine by id.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<&'v Arc<Instance>> {
        self.account.instances.get(id)
    }

    /// All machines, by id.
    pub fn instances(&self) -> impl Iterator<Item = &'v Arc<Instance>> + use<'v> {
        self.account.instances.values()
    }

    /// How many machines there are.
    #[must_use]
    pub fn instance_count(&self) -> usize {
        self.account.instances.size()
    }

    /// A task by id.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&'v Arc<Task>> {
        self.account.tasks.get(id)
    }

    /// All tasks, by id.
    pub fn tasks(&self) -> impl Iterator<Item = &'v Arc<Task>> + use<'v> {
        self.account.tasks.values()
    }

    /// Add the end of every session that descends from this one to a change of this account.
    ///
    /// # Errors
    /// [`NotRevoked`].
    pub fn end_sessions_below(
        &self,
        change: &mut Change,
        sessions: SessionId,
        now: i64,
    ) -> Result<(), NotRevoked> {
        self.revoke(change, &Revocation::Session { id: sessions, issued_too: true }, now)
    }

    /// Add the removal of a task to a change of this account.
    pub fn remove_task(&self, change: &mut Change, task: &Task) {
        let place = key::task(self.id(), &task.record.id);
        change.unchanged(place.clone(), task.revision);
        change.delete(place);
    }
}
