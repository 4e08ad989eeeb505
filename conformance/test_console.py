"""Signing in with temporary credentials: the federation endpoint, the console's page, and the way out.

AWS source: "Enable custom identity broker access to the AWS console" in the IAM User Guide. What the page offers is ours.
"""

import json
import re
import urllib.parse

import pytest

from support.client import ALLOW_ALL, allow, name, policy, refused, statement, trust
from support.server import Keys
from support.visitor import Visitor

EVERYTHING = json.dumps(ALLOW_ALL)


@pytest.fixture(scope="module")
def role(home):
    return home.role(trust(home.root_arn), EVERYTHING, prefix="desk")


def assume(who, role, session="ada", **more):
    return Keys.of(who.sts.assume_role(RoleArn=role["Arn"], RoleSessionName=session, **more)["Credentials"])


def exports(page):
    """The credentials in the lines for a shell."""
    said = dict(re.findall(r"export (\w+)=(?:&#39;|')([^'&]+)", page.text))
    return Keys(said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"], said["AWS_SESSION_TOKEN"])


def command_line(visitor, page, path):
    shown = visitor.post(f"{path}credentials", page.forms()[f"{path}credentials"])
    assert shown.status == 200, shown.text
    return exports(shown)


def test_temporary_credentials_become_a_link_that_opens_the_console(server, house, admin, role):
    visitor = Visitor(server)
    page, path = visitor.sign_in(assume(admin, role))
    assert re.fullmatch(r"/console/s/[0-9a-f]{32}/", path)
    assert f"assumed-role/{role['RoleName']}/ada" in page.text
    keys = command_line(visitor, page, path)
    assert house.sts(keys).get_caller_identity()["Arn"].endswith(f":assumed-role/{role['RoleName']}/ada")
    house.iam(keys).list_users(MaxItems=1)
    signed_out = visitor.post(f"{path}sign-out", page.forms()[f"{path}sign-out"])
    assert "signed out" in signed_out.text
    with refused("ExpiredToken", status=403):
        house.sts(keys).get_caller_identity()
    assert "not signed in" in visitor.get(f"{path}?again").text


def test_a_federated_user_may_call_iam_from_the_console_and_nowhere_else(server, house, home):
    user = home.user(policy(statement("sts:GetFederationToken"), statement("iam:ListUsers")))
    keys = Keys.of(user.sts.get_federation_token(Name="grace", Policy=allow("iam:ListUsers"))["Credentials"])
    with refused("InvalidClientTokenId"):
        house.iam(keys).list_users()
    visitor = Visitor(server)
    page, path = visitor.sign_in(keys)
    inside = command_line(visitor, page, path)
    assert house.sts(inside).get_caller_identity()["Arn"].endswith(":federated-user/grace")
    house.iam(inside).list_users(MaxItems=1)
    with refused("AccessDenied"):
        house.iam(inside).list_roles()
