"""The AWS CLI, unmodified, does every STS, IAM and daypass action that is here.

One walk through the life of everything, since each command costs a process.
"""

import json
import os

import pytest
from botocore import xform_name

from support.anywhere import authority
from support.client import SAML_METADATA, allow, name, policy, statement, trust
from support.phone import Phone
from support.server import Keys, actions
from support.signing import Request


def command(action):
    """`CreateUser` as the AWS CLI spells it: `create-user`."""
    return xform_name(action, "-")


class Walk:
    """Calls the CLI as the root user and remembers which actions it did."""

    def __init__(self, aws, keys):
        self.aws, self.keys, self.done = aws, keys, set()

    def __call__(self, service, action, keys=None, **parameters):
        arguments = [service, command(action)]
        for known, value in parameters.items():
            arguments.append("--" + command(known))
            if isinstance(value, (list, dict)):
                value = json.dumps(value)
            if value is not True:
                arguments.append(str(value))
        self.done.add((service, action))
        return self.aws(*arguments, keys=keys or self.keys)


@pytest.fixture
def walk(aws, home):
    return Walk(aws, home.keys)


TAG = [{"Key": "Team", "Value": "blue"}]
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


def users(walk, home):
    user = name("cli")
    assert walk("iam", "CreateUser", UserName=user, Path="/cli/")["User"]["UserName"] == user
    renamed = name("cli")
    walk("iam", "UpdateUser", UserName=user, NewUserName=renamed)
    assert walk("iam", "GetUser", UserName=renamed)["User"]["Path"] == "/cli/"
    assert [row["UserName"] for row in walk("iam", "ListUsers", PathPrefix="/cli/")["Users"]] == [renamed]
    walk("iam", "TagUser", UserName=renamed, Tags=TAG)
    assert walk("iam", "ListUserTags", UserName=renamed)["Tags"] == TAG
    walk("iam", "UntagUser", UserName=renamed, TagKeys="Team")
    walk("iam", "PutUserPermissionsBoundary", UserName=renamed, PermissionsBoundary=BOUNDARY)
    walk("iam", "DeleteUserPermissionsBoundary", UserName=renamed)
    key = walk("iam", "CreateAccessKey", UserName=renamed)["AccessKey"]["AccessKeyId"]
    walk("iam", "UpdateAccessKey", UserName=renamed, AccessKeyId=key, Status="Inactive")
    assert walk("iam", "ListAccessKeys", UserName=renamed)["AccessKeyMetadata"][0]["Status"] == "Inactive"
    assert walk("iam", "GetAccessKeyLastUsed", AccessKeyId=key)["UserName"] == renamed
    walk("iam", "DeleteAccessKey", UserName=renamed, AccessKeyId=key)
    return renamed


def devices(walk, user, folder):
    seed = folder / "seed"
    made = {"VirtualMFADeviceName": name("cli"), "Outfile": seed, "BootstrapMethod": "Base32StringSeed"}
    serial = walk("iam", "CreateVirtualMFADevice", **made)["VirtualMFADevice"]["SerialNumber"]
    phone = Phone(serial, seed.read_text(encoding="ascii"))
    walk("iam", "TagMFADevice", SerialNumber=serial, Tags=TAG)
    assert walk("iam", "ListMFADeviceTags", SerialNumber=serial)["Tags"] == TAG
    walk("iam", "UntagMFADevice", SerialNumber=serial, TagKeys="Team")
    walk("iam", "EnableMFADevice", UserName=user, SerialNumber=serial, **phone.pair(-2))
    walk("iam", "ResyncMFADevice", UserName=user, SerialNumber=serial, **phone.pair())
    assert walk("iam", "ListMFADevices", UserName=user)["MFADevices"][0]["SerialNumber"] == serial
    assert walk("iam", "GetMFADevice", UserName=user, SerialNumber=serial)["UserName"] == user
    assert walk("iam", "ListVirtualMFADevices", AssignmentStatus="Assigned")["VirtualMFADevices"]
    walk("iam", "DeactivateMFADevice", UserName=user, SerialNumber=serial)
    walk("iam", "DeleteVirtualMFADevice", SerialNumber=serial)


