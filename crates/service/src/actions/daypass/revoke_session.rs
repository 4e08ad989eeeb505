//! `daypass:RevokeSession`: end sessions of the account before their time: one, one with all that descend from it, or
//! those of a user, role or root that were issued before a moment, alone or with all that descend from them. In force with the next request, on every node.

use daypass_directory::{AHEAD_SECONDS_MAX, Authorized, Checks, NotRevoked, Operation, Revocation, Scope};
use daypass_model::SessionId;
use serde::Deserialize;

use crate::action::{Action, read};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

pub(super) struct RevokeSession;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Raw {
    session_id: Option<String>,
    include_issued: Option<bool>,
    principal_arn: Option<String>,
    issued_before: Option<i64>,
}

/// What is to end.
#[derive(Deserialize)]
#[serde(try_from = "Raw")]
pub(super) enum Input {
    Session { id: SessionId, include_issued: bool },
    Principal { arn: String, issued_before: Option<i64>, include_issued: bool },
}

impl TryFrom<Raw> for Input {
    /// The sentence of a ValidationError.
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let Raw { session_id, include_issued, principal_arn, issued_before } = raw;
        match (session_id, principal_arn) {
            (Some(id), None) if issued_before.is_none() => {
                let id = id.parse().map_err(|error| format!("SessionId: {error}."))?;
                Ok(Self::Session { id, include_issued: include_issued.unwrap_or(false) })
            }
            (None, Some(arn)) => {
                Ok(Self::Principal { arn, issued_before, include_issued: include_issued.unwrap_or(false) })
            }
            (Some(_), None) => Err("IssuedBefore goes with PrincipalArn.".into()),
            _ => Err("Give either SessionId or PrincipalArn.".into()),
        }
    }
}

impl Action for RevokeSession {
    const NAME: &'static str = "daypass:RevokeSession";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn parse(params: &Params) -> Result<Input, Error> {
        read::<Self>(params, Self::READ_ONLY)
    }

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let resource = match input {
            Input::Session { id, .. } => super::session_arn(scope.account().id(), *id),
            Input::Principal { arn, .. } => arn.clone(),
        };
        Checks::one(scope.check(Self::NAME, resource))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let (account, now) = (call.account(), op.now.as_second());
        let what = match call.input() {
            Input::Session { id, include_issued } => {
                Revocation::Session { id: *id, issued_too: *include_issued }
            }
            Input::Principal { arn, issued_before, include_issued } => {
                let id = account.principal_id(arn).ok_or_else(|| {
                    Error::no_such_entity(format!("This account has no user, role or root user {arn}."))
                })?;
                // As far as the clock of a node that issued sessions may be.
                if issued_before.is_some_and(|before| before > now + AHEAD_SECONDS_MAX) {
                    return Err(Error::validation("IssuedBefore lies in the future."));
                }
                let before = match issued_before {
                    Some(before) => *before,
                    None => house.session_log.issued_by_now(account.id(), &id, now).await,
                };
                Revocation::Principal { id, before, issued_too: *include_issued }
            }
        };
        let mut change = call.change(op);
        account.revoke(&mut change, &what, now)?;
        Ok(house.directory.commit(change).await?)
    }
}

impl From<NotRevoked> for Error {
    fn from(cause: NotRevoked) -> Self {
        match cause {
            NotRevoked::Elsewhere => Self::no_such_entity("This account has no such session."),
            NotRevoked::OfMachine => Self::validation(cause.to_string()),
            NotRevoked::TooMany(_) => {
                Self::limit_exceeded(format!("Cannot exceed quota for Revocations: {cause}"))
            }
        }
    }
}
