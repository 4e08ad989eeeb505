"""Issuers that need no registration: Google, Cognito identity pools, Login with Amazon and Facebook, each at its own address,
in an internet that the test made. Nothing is configured but what an operator would.

AWS and vendors' sources: AssumeRoleWithWebIdentity in the AWS STS API Reference; "Available keys for AWS web identity
federation" in the IAM User Guide; "Identity pools (federated identities) authentication flow" and "Role trust and
permissions" in the Amazon Cognito Developer Guide; "Verify access tokens" in Login with Amazon's Developer Guide; Graph API
Reference of Facebook.
"""

import json
import secrets
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives import hashes

from support import cli
from support.client import Account, House, allow, policy, refused, statement, trust
from support.internet import Internet
from support.issuer import Key
from support.secrets import hold
from support.server import Keys, Server

ACTION = "sts:AssumeRoleWithWebIdentity"
DENIED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
GOOGLE, COGNITO = "https://accounts.google.com", "https://cognito-identity.amazonaws.com"
TOKEN_INFO, GRAPH = "https://api.amazon.com/auth/O2/tokeninfo", "https://graph.facebook.com/v24.0"
POOL, IDENTITY = (f"us-east-1:{number * 8}-1111-4222-8333-{number * 12}" for number in ("1", "2"))
APP, CLIENT = "amzn1.application.436457DFHDH", "amzn1.application-oa2-client.ABCDEFGHIJKLMNOPQRST"
ALICE = "amzn1.account.K2LI23KL2LK2"


class Place:
    """A server in the internet, and an account that roles are made in."""

    def __init__(self, internet, server):
        self.internet, self.server = internet, server
        self.house = House(server)
        self.home = Account(self.house, server.root_keys())
        self.key = Key("known")
        for issuer in (GOOGLE, COGNITO):
            place = f"{issuer}/keys"
            internet.tell(f"{issuer}/.well-known/openid-configuration", {"issuer": issuer, "jwks_uri": place})
            internet.tell(place, {"keys": [self.key.public]})

    def role(self, provider, condition, *policies):
        return self.home.role(trust({"Federated": provider}, ACTION, condition), *policies)["Arn"]

    def assume(self, role, token, **more):
        call = {"RoleArn": role, "RoleSessionName": "phone", "WebIdentityToken": token, **more}
        return self.house.nobody().assume_role_with_web_identity(**call)

    def iam(self, answer):
        return self.house.iam(Keys.of(answer["Credentials"]))


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    internet = Internet(tmp_path_factory.mktemp("internet"))
    asked = ["--amazon-token-info-url", TOKEN_INFO, "--facebook-graph-url", GRAPH]
    server = Server(tmp_path_factory.mktemp("daypass-known"), *internet.settings, *asked)
    yield Place(internet, server)
    assert server.stop() == 0
    internet.close()


def claims(issuer, audience, subject, **more):
    now = int(time.time())
    return {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + 600, **more}


@pytest.mark.parametrize("issuer", [GOOGLE, "accounts.google.com"])
def test_google(place, issuer):
    """Its tokens have two spellings of the issuer, and the client that asked beside the one that is meant."""
    google = {"accounts.google.com:aud": "phone.apps", "accounts.google.com:oaud": "server.apps", "accounts.google.com:sub": "10"}
    role = place.role("accounts.google.com", {"StringEquals": google})
    answer = place.assume(role, place.key.sign(claims(issuer, "server.apps", "10", azp="phone.apps")))
    assert (answer["Provider"], answer["Audience"]) == ("accounts.google.com", "phone.apps")
    for other in ({"azp": "other.apps"}, {"sub": "11"}, {"aud": "phone.apps"}):
        with refused("AccessDenied", DENIED):
            place.assume(role, place.key.sign({**claims(issuer, "server.apps", "10", azp="phone.apps"), **other}))


def cognito(place, methods, audience=POOL, **more):
    """A token of the basic flow: RS512, for ten minutes, with how somebody signed in."""
    signed = {**claims(COGNITO, audience, IDENTITY, amr=methods), **more}
    head = {"kid": "known", "typ": "JWS", "alg": "RS512"}
    return place.key.compact(json.dumps(head), json.dumps(signed), digest=hashes.SHA512())


SIGNED_IN = ["authenticated", "login.example.com", f"login.example.com:{POOL}:alice"]


def of_pool(methods):
    """The trust policy that Cognito's guide gives."""
    name = "cognito-identity.amazonaws.com"
    return {"StringEquals": {f"{name}:aud": POOL}, "ForAnyValue:StringLike": {f"{name}:amr": methods}}


def test_cognito_identity_pool(place):
    """Whoever signed in gets another role than guests, and both what their identity names."""
    provider = COGNITO.removeprefix("https://")
    own = statement("iam:GetUser", "arn:aws:iam::*:user/${cognito-identity.amazonaws.com:sub}/*")
    own = policy(own, statement("iam:ListRoles", condition={"ForAnyValue:StringEquals": {f"{provider}:amr": "authenticated"}}))
    members, guests = (place.role(provider, of_pool(how), own) for how in ("authenticated", "unauthenticated"))
    answer = place.assume(members, cognito(place, SIGNED_IN))
    assert (answer["Provider"], answer["Audience"]) == (provider, POOL)
    assert answer["SubjectFromWebIdentityToken"] == IDENTITY
    place.iam(answer).list_roles()
    mine, others = (place.home.user(path=f"/{identity}/").name for identity in (IDENTITY, POOL))
    assert place.iam(answer).get_user(UserName=mine)["User"]["Path"] == f"/{IDENTITY}/"
    with refused("AccessDenied"):
        place.iam(answer).get_user(UserName=others)
    guest = place.assume(guests, cognito(place, ["unauthenticated"]))
    with refused("AccessDenied"):
        place.iam(guest).list_roles()
    refusals = [
        (guests, cognito(place, SIGNED_IN)),
        (members, cognito(place, ["unauthenticated"])),
        (members, cognito(place, None)),
        (members, cognito(place, SIGNED_IN, POOL.replace("1", "3"))),
    ]
    for role, token in refusals:
        with refused("AccessDenied", DENIED):
            place.assume(role, token)


