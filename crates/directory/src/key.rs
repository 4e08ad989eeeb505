//! The names of records in the store. One place, so that a guard and a write cannot disagree.
//! LONG: one list of names.
//!
//! LONG: one list of names.
//!
//! ```text
//! /account/<account>                          AccountRecord
//! /access-key/<AKIA…>                         AccessKeyPointer
//! /account-alias/<alias>                      Pointer to the account; stays when the account is closed
//! /keyring                                    KeyringRecord
//! /web-identity-keys                          WebIdentityKeysRecord
//! /master-key-check                           a constant sealed with the master key
//! /master-key-previous                        the master key before, sealed with the present one, while a record is
//!                                             sealed with it
//! /<account>/user/<AIDA…>                     UserRecord        (group, role, policy, mfa alike)
//! /<account>/user-name/<name, lower case>     Pointer to the id (group-name, role-name, policy-name alike)
//! /<account>/mfa-name/<path and name, l. c.>  Pointer to the id: devices under different paths may share a name
//! /<account>/member/<AGPA…>/<AIDA…>           Pointer: the user is in the group
//! /<account>/attached/<ANPA…>/<entity id>     Pointer: the policy is attached
//! /<account>/bounded/<ANPA…>/<entity id>      Pointer: the policy is the entity's boundary
//! /<account>/oidc-provider/<AOIP…>            OidcProviderRecord; its name is its URL without the scheme
//! /<account>/saml-provider/<ASSP…>            SamlProviderRecord
//! /<account>/instance-profile/<AIPA…>         InstanceProfileRecord
//! /<account>/profiled/<AROA…>/<AIPA…>         Pointer: the role is in the instance profile
//! /<account>/assigned/<AIDA… or root>/<AMFA…> Pointer: the MFA device is the user's
//! /<account>/login-profile/<AIDA…>            LoginProfileRecord
//! /<account>/password-policy                  PasswordPolicyRecord
//! /<account>/service-role-deletions           ServiceRoleDeletionsRecord
//! /<account>/account-alias                    AccountAliasRecord
//! /<account>/resource-policy/<SHA-256 of ARN> ResourcePolicyRecord
//! /<account>/web-identity-issuer              WebIdentityIssuerRecord
//! /<account>/used/<AKIA… or AROA…>            UsedRecord
//! /<account>/revoked-session/<session id>     SessionRevocationRecord
//! /<account>/console-session/<session id>     ConsoleSessionRecord
//! /<account>/trust-anchor/<uuid>              TrustAnchorRecord
//! /<account>/anywhere-profile/<uuid>          ProfileRecord
//! /<account>/crl/<uuid>                       CrlRecord
//! /<account>/x509-subject/<uuid>              SubjectRecord
//! /<account>/revoked-principal/<AIDA…>        PrincipalRevocationRecord (AROA… alike; of root, the account number)
//! /<account>/instance/<i-…>                   InstanceRecord
//! /<account>/task/<instance>/<uuid>           TaskRecord
//! /<account>/pod-cluster/<name>               PodClusterRecord
//! /<account>/pod-association/<cluster>/<a-…>  PodAssociationRecord
//! ```
//!
//! Facts that are spent have names of their own, apart from records:
//!
//! ```text
//! mfa-try/<AMFA…>/<window>/<n>                the n-th try of a code in this window of time
//! mfa-code/<AMFA…>/<counter>                  the code of this counter was used
//! password-try/<AIDA…>/<window>/<n>           the n-th try of a password in this window of time
//! saml-assertion/<account>/<hash>/<AROA…>     the SAML assertion was used for the role
//! saml-assertion/<account>/<hash>             the SAML assertion was used in the account
//! sign-in-token/<session id>                  the sign-in token of this session-to-be was used
//! sign-in-code/<session id>/<number>          the authorization code of this session was used
//! proof/<thumbprint of a key>/<hash of its id> the proof of possession was used
//! ```

use data_encoding::HEXLOWER;
use daypass_model::{AccessKeyId, AccountId, EntityKind, SessionId, UniqueId, fold_name};
use sha2::{Digest, Sha256};

use crate::anywhere::AnywhereKind;
use crate::record::KeyOwner;

