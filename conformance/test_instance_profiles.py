"""Instance profiles: a role for machines, and the permission to pass it to them.

AWS sources: CreateInstanceProfile, AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile, DeleteInstanceProfile, DeleteRole in the
IAM API Reference; "Use instance profiles" and "Grant a user permissions to pass a role to an AWS service" in the IAM User Guide.
"""

import json
import re

import pytest
from support.client import name, refused, trust


@pytest.fixture
def profile(home):
    return home.iam.create_instance_profile(InstanceProfileName=name("profile"), Path="/fleet/")["InstanceProfile"]


def role(home):
    made = name("role")
    home.iam.create_role(RoleName=made, AssumeRolePolicyDocument=trust(home.root_arn))
    return made


def test_profile_is_made_waited_for_and_read_back(home, profile):
    known = profile["InstanceProfileName"]
    assert re.fullmatch(r"AIPA[A-Z0-9]{17}", profile["InstanceProfileId"])
    assert profile["Arn"] == f"arn:aws:iam::{home.id}:instance-profile/fleet/{known}"
    assert profile["Roles"] == []
    home.iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=known)
    found = home.iam.get_instance_profile(InstanceProfileName=known.upper())["InstanceProfile"]
    assert found == {**profile, "Tags": []}


def test_role_in_a_profile_cannot_be_deleted_nor_the_profile(home, profile):
    known, app = profile["InstanceProfileName"], role(home)
    home.iam.add_role_to_instance_profile(InstanceProfileName=known, RoleName=app)
    found = home.iam.get_instance_profile(InstanceProfileName=known)["InstanceProfile"]["Roles"]
    assert [row["RoleName"] for row in found] == [app]
    assert isinstance(found[0]["AssumeRolePolicyDocument"], dict)
    listed = home.iam.list_instance_profiles_for_role(RoleName=app)["InstanceProfiles"]
    assert [row["InstanceProfileName"] for row in listed] == [known]
    first = "Cannot delete entity, must remove roles from instance profile first."
    with refused("DeleteConflict", first, 409):
        home.iam.delete_role(RoleName=app)
    with refused("DeleteConflict", first, 409):
        home.iam.delete_instance_profile(InstanceProfileName=known)
    with refused("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409):
        home.iam.add_role_to_instance_profile(InstanceProfileName=known, RoleName=role(home))
    home.iam.remove_role_from_instance_profile(InstanceProfileName=known, RoleName=app)
    home.iam.delete_role(RoleName=app)
    home.iam.delete_instance_profile(InstanceProfileName=known)
    with refused("NoSuchEntity", f"Instance Profile {known} cannot be found.", 404):
        home.iam.get_instance_profile(InstanceProfileName=known)


def test_role_is_passed_only_by_who_may_pass_it_to_machines(home, profile):
    known, app = profile["InstanceProfileName"], role(home)

    def may(service):
        add = {"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": profile["Arn"]}
        to = {"StringEquals": {"iam:PassedToService": service}}
        passed = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": to}
        return json.dumps({"Version": "2012-10-17", "Statement": [add, passed]})

    user = home.user(may("ecs-tasks.amazonaws.com"))
    client = home.house.client("iam", user.keys)
    with refused("AccessDenied", re.compile(r"iam:PassRole on resource: arn:aws:iam::\d{12}:role/"), 403):
        client.add_role_to_instance_profile(InstanceProfileName=known, RoleName=app)
    home.iam.put_user_policy(UserName=user.name, PolicyName="more", PolicyDocument=may("ec2.amazonaws.com"))
    client.add_role_to_instance_profile(InstanceProfileName=known, RoleName=app)
