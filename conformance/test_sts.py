"""Issuing: who may call what, every parameter, every bound, and what the result may do.

AWS sources: AssumeRole, GetSessionToken, GetFederationToken, GetAccessKeyInfo in the STS API
Reference; "Compare AWS STS credentials" and "Pass session tags in AWS STS" in the IAM User Guide.
"""

import base64
import datetime
import json
import re

import pytest

from support.client import (
    ALLOW_ALL, account_in, allow, deny, name, policy, refused, seconds_from_now, statement, this_second, trust,
)  # fmt: skip
from support.server import Keys

EVERYTHING = json.dumps(ALLOW_ALL)
ANY_TAG_ACTION = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


def broken(member, value, rule):
    """STS's sentence for one broken shape; it prints the value."""
    return (
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    )


# --- who may call what ----------------------------------------------------------------------------------

OK = None
NO_ROOT = ("AccessDenied", re.compile(r"^Roles may not be assumed by root accounts\.$"))
NO_SESSION = ("AccessDenied", re.compile(r"^Cannot call GetSessionToken with session credentials$"))
NO_FEDERATION = ("AccessDenied", re.compile(r"^Cannot call GetFederationToken with session credentials$"))
DENIED = ("AccessDenied", re.compile("is not authorized to perform: "))
# Seen with and without the full stop for this case.
NOT_FOR_IAM = ("InvalidClientTokenId", re.compile(r"^The security token included in the request is invalid\.?$"))

CALLERS = ["root", "user", "session of root", "session of user", "federated user", "federated by root", "role"]
CALLS = ["AssumeRole", "GetSessionToken", "GetFederationToken", "GetCallerIdentity", "GetAccessKeyInfo", "iam:ListUsers"]
TABLE = {
    "root":              [NO_ROOT, OK,         OK,            OK, OK,     OK],
    "user":              [OK,      OK,         OK,            OK, OK,     OK],
    "session of root":   [NO_ROOT, NO_SESSION, NO_FEDERATION, OK, DENIED, NOT_FOR_IAM],
    "session of user":   [OK,      NO_SESSION, NO_FEDERATION, OK, DENIED, NOT_FOR_IAM],
    "federated user":    [DENIED,  NO_SESSION, NO_FEDERATION, OK, DENIED, NOT_FOR_IAM],
    "federated by root": [DENIED,  NO_SESSION, NO_FEDERATION, OK, DENIED, NOT_FOR_IAM],
    "role":              [OK,      NO_SESSION, NO_FEDERATION, OK, OK,     OK],
}  # fmt: skip


@pytest.fixture(scope="module")
def target(home):
    """A role that its whole account may assume, and that may do everything."""
    return home.role(trust(home.root_arn, ANY_TAG_ACTION), EVERYTHING, prefix="target")


@pytest.fixture(scope="module")
def callers(home, admin, target):
    """Keys of every kind of caller, each as powerful as its kind can be."""
    return {
        "root": home.keys,
        "user": admin.keys,
        "session of root": Keys.of(home.sts.get_session_token()["Credentials"]),
        "session of user": Keys.of(admin.sts.get_session_token()["Credentials"]),
        "federated user": home.federated("Jill", EVERYTHING, by=admin),
        "federated by root": home.federated("Jane", EVERYTHING),
        "role": admin.assume(target),
    }


def make(house, keys, call, target):
    sts = house.sts(keys)
    if call == "AssumeRole":
        return sts.assume_role(RoleArn=target["Arn"], RoleSessionName="table")
    if call == "GetSessionToken":
        return sts.get_session_token()
    if call == "GetFederationToken":
        return sts.get_federation_token(Name="table")
    if call == "GetCallerIdentity":
        return sts.get_caller_identity()
    if call == "GetAccessKeyInfo":
        return sts.get_access_key_info(AccessKeyId=keys.id)
    return house.iam(keys).list_users()


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("call", CALLS)
def test_who_may_call_what(house, callers, target, caller, call):
    wanted = TABLE[caller][CALLS.index(call)]
    if wanted is OK:
        make(house, callers[caller], call, target)
    else:
        code, text = wanted
        with refused(code, text, 403):
            make(house, callers[caller], call, target)


