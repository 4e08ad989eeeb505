//! What users, groups, roles, customer managed policies, instance profiles, MFA devices and identity providers have alike, so that an action on several of them
//! is written once.
//!
//! A kind says how a call names its entities, what a call on one is authorised on, and where its record is.
//! It knows no action.

use std::sync::Arc;

use daypass_directory::record::{
    GroupRecord, InstanceProfileRecord, MfaDeviceRecord, OidcProviderRecord, PolicyRecord, RoleRecord,
    SamlProviderRecord, UserRecord,
};
use daypass_directory::{self as directory, AccountView, AnyPolicy, Check, Scope};
use daypass_store::Revision;

use crate::actions::iam::{rules, target};
use crate::error::Error;

/// A kind of entity with a record of its own.
pub(super) trait Kind: Send + Sync + 'static {
    /// The entity as the directory has it.
    type Entity: Send + Sync;
    /// Its record.
    type Record: directory::Entity + Clone + Send + Sync;

    /// A check on the entity that a call names: by name, or by ARN for policies and devices.
    fn check(action: &str, scope: &Scope, name: &str) -> Check;

    /// The entity, or AWS's sentence.
    fn find<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<Self::Entity>, Error>;

    /// Its record, and when that was last written.
    fn record(entity: &Self::Entity) -> (&Self::Record, Revision);
}

/// Users.
pub(super) struct User;
/// Groups.
pub(super) struct Group;
/// Roles.
pub(super) struct Role;
/// Customer managed policies.
pub(super) struct Policy;
/// Instance profiles.
pub(super) struct InstanceProfile;
/// Virtual MFA devices.
pub(super) struct MfaDevice;
/// OpenID Connect providers.
pub(super) struct OidcProvider;
/// SAML providers.
pub(super) struct SamlProvider;

impl Kind for User {
    type Entity = directory::User;
    type Record = UserRecord;

    fn check(action: &str, scope: &Scope, name: &str) -> Check {
        target::user(action, scope, name)
    }

    fn find<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<directory::User>, Error> {
        target::find_user(account, name)
    }

    fn record(user: &directory::User) -> (&UserRecord, Revision) {
        (&user.record, user.revision)
    }
}

impl Kind for Group {
    type Entity = directory::Group;
    type Record = GroupRecord;

    fn check(action: &str, scope: &Scope, name: &str) -> Check {
        target::group(action, scope, name)
    }

    fn find<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<directory::Group>, Error> {
        target::find_group(account, name)
    }

    fn record(group: &directory::Group) -> (&GroupRecord, Revision) {
        (&group.record, group.revision)
    }
}

impl Kind for Role {
    type Entity = directory::Role;
    type Record = RoleRecord;

    fn check(action: &str, scope: &Scope, name: &str) -> Check {
        target::role(action, scope, name)
    }

    fn find<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<directory::Role>, Error> {
        target::find_role(account, name)
    }

    fn record(role: &directory::Role) -> (&RoleRecord, Revision) {
        (&role.record, role.revision)
    }
}

impl Kind for Policy {
    type Entity = directory::ManagedPolicy;
    type Record = PolicyRecord;

    fn check(action: &str, scope: &Scope, arn: &str) -> Check {
        target::policy(action, scope, arn)
    }

    fn find<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<directory::ManagedPolicy>, Error> {
        rules::arn_of_policy(arn)?;
        match account.policy(arn) {
            Some(AnyPolicy::Customer(policy)) => Ok(policy),
            // Nobody gets as far as writing to a policy of AWS, see `target::writing`.
            Some(AnyPolicy::Aws(_)) | None => {
                Err(Error::no_such_entity(format!("Policy {arn} was not found.")))
            }
        }
    }

    fn record(policy: &directory::ManagedPolicy) -> (&PolicyRecord, Revision) {
        (&policy.record, policy.revision)
    }
}

impl Kind for InstanceProfile {
    type Entity = directory::InstanceProfile;
    type Record = InstanceProfileRecord;

    fn check(action: &str, scope: &Scope, name: &str) -> Check {
        target::instance_profile(action, scope, name)
    }

    fn find<'v>(account: &AccountView<'v>, name: &str) -> Result<&'v Arc<directory::InstanceProfile>, Error> {
        target::find_instance_profile(account, name)
    }

    fn record(profile: &directory::InstanceProfile) -> (&InstanceProfileRecord, Revision) {
        (&profile.record, profile.revision)
    }
}

impl Kind for MfaDevice {
    type Entity = directory::MfaDevice;
    type Record = MfaDeviceRecord;

    fn check(action: &str, scope: &Scope, serial_number: &str) -> Check {
        target::mfa_device(action, scope, serial_number)
    }

    fn find<'v>(
        account: &AccountView<'v>,
        serial_number: &str,
    ) -> Result<&'v Arc<directory::MfaDevice>, Error> {
        target::find_mfa_device(account, serial_number)
    }

    fn record(device: &directory::MfaDevice) -> (&MfaDeviceRecord, Revision) {
        (&device.record, device.revision)
    }
}

impl Kind for OidcProvider {
    type Entity = directory::OidcProvider;
    type Record = OidcProviderRecord;

    fn check(action: &str, scope: &Scope, arn: &str) -> Check {
        target::oidc_provider(action, scope, arn)
    }

    fn find<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<directory::OidcProvider>, Error> {
        target::find_oidc_provider(account, arn)
    }

    fn record(provider: &directory::OidcProvider) -> (&OidcProviderRecord, Revision) {
        (&provider.record, provider.revision)
    }
}

impl Kind for SamlProvider {
    type Entity = directory::SamlProvider;
    type Record = SamlProviderRecord;

    fn check(action: &str, scope: &Scope, arn: &str) -> Check {
        target::saml_provider(action, scope, arn)
    }

    fn find<'v>(account: &AccountView<'v>, arn: &str) -> Result<&'v Arc<directory::SamlProvider>, Error> {
        target::find_saml_provider(account, arn)
    }

    fn record(provider: &directory::SamlProvider) -> (&SamlProviderRecord, Revision) {
        (&provider.record, provider.revision)
    }
}
