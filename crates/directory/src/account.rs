//! One account in the view: its entities, and the indexes that are derived from them.

use std::sync::Arc;

use daypass_model::{EntityKind, UniqueId, fold_name};
use rpds::{HashTrieMapSync, RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::anywhere::Anywhere;
use crate::change::Entity as _;
use crate::console::ConsoleSessions;
use crate::entity::{
    AccountAlias, AccountEntity, Group, InstanceProfile, LoginProfile, ManagedPolicy, MfaDevice,
    OidcProvider, PasswordPolicy, ResourcePolicy, Role, SamlProvider, User, WebIdentityIssuer,
};
use crate::machine::Machines;
use crate::pods::Pods;
use crate::record::KeyOwner;
use crate::revocation::{OfPrincipals, OfSessions};
use crate::service_role::ServiceRoleDeletions;

/// What is known of one account. Reached through [`View::account`](crate::View), inside this room only.
#[derive(Clone, Default)]
pub(crate) struct Account {
    pub(crate) root: Option<Arc<AccountEntity>>,
    pub(crate) users: HashTrieMapSync<UniqueId, Arc<User>>,
    pub(crate) groups: HashTrieMapSync<UniqueId, Arc<Group>>,
    pub(crate) roles: HashTrieMapSync<UniqueId, Arc<Role>>,
    pub(crate) policies: HashTrieMapSync<UniqueId, Arc<ManagedPolicy>>,
    pub(crate) mfa_devices: HashTrieMapSync<UniqueId, Arc<MfaDevice>>,
    pub(crate) oidc_providers: HashTrieMapSync<UniqueId, Arc<OidcProvider>>,
    pub(crate) saml_providers: HashTrieMapSync<UniqueId, Arc<SamlProvider>>,
    pub(crate) instance_profiles: HashTrieMapSync<UniqueId, Arc<InstanceProfile>>,
    /// Lower-case name → id, in order, one map per kind.
    pub(crate) user_names: RedBlackTreeMapSync<String, UniqueId>,
    pub(crate) group_names: RedBlackTreeMapSync<String, UniqueId>,
    pub(crate) role_names: RedBlackTreeMapSync<String, UniqueId>,
    pub(crate) policy_names: RedBlackTreeMapSync<String, UniqueId>,
    pub(crate) instance_profile_names: RedBlackTreeMapSync<String, UniqueId>,
    /// The same by path and name.
    pub(crate) mfa_device_names: RedBlackTreeMapSync<String, UniqueId>,
    /// The same by URL.
    pub(crate) oidc_provider_names: RedBlackTreeMapSync<String, UniqueId>,
    pub(crate) saml_provider_names: RedBlackTreeMapSync<String, UniqueId>,
    /// (owner, MFA device)
    pub(crate) assigned: RedBlackTreeSetSync<(KeyOwner, UniqueId)>,
    /// (role, instance profile)
    pub(crate) profiled: RedBlackTreeSetSync<(UniqueId, UniqueId)>,
    /// (group, user)
    pub(crate) members: RedBlackTreeSetSync<(UniqueId, UniqueId)>,
    /// (policy ARN, entity): who a managed policy, of AWS or of the account, is attached to.
    pub(crate) attached: RedBlackTreeSetSync<(String, UniqueId)>,
    /// (policy ARN, entity): whose boundary it is.
    pub(crate) bounded: RedBlackTreeSetSync<(String, UniqueId)>,
    pub(crate) resource_policies: RedBlackTreeMapSync<String, Arc<ResourcePolicy>>,
    pub(crate) web_identity_issuer: Option<Arc<WebIdentityIssuer>>,
    /// By the id of the user.
    pub(crate) login_profiles: HashTrieMapSync<UniqueId, Arc<LoginProfile>>,
    pub(crate) password_policy: Option<Arc<PasswordPolicy>>,
    pub(crate) service_role_deletions: Option<Arc<ServiceRoleDeletions>>,
    pub(crate) alias: Option<Arc<AccountAlias>>,
    pub(crate) revoked_sessions: OfSessions,
    pub(crate) revoked_principals: OfPrincipals,
    pub(crate) console_sessions: ConsoleSessions,
    pub(crate) anywhere: Anywhere,
    pub(crate) machines: Machines,
    pub(crate) pods: Pods,
    /// Hash in the record's key → ARN, because a deletion names the key alone.
    resource_arns: HashTrieMapSync<String, String>,
}

impl Account {
    /// INVARIANT (closed-is-gone): whatever leads to an account asks this first. Nobody resolves to a principal of one
    /// that is closed, no name or id leads into it, and no policy can name it any more.
    pub(crate) fn is_open(&self) -> bool {
        self.root.as_ref().is_some_and(|root| root.record.closed.is_none())
    }

    pub(crate) fn put_user(&mut self, user: User) {
        let id = user.record.id.clone();
        self.delete(EntityKind::User, &id);
        self.user_names.insert_mut(fold_name(&user.record.name), id.clone());
        for group in &user.record.groups {
            self.members.insert_mut((group.clone(), id.clone()));
        }
        self.link(&id, &user.record.attached, user.record.boundary.as_ref());
        self.users.insert_mut(id, Arc::new(user));
    }

    pub(crate) fn put_group(&mut self, group: Group) {
        let id = group.record.id.clone();
        self.delete(EntityKind::Group, &id);
        self.group_names.insert_mut(fold_name(&group.record.name), id.clone());
        self.link(&id, &group.record.attached, None);
        self.groups.insert_mut(id, Arc::new(group));
    }

    pub(crate) fn put_role(&mut self, role: Role) {
        let id = role.record.id.clone();
        self.delete(EntityKind::Role, &id);
        self.role_names.insert_mut(fold_name(&role.record.name), id.clone());
        self.link(&id, &role.record.attached, role.record.boundary.as_ref());
        self.roles.insert_mut(id, Arc::new(role));
    }

    pub(crate) fn put_policy(&mut self, policy: ManagedPolicy) {
        let id = policy.record.id.clone();
        self.policy_names.insert_mut(fold_name(&policy.record.name), id.clone());
        self.policies.insert_mut(id, Arc::new(policy));
    }

    pub(crate) fn put_instance_profile(&mut self, profile: InstanceProfile) {
        let id = profile.record.id.clone();
        self.delete(EntityKind::InstanceProfile, &id);
        self.instance_profile_names.insert_mut(fold_name(&profile.record.name), id.clone());
        if let Some(role) = &profile.record.role {
            self.profiled.insert_mut((role.clone(), id.clone()));
        }
        self.instance_profiles.insert_mut(id, Arc::new(profile));
    }

    pub(crate) fn put_mfa_device(&mut self, device: MfaDevice) {
        let id = device.record.id.clone();
        self.delete(EntityKind::MfaDevice, &id);
        self.mfa_device_names.insert_mut(fold_name(&device.record.claim()), id.clone());
        if let Some(owner) = &device.record.owner {
            self.assigned.insert_mut((owner.clone(), id.clone()));
        }
        self.mfa_devices.insert_mut(id, Arc::new(device));
    }

    pub(crate) fn put_oidc_provider(&mut self, provider: OidcProvider) {
        let id = provider.record.id.clone();
        self.oidc_provider_names.insert_mut(fold_name(&provider.record.url), id.clone());
        self.oidc_providers.insert_mut(id, Arc::new(provider));
    }

    pub(crate) fn put_saml_provider(&mut self, provider: SamlProvider) {
        let id = provider.record.id.clone();
        self.saml_provider_names.insert_mut(fold_name(&provider.record.name), id.clone());
        self.saml_providers.insert_mut(id, Arc::new(provider));
    }

    pub(crate) fn put_resource_policy(&mut self, hash: &str, policy: ResourcePolicy) {
        let arn = policy.record.arn.clone();
        self.resource_arns.insert_mut(hash.to_owned(), arn.clone());
        self.resource_policies.insert_mut(arn, Arc::new(policy));
    }

    pub(crate) fn delete_resource_policy(&mut self, hash: &str) {
        if let Some(arn) = self.resource_arns.get(hash).cloned() {
            self.resource_arns.remove_mut(hash);
            self.resource_policies.remove_mut(&arn);
        }
    }

    fn link(&mut self, id: &UniqueId, attached: &[String], boundary: Option<&String>) {
        for arn in attached {
            self.attached.insert_mut((arn.clone(), id.clone()));
        }
        if let Some(arn) = boundary {
            self.bounded.insert_mut((arn.clone(), id.clone()));
        }
    }

    /// Take an entity and every index entry it made out again.
    pub(crate) fn delete(&mut self, kind: EntityKind, id: &UniqueId) {
        let (attached, boundary) = match kind {
            EntityKind::User => {
                let Some(user) = self.users.get(id).cloned() else { return };
                self.users.remove_mut(id);
                self.user_names.remove_mut(&fold_name(&user.record.name));
                for group in &user.record.groups {
                    self.members.remove_mut(&(group.clone(), id.clone()));
                }
                (user.record.attached.clone(), user.record.boundary.clone())
            }
            EntityKind::Group => {
                let Some(group) = self.groups.get(id).cloned() else { return };
                self.groups.remove_mut(id);
                self.group_names.remove_mut(&fold_name(&group.record.name));
                (group.record.attached.clone(), None)
            }
            EntityKind::Role => {
                let Some(role) = self.roles.get(id).cloned() else { return };
                self.roles.remove_mut(id);
                self.role_names.remove_mut(&fold_name(&role.record.name));
                (role.record.attached.clone(), role.record.boundary.clone())
            }
            EntityKind::Policy => {
                let Some(policy) = self.policies.get(id).cloned() else { return };
                self.policies.remove_mut(id);
                self.policy_names.remove_mut(&fold_name(&policy.record.name));
                return;
            }
            EntityKind::MfaDevice => {
                let Some(device) = self.mfa_devices.get(id).cloned() else { return };
                self.mfa_devices.remove_mut(id);
                self.mfa_device_names.remove_mut(&fold_name(&device.record.claim()));
                if let Some(owner) = &device.record.owner {
                    self.assigned.remove_mut(&(owner.clone(), id.clone()));
                }
                return;
            }
            EntityKind::InstanceProfile => {
                let Some(profile) = self.instance_profiles.get(id).cloned() else { return };
                self.instance_profiles.remove_mut(id);
                self.instance_profile_names.remove_mut(&fold_name(&profile.record.name));
                if let Some(role) = &profile.record.role {
                    self.profiled.remove_mut(&(role.clone(), id.clone()));
                }
                return;
            }
            EntityKind::OidcProvider => {
                let Some(provider) = self.oidc_providers.get(id).cloned() else { return };
                self.oidc_providers.remove_mut(id);
                self.oidc_provider_names.remove_mut(&fold_name(&provider.record.url));
                return;
            }
            EntityKind::SamlProvider => {
                let Some(provider) = self.saml_providers.get(id).cloned() else { return };
                self.saml_providers.remove_mut(id);
                self.saml_provider_names.remove_mut(&fold_name(&provider.record.name));
                return;
            }
        };
        for arn in attached {
            self.attached.remove_mut(&(arn, id.clone()));
        }
        if let Some(arn) = boundary {
            self.bounded.remove_mut(&(arn, id.clone()));
        }
    }
}
