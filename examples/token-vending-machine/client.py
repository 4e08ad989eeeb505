#!/usr/bin/env python3
"""A device: proves its key to the token vending machine, and puts its objects where it may, with what it got.

It keeps its uid, its key and its session in a file of its own (--state). Needs boto3 and cryptography, and AWS_ENDPOINT_URL_STS where daypass is.
"""

import argparse
import datetime
import getpass
import ipaddress
import json
import os
import pathlib
import re
import ssl
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.exceptions
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

import crypto

REGION = os.environ.get("AWS_REGION", "us-east-1")
# A session that is kept is used while it is good for so long at least.
LEFT_SECONDS = 15 * 60
UNQUOTED = re.compile(r'(\w+): "([^"]*)"', re.ASCII)


class Refused(Exception):
    """The machine said no, or what said yes was not the machine."""


def present():
    """To the microsecond: a signature counts once, and two of the same second would be one."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def opener(url, cafile):
    """Opens addresses there: over TLS, or on this machine, where no proxy of the environment gets to read it."""
    place = urllib.parse.urlsplit(url)
    if place.scheme == "https":
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cafile)))
    if place.scheme != "http" or not is_loopback(place.hostname):
        raise Refused("the machine is https://, or on this one: keys and passwords go there")
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_loopback(host):
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


class Device:
    """What one device knows. `machine` is the machine's URL, `kept` the session that it got last, in the machine's words."""

    def __init__(self, machine, uid, key=None, cafile=None, kept=None):
        self.machine, self.uid, self.key, self.kept = machine.rstrip("/"), uid, key, kept
        self.opener = opener(self.machine, cafile)

    def call(self, path, **asked):
        """In a body, and never in an address: those are written down on the way."""
        body = urllib.parse.urlencode(asked).encode()
        try:
            with self.opener.open(self.machine + path, body, timeout=60) as answer:
                return answer.read().decode(), answer.headers.get("Answer-Signature", "")
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(f"{path}: {error.code} {error.read().decode()}".rstrip()) from None
        except urllib.error.URLError as error:
            raise Refused(f"{self.machine}: {error.reason}") from None

    def register(self):
        """Anonymously: a new key, which the machine is told once."""
        key = crypto.new_key()
        self.call("/registerdevice", uid=self.uid, key=key)
        self.key, self.kept = key, None

    def register_user(self, username, password):
        self.call("/registeruser", username=username, password=password)

    def log_in(self, username, password, application, host):
        """For a user: the machine makes the key. The password itself stays here."""
        salted = crypto.salted_hash(username, password, application, host)
        told = self.prove("/login", salted, crypto.hash_key(salted), username=username)
        self.key, self.kept = told["key"], None

    def token(self):
        """Temporary credentials, in the machine's words."""
        return self.prove("/gettoken", self.key, self.key)

    def prove(self, path, signer, key, **asked):
        timestamp = present()
        signature = crypto.sign(signer, timestamp)
        sealed, vouched = self.call(path, uid=self.uid, timestamp=timestamp, signature=signature, **asked)
        if not crypto.same(crypto.vouch(signer, signature, sealed), vouched):
            raise Refused(f"{path}: the answer is not the machine's answer to this")
        return dict(UNQUOTED.findall(crypto.unseal(key, sealed)))

    def credentials(self):
        """New ones as boto3 wants them."""
        return for_boto3(self.token())


class Vended(CredentialProvider):
    """Where boto3 gets the credentials of a device, and new ones in time."""

    METHOD = "token-vending-machine"

    def __init__(self, device, first=None):
        """`first`: a session that there is."""
        super().__init__()
        self.device, self.first = device, first

    def load(self):
        first = for_boto3(self.first) if self.first else self.device.credentials()
        return RefreshableCredentials.create_from_metadata(first, self.device.credentials, self.METHOD)


