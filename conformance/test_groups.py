"""Groups: a list of users with policies, and no identity of its own.

AWS sources: CreateGroup, UpdateGroup, DeleteGroup, AddUserToGroup in the IAM API Reference;
"IAM user groups" and "IAM and AWS STS quotas" in the IAM User Guide.
"""

import re
from concurrent.futures import ThreadPoolExecutor

from support.client import Account, allow, name, refused

GROUP = {"Path", "GroupName", "GroupId", "Arn", "CreateDate"}


def group(home, **more):
    return home.iam.create_group(GroupName=name("group"), **more)["Group"]


def test_created_group_is_read_back(home):
    made = group(home, Path="/teams/")
    assert set(made) == GROUP
    assert made["Arn"] == f"arn:aws:iam::{home.id}:group/teams/{made['GroupName']}"
    assert re.fullmatch(r"AGPA[A-Z0-9]{17}", made["GroupId"])
    found = home.iam.get_group(GroupName=made["GroupName"])
    assert found["Group"] == made and found["Users"] == [] and found["IsTruncated"] is False


def test_names_ignore_case(home):
    made = group(home)
    upper = made["GroupName"].upper()
    assert home.iam.get_group(GroupName=upper)["Group"] == made
    with refused("EntityAlreadyExists", f"Group with name {upper} already exists.", 409):
        home.iam.create_group(GroupName=upper)


def test_missing_group(home):
    with refused("NoSuchEntity", "The group with name nowhere cannot be found.", 404):
        home.iam.get_group(GroupName="nowhere")


def test_members_are_listed_on_both_sides(home):
    made, user = group(home), home.user()
    home.iam.add_user_to_group(GroupName=made["GroupName"], UserName=user.name)
    home.iam.add_user_to_group(GroupName=made["GroupName"], UserName=user.name)
    members = home.iam.get_group(GroupName=made["GroupName"])["Users"]
    assert [row["Arn"] for row in members] == [user.arn]
    assert home.iam.list_groups_for_user(UserName=user.name)["Groups"] == [made]
    home.iam.remove_user_from_group(GroupName=made["GroupName"], UserName=user.name)
    assert home.iam.list_groups_for_user(UserName=user.name)["Groups"] == []


def test_member_and_group_must_exist(home):
    made, user = group(home), home.user()
    with refused("NoSuchEntity", "The user with name nobody cannot be found.", 404):
        home.iam.add_user_to_group(GroupName=made["GroupName"], UserName="nobody")
    with refused("NoSuchEntity", "The group with name nowhere cannot be found.", 404):
        home.iam.add_user_to_group(GroupName="nowhere", UserName=user.name)


def test_group_with_members_or_policies_stays(home):
    made, user = group(home)["GroupName"], home.user()
    arn = home.policy(allow("*"))
    home.iam.add_user_to_group(GroupName=made, UserName=user.name)
    home.iam.put_group_policy(GroupName=made, PolicyName="p", PolicyDocument=allow("*"))
    home.iam.attach_group_policy(GroupName=made, PolicyArn=arn)
    steps = [
        lambda: home.iam.remove_user_from_group(GroupName=made, UserName=user.name),
        lambda: home.iam.delete_group_policy(GroupName=made, PolicyName="p"),
        lambda: home.iam.detach_group_policy(GroupName=made, PolicyArn=arn),
    ]
    for step in steps:
        with refused("DeleteConflict", re.compile(r"^Cannot delete entity, must .* first\.$"), 409):
            home.iam.delete_group(GroupName=made)
        step()
    home.iam.delete_group(GroupName=made)
    with refused("NoSuchEntity"):
        home.iam.get_group(GroupName=made)


def test_renamed_group_keeps_members_and_policies(home):
    made, user = group(home), home.user()
    home.iam.put_group_policy(GroupName=made["GroupName"], PolicyName="p", PolicyDocument=allow("iam:ListGroups"))
    home.iam.add_user_to_group(GroupName=made["GroupName"], UserName=user.name)
    renamed = name("renamed")
    home.iam.update_group(GroupName=made["GroupName"], NewGroupName=renamed, NewPath="/new/")
    found = home.iam.get_group(GroupName=renamed)
    assert found["Group"]["GroupId"] == made["GroupId"]
    assert found["Group"]["Arn"] == f"arn:aws:iam::{home.id}:group/new/{renamed}"
    assert [row["UserName"] for row in found["Users"]] == [user.name]
    user.iam.list_groups()


def test_user_is_in_at_most_ten_groups(home):
    user = home.user()
    for _ in range(10):
        home.iam.add_user_to_group(GroupName=group(home)["GroupName"], UserName=user.name)
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", 409):
        home.iam.add_user_to_group(GroupName=group(home)["GroupName"], UserName=user.name)


def test_membership_needs_the_permission_on_the_group_alone(home):
    made, user = group(home), home.user()
    keeper = home.user(allow(["iam:AddUserToGroup", "iam:RemoveUserFromGroup"], made["Arn"]))
    keeper.iam.add_user_to_group(GroupName=made["GroupName"], UserName=user.name)
    keeper.iam.remove_user_from_group(GroupName=made["GroupName"], UserName=user.name)
    wrong = home.user(allow("iam:AddUserToGroup", user.arn))
    text = (
        f"User: {wrong.arn} is not authorized to perform: iam:AddUserToGroup on resource: group {made['GroupName']}"
        " because no identity-based policy allows the iam:AddUserToGroup action"
    )
    with refused("AccessDenied", text, 403):
        wrong.iam.add_user_to_group(GroupName=made["GroupName"], UserName=user.name)


def test_group_is_no_principal(home):
    made = group(home)
    with refused("MalformedPolicyDocument", re.compile("Invalid principal in policy"), 400):
        home.iam.create_role(
            RoleName=name(),
            AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},'
            '"Action":"sts:AssumeRole"}]}' % made["Arn"],
        )


def test_near_the_quota_calls_at_the_same_time_all_get_through(house, server):
    """From nine tenths of a quota on all that make a group contend for the room; none of ten at once may fail."""
    account = Account(house, server.create_account())
    make = lambda number: account.iam.create_group(GroupName=f"group-{number}")
    with ThreadPoolExecutor(10) as pool:
        made = list(pool.map(make, range(300)))
    assert len(made) == 300
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 300", 409):
        make(300)