/// The keyring.
pub const KEYRING: &str = "/keyring";
/// The keys that tokens of GetWebIdentityToken are signed with.
pub const WEB_IDENTITY_KEYS: &str = "/web-identity-keys";
/// Sealed with the master key when the store is made; opening it tells whether the master key is the right one.
pub const MASTER_KEY_CHECK: &str = "/master-key-check";
/// The master key that is being replaced, sealed with the new one.
pub const MASTER_KEY_PREVIOUS: &str = "/master-key-previous";

/// Every account.
pub const ACCOUNTS: &str = "/account/";

/// An account.
#[must_use]
pub fn account(id: AccountId) -> String {
    format!("/account/{id}")
}

/// Whose key it is.
#[must_use]
pub fn access_key(id: &AccessKeyId) -> String {
    format!("/access-key/{id}")
}

/// A user, group, role or policy.
#[must_use]
pub fn entity(account: AccountId, kind: EntityKind, id: &UniqueId) -> String {
    format!("/{account}/{}/{id}", kind.word())
}

/// The claim on a name.
#[must_use]
pub fn name(account: AccountId, kind: EntityKind, name: &str) -> String {
    format!("/{account}/{}-name/{}", kind.word(), fold_name(name))
}

/// Everything of one kind in an account, for guarding quotas.
#[must_use]
pub fn entities(account: AccountId, kind: EntityKind) -> String {
    format!("/{account}/{}-name/", kind.word())
}

/// One membership.
#[must_use]
pub fn member(account: AccountId, group: &UniqueId, user: &UniqueId) -> String {
    format!("/{account}/member/{group}/{user}")
}

/// All members of a group.
#[must_use]
pub fn members(account: AccountId, group: &UniqueId) -> String {
    format!("/{account}/member/{group}/")
}

/// One attachment of a customer managed policy.
#[must_use]
pub fn attached(account: AccountId, policy: &UniqueId, entity: &UniqueId) -> String {
    format!("/{account}/attached/{policy}/{entity}")
}

/// All attachments of a policy.
#[must_use]
pub fn attachments(account: AccountId, policy: &UniqueId) -> String {
    format!("/{account}/attached/{policy}/")
}

/// One use of a policy as a boundary.
#[must_use]
pub fn bounded(account: AccountId, policy: &UniqueId, entity: &UniqueId) -> String {
    format!("/{account}/bounded/{policy}/{entity}")
}

/// All uses of a policy as a boundary.
#[must_use]
pub fn boundaries(account: AccountId, policy: &UniqueId) -> String {
    format!("/{account}/bounded/{policy}/")
}

/// One instance profile that a role is in.
#[must_use]
pub fn profiled(account: AccountId, role: &UniqueId, profile: &UniqueId) -> String {
    format!("{}{profile}", profiles_of(account, role))
}

/// All instance profiles that a role is in.
#[must_use]
pub fn profiles_of(account: AccountId, role: &UniqueId) -> String {
    format!("/{account}/profiled/{role}/")
}

/// One assignment of an MFA device.
#[must_use]
pub fn assigned(account: AccountId, owner: &KeyOwner, device: &UniqueId) -> String {
    format!("{}{device}", assignments(account, owner))
}

/// All MFA devices of a user, or of root.
#[must_use]
pub fn assignments(account: AccountId, owner: &KeyOwner) -> String {
    match owner {
        KeyOwner::Root => format!("/{account}/assigned/root/"),
        KeyOwner::User(id) => format!("/{account}/assigned/{id}/"),
    }
}

/// The fact that a code of a device was tried for the n-th time in a window of time, from this browser if it is a known one.
pub(crate) fn mfa_try(device: &UniqueId, browser: Option<&str>, window: i64, n: u32) -> String {
    match browser {
        Some(browser) => format!("mfa-try/{device}/{browser}/{window}/{n}"),
        None => format!("mfa-try/{device}/{window}/{n}"),
    }
}

/// The fact that a device's code of this counter was used.
pub(crate) fn mfa_code(device: &UniqueId, counter: i64) -> String {
    format!("mfa-code/{device}/{counter}")
}

/// The password of a user.
#[must_use]
pub fn login_profile(account: AccountId, user: &UniqueId) -> String {
    format!("/{account}/login-profile/{user}")
}

