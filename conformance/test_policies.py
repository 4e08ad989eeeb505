"""Managed and inline policies: documents, versions, attachments, sizes, and AWS's own.

AWS sources: CreatePolicy, CreatePolicyVersion, AttachUserPolicy, PutUserPolicy, ListPolicies,
ListEntitiesForPolicy in the IAM API Reference; "IAM and AWS STS quotas" in the IAM User Guide.
"""

import json
import re
import urllib.parse

import pytest

from support.client import allow, deny, name, policy, refused, statement
from support.signing import Request

AWS_MANAGED = {
    "AdministratorAccess": "v1",
    "AmazonS3FullAccess": "v2",
    "AmazonS3ReadOnlyAccess": "v3",
    "IAMFullAccess": "v2",
    "IAMReadOnlyAccess": "v4",
    "PowerUserAccess": "v12",
    "ReadOnlyAccess": "v182",
}
POLICY = {
    "PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount",
    "PermissionsBoundaryUsageCount", "IsAttachable", "CreateDate", "UpdateDate",
}  # fmt: skip
KINDS = ["user", "group", "role"]


class Entity:
    """A user, group or role, and the calls on it by kind."""

    def __init__(self, home, kind):
        self.kind, self.iam = kind, home.iam
        if kind == "user":
            self.name = home.iam.create_user(UserName=name())["User"]["UserName"]
        elif kind == "group":
            self.name = home.iam.create_group(GroupName=name())["Group"]["GroupName"]
        else:
            self.name = home.role()["RoleName"]
        self.target = {f"{kind.capitalize()}Name": self.name}

    def call(self, pattern, **more):
        return getattr(self.iam, pattern.replace("X", self.kind))(**self.target, **more)

    def put(self, policy_name, document):
        return self.call("put_X_policy", PolicyName=policy_name, PolicyDocument=document)

    def attached(self, **more):
        found = self.call("list_attached_X_policies", **more)
        assert found["IsTruncated"] is False
        return {row["PolicyArn"]: row["PolicyName"] for row in found["AttachedPolicies"]}


@pytest.fixture(params=KINDS)
def entity(request, home):
    return Entity(home, request.param)


# --- managed policies -----------------------------------------------------------------------------------


def test_created_policy_is_read_back(home):
    wanted = name("Policy")
    made = home.iam.create_policy(PolicyName=wanted, Path="/p/", PolicyDocument=allow("*"), Description="why")["Policy"]
    assert set(made) == POLICY
    assert made["Arn"] == f"arn:aws:iam::{home.id}:policy/p/{wanted}"
    assert re.fullmatch(r"ANPA[A-Z0-9]{17}", made["PolicyId"])
    counts = (made["AttachmentCount"], made["PermissionsBoundaryUsageCount"], made["DefaultVersionId"], made["IsAttachable"])
    assert counts == (0, 0, "v1", True)
    found = home.iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    assert set(found) == POLICY | {"Description", "Tags"}
    assert (found["Description"], found["Tags"]) == ("why", [])
    listed = [row for row in home.iam.list_policies(Scope="Local", PathPrefix="/p/", MaxItems=1000)["Policies"] if row["Arn"] == made["Arn"]]
    assert [set(row) for row in listed] == [POLICY]


def test_names_are_unique_without_regard_to_case_or_path(home):
    wanted = name("Policy")
    home.iam.create_policy(PolicyName=wanted, PolicyDocument=allow("*"))
    text = f"A policy called {wanted.upper()} already exists. Duplicate names are not allowed."
    with refused("EntityAlreadyExists", text, 409):
        home.iam.create_policy(PolicyName=wanted.upper(), Path="/x/", PolicyDocument=allow("*"))


def test_document_comes_back_url_encoded_and_byte_for_byte(server, home):
    text = '{ "Version":"2012-10-17",\n\t"Statement": [{"Effect":"Allow","Action":"s3:*","Resource":"*","Sid":"a1"}] }'
    arn = home.policy(text)
    found = home.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert found["Document"] == json.loads(text)
    asked = Request.action(server.host, "GetPolicyVersion", "iam", PolicyArn=arn, VersionId="v1")
    wire = asked.sign(home.keys, "iam").send().find("Document")
    assert wire == urllib.parse.quote(text, safe="-_.~")


def test_versions_are_numbered_once_and_at_most_five(home):
    arn = home.policy(allow("s3:A"))
    for number in range(2, 6):
        made = home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow(f"s3:B{number}"))["PolicyVersion"]
        assert (made["VersionId"], made["IsDefaultVersion"]) == (f"v{number}", False)
    text = (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
    )
    with refused("LimitExceeded", text, 409):
        home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:C"))
    home.iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    made = home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:D"), SetAsDefault=True)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v6", True)
    versions = home.iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert {row["VersionId"]: row["IsDefaultVersion"] for row in versions} == {
        "v1": False, "v2": False, "v3": False, "v4": False, "v6": True,
    }  # fmt: skip
    assert home.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v6"


