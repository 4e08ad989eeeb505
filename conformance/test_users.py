"""Users: names, paths, ids, what each read returns, and why one cannot be deleted.

AWS sources: CreateUser, GetUser, UpdateUser, DeleteUser, ListUsers in the IAM API Reference;
"IAM identifiers" in the IAM User Guide.
"""

import datetime
import re

import pytest

from support.client import ALLOW_ALL, allow, deny, name, policy, refused, statement, trust
from support.server import Keys

USER = {"Path", "UserName", "UserId", "Arn", "CreateDate"}


NAME_CHARACTERS = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
PATH_CHARACTERS = "It must begin and end with / and contain only alphanumeric characters and/or / characters."


def validation(member, rule):
    """IAM's sentence for a broken shape; it never prints the value."""
    text = f"1 validation error detected: Value at '{member}' failed to satisfy constraint: {rule}"
    return re.compile(re.escape(text))


def test_created_user_is_read_back(home):
    wanted = name("Bob")
    made = home.iam.create_user(UserName=wanted, Path="/div/")["User"]
    assert set(made) == USER
    assert made["Arn"] == f"arn:aws:iam::{home.id}:user/div/{wanted}"
    assert re.fullmatch(r"AIDA[A-Z0-9]{17}", made["UserId"])
    age = datetime.datetime.now(datetime.timezone.utc) - made["CreateDate"]
    assert abs(age.total_seconds()) < 60 and made["CreateDate"].microsecond == 0
    assert home.iam.get_user(UserName=wanted)["User"] == made


def test_path_is_the_root_when_none_is_given(home):
    made = home.iam.create_user(UserName=name())["User"]
    assert made["Path"] == "/"


def test_tags_and_boundary_are_shown_only_when_set(home):
    boundary = home.policy(allow("*"))
    made = home.iam.create_user(
        UserName=name(), Tags=[{"Key": "Team", "Value": "blue"}], PermissionsBoundary=boundary
    )["User"]
    assert set(made) == USER | {"Tags", "PermissionsBoundary"}
    assert made["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": boundary,
    }
    assert home.iam.get_user(UserName=made["UserName"])["User"] == made
    listed = [user for user in home.iam.list_users(PathPrefix="/", MaxItems=1000)["Users"] if user["UserId"] == made["UserId"]]
    assert [set(user) for user in listed] == [USER]


def test_user_without_a_name_is_the_caller(home):
    user = home.user(allow("iam:GetUser"))
    assert user.iam.get_user()["User"]["Arn"] == user.arn


def test_root_without_a_name_has_neither_name_nor_path(home):
    found = home.iam.get_user()["User"]
    assert (found["UserId"], found["Arn"]) == (home.id, home.root_arn)
    assert "UserName" not in found and "Path" not in found


def test_role_must_say_which_user(home, house, admin):
    keys = admin.assume(home.role(None, allow("*")))
    with refused("ValidationError", "Must specify userName when calling with non-User credentials", 400):
        house.iam(keys).get_user()


def test_names_are_unique_and_found_without_regard_to_case(home):
    wanted = name("MiXed")
    made = home.iam.create_user(UserName=wanted)["User"]
    with refused("EntityAlreadyExists", f"User with name {wanted.upper()} already exists.", 409):
        home.iam.create_user(UserName=wanted.upper(), Path="/elsewhere/")
    assert home.iam.get_user(UserName=wanted.lower())["User"] == made


def test_missing_user(home):
    with refused("NoSuchEntity", "The user with name nobody-here cannot be found.", 404):
        home.iam.get_user(UserName="nobody-here")
    with refused("NoSuchEntity", "The user with name nobody-here cannot be found.", 404):
        home.iam.delete_user(UserName="nobody-here")


@pytest.mark.parametrize(
    "member,value,rule",
    [
        ("userName", "", NAME_CHARACTERS),
        ("userName", "a b", NAME_CHARACTERS),
        ("userName", "naïve", NAME_CHARACTERS),
        ("userName", "line\n", NAME_CHARACTERS),
        ("path", "no-slash", PATH_CHARACTERS),
        ("path", "//", PATH_CHARACTERS),
        ("path", "/a", PATH_CHARACTERS),
    ],
)
def test_characters_of_name_and_path(house, home, member, value, rule):
    parameters = {"UserName": name(), "Path": "/"}
    parameters[member[0].upper() + member[1:]] = value
    with refused("ValidationError", f"The specified value for {member} is invalid. {rule}", 400):
        house.iam(home.keys, lax=True).create_user(**parameters)