def providers(walk):
    url = f"https://{name('cli')}.example.com"
    made = walk("iam", "CreateOpenIDConnectProvider", Url=url, ClientIDList=["app"], ThumbprintList=["a" * 40])
    arn = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    walk("iam", "AddClientIDToOpenIDConnectProvider", **arn, ClientID="other")
    walk("iam", "RemoveClientIDFromOpenIDConnectProvider", **arn, ClientID="app")
    walk("iam", "UpdateOpenIDConnectProviderThumbprint", **arn, ThumbprintList=["b" * 40])
    walk("iam", "TagOpenIDConnectProvider", **arn, Tags=TAG)
    assert walk("iam", "ListOpenIDConnectProviderTags", **arn)["Tags"] == TAG
    walk("iam", "UntagOpenIDConnectProvider", **arn, TagKeys="Team")
    shown = walk("iam", "GetOpenIDConnectProvider", **arn)
    assert (shown["ClientIDList"], shown["ThumbprintList"]) == (["other"], ["b" * 40])
    listed = walk("iam", "ListOpenIDConnectProviders")["OpenIDConnectProviderList"]
    assert arn["OpenIDConnectProviderArn"] in [row["Arn"] for row in listed]
    walk("daypass", "PutOpenIDConnectProviderSettings", **arn, Algorithms=["PS256"], ConditionClaims=["groups"])
    assert walk("daypass", "GetOpenIDConnectProviderSettings", **arn)["ConditionClaims"] == ["groups"]
    walk("iam", "DeleteOpenIDConnectProvider", **arn)


def saml_providers(walk):
    metadata = SAML_METADATA.read_text()
    made = walk("iam", "CreateSAMLProvider", Name=name("cli"), SAMLMetadataDocument=metadata)
    arn = {"SAMLProviderArn": made["SAMLProviderArn"]}
    walk("iam", "UpdateSAMLProvider", **arn, SAMLMetadataDocument=metadata, AssertionEncryptionMode="Allowed")
    walk("iam", "TagSAMLProvider", **arn, Tags=TAG)
    assert walk("iam", "ListSAMLProviderTags", **arn)["Tags"] == TAG
    walk("iam", "UntagSAMLProvider", **arn, TagKeys="Team")
    shown = walk("iam", "GetSAMLProvider", **arn)
    assert (shown["SAMLMetadataDocument"], shown["Tags"], shown["PrivateKeyList"]) == (metadata, [], [])
    listed = walk("iam", "ListSAMLProviders")["SAMLProviderList"]
    assert arn["SAMLProviderArn"] in [row["Arn"] for row in listed]
    walk("iam", "DeleteSAMLProvider", **arn)


def passwords(walk, user):
    first, second = (f"{letter}{name()}-{name()}-{name()}-1X" for letter in "aB")
    policy = {"MinimumPasswordLength": 14, "RequireNumbers": True, "PasswordReusePrevention": 5}
    walk("iam", "UpdateAccountPasswordPolicy", **policy)
    assert walk("iam", "GetAccountPasswordPolicy")["PasswordPolicy"]["PasswordReusePrevention"] == 5
    made = walk("iam", "CreateLoginProfile", UserName=user, Password=first, PasswordResetRequired=True)
    assert made["LoginProfile"]["PasswordResetRequired"] is True
    key = walk("iam", "CreateAccessKey", UserName=user)["AccessKey"]
    walk("iam", "PutUserPolicy", UserName=user, PolicyName="own", PolicyDocument=allow("iam:ChangePassword"))
    own = Keys(key["AccessKeyId"], key["SecretAccessKey"])
    walk("iam", "ChangePassword", keys=own, OldPassword=first, NewPassword=second)
    assert walk("iam", "GetLoginProfile", UserName=user)["LoginProfile"]["PasswordResetRequired"] is False
    walk("iam", "UpdateLoginProfile", UserName=user, PasswordResetRequired=True)
    walk("iam", "DeleteLoginProfile", UserName=user)
    walk("iam", "DeleteAccessKey", UserName=user, AccessKeyId=own.id)
    walk("iam", "DeleteUserPolicy", UserName=user, PolicyName="own")
    walk("iam", "DeleteAccountPasswordPolicy")
    alias = name("cli").lower()
    walk("iam", "CreateAccountAlias", AccountAlias=alias)
    assert walk("iam", "ListAccountAliases")["AccountAliases"] == [alias]
    walk("iam", "DeleteAccountAlias", AccountAlias=alias)