def test_default_version_decides_and_stays(home):
    arn = home.policy(allow("iam:ListUsers"))
    user = home.user()
    home.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    user.iam.list_users()
    home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("iam:ListGroups"))
    user.iam.list_users()
    home.iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    user.iam.list_groups()
    with refused("AccessDenied"):
        user.iam.list_users()
    with refused("DeleteConflict", "Cannot delete the default version of a policy.", 409):
        home.iam.delete_policy_version(PolicyArn=arn, VersionId="v2")


def test_policy_goes_only_when_nothing_hangs_on_it(home):
    arn = home.policy(allow("*"))
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    home.iam.attach_user_policy(UserName=user, PolicyArn=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409):
        home.iam.delete_policy(PolicyArn=arn)
    home.iam.detach_user_policy(UserName=user, PolicyArn=arn)
    home.iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=arn)
    with refused("DeleteConflict", status=409):
        home.iam.delete_policy(PolicyArn=arn)
    home.iam.delete_user_permissions_boundary(UserName=user)
    home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:*"))
    text = (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
        " The default version is deleted with the policy."
    )
    with refused("DeleteConflict", text, 409):
        home.iam.delete_policy(PolicyArn=arn)
    home.iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    home.iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found.", 404):
        home.iam.get_policy(PolicyArn=arn)


def test_missing_policy(home):
    arn = f"arn:aws:iam::{home.id}:policy/none"
    with refused("NoSuchEntity", f"Policy {arn} was not found.", 404):
        home.iam.get_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} version v1 does not exist or is not attachable.", 404):
        home.iam.get_policy_version(PolicyArn=arn, VersionId="v1")
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404):
        home.iam.attach_user_policy(UserName=user, PolicyArn=arn)
    real = home.policy(allow("*"))
    with refused("NoSuchEntity", f"Policy {real} was not found.", 404):
        home.iam.detach_user_policy(UserName=user, PolicyArn=real)


def test_policy_of_another_account_is_out_of_reach(home, other):
    arn = other.policy(allow("*"))
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    for call in (
        lambda: home.iam.attach_user_policy(UserName=user, PolicyArn=arn),
        lambda: home.iam.get_policy(PolicyArn=arn),
        lambda: home.iam.delete_policy(PolicyArn=arn),
    ):
        with refused(("NoSuchEntity", "AccessDenied")):
            call()
    assert other.iam.get_policy(PolicyArn=arn)


@pytest.mark.parametrize("arn", ["not-an-arn-but-long-enough", "arn:aws:iam::aws:user/" + "x" * 20])
def test_policy_arn_that_is_none(home, arn):
    with refused("InvalidInput", status=400):
        home.iam.get_policy(PolicyArn=arn)


# --- AWS's own ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known,version", sorted(AWS_MANAGED.items()))
def test_managed_policy_of_aws_is_there(home, known, version):
    arn = f"arn:aws:iam::aws:policy/{known}"
    found = home.iam.get_policy(PolicyArn=arn)["Policy"]
    assert (found["PolicyName"], found["Path"], found["DefaultVersionId"]) == (known, "/", version)
    document = home.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Version"] == "2012-10-17" and document["Statement"]
    with refused("NoSuchEntity", status=404):
        home.iam.get_policy_version(PolicyArn=arn, VersionId="v9999")


def test_managed_policies_of_aws_are_listed_apart(home):
    mine = home.policy(allow("*"))

    def arns(**more):
        pages = home.iam.get_paginator("list_policies").paginate(**more)
        return {row["Arn"] for page in pages for row in page["Policies"]}

    of_aws = {f"arn:aws:iam::aws:policy/{known}" for known in AWS_MANAGED}
    assert of_aws <= arns(Scope="AWS") and mine not in arns(Scope="AWS")
    assert mine in arns(Scope="Local") and not of_aws & arns(Scope="Local")
    assert of_aws | {mine} <= arns() and of_aws | {mine} <= arns(Scope="All")


def test_managed_policy_of_aws_cannot_be_changed(home):
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    for call in (
        lambda: home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("*")),
        lambda: home.iam.delete_policy(PolicyArn=arn),
        lambda: home.iam.delete_policy_version(PolicyArn=arn, VersionId="v182"),
        lambda: home.iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "a", "Value": "b"}]),
    ):
        with refused("AccessDenied", status=403):
            call()


