//! Services that are not daypass: who runs each. A service has a name that trust policies let in (`scheduler.internal`), and the
//! operator says which account acts under it. Nobody else does: a name that every account could take would open every role
//! that trusts it.

use std::collections::BTreeMap;

use daypass_model::AccountId;
use daypass_model::limits::SERVICE_NAME_LENGTH_MAX;

/// One list, so that none is left out of what no account may register.
macro_rules! own_services {
    ($($(#[$what:meta])* $service:ident = $name:literal;)*) => {
        /// What daypass acts as itself, by whatever it vouches for: no account may.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum OwnService {
            $($(#[$what])* $service,)*
        }

        impl OwnService {
            /// All of them.
            const ALL: &[Self] = &[$(Self::$service),*];

            /// Its service principal, as trust policies and `iam:PassedToService` name it.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$service => $name,)*
                }
            }
        }
    };
}

own_services! {
    /// Machines.
    Ec2 = "ec2.amazonaws.com";
    /// Tasks on machines.
    EcsTasks = "ecs-tasks.amazonaws.com";
    /// Pods, by the association of their service account.
    Pods = "pods.eks.amazonaws.com";
    /// Holders of certificates, by a profile.
    RolesAnywhere = "rolesanywhere.amazonaws.com";
}

/// The services that accounts run, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services(BTreeMap<String, AccountId>);

/// A service that cannot be registered so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRegistered {
    /// Not of that form.
    #[error(
        "`{0}` is no name of a service: give labels of lower-case letters, digits and hyphens with dots between, such as scheduler.internal"
    )]
    Name(String),
    /// One that daypass itself acts as.
    #[error("daypass itself acts as {0}")]
    Own(String),
    /// Two accounts would be one service.
    #[error("{0} is given twice")]
    Twice(String),
}

impl Services {
    /// Register a service with the account that runs it.
    ///
    /// # Errors
    /// [`NotRegistered`].
    pub fn register(&mut self, name: &str, account: AccountId) -> Result<(), NotRegistered> {
        if !is_name(name) {
            return Err(NotRegistered::Name(name.to_owned()));
        }
        if OwnService::ALL.iter().any(|own| own.name() == name) {
            return Err(NotRegistered::Own(name.to_owned()));
        }
        match self.0.insert(name.to_owned(), account) {
            Some(_) => Err(NotRegistered::Twice(name.to_owned())),
            None => Ok(()),
        }
    }

    /// The account that runs a service, by its exact name.
    #[must_use]
    pub fn run_by(&self, name: &str) -> Option<AccountId> {
        self.0.get(name).copied()
    }
}

/// Two labels of a domain name at least, in lower case. Trust policies compare names to the letter.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= SERVICE_NAME_LENGTH_MAX && name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    #[test]
    fn a_name_is_of_lower_case_labels_and_belongs_to_one_account() {
        let mut services = Services::default();
        for name in ["scheduler.internal", "batch.amazonaws.com", "a-1.b.c", "1.2"] {
            services.register(name, account()).unwrap();
            assert_eq!(services.run_by(name), Some(account()), "{name}");
            assert_eq!(services.register(name, account()), Err(NotRegistered::Twice(name.into())));
        }
        assert_eq!(services.run_by("Scheduler.internal"), None);
        for name in [
            "",
            "scheduler",
            "Scheduler.internal",
            "a..b",
            ".a",
            "a.",
            "-a.b",
            "a-.b",
            "a_b.c",
            "*.c",
            "a.b/c",
            "a b.c",
            "ä.b",
        ] {
            assert_eq!(services.register(name, account()), Err(NotRegistered::Name(name.into())), "{name}");
        }
        let long = format!("{}.internal", "a".repeat(SERVICE_NAME_LENGTH_MAX - 9));
        services.register(&long, account()).unwrap();
        assert!(services.register(&format!("a{long}"), account()).is_err());
    }

    #[test]
    fn what_daypass_acts_as_itself_is_nobodys() {
        for name in ["ec2", "ecs-tasks", "pods.eks", "rolesanywhere"] {
            let name = format!("{name}.amazonaws.com");
            let refused = Services::default().register(&name, account());
            assert_eq!(refused, Err(NotRegistered::Own(name)));
        }
    }
}
