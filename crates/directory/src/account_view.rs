//! One account, as the calls of its own principals see it. Nothing here leads to another
//! (INVARIANT (account-isolation)).

use std::collections::HashSet;
use std::sync::Arc;

use daypass_model::{AccountId, Arn, UniqueId, fold_name};
use daypass_policy::Named;

use crate::account::Account;
use crate::entity::{
    AccountAlias, AccountEntity, Group, InstanceProfile, LoginProfile, ManagedPolicy, MfaDevice, NamedPolicy,
    OidcProvider, PasswordPolicy, ResourcePolicy, Role, SamlProvider, User, WebIdentityIssuer,
};
use crate::managed;
use crate::record::KeyOwner;
use crate::service_role::ServiceRoleDeletions;

/// What is known of one account.
#[derive(Clone, Copy)]
pub struct AccountView<'v> {
    pub(crate) id: AccountId,
    pub(crate) account: &'v Account,
}

/// A role that a caller may assume if the role's trust policy says so, in whatever account.
#[derive(Clone, Copy)]
pub struct TrustingRole<'v> {
    /// The role.
    pub role: &'v Arc<Role>,
    pub(crate) account: AccountView<'v>,
}

impl<'v> TrustingRole<'v> {
    /// A managed policy by its exact ARN, of the role's account or of AWS: what may limit a session of the role.
    #[must_use]
    pub fn policy(&self, arn: &str) -> Option<AnyPolicy<'v>> {
        self.account.policy(arn)
    }
}

