//! Machines and what runs on them: instances, whose agents get credentials of the role of an instance profile, and tasks, which
//! have roles of their own.
//!
//! Every session of an instance or a task descends from one that nobody ever had, whose id stands in the record: to end that
//! one with all that it issued is to end them (`revocation.rs`), whoever holds them.

use std::sync::Arc;

use daypass_model::{AccountId, Arn, SessionId};
use daypass_store::{Record, Revision};
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::account_view::AccountView;
use crate::change::Change;
use crate::entity::Unreadable;
use crate::key::{self, Named};
use crate::record::{InstanceRecord, TaskRecord};
use crate::revocation::NotRevoked;
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

/// Those of one account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machines {
    instances: RedBlackTreeMapSync<String, Arc<Instance>>,
    tasks: RedBlackTreeMapSync<String, Arc<Task>>,
    /// By the instance that they are on, and by id.
    tasks_on: RedBlackTreeMapSync<(String, String), Arc<Task>>,
    /// What the sessions of instances and tasks descend from.
    sessions: RedBlackTreeSetSync<SessionId>,
}

impl Machines {
    fn put_instance(&mut self, instance: Arc<Instance>) {
        self.remove_instance(&instance.record.id);
        self.sessions.insert_mut(instance.record.sessions);
        self.instances.insert_mut(instance.record.id.clone(), instance);
    }

    fn remove_instance(&mut self, id: &str) {
        if let Some(found) = self.instances.get(id) {
            self.sessions.remove_mut(&found.record.sessions);
        }
        self.instances.remove_mut(id);
    }

    fn put_task(&mut self, task: Arc<Task>) {
        let TaskRecord { id, instance, sessions, .. } = &task.record;
        self.remove_task(id);
        self.sessions.insert_mut(*sessions);
        self.tasks_on.insert_mut((instance.clone(), id.clone()), task.clone());
        self.tasks.insert_mut(id.clone(), task);
    }

    fn remove_task(&mut self, id: &str) {
        if let Some(found) = self.tasks.get(id) {
            self.sessions.remove_mut(&found.record.sessions);
            self.tasks_on.remove_mut(&(found.record.instance.clone(), id.to_owned()));
        }
        self.tasks.remove_mut(id);
    }
}

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
        let found = self.open_account(arn.account_id()?)?.machines.instances.get(id)?;
        (kind == "instance" && found.arn == arn.as_str()).then_some(found)
    }

    /// The record of an instance or a task.
    pub(crate) fn put_machine(&mut self, record: &Record) -> Result<(), Unreadable> {
        let revision = record.revision;
        match key::parse(&record.key) {
            Named::Instance(id, _) => {
                let instance = Arc::new(Instance::of(id, read(record)?, revision));
                self.edit(id, |account| account.machines.put_instance(instance));
            }
            Named::Task(id, _) => {
                let task = Arc::new(Task { record: read(record)?, revision });
                self.edit(id, |account| account.machines.put_task(task));
            }
            _ => {}
        }
        Ok(())
    }

    /// The same that is gone.
    pub(crate) fn delete_machine(&mut self, place: &str) {
        match key::parse(place) {
            Named::Instance(id, name) => self.edit(id, |account| account.machines.remove_instance(name)),
            Named::Task(id, name) => self.edit(id, |account| account.machines.remove_task(name)),
            _ => {}
        }
    }
}

impl<'v> AccountView<'v> {
    /// A machine by id.
    #[must_use]
    pub fn instance(&self, id: &str) -> Option<&'v Arc<Instance>> {
        self.account.machines.instances.get(id)
    }

    /// All machines, by id.
    pub fn instances(&self) -> impl Iterator<Item = &'v Arc<Instance>> + use<'v> {
        self.account.machines.instances.values()
    }

    /// How many machines there are.
    #[must_use]
    pub fn instance_count(&self) -> usize {
        self.account.machines.instances.size()
    }

    /// A task by id.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<&'v Arc<Task>> {
        self.account.machines.tasks.get(id)
    }

    /// All tasks, by id.
    pub fn tasks(&self) -> impl Iterator<Item = &'v Arc<Task>> + use<'v> {
        self.account.machines.tasks.values()
    }

    /// The tasks on a machine, by id.
    pub fn tasks_on<'i>(&self, instance: &'i str) -> impl Iterator<Item = &'v Arc<Task>> + use<'v, 'i> {
        let tasks = &self.account.machines.tasks_on;
        let from = (instance.to_owned(), String::new());
        let on = tasks.range(from..).take_while(move |((on, _), _)| on == instance);
        on.map(|(_, task)| task)
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
        self.revoke_below(change, sessions, now)
    }

    /// Whether the sessions of a machine or a task descend from this one, which nobody holds. Others will, so that to revoke it
    /// would help for a while only.
    pub(crate) fn is_of_machine(&self, sessions: SessionId) -> bool {
        self.account.machines.sessions.contains(&sessions)
    }

    /// Add the removal of a task to a change of this account.
    pub fn remove_task(&self, change: &mut Change, task: &Task) {
        let place = key::task(self.id(), &task.record.instance, &task.record.id);
        change.unchanged(place.clone(), task.revision);
        change.delete(place);
    }
}
