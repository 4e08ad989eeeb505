//! Who is simulated: what resource policies can name, and what conditions can ask about it.

use daypass_directory::{Scope, assumed_role_arn};
use daypass_model::{AccountId, Arn, TagSet};
use daypass_policy::{Context, Principal};

use crate::error::Error;

/// The session name of a role that is simulated without one.
const SESSION_NAME: &str = "simulation";

/// The caller of a simulation, owned: it need not exist.
pub(super) struct Caller {
    pub(super) account: AccountId,
    who: Who,
    /// What is known of it when it is one of the account.
    known: Option<Known>,
}

enum Who {
    /// Nobody in particular: a group's policies, or policies alone.
    Nobody,
    User {
        arn: String,
    },
    Role {
        session_arn: String,
        role_arn: String,
    },
}

struct Known {
    id: String,
    user_name: Option<String>,
    user_id: String,
    tags: TagSet,
    service_linked: bool,
}

impl Caller {
    /// Whoever has these policies, with no name of its own.
    pub(super) fn nobody(scope: &Scope) -> Self {
        Self { account: scope.account().id(), who: Who::Nobody, known: None }
    }

    /// The user, role or session of an ARN, in this account or another; a group is nobody in particular.
    ///
    /// # Errors
    /// InvalidInput.
    pub(super) fn of_arn(scope: &Scope, text: &str) -> Result<Self, Error> {
        let invalid = || {
            Error::invalid_input(
                "Invalid caller - Caller must be an IAM user, group or role in this context.",
            )
        };
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        let account = arn.account_id().ok_or_else(invalid)?;
        let own = account == scope.account().id();
        match (arn.service(), arn.resource_parts()) {
            ("iam", Some(("group", _))) => Ok(Self { account, who: Who::Nobody, known: None }),
            ("iam", Some(("user", rest))) => {
                let user = scope.account().user(last(rest)).filter(|_| own);
                let known = user.map(|user| Known {
                    id: user.record.id.to_string(),
                    user_name: Some(user.record.name.clone()),
                    user_id: user.record.id.to_string(),
                    tags: user.record.tags.clone(),
                    service_linked: false,
                });
                let arn = user.map_or_else(|| text.to_owned(), |user| user.arn.clone());
                Ok(Self { account, who: Who::User { arn }, known })
            }
            ("iam", Some(("role", rest))) => {
                let session_arn = assumed_role_arn(account, last(rest), SESSION_NAME);
                Ok(Self::role(scope, account, last(rest), SESSION_NAME, session_arn, text))
            }
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/').ok_or_else(invalid)?;
                let role_arn = format!("arn:aws:iam::{account}:role/{role}");
                Ok(Self::role(scope, account, role, session, text.to_owned(), &role_arn))
            }
            _ => Err(invalid()),
        }
    }

    fn role(
        scope: &Scope,
        account: AccountId,
        name: &str,
        session: &str,
        session_arn: String,
        role_arn: &str,
    ) -> Self {
        let role = scope.account().role(name).filter(|_| account == scope.account().id());
        let known = role.map(|role| Known {
            id: role.record.id.to_string(),
            user_name: None,
            user_id: format!("{}:{session}", role.record.id),
            tags: role.record.tags.clone(),
            service_linked: daypass_model::is_service_linked(&role.record.path),
        });
        let role_arn = role.map_or_else(|| role_arn.to_owned(), |role| role.arn.clone());
        Self { account, who: Who::Role { session_arn, role_arn }, known }
    }

    /// Whether a resource policy could name it.
    pub(super) fn has_name(&self) -> bool {
        !matches!(self.who, Who::Nobody)
    }

    pub(super) fn principal<'a>(&'a self, nobody: &'a str) -> Principal<'a> {
        let account = self.account.as_str();
        let id = self.known.as_ref().map(|known| known.id.as_str());
        match &self.who {
            Who::Nobody => Principal::User { account, arn: nobody, id: None },
            Who::User { arn } => Principal::User { account, arn, id },
            Who::Role { session_arn, role_arn } => Principal::Role {
                account,
                session_arn,
                role_arn,
                role_id: id,
                service_linked: self.known.as_ref().is_some_and(|known| known.service_linked),
            },
        }
    }

    /// The keys that every request of this caller would have. What the simulation says itself stays.
    pub(super) fn complete(&self, context: &mut Context) {
        let mut say = |key: &str, value: &str| {
            if context.get(key).is_none() {
                context.insert(key, value);
            }
        };
        let (arn, kind) = match &self.who {
            Who::Nobody => return,
            Who::User { arn } => (arn, "User"),
            Who::Role { role_arn, .. } => (role_arn, "AssumedRole"),
        };
        say("aws:PrincipalArn", arn);
        say("aws:PrincipalAccount", self.account.as_str());
        say("aws:PrincipalType", kind);
        let Some(known) = &self.known else { return };
        say("aws:userid", &known.user_id);
        if let Some(name) = &known.user_name {
            say("aws:username", name);
        }
        for tag in &known.tags {
            say(&format!("aws:PrincipalTag/{}", tag.key), &tag.value);
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