def groups(walk, user):
    group = name("cli")
    walk("iam", "CreateGroup", GroupName=group, Path="/cli/")
    renamed = name("cli")
    walk("iam", "UpdateGroup", GroupName=group, NewGroupName=renamed)
    walk("iam", "AddUserToGroup", GroupName=renamed, UserName=user)
    assert walk("iam", "GetGroup", GroupName=renamed)["Users"][0]["UserName"] == user
    assert walk("iam", "ListGroupsForUser", UserName=user)["Groups"][0]["GroupName"] == renamed
    assert walk("iam", "ListGroups", PathPrefix="/cli/")["Groups"]
    walk("iam", "RemoveUserFromGroup", GroupName=renamed, UserName=user)
    return renamed


def services(walk, admin):
    role = walk("iam", "CreateServiceLinkedRole", AWSServiceName="scheduler.internal", CustomSuffix="cli")["Role"]
    asked = {"ServiceName": "scheduler.internal", "RoleArn": role["Arn"], "RoleSessionName": "job"}
    given = walk("daypass", "AssumeRoleForService", keys=admin.keys, **asked, SourceAccount=role["Arn"].split(":")[4])
    who = walk("sts", "GetCallerIdentity", keys=Keys.of(given["Credentials"]))
    assert who["Arn"] == given["AssumedRoleUser"]["Arn"]
    task = walk("iam", "DeleteServiceLinkedRole", RoleName=role["RoleName"])["DeletionTaskId"]
    assert walk("iam", "GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)["Status"] == "SUCCEEDED"


def roles_anywhere(walk, home):
    service, root = "rolesanywhere", authority(name("CA"))
    trusted = {"Service": "rolesanywhere.amazonaws.com"}
    role = home.role(trust(trusted, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]), prefix="anywhere")["Arn"]
    source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": root.pem}}
    anchor = walk(service, "CreateTrustAnchor", name="cli", source=source)["trustAnchor"]
    profile = walk(service, "CreateProfile", name="cli", roleArns=[role])["profile"]
    lists = {"name": "cli", "trustAnchorArn": anchor["trustAnchorArn"]}
    data = root.revoke(7)
    crl = walk(service, "ImportCrl", crlData=data if isinstance(data, str) else data.decode(), **lists)["crl"]
    for kind, made in (("TrustAnchor", anchor), ("Profile", profile), ("Crl", crl)):
        member = kind[0].lower() + kind[1:]
        which = {f"{member}Id": made[f"{member}Id"]}
        assert walk(service, f"Enable{kind}", **which)[member]["enabled"] is True
        assert walk(service, f"Disable{kind}", **which)[member]["enabled"] is False
        assert walk(service, f"Update{kind}", **which, name="cli2")[member]["name"] == "cli2"
        assert walk(service, f"Get{kind}", **which)[member]["name"] == "cli2"
        assert which[f"{member}Id"] in [row[f"{member}Id"] for row in walk(service, f"List{kind}s")[f"{member}s"]]
    mapping = {"profileId": profile["profileId"], "certificateField": "x509Subject"}
    walk(service, "PutAttributeMapping", **mapping, mappingRules=[{"specifier": "CN"}])
    walk(service, "DeleteAttributeMapping", **mapping)
    arn = anchor["trustAnchorArn"]
    walk(service, "TagResource", resourceArn=arn, tags=[{"key": "Team", "value": "cli"}])
    assert walk(service, "ListTagsForResource", resourceArn=arn)["tags"] == [{"key": "Team", "value": "cli"}]
    walk(service, "UntagResource", resourceArn=arn, tagKeys=["Team"])
    for kind, made in (("Crl", crl), ("Profile", profile), ("TrustAnchor", anchor)):
        member = kind[0].lower() + kind[1:]
        walk(service, f"Delete{kind}", **{f"{member}Id": made[f"{member}Id"]})
    assert "subjects" in walk(service, "ListSubjects")


