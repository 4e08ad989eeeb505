//! `iam:DeleteRole`: only a role without policies, and in no instance profile. Its sessions end with it.

use daypass_directory::{Authorized, Checks, Operation, Scope, key};
use serde::Deserialize;

use crate::action::Action;
use crate::actions::iam::{rules, target};
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;

pub(in crate::actions::iam) struct DeleteRole;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::actions::iam) struct Input {
    role_name: String,
}

impl Action for DeleteRole {
    const NAME: &'static str = "iam:DeleteRole";
    const CALLERS: Callers = Callers::Iam;
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = ();

    fn checks(scope: &Scope, input: &Input) -> Checks {
        let check = target::role(Self::NAME, scope, &input.role_name);
        Checks::one(target::with_role_boundary(check, scope, &input.role_name))
    }

    async fn act(op: &Operation, house: &House, call: Authorized<Input>) -> Result<(), Error> {
        let account = call.account();
        let role = target::find_role(&account, &call.input().role_name)?;
        rules::modifiable(role)?;
        let record = &role.record;
        let first = [
            (
                account.profiles_of_role(&record.id).next().is_none(),
                "remove roles from instance profile first.",
            ),
            (record.inline.is_empty(), "delete policies first."),
            (record.attached.is_empty(), "detach all policies first."),
        ];
        if let Some((_, what)) = first.iter().find(|(done, _)| !done) {
            return Err(Error::delete_conflict(&format!("Cannot delete entity, must {what}")));
        }
        let mut change = call.change(op);
        // Policies are in the record: one that comes meanwhile changes it and wins; so does an instance profile, by its link.
        change.quiet(key::profiles_of(account.id(), &record.id));
        if let Some(arn) = &record.boundary {
            rules::unlink(&mut change, rules::Link::Boundary, &account, arn, &record.id);
        }
        change.remove(account.id(), role.revision, record);
        Ok(house.directory.commit(change).await?)
    }
}
