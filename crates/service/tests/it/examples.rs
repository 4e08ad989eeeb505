//! One example of every action: parameters that work in the standard [`World`](crate::world::World), and how
//! a denial names what they ask for.
//!
//! The tests that go over all actions start here, so an action without an example fails them by name.

use std::collections::BTreeSet;

use daypass_service::Error;
use daypass_service::params::{Params, ParamsError};
use serde_json::{Map, Value};

use crate::world::World;

/// Parameters that work.
pub(crate) struct Example {
    /// The signing name.
    pub(crate) service: &'static str,
    /// The operation.
    pub(crate) action: &'static str,
    /// The resource as a denial prints it. Source: messages of AWS IAM; for `daypass` the ARN.
    pub(crate) shown: &'static str,
    given: Given,
}

#[derive(Clone, Copy)]
enum Given {
    Query(&'static [(&'static str, &'static str)]),
    Json(&'static str),
    /// A CheckRequest about a request that the world's administrator signed.
    SignedRequest,
}

use Given::{Json, Query, SignedRequest};

macro_rules! arn {
    ($service:literal, $rest:literal) => {
        concat!("arn:aws:", $service, "::111122223333:", $rest)
    };
}

/// The policy with two versions that user, group and role have attached.
pub(crate) const TOOL: &str = arn!("iam", "policy/team/Tool");
/// The policy that is the boundary of users and roles, and attached to none.
pub(crate) const LIMIT: &str = arn!("iam", "policy/limits/Limit");
/// The policy that nothing uses.
pub(crate) const SPARE: &str = arn!("iam", "policy/team/Spare");
/// The MFA device that is Alice's.
pub(crate) const PHONE: &str = arn!("iam", "mfa/team/Phone");
/// The MFA device that is nobody's.
pub(crate) const SPARE_PHONE: &str = arn!("iam", "mfa/team/Spare");
/// The OpenID Connect provider of the account.
pub(crate) const PROVIDER: &str = arn!("iam", "oidc-provider/oidc.example.com/team");
/// The SAML provider of the account.
pub(crate) const SAML_PROVIDER: &str = arn!("iam", "saml-provider/Corp");
/// The machine of the account, as which nobody joined.
pub(crate) const INSTANCE: &str = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0";
/// The alias of the account.
pub(crate) const ALIAS: &str = "example-corp";
/// The password of Alice, of the caller and of the administrator.
pub(crate) const PASSWORD: &str = "Corr3ct-horse";
/// Another that the account takes.
pub(crate) const OTHER_PASSWORD: &str = "Batt3ry-staple";
/// Metadata of an identity provider, with a certificate made for it.
pub(crate) const METADATA: &str = include_str!("../data/saml-metadata.xml");
/// A private key of an identity provider.
pub(crate) const PRIVATE_KEY: &str =
    include_str!("../../../authn/tests/it/saml/vectors/responses/decryption-key.pem");
/// Another.
pub(crate) const OTHER_PRIVATE_KEY: &str = include_str!("../data/another-private-key.pem");
/// One of 4,104 bits.
pub(crate) const LONG_PRIVATE_KEY: &str = include_str!("../data/long-private-key.pem");
/// The SHA-1 of a certificate.
pub(crate) const THUMBPRINT: &str = "0000000000000000000000000000000000000001";
/// A boundary that nobody has yet.
pub(crate) const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
/// What the world's policies say.
pub(crate) const READ_SHELF: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::shelf/*"}]}"#;
/// What a scope-down policy may say and leave all as it is.
const ALLOW_EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
/// Another text.
pub(crate) const WRITE_SHELF: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::shelf/*"}]}"#;
/// Trusts a service that acts for the account.
pub(crate) const TRUST_SERVICE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"scheduler.internal"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}"#;
/// Trusts the account, so that identity policies decide who assumes the role.
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}"#;

const fn iam(
    action: &'static str,
    shown: &'static str,
    params: &'static [(&'static str, &'static str)],
) -> Example {
    Example { service: "iam", action, shown, given: Query(params) }
}

const fn sts(
    action: &'static str,
    shown: &'static str,
    params: &'static [(&'static str, &'static str)],
) -> Example {
    Example { service: "sts", action, shown, given: Query(params) }
}

const fn daypass(action: &'static str, shown: &'static str, given: Given) -> Example {
    Example { service: "daypass", action, shown, given }
}

const fn anywhere(action: &'static str, shown: &'static str, body: &'static str) -> Example {
    Example { service: "rolesanywhere", action, shown, given: Json(body) }
}

const fn rest(
    service: &'static str,
    action: &'static str,
    shown: &'static str,
    body: &'static str,
) -> Example {
    Example { service, action, shown, given: Json(body) }
}

/// Every action, in the order of the action table.
#[rustfmt::skip]
pub(crate) static EXAMPLES: &[Example] = &[
    sts("AssumeRole", arn!("iam", "role/ci/Build"), &[
        ("RoleArn", arn!("iam", "role/ci/Build")), ("RoleSessionName", "Ada"), ("ExternalId", "ex-1"),
        ("SourceIdentity", "ada"), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"), ("TransitiveTagKeys.member.1", "Cost"),
    ]),
    sts("DecodeAuthorizationMessage", "*", &[("EncodedMessage", "{sealed-message}")]),
    sts("GetAccessKeyInfo", "*", &[("AccessKeyId", "{alice-key}")]),
    sts("GetCallerIdentity", "*", &[]),
    sts("GetFederationToken", arn!("sts", "federated-user/Jill"), &[
        ("Name", "Jill"), ("Policy", READ_SHELF), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    sts("GetScopedCredentials", arn!("sts", "self"), &[
        ("Policy", ALLOW_EVERYTHING), ("DurationSeconds", "600"), ("ScopedSessionDescription", "nightly report"),
    ]),
    sts("GetSessionToken", "*", &[("DurationSeconds", "900")]),
    sts("GetWebIdentityToken", arn!("sts", "self"), &[
        ("Audience.member.1", "https://api.example.com"), ("SigningAlgorithm", "ES384"), ("DurationSeconds", "600"), ("SubjectMode", "AWSIdentity"),
        ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("AddClientIDToOpenIDConnectProvider", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "tool")]),
    iam("AddRoleToInstanceProfile", "instance profile Bare", &[("InstanceProfileName", "Bare"), ("RoleName", "Build")]),
    iam("AddUserToGroup", "group Crew", &[("GroupName", "Crew"), ("UserName", "Plain")]),
    iam("AttachGroupPolicy", "group Crew", &[("GroupName", "Crew"), ("PolicyArn", LIMIT)]),
    iam("AttachRolePolicy", "role Build", &[("RoleName", "Build"), ("PolicyArn", LIMIT)]),
    iam("AttachUserPolicy", "user Alice", &[("UserName", "Alice"), ("PolicyArn", LIMIT)]),
    iam("ChangePassword", "user Caller", &[("OldPassword", PASSWORD), ("NewPassword", OTHER_PASSWORD)]),
    iam("CreateAccessKey", "user Alice", &[("UserName", "Alice")]),
    iam("CreateAccountAlias", "*", &[("AccountAlias", "fresh-corp")]),
    iam("CreateGroup", arn!("iam", "group/new/Fresh"), &[("GroupName", "Fresh"), ("Path", "/new/")]),
    iam("CreateInstanceProfile", arn!("iam", "instance-profile/new/Fresh"), &[("InstanceProfileName", "Fresh"), ("Path", "/new/"), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("CreateLoginProfile", "user Doomed", &[("UserName", "Doomed"), ("Password", OTHER_PASSWORD), ("PasswordResetRequired", "true")]),
    iam("CreateOpenIDConnectProvider", arn!("iam", "oidc-provider/fresh.example.com/id/1"), &[
        ("Url", "https://fresh.example.com/id/1"), ("ClientIDList.member.1", "app"), ("ThumbprintList.member.1", THUMBPRINT), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("CreatePolicy", "policy Fresh", &[
        ("PolicyName", "Fresh"), ("Path", "/new/"), ("PolicyDocument", READ_SHELF), ("Description", "fresh"),
        ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("CreatePolicyVersion", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL), ("PolicyDocument", WRITE_SHELF), ("SetAsDefault", "true")]),
    iam("CreateRole", arn!("iam", "role/new/Fresh"), &[
        ("RoleName", "Fresh"), ("Path", "/new/"), ("AssumeRolePolicyDocument", TRUST), ("Description", "fresh"), ("MaxSessionDuration", "7200"),
        ("PermissionsBoundary", READ_ONLY), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("CreateSAMLProvider", arn!("iam", "saml-provider/Fresh"), &[
        ("Name", "Fresh"), ("SAMLMetadataDocument", METADATA), ("AddPrivateKey", PRIVATE_KEY), ("AssertionEncryptionMode", "Required"),
        ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("CreateServiceLinkedRole", arn!("iam", "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_blue"), &[
        ("AWSServiceName", "autoscaling.amazonaws.com"), ("CustomSuffix", "blue"), ("Description", "scales"),
    ]),
    iam("CreateUser", arn!("iam", "user/new/Fresh"), &[
        ("UserName", "Fresh"), ("Path", "/new/"), ("PermissionsBoundary", READ_ONLY), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("CreateVirtualMFADevice", arn!("iam", "mfa/new/Fresh"), &[
        ("VirtualMFADeviceName", "Fresh"), ("Path", "/new/"), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1"),
    ]),
    iam("DeactivateMFADevice", "user Alice", &[("UserName", "Alice"), ("SerialNumber", PHONE)]),
    iam("DeleteAccessKey", "user Alice", &[("UserName", "Alice"), ("AccessKeyId", "{alice-key}")]),
    iam("DeleteAccountAlias", "*", &[("AccountAlias", ALIAS)]),
    iam("DeleteAccountPasswordPolicy", "*", &[]),
    iam("DeleteGroup", "group Empty", &[("GroupName", "Empty")]),
    iam("DeleteGroupPolicy", "group Crew", &[("GroupName", "Crew"), ("PolicyName", "own")]),
    iam("DeleteInstanceProfile", "instance profile Bare", &[("InstanceProfileName", "Bare")]),
    iam("DeleteLoginProfile", "user Alice", &[("UserName", "Alice")]),
    iam("DeleteOpenIDConnectProvider", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER)]),
    iam("DeletePolicy", arn!("iam", "policy/team/Spare"), &[("PolicyArn", SPARE)]),
    iam("DeletePolicyVersion", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL), ("VersionId", "v2")]),
    iam("DeleteRole", "role Doomed", &[("RoleName", "Doomed")]),
    iam("DeleteRolePermissionsBoundary", "role Build", &[("RoleName", "Build")]),
    iam("DeleteRolePolicy", "role Build", &[("RoleName", "Build"), ("PolicyName", "own")]),
    iam("DeleteSAMLProvider", SAML_PROVIDER, &[("SAMLProviderArn", SAML_PROVIDER)]),
    iam("DeleteServiceLinkedRole", "role AWSServiceRoleForBatch", &[("RoleName", "AWSServiceRoleForBatch")]),
    iam("DeleteUser", "user Doomed", &[("UserName", "Doomed")]),
    iam("DeleteUserPermissionsBoundary", "user Alice", &[("UserName", "Alice")]),
    iam("DeleteUserPolicy", "user Alice", &[("UserName", "Alice"), ("PolicyName", "own")]),
    iam("DeleteVirtualMFADevice", SPARE_PHONE, &[("SerialNumber", SPARE_PHONE)]),
    iam("DetachGroupPolicy", "group Crew", &[("GroupName", "Crew"), ("PolicyArn", TOOL)]),
    iam("DetachRolePolicy", "role Build", &[("RoleName", "Build"), ("PolicyArn", TOOL)]),
    iam("DetachUserPolicy", "user Alice", &[("UserName", "Alice"), ("PolicyArn", TOOL)]),
    iam("DisableOutboundWebIdentityFederation", "*", &[]),
    iam("EnableMFADevice", "user Alice", &[
        ("UserName", "Alice"), ("SerialNumber", SPARE_PHONE), ("AuthenticationCode1", "{spare-code-1}"), ("AuthenticationCode2", "{spare-code-2}"),
    ]),
    iam("EnableOutboundWebIdentityFederation", "*", &[]),
    iam("GetAccessKeyLastUsed", "access key {alice-key}", &[("AccessKeyId", "{alice-key}")]),
    iam("GetAccountPasswordPolicy", "*", &[]),
    iam("GetContextKeysForCustomPolicy", "*", &[("PolicyInputList.member.1", READ_SHELF)]),
    iam("GetContextKeysForPrincipalPolicy", arn!("iam", "user/div/Alice"), &[("PolicySourceArn", arn!("iam", "user/div/Alice"))]),
    iam("GetGroup", "group Crew", &[("GroupName", "Crew")]),
    iam("GetGroupPolicy", "group Crew", &[("GroupName", "Crew"), ("PolicyName", "own")]),
    iam("GetInstanceProfile", "instance profile Web", &[("InstanceProfileName", "Web")]),
    iam("GetLoginProfile", "user Alice", &[("UserName", "Alice")]),
    iam("GetMFADevice", "user Alice", &[("UserName", "Alice"), ("SerialNumber", PHONE)]),
    iam("GetOpenIDConnectProvider", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER)]),
    iam("GetOutboundWebIdentityFederationInfo", "*", &[]),
    iam("GetPolicy", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL)]),
    iam("GetPolicyVersion", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL), ("VersionId", "v2")]),
    iam("GetRole", "role Build", &[("RoleName", "Build")]),
    iam("GetRolePolicy", "role Build", &[("RoleName", "Build"), ("PolicyName", "own")]),
    iam("GetSAMLProvider", SAML_PROVIDER, &[("SAMLProviderArn", SAML_PROVIDER)]),
    iam("GetServiceLinkedRoleDeletionStatus", arn!("iam", "role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"), &[
        ("DeletionTaskId", "{deletion-task}"),
    ]),
    iam("GetUser", "user Alice", &[("UserName", "Alice")]),
    iam("GetUserPolicy", "user Alice", &[("UserName", "Alice"), ("PolicyName", "own")]),
    iam("ListAccessKeys", "user Alice", &[("UserName", "Alice")]),
    iam("ListAccountAliases", "*", &[]),
    iam("ListAttachedGroupPolicies", "group Crew", &[("GroupName", "Crew")]),
    iam("ListAttachedRolePolicies", "role Build", &[("RoleName", "Build")]),
    iam("ListAttachedUserPolicies", "user Alice", &[("UserName", "Alice")]),
    iam("ListEntitiesForPolicy", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL)]),
    iam("ListGroupPolicies", "group Crew", &[("GroupName", "Crew")]),
    iam("ListGroups", arn!("iam", "group/"), &[]),
    iam("ListGroupsForUser", "user Alice", &[("UserName", "Alice")]),
    iam("ListInstanceProfileTags", "instance profile Web", &[("InstanceProfileName", "Web")]),
    iam("ListInstanceProfiles", arn!("iam", "instance-profile/"), &[]),
    iam("ListInstanceProfilesForRole", "role Build", &[("RoleName", "Build")]),
    iam("ListMFADeviceTags", PHONE, &[("SerialNumber", PHONE)]),
    iam("ListMFADevices", "user Alice", &[("UserName", "Alice")]),
    iam("ListOpenIDConnectProviderTags", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER)]),
    iam("ListOpenIDConnectProviders", arn!("iam", "oidc-provider/"), &[]),
    iam("ListPolicies", "policy path /", &[("Scope", "Local")]),
    iam("ListPolicyTags", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL)]),
    iam("ListPolicyVersions", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL)]),
    iam("ListRolePolicies", "role Build", &[("RoleName", "Build")]),
    iam("ListRoleTags", "role Build", &[("RoleName", "Build")]),
    iam("ListRoles", arn!("iam", "role/"), &[]),
    iam("ListSAMLProviderTags", SAML_PROVIDER, &[("SAMLProviderArn", SAML_PROVIDER)]),
    iam("ListSAMLProviders", arn!("iam", "saml-provider/"), &[]),
    iam("ListUserPolicies", "user Alice", &[("UserName", "Alice")]),
    iam("ListUserTags", "user Alice", &[("UserName", "Alice")]),
    iam("ListUsers", arn!("iam", "user/"), &[]),
    iam("ListVirtualMFADevices", arn!("iam", "mfa/"), &[]),
    iam("PutGroupPolicy", "group Crew", &[("GroupName", "Crew"), ("PolicyName", "new"), ("PolicyDocument", WRITE_SHELF)]),
    iam("PutRolePermissionsBoundary", "role Build", &[("RoleName", "Build"), ("PermissionsBoundary", READ_ONLY)]),
    iam("PutRolePolicy", "role Build", &[("RoleName", "Build"), ("PolicyName", "new"), ("PolicyDocument", WRITE_SHELF)]),
    iam("PutUserPermissionsBoundary", "user Alice", &[("UserName", "Alice"), ("PermissionsBoundary", READ_ONLY)]),
    iam("PutUserPolicy", "user Alice", &[("UserName", "Alice"), ("PolicyName", "new"), ("PolicyDocument", WRITE_SHELF)]),
    iam("RemoveClientIDFromOpenIDConnectProvider", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER), ("ClientID", "app")]),
    iam("RemoveRoleFromInstanceProfile", "instance profile Web", &[("InstanceProfileName", "Web"), ("RoleName", "Build")]),
    iam("RemoveUserFromGroup", "group Crew", &[("GroupName", "Crew"), ("UserName", "Alice")]),
    iam("ResyncMFADevice", "user Alice", &[
        ("UserName", "Alice"), ("SerialNumber", PHONE), ("AuthenticationCode1", "{phone-code-1}"), ("AuthenticationCode2", "{phone-code-2}"),
    ]),
    iam("SetDefaultPolicyVersion", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL), ("VersionId", "v2")]),
    iam("SimulateCustomPolicy", "*", &[("PolicyInputList.member.1", READ_SHELF), ("ActionNames.member.1", "s3:GetObject"), ("ResourceArns.member.1", "arn:aws:s3:::shelf/a")]),
    iam("SimulatePrincipalPolicy", arn!("iam", "user/div/Alice"), &[("PolicySourceArn", arn!("iam", "user/div/Alice")), ("ActionNames.member.1", "s3:GetObject"), ("ResourceArns.member.1", "arn:aws:s3:::shelf/a")]),
    iam("TagInstanceProfile", "instance profile Web", &[("InstanceProfileName", "Web"), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("TagMFADevice", PHONE, &[("SerialNumber", PHONE), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("TagOpenIDConnectProvider", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("TagPolicy", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("TagRole", "role Build", &[("RoleName", "Build"), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("TagSAMLProvider", SAML_PROVIDER, &[("SAMLProviderArn", SAML_PROVIDER), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("TagUser", "user Alice", &[("UserName", "Alice"), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "1")]),
    iam("UntagInstanceProfile", "instance profile Web", &[("InstanceProfileName", "Web"), ("TagKeys.member.1", "Team")]),
    iam("UntagMFADevice", PHONE, &[("SerialNumber", PHONE), ("TagKeys.member.1", "Team")]),
    iam("UntagOpenIDConnectProvider", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER), ("TagKeys.member.1", "Team")]),
    iam("UntagPolicy", arn!("iam", "policy/team/Tool"), &[("PolicyArn", TOOL), ("TagKeys.member.1", "Team")]),
    iam("UntagRole", "role Build", &[("RoleName", "Build"), ("TagKeys.member.1", "Team")]),
    iam("UntagSAMLProvider", SAML_PROVIDER, &[("SAMLProviderArn", SAML_PROVIDER), ("TagKeys.member.1", "Team")]),
    iam("UntagUser", "user Alice", &[("UserName", "Alice"), ("TagKeys.member.1", "Team")]),
    iam("UpdateAccessKey", "user Alice", &[("UserName", "Alice"), ("AccessKeyId", "{alice-key}"), ("Status", "Inactive")]),
    iam("UpdateAccountPasswordPolicy", "*", &[
        ("MinimumPasswordLength", "12"), ("RequireSymbols", "true"), ("RequireNumbers", "true"), ("RequireUppercaseCharacters", "true"),
        ("RequireLowercaseCharacters", "true"), ("MaxPasswordAge", "90"), ("PasswordReusePrevention", "24"), ("HardExpiry", "true"),
    ]),
    iam("UpdateAssumeRolePolicy", "role Build", &[("RoleName", "Build"), ("PolicyDocument", TRUST)]),
    iam("UpdateGroup", "group Crew", &[("GroupName", "Crew"), ("NewPath", "/crews/"), ("NewGroupName", "Hands")]),
    iam("UpdateLoginProfile", "user Alice", &[("UserName", "Alice"), ("Password", OTHER_PASSWORD), ("PasswordResetRequired", "true")]),
    iam("UpdateOpenIDConnectProviderThumbprint", PROVIDER, &[("OpenIDConnectProviderArn", PROVIDER), ("ThumbprintList.member.1", THUMBPRINT)]),
    iam("UpdateRole", "role Build", &[("RoleName", "Build"), ("Description", "builds"), ("MaxSessionDuration", "7200")]),
    iam("UpdateRoleDescription", "role Build", &[("RoleName", "Build"), ("Description", "builds")]),
    iam("UpdateSAMLProvider", SAML_PROVIDER, &[("SAMLProviderArn", SAML_PROVIDER), ("SAMLMetadataDocument", METADATA)]),
    iam("UpdateUser", "user Alice", &[("UserName", "Alice"), ("NewPath", "/people/"), ("NewUserName", "Alicia")]),
    daypass("AssumeRoleForService", arn!("daypass", "service/scheduler.internal"), Json(
        r#"{"ServiceName":"scheduler.internal","RoleArn":"arn:aws:iam::111122223333:role/Nightly","RoleSessionName":"job-7","SourceAccount":"111122223333","SourceArn":"arn:aws:scheduler:eu-west-1:111122223333:job/7","SourceIdentity":"ada","Tags":[{"Key":"Cost","Value":"1"}],"TransitiveTagKeys":["Cost"]}"#,
    )),
    daypass("CheckRequest", "arn:aws:s3:::shelf/a.txt", SignedRequest),
    daypass("DeletePodIdentityCluster", "arn:aws:eks:eu-west-1:111122223333:cluster/empty", Json(r#"{"ClusterName":"empty"}"#)),
    daypass("DeleteResourcePolicy", "arn:aws:s3:::shelf", Json(r#"{"ResourceArn":"arn:aws:s3:::shelf"}"#)),
    daypass("DeregisterInstance", INSTANCE, Json(r#"{"InstanceId":"i-0123456789abcdef0"}"#)),
    daypass("DeregisterTask", INSTANCE, Json(r#"{"TaskId":"{task}"}"#)),
    daypass("ExplainRequest", "*", Json(r#"{"RequestId":"{this-request}"}"#)),
    daypass("GetPodIdentityCluster", "arn:aws:eks:eu-west-1:111122223333:cluster/blue", Json(r#"{"ClusterName":"blue"}"#)),
    daypass("GetOpenIDConnectProviderSettings", PROVIDER, Json(
        r#"{"OpenIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com/team"}"#,
    )),
    daypass("GetResourcePolicy", "arn:aws:s3:::shelf", Json(r#"{"ResourceArn":"arn:aws:s3:::shelf"}"#)),
    daypass("GetSessionChain", arn!("daypass", "session/{session}"), Json(r#"{"SessionId":"{session}"}"#)),
    daypass("ListInstances", "*", Json("{}")),
    daypass("ListPodIdentityClusters", "*", Json("{}")),
    daypass("ListResourcePolicies", "*", Json("{}")),
    daypass("ListSessions", "*", Json(r#"{"SessionName":"Night"}"#)),
    daypass("ListTasks", "*", Json(r#"{"InstanceId":"i-0123456789abcdef0"}"#)),
    daypass("PutPodIdentityCluster", "arn:aws:eks:eu-west-1:111122223333:cluster/fresh", Json(r#"{"ClusterName":"fresh","OpenIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com/team","Region":"eu-west-1"}"#)),
    daypass("PutOpenIDConnectProviderSettings", PROVIDER, Json(
        r#"{"OpenIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com/team","Algorithms":["PS256"],"ConditionClaims":["groups"]}"#,
    )),
    daypass("PutResourcePolicy", arn!("sqs", "jobs"), Json(
        r#"{"ResourceArn":"arn:aws:sqs::111122223333:jobs","Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}]}"}"#,
    )),
    daypass("RegisterInstance", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a0b0c0d0e0f01234", Json(
        r#"{"InstanceProfileName":"Web","InstanceId":"i-0a0b0c0d0e0f01234","Region":"eu-west-1","JoinSecretSeconds":600}"#,
    )),
    daypass("RegisterTask", INSTANCE, Json(
        r#"{"InstanceId":"i-0123456789abcdef0","RoleArn":"arn:aws:iam::111122223333:role/ci/Build"}"#,
    )),
    daypass("RenewJoinSecret", INSTANCE, Json(r#"{"InstanceId":"i-0123456789abcdef0"}"#)),
    daypass("RevokeSession", arn!("daypass", "session/{session}"), Json(r#"{"SessionId":"{session}","IncludeIssued":true}"#)),
    daypass("ValidatePolicy", "*", Json(
        r#"{"PolicyKind":"inline","PolicyDocument":"{\"Version\":\"2012-10-17\",\n \"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\",\"Resource\":\"*\"}]}"}"#,
    )),
    rest("eks", "CreatePodIdentityAssociation", "arn:aws:eks:eu-west-1:111122223333:cluster/blue", r#"{"clusterName":"blue","namespace":"shop","serviceAccount":"fresh","roleArn":"arn:aws:iam::111122223333:role/ci/Build","clientRequestToken":"once","tags":{"Cost":"1"},"disableSessionTags":true,"targetRoleArn":"arn:aws:iam::444455556666:role/Depot","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::shelf/*\"}]}"}"#),
    rest("eks", "DeletePodIdentityAssociation", "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}", r#"{"clusterName":"blue","associationId":"{association}"}"#),
    rest("eks", "DescribePodIdentityAssociation", "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}", r#"{"clusterName":"blue","associationId":"{association}"}"#),
    rest("eks", "ListPodIdentityAssociations", "arn:aws:eks:eu-west-1:111122223333:cluster/blue", r#"{"clusterName":"blue","namespace":"shop","serviceAccount":"till"}"#),
    rest("eks", "ListTagsForResource", "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}", r#"{"resourceArn":"arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}"}"#),
    rest("eks", "TagResource", "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}", r#"{"resourceArn":"arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}","tags":{"Cost":"1"}}"#),
    rest("eks", "UntagResource", "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}", r#"{"resourceArn":"arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}","tagKeys":["Cost"]}"#),
    rest("eks", "UpdatePodIdentityAssociation", "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/{association}", r#"{"clusterName":"blue","associationId":"{association}","roleArn":"arn:aws:iam::111122223333:role/ci/Build","clientRequestToken":"once","disableSessionTags":true,"targetRoleArn":"arn:aws:iam::444455556666:role/Depot","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::shelf/*\"}]}"}"#),
    rest("eks-auth", "AssumeRoleForPodIdentity", "arn:aws:eks:eu-west-1:111122223333:cluster/blue", r#"{"clusterName":"blue","token":"{pod-token}","eksNodeName":"node-1","instanceId":"i-0123456789abcdef0","zone":"euw1-az1"}"#),
    anywhere("CreateProfile", "*", r#"{"name":"Fresh","roleArns":["arn:aws:iam::111122223333:role/ci/Build"],"sessionPolicy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::shelf/*\"}]}","managedPolicyArns":["arn:aws:iam::aws:policy/ReadOnlyAccess"],"durationSeconds":7200,"requireInstanceProperties":true,"acceptRoleSessionName":true,"enabled":true}"#),
    anywhere("CreateTrustAnchor", "*", r#"{"name":"Fresh CA","source":{"sourceType":"CERTIFICATE_BUNDLE","sourceData":{"x509CertificateData":"{root-pem}"}},"enabled":true}"#),
    anywhere("DeleteAttributeMapping", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}","certificateField":"x509SAN"}"#),
    anywhere("DeleteCrl", "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/{crl}", r#"{"crlId":"{crl}"}"#),
    anywhere("DeleteProfile", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}"}"#),
    anywhere("DeleteTrustAnchor", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"trustAnchorId":"{anchor}"}"#),
    anywhere("DisableCrl", "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/{crl}", r#"{"crlId":"{crl}"}"#),
    anywhere("DisableProfile", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}"}"#),
    anywhere("DisableTrustAnchor", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"trustAnchorId":"{anchor}"}"#),
    anywhere("EnableCrl", "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/{crl}", r#"{"crlId":"{crl}"}"#),
    anywhere("EnableProfile", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}"}"#),
    anywhere("EnableTrustAnchor", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"trustAnchorId":"{anchor}"}"#),
    anywhere("GetCrl", "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/{crl}", r#"{"crlId":"{crl}"}"#),
    anywhere("GetProfile", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}"}"#),
    anywhere("GetSubject", "arn:aws:rolesanywhere:eu-west-1:111122223333:subject/{subject}", r#"{"subjectId":"{subject}"}"#),
    anywhere("GetTrustAnchor", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"trustAnchorId":"{anchor}"}"#),
    anywhere("ImportCrl", "*", r#"{"name":"Fresh","crlData":"{crl-data}","trustAnchorArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}","enabled":true}"#),
    anywhere("ListCrls", "*", r#"{}"#),
    anywhere("ListProfiles", "*", r#"{}"#),
    anywhere("ListSubjects", "*", r#"{}"#),
    anywhere("ListTagsForResource", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"resourceArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}"}"#),
    anywhere("ListTrustAnchors", "*", r#"{}"#),
    anywhere("PutAttributeMapping", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}","certificateField":"x509SAN","mappingRules":[{"specifier":"DNS"},{"specifier":"Name/*"}]}"#),
    anywhere("TagResource", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"resourceArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}","tags":[{"key":"Cost","value":"1"}]}"#),
    anywhere("UntagResource", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"resourceArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}","tagKeys":["Cost"]}"#),
    anywhere("UpdateCrl", "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/{crl}", r#"{"crlId":"{crl}","name":"Next","crlData":"{crl-data}"}"#),
    anywhere("UpdateProfile", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}", r#"{"profileId":"{profile}","name":"Next","roleArns":["arn:aws:iam::111122223333:role/ci/Build"],"sessionPolicy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::shelf/*\"}]}","durationSeconds":900,"acceptRoleSessionName":true}"#),
    anywhere("UpdateTrustAnchor", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}", r#"{"trustAnchorId":"{anchor}","name":"Next","source":{"sourceType":"CERTIFICATE_BUNDLE","sourceData":{"x509CertificateData":"{root-pem}"}}}"#),
];

impl Example {
    /// The example of an action.
    pub(crate) fn of(service: &str, action: &str) -> &'static Self {
        EXAMPLES.iter().find(|example| example.name() == (service, action)).expect("an example")
    }

    /// Service and operation.
    pub(crate) fn name(&self) -> (&'static str, &'static str) {
        (self.service, self.action)
    }

    /// `iam:CreateUser`
    pub(crate) fn permission(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }

    /// How a denial names the resource.
    pub(crate) fn shown(&self, world: &World) -> String {
        let by_arn = self.shown.starts_with("arn:aws:iam::111122223333:policy/");
        let shown = world.fill(self.shown);
        if by_arn { format!("policy {shown}") } else { shown }
    }

    /// The parameters of a Query action, with the names that only the world knows filled in.
    pub(crate) fn pairs(&self, world: &World) -> Option<Vec<(String, String)>> {
        let Query(pairs) = self.given else { return None };
        Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), world.fill(value))).collect())
    }

    /// The parameters as the pipeline takes them.
    pub(crate) fn params(&self, world: &World) -> Result<Params, Error> {
        self.params_with(world, &Map::new())
    }

    /// The same with some of them set, or left out (`null`). In JSON a dot in the name leads into a structure.
    pub(crate) fn params_with(&self, world: &World, change: &Map<String, Value>) -> Result<Params, Error> {
        let params = match self.given {
            Query(_) => {
                let mut pairs = self.pairs(world).unwrap();
                pairs.retain(|(name, _)| !change.contains_key(name));
                let texts = change
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
                pairs.extend(texts);
                Params::from_pairs(pairs)
            }
            Json(text) => json_with(serde_json::from_str(&world.fill(text)).unwrap(), change),
            SignedRequest => json_with(world.signed_request(), change),
        };
        params.map_err(|error| Error::new(error.code(), error.to_string()))
    }
}

/// Actions that nobody signs. A signature beside them proves nothing, and does no harm.
#[rustfmt::skip]
pub(crate) static UNSIGNED: &[Example] = &[
    daypass("GetInstanceCredentials", INSTANCE, Json(
        r#"{"InstanceArn":"arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0","RoleDelivery":"2.0","Proof":"none"}"#,
    )),
    daypass("GetInstanceMetadata", INSTANCE, Json(
        r#"{"InstanceArn":"arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0","Proof":"none"}"#,
    )),
    daypass("GetTaskCredentials", INSTANCE, Json(
        r#"{"InstanceArn":"arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0","TaskId":"{task}","AuthorizationToken":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","Proof":"none"}"#,
    )),
    daypass("JoinInstance", INSTANCE, Json(
        r#"{"InstanceArn":"arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0","PublicKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","JoinSecret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","Proof":"none"}"#,
    )),
    sts("AssumeRoleWithSAML", arn!("iam", "role/Reader"), &[
        ("RoleArn", arn!("iam", "role/Reader")), ("PrincipalArn", SAML_PROVIDER), ("SAMLAssertion", "{assertion}"),
    ]),
    sts("AssumeRoleWithWebIdentity", arn!("iam", "role/ci/Build"), &[
        ("RoleArn", arn!("iam", "role/ci/Build")), ("RoleSessionName", "Ada"), ("WebIdentityToken", "{id-token}"),
    ]),
    anywhere("CreateSession", arn!("iam", "role/ci/Build"), r#"{"profileArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:profile/{profile}","roleArn":"arn:aws:iam::111122223333:role/ci/Build","trustAnchorArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/{anchor}"}"#),
];

fn json_with(mut body: Value, change: &Map<String, Value>) -> Result<Params, ParamsError> {
    for (name, value) in change {
        let (outside, member) = name.rsplit_once('.').unwrap_or(("", name));
        let structure = outside.split_terminator('.').fold(&mut body, |inside, name| &mut inside[name]);
        structure.as_object_mut().unwrap().retain(|known, _| known != member);
        if !value.is_null() {
            structure[member] = value.clone();
        }
    }
    Params::from_json(body.to_string().as_bytes())
}

#[test]
fn every_action_has_exactly_one_example() {
    for (examples, unsigned) in [(EXAMPLES, false), (UNSIGNED, true)] {
        let rows = daypass_service::actions::all().filter(|row| row.is_unsigned() == unsigned);
        let table: BTreeSet<_> = rows.map(|row| row.name).collect();
        let named: BTreeSet<_> = examples.iter().map(Example::name).collect();
        let without: Vec<_> = table.difference(&named).collect();
        assert!(without.is_empty(), "write an example for {without:?}");
        let unknown: Vec<_> = named.difference(&table).collect();
        assert!(unknown.is_empty(), "no such action: {unknown:?}");
        assert_eq!(examples.len(), table.len(), "an action has two examples");
    }
}