def pods(walk, home):
    role = home.role(trust({"Service": "pods.eks.amazonaws.com"}, ["sts:AssumeRole", "sts:TagSession"]), prefix="pod")["Arn"]
    # Nobody answers there: no token is verified here.
    url = f"https://{name('cluster')}.example.com"
    provider = home.iam.create_open_id_connect_provider(Url=url)["OpenIDConnectProviderArn"]
    cluster = name("cli")
    made = walk("daypass", "PutPodIdentityCluster", ClusterName=cluster, OpenIDConnectProviderArn=provider)["Cluster"]
    assert made["ClusterArn"] in [row["ClusterArn"] for row in walk("daypass", "ListPodIdentityClusters")["Clusters"]]
    which = {"clusterName": cluster, "namespace": "shop", "serviceAccount": "till"}
    association = walk("eks", "CreatePodIdentityAssociation", **which, roleArn=role)["association"]
    one = {"clusterName": cluster, "associationId": association["associationId"]}
    assert walk("eks", "DescribePodIdentityAssociation", **one)["association"]["roleArn"] == role
    assert walk("eks", "UpdatePodIdentityAssociation", **one, disableSessionTags=True)["association"]["disableSessionTags"] is True
    assert len(walk("eks", "ListPodIdentityAssociations", clusterName=cluster)["associations"]) == 1
    assert walk("daypass", "GetPodIdentityCluster", ClusterName=cluster)["Cluster"]["AssociationCount"] == 1
    arn = association["associationArn"]
    walk("eks", "TagResource", resourceArn=arn, tags={"Team": "cli"})
    assert walk("eks", "ListTagsForResource", resourceArn=arn)["tags"] == {"Team": "cli"}
    walk("eks", "UntagResource", resourceArn=arn, tagKeys=["Team"])
    walk("eks", "DeletePodIdentityAssociation", **one)
    walk("daypass", "DeletePodIdentityCluster", ClusterName=cluster)
    home.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)


def instance_profiles(walk, role):
    profile = name("cli")
    tags = [{"Key": "Team", "Value": "cli"}]
    walk("iam", "CreateInstanceProfile", InstanceProfileName=profile, Path="/cli/")
    walk("iam", "TagInstanceProfile", InstanceProfileName=profile, Tags=tags)
    assert walk("iam", "ListInstanceProfileTags", InstanceProfileName=profile)["Tags"] == tags
    walk("iam", "UntagInstanceProfile", InstanceProfileName=profile, TagKeys=["Team"])
    walk("iam", "AddRoleToInstanceProfile", InstanceProfileName=profile, RoleName=role)
    found = walk("iam", "GetInstanceProfile", InstanceProfileName=profile)["InstanceProfile"]
    assert [row["RoleName"] for row in found["Roles"]] == [role] and found["Tags"] == []
    listed = walk("iam", "ListInstanceProfilesForRole", RoleName=role)["InstanceProfiles"]
    assert listed == walk("iam", "ListInstanceProfiles", PathPrefix="/cli/")["InstanceProfiles"]
    machines(walk, profile, found["Roles"][0]["Arn"])
    walk("iam", "RemoveRoleFromInstanceProfile", InstanceProfileName=profile, RoleName=role)
    walk("iam", "DeleteInstanceProfile", InstanceProfileName=profile)