@pytest.mark.parametrize("caller", ["session of root", "session of user", "federated user"])
def test_sessions_that_may_not_call_iam_write_nothing(house, home, callers, caller):
    wanted = name("never")
    with refused(*NOT_FOR_IAM, 403):
        house.iam(callers[caller]).create_user(UserName=wanted)
    with refused("NoSuchEntity"):
        home.iam.get_user(UserName=wanted)


# --- AssumeRole -----------------------------------------------------------------------------------------


def assume(user, role, session="session", **more):
    return user.sts.assume_role(RoleArn=role["Arn"], RoleSessionName=session, **more)


def test_answer_of_assume_role(home, admin, target):
    answer = assume(admin, target, "Shift")
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{target['RoleId']}:Shift",
        "Arn": f"arn:aws:sts::{home.id}:assumed-role/{target['RoleName']}/Shift",
    }
    credentials = answer["Credentials"]
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", credentials["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", credentials["SecretAccessKey"])
    assert account_in(credentials["AccessKeyId"]) == home.id
    assert 3540 < seconds_from_now(credentials["Expiration"]) <= 3601
    assert "PackedPolicySize" not in answer and "SourceIdentity" not in answer
    assert answer["SessionTokenSize"] == len(credentials["SessionToken"]) <= 4096
    assert 0 < answer["SessionTokenUtilization"] <= 100


def test_every_issue_is_another_session(admin, target):
    first, second = (assume(admin, target)["Credentials"] for _ in range(2))
    assert first["AccessKeyId"] != second["AccessKeyId"]
    assert first["SecretAccessKey"] != second["SecretAccessKey"]
    assert first["SessionToken"] != second["SessionToken"]


def test_token_reveals_nothing_it_holds(admin, target):
    given = [{"Key": "Quarter", "Value": "Moonlight"}]
    credentials = assume(admin, target, "Nightwatch", Tags=given)["Credentials"]
    token = credentials["SessionToken"]
    raw = base64.b64decode(token + "=" * (-len(token) % 4)) + token.encode()
    for word in ("Moonlight", "Nightwatch", "Quarter", target["RoleName"], credentials["SecretAccessKey"]):
        assert word.encode() not in raw


@pytest.mark.parametrize("seconds", [900, 3600])
def test_duration_that_was_asked_for(admin, target, seconds):
    expiration = assume(admin, target, DurationSeconds=seconds)["Credentials"]["Expiration"]
    assert seconds - 60 < seconds_from_now(expiration) <= seconds + 1


@pytest.mark.parametrize(
    "seconds,rule",
    [
        (899, "Member must have value greater than or equal to 900"),
        (43201, "Member must have value less than or equal to 43200"),
    ],
)
def test_duration_out_of_range(house, admin, target, seconds, rule):
    sts = house.sts(admin.keys, lax=True)
    with refused("ValidationError", broken("durationSeconds", seconds, rule), 400):
        sts.assume_role(RoleArn=target["Arn"], RoleSessionName="session", DurationSeconds=seconds)


def test_duration_over_what_the_role_allows(home, admin):
    role = home.role(MaxSessionDuration=7200)
    assert seconds_from_now(assume(admin, role, DurationSeconds=7200)["Credentials"]["Expiration"]) > 7100
    with refused(
        "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", 400
    ):
        assume(admin, role, DurationSeconds=7201)


@pytest.mark.parametrize("by", ["role", "session of user"])
def test_chained_session_lasts_an_hour_at_most(house, home, callers, by):
    role = home.role(MaxSessionDuration=43200)
    sts = house.sts(callers[by])
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="chained", DurationSeconds=3600)
    text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    with refused("ValidationError", text, 400):
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName="chained", DurationSeconds=3601)