@pytest.mark.parametrize(
    "known,allowed,denied",
    [
        ("AdministratorAccess", ["list_users", "list_groups"], []),
        ("IAMFullAccess", ["list_users", "list_policies"], []),
        ("IAMReadOnlyAccess", ["list_users", "list_groups", "get_user"], ["create_access_key"]),
        ("ReadOnlyAccess", ["list_users", "list_roles"], ["create_access_key"]),
        ("PowerUserAccess", ["list_roles"], ["list_users", "create_access_key"]),
        ("AmazonS3FullAccess", [], ["list_users"]),
        ("AmazonS3ReadOnlyAccess", [], ["list_users"]),
    ],
)
def test_managed_policy_of_aws_gives_what_its_name_says(home, known, allowed, denied):
    user = home.user()
    home.iam.attach_user_policy(UserName=user.name, PolicyArn=f"arn:aws:iam::aws:policy/{known}")
    for call in allowed:
        getattr(user.iam, call)()
    for call in denied:
        with refused("AccessDenied", status=403):
            getattr(user.iam, call)()


# --- attachments ----------------------------------------------------------------------------------------


def test_attach_detach_and_list(home, entity):
    arn = home.policy(allow("*"))
    assert entity.attached() == {}
    entity.call("attach_X_policy", PolicyArn=arn)
    entity.call("attach_X_policy", PolicyArn=arn)
    assert entity.attached() == {arn: arn.rpartition("/")[2]}
    assert home.iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert entity.attached(PathPrefix="/elsewhere/") == {}
    entity.call("detach_X_policy", PolicyArn=arn)
    assert entity.attached() == {}
    with refused("NoSuchEntity", f"Policy {arn} was not found.", 404):
        entity.call("detach_X_policy", PolicyArn=arn)


def test_at_most_ten_attachments(home, entity):
    for _ in range(10):
        entity.call("attach_X_policy", PolicyArn=home.policy(allow("*")))
    text = f"Cannot exceed quota for PoliciesPer{entity.kind.capitalize()}: 10"
    with refused("LimitExceeded", text, 409):
        entity.call("attach_X_policy", PolicyArn=home.policy(allow("*")))


def test_entities_of_a_policy(home):
    arn = home.policy(allow("*"))
    entities = {kind: Entity(home, kind) for kind in KINDS}
    for entity in entities.values():
        entity.call("attach_X_policy", PolicyArn=arn)
    bounded = home.iam.create_user(UserName=name(), PermissionsBoundary=arn)["User"]["UserName"]

    def found(**more):
        answer = home.iam.list_entities_for_policy(PolicyArn=arn, **more)
        return {
            kind: {row[f"{kind.capitalize()}Name"] for row in answer[f"Policy{kind.capitalize()}s"]} for kind in KINDS
        }

    names = {kind: {entity.name} for kind, entity in entities.items()}
    assert found() == {**names, "user": names["user"] | {bounded}}
    assert found(PolicyUsageFilter="PermissionsPolicy") == names
    assert found(PolicyUsageFilter="PermissionsBoundary") == {"user": {bounded}, "group": set(), "role": set()}
    assert found(EntityFilter="Role") == {"user": set(), "group": set(), "role": names["role"]}
    assert home.iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1


def test_attached_filter_counts_boundaries_too(home):
    unused, used, bounding = (home.policy(allow("*"), Path="/filter/") for _ in range(3))
    Entity(home, "user").call("attach_X_policy", PolicyArn=used)
    home.iam.create_user(UserName=name(), PermissionsBoundary=bounding)

    def arns(**more):
        return {row["Arn"] for row in home.iam.list_policies(PathPrefix="/filter/", MaxItems=1000, **more)["Policies"]}

    assert {unused, used, bounding} <= arns()
    attached = arns(OnlyAttached=True)
    assert {used, bounding} <= attached and unused not in attached
    assert used not in arns(OnlyAttached=True, PolicyUsageFilter="PermissionsBoundary")


# --- inline policies ------------------------------------------------------------------------------------


def test_inline_policy_is_put_read_and_deleted(entity):
    entity.put("Inline", allow("s3:*"))
    found = entity.call("get_X_policy", PolicyName="Inline")
    assert (found["PolicyName"], found["PolicyDocument"]) == ("Inline", json.loads(allow("s3:*")))
    assert entity.call("list_X_policies")["PolicyNames"] == ["Inline"]
    entity.put("Inline", allow("sqs:*"))
    assert entity.call("get_X_policy", PolicyName="Inline")["PolicyDocument"] == json.loads(allow("sqs:*"))
    entity.call("delete_X_policy", PolicyName="Inline")
    text = f"The {entity.kind} policy with name Inline cannot be found."
    with refused("NoSuchEntity", text, 404):
        entity.call("get_X_policy", PolicyName="Inline")
    with refused("NoSuchEntity", text, 404):
        entity.call("delete_X_policy", PolicyName="Inline")


