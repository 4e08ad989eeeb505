//! The session that a machine, or a task on one, gets of a role that trusts the service.

use daypass_directory::{Authorized, Operation};
use daypass_model::SessionId;
use serde::Serialize;

use crate::actions::sts::issue::{self, Credentials};
use crate::actions::sts::vouched::{self, Asked, Lifetime};
use crate::error::Error;
use crate::house::House;

/// Life of a session of a machine, whatever the role says of calls. Source: Amazon EC2 User Guide, "Retrieve security credentials
/// from instance metadata"; Amazon ECS Developer Guide, "Task IAM role".
const SECONDS: i64 = 21_600;

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
    claims.ancestry_ends = vec![claims.expires_at; above.len()];
    let issued = issue::issue(op, house, call, &claims, None)?;
    Ok(Given { role_arn: role_arn.to_owned(), credentials: issued.credentials })
}