def test_cognito_token_that_is_not_its_own(place):
    role = place.role("cognito-identity.amazonaws.com", of_pool("authenticated"))
    now = int(time.time())
    with refused("ExpiredTokenException"):
        place.assume(role, cognito(place, SIGNED_IN, exp=now - 400, iat=now - 1000))
    stranger = Key("known").sign(claims(COGNITO, POOL, IDENTITY, amr=SIGNED_IN))
    with refused("InvalidIdentityToken"):
        place.assume(role, stranger)
    with refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {COGNITO}/"):
        place.assume(role, cognito(place, SIGNED_IN, iss=f"{COGNITO}/"))


def access_token():
    token = f"Atza|{secrets.token_urlsafe(40)}+/=&"
    hold("access token", token)
    return token


def amazon(known):
    """What tells of one token, and rejects every other."""

    def tell(query):
        if urllib.parse.parse_qs(query) != {"access_token": [known]}:
            return 400, {"error": "invalid_token", "error_description": "The request has an invalid parameter"}
        told = {"iss": "https://www.amazon.com", "user_id": ALICE, "aud": CLIENT, "app_id": APP, "exp": 3597}
        return 200, {**told, "iat": int(time.time())}

    return tell


@pytest.fixture
def with_amazon(place):
    """A role for whoever signs in to the application with Amazon, and a token of theirs."""
    token = access_token()
    place.internet.tell(TOKEN_INFO, amazon(token))
    role = place.role("www.amazon.com", {"StringEquals": {"www.amazon.com:app_id": APP}}, allow("iam:ListRoles"))
    return role, token


def test_login_with_amazon(place, with_amazon):
    role, token = with_amazon
    answer = place.assume(role, token, ProviderId="www.amazon.com")
    assert (answer["Provider"], answer["Audience"]) == ("www.amazon.com", CLIENT)
    assert answer["SubjectFromWebIdentityToken"] == ALICE
    place.iam(answer).list_roles()
    with refused("IDPRejectedClaim", "The identity provider rejected the access token", 403):
        place.assume(role, access_token(), ProviderId="www.amazon.com")
    other = place.role("www.amazon.com", {"StringEquals": {"www.amazon.com:app_id": "amzn1.application.other"}})
    with refused("AccessDenied", DENIED):
        place.assume(other, token, ProviderId="www.amazon.com")
    # Without ProviderId it is no token at all.
    with refused("InvalidIdentityToken"):
        place.assume(role, token)
    place.internet.tell(TOKEN_INFO, {}, status=503)
    with refused("IDPCommunicationError", status=400):
        place.assume(role, token, ProviderId="www.amazon.com")


def test_login_with_amazon_by_the_command_line(place, with_amazon):
    role, token = with_amazon
    arguments = ["--role-arn", role, "--role-session-name", "cli", "--web-identity-token", token]
    ran = cli.run(
        "sts", "assume-role-with-web-identity", *arguments, "--provider-id", "www.amazon.com", given=cli.environment(place.server)
    )
    assert json.loads(ran.stdout)["SubjectFromWebIdentityToken"] == ALICE, ran.stderr


def test_facebook(place):
    token = access_token()
    for path, told in (("app", {"id": "116", "name": "App"}), ("me", {"id": "100", "name": "Alice"})):
        place.internet.tell(f"{GRAPH}/{path}", told)
    condition = {"StringEquals": {"graph.facebook.com:app_id": "116", "graph.facebook.com:id": "100"}}
    role = place.role("graph.facebook.com", condition)
    answer = place.assume(role, token, ProviderId="graph.facebook.com")
    assert (answer["Provider"], answer["SubjectFromWebIdentityToken"]) == ("graph.facebook.com", "100")
    asked = {host for host, target in place.internet.asked if token in urllib.parse.unquote(target)}
    assert asked == {"graph.facebook.com"}
    place.internet.tell(f"{GRAPH}/me", {"error": {"type": "OAuthException", "code": 190}}, status=400)
    with refused("IDPRejectedClaim"):
        place.assume(role, token, ProviderId="graph.facebook.com")


def test_provider_id_of_nobody(place):
    role = place.role("graph.facebook.com", {"StringEquals": {"graph.facebook.com:app_id": "116"}})
    asked = len(place.internet.asked)
    signed = place.key.sign(claims(GOOGLE, "app", "10"))
    with refused("AccessDenied", DENIED):
        place.assume(role, signed, ProviderId="accounts.google.com")
    with refused("InvalidIdentityToken"):
        place.assume(role, signed, ProviderId="www.amazon.com")
    with refused("IDPRejectedClaim"):
        place.assume(role, signed, ProviderId="graph.facebook.com")
    assert len(place.internet.asked) == asked, "a token is shown to nobody whose it is not"


def test_no_token_is_written_down(place, with_amazon):
    role, token = with_amazon
    place.assume(role, token, ProviderId="www.amazon.com")
    place.internet.tell(TOKEN_INFO, {}, status=500)
    with refused("IDPCommunicationError"):
        place.assume(role, token, ProviderId="www.amazon.com")
    written = place.server.stderr() + "".join(path.read_text() for path in place.server.audits())
    assert ALICE in written and "www.amazon.com" in written
    for form in (token, urllib.parse.quote(token, safe=""), token.removeprefix("Atza|")[:30]):
        assert form not in written