@pytest.mark.parametrize(
    "value,rule",
    [
        ("a", "Member must have length greater than or equal to 2"),
        ("a" * 65, "Member must have length less than or equal to 64"),
        ("Session1:2", "Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ("with space", "Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ("naïve", "Member must satisfy regular expression pattern: [\\w+=,.@-]*"),
    ],
)
def test_session_names(house, admin, target, value, rule):
    with refused("ValidationError", broken("roleSessionName", value, rule), 400):
        house.sts(admin.keys, lax=True).assume_role(RoleArn=target["Arn"], RoleSessionName=value)


def test_missing_parameters_are_all_named(house, admin):
    item = "Value null at '{}' failed to satisfy constraint: Member must not be null"
    with refused("ValidationError", re.compile("^2 validation errors detected: ")) as caught:
        house.sts(admin.keys, lax=True).assume_role()
    for member in ("roleArn", "roleSessionName"):
        assert item.format(member) in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("arn", ["nothing-valid-in-here", "arn:a:a::aaaaaaaaaa:"])
def test_arn_that_is_none(admin, arn):
    with refused("ValidationError", f"{arn} is invalid", 400):
        admin.sts.assume_role(RoleArn=arn, RoleSessionName="session")


def test_missing_role_looks_like_a_forbidden_one(home, admin):
    arn = f"arn:aws:iam::{home.id}:role/never-was"
    text = f"User: {admin.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    with refused("AccessDenied", text, 403):
        admin.sts.assume_role(RoleArn=arn, RoleSessionName="session")


# --- trust and permission -------------------------------------------------------------------------------


def test_account_in_the_trust_policy_needs_the_callers_permission_too(home):
    role = home.role()
    user = home.user()
    text = (
        f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {role['Arn']}"
        " because no identity-based policy allows the sts:AssumeRole action"
    )
    with refused("AccessDenied", text, 403):
        assume(user, role)
    user.permit(allow("sts:AssumeRole", role["Arn"]))
    assume(user, role)


def test_user_named_by_the_trust_policy_needs_no_other_permission(home):
    user = home.user()
    assume(user, home.role(trust(user.arn)))


def test_everybody_in_the_trust_policy_is_a_direct_grant_at_home_only(home, other):
    role = home.role(trust("*"))
    assume(home.user(), role)
    stranger = other.user()
    with refused("AccessDenied", status=403):
        assume(stranger, role)
    stranger.permit(allow("sts:AssumeRole"))
    assume(stranger, role)


def test_wide_permission_does_not_replace_trust(home, admin):
    role = home.role(trust({"Service": "ec2.amazonaws.com"}))
    with refused("AccessDenied", re.compile(re.escape(f"on resource: {role['Arn']}")), 403):
        assume(admin, role)


def test_explicit_deny_in_the_trust_policy(home):
    user = home.user(EVERYTHING)
    document = json.loads(trust(home.root_arn))
    document["Statement"].append(
        {"Effect": "Deny", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}
    )
    role = home.role(json.dumps(document))
    text = f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {role['Arn']}"
    with refused("AccessDenied", text, 403):
        assume(user, role)


def test_explicit_deny_of_the_caller_beats_direct_trust(home):
    user = home.user(deny("sts:AssumeRole"))
    with refused("AccessDenied", re.compile("with an explicit deny in an identity-based policy"), 403):
        assume(user, home.role(trust(user.arn)))


def test_cross_account_needs_both_sides(home, other):
    theirs = home.user(allow("sts:AssumeRole"))
    closed = other.role(trust(other.root_arn))
    text = f"User: {theirs.arn} is not authorized to perform: sts:AssumeRole on resource: {closed['Arn']}"
    with refused("AccessDenied", text, 403):
        assume(theirs, closed)
    open_to_account = other.role(trust(home.root_arn))
    answer = assume(theirs, open_to_account)
    assert answer["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{other.id}:assumed-role/")
    open_to_user = other.role(trust(home.user().arn))
    with refused("AccessDenied", status=403):
        assume(theirs, open_to_user)
    named = home.user()
    direct = other.role(trust(named.arn))
    with refused("AccessDenied", status=403):
        assume(named, direct)
    named.permit(allow("sts:AssumeRole", direct["Arn"]))
    assume(named, direct)


def test_role_does_not_trust_itself(home, house, admin):
    role = home.role(trust(admin.arn), EVERYTHING)
    sts = house.sts(admin.assume(role))
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName="again")
    document = trust([admin.arn, role["Arn"]])
    home.iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=document)
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="again")


def test_one_session_alone_may_be_trusted(home, house, admin):
    first = home.role()
    arn = f"arn:aws:sts::{home.id}:assumed-role/{first['RoleName']}/chosen"
    second = home.role(trust(arn))
    house.sts(admin.assume(first, "chosen")).assume_role(RoleArn=second["Arn"], RoleSessionName="next")
    with refused("AccessDenied", status=403):
        house.sts(admin.assume(first, "another")).assume_role(RoleArn=second["Arn"], RoleSessionName="next")


