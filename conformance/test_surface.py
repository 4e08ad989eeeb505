"""Every operation of botocore's STS and IAM models works, or says plainly that it is not here.

AWS source: the API models that botocore ships, the ones every SDK is generated from.
"""

import functools
import types

import botocore.session
import pytest

from support.client import allow, name, refused, trust
from support.server import actions
from support.signing import VERSIONS, Request

STS = """
AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetFederationToken GetScopedCredentials
GetSessionToken GetWebIdentityToken
"""
# Nobody signs these: an identity provider vouches for whoever calls.
UNSIGNED = {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}
# Of features that no account has enabled: refused whoever asks.
NOT_ENABLED = {"AssumeRoot", "GetDelegatedAccessToken"}
IAM = """
CreateUser GetUser UpdateUser DeleteUser ListUsers TagUser UntagUser ListUserTags
CreateGroup GetGroup UpdateGroup DeleteGroup ListGroups AddUserToGroup RemoveUserFromGroup ListGroupsForUser
CreateRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole ListRoles
TagRole UntagRole ListRoleTags
CreateServiceLinkedRole DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus
CreateInstanceProfile GetInstanceProfile DeleteInstanceProfile ListInstanceProfiles ListInstanceProfilesForRole
AddRoleToInstanceProfile RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile ListInstanceProfileTags
PutUserPermissionsBoundary DeleteUserPermissionsBoundary PutRolePermissionsBoundary DeleteRolePermissionsBoundary
CreatePolicy GetPolicy DeletePolicy ListPolicies CreatePolicyVersion GetPolicyVersion ListPolicyVersions
SetDefaultPolicyVersion DeletePolicyVersion TagPolicy UntagPolicy ListPolicyTags ListEntitiesForPolicy
AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies PutUserPolicy GetUserPolicy DeleteUserPolicy ListUserPolicies
AttachGroupPolicy DetachGroupPolicy ListAttachedGroupPolicies
PutGroupPolicy GetGroupPolicy DeleteGroupPolicy ListGroupPolicies
AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies
CreateAccessKey UpdateAccessKey DeleteAccessKey ListAccessKeys GetAccessKeyLastUsed
SimulateCustomPolicy SimulatePrincipalPolicy GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy
CreateVirtualMFADevice EnableMFADevice ResyncMFADevice DeactivateMFADevice DeleteVirtualMFADevice GetMFADevice
ListMFADevices ListVirtualMFADevices TagMFADevice UntagMFADevice ListMFADeviceTags
CreateOpenIDConnectProvider GetOpenIDConnectProvider DeleteOpenIDConnectProvider ListOpenIDConnectProviders
AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint
TagOpenIDConnectProvider UntagOpenIDConnectProvider ListOpenIDConnectProviderTags
CreateSAMLProvider GetSAMLProvider UpdateSAMLProvider DeleteSAMLProvider ListSAMLProviders
TagSAMLProvider UntagSAMLProvider ListSAMLProviderTags
CreateLoginProfile GetLoginProfile UpdateLoginProfile DeleteLoginProfile ChangePassword
GetAccountPasswordPolicy UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy
CreateAccountAlias ListAccountAliases DeleteAccountAlias
EnableOutboundWebIdentityFederation DisableOutboundWebIdentityFederation GetOutboundWebIdentityFederationInfo
"""
DAYPASS = """
AssumeRoleForService CheckRequest DeleteResourcePolicy GetOpenIDConnectProviderSettings PutOpenIDConnectProviderSettings GetResourcePolicy ListResourcePolicies PutResourcePolicy
GetSessionChain ListSessions RevokeSession ExplainRequest ValidatePolicy
RegisterInstance ListInstances RenewJoinSecret DeregisterInstance RegisterTask ListTasks DeregisterTask
JoinInstance GetInstanceMetadata GetInstanceCredentials GetTaskCredentials
PutPodIdentityCluster GetPodIdentityCluster ListPodIdentityClusters DeletePodIdentityCluster
"""
# Roles of pods: test_pod_identity.py calls these.
EKS = """
CreatePodIdentityAssociation DescribePodIdentityAssociation ListPodIdentityAssociations UpdatePodIdentityAssociation
DeletePodIdentityAssociation TagResource UntagResource ListTagsForResource
"""
# Certificates instead of keys: test_roles_anywhere.py calls these.
ANYWHERE = """
CreateSession CreateTrustAnchor GetTrustAnchor UpdateTrustAnchor DeleteTrustAnchor EnableTrustAnchor DisableTrustAnchor ListTrustAnchors
CreateProfile GetProfile UpdateProfile DeleteProfile EnableProfile DisableProfile ListProfiles
PutAttributeMapping DeleteAttributeMapping ImportCrl GetCrl UpdateCrl DeleteCrl EnableCrl DisableCrl ListCrls
GetSubject ListSubjects TagResource UntagResource ListTagsForResource
"""
HERE = {
    "sts": set(STS.split()),
    "iam": set(IAM.split()),
    "daypass": set(DAYPASS.split()),
    "eks": set(EKS.split()),
    "eks-auth": {"AssumeRoleForPodIdentity"},
    "rolesanywhere": set(ANYWHERE.split()),
}