def test_inline_names_ignore_case_and_keep_the_first_spelling(entity):
    entity.put("First", allow("s3:*"))
    entity.put("FIRST", allow("sqs:*"))
    assert entity.call("list_X_policies")["PolicyNames"] == ["First"]
    found = entity.call("get_X_policy", PolicyName="fIrSt")
    assert (found["PolicyName"], found["PolicyDocument"]) == ("fIrSt", json.loads(allow("sqs:*")))


def test_inline_policies_share_one_size(entity):
    size = {"user": 2048, "group": 5120, "role": 10240}[entity.kind]
    document = policy(statement("s3:*", "arn:aws:s3:::" + "x" * (size // 2)))
    entity.put("one", document)
    with refused("LimitExceeded", f"Maximum policy size of {size} bytes exceeded for {entity.kind} {entity.name}", 409):
        entity.put("two", document)
    assert entity.call("list_X_policies")["PolicyNames"] == ["one"]
    entity.put("one", document)


def test_white_space_is_free(entity):
    entity.put("wide", json.dumps(json.loads(allow("s3:*")), indent=2500))


def test_old_version_or_none_is_fine_inline(entity):
    entity.put("none", policy(statement("s3:*"), version=None))
    entity.put("old", policy(statement("s3:*"), version="2008-10-17"))


# --- documents that are none ----------------------------------------------------------------------------

SYNTAX = "Syntax errors in policy."


@pytest.mark.parametrize(
    "text,message",
    [
        ("{", SYNTAX),
        ("[]", SYNTAX),
        ('{"Version":"2012-10-17"}', SYNTAX),
        ('{"Version":"2013-01-01","Statement":[]}', SYNTAX),
        ('{"Version":"2012-10-17","Statement":[],"Statement":[]}', SYNTAX),
        (policy({**statement("s3:*"), "Extra": 1}), SYNTAX),
        (policy({"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}), SYNTAX),
        (policy(statement("s3:*", condition={"StringEqualz": {"a:b": "c"}})), SYNTAX),
        (policy(statement("s3:*", effect="allow")), "The policy failed legacy parsing"),
        (policy({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (policy({"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."),
        (policy(statement("everything")), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (policy(statement("a:b:c")), "Actions/Condition can contain only one colon."),
        (policy(statement("s3:*", "bucket")), 'Resource bucket must be in ARN format or "*".'),
        (policy(statement("s3:*", Sid="a"), statement("s3:*", Sid="a")),
         "Statement IDs (SID) in a single policy must be unique."),
        (policy({**statement("s3:*"), "Principal": "*"}), "Policy document should not specify a principal."),
    ],
)  # fmt: skip
def test_malformed_document(home, text, message):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    with refused("MalformedPolicyDocument", message, 400):
        home.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=text)
    assert home.iam.list_user_policies(UserName=user)["PolicyNames"] == []
    with refused("MalformedPolicyDocument", message, 400):
        home.iam.create_policy(PolicyName=name(), PolicyDocument=text)


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_managed_policy_needs_the_present_version(home, version):
    with refused("MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater.", 400):
        home.policy(policy(statement("s3:*"), version=version))


def test_managed_policy_has_a_size(home):
    def sized(length):
        whole = policy(statement("s3:*", "arn:aws:s3:::"))
        spaces = whole.count(" ")
        return policy(statement("s3:*", "arn:aws:s3:::" + "x" * (length - len(whole) + spaces)))

    home.policy(sized(6144))
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409):
        home.policy(sized(6145))


def test_unknown_service_and_action_are_taken_and_match_nothing(home):
    user = home.user(allow(["nosuchservice:Thing", "iam:NoSuchAction"]))
    with refused("AccessDenied"):
        user.iam.list_users()


def test_variables_need_the_present_version(home):
    own = "arn:aws:iam::*:user/${aws:username}"
    now = home.user(policy(statement("iam:GetUser", own)))
    assert now.iam.get_user(UserName=now.name)["User"]["UserName"] == now.name
    old = home.user(policy(statement("iam:GetUser", own), version="2008-10-17"))
    with refused("AccessDenied"):
        old.iam.get_user(UserName=old.name)


def test_change_of_a_policy_counts_at_the_next_call(home):
    user = home.user(allow("iam:ListUsers"))
    user.iam.list_users()
    home.iam.put_user_policy(UserName=user.name, PolicyName="no", PolicyDocument=deny("iam:ListUsers"))
    with refused("AccessDenied"):
        user.iam.list_users()
    home.iam.delete_user_policy(UserName=user.name, PolicyName="no")
    user.iam.list_users()