# --- ExternalId, SourceIdentity, tags -------------------------------------------------------------------


def test_external_id(home, admin):
    role = home.role(trust(home.root_arn, condition={"StringEquals": {"sts:ExternalId": "shared/42"}}))
    assume(admin, role, ExternalId="shared/42")
    for more in ({}, {"ExternalId": "shared/43"}, {"ExternalId": "SHARED/42"}):
        with refused("AccessDenied", status=403):
            assume(admin, role, **more)


def test_session_name_may_be_demanded(home):
    condition = {"StringLike": {"sts:RoleSessionName": "${aws:username}"}}
    user = home.user(EVERYTHING)
    role = home.role(trust(home.root_arn, condition=condition))
    assume(user, role, user.name)
    with refused("AccessDenied", status=403):
        assume(user, role, "somebody-else")


def test_source_identity_needs_permission_on_both_sides(home, admin):
    silent = home.role(trust(home.root_arn, "sts:AssumeRole"))
    with refused("AccessDenied", re.compile("sts:SetSourceIdentity"), 403):
        assume(admin, silent, SourceIdentity="Alice")
    role = home.role(trust(home.root_arn, ANY_TAG_ACTION))
    half = home.user(allow("sts:AssumeRole"))
    with refused("AccessDenied", re.compile("sts:SetSourceIdentity"), 403):
        assume(half, role, SourceIdentity="Alice")
    assert assume(admin, role, SourceIdentity="Alice")["SourceIdentity"] == "Alice"


def test_source_identity_follows_the_chain_and_cannot_change(house, home, admin, target):
    keys = Keys.of(assume(admin, target, SourceIdentity="Alice")["Credentials"])
    sts = house.sts(keys)
    again = {"RoleArn": target["Arn"], "RoleSessionName": "next"}
    assert sts.assume_role(**again)["SourceIdentity"] == "Alice"
    assert sts.assume_role(**again, SourceIdentity="Alice")["SourceIdentity"] == "Alice"
    with refused("ValidationError", "The source identity is already set for this assume role session", 400):
        sts.assume_role(**again, SourceIdentity="Bob")
    silent = home.role(trust(home.root_arn, "sts:AssumeRole"))
    with refused("AccessDenied", re.compile("sts:SetSourceIdentity"), 403):
        sts.assume_role(RoleArn=silent["Arn"], RoleSessionName="next")


def test_source_identity_must_not_begin_with_aws(house, admin, target):
    with refused("ValidationError", status=400):
        house.sts(admin.keys, lax=True).assume_role(
            RoleArn=target["Arn"], RoleSessionName="session", SourceIdentity="aws:alice"
        )


def tags(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_session_tags_need_permission_on_both_sides(home, admin, target):
    silent = home.role(trust(home.root_arn, "sts:AssumeRole"))
    with refused("AccessDenied", re.compile("sts:TagSession"), 403):
        assume(admin, silent, Tags=tags(Team="blue"))
    half = home.user(allow("sts:AssumeRole"))
    with refused("AccessDenied", re.compile("sts:TagSession"), 403):
        assume(half, target, Tags=tags(Team="blue"))
    assert 0 < assume(admin, target, Tags=tags(Team="blue"))["PackedPolicySize"] <= 100


def test_session_tags_are_tags_of_the_principal(home, house, admin):
    role = home.role(
        trust(home.root_arn, ANY_TAG_ACTION),
        allow("iam:ListUsers", condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}),
        Tags=tags(Team="red"),
    )
    with refused("AccessDenied"):
        house.iam(admin.assume(role)).list_users()
    house.iam(admin.assume(role, Tags=tags(TEAM="blue"))).list_users()


def test_tags_may_be_demanded_by_the_trust_policy(home, admin):
    condition = {"StringEquals": {"aws:RequestTag/Team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": "Team"}}
    role = home.role(trust(home.root_arn, ANY_TAG_ACTION, condition))
    assume(admin, role, Tags=tags(Team="blue"))
    for more in ({}, {"Tags": tags(Team="red")}, {"Tags": tags(Team="blue", More="x")}):
        with refused("AccessDenied", status=403):
            assume(admin, role, **more)