@functools.cache
def model(service):
    return botocore.session.get_session().get_service_model(service)


OPERATIONS = [(service, operation) for service in ("sts", "iam") for operation in model(service).operation_names]


def test_binary_names_exactly_what_is_here():
    assert actions() == HERE


def test_models_are_the_ones_the_sheet_counts():
    assert len(OPERATIONS) == 12 + 181


# --- inputs made from the model -------------------------------------------------------------------------

KNOWN = {
    "PolicyDocument": allow("s3:*"),
    "Policy": allow("s3:*"),
    "RoleSessionName": "session",
    "UserName": "surface-missing",
    "RoleName": "surface-missing",
    "GroupName": "surface-missing",
    "AccessKeyId": "AKIA2222222222222222",
    "Status": "Active",
    "VersionId": "v1",
    "DurationSeconds": 900,
    "Url": "https://issuer.example.test",
    "SigningAlgorithm": "ES384",
    "AuthenticationCode1": "123456",
    "AuthenticationCode2": "123456",
}


def example(member, shape, who):
    """A value that satisfies the shape."""
    if member == "RoleArn":
        return who.role
    if shape.type_name == "string" and (member.endswith(("Arn", "PermissionsBoundary")) or member == "arn"):
        return f"arn:aws:iam::{who.id}:policy/surface-missing"
    if member == "AssumeRolePolicyDocument":
        return trust(who.id)
    if member in KNOWN:
        return KNOWN[member]
    kind = shape.type_name
    if kind == "structure":
        required = shape.required_members
        # PolicyArns and TaskPolicyArn name their one member in lower case and do not require it.
        return {known: example(known, shape.members[known], who) for known in required or ["arn"] if known in shape.members}
    if kind == "list":
        return [example(member.rstrip("s"), shape.member, who)]
    if kind == "map":
        return {"key": example("value", shape.value, who)}
    if kind in ("integer", "long"):
        return max(shape.metadata.get("min", 1), 1)
    if kind == "boolean":
        return True
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return "x1" * max(1, (shape.metadata.get("min", 1) + 1) // 2)


def call(house, who, service, operation, **more):
    """Calls with every required parameter; the error, or None."""
    shape = model(service).operation_model(operation).input_shape
    parameters = {}
    if shape is not None:
        parameters = {known: example(known, shape.members[known], who) for known in shape.required_members}
    if operation == "GetAccessKeyInfo":
        parameters["AccessKeyId"] = who.keys.id
    if operation == "CreateLoginProfile":
        # Required but in a session of AssumeRoot.
        parameters["Password"] = "x1"
    client = house.client(service, who.keys, lax=True)
    method = next(known for known, wanted in client.meta.method_to_api_mapping.items() if wanted == operation)
    try:
        getattr(client, method)(**{**parameters, **more})
    except client.exceptions.ClientError as error:
        answer = error.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] < 500, answer
        return answer["Error"]
    return None


