//! `Principal` and `NotPrincipal`: whom a statement of a resource or trust policy names, and how strongly.
//!
//! Naming a user is a different grant from naming its account (IAM User Guide, "Policy evaluation logic"),
//! so a match has a strength; what each strength is worth is written in the evaluate module alone.

use crate::request::{Issuer, Principal};

/// How a statement names the caller, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Its account: the account may pass the right on by its own policies.
    Account,
    /// The user that issued the federated caller's credentials.
    Issuer,
    /// The role whose session the caller is.
    Role,
    /// The caller itself.
    Direct,
    /// `*`.
    Everyone,
}

/// A compiled `Principal` or `NotPrincipal`.
#[derive(Debug)]
pub(crate) struct PrincipalMatcher {
    pub(crate) negated: bool,
    pub(crate) entries: Box<[(PrincipalKind, Box<str>)]>,
}

/// The principal types of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    /// The bare `"*"`.
    Star,
    Aws,
    Service,
    Federated,
    CanonicalUser,
}

impl PrincipalKind {
    pub(crate) fn parse(name: &str) -> Option<PrincipalKind> {
        Some(match name {
            "AWS" => PrincipalKind::Aws,
            "Service" => PrincipalKind::Service,
            "Federated" => PrincipalKind::Federated,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            PrincipalKind::Star => "*",
            PrincipalKind::Aws => "AWS",
            PrincipalKind::Service => "Service",
            PrincipalKind::Federated => "Federated",
            PrincipalKind::CanonicalUser => "CanonicalUser",
        }
    }
}

impl PrincipalMatcher {
    /// For a `Principal`: the strongest way in which it names the caller.
    ///
    /// `deny` widens what is read as naming: a wildcard in a Deny catches every kind of caller, while in an
    /// Allow it never lets in a provider's token or assertion, which `Federated` must name.
    pub(crate) fn names(&self, caller: &Principal<'_>, deny: bool) -> Option<Strength> {
        let found = self.entries.iter().filter_map(|(kind, value)| names(*kind, value, caller, deny));
        match caller {
            // By its name or as everybody, and its name is what a role's trust asks for.
            Principal::Service { .. } => found.min(),
            _ => found.max(),
        }
    }

