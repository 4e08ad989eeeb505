#!/usr/bin/env python3
"""Prints a link that opens the console as a federated user, or as a role.

Whoever runs it has long-term keys (AWS_ACCESS_KEY_ID, …) of a user who may call GetFederationToken or AssumeRole. The person who
follows the link needs no key and no password here.

Needs boto3, and AWS_ENDPOINT_URL_STS where daypass is.
"""

import argparse
import ipaddress
import json
import os
import ssl
import sys
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config


def credentials(sts, arguments):
    """Temporary credentials of whoever the link is for: they can do what they are given and no more."""
    if arguments.role:
        answer = sts.assume_role(RoleArn=arguments.role, RoleSessionName=arguments.name)
    else:
        with open(arguments.policy, encoding="utf-8") as file:
            answer = sts.get_federation_token(Name=arguments.name, Policy=file.read(), DurationSeconds=arguments.seconds)
    return answer["Credentials"]


def signin_token(federation, given, seconds):
    """A token for the credentials. They go in a body: addresses end in the logs of every proxy on the way."""
    session = {
        "sessionId": given["AccessKeyId"],
        "sessionKey": given["SecretAccessKey"],
        "sessionToken": given["SessionToken"],
    }
    asked = {"Action": "getSigninToken", "SessionType": "json", "Session": json.dumps(session)}
    if seconds:
        asked["SessionDuration"] = str(seconds)
    body = urllib.parse.urlencode(asked).encode()
    with opener(federation).open(federation, body) as answer:
        return json.load(answer)["SigninToken"]


def opener(url):
    """Opens addresses there: over TLS, or on this machine, past the proxy of the environment, which would read along."""
    if not in_the_open(url):
        trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusted))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def in_the_open(url):
    """Whether it is without TLS. That is for this machine alone: secret keys go there and come from there."""
    place = urllib.parse.urlsplit(url)
    if place.scheme == "https":
        return False
    if place.scheme != "http" or not is_loopback(place.hostname):
        raise ValueError("daypass is https://, or on this machine")
    return True


def is_loopback(host):
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def link(federation, token, issuer, destination):
    """Good for fifteen minutes, and once: hand it over by a redirect over TLS, and to nobody else."""
    wanted = {"Action": "login", "Issuer": issuer, "Destination": destination, "SigninToken": token}
    return f"{federation}?{urllib.parse.urlencode(wanted)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the federated user, or of the role's session: who it is for")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--policy", metavar="FILE", help="what the federated user may do")
    who.add_argument("--role", metavar="ARN", help="the role instead")
    parser.add_argument("--seconds", type=int, default=3600, help="how long (default: an hour)")
    parser.add_argument("--issuer", default="https://signin.example.com/", help="where people sign in again")
    parser.add_argument("--destination", default="/console/", help="where the link leads")
    arguments = parser.parse_args()
    endpoint = os.environ.get("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:7777")
    try:
        config = Config(proxies={}) if in_the_open(endpoint) else None
    except ValueError as error:
        sys.exit(f"console_link: {error}")
    sts = boto3.client("sts", endpoint_url=endpoint, region_name=os.environ.get("AWS_REGION", "us-east-1"), config=config)
    federation = f"{endpoint.rstrip('/')}/federation"
    given = credentials(sts, arguments)
    # The credentials of GetFederationToken say themselves how long they are good.
    token = signin_token(federation, given, arguments.seconds if arguments.role else None)
    print(link(federation, token, arguments.issuer, arguments.destination))


if __name__ == "__main__":
    sys.exit(main())
