"""boto3 clients and the people who hold them."""

import base64
import contextlib
import datetime
import json
import re
import secrets
import time

import boto3
import botocore
import botocore.config
import botocore.exceptions
import pytest

from .secrets import watch
from .server import ROOT, Keys

REGION = "us-east-1"
ONCE = {"total_max_attempts": 1}
STRICT = botocore.config.Config(retries=ONCE)
# Sends what the model forbids, so that the server has to refuse it.
LAX = botocore.config.Config(retries=ONCE, parameter_validation=False)
ALLOW_ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def statement(action, resource="*", effect="Allow", condition=None, **more):
    """One statement."""
    made = {"Effect": effect, "Action": action, "Resource": resource, **more}
    if condition:
        made["Condition"] = condition
    return made


def policy(*statements, version="2012-10-17"):
    """A policy document as text."""
    document = {"Version": version} if version else {}
    return json.dumps({**document, "Statement": list(statements)})


def allow(action, resource="*", condition=None):
    """A policy that allows one thing."""
    return policy(statement(action, resource, condition=condition))


def deny(action, resource="*", condition=None):
    """A policy that denies one thing."""
    return policy(statement(action, resource, "Deny", condition))


def trust(principal, action="sts:AssumeRole", condition=None, effect="Allow"):
    """A trust policy; `principal` is an ARN, an account, or a whole Principal object."""
    whole = principal if isinstance(principal, dict) else {"AWS": principal}
    made = {"Effect": effect, "Principal": whole, "Action": action}
    if condition:
        made["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [made]})


def name(prefix="thing"):
    """A name nobody used."""
    return f"{prefix}-{secrets.token_hex(4)}"


def account_in(access_key_id):
    """The account number that an access key id carries, as client tools read it."""
    number = int.from_bytes(base64.b32decode(access_key_id[4:])[:6], "big")
    return f"{(number & 0x7FFFFFFFFF80) >> 7:012d}"


def seconds_from_now(expiration):
    """How long from now, in seconds."""
    return (expiration - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


@contextlib.contextmanager
def refused(code, text=None, status=None):
    """The call inside fails with that code; `text` is the whole message, or a compiled pattern to search."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield caught
    error = caught.value.response
    codes = code if isinstance(code, (tuple, set)) else (code,)
    assert error["Error"]["Code"] in codes, error["Error"]
    message = error["Error"].get("Message", "")
    if isinstance(text, re.Pattern):
        assert text.search(message), message
    elif text is not None:
        assert message == text
    if status is not None:
        assert error["ResponseMetadata"]["HTTPStatusCode"] == status, error


class House:
    """A running server, and clients for anybody's keys."""

    def __init__(self, server):
        self.server = server
        self.session = boto3.Session(region_name=REGION)
        watch(self.session.events)
        self._clients = {}

    def client(self, service, keys, lax=False, region=REGION):
        key = (service, keys.id, keys.secret, keys.token, lax, region)
        if key not in self._clients:
            self._clients[key] = self.session.client(
                service,
                region_name=region,
                endpoint_url=self.server.endpoint,
                aws_access_key_id=keys.id,
                aws_secret_access_key=keys.secret,
                aws_session_token=keys.token,
                config=LAX if lax else STRICT,
            )
        return self._clients[key]

    def nobody(self, lax=False):
        """STS for callers who sign nothing, since an identity provider vouches for them."""
        unsigned = botocore.config.Config(signature_version=botocore.UNSIGNED)
        return self.session.client(
            "sts", region_name=REGION, endpoint_url=self.server.endpoint, config=(LAX if lax else STRICT).merge(unsigned)
        )

    def iam(self, keys, lax=False):
        return self.client("iam", keys, lax)

    def sts(self, keys, lax=False):
        return self.client("sts", keys, lax)

    def daypass(self, keys, lax=False):
        return self.client("daypass", keys, lax)


class Account:
    """An account by its root keys, with short ways to furnish it."""

    def __init__(self, house, keys):
        self.house = house
        self.keys = keys
        self.iam = house.iam(keys)
        self.sts = house.sts(keys)
        self.daypass = house.daypass(keys)
        self.id = self.sts.get_caller_identity()["Account"]
        self.root_arn = f"arn:aws:iam::{self.id}:root"

    def user(self, *policies, prefix="user", path="/", **more):
        """A user with an access key and these inline policies."""
        made = self.iam.create_user(UserName=name(prefix), Path=path, **more)["User"]
        for number, document in enumerate(policies):
            self.iam.put_user_policy(UserName=made["UserName"], PolicyName=f"p{number}", PolicyDocument=document)
        key = self.iam.create_access_key(UserName=made["UserName"])["AccessKey"]
        return User(self, made, Keys(key["AccessKeyId"], key["SecretAccessKey"]))

    def role(self, trust_policy=None, *policies, prefix="role", **more):
        """A role with these inline policies, trusting its own account unless told otherwise."""
        made = self.iam.create_role(
            RoleName=name(prefix), AssumeRolePolicyDocument=trust_policy or trust(self.root_arn), **more
        )["Role"]
        for number, document in enumerate(policies):
            self.iam.put_role_policy(RoleName=made["RoleName"], PolicyName=f"p{number}", PolicyDocument=document)
        return made

    def policy(self, document, prefix="policy", **more):
        """A managed policy; its ARN."""
        return self.iam.create_policy(PolicyName=name(prefix), PolicyDocument=document, **more)["Policy"]["Arn"]

    def federated(self, who, policy_text=None, by=None, **more):
        """Keys of a federated user, by the root user or by a user of the account."""
        arguments = {"Name": who, **({"Policy": policy_text} if policy_text else {}), **more}
        answer = (by.sts if by else self.sts).get_federation_token(**arguments)
        return Keys.of(answer["Credentials"])


class User:
    """A user with one access key."""

    def __init__(self, account, made, keys):
        self.account = account
        self.name, self.arn, self.id = made["UserName"], made["Arn"], made["UserId"]
        self.keys = keys
        self.iam = account.house.iam(keys)
        self.sts = account.house.sts(keys)
        self.daypass = account.house.daypass(keys)

    def assume(self, role, session="session", **more):
        """Keys of a session of the role (its ARN, or what CreateRole answered)."""
        arn = role if isinstance(role, str) else role["Arn"]
        answer = self.sts.assume_role(RoleArn=arn, RoleSessionName=session, **more)
        return Keys.of(answer["Credentials"])

    def permit(self, document, policy_name="more"):
        """Puts one more inline policy on the user."""
        self.account.iam.put_user_policy(UserName=self.name, PolicyName=policy_name, PolicyDocument=document)


def this_second():
    """Unix time, whole seconds."""
    return int(time.time())


MODELS = str(ROOT / "api")
# Metadata of an identity provider that never signs.
SAML_METADATA = ROOT / "crates/service/tests/data/saml-metadata.xml"
