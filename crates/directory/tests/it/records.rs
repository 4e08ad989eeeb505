//! The records of format 1, as files. They were written once and are only read here: what a store holds today
//! must be read by every later daypass, and members it does not know must survive its rewriting them.

use daypass_directory::anywhere::record::{CrlRecord, ProfileRecord, SubjectRecord, TrustAnchorRecord};
use daypass_directory::record::{
    AccessKeyPointer, AccountAliasRecord, AccountRecord, AssertionEncryption, GroupRecord, KeyOwner,
    KeyringRecord, LoginProfileRecord, MfaDeviceRecord, OidcProviderRecord, PasswordPolicyRecord, Pointer,
    PolicyRecord, PrincipalRevocationRecord, ResourcePolicyRecord, RoleRecord, SamlProviderRecord,
    SessionRevocationRecord, UsedRecord, UserRecord, WebIdentityIssuerRecord, WebIdentityKeysRecord,
};
use daypass_directory::record::{InstanceRecord, TaskRecord};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Read a golden record, check that it comes back equal, also with members of a newer format in every structure; the
/// record.
fn golden<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let before: Value = serde_json::from_str(text).unwrap();
    let newer = with_newer_members(before.clone());
    assert_ne!(newer, before);
    for value in [newer, before.clone()] {
        let record: T = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&record).unwrap(), value);
    }
    serde_json::from_value(before).unwrap()
}

/// A record with a member that this daypass does not know in every structure of it; tags and owners are values.
fn with_newer_members(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let grow = |(name, value): (String, Value)| match name.as_str() {
                "tags" | "owner" => (name, value),
                _ => (name, with_newer_members(value)),
            };
            let newer = ("newer_still".to_owned(), serde_json::json!({"of": ["any", "form"]}));
            Value::Object(members.into_iter().map(grow).chain([newer]).collect())
        }
        Value::Array(items) => items.into_iter().map(with_newer_members).collect(),
        plain => plain,
    }
}