def test_length_of_a_name(house, home):
    with refused("ValidationError", validation("userName", "Member must have length less than or equal to 64"), 400):
        house.iam(home.keys, lax=True).create_user(UserName="x" * 65)


def test_missing_parameter_is_named(house, home):
    with refused("ValidationError", validation("userName", "Member must not be null"), 400):
        house.iam(home.keys, lax=True).create_user()


def test_every_broken_shape_is_told_at_once(house, home):
    with refused("ValidationError", re.compile(r"^2 validation errors detected: .*; ")):
        house.iam(home.keys, lax=True).create_user(UserName="x" * 65, Path=f"/{'x' * 600}/")


def test_path_may_hold_empty_parts(home):
    made = home.iam.create_user(UserName=name(), Path="/a//b/")["User"]
    assert made["Path"] == "/a//b/"


def test_renamed_and_moved_user_keeps_id_keys_policies_and_groups(home):
    user = home.user(allow("iam:ListUsers"))
    group = name("group")
    home.iam.create_group(GroupName=group)
    home.iam.add_user_to_group(GroupName=group, UserName=user.name)
    renamed = name("renamed")
    home.iam.update_user(UserName=user.name, NewUserName=renamed, NewPath="/moved/")
    found = home.iam.get_user(UserName=renamed)["User"]
    assert (found["UserId"], found["Arn"]) == (user.id, f"arn:aws:iam::{home.id}:user/moved/{renamed}")
    assert user.sts.get_caller_identity()["Arn"] == found["Arn"]
    assert [row["GroupName"] for row in home.iam.list_groups_for_user(UserName=renamed)["Groups"]] == [group]
    user.iam.list_users()
    with refused("NoSuchEntity"):
        home.iam.get_user(UserName=user.name)


def test_rename_needs_the_permission_on_the_old_and_the_new_arn(home):
    target = home.iam.create_user(UserName=name())["User"]
    wanted = name("new")
    new_arn = f"arn:aws:iam::{home.id}:user/{wanted}"
    for resource in (target["Arn"], new_arn):
        half = home.user(allow("iam:UpdateUser", resource))
        with refused("AccessDenied", status=403):
            half.iam.update_user(UserName=target["UserName"], NewUserName=wanted)
    whole = home.user(allow("iam:UpdateUser", [target["Arn"], new_arn]))
    whole.iam.update_user(UserName=target["UserName"], NewUserName=wanted)


def test_rename_to_a_taken_name(home):
    first, second = name("first"), name("second")
    home.iam.create_user(UserName=first)
    home.iam.create_user(UserName=second)
    with refused("EntityAlreadyExists", f"User with name {second} already exists.", 409):
        home.iam.update_user(UserName=first, NewUserName=second)


def test_rename_may_change_the_case_alone(home):
    wanted = name("case")
    home.iam.create_user(UserName=wanted)
    home.iam.update_user(UserName=wanted, NewUserName=wanted.upper())
    assert home.iam.get_user(UserName=wanted)["User"]["UserName"] == wanted.upper()


# --- deletion -------------------------------------------------------------------------------------------


def with_access_key(home, user):
    key = home.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    return lambda: home.iam.delete_access_key(UserName=user, AccessKeyId=key)


def with_inline_policy(home, user):
    home.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=allow("*"))
    return lambda: home.iam.delete_user_policy(UserName=user, PolicyName="p")


def with_attached_policy(home, user):
    arn = home.policy(allow("*"))
    home.iam.attach_user_policy(UserName=user, PolicyArn=arn)
    return lambda: home.iam.detach_user_policy(UserName=user, PolicyArn=arn)


def with_group(home, user):
    group = name("group")
    home.iam.create_group(GroupName=group)
    home.iam.add_user_to_group(GroupName=group, UserName=user)
    return lambda: home.iam.remove_user_from_group(GroupName=group, UserName=user)