def test_transitive_tags_follow_the_chain(house, home, admin, target):
    keys = admin.assume(target, Tags=tags(Team="blue", Stage="test"), TransitiveTagKeys=["team"])
    last = home.role(
        trust(home.root_arn, ANY_TAG_ACTION),
        policy(
            statement("iam:ListUsers", condition={"StringEquals": {"aws:PrincipalTag/Team": "blue"}}),
            statement("iam:ListGroups", condition={"Null": {"aws:PrincipalTag/Stage": "true"}}),
        ),
    )
    sts = house.sts(keys)
    iam = house.iam(Keys.of(sts.assume_role(RoleArn=last["Arn"], RoleSessionName="next")["Credentials"]))
    iam.list_users()
    iam.list_groups()
    text = (
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key"
        " from the calling session."
    )
    with refused("InvalidParameterValue", text, 400):
        sts.assume_role(RoleArn=last["Arn"], RoleSessionName="next", Tags=tags(TEAM="green"))


def test_transitive_keys_must_be_among_the_tags(admin, target):
    text = "The specified transitive tag key must be included in the requested tags."
    with refused("InvalidParameterValue", text, 400):
        assume(admin, target, Tags=tags(Team="blue"), TransitiveTagKeys=["Stage"])


def test_duplicate_tag_keys(admin, target):
    text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    for second in ("Team", "TEAM"):
        both = [{"Key": "Team", "Value": "a"}, {"Key": second, "Value": "b"}]
        with refused("InvalidParameterValue", text, 400):
            assume(admin, target, Tags=both)


RESERVED = "Tag keys and values beginning with aws: are reserved for system use."


def test_reserved_and_too_many_tags(house, admin, target):
    for key in ("aws:team", "AWS:Team"):
        with refused("InvalidParameterValue", RESERVED, status=400):
            assume(admin, target, Tags=[{"Key": key, "Value": "x"}])
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
    with refused("ValidationError", status=400):
        house.sts(admin.keys, lax=True).assume_role(RoleArn=target["Arn"], RoleSessionName="session", Tags=many)


def test_fifty_small_tags_and_the_six_of_a_pod_fit(admin, target):
    assume(admin, target, Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(50)])
    pod = tags(**{
        "eks-cluster-arn": "arn:aws:eks:us-east-1:123456789012:cluster/production-blue",
        "eks-cluster-name": "production-blue",
        "kubernetes-namespace": "payments",
        "kubernetes-service-account": "payments-worker",
        "kubernetes-pod-name": "payments-worker-7d4b9c8f6d-x2x7p",
        "kubernetes-pod-uid": "8b7d1f5e-3c3a-4f0e-9d59-0f7c0a5f9d21",
    })  # fmt: skip
    assert assume(admin, target, Tags=pod)["PackedPolicySize"] < 75


# --- session policies -----------------------------------------------------------------------------------


def test_session_policy_limits_and_never_adds(home, house, admin):
    role = home.role(None, allow(["iam:ListUsers", "iam:ListGroups"]))
    iam = house.iam(admin.assume(role, Policy=allow(["iam:ListUsers", "iam:ListRoles"])))
    iam.list_users()
    with refused("AccessDenied", re.compile("because no session policy allows the iam:ListGroups action"), 403):
        iam.list_groups()
    with refused("AccessDenied", status=403):
        iam.list_roles()


def test_explicit_deny_in_a_session_policy(home, house, admin, target):
    document = policy(statement("*"), statement("iam:ListGroups", effect="Deny"))
    iam = house.iam(admin.assume(target, Policy=document))
    iam.list_users()
    with refused("AccessDenied", re.compile("with an explicit deny in a session policy"), 403):
        iam.list_groups()


def test_inline_and_managed_session_policies_unite(home, house, admin, target):
    arns = [{"arn": home.policy(allow("iam:ListUsers"))}, {"arn": home.policy(allow("iam:ListGroups"))}]
    iam = house.iam(admin.assume(target, PolicyArns=arns, Policy=allow("iam:ListRoles")))
    iam.list_users()
    iam.list_groups()
    iam.list_roles()
    with refused("AccessDenied", status=403):
        iam.list_policies()


