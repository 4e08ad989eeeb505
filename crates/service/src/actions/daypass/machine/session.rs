//! The session that a machine, or a task on one, gets of a role that trusts the service.

use daypass_directory::record::{InstanceRecord, TaskRecord};
use daypass_directory::{Authorized, Instance, Operation, Task, key};
use daypass_model::SessionId;
use serde::Serialize;

use crate::actions::sts::issue::{self, Credentials};
use crate::actions::sts::vouched::{self, Asked, Lifetime};
use crate::error::Error;
use crate::house::House;

/// Life of a session of a machine, whatever the role says of calls. Source: Amazon EC2 User Guide, "Retrieve security credentials
/// from instance metadata"; Amazon ECS Developer Guide, "Task IAM role".
const SECONDS: i64 = 21_600;

/// When the sessions above end, which nobody holds: they stay in the token of whatever descends from them, however long the chain,
/// or the end of a task would not reach it (INVARIANT (living-ancestors)). A number that takes five bytes, in the year 2106.
const NEVER: i64 = u32::MAX as i64;

/// A session, as agents are told of it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::actions::daypass) struct Given {
    role_arn: String,
    credentials: Credentials,
}

/// A session of this name that descends from those `above`, with each of which it can be ended.
pub(super) fn give<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    role_arn: &str,
    session_name: &str,
    above: &[SessionId],
) -> Result<Given, Error> {
    let asked = Asked {
        role_arn,
        session_name,
        policy: None,
        policy_arns: &[],
        lifetime: Lifetime::Exactly(SECONDS),
        ends_by: None,
    };
    let mut claims = vouched::grant(op, house, call, &asked)?.claims;
    claims.ancestry = above.to_vec();
    claims.ancestry_ends = vec![NEVER; above.len()];
    let issued = issue::issue(op, house, call, &claims, None)?;
    Ok(Given { role_arn: role_arn.to_owned(), credentials: issued.credentials })
}

/// Write down that sessions of a machine, and of a task on it, will have to be ended: once, and before the first of them is given.
/// Whoever ends them meanwhile is decided again, and so is this call.
pub(super) async fn note_use<I>(
    op: &Operation,
    house: &House,
    call: &Authorized<I>,
    instance: &Instance,
    task: Option<&Task>,
) -> Result<(), Error> {
    let (account, mut change) = (call.account().id(), call.change(op));
    if instance.record.unused {
        let record = InstanceRecord { unused: false, written: change.written(), ..instance.record.clone() };
        let place = key::instance(account, &record.id);
        change.unchanged(place.clone(), instance.revision);
        change.put(place, &record);
    }
    if let Some(task) = task.filter(|task| task.record.unused) {
        let record = TaskRecord { unused: false, written: change.written(), ..task.record.clone() };
        let place = key::task(account, &record.instance, &record.id);
        change.unchanged(place.clone(), task.revision);
        change.put(place, &record);
    }
    if change.is_empty() { Ok(()) } else { Ok(house.directory.commit(change).await?) }
}