@pytest.mark.parametrize(
    "furnish,first",
    [
        (with_access_key, "delete access keys first."),
        (with_inline_policy, "delete policies first."),
        (with_attached_policy, "detach all policies first."),
        (with_group, "remove users from group first."),
    ],
)
def test_user_goes_only_when_nothing_hangs_on_it(home, furnish, first):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    clear = furnish(home, user)
    with refused("DeleteConflict", f"Cannot delete entity, must {first}", 409):
        home.iam.delete_user(UserName=user)
    clear()
    home.iam.delete_user(UserName=user)
    with refused("NoSuchEntity"):
        home.iam.get_user(UserName=user)


def test_boundary_does_not_keep_a_user(home):
    user = home.iam.create_user(UserName=name(), PermissionsBoundary=home.policy(allow("*")))["User"]["UserName"]
    home.iam.delete_user(UserName=user)


def test_namesake_of_a_deleted_user_is_another_user(home):
    wanted = name("phoenix")
    first = home.iam.create_user(UserName=wanted)["User"]
    home.iam.delete_user(UserName=wanted)
    second = home.iam.create_user(UserName=wanted)["User"]
    assert second["UserId"] != first["UserId"] and second["Arn"] == first["Arn"]


# --- permissions boundary -------------------------------------------------------------------------------


def test_boundary_limits_what_the_user_may(home):
    user = home.user(allow("iam:*"))
    user.iam.list_groups()
    boundary = home.policy(allow("iam:ListUsers"))
    home.iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
    user.iam.list_users()
    text = (
        f"User: {user.arn} is not authorized to perform: iam:ListGroups on resource: arn:aws:iam::{home.id}:group/"
        " because no permissions boundary allows the iam:ListGroups action"
    )
    with refused("AccessDenied", text, 403):
        user.iam.list_groups()
    home.iam.delete_user_permissions_boundary(UserName=user.name)
    user.iam.list_groups()


def test_boundary_that_is_not_there(home):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    with refused("NoSuchEntity", status=404):
        home.iam.delete_user_permissions_boundary(UserName=user)
    missing = f"arn:aws:iam::{home.id}:policy/missing"
    with refused("NoSuchEntity", status=404):
        home.iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=missing)


# --- who may --------------------------------------------------------------------------------------------


def test_nobody_starts_with_a_permission(home):
    user = home.user()
    text = (
        f"User: {user.arn} is not authorized to perform: iam:CreateUser on resource:"
        f" arn:aws:iam::{home.id}:user/x because no identity-based policy allows the iam:CreateUser action"
    )
    with refused("AccessDenied", text, 403):
        user.iam.create_user(UserName="x")


def test_denied_caller_learns_nothing_about_what_exists(home):
    user = home.user()
    there = home.iam.create_user(UserName=name())["User"]["UserName"]
    for target in (there, "not-there"):
        text = (
            f"User: {user.arn} is not authorized to perform: iam:GetUser on resource: user {target}"
            " because no identity-based policy allows the iam:GetUser action"
        )
        with refused("AccessDenied", text, 403):
            user.iam.get_user(UserName=target)


def test_shape_is_checked_before_permission_and_meaning_after(house, home):
    user = home.user()
    with refused("ValidationError"):
        house.iam(user.keys, lax=True).create_user(UserName="x" * 65)
    reserved = [{"Key": "aws:x", "Value": "y"}]
    with refused("AccessDenied"):
        user.iam.create_user(UserName=name(), Tags=reserved)
    with refused("InvalidInput", "Tag keys beginning with aws: are reserved for system use.", 400):
        home.iam.create_user(UserName=name(), Tags=reserved)


def test_explicit_deny_is_named_and_wins(home):
    user = home.user(allow("*"), deny("iam:ListUsers"))
    text = (
        f"User: {user.arn} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{home.id}:user/"
        " with an explicit deny in an identity-based policy"
    )
    with refused("AccessDenied", re.compile("^" + re.escape(text)), 403):
        user.iam.list_users()


def test_permission_on_a_path_covers_that_path_only(home):
    user = home.user(allow("iam:CreateUser", f"arn:aws:iam::{home.id}:user/blue/*"))
    user.iam.create_user(UserName=name(), Path="/blue/")
    for path in ("/", "/red/", "/blu/"):
        with refused("AccessDenied"):
            user.iam.create_user(UserName=name(), Path=path)


