//! Every bound of an input, under AWS's name for it where AWS has one.
//!
//! Sources: "IAM and AWS STS quotas" in the IAM User Guide; the public API models for lengths of
//! members (those live in the generated shape table, not here).

/// Longest ARN that any operation takes.
pub const ARN_LENGTH_MAX: usize = 2048;
/// Longest token daypass makes, and the figure of which `PackedPolicySize` is a percentage.
pub const SESSION_TOKEN_SIZE_MAX: usize = 4096;
/// Managed session policies in one call.
pub const SESSION_POLICY_ARNS_MAX: usize = 10;
/// Plain text of the inline session policy and the ARNs of managed ones together, in characters.
pub const SESSION_POLICY_CHARACTERS_MAX: usize = 2048;
/// Session ids from the root identity down to a session that a token holds, its own included. Chains may be longer.
pub const SESSION_ANCESTRY_MAX: usize = 16;
/// Scope-down policies that GetScopedCredentials adds to a session, one call after the other.
pub const SCOPED_POLICIES_MAX: usize = 3;
/// Tags on an entity or a session (`TagsPerUser`, …).
pub const TAGS_MAX: usize = 50;
/// `PolicySize`: a managed policy version, white space outside strings not counted.
pub const MANAGED_POLICY_SIZE_MAX: usize = 6144;
/// Sum of a user's inline policies.
pub const USER_POLICY_SIZE_MAX: usize = 2048;
/// Sum of a group's inline policies.
pub const GROUP_POLICY_SIZE_MAX: usize = 5120;
/// Sum of a role's inline policies.
pub const ROLE_POLICY_SIZE_MAX: usize = 10_240;
/// Bytes that the policies of one entity have as they were written: inline policies of a user, group or role, versions
/// of a managed policy. Ours: white space counts against no quota of AWS, and a record has to end somewhere.
pub const POLICY_TEXTS_SIZE_MAX: usize = 262_144;
/// `ACLSizePerRole`: the trust policy.
pub const TRUST_POLICY_SIZE_MAX: usize = 2048;
/// `AccessKeysPerUser`.
pub const ACCESS_KEYS_PER_USER_MAX: usize = 2;
/// `MFADevicesPerUser`; the root user has as many.
pub const MFA_DEVICES_PER_USER_MAX: usize = 8;
/// Longest serial number of an MFA device, in characters.
pub const MFA_SERIAL_NUMBER_LENGTH_MAX: usize = 256;
/// `VirtualMFADevicesPerAccount`: as many as users.
pub const MFA_DEVICES_PER_ACCOUNT_MAX: usize = USERS_PER_ACCOUNT_MAX;
/// Earlier passwords of a user that are remembered: the most that `PasswordReusePrevention` can ask for.
pub const EARLIER_PASSWORDS_MAX: usize = 24;
/// `OpenIdConnectProvidersPerAccount`.
pub const OIDC_PROVIDERS_PER_ACCOUNT_MAX: usize = 100;
/// Audiences of one OpenID Connect provider.
pub const OIDC_CLIENT_IDS_MAX: usize = 100;
/// Thumbprints of one OpenID Connect provider.
pub const OIDC_THUMBPRINTS_MAX: usize = 5;
/// `SAMLProvidersPerAccount`.
pub const SAML_PROVIDERS_PER_ACCOUNT_MAX: usize = 100;
/// Metadata of one SAML provider, in bytes. Ours: AWS takes 10,000,000 characters; a request to us has fewer, and so has a
/// record.
pub const SAML_METADATA_BYTES_MAX: usize = 400_000;
/// Private keys of one SAML provider: the one in use, and another while it is being replaced.
pub const SAML_PRIVATE_KEYS_MAX: usize = 2;
/// Bits of a private key that is added to a SAML provider. Ours: what longer ones cost, everybody could have us do.
pub const SAML_PRIVATE_KEY_BITS_MAX: usize = 4096;
/// `GroupsPerUser`.
pub const GROUPS_PER_USER_MAX: usize = 10;
/// `PoliciesPerUser`: managed policies attached.
pub const POLICIES_PER_USER_MAX: usize = 10;
/// `PoliciesPerGroup`.
pub const POLICIES_PER_GROUP_MAX: usize = 10;
/// `PoliciesPerRole`.
pub const POLICIES_PER_ROLE_MAX: usize = 10;
/// Versions of one managed policy.
pub const POLICY_VERSIONS_MAX: usize = 5;
/// `UsersPerAccount`.
pub const USERS_PER_ACCOUNT_MAX: usize = 5000;
/// `GroupsPerAccount`.
pub const GROUPS_PER_ACCOUNT_MAX: usize = 300;
/// `RolesPerAccount`.
pub const ROLES_PER_ACCOUNT_MAX: usize = 1000;
/// Characters of the name of a service (AWSServiceName of CreateServiceLinkedRole).
pub const SERVICE_NAME_LENGTH_MAX: usize = 128;
/// Deletions of service-linked roles that an account keeps for who asks.
pub const SERVICE_ROLE_DELETIONS_KEPT_MAX: usize = 100;
/// Characters of the name of a role.
pub const ROLE_NAME_LENGTH_MAX: usize = 64;
/// Instance profiles in an account.
pub const INSTANCE_PROFILES_PER_ACCOUNT_MAX: usize = 1000;
/// `PoliciesPerAccount`: customer managed policies.
pub const POLICIES_PER_ACCOUNT_MAX: usize = 1500;
/// Resource policies kept for services behind daypass, in one account.
pub const RESOURCE_POLICIES_PER_ACCOUNT_MAX: usize = 10_000;

