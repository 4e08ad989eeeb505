"""An account that takes certificates, and what comes of calls by them."""

import json

from .anywhere import Call, authority
from .client import allow, name
from .secrets import hold
from .server import Keys

SERVICE = "rolesanywhere.amazonaws.com"
ACTIONS = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


def trusting(condition=None, actions=ACTIONS):
    made = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": actions}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**made, **({"Condition": condition} if condition else {})}]})


class Site:
    """An account that takes certificates of one authority."""

    def __init__(self, account, root=None, **profile):
        self.account = account
        self.root = root or authority(name("CA"))
        self.client = account.house.client("rolesanywhere", account.keys)
        self.anchor = self.add_anchor(self.root)
        self.role = account.role(trusting(), allow("s3:GetObject"))
        self.profile = self.add_profile(**profile)

    def add_anchor(self, *roots, enabled=True):
        source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "".join(r.pem for r in roots)}}
        return self.client.create_trust_anchor(name=name("anchor"), source=source, enabled=enabled)["trustAnchor"]

    def add_profile(self, roles=None, **more):
        arns = roles or [self.role["Arn"]]
        return self.client.create_profile(**{"name": name("profile"), "roleArns": arns, "enabled": True, **more})["profile"]

    def query(self, **changes):
        return {
            "profileArn": self.profile["profileArn"],
            "roleArn": self.role["Arn"],
            "trustAnchorArn": self.anchor["trustAnchorArn"],
            **changes,
        }

    def call(self, holder, body=None, chain=(), region="us-east-1", time=None, **changes):
        endpoint = self.account.house.server.endpoint
        return Call(endpoint, self.query(**changes), body, region, chain, holder, time)

    def session(self, holder, body=None, chain=(), **changes):
        """What an answer says of the session."""
        return granted(self.call(holder, body, chain, **changes).sign())

    def refused(self, text, holder, body=None, chain=(), code="AccessDeniedException", **changes):
        denied(self.call(holder, body, chain, **changes).sign(), text, code)


def granted(call):
    status, code, body = call.send()
    assert status == 201, (status, code, body)
    got = body["credentialSet"][0]["credentials"]
    hold("secret access key", got["secretAccessKey"])
    hold("session token", got["sessionToken"])
    return body


def denied(call, text, code="AccessDeniedException"):
    status, found, body = call.send()
    assert (status, found) == ({"ValidationException": 400, "ResourceNotFoundException": 404}.get(code, 403), code), body
    assert text in body["message"], body


def keys(body):
    got = body["credentialSet"][0]["credentials"]
    return Keys(got["accessKeyId"], got["secretAccessKey"], got["sessionToken"])