    /// For a `NotPrincipal`: whether the list spares the caller. That takes every level of it: the account
    /// and the user; the account, the role and so its session; the account and the federated user.
    pub(crate) fn spares(&self, caller: &Principal<'_>) -> bool {
        let holds = |wanted: Strength| {
            self.entries.iter().any(|(kind, value)| names(*kind, value, caller, false) == Some(wanted))
        };
        if holds(Strength::Everyone) {
            return true;
        }
        match caller {
            Principal::Root { .. } => holds(Strength::Account),
            Principal::User { .. } | Principal::Federated { .. } => {
                holds(Strength::Account) && holds(Strength::Direct)
            }
            Principal::Role { .. } => holds(Strength::Account) && holds(Strength::Role),
            Principal::Service { .. } | Principal::Provider { .. } => holds(Strength::Direct),
            Principal::Anonymous => false,
        }
    }
}

fn names(kind: PrincipalKind, value: &str, caller: &Principal<'_>, deny: bool) -> Option<Strength> {
    match (kind, caller) {
        (PrincipalKind::Star | PrincipalKind::Aws, Principal::Provider { .. }) if value == "*" => {
            deny.then_some(Strength::Everyone)
        }
        (PrincipalKind::Star, _) => Some(Strength::Everyone),
        (PrincipalKind::Aws, _) if value == "*" => Some(Strength::Everyone),
        (PrincipalKind::Aws, _) => names_aws(value, caller),
        (PrincipalKind::Service, Principal::Service { name })
        | (PrincipalKind::Federated, Principal::Provider { name, .. }) => {
            (value == *name || (deny && value == "*")).then_some(Strength::Direct)
        }
        _ => None,
    }
}

/// An account id, an ARN or a unique id against a caller that belongs to an account.
fn names_aws(value: &str, caller: &Principal<'_>) -> Option<Strength> {
    let is = |text: &str| value == text;
    match *caller {
        Principal::User { arn, id, .. } if is(arn) || id.is_some_and(is) => return Some(Strength::Direct),
        Principal::Role { session_arn, .. } if is(session_arn) => return Some(Strength::Direct),
        Principal::Role { role_arn, role_id, .. } if is(role_arn) || role_id.is_some_and(is) => {
            return Some(Strength::Role);
        }
        Principal::Federated { arn, .. } if is(arn) => return Some(Strength::Direct),
        Principal::Federated { issuer: Issuer::User { arn, id }, .. } if is(arn) || id.is_some_and(is) => {
            return Some(Strength::Issuer);
        }
        Principal::Service { .. } | Principal::Provider { .. } | Principal::Anonymous => return None,
        _ => {}
    }
    let account = caller.account()?;
    (is(account) || root_account(value) == Some(account)).then_some(Strength::Account)
}

/// The account of `arn:aws:iam::ACCOUNT:root`. Under the same number another partition has somebody else.
fn root_account(value: &str) -> Option<&str> {
    let account = value.strip_prefix("arn:aws:iam::")?.strip_suffix(":root")?;
    is_account(account).then_some(account)
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "111122223333";
    const USER: Principal<'_> = Principal::User {
        account: ACCOUNT,
        arn: "arn:aws:iam::111122223333:user/x/alice",
        id: Some("AIDAA"),
    };
    const ROLE: Principal<'_> = Principal::Role {
        account: ACCOUNT,
        session_arn: "arn:aws:sts::111122223333:assumed-role/Dev/s",
        role_arn: "arn:aws:iam::111122223333:role/team/Dev",
        role_id: Some("AROAA"),
        service_linked: false,
    };
    const FEDERATED: Principal<'_> = Principal::Federated {
        account: ACCOUNT,
        arn: "arn:aws:sts::111122223333:federated-user/jill",
        issuer: Issuer::User { arn: "arn:aws:iam::111122223333:user/john", id: None },
    };
    const SERVICE: Principal<'_> = Principal::Service { name: "s3.amazonaws.com" };
    const PROVIDER: Principal<'_> = Principal::Provider { account: None, name: "accounts.google.com" };

    fn matcher(entries: &[(PrincipalKind, &str)]) -> PrincipalMatcher {
        let entries = entries.iter().map(|(kind, value)| (*kind, Box::from(*value))).collect();
        PrincipalMatcher { negated: false, entries }
    }

    fn aws(value: &str, caller: &Principal<'_>) -> Option<Strength> {
        matcher(&[(PrincipalKind::Aws, value)]).names(caller, false)
    }

    #[test]
    fn users_roles_and_sessions_are_named_exactly() {
        assert_eq!(aws("arn:aws:iam::111122223333:user/x/alice", &USER), Some(Strength::Direct));
        assert_eq!(aws("arn:aws:iam::111122223333:user/x/Alice", &USER), None);
        assert_eq!(aws("arn:aws:iam::111122223333:user/*", &USER), None);
        assert_eq!(aws("AIDAA", &USER), Some(Strength::Direct));
        assert_eq!(aws("arn:aws:iam::111122223333:role/team/Dev", &ROLE), Some(Strength::Role));
        assert_eq!(aws("AROAA", &ROLE), Some(Strength::Role));
        assert_eq!(aws("arn:aws:sts::111122223333:assumed-role/Dev/s", &ROLE), Some(Strength::Direct));
        assert_eq!(aws("arn:aws:sts::111122223333:assumed-role/Dev/t", &ROLE), None);
        assert_eq!(aws("arn:aws:sts::111122223333:federated-user/jill", &FEDERATED), Some(Strength::Direct));
        assert_eq!(aws("arn:aws:iam::111122223333:user/john", &FEDERATED), Some(Strength::Issuer));
    }

    #[test]
    fn an_account_is_named_by_id_or_root_arn() {
        for caller in [USER, ROLE, FEDERATED, Principal::Root { account: ACCOUNT }] {
            assert_eq!(aws(ACCOUNT, &caller), Some(Strength::Account));
            assert_eq!(aws("arn:aws:iam::111122223333:root", &caller), Some(Strength::Account));
            assert_eq!(aws("arn:aws:iam::444455556666:root", &caller), None);
            assert_eq!(aws("444455556666", &caller), None);
            assert_eq!(aws("arn:aws-cn:iam::111122223333:root", &caller), None);
            assert_eq!(aws("arn:aws:iam:eu-west-1:111122223333:root", &caller), None);
        }
        assert_eq!(aws(ACCOUNT, &Principal::Anonymous), None);
        assert_eq!(aws(ACCOUNT, &SERVICE), None);
    }

    #[test]
    fn a_provider_of_an_account_is_not_the_account() {
        let name = "arn:aws:iam::111122223333:saml-provider/corp";
        let provider = Principal::Provider { account: Some(ACCOUNT), name };
        for value in [ACCOUNT, "arn:aws:iam::111122223333:root", name] {
            assert_eq!(aws(value, &provider), None);
            assert_eq!(matcher(&[(PrincipalKind::Aws, value)]).names(&provider, true), None);
        }
        assert_eq!(
            matcher(&[(PrincipalKind::Federated, name)]).names(&provider, false),
            Some(Strength::Direct)
        );
    }

    #[test]
    fn a_service_is_named_by_its_name_and_denied_by_a_wildcard_too() {
        let named =
            |value: &str, deny: bool| matcher(&[(PrincipalKind::Service, value)]).names(&SERVICE, deny);
        for deny in [false, true] {
            assert_eq!(named("s3.amazonaws.com", deny), Some(Strength::Direct));
            assert_eq!(named("ec2.amazonaws.com", deny), None);
        }
        assert_eq!(named("*", false), None);
        assert_eq!(named("*", true), Some(Strength::Direct));
    }

    #[test]
    fn star_names_everybody_but_lets_no_provider_in() {
        for kind in [PrincipalKind::Star, PrincipalKind::Aws] {
            let star = matcher(&[(kind, "*")]);
            for caller in [USER, ROLE, FEDERATED, Principal::Anonymous] {
                assert_eq!(star.names(&caller, false), Some(Strength::Everyone));
            }
            assert_eq!(star.names(&PROVIDER, false), None);
            assert_eq!(star.names(&PROVIDER, true), Some(Strength::Everyone));
        }
        let named = matcher(&[(PrincipalKind::Federated, "accounts.google.com")]);
        assert_eq!(named.names(&PROVIDER, false), Some(Strength::Direct));
        assert_eq!(named.names(&USER, false), None);
    }

    #[test]
    fn the_strongest_of_several_entries_counts() {
        let both = matcher(&[(PrincipalKind::Aws, ACCOUNT), (PrincipalKind::Aws, "AIDAA")]);
        assert_eq!(both.names(&USER, false), Some(Strength::Direct));
    }

    #[test]
    fn not_principal_spares_only_with_every_level() {
        let spares = |values: &[&str], caller: &Principal<'_>| {
            let entries: Vec<_> = values.iter().map(|value| (PrincipalKind::Aws, *value)).collect();
            matcher(&entries).spares(caller)
        };
        assert!(spares(&["AIDAA", ACCOUNT], &USER));
        assert!(!spares(&["AIDAA"], &USER));
        assert!(!spares(&[ACCOUNT], &USER));
        let session = "arn:aws:sts::111122223333:assumed-role/Dev/s";
        assert!(spares(&[session, "AROAA", ACCOUNT], &ROLE));
        assert!(spares(&["AROAA", ACCOUNT], &ROLE));
        assert!(!spares(&[session, ACCOUNT], &ROLE));
        assert!(!spares(&[session, "AROAA"], &ROLE));
        assert!(spares(&["*"], &Principal::Anonymous));
        assert!(!spares(&[ACCOUNT], &Principal::Anonymous));
    }
}