def test_stored_spelling_counts_for_the_permission(home):
    target = home.iam.create_user(UserName=name("Target"), Path="/p/")["User"]
    user = home.user(allow("iam:GetUser", target["Arn"]))
    assert user.iam.get_user(UserName=target["UserName"].upper())["User"]["UserId"] == target["UserId"]
    lower = home.user(allow("iam:GetUser", target["Arn"].lower()))
    with refused("AccessDenied"):
        lower.iam.get_user(UserName=target["UserName"].lower())


def test_tags_at_creation_need_their_own_permission(home):
    tags = [{"Key": "Team", "Value": "blue"}]
    half = home.user(allow("iam:CreateUser"))
    half.iam.create_user(UserName=name())
    wanted = name()
    with refused("AccessDenied", re.compile("iam:TagUser")):
        half.iam.create_user(UserName=wanted, Tags=tags)
    with refused("NoSuchEntity"):
        home.iam.get_user(UserName=wanted)
    condition = {"StringEquals": {"aws:RequestTag/Team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}
    whole = home.user(policy(statement("iam:CreateUser"), statement("iam:TagUser", condition=condition)))
    whole.iam.create_user(UserName=name(), Tags=tags)
    for other in ([{"Key": "Team", "Value": "red"}], tags + [{"Key": "More", "Value": "x"}]):
        with refused("AccessDenied"):
            whole.iam.create_user(UserName=name(), Tags=other)


def test_boundary_can_be_demanded_of_new_users(home):
    boundary = home.policy(allow("iam:List*"))
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    user = home.user(allow("iam:CreateUser", condition=condition))
    user.iam.create_user(UserName=name(), PermissionsBoundary=boundary)
    for more in ({}, {"PermissionsBoundary": home.policy(allow("*"))}):
        with refused("AccessDenied"):
            user.iam.create_user(UserName=name(), **more)


def test_other_account_cannot_reach_in(home, other):
    user = home.user()
    with refused("NoSuchEntity"):
        other.iam.get_user(UserName=user.name)
    names = {row["UserName"] for page in other.iam.get_paginator("list_users").paginate() for row in page["Users"]}
    assert user.name not in names


def test_user_may_do_what_the_group_may(home):
    user = home.user()
    group = name("group")
    home.iam.create_group(GroupName=group)
    home.iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=allow("iam:ListUsers"))
    with refused("AccessDenied"):
        user.iam.list_users()
    home.iam.add_user_to_group(GroupName=group, UserName=user.name)
    user.iam.list_users()
    home.iam.put_group_policy(GroupName=group, PolicyName="q", PolicyDocument=deny("iam:ListUsers"))
    with refused("AccessDenied", re.compile("explicit deny in an identity-based policy")):
        user.iam.list_users()
    home.iam.remove_user_from_group(GroupName=group, UserName=user.name)
    with refused("AccessDenied", re.compile("no identity-based policy allows")):
        user.iam.list_users()


def test_narrow_session_cannot_widen_itself(home, house):
    """A session with a session policy gets nothing beyond it, self-service calls included."""
    user = home.user(allow("*"))
    role = home.role(trust(home.root_arn), allow("*"))
    keys = user.assume(role, Policy=allow("iam:ListUsers"))
    iam, sts = house.iam(keys), house.sts(keys)
    iam.list_users()
    attempts = [
        lambda: iam.create_access_key(UserName=user.name),
        lambda: iam.put_role_policy(RoleName=role["RoleName"], PolicyName="x", PolicyDocument=allow("*")),
        lambda: iam.create_user(UserName=name()),
        lambda: iam.attach_user_policy(UserName=user.name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        lambda: iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=trust("*")),
        lambda: sts.assume_role(RoleArn=role["Arn"], RoleSessionName="again"),
        lambda: sts.get_session_token(),
        lambda: sts.get_federation_token(Name="wide", Policy=policy(ALLOW_ALL["Statement"])),
    ]
    for attempt in attempts:
        with refused("AccessDenied", status=403):
            attempt()


def test_session_of_a_user_is_no_way_around_iam(home, house):
    user = home.user(allow("*"))
    keys = Keys.of(user.sts.get_session_token()["Credentials"])
    text = re.compile(r"^The security token included in the request is invalid\.?$")
    with refused("InvalidClientTokenId", text, 403):
        house.iam(keys).create_user(UserName=name())
