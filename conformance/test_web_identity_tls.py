"""Whose https server is an identity provider's: one that a known authority vouches for, or the one whose last certificate has
a thumbprint of the provider. The token is good each time.

AWS sources: CreateOpenIDConnectProvider (ThumbprintList) in the AWS IAM API Reference; "Obtain the thumbprint for an OpenID
Connect identity provider" in the IAM User Guide.
"""

import pytest

from support.authority import Authority, thumbprint
from support.client import Account, House, allow, refused, trust
from support.issuer import Issuer
from support.server import Server

UNREACHABLE = "The identity provider cannot be reached to verify the ID Token. Try again."
NOT_THEIRS = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
ACTION = "sts:AssumeRoleWithWebIdentity"


class Authorities:
    """One that the server with a bundle knows, one that nobody knows, and one that only bears the first one's name."""

    def __init__(self, folder):
        self.known, self.other, self.namesake = Authority(folder), Authority(folder, "other"), Authority(folder)

    def served(self, of, *behind, **leaf):
        return of.context(*(one.certificate for one in behind), **leaf)


# Who serves what, the thumbprints, and what a server without a bundle and one with it make of that: it is believed, or the
# code of a refusal. A name or a date that is wrong is the server's fault and may be mended there, so clients try again.
TAKEN, REFUSED, LATER = None, ("InvalidIdentityToken", NOT_THEIRS), ("IDPCommunicationError", UNREACHABLE)
CASES = {
    "no thumbprint": (lambda a: (a.served(a.known, a.known), []), REFUSED, TAKEN),
    "certificate alone": (lambda a: (a.served(a.known), []), REFUSED, TAKEN),
    "thumbprint of the authority": (lambda a: (a.served(a.other, a.other), [a.other]), TAKEN, TAKEN),
    "one of several thumbprints": (lambda a: (a.served(a.other, a.other), [a.known, a.other]), TAKEN, TAKEN),
    "another thumbprint": (lambda a: (a.served(a.other, a.other), [a.namesake]), REFUSED, REFUSED),
    "another thumbprint, of one that is known": (lambda a: (a.served(a.known, a.known), [a.other]), REFUSED, TAKEN),
    "another authority of that name": (lambda a: (a.served(a.namesake, a.namesake), []), REFUSED, REFUSED),
    "signed by a namesake": (lambda a: (a.served(a.namesake, a.known), [a.known]), REFUSED, REFUSED),
    "for another address": (lambda a: (a.served(a.known, a.known, address="127.0.0.2"), [a.known]), LATER, LATER),
    "over since yesterday": (lambda a: (a.served(a.known, a.known, days=-1), [a.known]), LATER, LATER),
    "valid from next month": (lambda a: (a.served(a.known, a.known, days=90), [a.known]), LATER, LATER),
}


@pytest.fixture(scope="module")
def cases(environment, tmp_path_factory):
    """Each case with its issuer, which is asked once by either server."""
    authorities = Authorities(tmp_path_factory.mktemp("authorities"))
    made = {}
    for known, (make, *outcomes) in CASES.items():
        context, named = make(authorities)
        made[known] = (Issuer(tls=context), [thumbprint(one.certificate) for one in named], outcomes)
    yield authorities, made
    for issuer, _, _ in made.values():
        issuer.close()


@pytest.fixture(scope="module", params=[False, True], ids=["no bundle", "bundle"])
def account(request, cases, tmp_path_factory):
    """An account of a server that knows the first authority, or none of them."""
    authorities, made = cases
    settings = [word for issuer, _, _ in made.values() for word in ("--allow-insecure-issuer", issuer.url)]
    # In place of the roots of this machine, which vouch for none of these.
    bundle = authorities.known.path if request.param else Authority(tmp_path_factory.mktemp("nobody")).path
    server = Server(tmp_path_factory.mktemp("daypass-issuers"), "--ca-bundle", str(bundle), *settings)
    yield Account(House(server), server.root_keys()), request.param
    assert server.stop() == 0


@pytest.mark.parametrize("case", CASES)
def test_servers_certificate(account, cases, case):
    (home, bundle), (_, made) = account, cases
    issuer, thumbprints, outcomes = made[case]
    more = {"ThumbprintList": thumbprints} if thumbprints else {}
    provider = home.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"], **more)
    alice = {"StringEquals": {f"{issuer.name}:sub": "alice"}}
    role = home.role(trust({"Federated": provider["OpenIDConnectProviderArn"]}, ACTION, alice), allow("*"))
    call = {"RoleArn": role["Arn"], "RoleSessionName": "test", "WebIdentityToken": issuer.token()}
    asked = len(issuer.asked)
    if outcomes[bundle] == TAKEN:
        assert home.house.nobody().assume_role_with_web_identity(**call)["SubjectFromWebIdentityToken"] == "alice"
        assert len(issuer.asked) == asked + 2
    else:
        with refused(*outcomes[bundle]):
            home.house.nobody().assume_role_with_web_identity(**call)
        # Nothing was said to a server that nobody vouches for.
        assert len(issuer.asked) == asked