class Home:
    """The device's place in the bucket."""

    def __init__(self, device, endpoint, bucket, first=None):
        inner = botocore.session.get_session()
        inner.register_component("credential_provider", CredentialResolver([Vended(device, first)]))
        session = boto3.Session(botocore_session=inner, region_name=REGION)
        # What the machine called it, daypass says: whoever signs may always ask who they are.
        arn = session.client("sts").get_caller_identity()["Arn"]
        self.prefix = f"home/{arn.partition(':federated-user/')[2]}/"
        config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
        self.s3, self.bucket = session.client("s3", endpoint_url=endpoint, config=config), bucket

    def put(self, name, body):
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=body)

    def get(self, name):
        return self.s3.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read()

    def names(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return [item["Key"].removeprefix(self.prefix) for page in pages for item in page.get("Contents", [])]


def load(given):
    """The device of the state file, or a new one."""
    state = json.loads(given.state.read_text()) if given.state.exists() else {"uid": os.urandom(16).hex(), "key": None}
    return Device(given.machine, state["uid"], state["key"], given.ca, state.get("session"))


def save(given, device):
    """For this user's eyes, and in one piece: programs may run side by side."""
    made, path = tempfile.mkstemp(dir=given.state.parent, prefix=given.state.name)
    with open(made, "w", encoding="utf-8") as file:
        json.dump({"uid": device.uid, "key": device.key, "session": device.kept}, file)
    os.replace(path, given.state)


def session(given, device):
    """What the machine gave last, while that is good; else something new. A device may have ten at once, and no more."""
    told, soon = device.kept, datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=LEFT_SECONDS)
    if not told or end_of(told) < soon or not counts(told):
        device.kept = told = device.token()
        save(given, device)
    return told


def counts(told):
    """Whether daypass still takes it: an operator may have ended it."""
    keys = {"aws_access_key_id": told["accessKey"], "aws_secret_access_key": told["secretKey"]}
    try:
        boto3.client("sts", region_name=REGION, aws_session_token=told["securityToken"], **keys).get_caller_identity()
    except botocore.exceptions.ClientError:
        return False
    return True


def password():
    """Never an argument: those are seen by everybody on the machine."""
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def end_of(told):
    return datetime.datetime.fromtimestamp(int(told["expirationDate"]) / 1000, datetime.timezone.utc)


def for_boto3(told):
    return {
        "access_key": told["accessKey"],
        "secret_key": told["secretKey"],
        "token": told["securityToken"],
        "expiry_time": end_of(told).isoformat(),
    }


def process(told):
    """As `credential_process` of the AWS CLI and SDKs wants it."""
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": told["accessKey"],
            "SecretAccessKey": told["secretKey"],
            "SessionToken": told["securityToken"],
            "Expiration": end_of(told).isoformat(),
        }
    )


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", default="http://127.0.0.1:7780", metavar="URL")
    parser.add_argument("--ca", metavar="FILE", help="who vouches for the machine's certificate")
    parser.add_argument("--state", type=pathlib.Path, default="device.json", metavar="FILE")
    parser.add_argument("--endpoint", default="http://127.0.0.1:9000", metavar="URL", help="of the bucket's service")
    parser.add_argument("--bucket", default="mybucket")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("register", help="this device, anonymously")
    commands.add_parser("register-user", help="the password comes from the terminal or standard input").add_argument("username")
    login = commands.add_parser("login", help="likewise")
    login.add_argument("username")
    login.add_argument("--app", default="MyMobileAppName", help="as the machine has it")
    login.add_argument("--host", required=True, help="as the machine has it")
    commands.add_parser("credentials", help="print them, for `credential_process`")
    commands.add_parser("put", help="what comes from standard input").add_argument("name")
    commands.add_parser("get").add_argument("name")
    commands.add_parser("list")
    return parser.parse_args()


def main():
    given = options()
    device = load(given)
    if given.command == "register":
        device.register()
    elif given.command == "register-user":
        device.register_user(given.username, password())
    elif given.command == "login":
        device.log_in(given.username, password(), given.app, given.host)
    elif given.command == "credentials":
        print(process(session(given, device)))
    else:
        home = Home(device, given.endpoint, given.bucket, session(given, device))
        if given.command == "put":
            home.put(given.name, sys.stdin.buffer.read())
        elif given.command == "get":
            sys.stdout.buffer.write(home.get(given.name))
        else:
            print("".join(f"{name}\n" for name in home.names()), end="")
    if given.command in ("register", "login"):
        save(given, device)


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(str(refused))
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        # What the bucket's service or daypass said, or that nobody listens there.
        sys.exit(str(error))
