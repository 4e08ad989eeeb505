"""Services that an account runs, and roles that only they take.

AWS sources: CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus in the IAM API Reference; "AWS
service principals", "The confused deputy problem" and "Create a service-linked role" in the IAM User Guide. AssumeRoleForService is
daypass's own: docs/services.md. The server of the tests has `--service scheduler.internal=<the first account>`.
"""

import json
import subprocess

import boto3
import pytest
from support.client import REGION, Keys, name, refused
from support.server import binary, clean_environment

SERVICE = "scheduler.internal"


def trusting(account, principal=None):
    """Lets the service in when it acts for this account."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": principal or {"Service": SERVICE},
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                    "Condition": {"StringEquals": {"aws:SourceAccount": account}},
                }
            ],
        }
    )


@pytest.fixture
def nightly(other):
    """A role of the other account."""
    return other.role(trusting(other.id), prefix="nightly")["Arn"]


@pytest.fixture
def scheduler(home, admin):
    return home.house.daypass(admin.keys)


def test_service_acts_in_the_account_that_trusts_it(home, other, scheduler, nightly):
    asked = {"ServiceName": SERVICE, "RoleArn": nightly, "RoleSessionName": "job-7", "SourceAccount": other.id}
    given = scheduler.assume_role_for_service(**asked, Tags=[{"Key": "Team", "Value": "red"}], DurationSeconds=900)
    who = home.house.sts(Keys.of(given["Credentials"])).get_caller_identity()
    assert who["Account"] == other.id and who["Arn"] == given["AssumedRoleUser"]["Arn"]
    assert who["Arn"].endswith("/job-7") and given["PackedPolicySize"] > 0


def test_confused_deputy(home, other, scheduler, nightly):
    asked = {"ServiceName": SERVICE, "RoleArn": nightly, "RoleSessionName": "job-7"}
    for source in ({}, {"SourceAccount": home.id}):
        with refused("AccessDenied", "Not authorized to perform sts:AssumeRole", 403):
            scheduler.assume_role_for_service(**asked, **source)


def test_missing_role_and_role_that_trusts_another_look_alike(other, scheduler):
    of_batch = other.role(trusting(other.id, {"Service": "batch.amazonaws.com"}), prefix="batch")["Arn"]
    for arn in (of_batch, f"arn:aws:iam::{other.id}:role/none"):
        with refused("AccessDenied", "Not authorized to perform sts:AssumeRole", 403):
            scheduler.assume_role_for_service(
                ServiceName=SERVICE, RoleArn=arn, RoleSessionName="job", SourceAccount=other.id
            )


def test_other_account_is_not_the_service(other, nightly):
    user = other.user(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    client = other.house.daypass(user.keys)
    message = f"User: {user.arn} is not authorized to perform: daypass:AssumeRoleForService on resource: arn:aws:daypass::{other.id}:service/"
    for known in (SERVICE, "nobody.internal"):
        with refused("AccessDenied", message + known, 403):
            client.assume_role_for_service(
                ServiceName=known, RoleArn=nightly, RoleSessionName="job", SourceAccount=other.id
            )


def test_service_linked_role_of_a_service_of_aws(home):
    made = home.iam.create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")["Role"]
    known = made["RoleName"]
    assert known == "AWSServiceRoleForElasticLoadBalancing"
    assert made["Path"] == "/aws-service-role/elasticloadbalancing.amazonaws.com/"
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "Service": ["elasticloadbalancing.amazonaws.com"]
    }
    with refused("InvalidInput", f"Service role name {known} has been taken in this account, please try a different suffix.", 400):
        home.iam.create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")
    with refused("UnmodifiableEntity", f"Cannot perform the operation on the protected role '{known}' - this role is only modifiable by AWS", 400):
        home.iam.delete_role(RoleName=known)
    task = home.iam.delete_service_linked_role(RoleName=known)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/elasticloadbalancing.amazonaws.com/{known}/")
    status = home.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert status["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity", f"The role with name {known} cannot be found.", 404):
        home.iam.get_role(RoleName=known)


def test_service_that_is_none_of_the_operators_or_daypass_itself_is_refused_at_the_start(tmp_path):
    for given, why in (
        ("scheduler=111122223333", "is no name of a service"),
        ("Scheduler.internal=111122223333", "is no name of a service"),
        ("ec2.amazonaws.com=111122223333", "daypass itself acts as ec2.amazonaws.com"),
        ("scheduler.internal", "give the name and the account"),
        ("scheduler.internal=1111", "give the name and the account"),
        ("a.b=111122223333,a.b=444455556666", "a.b is given twice"),
    ):
        command = [binary(), "serve", "--data", str(tmp_path / "data"), "--service", given]
        done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=60)
        assert done.returncode != 0 and why in done.stderr, (given, done.stderr)


def test_boto3_takes_the_credentials_as_they_come(home, other, scheduler, nightly):
    given = scheduler.assume_role_for_service(
        ServiceName=SERVICE, RoleArn=nightly, RoleSessionName="job", SourceAccount=other.id
    )["Credentials"]
    session = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=REGION
    )
    client = session.client("sts", endpoint_url=home.house.server.endpoint)
    assert client.get_caller_identity()["Account"] == other.id
    assert given["Expiration"].tzinfo is not None