/// What the hashes of earlier passwords are bound to; `login_profile` is the key of the record. None of them can be put into
/// the place of the present one.
pub(crate) fn earlier_passwords(login_profile: &str) -> String {
    format!("{login_profile}/earlier")
}

/// The fact that a password of a user was tried for the n-th time in a window of time.
pub(crate) fn password_try(user: &UniqueId, window: i64, n: u32) -> String {
    format!("password-try/{user}/{window}/{n}")
}

/// The fact that somebody tried to sign in for the n-th time in a window of time; `whose` says which tries these are.
pub(crate) fn sign_in_try(whose: &str, window: i64, n: u32) -> String {
    format!("sign-in-try/{}/{window}/{n}", HEXLOWER.encode(&Sha256::digest(whose)))
}

/// The fact that a sign-in in progress, by its number, came so far.
pub(crate) fn sign_in_step(number: u64, step: &str) -> String {
    format!("sign-in-step/{number:016x}/{step}")
}

/// What passwords of an account must be like.
#[must_use]
pub fn password_policy(account: AccountId) -> String {
    format!("/{account}/{PASSWORD_POLICY}")
}

const PASSWORD_POLICY: &str = "password-policy";

/// Which service-linked roles were deleted.
#[must_use]
pub fn service_role_deletions(account: AccountId) -> String {
    format!("/{account}/{SERVICE_ROLE_DELETIONS}")
}

const SERVICE_ROLE_DELETIONS: &str = "service-role-deletions";

/// The other name of an account.
#[must_use]
pub fn account_alias(account: AccountId) -> String {
    format!("/{account}/{ACCOUNT_ALIAS}")
}

const ACCOUNT_ALIAS: &str = "account-alias";

/// The claim on an alias, over all accounts.
#[must_use]
pub fn alias(alias: &str) -> String {
    format!("/account-alias/{alias}")
}

/// What a private key of a SAML provider is bound to; `provider` is the key of the provider's record.
pub(crate) fn saml_private_key(provider: &str, id: &str) -> String {
    format!("{provider}/{id}")
}

/// The fact that a SAML assertion was used in an account, for this role or at all. Whoever calls itself the issuer in one
/// account uses up nothing in another. Ids are the issuer's to choose: their hash stands here.
pub(crate) fn saml_assertion(account: AccountId, issuer: &str, id: &str, role: Option<&UniqueId>) -> String {
    // With the length in front no two pairs read alike.
    let hash = HEXLOWER.encode(&Sha256::digest(format!("{}:{issuer}{id}", issuer.len())));
    match role {
        Some(role) => format!("saml-assertion/{account}/{hash}/{role}"),
        None => format!("saml-assertion/{account}/{hash}"),
    }
}

/// The fact that a sign-in token was used; by the session that it begins.
pub(crate) fn sign_in_token(id: SessionId) -> String {
    format!("sign-in-token/{id}")
}

/// The fact that an authorization code of a session was used.
pub(crate) fn sign_in_code(id: SessionId, number: u64) -> String {
    format!("sign-in-code/{id}/{number:016x}")
}

/// The fact that an instance of the account has, or had, this id.
pub(crate) fn instance_id(account: AccountId, id: &str) -> String {
    format!("instance-id/{account}/{id}")
}

/// The fact that a proof of possession of a key was used. Its id is whoever's who made it.
pub(crate) fn proof(thumbprint: &str, id: &str) -> String {
    format!("proof/{thumbprint}/{}", HEXLOWER.encode(&Sha256::digest(id)))
}

/// The policy of a resource. An ARN may be longer than a key, so its hash stands here and the ARN in the record.
#[must_use]
pub fn resource_policy(account: AccountId, arn: &str) -> String {
    format!("/{account}/resource-policy/{}", HEXLOWER.encode(&Sha256::digest(arn)))
}

/// All resource policies of an account, for guarding their quota.
#[must_use]
pub fn resource_policies(account: AccountId) -> String {
    format!("/{account}/resource-policy/")
}

/// As whom the account's tokens are issued.
#[must_use]
pub fn web_identity_issuer(account: AccountId) -> String {
    format!("/{account}/{WEB_IDENTITY_ISSUER}")
}

const WEB_IDENTITY_ISSUER: &str = "web-identity-issuer";