#[test]
fn a_user_of_format_1_is_read_and_rewritten_whole() {
    let user: UserRecord = golden(include_str!("../golden/user-v1.json"));
    assert_eq!((user.name.as_str(), user.path.as_str(), user.created), ("Bob", "/div/", 1_767_323_045));
    assert_eq!(user.access_keys[0].id.as_str(), "AKIAR3YRQEGH7F6WQCIK");
    assert!(!user.access_keys[0].active);
    assert_eq!(user.inline[0].name, "own");
    assert_eq!(user.attached, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    assert_eq!(user.groups[0].as_str(), "AGPAGQ5XK2M7J3NDVTBWE");
    assert_eq!(user.boundary.as_deref(), Some("arn:aws:iam::123456789012:policy/edge"));
    assert_eq!(user.tags.value("DEPT"), Some("A"));
    assert_eq!(user.unknown["from_the_future"], true);
    assert_eq!(user.access_keys[0].unknown["also"], "kept");
}

#[test]
fn a_role_of_format_1_is_read_and_rewritten_whole() {
    let role: RoleRecord = golden(include_str!("../golden/role-v1.json"));
    assert_eq!(role.session_duration_max, 7200);
    assert_eq!(role.description.as_deref(), Some(""));
    assert!(role.trust.contains("AIDAR3YRQEGH7F6WQCIKX"), "users are kept by id");
}

#[test]
fn the_other_records_of_format_1_are_read_and_rewritten_whole() {
    let account: AccountRecord = golden(include_str!("../golden/account-v1.json"));
    assert_eq!(account.id.as_str(), "123456789012");
    let group: GroupRecord = golden(include_str!("../golden/group-v1.json"));
    assert_eq!(group.name, "Admins");
    let policy: PolicyRecord = golden(include_str!("../golden/policy-v1.json"));
    assert_eq!((policy.default_version, policy.next_version, policy.versions.len()), (2, 4, 2));
    let pointer: AccessKeyPointer = golden(include_str!("../golden/access-key-v1.json"));
    assert!(pointer.owner.is_some());
    let deleted: AccessKeyPointer = golden(include_str!("../golden/access-key-deleted-v1.json"));
    assert!(deleted.owner.is_none());
    let resource: ResourcePolicyRecord = golden(include_str!("../golden/resource-policy-v1.json"));
    assert_eq!(resource.arn, "arn:aws:s3:::photos");
    let session: SessionRevocationRecord = golden(include_str!("../golden/revoked-session-v1.json"));
    assert_eq!((session.at, session.expires, session.issued_too), (1_767_323_045, 1_767_456_245, true));
    let principal: PrincipalRevocationRecord = golden(include_str!("../golden/revoked-principal-v1.json"));
    assert_eq!((principal.before, principal.expires), (1_767_323_046, 1_767_456_246));
    golden::<KeyringRecord>(include_str!("../golden/keyring-v1.json"));
    golden::<WebIdentityKeysRecord>(include_str!("../golden/web-identity-keys-v1.json"));
    let issuer: WebIdentityIssuerRecord = golden(include_str!("../golden/web-identity-issuer-v1.json"));
    assert_eq!((issuer.uuid.as_str(), issuer.enabled), ("6f1c2d3e-4b5a-4978-8695-a4b3c2d1e0f9", true));
    golden::<Pointer>(include_str!("../golden/pointer-v1.json"));
    let used: UsedRecord = golden(include_str!("../golden/used-v1.json"));
    assert_eq!((used.at, used.service.as_str(), used.region.as_str()), (1_767_323_045, "s3", "eu-west-1"));
}

#[test]
fn an_mfa_device_of_format_1_is_read_and_rewritten_whole() {
    let device: MfaDeviceRecord = golden(include_str!("../golden/mfa-device-v1.json"));
    assert_eq!((device.name.as_str(), device.path.as_str()), ("Phone", "/div/"));
    assert_eq!(device.owner, Some(KeyOwner::User("AIDAR3YRQEGH7F6WQCIKX".to_owned().into())));
    assert_eq!(
        (device.enabled, device.clock_offset, device.last_pair),
        (Some(1_767_323_100), -3, Some(58_910_766))
    );
    assert_eq!(device.tags.value("Dept"), Some("A"));
    let unassigned: MfaDeviceRecord = golden(include_str!("../golden/mfa-device-unassigned-v1.json"));
    assert_eq!((unassigned.owner, unassigned.enabled, unassigned.last_pair), (None, None, None));
}

#[test]
fn providers_of_format_1_are_read_and_rewritten_whole() {
    let oidc: OidcProviderRecord = golden(include_str!("../golden/oidc-provider-v1.json"));
    assert_eq!(oidc.issuer(), "http://idp.example.com/realm");
    assert_eq!((&*oidc.client_ids, &*oidc.algorithms), (&["app".to_owned()][..], &["PS256".to_owned()][..]));
    assert_eq!(oidc.condition_claims, ["groups"]);
    let saml: SamlProviderRecord = golden(include_str!("../golden/saml-provider-v1.json"));
    assert_eq!((saml.name.as_str(), saml.metadata_since), ("Corp", 1_767_323_100));
    assert_eq!(
        (saml.encryption, saml.uuid().as_str()),
        (Some(AssertionEncryption::Required), "SAMLSPGQ5XK2M7J3NDVTBWE")
    );
    assert_eq!(saml.private_keys[0].id, "SAMLPKGQ5XK2M7J3NDVTBWEAAAAAAA");
    assert_eq!(saml.private_keys[0].unknown["also"], "kept");
}

#[test]
fn passwords_of_format_1_and_what_is_asked_of_them_are_read_and_rewritten_whole() {
    let profile: LoginProfileRecord = golden(include_str!("../golden/login-profile-v1.json"));
    assert_eq!(
        (profile.created, profile.changed, profile.reset_required),
        (1_767_323_045, 1_767_323_100, true)
    );
    assert_eq!((profile.earlier[0].changed, profile.last_used), (1_767_323_045, Some(1_767_323_200)));
    assert_eq!(profile.earlier[0].unknown["also"], "kept");
    let policy: PasswordPolicyRecord = golden(include_str!("../golden/password-policy-v1.json"));
    assert_eq!((policy.length_min, policy.days_max, policy.reuse_prevention), (12, Some(90), Some(24)));
    assert!(policy.require_symbols && policy.require_uppercase && policy.users_may_change);
    assert!(!(policy.require_numbers || policy.require_lowercase || policy.hard_expiry));
    let alias: AccountAliasRecord = golden(include_str!("../golden/account-alias-v1.json"));
    assert_eq!((alias.alias.as_str(), alias.created), ("example-corp", 1_767_323_045));
}

#[test]
fn the_records_of_roles_anywhere_of_format_1_are_read_and_rewritten_whole() {
    let anchor: TrustAnchorRecord = golden(include_str!("../golden/trust-anchor-v1.json"));
    assert_eq!((anchor.common.name.as_str(), anchor.common.region.as_str()), ("Fleet CA", "eu-west-1"));
    assert_eq!(anchor.unknown.len(), 1, "what is known is not kept twice");
    let profile: ProfileRecord = golden(include_str!("../golden/anywhere-profile-v1.json"));
    assert_eq!((profile.roles[0].id.as_str(), profile.duration), ("AROAR3YRQEGH7F6WQCIKX", 3600));
    assert_eq!(profile.mappings[0].specifiers, ["CN"]);
    let crl: CrlRecord = golden(include_str!("../golden/crl-v1.json"));
    assert_eq!(crl.trust_anchor, anchor.common.id);
    let subject: SubjectRecord = golden(include_str!("../golden/x509-subject-v1.json"));
    assert_eq!((subject.credentials[0].serial.as_str(), subject.last_seen), ("7", 1_767_323_046));
}

#[test]
fn a_machine_and_a_task_of_format_1_are_read_and_rewritten_whole() {
    let instance: InstanceRecord = golden(include_str!("../golden/instance-v1.json"));
    assert_eq!((instance.id.as_str(), instance.region.as_str()), ("i-0123456789abcdef0", "eu-central-1"));
    assert_eq!((instance.profile.as_str(), instance.join.expires), ("AIPAJQABLZS4A3QDU576Q", 1_767_326_645));
    assert_eq!(instance.sessions.to_string(), "1cbe991a14f0a1b2c3d4e5f60718293a");
    let joined = instance.joined.unwrap();
    assert_eq!((joined.public_key.len(), joined.at), (87, 1_767_323_100));
    assert_eq!(joined.source_ip.unwrap().to_string(), "192.0.2.10");
    let task: TaskRecord = golden(include_str!("../golden/task-v1.json"));
    assert_eq!(
        (task.instance.as_str(), task.role.as_str()),
        ("i-0123456789abcdef0", "AROAJQABLZS4A3QDU576Q")
    );
    assert_eq!(task.token_hash.len(), 64);
}