/// Revocations of sessions in one account, and as many of principals, that may be needed still. Ours.
pub const REVOCATIONS_PER_ACCOUNT_MAX: usize = 10_000;
/// As many more that only the operator may make: whoever fills an account's own is not safe from the operator.
pub const REVOCATIONS_OF_OPERATOR_MAX: usize = 1000;

/// Sessions of the console in one account at once. Ours.
pub const CONSOLE_SESSIONS_PER_ACCOUNT_MAX: usize = 10_000;
/// Of those, sessions of one principal: a user, a federated user, or a role session name of a role. The next one ends the
/// oldest. Ours.
pub const CONSOLE_SESSIONS_PER_OWNER_MAX: usize = 20;

/// Machines of an account (`daypass:RegisterInstance`). Ours.
pub const INSTANCES_PER_ACCOUNT_MAX: usize = 5000;
/// Tasks of one machine (`daypass:RegisterTask`). Ours.
pub const TASKS_PER_INSTANCE_MAX: usize = 200;

/// Kubernetes clusters of an account (`daypass:PutPodIdentityCluster`), as many as AWS has of EKS clusters in a Region.
pub const POD_CLUSTERS_PER_ACCOUNT_MAX: usize = 100;
/// Pod Identity associations of a cluster (Amazon EKS User Guide, "EKS Pod Identity considerations").
pub const POD_ASSOCIATIONS_PER_CLUSTER_MAX: usize = 5000;

/// Request body, in bytes: the largest parameter is a policy of 131,072 characters, form-encoded.
pub const REQUEST_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Request line and headers, in bytes.
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 * 1024;
/// A header field that conditions can ask about (`aws:UserAgent`, `aws:Referer`), in bytes. Ours: what a caller
/// writes there is held against every pattern of every policy in question.
pub const REQUEST_FACT_BYTES_MAX: usize = 4096;
/// Parameters (leaves) of one request.
pub const REQUEST_PARAMETERS_MAX: usize = 2000;
/// Header fields of one request.
pub const REQUEST_HEADERS_MAX: usize = 100;

/// The longest session there is: `GetSessionToken` and `GetFederationToken` by an IAM user, in seconds.
pub const SESSION_SECONDS_MAX: i64 = 129_600;
/// A role session that was asked for with temporary credentials ("role chaining"), in seconds.
pub const CHAINED_SESSION_SECONDS_MAX: i64 = 3600;
/// Sessions that the root user's keys ask for, in seconds; more is cut silently.
pub const ROOT_SESSION_SECONDS_MAX: i64 = 3600;
/// `GetSessionToken` and `GetFederationToken` by an IAM user without DurationSeconds, in seconds.
pub const USER_SESSION_SECONDS_DEFAULT: i64 = 43_200;
/// `AssumeRole` without DurationSeconds, in seconds.
pub const ROLE_SESSION_SECONDS_DEFAULT: i64 = 3600;
/// Claims of a token of `GetWebIdentityToken`, in bytes of JSON: recorded from AWS.
pub const WEB_IDENTITY_CLAIMS_BYTES_MAX: usize = 14_984;
/// `GetWebIdentityToken` without DurationSeconds, in seconds.
pub const WEB_IDENTITY_TOKEN_SECONDS_DEFAULT: i64 = 300;
/// Longest encoded authorization message (AWS STS API Reference, DecodeAuthorizationMessage).
pub const ENCODED_MESSAGE_LENGTH_MAX: usize = 10_240;