def person(home, *policies):
    """A user of the account, with what `example` needs to know."""
    user = home.user(*policies, prefix="surface")
    role = home.role(trust(home.root_arn, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]))
    return types.SimpleNamespace(keys=user.keys, iam=user.iam, id=home.id, role=role["Arn"])


@pytest.fixture(scope="module")
def worker(home):
    """A user who may do everything."""
    return person(home, allow("*"))


@pytest.fixture(scope="module")
def nobody(home):
    """A user who may do nothing."""
    return person(home)


@pytest.mark.parametrize("service,operation", OPERATIONS)
def test_operation_works_or_is_not_here(house, worker, service, operation):
    error = call(house, worker, service, operation)
    if operation in HERE[service]:
        # Whatever else such a call is told, the operation is known and its parameters are readable.
        code = error and error["Code"]
        assert code not in ("InvalidAction", "InternalFailure", "MalformedInput", "ValidationError"), error
    elif operation in NOT_ENABLED:
        assert error["Code"] == "AccessDenied" and f"perform: {service}:{operation} on" in error["Message"], error
    else:
        text = f"Could not find operation {operation} for version {VERSIONS[service]}"
        assert (error["Code"], error["Message"]) == ("InvalidAction", text)


@pytest.mark.parametrize("service,operation", OPERATIONS)
def test_operation_is_closed_to_strangers(server, service, operation):
    answer = Request.action(server.host, operation, service).send()
    if operation in UNSIGNED:
        assert (answer.status, answer.code) == (400, "ValidationError")
    elif operation in HERE[service] or operation in NOT_ENABLED:
        assert (answer.status, answer.code) == (403, "MissingAuthenticationToken")
    else:
        assert (answer.status, answer.code) == (400, "InvalidAction")


NEED_NOTHING = {"GetCallerIdentity", "GetSessionToken"}


@pytest.mark.parametrize("service,operation", [row for row in OPERATIONS if row[1] in HERE[row[0]]])
def test_operation_is_closed_to_users_without_a_grant(house, nobody, service, operation):
    error = call(house, nobody, service, operation)
    if operation in NEED_NOTHING:
        assert error is None
    elif operation in UNSIGNED:
        assert error["Code"] == "InvalidIdentityToken", error
    elif operation == "GetScopedCredentials":
        # Long-term keys are none that it takes; test_sessions.py asks with others.
        assert error["Code"] == "InvalidSubjectCredentials", error
    else:
        assert error["Code"] == "AccessDenied", error
        assert f"is not authorized to perform: {service}:" in error["Message"]


def optional_parameters():
    for service, operation in OPERATIONS:
        shape = model(service).operation_model(operation).input_shape
        if operation in HERE[service] and shape is not None:
            for member in shape.members:
                if member not in shape.required_members:
                    yield service, operation, member


@pytest.mark.parametrize("service,operation,member", sorted(optional_parameters()))
def test_no_parameter_of_the_model_is_unknown(house, worker, service, operation, member):
    """Each is honoured, or refused by name; a name that nobody knows would be told so."""
    shape = model(service).operation_model(operation).input_shape.members[member]
    error = call(house, worker, service, operation, **{member: example(member, shape, worker)})
    if error is not None:
        assert error["Code"] not in ("InvalidAction", "InternalFailure", "MalformedInput"), error
        if error["Code"] == "ValidationError":
            # Refused because it is not built yet (which names it), or because the value means nothing here.
            assert member.lower() in error["Message"].lower() or "Marker" in error["Message"], error


def test_writes_that_nobody_may_do_leave_nothing(home, nobody):
    wanted = name("nothing")
    with refused("AccessDenied"):
        nobody.iam.create_user(UserName=wanted)
    with refused("NoSuchEntity"):
        home.iam.get_user(UserName=wanted)