def test_managed_session_policy_counts_as_it_is_now(home, house, admin, target):
    arn = home.policy(allow("iam:ListUsers"))
    iam = house.iam(admin.assume(target, PolicyArns=[{"arn": arn}]))
    iam.list_users()
    home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("iam:ListGroups"), SetAsDefault=True)
    iam.list_groups()
    with refused("AccessDenied", status=403):
        iam.list_users()
    home.iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    home.iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied", status=403):
        iam.list_groups()


def test_managed_policy_of_aws_as_session_policy(house, admin, target):
    arns = [{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}]
    iam = house.iam(admin.assume(target, PolicyArns=arns))
    iam.list_users()
    with refused("AccessDenied", status=403):
        iam.create_user(UserName=name())


def test_session_policy_arns_that_are_none_of_ours(admin, target, other):
    elsewhere = other.policy(allow("*"))
    for arn in (elsewhere, elsewhere + "x", "=arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/None"):
        text = f"The policy ARN {arn} is not valid: it names no managed policy of this account or of AWS."
        with refused("MalformedPolicyDocument", text, status=400):
            assume(admin, target, PolicyArns=[{"arn": arn}])


def test_at_most_ten_session_policy_arns(home, admin, target):
    arns = [{"arn": home.policy(allow("s3:*"))} for _ in range(11)]
    with refused("ValidationError", status=400):
        assume(admin, target, PolicyArns=arns)
    assume(admin, target, PolicyArns=arns[:10])


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": 5}', '{"Statement":[{"Effect":"Allow"}]}',
                                  '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}'])  # fmt: skip
def test_malformed_session_policy(admin, target, text):
    with refused("MalformedPolicyDocument", status=400):
        assume(admin, target, Policy=text)


def test_session_policy_has_a_size(admin, target):
    long = policy(statement("s3:*", "arn:aws:s3:::" + "x" * 2048))
    with refused(("PackedPolicyTooLarge", "ValidationError"), status=400):
        assume(admin, target, Policy=long)


def test_packed_size_grows_with_what_is_passed(admin, target):
    small = assume(admin, target, Policy=allow("s3:GetObject"))["PackedPolicySize"]
    resources = [f"arn:aws:s3:::bucket-{number:x}-{number * 7919:x}/*" for number in range(40)]
    large = assume(admin, target, Policy=policy(statement("s3:GetObject", resources)))["PackedPolicySize"]
    assert 0 < small < large <= 100


def test_session_policy_counts_for_the_next_assumption_and_not_beyond(home, house, admin):
    second = home.role(trust(home.root_arn), allow("iam:ListUsers"))
    first = home.role(trust(home.root_arn), EVERYTHING)
    closed = house.sts(admin.assume(first, Policy=allow("iam:ListUsers")))
    with refused("AccessDenied", status=403):
        closed.assume_role(RoleArn=second["Arn"], RoleSessionName="next")
    narrow = house.sts(admin.assume(first, Policy=allow("sts:AssumeRole", second["Arn"])))
    keys = Keys.of(narrow.assume_role(RoleArn=second["Arn"], RoleSessionName="next")["Credentials"])
    house.iam(keys).list_users()


# --- what cannot be validated is refused ----------------------------------------------------------------


def test_mfa_that_does_not_exist(home, admin, target):
    device = f"arn:aws:iam::{home.id}:mfa/{admin.name}"
    text = (
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is"
        " valid and associated with this user."
    )
    for call in (
        lambda **more: assume(admin, target, **more),
        lambda **more: admin.sts.get_session_token(**more),
    ):
        with refused("AccessDenied", re.compile("^" + re.escape(text) + " ?$"), 403):
            call(SerialNumber=device, TokenCode="123456")
        for half in ({"SerialNumber": device}, {"TokenCode": "123456"}):
            with refused("AccessDenied", re.compile("^MultiFactorAuthentication failed, must provide both"), 403):
                call(**half)