/// A managed policy: a customer's or one of AWS's.
#[derive(Clone, Copy)]
pub enum AnyPolicy<'v> {
    /// Made in this account.
    Customer(&'v Arc<ManagedPolicy>),
    /// `arn:aws:iam::aws:policy/…`
    Aws(&'static managed::AwsPolicy),
}

impl<'v> AccountView<'v> {
    /// The account number.
    #[must_use]
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// The account's own record and root user.
    #[must_use]
    pub fn root(&self) -> Option<&'v Arc<AccountEntity>> {
        self.account.root.as_ref()
    }

    /// A user by name, ignoring case.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&'v Arc<User>> {
        self.account.users.get(self.account.user_names.get(&fold_name(name))?)
    }

    /// A user by unique id.
    #[must_use]
    pub fn user_by_id(&self, id: &UniqueId) -> Option<&'v Arc<User>> {
        self.account.users.get(id)
    }

    /// The unique id of the user or role that has this very ARN now, or the account's number for its root user: what
    /// sessions of theirs say.
    #[must_use]
    pub fn principal_id(&self, arn: &str) -> Option<String> {
        if arn == self.id.root_arn() {
            return Some(self.id.to_string());
        }
        let parsed: Arn = arn.parse().ok()?;
        let (kind, rest) = parsed.resource_parts()?;
        let name = rest.rsplit('/').next()?;
        let (id, stored) = match kind {
            "user" => self.user(name).map(|user| (&user.record.id, &user.arn))?,
            "role" => self.role(name).map(|role| (&role.record.id, &role.arn))?,
            _ => return None,
        };
        (stored == arn).then(|| id.to_string())
    }

    /// A group by name, ignoring case.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&'v Arc<Group>> {
        self.account.groups.get(self.account.group_names.get(&fold_name(name))?)
    }

    /// A group by unique id.
    #[must_use]
    pub fn group_by_id(&self, id: &UniqueId) -> Option<&'v Arc<Group>> {
        self.account.groups.get(id)
    }

    /// A role by name, ignoring case.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&'v Arc<Role>> {
        self.account.roles.get(self.account.role_names.get(&fold_name(name))?)
    }

    /// A role by unique id.
    #[must_use]
    pub fn role_by_id(&self, id: &UniqueId) -> Option<&'v Arc<Role>> {
        self.account.roles.get(id)
    }

    /// An instance profile by name, ignoring case.
    #[must_use]
    pub fn instance_profile(&self, name: &str) -> Option<&'v Arc<InstanceProfile>> {
        self.account.instance_profiles.get(self.account.instance_profile_names.get(&fold_name(name))?)
    }

    /// An instance profile by its exact ARN.
    #[must_use]
    pub fn instance_profile_at(&self, arn: &str) -> Option<&'v Arc<InstanceProfile>> {
        self.instance_profile(arn.rsplit('/').next()?).filter(|profile| profile.arn == arn)
    }

    /// An instance profile by unique id.
    #[must_use]
    pub fn instance_profile_by_id(&self, id: &UniqueId) -> Option<&'v Arc<InstanceProfile>> {
        self.account.instance_profiles.get(id)
    }

    /// All instance profiles, by name.
    pub fn instance_profiles(&self) -> impl Iterator<Item = &'v Arc<InstanceProfile>> + use<'v> {
        let account = self.account;
        account.instance_profile_names.values().filter_map(|id| account.instance_profiles.get(id))
    }

    /// How many instance profiles there are.
    #[must_use]
    pub fn instance_profile_count(&self) -> usize {
        self.account.instance_profiles.size()
    }

    /// The instance profiles that a role is in, in no particular order.
    pub fn profiles_of_role(
        &self,
        role: &UniqueId,
    ) -> impl Iterator<Item = &'v Arc<InstanceProfile>> + use<'v> {
        let (account, role) = (self.account, role.clone());
        let from = (role.clone(), UniqueId::from(String::new()));
        let links = account.profiled.range(from..).take_while(move |(of, _)| *of == role);
        links.filter_map(|(_, profile)| account.instance_profiles.get(profile))
    }

    /// A customer managed policy by name, ignoring case.
    #[must_use]
    pub fn policy_by_name(&self, name: &str) -> Option<&'v Arc<ManagedPolicy>> {
        self.account.policies.get(self.account.policy_names.get(&fold_name(name))?)
    }

    /// A managed policy by its exact ARN: of this account or of AWS.
    #[must_use]
    pub fn policy(&self, arn: &str) -> Option<AnyPolicy<'v>> {
        if let Some(aws) = managed::find(arn) {
            return Some(AnyPolicy::Aws(aws));
        }
        let name = arn.rsplit('/').next()?;
        self.policy_by_name(name).filter(|policy| &*policy.arn == arn).map(AnyPolicy::Customer)
    }

    /// A managed policy by unique id: of this account or of AWS.
    #[must_use]
    pub fn policy_by_id(&self, id: &UniqueId) -> Option<AnyPolicy<'v>> {
        if let Some(aws) = managed::AWS_POLICIES.iter().find(|policy| policy.id == id.as_str()) {
            return Some(AnyPolicy::Aws(aws));
        }
        self.account.policies.get(id).map(AnyPolicy::Customer)
    }

    /// All users, by name.
    pub fn users(&self) -> impl Iterator<Item = &'v Arc<User>> + use<'v> {
        let account = self.account;
        account.user_names.values().filter_map(|id| account.users.get(id))
    }

    /// All groups, by name.
    pub fn groups(&self) -> impl Iterator<Item = &'v Arc<Group>> + use<'v> {
        let account = self.account;
        account.group_names.values().filter_map(|id| account.groups.get(id))
    }

    /// All roles, by name.
    pub fn roles(&self) -> impl Iterator<Item = &'v Arc<Role>> + use<'v> {
        let account = self.account;
        account.role_names.values().filter_map(|id| account.roles.get(id))
    }

    /// All customer managed policies, by name.
    pub fn policies(&self) -> impl Iterator<Item = &'v Arc<ManagedPolicy>> + use<'v> {
        let account = self.account;
        account.policy_names.values().filter_map(|id| account.policies.get(id))
    }

    /// How many users there are.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.account.users.size()
    }

    /// How many groups there are.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.account.groups.size()
    }

    /// How many roles there are.
    #[must_use]
    pub fn role_count(&self) -> usize {
        self.account.roles.size()
    }

    /// How many customer managed policies there are.
    #[must_use]
    pub fn policy_count(&self) -> usize {
        self.account.policies.size()
    }

    /// The members of a group, by id.
    pub fn members(&self, group: &UniqueId) -> impl Iterator<Item = &'v Arc<User>> + use<'v> {
        let (account, group) = (self.account, group.clone());
        let from = (group.clone(), UniqueId::from(String::new()));
        account
            .members
            .range(from..)
            .take_while(move |(g, _)| *g == group)
            .filter_map(|(_, user)| account.users.get(user))
    }

    /// The ids of the entities that a managed policy is attached to.
    pub fn attached_to(&self, policy_arn: &str) -> impl Iterator<Item = &'v UniqueId> + use<'v> {
        linked(&self.account.attached, policy_arn)
    }

    /// The ids of the entities whose boundary a managed policy is.
    pub fn boundary_of(&self, policy_arn: &str) -> impl Iterator<Item = &'v UniqueId> + use<'v> {
        linked(&self.account.bounded, policy_arn)
    }

    /// An MFA device by its exact serial number.
    #[must_use]
    pub fn mfa_device(&self, serial_number: &str) -> Option<&'v Arc<MfaDevice>> {
        let claim = serial_number.strip_prefix(&format!("arn:aws:iam::{}:mfa", self.id))?;
        self.mfa_device_claimed(claim).filter(|device| device.arn == serial_number)
    }

    /// The MFA device of this path and name, ignoring case.
    #[must_use]
    pub fn mfa_device_claimed(&self, path_and_name: &str) -> Option<&'v Arc<MfaDevice>> {
        let id = self.account.mfa_device_names.get(&fold_name(path_and_name))?;
        self.account.mfa_devices.get(id)
    }

    /// All MFA devices, by path and name.
    pub fn mfa_devices(&self) -> impl Iterator<Item = &'v Arc<MfaDevice>> + use<'v> {
        let account = self.account;
        account.mfa_device_names.values().filter_map(|id| account.mfa_devices.get(id))
    }

    /// How many MFA devices there are.
    #[must_use]
    pub fn mfa_device_count(&self) -> usize {
        self.account.mfa_devices.size()
    }

    /// The MFA devices of a user or of root, by id.
    pub fn mfa_devices_of(&self, owner: &KeyOwner) -> impl Iterator<Item = &'v Arc<MfaDevice>> + use<'v> {
        let (account, owner) = (self.account, owner.clone());
        let from = (owner.clone(), UniqueId::from(String::new()));
        account
            .assigned
            .range(from..)
            .take_while(move |(of, _)| *of == owner)
            .filter_map(|(_, device)| account.mfa_devices.get(device))
    }

    /// An OpenID Connect provider by its exact ARN.
    #[must_use]
    pub fn oidc_provider(&self, arn: &str) -> Option<&'v Arc<OidcProvider>> {
        let url = arn.strip_prefix(&format!("arn:aws:iam::{}:oidc-provider/", self.id))?;
        self.oidc_provider_at(url).filter(|provider| provider.arn == arn)
    }

    /// An OpenID Connect provider by unique id.
    #[must_use]
    pub fn oidc_provider_by_id(&self, id: &UniqueId) -> Option<&'v Arc<OidcProvider>> {
        self.account.oidc_providers.get(id)
    }

    /// The OpenID Connect provider at this URL without its scheme, ignoring case.
    #[must_use]
    pub fn oidc_provider_at(&self, url: &str) -> Option<&'v Arc<OidcProvider>> {
        self.account.oidc_providers.get(self.account.oidc_provider_names.get(&fold_name(url))?)
    }

    /// The OpenID Connect provider whose tokens name this issuer, to the letter.
    #[must_use]
    pub fn oidc_provider_of(&self, issuer: &str) -> Option<&'v Arc<OidcProvider>> {
        let (_, url) = issuer.split_once("://")?;
        self.oidc_provider_at(url).filter(|provider| provider.record.issuer() == issuer)
    }

    /// All OpenID Connect providers, by URL.
    pub fn oidc_providers(&self) -> impl Iterator<Item = &'v Arc<OidcProvider>> + use<'v> {
        let account = self.account;
        account.oidc_provider_names.values().filter_map(|id| account.oidc_providers.get(id))
    }

    /// How many OpenID Connect providers there are.
    #[must_use]
    pub fn oidc_provider_count(&self) -> usize {
        self.account.oidc_providers.size()
    }

    /// A SAML provider by its exact ARN.
    #[must_use]
    pub fn saml_provider(&self, arn: &str) -> Option<&'v Arc<SamlProvider>> {
        let name = arn.strip_prefix(&format!("arn:aws:iam::{}:saml-provider/", self.id))?;
        self.saml_provider_named(name).filter(|provider| provider.arn == arn)
    }

    /// The SAML provider of this name, ignoring case.
    #[must_use]
    pub fn saml_provider_named(&self, name: &str) -> Option<&'v Arc<SamlProvider>> {
        self.account.saml_providers.get(self.account.saml_provider_names.get(&fold_name(name))?)
    }

    /// The SAML provider with this id.
    pub(crate) fn saml_provider_by_id(&self, id: &UniqueId) -> Option<&'v Arc<SamlProvider>> {
        self.account.saml_providers.get(id)
    }

    /// All SAML providers, by name.
    pub fn saml_providers(&self) -> impl Iterator<Item = &'v Arc<SamlProvider>> + use<'v> {
        let account = self.account;
        account.saml_provider_names.values().filter_map(|id| account.saml_providers.get(id))
    }

    /// How many SAML providers there are.
    #[must_use]
    pub fn saml_provider_count(&self) -> usize {
        self.account.saml_providers.size()
    }

    /// As whom the account's tokens are issued, once that was decided.
    #[must_use]
    pub fn web_identity_issuer(&self) -> Option<&'v Arc<WebIdentityIssuer>> {
        self.account.web_identity_issuer.as_ref()
    }

    /// The password of a user, by the user's unique id.
    #[must_use]
    pub fn login_profile(&self, user: &UniqueId) -> Option<&'v Arc<LoginProfile>> {
        self.account.login_profiles.get(user)
    }

    /// What passwords must be like, where the account says so itself.
    #[must_use]
    pub fn password_policy(&self) -> Option<&'v Arc<PasswordPolicy>> {
        self.account.password_policy.as_ref()
    }

    /// Which service-linked roles were deleted lately.
    pub(crate) fn service_role_deletions(&self) -> Option<&'v Arc<ServiceRoleDeletions>> {
        self.account.service_role_deletions.as_ref()
    }

    /// The other name of the account.
    #[must_use]
    pub fn alias(&self) -> Option<&'v Arc<AccountAlias>> {
        self.account.alias.as_ref()
    }

    /// The policy of a resource, by its exact ARN.
    #[must_use]
    pub fn resource_policy(&self, arn: &str) -> Option<&'v Arc<ResourcePolicy>> {
        self.account.resource_policies.get(arn)
    }

    /// All resource policies, by ARN.
    pub fn resource_policies(&self) -> impl Iterator<Item = &'v Arc<ResourcePolicy>> + use<'v> {
        self.account.resource_policies.values()
    }

    /// Everything that grants to a user: its own policies and its groups'.
    pub(crate) fn policies_of_user(self, user: &'v User) -> Vec<Named<'v>> {
        let own = (&user.inline, &user.record.attached);
        let groups = user.record.groups.iter().filter_map(|id| self.group_by_id(id));
        let groups = groups.map(|group| (&group.inline, &group.record.attached));
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for (inline, attached) in std::iter::once(own).chain(groups) {
            all.extend(inline.iter().map(NamedPolicy::named));
            // What is attached to the user and to groups of it counts once.
            let attached = attached.iter().filter(|arn| seen.insert(arn.as_str()));
            all.extend(attached.filter_map(|arn| self.policy(arn)?.named()));
        }
        all
    }

    /// Everything that grants to a role.
    pub(crate) fn policies_of_role(self, role: &'v Role) -> Vec<Named<'v>> {
        role.inline.iter().map(NamedPolicy::named).chain(self.managed(&role.record.attached)).collect()
    }

    /// Managed policies by ARN, in the version that is the default now; one that is gone grants nothing.
    pub(crate) fn managed(self, arns: &[String]) -> impl Iterator<Item = Named<'v>> {
        arns.iter().filter_map(move |arn| self.policy(arn)?.named())
    }
}

impl<'v> AnyPolicy<'v> {
    /// The default version under the policy's ARN.
    pub(crate) fn named(self) -> Option<Named<'v>> {
        match self {
            Self::Customer(policy) => Some(Named { id: &policy.arn, policy: &policy.default }),
            Self::Aws(policy) => policy.named(),
        }
    }

    /// The policy's unique id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Customer(policy) => policy.record.id.as_str(),
            Self::Aws(policy) => policy.id,
        }
    }

    /// The policy's ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        match self {
            Self::Customer(policy) => &policy.arn,
            Self::Aws(policy) => policy.arn,
        }
    }

    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Customer(policy) => &policy.record.name,
            Self::Aws(policy) => policy.name,
        }
    }

    /// The policy's path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Customer(policy) => &policy.record.path,
            Self::Aws(policy) => policy.path,
        }
    }
}

fn linked<'v>(
    set: &'v rpds::RedBlackTreeSetSync<(String, UniqueId)>,
    arn: &str,
) -> impl Iterator<Item = &'v UniqueId> + use<'v> {
    let arn = arn.to_owned();
    let from = (arn.clone(), UniqueId::from(String::new()));
    set.range(from..).take_while(move |(a, _)| *a == arn).map(|(_, id)| id)
}
