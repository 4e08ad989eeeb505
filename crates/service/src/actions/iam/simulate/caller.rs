//! Who is simulated: what resource policies can name, and what conditions can ask about it.

use daypass_directory::{Scope, assumed_role_arn};
use daypass_model::{AccountId, Arn, EntityKind, TagSet};
use daypass_policy::{Context, Principal};

use super::sources;
use crate::error::Error;

/// The session name of a role that is simulated.
const SESSION_NAME: &str = "simulation";

/// The caller of a simulation, owned: it need not exist.
pub(super) struct Caller {
    pub(super) account: AccountId,
    who: Who,
    /// What is stored about it, where the permission to simulate covers that.
    known: Option<Known>,
}

enum Who {
    /// Nobody in particular: a group's policies, or policies alone.
    Nobody,
    User {
        arn: String,
        name: String,
    },
    Role {
        session_arn: String,
        role_arn: String,
    },
}

struct Known {
    id: String,
    user_id: String,
    tags: TagSet,
    service_linked: bool,
}

impl Caller {
    /// Whoever has these policies, with no name of its own.
    pub(super) fn nobody(scope: &Scope) -> Self {
        Self { account: scope.account().id(), who: Who::Nobody, known: None }
    }

    /// The user, group or role of an ARN, in this account or another; a group is nobody in particular. Nothing is looked
    /// up: an answer tells no more of it than its ARN does.
    ///
    /// # Errors
    /// InvalidInput.
    pub(super) fn of_arn(text: &str) -> Result<Self, Error> {
        let invalid = || {
            Error::invalid_input(
                "Invalid caller - Caller must be an IAM user, group or role in this context.",
            )
        };
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        let account = arn.account_id().ok_or_else(invalid)?;
        let (kind, path) = arn.resource_parts().ok_or_else(invalid)?;
        let name = last(path);
        let is_iam = arn.partition() == "aws" && arn.service() == "iam" && arn.region().is_empty();
        if !is_iam || name.is_empty() {
            return Err(invalid());
        }
        let who = match kind {
            "group" => Who::Nobody,
            "user" => Who::User { arn: text.to_owned(), name: name.to_owned() },
            "role" => Who::Role {
                session_arn: assumed_role_arn(account, name, SESSION_NAME),
                role_arn: text.to_owned(),
            },
            _ => return Err(invalid()),
        };
        Ok(Self { account, who, known: None })
    }

    /// The principal whose policies are simulated, with what is stored about it.
    ///
    /// # Errors
    /// InvalidInput.
    pub(super) fn of_source(scope: &Scope, source: &sources::Principal) -> Result<Self, Error> {
        let caller = Self::of_arn(&source.arn)?;
        let (account, name) = (scope.account(), last(&source.arn));
        let known = match source.kind {
            EntityKind::User => account.user(name).map(|user| Known {
                id: user.record.id.to_string(),
                user_id: user.record.id.to_string(),
                tags: user.record.tags.clone(),
                service_linked: false,
            }),
            EntityKind::Role => account.role(name).map(|role| Known {
                id: role.record.id.to_string(),
                user_id: format!("{}:{SESSION_NAME}", role.record.id),
                tags: role.record.tags.clone(),
                service_linked: daypass_model::is_service_linked(&role.record.path),
            }),
            _ => None,
        };
        Ok(Self { known, ..caller })
    }

    /// Whether its unique id is known, by which stored policies name it.
    pub(super) fn is_known(&self) -> bool {
        self.known.is_some()
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
            Who::User { arn, .. } => Principal::User { account, arn, id },
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
        // Whoever it is, it is one of IAM, and calls itself.
        say("aws:PrincipalIsAWSService", "false");
        say("aws:ViaAWSService", "false");
        let (arn, kind) = match &self.who {
            Who::Nobody => return,
            Who::User { arn, name } => {
                say("aws:username", name);
                (arn, "User")
            }
            Who::Role { role_arn, .. } => (role_arn, "AssumedRole"),
        };
        say("aws:PrincipalArn", arn);
        say("aws:PrincipalAccount", self.account.as_str());
        say("aws:PrincipalType", kind);
        let Some(known) = &self.known else { return };
        say("aws:userid", &known.user_id);
        for tag in &known.tags {
            say(&format!("aws:PrincipalTag/{}", tag.key), &tag.value);
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
