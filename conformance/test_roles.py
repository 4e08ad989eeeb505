"""Roles: trust policies, what each read returns, boundaries, and the protected ones.

AWS sources: CreateRole, GetRole, UpdateRole, UpdateAssumeRolePolicy, DeleteRole in the IAM API
Reference; "AWS JSON policy elements: Principal" in the IAM User Guide.
"""

import json
import re

import pytest

from support.client import allow, name, policy, refused, statement, trust

ROLE = {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}


def principals(role):
    """What the trust policy of the first statement names now."""
    return role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]


def test_created_role_is_read_back(home):
    document = trust(home.root_arn)
    made = home.iam.create_role(RoleName=name("Role"), Path="/app/", AssumeRolePolicyDocument=document)["Role"]
    assert set(made) == ROLE
    assert made["Arn"] == f"arn:aws:iam::{home.id}:role/app/{made['RoleName']}"
    assert re.fullmatch(r"AROA[A-Z0-9]{17}", made["RoleId"])
    assert made["AssumeRolePolicyDocument"] == json.loads(document)
    found = home.iam.get_role(RoleName=made["RoleName"])["Role"]
    assert set(found) == ROLE | {"MaxSessionDuration", "RoleLastUsed"}
    assert (found["MaxSessionDuration"], found["RoleLastUsed"]) == (3600, {})
    assert {key: found[key] for key in ROLE} == made