def test_context_assertion_without_a_provider(home, admin, target):
    context = [{"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "assertion"}]
    with refused("AccessDenied", re.compile("not authorized to perform: sts:SetContext on resource"), 403):
        assume(admin, target, ProvidedContexts=context)
    role = home.role(trust(home.root_arn, [*ANY_TAG_ACTION, "sts:SetContext"]))
    with refused("InvalidContextAssertion", status=400):
        assume(admin, role, ProvidedContexts=context)


# --- token size -----------------------------------------------------------------------------------------


def every_issue(admin, target):
    yield lambda **more: assume(admin, target, **more)
    yield lambda **more: admin.sts.get_session_token(**more)
    yield lambda **more: admin.sts.get_federation_token(Name="Sized", **more)


def test_token_is_as_large_as_asked(house, admin, target):
    for issue in every_issue(admin, target):
        for size in (0, 1, 1500, 4096):
            answer = issue(MinimumSessionTokenSize=size)
            assert size <= len(answer["Credentials"]["SessionToken"]) == answer["SessionTokenSize"] <= 4096
            assert house.sts(Keys.of(answer["Credentials"])).get_caller_identity()


def test_token_size_out_of_range(house, admin, target):
    rule = "Member must have value less than or equal to 4096"
    with refused("ValidationError", broken("minimumSessionTokenSize", 4097, rule), 400):
        house.sts(admin.keys, lax=True).get_session_token(MinimumSessionTokenSize=4097)


# --- GetSessionToken ------------------------------------------------------------------------------------


def test_session_token_needs_no_permission_and_cannot_be_denied(home, house):
    for policies in ((), (deny("*"),)):
        user = home.user(*policies)
        keys = Keys.of(user.sts.get_session_token()["Credentials"])
        assert house.sts(keys).get_caller_identity()["Arn"] == user.arn


def test_session_of_a_user_lasts_twelve_hours_unless_told(admin):
    answer = admin.sts.get_session_token()
    assert 43100 < seconds_from_now(answer["Credentials"]["Expiration"]) <= 43201
    assert set(answer) - {"ResponseMetadata"} == {"Credentials", "SessionTokenSize", "SessionTokenUtilization"}
    for seconds in (900, 129600):
        given = admin.sts.get_session_token(DurationSeconds=seconds)["Credentials"]["Expiration"]
        assert seconds - 60 < seconds_from_now(given) <= seconds + 1


def test_session_of_root_lasts_an_hour_at_most(home):
    for more in ({}, {"DurationSeconds": 129600}):
        given = home.sts.get_session_token(**more)["Credentials"]["Expiration"]
        assert 3540 < seconds_from_now(given) <= 3601


@pytest.mark.parametrize("operation,more", [("get_session_token", {}), ("get_federation_token", {"Name": "Jo"})])
@pytest.mark.parametrize(
    "seconds,rule",
    [
        (899, "Member must have value greater than or equal to 900"),
        (129601, "Member must have value less than or equal to 129600"),
    ],
)
def test_durations_of_user_sessions(house, admin, operation, more, seconds, rule):
    call = getattr(house.sts(admin.keys, lax=True), operation)
    with refused("ValidationError", broken("durationSeconds", seconds, rule), 400):
        call(**more, DurationSeconds=seconds)


def test_session_of_a_user_has_the_users_permissions_as_they_are_now(home, house):
    user = home.user()
    role = home.role()
    sts = house.sts(Keys.of(user.sts.get_session_token()["Credentials"]))
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")
    user.permit(allow("sts:AssumeRole"))
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")


def test_deactivating_the_key_does_not_end_its_sessions(home, house):
    user = home.user()
    keys = Keys.of(user.sts.get_session_token()["Credentials"])
    home.iam.update_access_key(UserName=user.name, AccessKeyId=user.keys.id, Status="Inactive")
    assert house.sts(keys).get_caller_identity()["Arn"] == user.arn


def test_mfa_condition_is_absent_for_keys_and_false_for_sessions(home, house):
    user = home.user(allow("sts:AssumeRole"))
    session = house.sts(Keys.of(user.sts.get_session_token()["Credentials"]))
    demanded = home.role(trust(home.root_arn, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    present = home.role(trust(home.root_arn, condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}))
    for sts in (user.sts, session):
        with refused("AccessDenied", status=403):
            sts.assume_role(RoleArn=demanded["Arn"], RoleSessionName="session")
    with refused("AccessDenied", status=403):
        user.sts.assume_role(RoleArn=present["Arn"], RoleSessionName="session")
    session.assume_role(RoleArn=present["Arn"], RoleSessionName="session")


# --- GetFederationToken ---------------------------------------------------------------------------------


def test_answer_of_get_federation_token(home, admin):
    answer = admin.sts.get_federation_token(Name="Jill")
    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{home.id}:Jill",
        "Arn": f"arn:aws:sts::{home.id}:federated-user/Jill",
    }
    assert answer["PackedPolicySize"] == 0
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert 43100 < seconds_from_now(answer["Credentials"]["Expiration"]) <= 43201
    assert admin.sts.get_federation_token(Name="Jill", Policy=allow("*"))["PackedPolicySize"] > 0


def test_federation_by_root_lasts_an_hour_at_most(home):
    given = home.sts.get_federation_token(Name="Jill", DurationSeconds=129600)["Credentials"]["Expiration"]
    assert 3540 < seconds_from_now(given) <= 3601


def test_federation_needs_permission_on_the_name(home):
    user = home.user(allow("sts:GetFederationToken", f"arn:aws:sts::{home.id}:federated-user/Manager*"))
    user.sts.get_federation_token(Name="ManagerJane")
    text = (
        f"User: {user.arn} is not authorized to perform: sts:GetFederationToken on resource:"
        f" arn:aws:sts::{home.id}:federated-user/Jane"
        " because no identity-based policy allows the sts:GetFederationToken action"
    )
    with refused("AccessDenied", text, 403):
        user.sts.get_federation_token(Name="Jane")


def test_federation_with_tags_needs_tag_session(home):
    half = home.user(allow("sts:GetFederationToken"))
    with refused("AccessDenied", re.compile("sts:TagSession"), 403):
        half.sts.get_federation_token(Name="Jill", Tags=tags(Team="blue"))
    half.permit(allow("sts:TagSession", f"arn:aws:sts::{home.id}:federated-user/Jill"))
    half.sts.get_federation_token(Name="Jill", Tags=tags(Team="blue"))


@pytest.mark.parametrize("value", ["J", "J" * 33, "J J", "J:ill"])
def test_names_of_federated_users(house, admin, value):
    with refused("ValidationError", re.compile("at 'name' failed to satisfy constraint"), 400):
        house.sts(admin.keys, lax=True).get_federation_token(Name=value)


def test_policy_wider_than_the_issuer_is_taken(home):
    user = home.user(allow("sts:GetFederationToken"))
    user.sts.get_federation_token(Name="Jill", Policy=EVERYTHING)


# --- GetAccessKeyInfo -----------------------------------------------------------------------------------


def test_access_key_info_tells_the_account(home, other, admin, callers):
    for keys, account in ((admin.keys, home.id), (callers["role"], home.id), (other.keys, other.id)):
        assert admin.sts.get_access_key_info(AccessKeyId=keys.id)["Account"] == account


def test_access_key_info_needs_permission(home):
    user = home.user()
    with refused("AccessDenied", re.compile("sts:GetAccessKeyInfo"), 403):
        user.sts.get_access_key_info(AccessKeyId=user.keys.id)


# --- when things end ------------------------------------------------------------------------------------


ENDED = "The security token included in the request is invalid."


def test_role_made_again_does_not_revive_old_sessions(home, house, admin):
    role = home.role(None, EVERYTHING)
    keys = admin.assume(role)
    house.iam(keys).list_users()
    home.iam.delete_role_policy(RoleName=role["RoleName"], PolicyName="p0")
    home.iam.delete_role(RoleName=role["RoleName"])
    with refused("InvalidClientTokenId", ENDED, status=403):
        house.iam(keys).list_users()
    home.iam.create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument=trust(home.root_arn))
    home.iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p", PolicyDocument=EVERYTHING)
    with refused("InvalidClientTokenId", ENDED, status=403):
        house.iam(keys).list_users()
    house.iam(admin.assume(role)).list_users()


def test_sessions_older_than_a_moment_can_be_refused(home, house, admin):
    role = home.role(None, EVERYTHING)
    keys = admin.assume(role)

    def revoke_before(seconds):
        moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        home.iam.put_role_policy(
            RoleName=role["RoleName"],
            PolicyName="AWSRevokeOlderSessions",
            PolicyDocument=deny("*", condition={"DateLessThan": {"aws:TokenIssueTime": moment}}),
        )

    revoke_before(this_second() - 3600)
    house.iam(keys).list_users()
    revoke_before(this_second() + 3600)
    with refused("AccessDenied", re.compile("with an explicit deny in an identity-based policy"), 403):
        house.iam(keys).list_users()
