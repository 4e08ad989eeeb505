"""Credentials for somebody whose groups are known, and the link with which they enter the console.

Answers for: the calls to daypass. Refuses to know: passwords, groups, the browser.
"""

import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

from mapping import choose, federated_name, policy

SECONDS = 10


class Refused(Exception):
    """daypass did not do it, or was not there; the text is its code, which is fit for a log."""


class Issuer:
    """The broker at daypass. Its long-term keys come from the environment, as boto3 reads them."""

    def __init__(self, mapping, endpoint):
        self._mapping = mapping
        self._federation = f"{endpoint.rstrip('/')}/federation"
        # What is not sealed by TLS goes to no proxy of the environment: secret keys come and go.
        plain = endpoint.startswith("http:")
        known = {"connect_timeout": SECONDS, "read_timeout": SECONDS, "retries": {"total_max_attempts": 2}}
        config = botocore.config.Config(**known, proxies={} if plain else None)
        self._sts = boto3.client("sts", endpoint_url=endpoint, region_name=os.environ.get("AWS_REGION", "us-east-1"), config=config)
        trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
        past = [urllib.request.ProxyHandler({})] if plain else []
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusted), *past)

    def credentials(self, name, groups, title):
        """Of a federated user with the policies of these groups, or of the role with that title."""
        offer = self._mapping.offer(groups)
        role = choose(offer, title)
        called, seconds = federated_name(name), self._mapping.seconds
        try:
            if role:
                answer = self._sts.assume_role(RoleArn=role, RoleSessionName=called, DurationSeconds=seconds)
            else:
                text = policy(offer.statements, called)
                answer = self._sts.get_federation_token(Name=called, Policy=text, DurationSeconds=seconds)
        except botocore.exceptions.ClientError as error:
            raise Refused(error.response["Error"]["Code"]) from None
        except botocore.exceptions.BotoCoreError as error:
            raise Refused(type(error).__name__) from None
        return answer["Credentials"]

    def link(self, given, console, issuer, destination):
        """Good for fifteen minutes and once. `console` is where the person's browser finds daypass."""
        wanted = {"Action": "login", "Issuer": issuer, "Destination": destination, "SigninToken": self._token(given)}
        return f"{console.rstrip('/')}/federation?{urllib.parse.urlencode(wanted)}"

    def _token(self, given):
        """The credentials go in a body: addresses end in the logs of every proxy on the way."""
        session = {"sessionId": given["AccessKeyId"], "sessionKey": given["SecretAccessKey"], "sessionToken": given["SessionToken"]}
        asked = {"Action": "getSigninToken", "SessionType": "json", "Session": json.dumps(session)}
        body = urllib.parse.urlencode(asked).encode()
        try:
            with self._opener.open(self._federation, body, timeout=SECONDS) as answer:
                return json.load(answer)["SigninToken"]
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(f"getSigninToken {error.code}") from None
        except (OSError, ValueError, KeyError) as error:
            raise Refused(f"getSigninToken {type(error).__name__}") from None


def for_a_process(given):
    """As AWS's `credential_process` wants it."""
    return {
        "Version": 1,
        "AccessKeyId": given["AccessKeyId"],
        "SecretAccessKey": given["SecretAccessKey"],
        "SessionToken": given["SessionToken"],
        "Expiration": given["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
