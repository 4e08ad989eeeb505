#!/usr/bin/env python3
"""An application on a phone, without a server of its own: whoever signed in at an identity provider keeps objects in a bucket.

It takes the provider's token to daypass (AssumeRoleWithWebIdentity, which nobody signs), and signs its requests to the bucket with
what it gets. Nobody gave it a key. Needs boto3, and AWS_ENDPOINT_URL_STS where daypass is.
"""

import argparse
import datetime
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.exceptions
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

REGION = os.environ.get("AWS_REGION", "us-east-1")


def proxies(url):
    """Of the environment (None), but not for what is without TLS: whoever reads a token may be whom it is of."""
    return None if urllib.parse.urlsplit(url).scheme == "https" else {}


def present():
    return datetime.datetime.now(datetime.timezone.utc)


class Phone(CredentialProvider):
    """Where boto3 gets credentials. `token` gives a token of whoever is signed in, a new one each time; how, is the matter of the
    application's sign-in library."""

    METHOD = "mobile-web-identity"

    def __init__(self, token, role, clock=present):
        super().__init__()
        self.token, self.role, self.clock = token, role, clock
        config = Config(signature_version=UNSIGNED, proxies=proxies(os.environ.get("AWS_ENDPOINT_URL_STS", "https:")))
        self.sts = boto3.client("sts", region_name=REGION, config=config)
        self.subject = None

    def exchange(self):
        """A session for a token. Who it is for, daypass says, which verified the token; the phone did not."""
        answer = self.sts.assume_role_with_web_identity(
            RoleArn=self.role, RoleSessionName="phone", WebIdentityToken=self.token(), DurationSeconds=3600
        )
        subject, given = answer["SubjectFromWebIdentityToken"], answer["Credentials"]
        if self.subject not in (None, subject):
            raise RuntimeError("somebody else signed in meanwhile")
        self.subject = subject
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    def load(self):
        """Credentials that renew themselves: botocore tries from a quarter of an hour before the end, and insists from ten
        minutes before."""
        first = self.exchange()
        end = datetime.datetime.fromisoformat(first.pop("expiry_time"))
        return RefreshableCredentials(
            **first, expiry_time=end, refresh_using=self.exchange, method=self.METHOD, time_fetcher=self.clock
        )


class Home:
    """The place in the bucket of whoever is signed in."""

    def __init__(self, phone, endpoint, bucket):
        inner = botocore.session.get_session()
        inner.register_component("credential_provider", CredentialResolver([phone]))
        session = boto3.Session(botocore_session=inner, region_name=REGION)
        session.get_credentials()  # now, so that it is known whose place it is
        config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
        self.s3, self.bucket = session.client("s3", endpoint_url=endpoint, config=config), bucket
        self.prefix = f"home/{phone.subject}/"

    def put(self, name, body):
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=body)

    def get(self, name):
        return self.s3.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read()

    def names(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return [item["Key"].removeprefix(self.prefix) for page in pages for item in page.get("Contents", [])]


def from_url(url):
    """A token from whoever hands them out there: in this example `provider.py`."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies(url)))

    def token():
        with opener.open(url, timeout=30) as answer:
            return json.load(answer)["id_token"]

    return token


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--token-url", required=True, help="where the token is")
    parser.add_argument("--role", required=True, metavar="ARN")
    parser.add_argument("--endpoint", default="http://127.0.0.1:9000", metavar="URL", help="of the bucket's service")
    parser.add_argument("--bucket", default="mybucket")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("put", help="what comes from standard input").add_argument("name")
    commands.add_parser("get").add_argument("name")
    commands.add_parser("list")
    given = parser.parse_args()
    home = Home(Phone(from_url(given.token_url), given.role), given.endpoint, given.bucket)
    if given.command == "put":
        home.put(given.name, sys.stdin.buffer.read())
    elif given.command == "get":
        sys.stdout.buffer.write(home.get(given.name))
    else:
        print("".join(f"{name}\n" for name in home.names()), end="")


if __name__ == "__main__":
    try:
        main()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, urllib.error.URLError) as error:
        # What daypass, the bucket's service or the provider said, or that nobody listens there.
        sys.exit(str(error))
