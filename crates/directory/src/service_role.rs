//! Service-linked roles that are gone: what GetServiceLinkedRoleDeletionStatus asks about.

use daypass_model::limits::SERVICE_ROLE_DELETIONS_KEPT_MAX;
use daypass_store::Revision;

use crate::change::Change;
use crate::key;
use crate::record::{ServiceRoleDeletionsRecord, Unknown};
use crate::{AccountView, Authorized, Operation};

/// What was deleted lately.
#[derive(Debug)]
pub(crate) struct ServiceRoleDeletions {
    /// As stored.
    pub(crate) record: ServiceRoleDeletionsRecord,
    /// When the record was last written.
    pub(crate) revision: Revision,
}

impl<I> Authorized<I> {
    /// A write of this call that deletes a service-linked role by this task. The oldest of many tasks is forgotten.
    #[must_use]
    pub fn deletion(&self, op: &Operation, task: &str) -> Change {
        let (mut change, account) = (self.change(op), self.account());
        let place = key::service_role_deletions(account.id());
        let (mut done, unknown) = match account.service_role_deletions() {
            Some(kept) => {
                change.unchanged(place.clone(), kept.revision);
                (kept.record.done.clone(), kept.record.unknown.clone())
            }
            None => {
                change.absent(place.clone());
                (Vec::new(), Unknown::new())
            }
        };
        if done.len() >= SERVICE_ROLE_DELETIONS_KEPT_MAX {
            done.remove(0);
        }
        done.push(task.to_owned());
        change.put(place, &ServiceRoleDeletionsRecord { written: change.written(), done, unknown });
        change
    }
}

impl AccountView<'_> {
    /// Whether a service-linked role of the account was deleted by this task.
    #[must_use]
    pub fn is_deleted_by(&self, task: &str) -> bool {
        self.service_role_deletions().is_some_and(|kept| kept.record.done.iter().any(|done| done == task))
    }
}