/// When an access key or a role was last used.
#[must_use]
pub fn used(account: AccountId, id: &str) -> String {
    format!("/{account}/used/{id}")
}

/// The revocation of a session.
#[must_use]
pub fn revoked_session(account: AccountId, id: SessionId) -> String {
    format!("/{account}/revoked-session/{id}")
}

/// All of them in an account, for guarding their quota.
#[must_use]
pub fn revoked_sessions(account: AccountId) -> String {
    format!("/{account}/revoked-session/")
}

/// The revocation of sessions of a user, role or root.
#[must_use]
pub fn revoked_principal(account: AccountId, id: &str) -> String {
    format!("/{account}/revoked-principal/{id}")
}

/// All of them in an account, for guarding their quota.
#[must_use]
pub fn revoked_principals(account: AccountId) -> String {
    format!("/{account}/revoked-principal/")
}

/// A session of the console.
#[must_use]
pub fn console_session(account: AccountId, id: SessionId) -> String {
    format!("/{account}/console-session/{id}")
}

/// All of them in an account, for guarding their quota.
#[must_use]
pub fn console_sessions(account: AccountId) -> String {
    format!("/{account}/console-session/")
}

/// A record of Roles Anywhere, by its UUID.
#[must_use]
pub fn anywhere(account: AccountId, kind: AnywhereKind, id: &str) -> String {
    format!("/{account}/{}/{id}", kind.key_word())
}

/// All of one kind in an account, for guarding their quota.
#[must_use]
pub fn all_anywhere(account: AccountId, kind: AnywhereKind) -> String {
    format!("/{account}/{}/", kind.key_word())
}

/// A machine.
#[must_use]
pub fn instance(account: AccountId, id: &str) -> String {
    format!("{}{id}", instances(account))
}

/// All of them in an account, for guarding their quota.
#[must_use]
pub fn instances(account: AccountId) -> String {
    format!("/{account}/instance/")
}

/// A task on an instance.
#[must_use]
pub fn task(account: AccountId, instance: &str, id: &str) -> String {
    format!("{}{id}", tasks_on(account, instance))
}

/// All of them on an instance, for guarding their quota.
#[must_use]
pub fn tasks_on(account: AccountId, instance: &str) -> String {
    format!("/{account}/task/{instance}/")
}

/// A Kubernetes cluster.
#[must_use]
pub fn pod_cluster(account: AccountId, name: &str) -> String {
    format!("{}{name}", pod_clusters(account))
}

/// All of them in an account, for guarding their quota.
#[must_use]
pub fn pod_clusters(account: AccountId) -> String {
    format!("/{account}/pod-cluster/")
}

/// The association of a service account with a role.
#[must_use]
pub fn pod_association(account: AccountId, cluster: &str, id: &str) -> String {
    format!("{}{id}", pod_associations(account, cluster))
}

/// All of them in a cluster, for guarding that a service account has one.
#[must_use]
pub fn pod_associations(account: AccountId, cluster: &str) -> String {
    format!("/{account}/pod-association/{cluster}/")
}