def machines(walk, profile, role_arn):
    made = walk("daypass", "RegisterInstance", InstanceProfileName=profile, Region="eu-central-1")
    instance = made["InstanceId"]
    listed = [row for row in walk("daypass", "ListInstances")["Instances"] if row["InstanceId"] == instance]
    assert listed[0]["InstanceArn"] == made["InstanceArn"] and "JoinedDate" not in listed[0]
    assert walk("daypass", "RenewJoinSecret", InstanceId=instance)["JoinSecret"] != made["JoinSecret"]
    task = walk("daypass", "RegisterTask", InstanceId=instance, RoleArn=role_arn)
    assert task["RelativeUri"] == f"/v2/credentials/{task['TaskId']}"
    assert [row["RoleArn"] for row in walk("daypass", "ListTasks", InstanceId=instance)["Tasks"]] == [role_arn]
    walk("daypass", "DeregisterTask", TaskId=task["TaskId"])
    walk("daypass", "DeregisterInstance", InstanceId=instance)


def roles(walk, home):
    role = name("cli")
    walk("iam", "CreateRole", RoleName=role, Path="/cli/", AssumeRolePolicyDocument=trust(home.root_arn))
    walk("iam", "UpdateRole", RoleName=role, MaxSessionDuration=7200)
    walk("iam", "UpdateRoleDescription", RoleName=role, Description="by the CLI")
    found = walk("iam", "GetRole", RoleName=role)["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("by the CLI", 7200)
    assert walk("iam", "ListRoles", PathPrefix="/cli/")["Roles"]
    walk("iam", "UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=trust(home.id))
    walk("iam", "TagRole", RoleName=role, Tags=TAG)
    assert walk("iam", "ListRoleTags", RoleName=role)["Tags"] == TAG
    walk("iam", "UntagRole", RoleName=role, TagKeys="Team")
    walk("iam", "PutRolePermissionsBoundary", RoleName=role, PermissionsBoundary=BOUNDARY)
    walk("iam", "DeleteRolePermissionsBoundary", RoleName=role)
    return role


def managed(walk):
    made = walk("iam", "CreatePolicy", PolicyName=name("cli"), Path="/cli/", PolicyDocument=allow("s3:*"))["Policy"]
    arn = made["Arn"]
    walk("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("sqs:*"))
    walk("iam", "SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    assert walk("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    document = walk("iam", "GetPolicyVersion", PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]
    assert document == json.loads(allow("sqs:*"))
    assert len(walk("iam", "ListPolicyVersions", PolicyArn=arn)["Versions"]) == 2
    walk("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    assert walk("iam", "ListPolicies", PathPrefix="/cli/", Scope="Local")["Policies"]
    walk("iam", "TagPolicy", PolicyArn=arn, Tags=TAG)
    assert walk("iam", "ListPolicyTags", PolicyArn=arn)["Tags"] == TAG
    walk("iam", "UntagPolicy", PolicyArn=arn, TagKeys="Team")
    return arn


def policies(walk, arn, **entities):
    for kind, known in entities.items():
        target = {f"{kind}Name": known}
        walk("iam", f"Put{kind}Policy", **target, PolicyName="inline", PolicyDocument=allow("s3:*"))
        got = walk("iam", f"Get{kind}Policy", **target, PolicyName="inline")
        assert got["PolicyDocument"] == json.loads(allow("s3:*"))
        assert walk("iam", f"List{kind}Policies", **target)["PolicyNames"] == ["inline"]
        walk("iam", f"Delete{kind}Policy", **target, PolicyName="inline")
        walk("iam", f"Attach{kind}Policy", **target, PolicyArn=arn)
        attached = walk("iam", f"ListAttached{kind}Policies", **target)["AttachedPolicies"]
        assert [row["PolicyArn"] for row in attached] == [arn]
        users_of = walk("iam", "ListEntitiesForPolicy", PolicyArn=arn)
        assert len(users_of[f"Policy{kind}s"]) == 1
        walk("iam", f"Detach{kind}Policy", **target, PolicyArn=arn)


def issuing(walk, home, admin):
    role = home.role(None, allow("iam:ListUsers"))
    assumed = walk("sts", "AssumeRole", keys=admin.keys, RoleArn=role["Arn"], RoleSessionName="cli")
    walk("iam", "ListUsers", keys=Keys.of(assumed["Credentials"]), PathPrefix="/cli/")
    own = walk("sts", "GetSessionToken", DurationSeconds=900)["Credentials"]["AccessKeyId"]
    listed = walk("daypass", "ListSessions", AccessKeyId=own)["Sessions"]
    chain = walk("daypass", "GetSessionChain", SessionId=listed[0]["SessionId"])
    assert chain["Origin"]["AccessKeyId"] == home.keys.id and len(chain["Chain"]) == 1
    walk("daypass", "RevokeSession", SessionId=listed[0]["SessionId"])
    assert walk("daypass", "ListSessions", AccessKeyId=own)["Sessions"] == []
    federated = walk("sts", "GetFederationToken", Name="Cli", Policy=allow("s3:*"))
    who = walk("sts", "GetCallerIdentity", keys=Keys.of(federated["Credentials"]))
    assert who["Arn"] == f"arn:aws:sts::{home.id}:federated-user/Cli"
    assert walk("sts", "GetAccessKeyInfo", AccessKeyId=admin.keys.id)["Account"] == home.id


def resources(walk, home):
    arn = f"arn:aws:s3:::{name('cli')}"
    document = policy({**statement("s3:GetObject", f"{arn}/*"), "Principal": {"AWS": home.root_arn}})
    walk("daypass", "PutResourcePolicy", ResourceArn=arn, Policy=document)
    assert json.loads(walk("daypass", "GetResourcePolicy", ResourceArn=arn)["Policy"]) == json.loads(document)
    assert walk("daypass", "ListResourcePolicies")["ResourcePolicies"]
    found = walk("daypass", "ValidatePolicy", PolicyDocument=allow("s3:GetObject", "arn:aws:s3:::b"), PolicyKind="identity")
    assert [(finding["Severity"], finding["Code"]) for finding in found["Findings"]] == [
        ("WARNING", "S3_BUCKET_FOR_OBJECT_ACTION")
    ]
    reads = allow("s3:GetObject")
    user = home.user(reads)
    request = Request("bucket.example.test", "GET", "/a").sign(user.keys, service="s3").described()
    answer = walk("daypass", "CheckRequest", Request=request, Action="s3:GetObject", Resource=f"{arn}/a")
    assert answer["Decision"] == "Allowed"
    answer = walk("daypass", "CheckRequest", Request=request, Action="s3:PutObject", Resource=f"{arn}/a")
    assert answer["Decision"] == "ImplicitlyDenied"
    told = json.loads(
        walk("sts", "DecodeAuthorizationMessage", EncodedMessage=answer["EncodedAuthorizationMessage"])["DecodedMessage"]
    )
    assert (told["allowed"], told["context"]["action"]) == (False, "s3:PutObject")
    explained = walk("daypass", "ExplainRequest", RequestId=told["daypass"]["requestId"])
    assert [decision["Action"] for decision in explained["Decisions"]] == ["daypass:CheckRequest", "s3:PutObject"]
    simulate(walk, user.arn, reads)
    walk("daypass", "DeleteResourcePolicy", ResourceArn=arn)


def simulate(walk, source, document):
    what = {"ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/a"]}
    for found in (
        walk("iam", "SimulatePrincipalPolicy", PolicySourceArn=source, **what),
        walk("iam", "SimulateCustomPolicy", PolicyInputList=[document], **what),
    ):
        assert [result["EvalDecision"] for result in found["EvaluationResults"]] == ["allowed"]
    assert walk("iam", "GetContextKeysForPrincipalPolicy", PolicySourceArn=source)["ContextKeyNames"] == []
    keys = walk("iam", "GetContextKeysForCustomPolicy", PolicyInputList=[document])
    assert keys["ContextKeyNames"] == []


def test_cli_does_every_action_that_is_here(walk, home, admin, tmp_path):
    user = users(walk, home)
    devices(walk, user, tmp_path)
    passwords(walk, user)
    group = groups(walk, user)
    role = roles(walk, home)
    instance_profiles(walk, role)
    services(walk, admin)
    roles_anywhere(walk, home)
    pods(walk, home)
    providers(walk)
    saml_providers(walk)
    arn = managed(walk)
    policies(walk, arn, User=user, Group=group, Role=role)
    issuing(walk, home, admin)
    resources(walk, home)
    walk("iam", "DeletePolicy", PolicyArn=arn)
    walk("iam", "DeleteRole", RoleName=role)
    walk("iam", "DeleteGroup", GroupName=group)
    walk("iam", "DeleteUser", UserName=user)
    here = {(service, action) for service, known in actions().items() for action in known}
    # Newer than the pinned CLI; boto3 calls it in test_sessions.py.
    here.remove(("sts", "GetScopedCredentials"))
    # It needs a provider that answers: test_web_identity.py.
    here.remove(("sts", "AssumeRoleWithWebIdentity"))
    # An agent calls these: test_agent.py.
    of_agents = ("JoinInstance", "GetInstanceMetadata", "GetInstanceCredentials", "GetTaskCredentials")
    here -= {("daypass", known) for known in of_agents}
    # It needs a cluster whose issuer answers: test_pod_identity.py.
    here.remove(("eks-auth", "AssumeRoleForPodIdentity"))
    # A certificate's holder calls the one, which no model has, and is the subject of the other: test_roles_anywhere.py.
    here -= {("rolesanywhere", known) for known in ("CreateSession", "GetSubject")}
    # And this one that signs: test_saml.py.
    here.remove(("sts", "AssumeRoleWithSAML"))
    # They need a server with a public URL: test_outbound.py.
    outbound = ("Enable{}", "Disable{}", "Get{}Info")
    here -= {("iam", known.format("OutboundWebIdentityFederation")) for known in outbound}
    here.remove(("sts", "GetWebIdentityToken"))
    assert walk.done == here, f"not walked: {here - walk.done}; not here: {walk.done - here}"


def test_cli_shows_why_it_was_refused(aws, home):
    user = home.user()
    done = aws("iam", "list-users", keys=user.keys, check=False)
    assert done.returncode != 0
    text = (
        "An error occurred (AccessDenied) when calling the ListUsers operation:"
        f" User: {user.arn} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{home.id}:user/"
        " because no identity-based policy allows the iam:ListUsers action"
    )
    assert text in done.stderr


def test_cli_assumes_a_role_from_its_configuration(aws, home, admin, tmp_path):
    role = home.role(None, allow("iam:ListUsers"))
    config = tmp_path / "config"
    config.write_text(
        f"[profile worker]\nrole_arn = {role['Arn']}\ncredential_source = Environment\nrole_session_name = profiled\n"
    )
    kept = os.environ["AWS_CONFIG_FILE"]
    os.environ["AWS_CONFIG_FILE"] = str(config)
    try:
        who = aws("--profile", "worker", "sts", "get-caller-identity", keys=admin.keys)
    finally:
        os.environ["AWS_CONFIG_FILE"] = kept
    assert who["Arn"] == f"arn:aws:sts::{home.id}:assumed-role/{role['RoleName']}/profiled"


def test_cli_waits_for_what_it_made(aws, home):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    aws("iam", "wait", "user-exists", "--user-name", user, keys=home.keys)