def test_description_tags_and_boundary_are_shown_where_aws_shows_them(home):
    boundary = home.policy(allow("*"))
    more = {
        "Description": "reads things",
        "MaxSessionDuration": 7200,
        "Tags": [{"Key": "Team", "Value": "blue"}],
        "PermissionsBoundary": boundary,
    }
    made = home.role(**more)
    assert set(made) == ROLE | {"Description", "Tags", "PermissionsBoundary"}
    found = home.iam.get_role(RoleName=made["RoleName"])["Role"]
    assert set(found) == set(made) | {"MaxSessionDuration", "RoleLastUsed"}
    assert found["MaxSessionDuration"] == 7200
    assert found["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    pages = home.iam.get_paginator("list_roles").paginate()
    listed = [row for page in pages for row in page["Roles"] if row["RoleId"] == made["RoleId"]]
    assert [set(row) for row in listed] == [ROLE | {"Description", "MaxSessionDuration"}]


def test_names_ignore_case(home):
    made = home.role()
    upper = made["RoleName"].upper()
    assert home.iam.get_role(RoleName=upper)["Role"]["RoleId"] == made["RoleId"]
    with refused("EntityAlreadyExists", f"Role with name {upper} already exists.", 409):
        home.iam.create_role(RoleName=upper, AssumeRolePolicyDocument=trust(home.root_arn))


def test_missing_role(home):
    with refused("NoSuchEntity", "The role with name nowhere cannot be found.", 404):
        home.iam.get_role(RoleName="nowhere")


@pytest.mark.parametrize("seconds", [3599, 0, 43201])
def test_session_duration_out_of_range(house, home, seconds):
    with refused(("ValidationError", "ParamValidation"), status=400):
        house.iam(home.keys, lax=True).create_role(
            RoleName=name(), AssumeRolePolicyDocument=trust(home.root_arn), MaxSessionDuration=seconds
        )


def test_sign_in_duration_is_refused_not_ignored(home):
    wanted = name()
    with refused(("ValidationError", "InvalidInput"), status=400):
        home.iam.create_role(
            RoleName=wanted, AssumeRolePolicyDocument=trust(home.root_arn), MaxSigninSessionDuration=3600
        )
    with refused("NoSuchEntity"):
        home.iam.get_role(RoleName=wanted)


def test_update_changes_only_what_it_names(home):
    made = home.role(Description="old", MaxSessionDuration=7200)["RoleName"]
    home.iam.update_role(RoleName=made, Description="new")
    found = home.iam.get_role(RoleName=made)["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("new", 7200)
    home.iam.update_role(RoleName=made, MaxSessionDuration=3600)
    found = home.iam.get_role(RoleName=made)["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("new", 3600)
    answer = home.iam.update_role_description(RoleName=made, Description="newer")["Role"]
    assert answer["Description"] == "newer"
    assert set(answer) == ROLE | {"Description"}


def test_role_with_policies_stays(home):
    made = home.role(None, allow("*"))["RoleName"]
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first.", 409):
        home.iam.delete_role(RoleName=made)
    home.iam.delete_role_policy(RoleName=made, PolicyName="p0")
    arn = home.policy(allow("*"))
    home.iam.attach_role_policy(RoleName=made, PolicyArn=arn)
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409):
        home.iam.delete_role(RoleName=made)
    home.iam.detach_role_policy(RoleName=made, PolicyArn=arn)
    home.iam.delete_role(RoleName=made)


def test_boundary_of_a_role_limits_its_sessions(home, house, admin):
    made = home.role(None, allow("iam:*"))
    iam = house.iam(admin.assume(made))
    iam.list_groups()
    boundary = home.policy(allow("iam:ListUsers"))
    home.iam.put_role_permissions_boundary(RoleName=made["RoleName"], PermissionsBoundary=boundary)
    iam.list_users()
    with refused("AccessDenied", re.compile("because no permissions boundary allows the iam:ListGroups action")):
        iam.list_groups()
    home.iam.delete_role_permissions_boundary(RoleName=made["RoleName"])
    iam.list_groups()
    with refused("NoSuchEntity", status=404):
        home.iam.delete_role_permissions_boundary(RoleName=made["RoleName"])


def test_last_use_of_a_role(home, house, admin):
    made = home.role(None, allow("iam:ListUsers"))
    house.iam(admin.assume(made)).list_users()
    used = home.iam.get_role(RoleName=made["RoleName"])["Role"]["RoleLastUsed"]
    assert used["Region"] == "us-east-1" and used["LastUsedDate"]


# --- trust policies -------------------------------------------------------------------------------------


def test_principals_are_kept_by_id_and_shown_by_arn(home, admin):
    friend = home.user(allow("sts:AssumeRole"), prefix="friend")
    made = home.role(trust(friend.arn))
    friend.assume(made)
    shown = principals(home.iam.get_role(RoleName=made["RoleName"])["Role"])
    assert shown == {"AWS": friend.arn}

    home.iam.delete_access_key(UserName=friend.name, AccessKeyId=friend.keys.id)
    home.iam.delete_user_policy(UserName=friend.name, PolicyName="p0")
    home.iam.delete_user(UserName=friend.name)
    shown = principals(home.iam.get_role(RoleName=made["RoleName"])["Role"])
    assert shown == {"AWS": friend.id}

    namesake = home.iam.create_user(UserName=friend.name)["User"]
    assert namesake["Arn"] == friend.arn
    home.iam.put_user_policy(UserName=friend.name, PolicyName="p", PolicyDocument=allow("sts:AssumeRole"))
    key = home.iam.create_access_key(UserName=friend.name)["AccessKey"]
    sts = home.house.sts(admin.keys.but(id=key["AccessKeyId"], secret=key["SecretAccessKey"]))
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=made["Arn"], RoleSessionName="ghost")


def test_account_number_and_root_arn_mean_the_account(home):
    for principal in (home.id, home.root_arn):
        user = home.user(allow("sts:AssumeRole"))
        user.assume(home.role(trust(principal)))


def test_service_principal_is_taken(home):
    made = home.role(trust({"Service": "ec2.amazonaws.com"}))
    assert principals(home.iam.get_role(RoleName=made["RoleName"])["Role"]) == {"Service": "ec2.amazonaws.com"}


def test_update_replaces_the_whole_trust_policy(home):
    user = home.user(allow("sts:AssumeRole"))
    made = home.role(trust(user.arn))
    user.assume(made)
    home.iam.update_assume_role_policy(RoleName=made["RoleName"], PolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    with refused("AccessDenied", status=403):
        user.assume(made)


def document(**changes):
    """A sound trust statement with some members changed; None removes one."""
    whole = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole", **changes}
    kept = {key: value for key, value in whole.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


@pytest.mark.parametrize(
    "text,message",
    [
        ("{", "This policy contains invalid Json"),
        ("not json at all", "This policy contains invalid Json"),
        (document(Resource="*"), "Has prohibited field Resource"),
        (document(Principal=None), "Missing required field Principal"),
        (document(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (document(Principal="*"), 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'),
        (
            document(Principal={"AWS": "arn:aws:iam::123456789012:user/nobody-at-all"}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/nobody-at-all"',
        ),
    ],
)
def test_trust_policy_that_is_none(home, text, message):
    wanted = name()
    with refused("MalformedPolicyDocument", message, 400):
        home.iam.create_role(RoleName=wanted, AssumeRolePolicyDocument=text)
    with refused("NoSuchEntity"):
        home.iam.get_role(RoleName=wanted)
    made = home.role()
    with refused("MalformedPolicyDocument", message, 400):
        home.iam.update_assume_role_policy(RoleName=made["RoleName"], PolicyDocument=text)


def test_missing_user_of_this_account_is_no_principal(home):
    arn = f"arn:aws:iam::{home.id}:user/never-was"
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"', 400):
        home.role(trust(arn))


@pytest.mark.parametrize("principal", ["000000000001", "arn:aws:iam::000000000001:root"])
def test_account_that_does_not_exist_is_no_principal(home, principal):
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"', 400):
        home.role(trust(principal))


def test_trust_policy_has_a_size(home):
    long = trust(home.root_arn, condition={"StringEquals": {"sts:ExternalId": "x" * 2048}})
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409):
        home.role(long)


def test_white_space_does_not_count_in_a_trust_policy(home):
    home.role(json.dumps(json.loads(trust(home.root_arn)), indent=600))


# --- permissions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:UpdateRole"])
def test_role_needs_the_permission_on_its_arn(home, action):
    made = home.role(Path="/ours/")
    user = home.user(allow(action, f"arn:aws:iam::{home.id}:role/ours/*"))
    if action == "iam:CreateRole":
        user.iam.create_role(RoleName=name(), Path="/ours/", AssumeRolePolicyDocument=trust(home.root_arn))
        wanted = name()
        text = (
            f"User: {user.arn} is not authorized to perform: iam:CreateRole on resource:"
            f" arn:aws:iam::{home.id}:role/{wanted}"
            " because no identity-based policy allows the iam:CreateRole action"
        )
        with refused("AccessDenied", text, 403):
            user.iam.create_role(RoleName=wanted, AssumeRolePolicyDocument=trust(home.root_arn))
    else:
        user.iam.update_role(RoleName=made["RoleName"], Description="x")
        outside = home.role()["RoleName"]
        text = (
            f"User: {user.arn} is not authorized to perform: iam:UpdateRole on resource: role {outside}"
            " because no identity-based policy allows the iam:UpdateRole action"
        )
        with refused("AccessDenied", text, 403):
            user.iam.update_role(RoleName=outside, Description="x")


def test_attach_may_be_limited_to_one_policy(home):
    arn, wrong = home.policy(allow("s3:*")), home.policy(allow("*"))
    made = home.role()["RoleName"]
    user = home.user(policy(statement("iam:AttachRolePolicy", condition={"ArnEquals": {"iam:PolicyARN": arn}})))
    user.iam.attach_role_policy(RoleName=made, PolicyArn=arn)
    with refused("AccessDenied", status=403):
        user.iam.attach_role_policy(RoleName=made, PolicyArn=wrong)