/// What a key names, for whoever follows the store's changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    Account(AccountId),
    AccessKey(&'a str),
    Keyring,
    WebIdentityKeys,
    Entity(AccountId, EntityKind, &'a str),
    /// By the hash of the ARN.
    ResourcePolicy(AccountId, &'a str),
    WebIdentityIssuer(AccountId),
    /// By the id of the user.
    LoginProfile(AccountId, &'a str),
    PasswordPolicy(AccountId),
    ServiceRoleDeletions(AccountId),
    AccountAlias(AccountId),
    Used(AccountId, &'a str),
    RevokedSession(AccountId, &'a str),
    RevokedPrincipal(AccountId, &'a str),
    ConsoleSession(AccountId, &'a str),
    /// By the UUID.
    Anywhere(AccountId, AnywhereKind, &'a str),
    Instance(AccountId, &'a str),
    Task(AccountId, &'a str),
    PodCluster(AccountId, &'a str),
    /// By `<cluster>/<id>`.
    PodAssociation(AccountId, &'a str),
    /// Names and links: guards need them, readers derive them from the entities.
    Derived,
}

/// Read a key back. Keys of a newer daypass are [`Named::Derived`]: left alone.
pub(crate) fn parse(key: &str) -> Named<'_> {
    let rest = key.strip_prefix('/').unwrap_or(key);
    if key == KEYRING {
        return Named::Keyring;
    }
    if key == WEB_IDENTITY_KEYS {
        return Named::WebIdentityKeys;
    }
    let Some((first, rest)) = rest.split_once('/') else { return Named::Derived };
    match first {
        "account" => rest.parse().map_or(Named::Derived, Named::Account),
        "access-key" => Named::AccessKey(rest),
        _ => first.parse().map_or(Named::Derived, |account| in_account(account, rest)),
    }
}

/// Whether the record under a key may hold something that is sealed with the master key.
pub(crate) fn may_hold_sealed(key: &str) -> bool {
    matches!(
        parse(key),
        Named::Keyring
            | Named::WebIdentityKeys
            | Named::Account(_)
            | Named::LoginProfile(..)
            | Named::Entity(_, EntityKind::User | EntityKind::MfaDevice | EntityKind::SamlProvider, _)
    )
}

fn of_anywhere(word: &str) -> Option<AnywhereKind> {
    AnywhereKind::ALL.into_iter().find(|kind| kind.key_word() == word)
}

fn in_account(account: AccountId, rest: &str) -> Named<'_> {
    match rest.split_once('/') {
        Some(("user", id)) => Named::Entity(account, EntityKind::User, id),
        Some(("group", id)) => Named::Entity(account, EntityKind::Group, id),
        Some(("role", id)) => Named::Entity(account, EntityKind::Role, id),
        Some(("policy", id)) => Named::Entity(account, EntityKind::Policy, id),
        Some(("mfa", id)) => Named::Entity(account, EntityKind::MfaDevice, id),
        Some(("oidc-provider", id)) => Named::Entity(account, EntityKind::OidcProvider, id),
        Some(("saml-provider", id)) => Named::Entity(account, EntityKind::SamlProvider, id),
        Some(("instance-profile", id)) => Named::Entity(account, EntityKind::InstanceProfile, id),
        Some(("login-profile", user)) => Named::LoginProfile(account, user),
        Some(("resource-policy", hash)) => Named::ResourcePolicy(account, hash),
        Some(("used", id)) => Named::Used(account, id),
        Some(("revoked-session", id)) => Named::RevokedSession(account, id),
        Some(("revoked-principal", id)) => Named::RevokedPrincipal(account, id),
        Some(("console-session", id)) => Named::ConsoleSession(account, id),
        Some((word, id)) if let Some(kind) = of_anywhere(word) => Named::Anywhere(account, kind, id),
        Some(("instance", id)) => Named::Instance(account, id),
        Some(("task", place)) if let Some((_, id)) = place.split_once('/') => Named::Task(account, id),
        Some(("pod-cluster", name)) => Named::PodCluster(account, name),
        Some(("pod-association", place)) => Named::PodAssociation(account, place),
        None if rest == WEB_IDENTITY_ISSUER => Named::WebIdentityIssuer(account),
        None if rest == PASSWORD_POLICY => Named::PasswordPolicy(account),
        None if rest == SERVICE_ROLE_DELETIONS => Named::ServiceRoleDeletions(account),
        None if rest == ACCOUNT_ALIAS => Named::AccountAlias(account),
        _ => Named::Derived,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_assertions_are_one_fact() {
        let (a, b): (AccountId, AccountId) =
            ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        let role = UniqueId::from("AROAX".to_owned());
        let mut facts = vec![
            saml_assertion(a, "urn:a\nb", "c", None),
            saml_assertion(a, "urn:a", "b\nc", None),
            saml_assertion(a, "urn:a", "\nbc", None),
            saml_assertion(a, "urn:ab", "c", None),
            saml_assertion(a, "urn:a", "bc", None),
            saml_assertion(b, "urn:a", "bc", None),
            saml_assertion(a, "urn:a", "bc", Some(&role)),
            saml_assertion(a, "", "5:urn:abc", None),
            saml_assertion(a, "5:urn:a", "bc", None),
        ];
        let count = facts.len();
        facts.sort();
        facts.dedup();
        assert_eq!(facts.len(), count);
    }

    #[test]
    fn every_key_that_a_reader_follows_reads_back() {
        let a: AccountId = "111122223333".parse().unwrap();
        let id = UniqueId::from("AIDAX".to_owned());
        assert_eq!(parse(&account(a)), Named::Account(a));
        assert_eq!(parse(&entity(a, EntityKind::User, &id)), Named::Entity(a, EntityKind::User, "AIDAX"));
        assert_eq!(parse(&entity(a, EntityKind::Policy, &id)), Named::Entity(a, EntityKind::Policy, "AIDAX"));
        let device = entity(a, EntityKind::MfaDevice, &id);
        assert_eq!(parse(&device), Named::Entity(a, EntityKind::MfaDevice, "AIDAX"));
        let provider = entity(a, EntityKind::OidcProvider, &id);
        assert_eq!(parse(&provider), Named::Entity(a, EntityKind::OidcProvider, "AIDAX"));
        let provider = entity(a, EntityKind::SamlProvider, &id);
        assert_eq!(parse(&provider), Named::Entity(a, EntityKind::SamlProvider, "AIDAX"));
        assert!(may_hold_sealed(&provider));
        let profile = entity(a, EntityKind::InstanceProfile, &id);
        assert_eq!(parse(&profile), Named::Entity(a, EntityKind::InstanceProfile, "AIDAX"));
        assert!(!may_hold_sealed(&profile));
        let hash = "65a4e6d30daef29d41a98cd4f7fe2697519e8c840b91bed53c3b24dd35d62aa3";
        assert_eq!(parse(&resource_policy(a, "arn:aws:s3:::b/c")), Named::ResourcePolicy(a, hash));
        assert_eq!(parse(&used(a, "AKIAX")), Named::Used(a, "AKIAX"));
        let session = SessionId([1; 16]);
        let text = "01010101010101010101010101010101";
        assert_eq!(parse(&revoked_session(a, session)), Named::RevokedSession(a, text));
        assert_eq!(parse(&revoked_principal(a, "AIDAX")), Named::RevokedPrincipal(a, "AIDAX"));
        assert_eq!(parse(&console_session(a, session)), Named::ConsoleSession(a, text));
        for kind in AnywhereKind::ALL {
            let place = anywhere(a, kind, "0f7a");
            assert_eq!(parse(&place), Named::Anywhere(a, kind, "0f7a"));
            assert!(place.starts_with(&all_anywhere(a, kind)) && !may_hold_sealed(&place));
        }
        assert_eq!(parse(&instance(a, "i-0a")), Named::Instance(a, "i-0a"));
        assert_eq!(parse(&task(a, "i-0a", text)), Named::Task(a, text));
        assert!(!may_hold_sealed(&instance(a, "i-0a")));
        assert_eq!(parse(&pod_cluster(a, "blue")), Named::PodCluster(a, "blue"));
        assert_eq!(parse(&pod_association(a, "blue", "a-0b")), Named::PodAssociation(a, "blue/a-0b"));
        assert_eq!(parse(KEYRING), Named::Keyring);
        assert_eq!(parse(WEB_IDENTITY_KEYS), Named::WebIdentityKeys);
        assert!(may_hold_sealed(WEB_IDENTITY_KEYS));
        assert_eq!(parse(&web_identity_issuer(a)), Named::WebIdentityIssuer(a));
        assert_eq!(parse(&login_profile(a, &id)), Named::LoginProfile(a, "AIDAX"));
        assert!(may_hold_sealed(&login_profile(a, &id)));
        assert_eq!(parse(&password_policy(a)), Named::PasswordPolicy(a));
        assert_eq!(parse(&service_role_deletions(a)), Named::ServiceRoleDeletions(a));
        assert_eq!(parse(&account_alias(a)), Named::AccountAlias(a));
        for derived in [
            alias("example-corp"),
            // An alias of digits is no account's key.
            alias("111122223333"),
            name(a, EntityKind::User, "Bob"),
            name(a, EntityKind::MfaDevice, "/Phone"),
            name(a, EntityKind::OidcProvider, "issuer.example/a/b"),
            assigned(a, &KeyOwner::Root, &id),
            member(a, &id, &id),
            profiled(a, &id, &id),
            MASTER_KEY_CHECK.into(),
            MASTER_KEY_PREVIOUS.into(),
            "/x/y".into(),
        ] {
            assert_eq!(parse(&derived), Named::Derived, "{derived}");
        }
    }
}
